//! Tests the dashboard, operated by keys on the real event loop: each figure leads to its rows, and it is read only while
//! it is shown.

use super::{quiet_store, with};
use crate::support::memory::Memory;
use crate::support::seen::hosts;
use crate::support::seen_dashboard::figures;
use quarterdeck::domain::topic::{Topic, TopicSet};
use std::sync::Arc;

fn store() -> Arc<Memory> {
    let store = quiet_store(12);
    store.with(|facts| {
        facts.dashboard = figures();
        facts.hosts = hosts();
    });
    store
}

#[tokio::test(start_paused = true)]
async fn every_figure_leads_to_its_rows_and_escape_comes_back() {
    with(store(), async |operator| {
        operator.press(&["8"]);
        operator.sees("in the last hour").await;
        let down = |number: usize| operator.press(&vec!["j"; number]);
        let back = async || {
            operator.press(&["esc"]);
            operator.sees("in the last hour").await;
        };
        operator.press(&["enter"]);
        operator.sees("match attempted:<1h").await;
        back().await;
        // Failed: the outcome panel has the filter and the keys.
        down(3);
        operator.press(&["enter"]);
        operator.sees("result:failed").await;
        operator.press(&["esc", "esc"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("failed"), "{}", operator.screen());
        down(3);
        operator.press(&["enter"]);
        operator.sees("by latency").await;
        back().await;
        down(2);
        operator.press(&["enter"]);
        operator.sees("jobs").await;
        back().await;
        down(3);
        operator.settle().await;
        assert!(operator.cursor_line().contains("slow.example"), "{}", operator.screen());
        operator.press(&["enter"]);
        operator.sees("host:slow.example").await;
        back().await;
        operator.press(&["G", "k", "enter"]);
        operator.sees("Document 0001").await;
        back().await;
        operator.press(&["G", "enter"]);
        operator.sees("disk").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn it_is_read_while_it_is_shown_once_a_minute_and_after_commits_about_it() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        let reads = || operator.store.with(|facts| facts.dashboards_read);
        operator.wait(3_600_000).await;
        assert_eq!(reads(), 0, "it was not shown");
        operator.press(&["8"]);
        operator.sees("in the last hour").await;
        assert_eq!(reads(), 1);
        operator.wait(3_600_000).await;
        assert!((59..=62).contains(&reads()), "once a minute: {}", reads());
        // Between two of these reads.
        operator.wait(20_000).await;
        let before = reads();
        operator.store.commit_of(TopicSet::of(&[Topic::Outcomes]), |facts| facts.dashboard.queue.ready = 77);
        operator.sees("77").await;
        assert_eq!(reads(), before + 1);
        operator.store.commit_of(TopicSet::of(&[Topic::Sources, Topic::Pauses]), |_| {});
        operator.wait(5_000).await;
        assert_eq!(reads(), before + 1, "commits about other data");
        operator.press(&["1"]);
        operator.settle().await;
        let before = reads();
        operator.store.commit(|_| {});
        operator.wait(600_000).await;
        assert_eq!(reads(), before, "it is hidden");
    })
    .await;
}
