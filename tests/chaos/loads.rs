//! Tests loads beside the work: a reader that stays in a transaction (L4), more requests than can be served (L5), a
//! backlog beside requests of people (L6), and thousands of requests at once (L7).

use super::size;
use crate::support::db;
use crate::support::fleet::{EAGER, Fleet, Random, dismiss, percentile};
use crate::support::install::Process;
use crate::support::measure::Stopwatch;
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use std::str::FromStr as _;
use std::time::Duration;

async fn fleet(on: Backend) -> Fleet {
    let page =
        |path: &str, hit| Reply::After(Duration::from_millis(20), Box::new(html(path, &format!("answer {hit}"))));
    Fleet::new(on, Site::start(page).await, EAGER).await
}

/// Requests one document as a person does.
async fn ask(fleet: &Fleet, document: DocumentId) {
    let request =
        Request { kind: RequestKind::Sync, class: QueueClass::Manual, by: "person".into(), scope: RequestScope::Named };
    fleet.store.request(&[document], &request).await.expect("the store answers");
}

/// Returns the longest time between two outcomes that follow each other.
fn longest_pause(outcomes: &[Outcome]) -> Duration {
    let mut times: Vec<_> = outcomes.iter().map(|outcome| outcome.at).collect();
    times.sort();
    times.windows(2).map(|pair| pair[1].since(pair[0])).max().unwrap_or_default()
}

async fn l4_a_reader_that_stays_in_a_transaction_holds_nobody_up(on: Backend) {
    let (documents, rounds) = size(200, 2);
    let fleet = fleet(on).await;
    let ids = fleet.fill(documents).await;
    let look = "select count(*) from jobs";
    // Has seen the state before the work, and keeps it until the end.
    let mut reader = Reader::open(&fleet, on).await;
    let before = reader.number(look).await;
    let workers: Vec<_> = (0..2).map(|_| fleet.work()).collect();
    for _ in 1..rounds {
        fleet.drained().await;
        for document in &ids {
            ask(&fleet, *document).await;
        }
    }
    fleet.drained().await;
    assert_eq!(reader.number(look).await, before, "its snapshot is as it was");
    if on == Backend::Sqlite {
        let log = std::fs::metadata(fleet.place.file().with_extension("db-wal")).map_or(0, |data| data.len());
        println!("the log beside the file: {} KB", log / 1_024);
    }
    drop(reader);
    fleet.fault_is_over();
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let longest = longest_pause(&fleet.outcomes());
    fleet.check("L4 reader in a transaction", documents * rounds, 1, longest).await;
}

/// A connection in a transaction that only reads.
enum Reader {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Reader {
    async fn open(fleet: &Fleet, on: Backend) -> Self {
        match on {
            Backend::Sqlite => {
                let mut conn = db::connect(&fleet.place.file()).await;
                sqlx::raw_sql("begin").execute(&mut conn).await.expect("a transaction");
                Self::Sqlite(conn)
            }
            Backend::Postgres => {
                let options = PgConnectOptions::from_str(&fleet.place.url()).expect("a URL");
                let options = options.options([("search_path", "public,quarterdeck")]);
                let mut conn = options.connect().await.expect("the server answers");
                let begin = "begin isolation level repeatable read";
                sqlx::raw_sql(begin).execute(&mut conn).await.expect("a transaction");
                Self::Postgres(conn)
            }
        }
    }

    async fn number(&mut self, sql: &'static str) -> i64 {
        match self {
            Self::Sqlite(conn) => sqlx::query_scalar(sql).fetch_one(conn).await,
            Self::Postgres(conn) => sqlx::query_scalar(sql).fetch_one(conn).await,
        }
        .expect("a number")
    }
}

async fn l5_more_requests_than_can_be_served_lose_nothing(on: Backend) {
    let (documents, rounds) = size(100, 4);
    let fleet = fleet(on).await;
    let ids = fleet.fill(documents).await;
    let workers: Vec<_> = (0..2).map(|_| fleet.work()).collect();
    for _ in 0..rounds {
        // Each document is requested again before its turn has come.
        for _ in 0..4 {
            fleet.fill(documents).await;
        }
        for document in ids.iter().step_by(10) {
            ask(&fleet, *document).await;
        }
        fleet.reached(fleet.count() + documents / 2).await;
    }
    fleet.fault_is_over();
    let begun = Stopwatch::start();
    fleet.drained().await;
    let drained = begun.took();
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let requests = documents * (4 * rounds + 1) + ids.len().div_ceil(10) * rounds;
    fleet.check("L5 overload", requests, 0, drained).await;
}

async fn l6_requests_of_people_go_before_a_backlog(on: Backend) {
    let (documents, requests) = size(300, 10);
    let fleet = fleet(on).await;
    let ids = fleet.fill(documents).await;
    let workers: Vec<Process> = (0..2).map(|_| fleet.work()).collect();
    let mut random = Random::new(6);
    for request in 0..requests {
        fleet.reached(documents * (request + 1) / (2 * requests + 2)).await;
        // One of the last, whose turn has not come.
        ask(&fleet, ids[documents - 1 - random.below(documents / 4)]).await;
    }
    fleet.fault_is_over();
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let outcomes = fleet.outcomes();
    let by_people: Vec<_> = outcomes.iter().filter(|outcome| outcome.queue == QueueClass::Manual).collect();
    let ends = by_people.iter().filter(|outcome| outcome.result == OutcomeResult::Unchanged);
    let mut places: Vec<_> = ends.map(|outcome| usize::try_from(outcome.seq.0).expect("fits")).collect();
    places.sort_unstable();
    let last = *places.last().expect("a person's");
    println!("{} requests of people, the last was number {last} of {}", places.len(), outcomes.len());
    // Jobs that run or were claimed when a person asked come first, and no other one of the backlog.
    assert!(last < outcomes.len() * 3 / 4, "the last request of a person was number {last} of {}", outcomes.len());
    let longest = longest_pause(&outcomes);
    fleet.check("L6 priorities", documents, requests, longest).await;
}

async fn l7_thousands_of_requests_at_once_are_all_served(on: Backend) {
    let (documents, bursts) = size(400, 2);
    let fleet = fleet(on).await;
    let workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    let mut delays = Vec::new();
    for burst in 0..bursts {
        let begun = Stopwatch::start();
        fleet.fill_from(burst * documents, documents).await;
        fleet.fault_is_over();
        fleet.drained().await;
        delays.push(begun.took());
    }
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    delays.sort();
    fleet.check("L7 burst", documents * bursts, bursts, percentile(&delays, 100)).await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4);
    only by command:
    l4_a_reader_that_stays_in_a_transaction_holds_nobody_up,
    l5_more_requests_than_can_be_served_lose_nothing,
    l6_requests_of_people_go_before_a_backlog,
    l7_thousands_of_requests_at_once_are_all_served,
}
