//! Tests shadow rows: what lists read on a database of Chatwoot, whose table gets no trigger.

use super::postgres::chatwoot;
use super::support::{
    Place, START, Scene, fetched, limits, new, open, permanent, request, timeout, unexpected, worker,
};
use proptest::prelude::{Just, Strategy};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use proptest::{collection, prop_oneof};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::store::{
    Access, BulkVerb, CheckScope, ClaimLimits, ClaimedJob, DocumentPage, DocumentStore, Finish, JobStore, ManualClock,
    MarkTiming, PagePosition, PageQuery, Queries, Sort, SortBy, StatusStore, Targets, migrate,
};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// Time after which a pass is due.
const PASS: Duration = Duration::from_secs(25);
/// Number of Chatwoot's documents.
const DOCUMENTS: i64 = 9;

/// The tables of Rails in which an uploaded file is attached to a row, with the columns that matter here.
pub(super) const ACTIVE_STORAGE: &str = "CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, key varchar, \
     content_type varchar); \
     CREATE TABLE active_storage_attachments (id bigserial PRIMARY KEY, name varchar NOT NULL, \
     record_type varchar NOT NULL, record_id bigint NOT NULL, \
     blob_id bigint NOT NULL REFERENCES active_storage_blobs, created_at timestamp); \
     CREATE UNIQUE INDEX index_active_storage_attachments_uniqueness \
     ON active_storage_attachments (record_type, record_id, name, blob_id)";

/// Attaches a PDF to a document as Chatwoot does.
pub(super) async fn attaches(scene: &Scene, id: i64) {
    let attach = format!(
        "WITH b AS (INSERT INTO public.active_storage_blobs (key, content_type) VALUES ('k', 'application/pdf') \
         RETURNING id) INSERT INTO public.active_storage_attachments (name, record_type, record_id, blob_id) \
         SELECT 'pdf_file', 'Captain::Document', {id}, id FROM b"
    );
    scene.sql(&attach).await;
}

/// Makes a database of Chatwoot with some documents, and opens a store on it.
pub(super) async fn guest() -> Scene {
    let database = chatwoot().await;
    database.script(ACTIVE_STORAGE).await;
    migrate(&database.url, false, &mut |_| {}).await.unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let store = open(&database.url, clock.clone(), Access::Write).await;
    let scene = Scene { clock, store, place: Place::on(database) };
    scene.sql("SELECT setval('public.captain_documents_id_seq', 100)").await;
    for id in 2..=DOCUMENTS {
        adds(&scene, id).await;
    }
    scene
}

/// Adds a document as Chatwoot does.
pub(super) async fn adds(scene: &Scene, id: i64) {
    let at = scene.place.at(START.micros());
    scene
        .sql(&format!(
            "INSERT INTO public.captain_documents (id, name, external_link, assistant_id, account_id, created_at, \
             updated_at, status) VALUES ({id}, 'N{id}', 'https://h{}.test/{id}', {id}, {}, {at}, {at}, 1) \
             ON CONFLICT DO NOTHING",
            id % 3,
            1 + id % 2,
        ))
        .await;
}

/// Makes a pass that is due; returns the number of rows that it has written.
pub(super) async fn pass(scene: &Scene) -> u64 {
    scene.clock.advance(PASS);
    scene.store.read_shadows().await.unwrap()
}

/// Returns everything that lists show, as text.
async fn shown(scene: &Scene) -> Vec<String> {
    let store = &scene.store;
    let mut all = Vec::new();
    let mut add = |what: String, shown: &dyn Debug| all.push(format!("{what}: {shown:?}"));
    for by in SortBy::ALL {
        for descending in [false, true] {
            let page = page(scene, Sort { by, descending }).await;
            add(format!("{by:?} {descending}"), &(page.total, page.rows));
        }
    }
    for status in Status::ALL {
        for sign in ["", "-"] {
            let filter = Filter::parse(&format!("{sign}status:{}", status.word())).unwrap();
            add(format!("{sign}{status:?}"), &store.matching(&filter, Sort::BY_ID, None).await.unwrap());
        }
    }
    for filter in [
        "host:h1.test",
        "-host:h2.test",
        "kind:web",
        "kind:pdf,crawling",
        "account:2",
        "next:<1h",
        "attempted:<1h",
        "synced:<1h",
        "n3",
        "error:timeout",
    ] {
        let filter = Filter::parse(filter).unwrap();
        add(format!("{filter:?}"), &store.matching(&filter, Sort::BY_ID, None).await.unwrap());
    }
    let counts = store.counts().await.unwrap();
    add("counts".into(), &Status::ALL.map(|status| counts.of(status)));
    add("accounts".into(), &store.accounts().await.unwrap());
    add("hosts".into(), &store.hosts().await.unwrap());
    all
}

async fn page(scene: &Scene, sort: Sort) -> DocumentPage {
    let query = PageQuery { filter: Filter::default(), sort, position: PagePosition::Offset(0), limit: 100 };
    scene.store.page(&query).await.unwrap()
}

/// Asserts that lists read shadow rows, and show what they would show without.
pub(super) async fn assert_exact(scene: &Scene, after: &dyn Debug) {
    assert!(scene.store.counts().await.unwrap().max_age.is_some(), "lists read shadow rows after {after:?}");
    let shadows = shown(scene).await;
    scene.sql("UPDATE quarterdeck.shadow_passes SET read_at = -read_at").await;
    assert_eq!(scene.store.counts().await.unwrap().max_age, None);
    let computed = shown(scene).await;
    scene.sql("UPDATE quarterdeck.shadow_passes SET read_at = -read_at").await;
    for (shadow, computed) in shadows.iter().zip(&computed) {
        assert_eq!(shadow, computed, "after {after:?}");
    }
    let checked = scene.store.check_statuses(CheckScope::All).await.unwrap();
    assert!(checked.is_clean(), "{checked:?} after {after:?}");
}

/// A write of Chatwoot.
#[derive(Clone, Debug)]
enum Foreign {
    Add(i64),
    Remove(i64),
    Sync(i64, &'static str, i64),
    Move(i64),
    Attach(i64),
    Detach(i64),
    Crawl(i64, i64),
}

/// A write of ours.
#[derive(Clone, Copy, Debug)]
enum Own {
    Ask(i64, QueueClass),
    Cancel(i64),
    Claim(MarkTiming),
    Mark(usize),
    Defer(usize),
    Finish(usize, usize),
    Plan(i64, Option<i64>),
    Add(i64),
    Expire,
    Time(u64),
}

fn foreign() -> impl Strategy<Value = Vec<Foreign>> {
    let id = || 1..=DOCUMENTS + 2;
    let sync = (id(), prop_oneof![Just("NULL"), Just("0"), Just("1"), Just("2")], 0_i64..4 * 3_600);
    collection::vec(
        prop_oneof![
            1 => id().prop_map(Foreign::Add),
            1 => id().prop_map(Foreign::Remove),
            4 => sync.prop_map(|(id, code, ago)| Foreign::Sync(id, code, ago)),
            1 => id().prop_map(Foreign::Move),
            1 => id().prop_map(Foreign::Attach),
            1 => id().prop_map(Foreign::Detach),
            1 => (id(), 0_i64..2).prop_map(|(id, status)| Foreign::Crawl(id, status)),
        ],
        0..4,
    )
}

fn own() -> impl Strategy<Value = Own> {
    let id = || 1..=DOCUMENTS + 2;
    let class = prop_oneof![Just(QueueClass::Manual), Just(QueueClass::Auto)];
    prop_oneof![
        4 => (id(), class).prop_map(|(id, class)| Own::Ask(id, class)),
        1 => id().prop_map(Own::Cancel),
        3 => prop_oneof![Just(MarkTiming::AtClaim), Just(MarkTiming::AfterLock)].prop_map(Own::Claim),
        2 => (0_usize..4).prop_map(Own::Mark),
        1 => (0_usize..4).prop_map(Own::Defer),
        3 => (0_usize..4, 0_usize..4).prop_map(|(job, end)| Own::Finish(job, end)),
        1 => (1_i64..3, prop_oneof![Just(None), (1_i64..5_000).prop_map(Some)]).prop_map(|(id, s)| Own::Plan(id, s)),
        1 => (20_i64..25).prop_map(Own::Add),
        1 => Just(Own::Expire),
        1 => (1_u64..7_000).prop_map(Own::Time),
    ]
}

async fn write_as_chatwoot(scene: &Scene, write: &Foreign) {
    let (id, set) = match write {
        Foreign::Add(id) => return adds(scene, *id).await,
        Foreign::Remove(id) => {
            return scene.sql(&format!("DELETE FROM public.captain_documents WHERE id = {id}")).await;
        }
        Foreign::Sync(id, code, ago) => {
            let at = scene.place.at(scene.clock_now() - ago * 1_000_000);
            (id, format!("sync_status = {code}, last_sync_attempted_at = {at}, last_synced_at = {at}"))
        }
        Foreign::Attach(id) => return attaches(scene, *id).await,
        Foreign::Detach(id) => {
            let detach = format!("DELETE FROM public.active_storage_attachments WHERE record_id = {id}");
            return scene.sql(&detach).await;
        }
        Foreign::Crawl(id, status) => (id, format!("status = {status}")),
        Foreign::Move(id) => (id, "account_id = 3 - account_id".to_owned()),
    };
    scene.sql(&format!("UPDATE public.captain_documents SET {set} WHERE id = {id}")).await;
}

async fn write(scene: &Scene, held: &mut Vec<ClaimedJob>, step: Own) {
    let store = &scene.store;
    match step {
        Own::Ask(id, class) => drop(store.request(&[DocumentId(id)], &request(class)).await.unwrap()),
        Own::Cancel(id) => drop(store.cancel(&[DocumentId(id)], &"ana".into()).await.unwrap()),
        Own::Claim(mark_timing) => {
            let limits = ClaimLimits { mark_timing, ..limits(2) };
            held.extend(store.claim(&worker("w1").id, limits).await.unwrap());
        }
        Own::Mark(at) => {
            if let Some(job) = held.get(at) {
                store.mark(job.lease).await.unwrap();
            }
        }
        Own::Defer(at) if at < held.len() => {
            let holder = LockHolder { name: "Chatwoot".into(), value: "x".into() };
            store.defer(held.remove(at).lease, &holder, Duration::from_secs(5)).await.unwrap();
        }
        Own::Finish(at, end) if at < held.len() => {
            let end = match end {
                0 => fetched("T", "text", ContentChange::First),
                1 => timeout(),
                2 => unexpected(),
                _ => permanent(),
            };
            let finish = Finish { lease: held.remove(at).lease, end, duration: Duration::ZERO, stages: None };
            store.finish(finish, &Default::default()).await.unwrap();
        }
        Own::Defer(_) | Own::Finish(..) => {}
        Own::Plan(account, seconds) => {
            let cadence = seconds.map_or("NULL".to_owned(), |seconds| (seconds * 1_000_000).to_string());
            scene
                .sql(&format!(
                    "INSERT INTO quarterdeck.accounts_sched (account_id, cadence) VALUES ({account}, {cadence}) \
                     ON CONFLICT (account_id) DO UPDATE SET cadence = excluded.cadence"
                ))
                .await;
        }
        Own::Add(n) => drop(store.add(&[new(1, &format!("https://own.test/{n}"))]).await.unwrap()),
        Own::Expire => drop(store.expire_statuses().await.unwrap()),
        Own::Time(seconds) => {
            // Not without a pass: without one for long, nobody reads shadow rows.
            scene.clock.advance(Duration::from_secs(seconds));
            scene.store.read_shadows().await.unwrap();
        }
    }
}

impl Scene {
    fn clock_now(&self) -> i64 {
        quarterdeck::store::StoreBase::now(&*self.store).micros()
    }
}

#[tokio::test]
async fn lists_show_chatwoots_writes_after_a_pass_and_ours_at_once() {
    let scene = guest().await;
    let mut runner = TestRunner::deterministic();
    let mut held = Vec::new();
    let own = collection::vec(own(), 1..4);
    for _ in 0..25 {
        let writes = foreign().new_tree(&mut runner).unwrap().current();
        for one in &writes {
            write_as_chatwoot(&scene, one).await;
        }
        pass(&scene).await;
        assert_exact(&scene, &writes).await;
        let steps = own.new_tree(&mut runner).unwrap().current();
        for step in &steps {
            write(&scene, &mut held, *step).await;
        }
        assert_exact(&scene, &steps).await;
    }
}

#[tokio::test]
async fn a_pass_that_finds_no_difference_writes_no_row_and_a_removed_document_leaves_with_the_next_one() {
    let scene = guest().await;
    assert_eq!(pass(&scene).await, DOCUMENTS as u64);
    let rows = "SELECT sum(hashtext(m.xmin::text || m.ctid::text || m::text)) FROM quarterdeck.document_status m";
    let before = scene.number(rows).await;
    assert_eq!(pass(&scene).await, 0);
    assert_eq!(scene.number(rows).await, before);
    scene.sql("DELETE FROM public.captain_documents WHERE id IN (1, 4)").await;
    assert_eq!(scene.store.counts().await.unwrap().total(), DOCUMENTS as u64, "not seen yet");
    assert_eq!(page(&scene, Sort::BY_ID).await.rows.len(), DOCUMENTS as usize - 2, "a row that is gone is left out");
    assert_eq!(pass(&scene).await, 2);
    assert_eq!(scene.store.counts().await.unwrap().total(), DOCUMENTS as u64 - 2);
    assert_eq!(page(&scene, Sort::BY_ID).await.total, DOCUMENTS as u64 - 2);
    // A status that time has changed is written once, whoever writes it.
    let long_ago = scene.place.at(scene.clock_now() - 9 * 3_600_000_000);
    let set = format!("sync_status = 0, last_sync_attempted_at = {long_ago}");
    scene.sql(&format!("UPDATE public.captain_documents SET {set} WHERE id = 2")).await;
    assert_eq!(pass(&scene).await, 1);
    assert_eq!((scene.store.expire_statuses().await.unwrap(), pass(&scene).await), (0, 0));
}

#[tokio::test]
async fn without_a_recent_pass_lists_are_computed() {
    let scene = guest().await;
    let is_stored = async || scene.store.counts().await.unwrap().max_age;
    assert_eq!(is_stored().await, None, "no pass yet");
    pass(&scene).await;
    assert_eq!(is_stored().await, Some(Duration::from_secs(30)));
    scene.sql("UPDATE public.captain_documents SET sync_status = 2").await;
    let failed = async || scene.store.counts().await.unwrap().of(Status::Failed);
    assert_eq!(failed().await, 0);
    scene.clock.advance(Duration::from_secs(90));
    assert_eq!(failed().await, 0);
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!((is_stored().await, failed().await), (None, DOCUMENTS as u64), "nobody makes passes");
    let by_status = Sort { by: SortBy::Status, descending: false };
    assert!(page(&scene, by_status).await.rows.iter().all(|row| row.status == Status::Failed));
    // A clock that was wrong does not keep passes away.
    scene
        .sql("UPDATE quarterdeck.shadow_passes SET started_at = started_at * 2, read_at = read_at * 2, lease_until = 0")
        .await;
    assert_eq!(is_stored().await, None);
    assert_eq!(scene.store.read_shadows().await.unwrap(), DOCUMENTS as u64);
    assert_eq!((is_stored().await, failed().await), (Some(Duration::from_secs(30)), DOCUMENTS as u64));
}

#[tokio::test]
async fn one_process_makes_a_pass_and_another_takes_over_one_that_stands_still() {
    let scene = guest().await;
    let other = scene.another().await;
    let (one, two) = tokio::join!(scene.store.read_shadows(), other.read_shadows());
    let mut written = [one.unwrap(), two.unwrap()];
    written.sort_unstable();
    assert_eq!(written, [0, DOCUMENTS as u64]);
    scene.sql("UPDATE public.captain_documents SET sync_status = 2").await;
    scene.clock.advance(PASS - Duration::from_micros(1));
    assert_eq!(other.read_shadows().await.unwrap(), 0, "not due yet");
    // A process has begun a pass and hangs.
    scene.clock.advance(Duration::from_micros(1));
    let now = scene.clock_now();
    scene
        .sql(&format!("UPDATE quarterdeck.shadow_passes SET started_at = {now}, lease_until = {now} + 30000000"))
        .await;
    scene.clock.advance(Duration::from_secs(30));
    assert_eq!(other.read_shadows().await.unwrap(), 0, "it has until then");
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!(other.read_shadows().await.unwrap(), DOCUMENTS as u64);
}

#[tokio::test]
async fn a_row_that_another_transaction_holds_does_not_stop_a_pass() {
    let scene = guest().await;
    pass(&scene).await;
    scene.sql("UPDATE public.captain_documents SET sync_status = 2").await;
    scene.sql("BEGIN; SELECT 1 FROM quarterdeck.document_status WHERE document_id = 3 FOR UPDATE").await;
    assert_eq!(pass(&scene).await, DOCUMENTS as u64 - 1);
    scene.sql("ROLLBACK").await;
    assert_eq!(pass(&scene).await, 1);
}

#[tokio::test]
async fn nothing_of_ours_stands_on_chatwoots_table_or_in_the_way_of_its_migrations() {
    let scene = guest().await;
    pass(&scene).await;
    let table = "'public.captain_documents'::regclass";
    for (what, expected) in [
        (format!("SELECT count(*) FROM pg_trigger WHERE tgrelid = {table}"), 0),
        (format!("SELECT count(*) FROM pg_index WHERE indrelid = {table}"), 2),
        (format!("SELECT count(*) FROM pg_attribute WHERE attrelid = {table} AND attnum > 0"), 16),
        // Rules of views, constraints and functions that refer to the table or to its row type.
        (
            format!(
                "SELECT count(*) FROM pg_depend WHERE refobjid IN ({table}, (SELECT reltype FROM pg_class \
                 WHERE oid = {table})) AND classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_trigger'::regclass)"
            ),
            0,
        ),
    ] {
        assert_eq!(scene.number(&what).await, expected, "{what}");
    }
    scene
        .sql(
            "ALTER TABLE public.captain_documents ALTER COLUMN sync_status TYPE smallint, \
             ALTER COLUMN last_synced_at TYPE timestamp, ALTER COLUMN name TYPE text, ADD COLUMN batch text, \
             ADD COLUMN low text, ADD COLUMN ids text, ADD COLUMN now text; UPDATE public.captain_documents SET sync_status = 2",
        )
        .await;
    assert_eq!(pass(&scene).await, DOCUMENTS as u64, "plans are made anew");
    assert_exact(&scene, &"a change of types").await;
    scene.sql("ALTER TABLE public.captain_documents DROP COLUMN last_synced_at").await;
    scene.sql("DROP TABLE public.captain_documents").await;
}

#[tokio::test]
async fn decisions_read_the_documents_themselves() {
    let scene = guest().await;
    pass(&scene).await;
    scene.sql("UPDATE public.captain_documents SET sync_status = 2 WHERE id = 5").await;
    let failed = Filter::parse("status:failed").unwrap();
    assert_eq!(scene.store.matching(&failed, Sort::BY_ID, None).await.unwrap(), []);
    let verb = BulkVerb::Request(request(QueueClass::Manual).kind);
    let preview = scene.store.preview(&Targets::Matching(failed), verb).await.unwrap();
    assert_eq!(preview.targets, [DocumentId(5)]);
    assert_eq!(scene.row(DocumentId(5)).await.status, Status::Failed);
    let rows = page(&scene, Sort::BY_ID).await.rows;
    assert_eq!(rows[4].status, Status::Failed, "a row in a list shows the status of now, in the place of before");
}

#[tokio::test]
async fn a_check_finds_wrong_rows_but_not_those_that_no_pass_has_seen_and_a_repair_corrects_them() {
    let scene = guest().await;
    let check = async |scope| scene.store.check_statuses(scope).await.unwrap();
    assert_eq!(check(CheckScope::All).await.documents, 0, "nobody reads them");
    pass(&scene).await;
    assert_eq!(
        (check(CheckScope::All).await.documents, check(CheckScope::All).await.is_clean()),
        (DOCUMENTS as u64, true)
    );
    let now = scene.place.at(scene.clock_now());
    scene.sql(&format!("UPDATE public.captain_documents SET sync_status = 2, updated_at = {now} WHERE id = 5")).await;
    adds(&scene, 30).await;
    scene.sql(&format!("UPDATE public.captain_documents SET updated_at = {now} WHERE id = 30")).await;
    assert!(check(CheckScope::All).await.is_clean(), "the next pass finds them");
    scene.sql("UPDATE quarterdeck.document_status SET status = 3 WHERE document_id = 6").await;
    scene.sql("INSERT INTO quarterdeck.document_counts VALUES (2, 1, 5)").await;
    let sample = CheckScope::Sample { from: DocumentId(6), documents: 1 };
    assert_eq!((check(sample).await.documents, check(sample).await.wrong), (1, 1));
    assert_eq!((check(CheckScope::All).await.wrong, check(CheckScope::All).await.wrong_counts), (1, 1));
    scene.store.rebuild_statuses().await.unwrap();
    assert_exact(&scene, &"a repair").await;
    assert_eq!(check(CheckScope::All).await.documents, DOCUMENTS as u64 + 1);
}

#[tokio::test]
async fn a_role_with_the_rights_that_are_asked_for_keeps_shadow_rows() {
    let scene = guest().await;
    let mut url = url::Url::parse(&scene.place.url()).unwrap();
    let role = format!("guest_{}", url.path().trim_start_matches('/'));
    scene
        .sql(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA quarterdeck TO {role}; \
             GRANT ALL ON ALL TABLES IN SCHEMA quarterdeck TO {role}; \
             GRANT ALL ON ALL SEQUENCES IN SCHEMA quarterdeck TO {role}; \
             GRANT SELECT, UPDATE ON public.captain_documents TO {role}"
        ))
        .await;
    url.set_username(&role).unwrap();
    url.set_password(Some("pw")).unwrap();
    let store = open(url.as_str(), scene.clock.clone(), Access::Write).await;
    assert_eq!(store.read_shadows().await.unwrap(), DOCUMENTS as u64);
    store.request(&[DocumentId(2)], &request(QueueClass::Manual)).await.unwrap();
    let job = store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let end = fetched("New", "text", ContentChange::First);
    store
        .finish(Finish { lease: job.lease, end, duration: Duration::ZERO, stages: None }, &Default::default())
        .await
        .unwrap();
    assert_exact(&scene, &"a sync").await;
}
