//! A worker that is told to go while 32 jobs run (F21): what ends in time is done, the rest is given back as it was.
//! Small by default; at full size: `QUARTERDECK_FULL=1 cargo test --release --test main draining -- --nocapture`.

use crate::support::install::{Install, until};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::store::Named;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

const HALF: usize = 16;
const DRAIN: Duration = Duration::from_secs(2);
/// What giving back and signing off may take on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_loses_nothing_and_ends_in_time() {
    let rounds = if std::env::var_os("QUARTERDECK_FULL").is_some() { 50 } else { 3 };
    let (soon, never) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let gates = (Arc::clone(&soon), Arc::clone(&never));
    let site = Site::start(move |path, _| {
        let gate = if path.starts_with("/soon") { &gates.0 } else { &gates.1 };
        Reply::When(Arc::clone(gate), Box::new(html("T", "text")))
    })
    .await;
    let install = Install::new(site, "runner.per_host = 64\nrunner.drain = \"2s\"\n");
    let paths: Vec<_> =
        ["soon", "never"].iter().flat_map(|half| (0..HALF).map(move |n| format!("/{half}/{n}"))).collect();
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        // What was given back in the round before is still queued; what was done is asked for again.
        let ids = install.fill(&paths).await;
        let store = install.store().await;
        let worker = install.start(&["work", "--concurrency", "32"]);
        until(&*store, "32 running", async || store.queue().await.is_ok_and(|queue| queue.running == 32)).await;
        let told = Instant::now();
        worker.signal(Signal::TERM);
        soon.add_permits(HALF);
        let ended = worker.ended();
        let took = told.elapsed();
        slowest = slowest.max(took);
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(took >= DRAIN && took <= DRAIN + SLACK, "{took:?}");
        assert_eq!(ended.out.len(), HALF, "an outcome each, and none for what was given back: {:?}", ended.out);
        let queue = store.queue().await.expect("the store answers");
        assert_eq!((queue.running, queue.ready, queue.waiting), (0, HALF as u64, 0), "round {round}");
        for (place, id) in ids.iter().enumerate() {
            let row = store.find(&Named::Id(*id)).await.expect("the store answers").remove(0);
            let expected = if place < HALF { (Status::Synced, Some(1)) } else { (Status::Queued, Some(0)) };
            assert_eq!((row.status, row.attempt), expected, "round {round}, {}", row.url);
        }
        store.close().await;
    }
    println!(
        "F21: {rounds} drains with 32 running: half done, half given back, counters as before; at most {slowest:?}"
    );
}
