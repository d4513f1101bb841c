//! Tests quarantined texts and a person's decisions about them.

use super::support::*;
use quarterdeck::domain::content::{ContentChange, ConverterVersion, Page};
use quarterdeck::domain::content_guard::QuarantineReason;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
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
    assert_eq!(scene.store.remove(&[document], &"ana".into()).await.unwrap(), 1);
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

async fn the_first_text_is_stored_whatever_its_words_are(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "Sign in", "# Sign in", None).await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.content, text(&scene, document).await.as_str()), (Some(ContentChange::First), "# Sign in"));
    assert_eq!(last.detail.as_deref(), Some("stored, but it looks like a login page"));
    assert!(held_ids(&scene).await.is_empty());
}

/// Ends the document's next sync with a login page, as a runner does; returns the claimed job's result.
async fn meet_login(scene: &Scene, document: DocumentId) {
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(64).await.into_iter().find(|claimed| claimed.document_id == document).unwrap();
    let page = Page::new(Some("Sveiki"), "# Ienākt".to_owned(), 87, 200).unwrap();
    let mut page = Page { is_login: true, ..page };
    let (change, reason) = claimed.stored.compare(&page);
    page.quarantine_reason = reason;
    assert_eq!((change, claimed.stored.chars), (ContentChange::Quarantined, None));
    assert!(matches!(scene.finish(&claimed, AttemptEnd::Withheld(Box::new(page))).await, FinishResult::Written { .. }));
}

async fn a_first_login_page_is_withheld_until_somebody_accepts_it(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    for _ in 0..2 {
        meet_login(&scene, document).await;
        let row = scene.row(document).await;
        assert_eq!((row.status, row.error_code), (Status::Failed, Some(ErrorCode::AccessDenied)));
        assert_eq!(row.quarantine_reason.as_deref(), Some("looks like a login page"));
        assert!(scene.store.content(document).await.unwrap().is_none_or(|content| content.text.is_empty()));
        assert_eq!(held_ids(&scene).await, [document]);
        let last = scene.outcomes().await.pop().unwrap();
        assert_eq!((last.result, last.error_code), (OutcomeResult::PermanentFailure, Some(ErrorCode::AccessDenied)));
        assert_eq!(
            (last.http_status, last.content, last.next_attempt_at),
            (Some(200), Some(ContentChange::Quarantined), None)
        );
        assert_eq!(last.detail.as_deref(), Some("needs review: it looks like a login page"));
    }
    // A rejected text is not asked about again, and is not stored either.
    assert_eq!(decide(&scene, document, Decision::Reject).await, [DecisionResult::Done]);
    meet_login(&scene, document).await;
    assert!(held_ids(&scene).await.is_empty());
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!(last.detail.as_deref(), Some("needs review: it is the text that was rejected before"));
    assert_eq!(scene.row(document).await.status, Status::Failed);

    let other = scene.add(1, "https://a.test/2").await;
    meet_login(&scene, other).await;
    assert_eq!(decide(&scene, other, Decision::Accept).await, [DecisionResult::Done]);
    let row = scene.row(other).await;
    assert_eq!((row.status, row.quarantine_reason, row.name.as_str()), (Status::Synced, None, "Sveiki"));
    assert_eq!((row.error_code, row.synced_at.is_some()), (None, true));
    assert_eq!(text(&scene, other).await, "# Ienākt");
    // A page ends the review, too.
    sync(&scene, document, "T", BODY, None).await;
    assert_eq!((text(&scene, document).await.as_str(), scene.row(document).await.status), (BODY, Status::Synced));
}

async fn a_first_text_that_is_noise_is_withheld(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    let text = |broken: usize| format!("{}{}", "\u{fffd}".repeat(broken), "a word ".repeat(60));
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(64).await.pop().unwrap();
    let page = |broken| Page::new(None, text(broken), 500, 200).unwrap();
    let (change, reason) = claimed.stored.compare(&page(40));
    assert_eq!((change, reason.is_some()), (ContentChange::First, true), "a page in a wrong encoding is of use");
    let mut page = page(60);
    let (change, reason) = claimed.stored.compare(&page);
    assert_eq!(change, ContentChange::Quarantined);
    page.quarantine_reason = reason;
    assert!(matches!(scene.finish(&claimed, AttemptEnd::Withheld(Box::new(page))).await, FinishResult::Written { .. }));
    let row = scene.row(document).await;
    assert_eq!((row.status, row.error_code), (Status::Failed, Some(ErrorCode::FetchFailed)));
    assert_eq!(row.quarantine_reason.as_deref(), Some("has 60 unreadable characters"));
    assert!(scene.store.content(document).await.unwrap().is_none_or(|content| content.text.is_empty()));
    assert_eq!(held_ids(&scene).await, [document]);
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
    the_first_text_is_stored_whatever_its_words_are,
    a_first_login_page_is_withheld_until_somebody_accepts_it,
    a_first_text_that_is_noise_is_withheld,
    another_converters_text_is_stored_quietly,
}
