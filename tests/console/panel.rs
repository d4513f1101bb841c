//! Tests the outcome panel in the real event loop: it misses no outcome, keeps its scroll position, and stays bounded.

use super::{outcomes, quiet_store, with};
use quarterdeck::domain::content::{ContentChange, IdenticalBody};
use quarterdeck::domain::id::Seq;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};

#[tokio::test(start_paused = true)]
async fn a_thousand_outcomes_cost_few_draws_and_none_is_missed() {
    let (ended, _) = with(quiet_store(40), async |operator| {
        for batch in 0..100 {
            operator.store.commit(|facts| facts.outcomes.extend(outcomes(batch * 10 + 1, batch * 10 + 10)));
            tokio::task::yield_now().await;
        }
        operator.wait(100).await;
    })
    .await;
    let seqs: Vec<i64> = ended.model.panel.entries().iter().map(|entry| entry.seq().0).collect();
    assert_eq!(seqs, (1..=1_000).collect::<Vec<_>>());
    assert!(ended.draws < 20, "{} draws", ended.draws);
}

#[tokio::test(start_paused = true)]
async fn at_the_bottom_follows_and_anywhere_else_is_held() {
    let store = quiet_store(5);
    store.with(|facts| facts.outcomes = outcomes(1, 60));
    with(store, async |operator| {
        operator.sees("● following").await;
        operator.sees("Outcome 0060").await;
        operator.press(&["tab", "k", "k"]);
        operator.sees("○ scrolled").await;
        operator.store.commit(|facts| facts.outcomes.extend(outcomes(61, 75)));
        operator.sees("▼ 15 new").await;
        operator.sees("Outcome 0058").await;
        operator.sees_no("Outcome 0061");
        operator.press(&["G"]);
        operator.sees("● following").await;
        operator.sees("Outcome 0075").await;
        // Moving down to the last line switches following on, too.
        operator.press(&["k", "j"]);
        operator.sees("● following").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_was_not_converted_says_how_that_was_found() {
    let store = quiet_store(5);
    let unchanged = |seq, content| Outcome {
        result: OutcomeResult::Unchanged,
        content: Some(content),
        ..outcomes(seq, seq).remove(0)
    };
    let by_server = unchanged(1, ContentChange::NotModified);
    let by_body = Outcome { detail: Some(IdenticalBody::DETAIL.into()), ..unchanged(2, ContentChange::Identical) };
    store.with(|facts| facts.outcomes = vec![by_server, by_body]);
    with(store, async |operator| {
        operator.sees("304").await;
        operator.sees("identical").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn search_and_filter_work_while_it_is_held() {
    let store = quiet_store(5);
    store.with(|facts| facts.outcomes = outcomes(1, 60));
    let (ended, _) = with(store, async |operator| {
        operator.press(&["tab", "k", "k", "/"]);
        operator.type_text("0031");
        operator.press(&["enter"]);
        operator.sees("\"0031\" is in 1 outcome").await;
        operator.sees("Outcome 0031").await;
        operator.press(&["n"]);
        operator.sees("is not found below").await;
        operator.press(&["f"]);
        operator.type_text("004");
        operator.press(&["enter"]);
        operator.sees("Outcome 0049").await;
        operator.sees_no("Outcome 0031");
        operator.press(&["f"]);
        operator.type_text(" status:failed");
        operator.sees("outcomes").await;
        operator.press(&["esc"]);
    })
    .await;
    assert_eq!(ended.model.panel.filter_text, "004");
    assert!(!ended.model.panel.follows());
}

#[tokio::test(start_paused = true)]
async fn older_outcomes_are_read_when_they_are_scrolled_to() {
    let store = quiet_store(5);
    store.with(|facts| facts.outcomes = outcomes(1, 1_000));
    let (ended, _) = with(store, async |operator| {
        operator.press(&["tab"]);
        for _ in 0..6 {
            operator.press(&["g"]);
            operator.settle().await;
        }
        operator.sees("Outcome 0001").await;
    })
    .await;
    let seqs: Vec<i64> = ended.model.panel.entries().iter().map(|entry| entry.seq().0).collect();
    assert_eq!(seqs, (1..=1_000).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_ring_is_bounded_and_the_end_is_read_again() {
    let store = quiet_store(5);
    store.with(|facts| facts.outcomes = outcomes(1, 100));
    let (ended, _) = with(store, async |operator| {
        operator.press(&["tab", "k"]);
        operator.settle().await;
        for batch in 1..=12 {
            operator.store.commit(|facts| facts.outcomes.extend(outcomes(batch * 500 - 399, batch * 500 + 100)));
            operator.wait(50).await;
        }
        operator.sees("▼ 6,000 new").await;
        operator.sees("not loaded: G loads them").await;
        operator.press(&["G"]);
        operator.sees("Outcome 6100").await;
        operator.store.commit(|facts| facts.outcomes.extend(outcomes(6_101, 6_105)));
        operator.sees("Outcome 6105").await;
    })
    .await;
    let seqs: Vec<i64> = ended.model.panel.entries().iter().map(|entry| entry.seq().0).collect();
    assert!(seqs.windows(2).all(|pair| pair[0] + 1 == pair[1]), "a gap is in the panel");
    assert_eq!(ended.model.panel.newest, Seq(6_105));
}
