//! Tests sixteen clients that request the same documents all the time (F17): a document never has more than one live
//! job, and no request is refused.

use super::size;
use crate::support::fleet::{EAGER, Fleet, Random, dismiss};
use crate::support::measure::Stopwatch;
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::store::{Access, Store, open};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

const CLIENTS: usize = 16;

async fn f17_a_storm_of_requests_makes_one_job_per_document(on: Backend) {
    // Documents, and the number of requests of each client for each document.
    let (documents, rounds) = size(60, 2);
    let site =
        Site::start(|path, hit| Reply::After(Duration::from_millis(5), Box::new(html(path, &format!("answer {hit}")))));
    let fleet = Fleet::new(on, site.await, EAGER).await;
    let ids = fleet.fill(documents).await;
    let workers: Vec<_> = (0..2).map(|_| fleet.work()).collect();
    let over = Arc::new(AtomicBool::new(false));
    let looks = Arc::new(AtomicUsize::new(0));
    let (ended, looked) = (Arc::clone(&over), Arc::clone(&looks));
    let calls = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    let begun = Stopwatch::start();
    for client in 0..CLIENTS {
        let (url, ids, calls) = (fleet.place.url(), ids.clone(), Arc::clone(&calls));
        clients.spawn(async move {
            let store = open(&url, Access::Write).await.expect("the store opens");
            ask(&*store, client, &ids, rounds, &calls).await;
            store.close().await;
        });
    }
    let watching = async {
        while !ended.load(Ordering::Relaxed) {
            assert_eq!(live_twice(&fleet.place).await, 0, "two live jobs of one document");
            looked.fetch_add(1, Ordering::Relaxed);
        }
    };
    let asking = async {
        while let Some(client) = clients.join_next().await {
            client.expect("no request is refused");
        }
        over.store(true, Ordering::Relaxed);
    };
    tokio::join!(watching, asking);
    let took = begun.took();
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let (calls, looks) = (calls.load(Ordering::Relaxed), looks.load(Ordering::Relaxed));
    println!(
        "{CLIENTS} clients asked {calls} times for {documents} documents in {:.1} s; looked at {looks} times",
        took.as_secs_f64()
    );
    assert_eq!(calls, CLIENTS * documents * rounds);
    fleet.check("F17 storm", documents, calls, Duration::ZERO).await;
}

/// Runs one client: single and bulk requests, as a person and as the schedule, in a different order each time.
async fn ask(store: &dyn Store, client: usize, ids: &[DocumentId], rounds: usize, calls: &AtomicUsize) {
    let mut random = Random::new(u64::try_from(client).expect("fits") + 17);
    for _ in 0..rounds {
        let mut left = ids.to_vec();
        while !left.is_empty() {
            let take = 1 + random.below(left.len().min(50));
            let some: Vec<_> = (0..take).map(|_| left.swap_remove(random.below(left.len()))).collect();
            let (class, scope) = match (random.below(2), take) {
                (0, 1) => (QueueClass::Manual, RequestScope::Named),
                (0, _) => (QueueClass::Manual, RequestScope::Bulk),
                _ => (QueueClass::Auto, RequestScope::Bulk),
            };
            let request = Request { kind: RequestKind::Sync, class, by: "storm".into(), scope };
            let answers = store.request(&some, &request).await.expect("the store answers");
            assert_eq!(answers.len(), take);
            calls.fetch_add(take, Ordering::Relaxed);
        }
    }
}

async fn live_twice(place: &Place) -> i64 {
    let live = "select count(*) from (select 1 as one from jobs where state in ('scheduled', 'ready', 'running') \
                group by document_id having count(*) > 1) as two";
    place.number(live).await.expect("a count")
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    f17_a_storm_of_requests_makes_one_job_per_document,
}
