//! Tests that marks on documents that the list does not show are seen, and never acted on unasked.

use super::{quiet_store, with};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::DocumentId;
use std::sync::Arc;

#[tokio::test(start_paused = true)]
async fn documents_that_the_filter_hides_are_not_synced_unasked() {
    let store = quiet_store(30);
    store.with(|facts| {
        facts.documents[0].status = Status::Failed;
        facts.documents[1].status = Status::Failed;
    });
    with(Arc::clone(&store), async |operator| {
        operator.press(&["/"]);
        operator.type_text("status:failed");
        operator.press(&["enter"]);
        operator.sees("Document 0001").await;
        operator.press(&["g", "space", "space", "/"]);
        // What is typed replaces the filter that is in use.
        operator.type_text("status:synced");
        operator.press(&["enter"]);
        operator.sees("2 marked, 2 hidden").await;
        operator.press(&["s"]);
        operator.sees("of them are not in the list: the filter hides them").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.requests.is_empty()), "Keep has the focus");
        operator.press(&["x"]);
        operator.sees("of them are not in the list").await;
        operator.press(&["esc", "space", "r"]);
        operator.sees("3 marked, 2 hidden").await;
        operator.sees("of them are not in the list").await;
        operator.press(&["esc", "s"]);
        operator.sees("Sync 3").await;
        operator.press(&["tab", "enter"]);
        operator.settle().await;
    })
    .await;
    let asked = store.with(|facts| facts.requests.first().map(|(documents, _)| documents.clone()));
    assert_eq!(asked.map(|documents| documents.len()), Some(3), "after the question all marked ones are synced");
}

#[tokio::test(start_paused = true)]
async fn marks_in_the_list_act_without_a_question() {
    let store = quiet_store(30);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["/"]);
        operator.type_text("status:synced");
        operator.press(&["enter"]);
        operator.settle().await;
        operator.press(&["space", "space"]);
        operator.settle().await;
        operator.sees_no("hidden");
        operator.press(&["s"]);
        operator.settle().await;
    })
    .await;
    assert_eq!(store.with(|facts| facts.requests.len()), 1);
}

#[tokio::test(start_paused = true)]
async fn several_documents_are_removed_only_when_their_number_was_typed() {
    let store = quiet_store(30);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["space", "space", "space", "del"]);
        operator.sees("type 3 to remove them for good").await;
        operator.press(&["2", "enter"]);
        operator.sees("type the number of documents, 3, to remove them").await;
        operator.press(&["esc"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.removed.is_empty()));
        operator.press(&["del", "3", "enter"]);
        operator.sees("remove 3 documents begins in").await;
        assert!(operator.store.with(|facts| facts.removed.is_empty()), "it can be undone");
        operator.sees("removed 3 documents").await;
    })
    .await;
    let removed = store.with(|facts| facts.removed.clone());
    assert_eq!(removed, [DocumentId(1), DocumentId(2), DocumentId(3)]);
}

#[tokio::test(start_paused = true)]
async fn the_head_line_counts_the_documents_that_match_and_all_in_the_other_views() {
    let store = quiet_store(30);
    store.with(|facts| {
        facts.documents[0].status = Status::Failed;
        facts.documents[1].status = Status::Failed;
    });
    with(Arc::clone(&store), async |operator| {
        operator.sees("30 documents").await;
        operator.press(&["/"]);
        operator.type_text("status:failed");
        operator.sees("2 match").await;
        operator.press(&["enter"]);
        operator.sees("2 match").await;
        operator.press(&["4"]);
        operator.sees("30 documents").await;
        operator.press(&["1", "esc"]);
        operator.sees("30 documents").await;
    })
    .await;
}
