//! Tests the log while 16 writers commit in any order (F23): who follows it misses no outcome, sees none twice, and soon.

use super::size;
use crate::support::fleet::{Fleet, Random, bulk, percentile};
use crate::support::limit::within;
use crate::support::measure::{self, Stopwatch};
use crate::support::place::Backend;
use crate::support::site::{Site, html};
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::store::{Access, Store, StoreError, open};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

const WRITERS: usize = 16;
/// Limit on the time from a commit, as its writer learns of it, to a follower, at p99. What a writer waits for its turn
/// among sixteen is not the follower's time.
const SEEN: Duration = Duration::from_millis(300);

/// Times since a common start, for each document in the order of its outcomes.
type Times = HashMap<DocumentId, Vec<Duration>>;

/// Requests and cancels documents until `rows` outcomes are written; returns when their commits were known.
async fn write(store: &dyn Store, ids: &[DocumentId], rows: usize, seed: usize, begun: &Stopwatch) -> Times {
    let mut committed = Times::new();
    let mut random = Random::new(seed as u64);
    let mut left = rows;
    while left > 0 {
        let some = &ids[..(1 + random.below(ids.len())).min(left)];
        // On a busy machine a writer may wait for its turn for longer than the store does.
        while let Err(error) = store.request(some, &bulk()).await {
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
        let cancelled = loop {
            match store.cancel(some, &"test".into()).await {
                Ok(cancelled) => break cancelled,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}"),
            }
        };
        assert_eq!(cancelled.len(), some.len());
        let known = begun.took();
        some.iter().for_each(|id| committed.entry(*id).or_default().push(known));
        left -= some.len();
    }
    committed
}

async fn f23_a_follower_of_16_writers_misses_nothing(on: Backend) {
    const EACH: usize = 20;
    let (rows, _) = size(8_000, 0);
    let fleet = Fleet::new(on, Site::start(|path, _| html(path, "text")).await, "").await;
    let ids = fleet.fill(WRITERS * EACH).await;
    fleet.store.cancel(&ids, &"test".into()).await.expect("the store answers");
    let first = fleet.store.last_seq().await.expect("the store answers");
    let mut tail = follow(fleet.store.clone(), first);
    let begun = Arc::new(Stopwatch::start());
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (url, ids) = (fleet.place.url(), ids[writer * EACH..(writer + 1) * EACH].to_vec());
        let begun = Arc::clone(&begun);
        writers.spawn(async move {
            let store = open(&url, Access::Write).await.expect("the store opens");
            let committed = write(&*store, &ids, rows / WRITERS, writer, &begun).await;
            store.close().await;
            committed
        });
    }
    let end = first.0 + i64::try_from(rows / WRITERS * WRITERS).expect("fits");
    let (mut last, mut followed) = (first, Times::new());
    while last.0 < end {
        match within(format_args!("the outcome after {last}"), tail.recv()).await {
            Some(TailItem::Outcomes(outcomes)) => {
                let now = begun.took();
                for outcome in outcomes {
                    assert_eq!(outcome.seq, Seq(last.0 + 1), "each number once, in order");
                    last = outcome.seq;
                    followed.entry(outcome.document_id).or_default().push(now);
                }
            }
            Some(TailItem::Unreachable(error)) => println!("{error}"),
            None => panic!("the tail ended"),
        }
    }
    let mut delays = Vec::new();
    while let Some(writer) = writers.join_next().await {
        for (document, committed) in writer.expect("no request is refused") {
            let followed = &followed[&document];
            assert_eq!(followed.len(), committed.len());
            delays.extend(followed.iter().zip(committed).map(|(followed, known)| followed.saturating_sub(known)));
        }
    }
    delays.sort();
    let (half, most) = (percentile(&delays, 50), percentile(&delays, 99));
    println!("{} outcomes seen after {half:.0?} at p50, {most:.0?} at p99", delays.len());
    fleet.check("F23 follower of 16 writers", rows, 0, delays[delays.len() - 1]).await;
    measure::at_most("an outcome is seen, at p99", most, SEEN);
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4);
    only by command:
    f23_a_follower_of_16_writers_misses_nothing,
}
