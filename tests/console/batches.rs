//! Tests acts on many documents in the console: five seconds to undo, a line with progress, a list with orders, and what
//! is left when somebody quits.

use super::{quiet_store, with};
use crate::support::facts::options;
use crate::support::live::{Operator, console};
use crate::support::memory::{Batch, Memory};
use quarterdeck::domain::batch::{BatchAct, BatchCounts, BatchOrigin, BatchSelection, BatchState, BatchSummary};
use quarterdeck::domain::id::{BatchId, DocumentId};
use quarterdeck::store::StoreBase;
use std::sync::Arc;
use std::time::Duration;

/// A batch of another console whose process is gone.
fn left(store: &Memory) -> Batch {
    let summary = BatchSummary {
        id: BatchId(1),
        act: BatchAct::Sync,
        origin: BatchOrigin::Console,
        selection: BatchSelection::Filter,
        filter: Some("host:a.test".into()),
        created_at: store.now(),
        created_by: "ana".into(),
        begins_at: store.now(),
        state: BatchState::Acting,
        holder: None,
        ended_at: None,
        counts: BatchCounts { waiting: 2, done: 5, ..BatchCounts::default() },
    };
    Batch { summary, documents: vec![DocumentId(1), DocumentId(2)] }
}

fn requests(store: &Memory) -> usize {
    store.with(|facts| facts.requests.len())
}

#[tokio::test(start_paused = true)]
async fn many_documents_are_acted_on_after_five_seconds_and_not_at_all_after_an_undo() {
    let store = quiet_store(30);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["U"]);
        operator.sees("nothing can be undone").await;
        operator.press(&["space", "space", "s"]);
        operator.sees("batch 1 sync 2 documents begins in 0:0").await;
        operator.sees("U undo").await;
        operator.press(&["U"]);
        operator.sees("undid batch 1: nothing was done").await;
        operator.wait(10_000).await;
        assert_eq!(requests(&operator.store), 0);
        operator.sees_no("batch 1 sync");
        // The marks are gone with the first act.
        operator.press(&["g", "space", "space", "space", "s"]);
        operator.sees("batch 2 sync 3 documents begins in 0:0").await;
        assert_eq!(requests(&operator.store), 0);
        operator.wait(5_500).await;
        operator.sees("queued 3 documents").await;
        operator.sees("batch 2 sync 0 of 3").await;
        operator.press(&["U"]);
        operator.sees("nothing can be undone").await;
    })
    .await;
    assert_eq!(requests(&store), 1);
}

#[tokio::test(start_paused = true)]
async fn an_act_on_one_document_is_no_batch() {
    let store = quiet_store(3);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["space", "s"]);
        operator.settle().await;
    })
    .await;
    assert_eq!((requests(&store), store.with(|facts| facts.batches.len())), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_left_is_seen_at_the_start_and_goes_on_by_key() {
    let store = quiet_store(10);
    let batch = left(&store);
    store.with(|facts| facts.batches.push(batch));
    with(Arc::clone(&store), async |operator| {
        operator.sees("batch 1 sync of ana left unfinished, 2 left").await;
        operator.press(&["b"]);
        operator.sees("left unfinished").await;
        operator.sees("host:a.test").await;
        operator.sees("r resume").await;
        operator.press(&["r"]);
        operator.sees("resumed batch 1").await;
        operator.sees("working").await;
        assert_eq!(requests(&operator.store), 1);
        operator.press(&["p"]);
        operator.sees("paused batch 1").await;
        operator.sees("r resume").await;
        operator.press(&["x"]);
        operator.sees("stop batch 1").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert_eq!(
            operator.store.with(|facts| facts.batches[0].summary.state),
            BatchState::Paused,
            "Keep has the focus"
        );
        operator.press(&["b", "x", "tab", "enter"]);
        operator.sees("stopped batch 1").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_documents_of_a_batch_are_listed_by_a_filter() {
    let store = quiet_store(10);
    let mut batch = left(&store);
    batch.summary.counts = BatchCounts { done: 5, failed: 2, ..BatchCounts::default() };
    store.with(|facts| facts.batches.push(batch));
    with(Arc::clone(&store), async |operator| {
        operator.press(&["4", "b"]);
        operator.sees("5 synced, 2 failed").await;
        operator.press(&["enter"]);
        operator.sees("batch:1 status:failed").await;
        operator.press(&["esc"]);
        operator.sees("worst first").await;
    })
    .await;
}

/// Marks two documents, presses `keys`, and quits before the batch begins.
async fn quit_early(store: &Arc<Memory>, keys: &[&str]) {
    with(Arc::clone(store), async |operator| {
        operator.press(&["space", "space"]);
        operator.press(keys);
        operator.sees("begins in").await;
        operator.press(&["q"]);
        operator.settle().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_quits_early_has_requested_syncs_and_removed_nothing() {
    let store = quiet_store(10);
    quit_early(&store, &["s"]).await;
    assert_eq!(requests(&store), 1, "it begins at once");
    let store = quiet_store(10);
    quit_early(&store, &["del", "2", "enter"]).await;
    assert_eq!(store.with(|facts| facts.removed.len()), 0);
    assert_eq!(store.with(|facts| facts.batches[0].summary.state), BatchState::Paused);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_only_reads_shows_batches_and_changes_none() {
    let store = quiet_store(10);
    let batch = left(&store);
    store.with(|facts| facts.batches.push(batch));
    let options = quarterdeck::tui::Options { read_only: true, ..options() };
    console(Arc::clone(&store), None, options, async |operator: Operator| {
        operator.settle().await;
        operator.press(&["b", "r"]);
        operator.sees("read-only: batches are left as they are").await;
        operator.press(&["b", "U"]);
        operator.sees("read-only: undo is off").await;
        operator
    })
    .await;
    assert_eq!(requests(&store), 0);
    assert!(store.now().since(crate::support::facts::NOW) < Duration::from_secs(60));
}
