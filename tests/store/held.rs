//! Tests quarantined texts and a person's decisions about them.

use super::support::*;
use quarterdeck::domain::content::{ContentChange, ConverterVersion, Page};
use quarterdeck::domain::content_guard::QuarantineReason;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{Decision, DecisionResult, DocumentStore, FinishResult, Queries, ReviewTarget, Sort};

const BODY: &str = "A long text that is worth keeping, with many words in it.";

/// Finishes the document's next sync with the result of comparing `text` with the stored one.
async fn sync(scene: &Scene, document: DocumentId, title: &str, text: &str, converter: Option<ConverterVersion>) {
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(64).await.into_iter().find(|claimed| claimed.document_id == document).unwrap();
    let page = Page::new(Some(title), text.to_owned(), text.len() as u64, 200).unwrap();
    let mut page = Page { converter, ..page };
    let (change, doubt) = claimed.stored.compare(&page);
    page.quarantine_reason = doubt;
    let fingerprint = page.fingerprint.clone();
    let end = AttemptEnd::Fetched { page: Box::new(page), fingerprint, change };
    assert!(matches!(scene.finish(&claimed, end).await, FinishResult::Written { .. }));
}

async fn text(scene: &Scene, document: DocumentId) -> String {
    scene.store.content(document).await.unwrap().unwrap().text
}

async fn held_ids(scene: &Scene) -> Vec<DocumentId> {
    scene.store.matching(&Filter::parse("content:held").unwrap(), Sort::BY_ID, None).await.unwrap()
}

/// Decides on the text that is quarantined now.
async fn decide(scene: &Scene, document: DocumentId, decision: Decision) -> [DecisionResult; 1] {
    decide_on(scene, document, None, decision).await
}

/// Decides on the text with this fingerprint.
async fn decide_on(scene: &Scene, document: DocumentId, seen: Option<&str>, decision: Decision) -> [DecisionResult; 1] {
    let text = ReviewTarget { document, fingerprint: seen.map(str::to_owned) };
    scene.store.decide(&[text], decision, &"bo".into()).await.unwrap().try_into().unwrap()
}

async fn a_doubtful_text_waits_and_is_written_when_it_is_accepted(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "T", BODY, None).await;
    sync(&scene, document, "Sign in", "# Sign in", None).await;
    let row = scene.row(document).await;
    assert_eq!(
        (row.status, row.quarantine_reason.as_deref()),
        (Status::Synced, Some(QuarantineReason::Login.to_string().as_str()))
    );
    assert_eq!((text(&scene, document).await.as_str(), row.name.as_str()), (BODY, "T"));
    assert_eq!(held_ids(&scene).await, [document]);
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.content), (OutcomeResult::Unchanged, Some(ContentChange::Quarantined)));
    assert_eq!(last.detail.as_deref(), Some("needs review: it looks like a login page"));
    let held = scene.store.quarantined_content(document).await.unwrap().unwrap();
    assert_eq!((held.text.as_str(), held.title.as_deref()), ("# Sign in", Some("Sign in")));
    let decided = decide(&scene, document, Decision::Accept).await;
    assert_eq!(decided, [DecisionResult::Done]);
    assert_eq!(text(&scene, document).await, "# Sign in");
    let row = scene.row(document).await;
    assert_eq!((row.quarantine_reason, row.name.as_str(), row.versions), (None, "Sign in", 1));
    assert_eq!(row.fingerprint, Some(held.fingerprint));
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.content), (OutcomeResult::Updated, Some(ContentChange::Changed)));
    assert_eq!(last.requested_by.as_deref(), Some("bo"));
    assert!(held_ids(&scene).await.is_empty());
    assert_eq!(scene.store.quarantined_content(document).await.unwrap(), None);
    let again = decide(&scene, document, Decision::Accept).await;
    assert_eq!(again, [DecisionResult::NothingQuarantined]);
    sync(&scene, document, "Sign in", "# Sign in", None).await;
    assert_eq!(scene.outcomes().await.pop().unwrap().content, Some(ContentChange::Same));
}

async fn a_rejected_text_is_not_asked_about_again_and_another_is(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "T", BODY, None).await;
    sync(&scene, document, "404", "# Not found", None).await;
    assert_eq!(decide(&scene, document, Decision::Reject).await, [DecisionResult::Done]);
    assert!(held_ids(&scene).await.is_empty());
    sync(&scene, document, "404", "# Not found", None).await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.content, held_ids(&scene).await.len()), (Some(ContentChange::Quarantined), 0));
    assert_eq!(last.detail.as_deref(), Some("needs review: it is the text that was rejected before"));
    // The decision is remembered after an acceptable fetch, too.
    sync(&scene, document, "T", BODY, None).await;
    sync(&scene, document, "404", "# Not found", None).await;
    assert!(held_ids(&scene).await.is_empty());
    sync(&scene, document, "404", "# Not found, really", None).await;
    assert_eq!((held_ids(&scene).await, text(&scene, document).await.as_str()), (vec![document], BODY));
}

async fn a_good_fetch_ends_the_question_and_a_running_one_comes_first(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "T", BODY, None).await;
    sync(&scene, document, "T", "a", None).await;
    let reason = scene.row(document).await.quarantine_reason.unwrap();
    assert_eq!(reason.as_str(), format!("is under a tenth of the stored text (1 of {} characters)", BODY.len()));
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(1).await.remove(0);
    assert_eq!(decide(&scene, document, Decision::Accept).await, [DecisionResult::Syncing]);
    scene.finish(&claimed, AttemptEnd::NotModified).await;
    assert_eq!(scene.store.quarantined_content(document).await.unwrap(), None);
    sync(&scene, document, "T", "a", None).await;
    assert_eq!(held_ids(&scene).await, [document]);
    assert_eq!(scene.store.remove(&[document]).await.unwrap(), 1);
    assert!(held_ids(&scene).await.is_empty());
    assert_eq!(
        scene
            .number(
                scene.either("SELECT count(*) FROM held_contents", "SELECT count(*) FROM quarterdeck.held_contents")
            )
            .await,
        0
    );
}

/// Two people answer the same question, or a later sync brings another text while one of them reads.
async fn a_decision_is_on_the_text_that_was_seen_and_on_no_other(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "T", BODY, None).await;
    assert_eq!(scene.store.counts().await.unwrap().quarantined, 0);
    sync(&scene, document, "Sign in", "# Sign in", None).await;
    assert_eq!(scene.store.counts().await.unwrap().quarantined, 1);
    let seen = scene.store.quarantined_content(document).await.unwrap().unwrap().fingerprint;
    sync(&scene, document, "404", "# Not found", None).await;
    let now = scene.store.quarantined_content(document).await.unwrap().unwrap();
    assert_ne!(now.fingerprint, seen);
    for decision in [Decision::Accept, Decision::Reject] {
        assert_eq!(decide_on(&scene, document, Some(&seen), decision).await, [DecisionResult::Replaced]);
    }
    assert_eq!(text(&scene, document).await, BODY);
    assert_eq!(scene.store.quarantined_content(document).await.unwrap(), Some(now.clone()), "it still waits");
    assert_eq!(decide_on(&scene, document, Some(&now.fingerprint), Decision::Reject).await, [DecisionResult::Done]);
    assert_eq!(
        decide_on(&scene, document, Some(&now.fingerprint), Decision::Accept).await,
        [DecisionResult::NothingQuarantined]
    );
    assert_eq!((text(&scene, document).await.as_str(), scene.store.counts().await.unwrap().quarantined), (BODY, 0));
}

async fn an_earlier_text_can_be_read(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    for body in [BODY, "Another text, as good as the one before it."] {
        sync(&scene, document, "T", body, None).await;
    }
    let kept = scene.store.versions(document).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(scene.store.version_text(document, kept[0].version).await.unwrap().as_deref(), Some(BODY));
    assert_eq!(scene.store.version_text(document, kept[0].version + 1).await.unwrap(), None);
}

async fn the_first_text_is_stored_whatever_it_is(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "Sign in", "# Sign in", None).await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.content, text(&scene, document).await.as_str()), (Some(ContentChange::First), "# Sign in"));
    assert_eq!(last.detail.as_deref(), Some("stored, but it looks like a login page"));
    assert!(held_ids(&scene).await.is_empty());
}

async fn another_converters_text_is_stored_quietly(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    let (old, new) = (Some(ConverterVersion::new(1, "")), Some(ConverterVersion::new(2, "")));
    sync(&scene, document, "T", BODY, old).await;
    let other = format!("{BODY} And a line that the old one lost.");
    sync(&scene, document, "T", &other, new).await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.content.map(ContentChange::word)), (OutcomeResult::Unchanged, Some("same")));
    assert_eq!(
        last.detail.as_deref(),
        Some("converted again: the converter, the site rules or the host's template changed")
    );
    assert_eq!(text(&scene, document).await, other);
    // From here on a difference comes from the page.
    sync(&scene, document, "T", BODY, new).await;
    assert_eq!(scene.outcomes().await.pop().unwrap().content, Some(ContentChange::Changed));
    // The same text counts as unchanged for any converter version, and the newer version is then stored with it.
    sync(&scene, document, "T", BODY, Some(ConverterVersion::new(3, ""))).await;
    assert_eq!(scene.outcomes().await.pop().unwrap().content, Some(ContentChange::Same));
    sync(&scene, document, "T", &other, Some(ConverterVersion::new(3, ""))).await;
    assert_eq!(scene.outcomes().await.pop().unwrap().content, Some(ContentChange::Changed));
}

on_both! {
    ()
    a_doubtful_text_waits_and_is_written_when_it_is_accepted,
    a_rejected_text_is_not_asked_about_again_and_another_is,
    a_decision_is_on_the_text_that_was_seen_and_on_no_other,
    an_earlier_text_can_be_read,
    a_good_fetch_ends_the_question_and_a_running_one_comes_first,
    the_first_text_is_stored_whatever_it_is,
    another_converters_text_is_stored_quietly,
}
