//! Comparison and writing of texts where Chatwoot's own text is stored, so that neither program takes the other's work
//! for a change. A page that has not changed is not written, whoever wrote it last.

use super::crawling;
use super::templates::read_until_available;
use super::worker::Worker;
use crate::domain::chatwoot_text::{Generation, TextOrigin};
use crate::domain::content::{ContentChange, Page, StoredBaseline};
use crate::domain::content_guard::QuarantineReason;
use crate::domain::text_comparison::{self, TextComparison, TextDifference};
use crate::store::ClaimedJob;

/// Returns true if Chatwoot's own text is written for a claimed document.
pub(super) fn is_written(worker: &Worker, claimed: &ClaimedJob) -> bool {
    let is_theirs = worker.store.is_chatwoot_database();
    worker.live().fetcher.writes_chatwoot_text(claimed.document_id, &claimed.url, is_theirs)
}

/// Compares a fetched page with the stored text. Returns the change, and the reason if the page is suspect. Notes the
/// digest of the page's main content, and what the comparison shows about the origin of the stored text.
pub(super) async fn compare(
    worker: &Worker,
    claimed: &ClaimedJob,
    page: &mut Page,
) -> (ContentChange, Option<QuarantineReason>) {
    let stored = &claimed.stored;
    page.main_digest = Some(page.fingerprint.clone());
    if stored.chars.is_none() {
        return (ContentChange::First, page.is_login.then_some(QuarantineReason::Login));
    }
    let mut compared = text_comparison::compare(stored, page, None);
    if compared == TextComparison::NeedsText {
        let document = claimed.document_id;
        let text = read_until_available(worker, || worker.store.stored_text(document)).await.flatten();
        compared = text_comparison::compare(stored, page, Some(text.as_deref().unwrap_or_default()));
    }
    match compared {
        TextComparison::Same(origin) => {
            page.text_origin = origin;
            (ContentChange::Same, None)
        }
        TextComparison::Changed(TextDifference { by_another_version, nearest, fetched_otherwise }) => {
            page.nearest_generation = nearest;
            let change = match by_another_version {
                true => ContentChange::Reconverted,
                false => ContentChange::Changed,
            };
            let otherwise = fetched_otherwise || crawling::is_otherwise(worker, claimed, page).await;
            (change, otherwise.then_some(QuarantineReason::FetchedOtherwise))
        }
        TextComparison::NeedsText => (ContentChange::Same, None),
    }
}

/// Puts the text that is to be stored in the place of the page's main content, and examines it. `change` and `reason` are
/// those of the comparison. Returns what becomes of the page.
pub(super) async fn prepare(
    worker: &Worker,
    stored: &StoredBaseline,
    page: &mut Page,
    (change, reason): (ContentChange, Option<QuarantineReason>),
) -> (ContentChange, Option<QuarantineReason>) {
    if !change.writes() {
        // The text of the stored fingerprint, for a row whose text was replaced under it.
        let text = page.chatwoot.as_ref().zip(stored.fingerprint.as_ref());
        if let Some(text) = text.and_then(|(texts, fingerprint)| texts.with_fingerprint(fingerprint)).cloned() {
            (page.content, page.fingerprint) = (text.content, text.fingerprint);
        }
        return (change, reason);
    }
    // The words of the main content are judged, but the lengths of the texts that are stored.
    let suspect = QuarantineReason::check(page.title.as_deref(), &page.content, None);
    let chars = page.content.chars().count() as u64;
    if let Some(texts) = page.chatwoot.take() {
        let seen = worker.store.chatwoot_generation().await.ok().flatten();
        let generation = seen.or(page.nearest_generation).unwrap_or(Generation::NEWEST);
        if let Some(text) = texts.to_write(generation) {
            (page.content, page.fingerprint) = (text.content.clone(), text.fingerprint.clone());
        }
    }
    page.text_origin = Some(TextOrigin::Own);
    let shrunk = QuarantineReason::check(None, &page.content, stored.chars)
        .filter(|reason| matches!(reason, QuarantineReason::Shrunk { .. }));
    let login = page.is_login.then_some(QuarantineReason::Login);
    let reason = match &stored.rejected {
        Some(rejected) if *rejected == page.fingerprint => Some(QuarantineReason::Rejected),
        _ => login.or(suspect).or(shrunk).or(reason),
    };
    match (stored.chars, reason) {
        (Some(_), Some(_)) | (None, Some(QuarantineReason::Rejected)) => (ContentChange::Quarantined, reason),
        (None, Some(doubt)) if page.is_login || doubt.is_noise(chars) => (ContentChange::Quarantined, reason),
        _ => (change, reason),
    }
}
