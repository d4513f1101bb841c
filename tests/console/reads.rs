//! Tests that a newer read stops the earlier one of its kind.

use super::{quiet_store, with};
use crate::support::seen::hosts;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn while_a_filter_is_typed_only_the_last_read_runs_to_its_end() {
    let store = quiet_store(100);
    with(Arc::clone(&store), async |operator| {
        let before = operator.store.with(|facts| {
            facts.page_delays = vec![Duration::from_secs(5); 4];
            (facts.pages, facts.pages_completed)
        });
        operator.press(&["/"]);
        for letter in ["0", "0", "7", "7"] {
            operator.type_text(letter);
            operator.wait(200).await;
        }
        operator.sees("documents 1 of 100 match 0077").await;
        operator.wait(10_000).await;
        let after = operator.store.with(|facts| (facts.pages, facts.pages_completed));
        assert!(after.0 - before.0 >= 4, "one for each letter: {before:?} {after:?}");
        assert_eq!((after.0 - after.1) - (before.0 - before.1), 3, "{before:?} {after:?}");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_read_of_a_view_that_was_left_is_stopped_and_begun_anew_when_the_view_is_shown() {
    let store = quiet_store(3);
    store.with(|facts| {
        facts.hosts = hosts();
        facts.counting_takes = Duration::from_secs(60);
    });
    with(Arc::clone(&store), async |operator| {
        for view in ["4", "5", "4"] {
            operator.press(&[view]);
            operator.wait(1_000).await;
        }
        assert_eq!(operator.store.with(|facts| (facts.counted, facts.counting)), (3, (1, 1)));
        operator.wait(60_000).await;
        operator.sees("slow.example").await;
    })
    .await;
}

/// The hosts are read when a term names one, and never for it again.
#[tokio::test(start_paused = true)]
async fn the_names_of_hosts_are_completed_without_a_visit_to_their_view() {
    let store = quiet_store(3);
    store.with(|facts| facts.hosts = hosts());
    with(Arc::clone(&store), async |operator| {
        operator.settle().await;
        assert_eq!(operator.store.with(|facts| facts.counted), 0);
        operator.press(&["/"]);
        operator.type_text("host:sl");
        operator.sees("tab: slow.example").await;
        operator.press(&["tab"]);
        operator.sees("host:slow.example").await;
        operator.press(&["enter", "/"]);
        operator.type_text("-host:");
        operator.sees("slow.example").await;
        assert_eq!(operator.store.with(|facts| facts.counted), 1);
    })
    .await;
}
