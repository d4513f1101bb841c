//! The invariants I1 to I8 that hold after any fault (assets/docs/guarantees.md, "Fault tests"), for both databases,
//! and the line of figures.
//!
//! A trigger also counts the writes of content, so that the store's own records are checked against the table.

use super::figures::Figures;
use super::place::Place;
use quarterdeck::domain::outcome::Outcome;
use std::time::Duration;

/// A fault test and its figures.
pub struct Case<'a> {
    /// The fault's number, such as `F1`, and the database.
    pub name: &'a str,
    /// Number of requested syncs.
    pub size: usize,
    /// Number of faults.
    pub faults: usize,
    /// Number of processes that were killed.
    pub kills: usize,
    /// The longest time by which a fault delayed a document.
    pub longest: Duration,
    /// Time from the last fault to the end of the last job; `None` if the test does not know the time of its faults.
    pub last: Option<Duration>,
    /// Time from the first request to the last end.
    pub took: Duration,
    /// False if the test set the clock, so that I4 cannot be read from times.
    pub clock_is_steady: bool,
}

/// Installs the trigger that counts writes of content.
pub async fn witness(place: &Place) {
    let sqlite = "create table content_writes (n integer primary key, document_id integer not null);
        create index content_writes_document on content_writes (document_id);
        create trigger note_write after update of content on captain_documents begin
            insert into content_writes (document_id) values (new.id);
        end;";
    let postgres = "create table public.content_writes (n bigserial primary key, document_id bigint not null);
        create index content_writes_document on public.content_writes (document_id);
        create function public.note_write() returns trigger language plpgsql as $$ begin
            insert into public.content_writes (document_id) values (new.id);
            return null;
        end $$;
        create trigger note_write after update of content on captain_documents
            for each row execute function public.note_write();";
    place.sql(place.either(sqlite, postgres)).await;
}

/// Asserts I1 to I8 when no job is live and every document was requested at least once; `tail` has the outcomes that a
/// follower of the log read. Prints the line of figures first.
pub async fn assert_invariants(place: &Place, tail: &[Outcome], case: &Case<'_>) {
    let Case { name, size, faults, kills, longest, last, took, clock_is_steady } = case;
    let figures = Figures {
        slowest_recovery: Some(longest.as_secs_f64()),
        last_done: last.map(|last| last.as_secs_f64()),
        ..counted(place, &DOUBLE).await
    };
    let figures = Figures { size: *size, faults: *faults, kills: *kills, ..figures };
    figures.note();
    let Figures { lost: Some(lost), double: Some(double), gaps: Some(gaps), .. } = figures else { panic!("counted") };
    println!(
        "| {name} | {size} syncs | {faults} faults | lost {lost} | double writes {double} | gaps {gaps} | longest delay \
         {:.2} s | {:.1} s |",
        longest.as_secs_f64(),
        took.as_secs_f64()
    );
    assert_eq!((lost, double, gaps), (0, 0, 0), "{name}: lost, double writes, gaps");
    for (what, query) in NEVER.iter().skip(usize::from(!clock_is_steady)) {
        assert_eq!(place.number(query).await, Some(0), "{name}: {what}");
    }
    let count = place.number("select count(*) from outcomes").await;
    assert_eq!(i64::try_from(tail.len()).ok(), count, "{name}: the log that was followed is the table");
    assert!((1..).zip(tail).all(|(seq, outcome)| outcome.seq.0 == seq), "{name}: in its order");
    sound(place).await;
}

/// Returns the figures of a store without the trigger that counts writes, in which every job has ended. The test adds
/// its sizes and times.
pub async fn figures_of(place: &Place) -> Figures {
    counted(place, &DOUBLE[..1]).await
}

async fn counted(place: &Place, double: &[&str]) -> Figures {
    Figures {
        lost: Some(sum(place, &LOST).await),
        double: Some(sum(place, double).await),
        gaps: Some(sum(place, &GAPS).await),
        ..Figures::default()
    }
}

async fn sum(place: &Place, queries: &[&str]) -> i64 {
    let mut sum = 0;
    for query in queries {
        sum += place.number(query).await.expect("a count");
    }
    sum
}

/// I1: no lost work.
const LOST: [&str; 3] = [
    "select count(*) from captain_documents d where not exists (select 1 from jobs j where j.document_id = d.id)",
    "select count(*) from jobs where state in ('scheduled', 'ready', 'running')",
    "select count(*) from jobs j where state in ('done', 'failed') \
     and not exists (select 1 from outcomes o where o.job_id = j.id)",
];

/// I2: no double write, by the store's records and by the trigger's count.
const DOUBLE: [&str; 2] = [
    "select coalesce(sum(abs(s.content_version - (select count(*) from outcomes o \
     where o.document_id = s.document_id and o.content in ('first', 'changed')))), 0) from document_state s",
    "select coalesce(sum(abs((select count(*) from content_writes w where w.document_id = s.document_id) \
     - (select count(*) from outcomes o where o.document_id = s.document_id \
     and o.content in ('first', 'changed')))), 0) from document_state s",
];

/// I3: dense numbers of the log, one end per attempt, and no attempt without one.
const GAPS: [&str; 3] = [
    "select coalesce(max(seq), 0) - count(*) from outcomes",
    "select count(*) from (select 1 as one from outcomes where result not like '%_exhausted' \
     and result not in ('already_syncing', 'cancelled') group by job_id, attempt having count(*) > 1) as ends",
    "select count(*) from (select 1 as one from outcomes where result not like '%_exhausted' \
     and result not in ('already_syncing', 'cancelled') group by job_id \
     having count(distinct attempt) <> max(attempt)) as attempts",
];

/// The first is the one that compares times.
const NEVER: [(&str, &str); 7] = [
    (
        "two committed runs of a document at once (I4)",
        "select count(*) from (select at - duration_ms * 1000 + 1000 as began, \
         lag(at) over (partition by document_id order by token) as before from outcomes \
         where duration_ms is not null and token is not null and result not like '%_exhausted') as runs \
         where began < before",
    ),
    (
        "outcomes of a document out of the order of their tokens (I5)",
        "select count(*) from (select token, lag(token) over (partition by document_id order by seq) as before \
         from outcomes where token is not null) as ends where token < before",
    ),
    (
        "a lease that nobody holds any more (I7)",
        "select count(*) from jobs where state = 'running' or lease_token is not null or lease_until is not null",
    ),
    (
        "two live jobs of a document",
        "select count(*) from (select 1 as one from jobs where state in ('scheduled', 'ready', 'running') \
         group by document_id having count(*) > 1) as two",
    ),
    ("a row that says syncing and nobody is at it", "select count(*) from captain_documents where sync_status = 0"),
    ("a lane without a job", "select count(*) from lanes"),
    (
        "a document whose fence is not that of its last end",
        "select count(*) from document_state s where fence < (select coalesce(max(token), 0) from outcomes o \
         where o.document_id = s.document_id and o.content in ('first', 'changed'))",
    ),
];

/// I8: the database is sound. amcheck is part of the server's packages; a server from the environment may lack it.
async fn sound(place: &Place) {
    if place.either("sqlite", "postgres") == "sqlite" {
        assert_eq!(place.text("select integrity_check from pragma_integrity_check").await.as_deref(), Some("ok"));
        return;
    }
    if place.number("select count(*) from pg_available_extensions where name = 'amcheck'").await == Some(0) {
        return;
    }
    // Raises an error for an index that does not match its table.
    let every = "create extension if not exists amcheck; do $$ begin perform bt_index_check(i.indexrelid, true) \
                 from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam \
                 where a.amname = 'btree' and c.relpersistence = 'p' \
                 and c.relnamespace in ('public'::regnamespace, 'quarterdeck'::regnamespace); end $$;";
    place.sql(every).await;
}
