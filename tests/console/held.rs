//! Tests decisions on quarantined texts on the real event loop: the difference is computed on another thread, and a
//! decision applies only to the text that was shown.

use super::{quiet_store, with};
use crate::support::facts::ago;
use crate::support::limit::until;
use crate::support::memory::Memory;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::store::{Decision, QuarantinedContent, ReviewTarget};
use std::fmt::from_fn;
use std::sync::Arc;

const ONE: DocumentId = DocumentId(1);
/// Text on the screen once two long texts have been compared.
const COMPARED: &str = "to 1,000,000 characters";

fn held(fingerprint: &str, text: &str) -> QuarantinedContent {
    QuarantinedContent {
        reason: "looks like a login page".into(),
        quarantined_at: ago(60),
        fingerprint: fingerprint.into(),
        title: Some("Sign in".into()),
        text: text.into(),
    }
}

/// Makes a store of five documents, where `text` of the first is quarantined.
fn store(text: &str) -> Arc<Memory> {
    let store = quiet_store(5);
    store.with(|facts| {
        facts.documents[0].quarantine_reason = Some("looks like a login page".into());
        facts.contents.insert(ONE, "# Prices\n\nTen euro.".to_owned());
        facts.held.insert(ONE, held("aa11", text));
    });
    store
}

fn decisions(store: &Memory) -> Vec<(ReviewTarget, Decision)> {
    store.with(|facts| facts.decisions.clone())
}

fn text(fingerprint: &str) -> ReviewTarget {
    ReviewTarget { document: ONE, fingerprint: Some(fingerprint.to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn a_held_text_is_looked_at_and_accepted() {
    let store = store("# Sign in\x1b[2J\n\nTen euro.");
    with(Arc::clone(&store), async |operator| {
        operator.sees("documents  ? 1").await;
        operator.press(&["H"]);
        operator.sees("documents 1 of 5 match content:held").await;
        operator.press(&["enter"]);
        operator.sees("+ # Sign in").await;
        operator.sees("- # Prices").await;
        operator.sees_no("[2J");
        operator.press(&["a"]);
        operator.sees("accept the fetched text of Document 0001").await;
        operator.press(&["tab", "enter"]);
        operator.sees("✓ accepted: Document 0001 has the new text").await;
        // The list, the counts and the details show it at once.
        operator.settle().await;
        operator.sees_no("? 1");
        operator.sees_no("a accept");
        operator.press(&["esc"]);
        operator.sees("None of 5 documents matches.").await;
    })
    .await;
    assert_eq!(decisions(&store), [(text("aa11"), Decision::Accept)]);
}

#[tokio::test(start_paused = true)]
async fn a_held_text_is_rejected_and_the_row_is_as_any_other_again() {
    let store = store("# Sign in");
    with(Arc::clone(&store), async |operator| {
        operator.sees("? review: looks").await;
        operator.press(&["enter"]);
        operator.sees("+ # Sign in").await;
        operator.press(&["d", "tab", "enter"]);
        operator.sees("✓ rejected: Document 0001 keeps its text").await;
        operator.press(&["esc"]);
        operator.settle().await;
        operator.sees_no("review");
    })
    .await;
    assert_eq!(decisions(&store), [(text("aa11"), Decision::Reject)]);
}

/// A sync replaces the quarantined text while the question is open.
#[tokio::test(start_paused = true)]
async fn a_text_that_was_replaced_meanwhile_is_not_accepted_and_the_new_one_is_shown() {
    let store = store("# Sign in");
    with(Arc::clone(&store), async |operator| {
        operator.press(&["enter"]);
        operator.sees("+ # Sign in").await;
        operator.press(&["a", "tab"]);
        operator.sees("[ Accept ]").await;
        operator.store.commit(|facts| {
            facts.held.insert(ONE, held("bb22", "# Not found"));
        });
        operator.settle().await;
        operator.press(&["enter"]);
        operator.sees("! a different text of Document 0001 needs review now; nothing changed").await;
        operator.sees("+ # Not found").await;
        operator.sees_no("+ # Sign in");
        operator.press(&["d", "tab", "enter"]);
        operator.sees("rejected: Document 0001 keeps its text").await;
    })
    .await;
    assert_eq!(decisions(&store), [(text("aa11"), Decision::Accept), (text("bb22"), Decision::Reject)]);
    assert_eq!(store.with(|facts| facts.contents[&ONE].clone()), "# Prices\n\nTen euro.");
}

/// Another console decides while the details are open here; a rejection writes no outcome.
#[tokio::test(start_paused = true)]
async fn a_decision_made_elsewhere_is_seen_and_nothing_is_done_twice() {
    let store = store("# Sign in");
    let decide = |facts: &mut crate::support::memory::Facts| {
        facts.held.remove(&ONE);
        facts.documents[0].quarantine_reason = None;
    };
    with(Arc::clone(&store), async |operator| {
        operator.press(&["enter"]);
        operator.sees("+ # Sign in").await;
        operator.press(&["a", "tab"]);
        operator.store.commit(decide);
        operator.settle().await;
        operator.press(&["enter"]);
        operator.sees("! Document 0001 no longer needs review; nothing changed").await;
        operator.sees("No earlier version yet.").await;
        operator.press(&["a"]);
        operator.sees("the document does not need review").await;
    })
    .await;
    assert_eq!(decisions(&store).len(), 1);
}

/// While two texts of a megabyte are compared, the event loop still draws and reads keys, even when all threads for
/// comparisons are busy.
#[test]
fn comparing_long_texts_keeps_nobody_waiting() {
    let long = |factor: usize| (0..500_000).map(|n| ["x\n", "y\n", "z\n"][n * n * factor % 7 % 3]).collect::<String>();
    let (old, new) = (long(3), long(5));
    assert!(old.len() >= 1_000_000);
    let store = store(&new);
    store.with(|facts| facts.contents.insert(ONE, old));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build();
    let console = with(store, async |operator| {
        let (busy, free) = std::sync::mpsc::channel::<()>();
        let blocker = tokio::task::spawn_blocking(move || free.recv());
        let is_shown = async |text: &str, is: bool| {
            let shown = async || (operator.screen().contains(text) == is).then_some(());
            until(from_fn(|f| write!(f, "{text:?} is shown: {is}, of\n{}", operator.screen())), shown).await;
        };
        operator.press(&["enter", "?"]);
        is_shown("─ help ─", true).await;
        operator.press(&["esc"]);
        is_shown("─ help ─", false).await;
        operator.sees_no(COMPARED);
        drop(busy);
        assert!(blocker.await.expect("no panic").is_err(), "nobody sent anything");
        is_shown(COMPARED, true).await;
        operator.press(&["G"]);
        is_shown("more lines, not shown", true).await;
    });
    runtime.expect("a runtime").block_on(console);
}
