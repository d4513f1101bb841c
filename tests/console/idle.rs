//! Tests that nothing is read when nothing was committed, and that a commit makes the console read only what it changed.

use super::{quiet_store, with};
use crate::support::facts::{NOW, workers};
use crate::support::live::Operator;
use crate::support::memory::Memory;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::topic::{Topic, TopicSet};
use quarterdeck::store::WorkerHealth;
use std::sync::Arc;
use std::time::Duration;

/// Numbers of queries of the list, the counts, the queue, the pauses, the next change of a status, and the jobs view.
type Reads = [usize; 6];

fn reads(operator: &Operator) -> Reads {
    operator.store.with(|facts| {
        [facts.pages, facts.counts_read, facts.queue_read, facts.pauses_read, facts.deadlines_read, facts.jobs_read]
    })
}

fn reads_since(before: Reads, operator: &Operator) -> Reads {
    let now = reads(operator);
    std::array::from_fn(|index| now[index] - before[index])
}

fn with_workers(documents: i64) -> Arc<Memory> {
    let store = quiet_store(documents);
    store.with(|facts| {
        facts.workers = workers();
        facts.workers.iter_mut().for_each(|worker| worker.health = WorkerHealth::Alive);
    });
    store
}

#[tokio::test(start_paused = true)]
async fn in_an_hour_without_a_commit_only_the_workers_are_read() {
    with(with_workers(40), async |operator| {
        operator.wait(3_000).await;
        let (before, polls) = (reads(operator), operator.store.with(|facts| facts.workers_read));
        operator.wait(3_600_000).await;
        assert_eq!(reads_since(before, operator), [0; 6]);
        let polls = operator.store.with(|facts| facts.workers_read) - polls;
        assert!((1_750..=1_801).contains(&polls), "every two seconds: {polls}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_makes_it_read_what_it_changed_and_nothing_else() {
    with(with_workers(40), async |operator| {
        operator.press(&["3"]);
        operator.settle().await;
        for topic in Topic::ALL {
            let expected = match topic {
                Topic::Documents => [1, 1, 0, 0, 0, 1],
                Topic::Jobs => [1, 1, 1, 0, 0, 1],
                Topic::Outcomes => [0, 0, 0, 0, 0, 1],
                Topic::Hosts => [1, 0, 1, 0, 0, 1],
                Topic::Pauses => [0, 0, 1, 1, 0, 0],
                Topic::Workers => [0, 0, 1, 0, 0, 1],
                Topic::Sources => [0; 6],
            };
            let before = reads(operator);
            operator.store.commit_of(TopicSet::of(&[topic]), |_| {});
            operator.settle().await;
            assert_eq!(reads_since(before, operator), expected, "{topic:?}");
        }
    })
    .await;
}

/// A killed worker commits nothing.
#[tokio::test(start_paused = true)]
async fn a_killed_worker_is_gone_from_the_screen_within_seconds() {
    let store = with_workers(3);
    with(Arc::clone(&store), async |operator| {
        operator.sees("3 workers").await;
        let before = reads(operator);
        store.with(|facts| facts.workers[1].health = WorkerHealth::Gone);
        operator.wait(2_500).await;
        operator.sees("2 workers").await;
        assert_eq!(reads_since(before, operator), [0, 0, 1, 0, 0, 0], "the queue's figures count the workers, too");
        operator.press(&["w"]);
        operator.sees("web-2:4410").await;
        operator.sees("alive").await;
        store.with(|facts| facts.workers.iter_mut().for_each(|worker| worker.health = WorkerHealth::Gone));
        operator.wait(2_500).await;
        operator.sees_no("alive");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_database_is_reported_within_seconds_and_comes_back() {
    with(with_workers(3), async |operator| {
        let before = reads(operator);
        operator.store.with(|facts| facts.away = Some("connection refused".into()));
        operator.wait(2_500).await;
        operator.sees("connection refused").await;
        assert_eq!(reads_since(before, operator)[1..], [0; 5]);
        operator.store.with(|facts| facts.away = None);
        operator.sees("the database answers again").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn statuses_are_read_when_time_changes_one_and_then_at_most_once_a_minute() {
    let store = quiet_store(3);
    store.with(|facts| facts.next_status_change = Some(NOW.plus(Duration::from_secs(600))));
    with(Arc::clone(&store), async |operator| {
        operator.wait(590_000).await;
        let before = reads(operator);
        store.with(|facts| {
            facts.documents[0].status = Status::Stale;
            facts.next_status_change = Some(NOW.plus(Duration::from_secs(601)));
        });
        operator.wait(15_000).await;
        operator.sees("stale   Document 0001").await;
        assert_eq!(reads_since(before, operator), [1, 1, 0, 0, 1, 0]);
        // In a large store the next change is due a second later.
        operator.wait(300_000).await;
        let reads_in_minutes = reads_since(before, operator);
        assert!((5..=7).contains(&reads_in_minutes[0]), "{reads_in_minutes:?}");
        assert_eq!(reads_in_minutes, [1, 1, 0, 0, 1, 0].map(|each| each * reads_in_minutes[0]));
        store.with(|facts| facts.next_status_change = None);
        operator.wait(120_000).await;
        let before = reads(operator);
        operator.wait(600_000).await;
        assert_eq!(reads_since(before, operator), [0; 6]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_next_change_of_a_status_is_read_again_after_changes_but_at_most_once_a_minute() {
    let store = quiet_store(3);
    with(Arc::clone(&store), async |operator| {
        let before = reads(operator);
        for _ in 0..300 {
            store.commit_of(TopicSet::of(&[Topic::Documents]), |_| {});
            operator.wait(1_000).await;
        }
        let deadlines = reads_since(before, operator)[4];
        assert!((3..=5).contains(&deadlines), "{deadlines} in five minutes");
        operator.wait(120_000).await;
        let before = reads(operator);
        operator.wait(600_000).await;
        assert_eq!(reads_since(before, operator), [0; 6]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_read_when_a_job_is_due_although_nobody_commits() {
    let store = quiet_store(3);
    store.with(|facts| facts.next_due_at = Some(NOW.plus(Duration::from_secs(30))));
    with(Arc::clone(&store), async |operator| {
        let before = reads(operator);
        operator.wait(28_000).await;
        assert_eq!(reads_since(before, operator), [0; 6]);
        // The job stays due: no worker takes it.
        operator.wait(600_000).await;
        assert_eq!(reads_since(before, operator), [0, 0, 1, 0, 0, 0]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_a_filter_by_age_the_list_is_read_once_a_minute() {
    with(quiet_store(100), async |operator| {
        operator.press(&["/"]);
        operator.type_text("synced:>1d");
        operator.press(&["enter"]);
        operator.sees("match synced:>1d").await;
        let before = reads(operator);
        operator.wait(600_000).await;
        let after = reads_since(before, operator);
        assert!((9..=10).contains(&after[0]) && after[1..] == [0; 5], "{after:?}");
    })
    .await;
}
