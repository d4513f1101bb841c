//! Tests the sources view, operated by keys on the real event loop.

use super::{quiet_store, with};
use crate::support::memory::Memory;
use crate::support::seen_sources::{proposals, sources};
use quarterdeck::domain::id::{ProposalId, SourceId};
use quarterdeck::domain::source::ProposalDecision::{Accept, Refuse};
use std::sync::Arc;

fn store() -> Arc<Memory> {
    let store = quiet_store(3);
    store.with(|facts| (facts.sources, facts.proposals) = (sources(), proposals()));
    store
}

#[tokio::test(start_paused = true)]
async fn proposals_are_decided_by_key_and_removals_are_confirmed() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["7"]);
        operator.sees("install/windows").await;
        operator.press(&["a"]);
        operator.sees("select a proposal first").await;
        operator.press(&["s"]);
        operator.sees("requested a read of blog").await;
        operator.press(&["j", "j"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("install/windows"), "{}", operator.screen());
        operator.press(&["a"]);
        operator.sees("accepted 1 proposal").await;
        operator.sees_cursor(|line| line.contains("/v1/api")).await;
        // The first button changes nothing, and has the focus.
        operator.press(&["a"]);
        operator.sees("the document is removed").await;
        operator.press(&["enter"]);
        operator.settle().await;
        operator.press(&["a", "tab", "enter"]);
        operator.sees_cursor(|line| line.contains("/faq")).await;
        operator.press(&["d"]);
        operator.settle().await;
        let decided = operator.store.with(|facts| facts.proposals_decided.clone());
        let one = |id: i64, decision| (vec![ProposalId(id)], decision);
        assert_eq!(decided, [one(11, Accept), one(12, Accept), one(13, Refuse)]);
        assert_eq!(operator.store.with(|facts| facts.reads_requested.clone()), [SourceId(2)]);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn all_proposals_of_a_source_are_decided_after_a_confirmation() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["7"]);
        operator.sees("install/windows").await;
        operator.press(&["A"]);
        operator.sees("this source has no open proposal").await;
        operator.press(&["j", "D"]);
        operator.sees("Refused proposals never come back.").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.proposals_decided.is_empty()), "Keep has the focus");
        operator.press(&["D", "tab", "enter"]);
        operator.sees("refused 4 proposals").await;
        let all = (11..=14).map(ProposalId).collect();
        assert_eq!(operator.store.with(|facts| facts.proposals_decided.clone()), [(all, Refuse)]);
    })
    .await;
}
