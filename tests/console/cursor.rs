//! Tests the cursor in the real event loop: it stays on its document when rows move.

use super::{quiet_store, with};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::DocumentId;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn fifty_keys_are_fifty_rows_and_few_draws() {
    let (ended, _) = with(quiet_store(1_000), async |operator| {
        operator.press(&["j"; 50]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("Document 0051"), "{}", operator.cursor_line());
    })
    .await;
    assert!(ended.draws < 12, "{} draws", ended.draws);
}

#[tokio::test(start_paused = true)]
async fn the_cursor_stays_on_its_document_when_rows_move() {
    let store = quiet_store(100);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["j", "j"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("Document 0003"));
        // New documents are inserted above it, and it moves to the end of the list.
        operator.store.commit(|facts| {
            facts.documents[40].status = Status::Failed;
            facts.documents[50].status = Status::Failed;
            facts.documents[2].status = Status::Never;
        });
        operator.settle().await;
        assert!(operator.cursor_line().contains("Document 0003"), "{}", operator.screen());
        operator.press(&["s"]);
        operator.sees("queued Document 0003").await;
    })
    .await;
    let asked: Vec<_> = store.with(|facts| facts.requests.iter().map(|(ids, _)| ids.clone()).collect());
    assert_eq!(asked, [vec![DocumentId(3)]]);
}

#[tokio::test(start_paused = true)]
async fn before_a_key_the_cursor_rests_on_the_first_row() {
    with(quiet_store(100), async |operator| {
        operator.store.commit(|facts| facts.documents[40].status = Status::Failed);
        operator.sees("✗ failed  Document 0041").await;
        assert!(operator.cursor_line().contains("Document 0041"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cursor_that_moved_while_rows_were_read_keeps_its_document() {
    let store = quiet_store(400);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["j"]);
        operator.settle().await;
        // The rows are requested around document 2, which moves to the far end; the cursor is on document 3 when they
        // arrive.
        operator.store.with(|facts| facts.page_delays = vec![Duration::from_millis(300)]);
        operator.store.commit(|facts| facts.documents[1].status = Status::Never);
        operator.wait(150).await;
        operator.press(&["j"]);
        operator.wait(1_000).await;
        assert!(operator.cursor_line().contains("Document 0003"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_filter_without_the_cursors_document_goes_to_the_first_row() {
    with(quiet_store(400), async |operator| {
        operator.press(&["G", "/"]);
        operator.type_text("003");
        operator.press(&["enter"]);
        operator.sees("documents 11 of 400").await;
        assert!(operator.cursor_line().contains("Document 0003"), "{}", operator.screen());
        operator.press(&["j", "esc"]);
        operator.sees("documents 400 by").await;
        assert!(operator.cursor_line().contains("Document 0400"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn behind_open_details_the_list_stays_whole() {
    let (ended, _) = with(quiet_store(400), async |operator| {
        operator.press(&["enter"]);
        operator.settle().await;
        operator.store.commit(|facts| facts.documents[9].status = Status::Failed);
        operator.settle().await;
    })
    .await;
    assert!(ended.model.documents.page.rows.len() > 60, "{}", ended.model.documents.page.rows.len());
}
