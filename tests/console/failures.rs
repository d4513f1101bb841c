//! Tests the failures view: the documents of a cause are retried, listed and paused from its row.

use super::{quiet_store, with};
use crate::support::memory::Memory;
use crate::support::seen::failures;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::request::RequestKind;
use std::sync::Arc;

fn store() -> Arc<Memory> {
    let store = quiet_store(30);
    store.with(|facts| {
        for row in &mut facts.documents[4..7] {
            row.status = Status::Failed;
            (row.error_code, row.http_status) = (Some(ErrorCode::NotFound), Some(404));
            row.detail = Some("404 Not Found".into());
        }
        facts.failures = failures();
    });
    store
}

#[tokio::test(start_paused = true)]
async fn everything_that_failed_for_one_cause_is_retried_in_four_keys() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["2"]);
        operator.sees("41 documents in 3 causes").await;
        assert!(operator.cursor_line().contains("404 Not Found"), "{}", operator.screen());
        operator.press(&["r"]);
        operator.sees("Retry 3").await;
        operator.press(&["tab", "enter"]);
        operator.settle().await;
    })
    .await;
    let asked = store.with(|facts| facts.requests.clone());
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0.as_slice(), asked[0].1.kind), (&[5, 6, 7].map(DocumentId)[..], RequestKind::Retry));
}

#[tokio::test(start_paused = true)]
async fn enter_lists_the_documents_of_a_cause_and_escape_returns_to_it() {
    with(store(), async |operator| {
        operator.press(&["2"]);
        operator.sees("in 3 causes").await;
        operator.press(&["enter"]);
        operator.sees("3 of 30 match cause:").await;
        operator.sees("failures › documents").await;
        operator.press(&["esc"]);
        operator.sees("in 3 causes").await;
        operator.press(&["i"]);
        operator.sees("cause of failures").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_only_host_of_a_cause_is_paused_and_several_are_refused() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["2"]);
        operator.sees("in 3 causes").await;
        operator.press(&["p"]);
        operator.sees("several hosts").await;
        operator.press(&["j", "p"]);
        operator.sees("forum.acme.example: not paused").await;
        operator.press(&["tab", "enter"]);
        operator.settle().await;
    })
    .await;
    let paused = store.with(|facts| facts.pauses.iter().map(|pause| pause.scope.clone()).collect::<Vec<_>>());
    assert_eq!(paused, [PauseScope::Host("forum.acme.example".into())]);
}

#[tokio::test(start_paused = true)]
async fn without_a_failure_the_view_says_so() {
    with(quiet_store(3), async |operator| {
        operator.press(&["2"]);
        operator.sees("No document has failed.").await;
        operator.press(&["r"]);
        operator.sees("nothing has failed").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_key_without_an_action_here_says_where_it_has_one() {
    with(store(), async |operator| {
        operator.press(&["n"]);
        operator.sees("n works in outcomes: next").await;
        operator.press(&["m"]);
        operator.sees("m has no action; ? lists the keys").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn marked_causes_are_retried_together_and_a_capital_takes_all() {
    let store = store();
    let causes = store.with(|facts| facts.failures.rows.iter().map(|row| row.cause.to_string()).collect::<Vec<_>>());
    let (ended, _) = with(Arc::clone(&store), async |operator| {
        operator.press(&["2"]);
        operator.sees("in 3 causes").await;
        operator.press(&["space", "j", "space"]);
        operator.sees("2 marked").await;
        operator.press(&["r"]);
        operator.sees("2 marked causes").await;
        operator.press(&["esc", "R"]);
        operator.sees("all 3 causes").await;
        operator.sees("Retry 3").await;
        operator.press(&["esc", "r"]);
        operator.sees("2 marked causes").await;
        operator.sees("Retry 3").await;
        operator.press(&["tab", "enter"]);
        operator.settle().await;
        operator.sees_no("2 marked");
        operator.press(&["*"]);
        operator.sees("3 marked").await;
        operator.press(&["\\"]);
        operator.settle().await;
        operator.sees_no("marked");
    })
    .await;
    assert!(ended.model.views.marked_causes.is_empty());
    assert_eq!(causes.len(), 3);
    assert_eq!(store.with(|facts| facts.requests.len()), 1);
}

/// They are read when the cursor comes to their cause, and after each read of the causes.
#[tokio::test(start_paused = true)]
async fn the_documents_of_the_cause_under_the_cursor_stand_below_it() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["2"]);
        operator.sees("in 3 causes").await;
        operator.sees("Document 0005").await;
        operator.sees("Document 0007").await;
        operator.press(&["j"]);
        // The list has no room for the host; the pane below it has.
        operator.sees("503 Service Unavailable on forum.acme.example").await;
        operator.sees_no("Document 0005");
        operator.press(&["k"]);
        operator.sees("Document 0005").await;
        let pages = operator.store.with(|facts| facts.pages);
        operator.store.commit(|facts| facts.documents[5].status = Status::Synced);
        operator.wait(10_000).await;
        assert!(operator.store.with(|facts| facts.pages) > pages);
    })
    .await;
}
