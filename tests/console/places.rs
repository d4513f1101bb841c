//! Tests that Escape and `-` lead back to exactly where the person was: view, filter, cursor and focus.

use super::{outcomes, quiet_store, with};
use crate::support::facts::outcome;
use crate::support::live::Operator;
use crate::support::memory::Memory;
use crate::support::seen::hosts;
use quarterdeck::domain::outcome::OutcomeResult;
use std::sync::Arc;

fn store() -> Arc<Memory> {
    let store = quiet_store(70);
    store.with(|facts| {
        facts.hosts = hosts();
        facts.outcomes = outcomes(1, 9);
        facts.outcomes.push(outcome(10, 7, "Broken page", OutcomeResult::PermanentFailure));
    });
    store
}

async fn filter(operator: &Operator, text: &str) {
    operator.press(&["/"]);
    operator.type_text(text);
    operator.press(&["enter"]);
    operator.settle().await;
}

/// What was typed after Escape ran as commands of the list, when the focus did not come back to the outcomes.
#[tokio::test(start_paused = true)]
async fn escape_from_details_returns_to_the_outcome_they_were_opened_from() {
    with(store(), async |operator| {
        operator.press(&["tab", "E", "enter"]);
        operator.sees("attempts").await;
        operator.press(&["esc"]);
        operator.settle().await;
        // In the outcomes `f` opens their filter; in the list it would start an FAQ job.
        operator.press(&["f"]);
        operator.sees("filter outcomes").await;
        operator.type_text("result:updated");
        operator.press(&["enter"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.requests.is_empty()));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn escape_restores_the_list_with_its_filter_and_cursor() {
    with(store(), async |operator| {
        filter(operator, "document").await;
        operator.press(&["j", "j", "j"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("Document 0004"), "{}", operator.screen());
        filter(operator, "document 00").await;
        operator.press(&["G", "4"]);
        operator.sees("docs.acme.example").await;
        operator.press(&["enter"]);
        operator.sees("match host:").await;
        operator.sees("hosts › documents").await;
        operator.press(&["esc"]);
        operator.sees("hosts 7").await;
        operator.press(&["esc"]);
        operator.sees("match document 00").await;
        assert!(operator.cursor_line().contains("Document 0070"), "{}", operator.screen());
        operator.press(&["esc"]);
        operator.sees("match document by").await;
        assert!(operator.cursor_line().contains("Document 0004"), "{}", operator.screen());
        operator.press(&["esc"]);
        operator.settle().await;
        operator.sees_no("match");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn minus_goes_to_the_place_before_and_back() {
    with(store(), async |operator| {
        operator.press(&["-"]);
        operator.sees("there is no earlier place").await;
        operator.press(&["j", "j", "4"]);
        operator.sees("docs.acme.example").await;
        operator.press(&["-"]);
        operator.sees("Document 0002").await;
        assert!(operator.cursor_line().contains("Document 0003"), "{}", operator.screen());
        operator.press(&["-"]);
        operator.sees("docs.acme.example").await;
        operator.press(&["-", "enter"]);
        operator.sees("attempts").await;
        operator.press(&["3", "-"]);
        operator.sees("attempts").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_filter_that_is_given_up_leaves_the_cursor_where_it_was() {
    with(store(), async |operator| {
        operator.press(&["j", "j", "j", "j", "/"]);
        operator.type_text("0060");
        operator.sees("1 of 70 match 0060").await;
        operator.press(&["esc"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("Document 0005"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn escape_unpins_the_outcomes_from_the_list_too() {
    with(store(), async |operator| {
        operator.press(&["g", "."]);
        operator.sees("outcomes of Document 0001").await;
        operator.press(&["esc"]);
        operator.settle().await;
        operator.sees_no("outcomes of Document 0001");
    })
    .await;
}
