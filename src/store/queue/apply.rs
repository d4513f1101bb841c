//! Writes a job's transition, as the domain decided it: the job's row and lane, its document's row, and its outcomes.

use crate::domain::body_digest::BodyDigest;
use crate::domain::content::{ContentChange, IdenticalBody, Page, Validators};
use crate::domain::document::{FailureCount, RecentResult};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, AssistantId, Seq};
use crate::domain::job::{JobState, RowWrite, Transition};
use crate::domain::lock::LockHolder;
use crate::domain::outcome::{Outcome, OutcomeDraft, OutcomeResult};
use crate::domain::text::{SafeLine, without_nul};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::{contents, lanes};
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::{JobRow, class_code};
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;

/// Data of a transition beyond the [`Transition`] itself: lease, worker, page and failure.
#[derive(Default)]
pub(in crate::store) struct TransitionData<'a> {
    /// Token of the lease that ended. The outcomes record it, and the document's fence is raised to it.
    pub(in crate::store) token: Option<i64>,
    /// Name of the worker that ran the attempt.
    pub(in crate::store) worker: Option<SafeLine>,
    /// Page whose content is written, with its fingerprint.
    pub(in crate::store) page: Option<(&'a Page, &'a Fingerprint)>,
    /// Full fetch that brought the text which is stored now, written or unchanged.
    pub(in crate::store) fetched: Option<FullFetch<'a>>,
    /// Quarantined page, which waits for a person's decision.
    pub(in crate::store) quarantined: Option<&'a Page>,
    /// Failure that ended the attempt: its class, the number of failures of that class so far, and the attempts
    /// allowed.
    pub(in crate::store) failed_try: Option<FailureCount>,
    /// Holder of the document's lock, if the job is postponed because of that lock.
    pub(in crate::store) lock_holder: Option<&'a LockHolder>,
}

/// Full fetch of the stored text. Its facts are kept, so that the next fetch recognises an unchanged page.
#[derive(Clone, Copy)]
pub(in crate::store) enum FullFetch<'a> {
    /// The page was converted; with its fingerprint.
    Converted(&'a Page, &'a Fingerprint),
    /// The body is the one that the stored text came from, so what is known of that text stays.
    Identical(&'a IdenticalBody),
}

impl FullFetch<'_> {
    /// Returns the page's `ETag` and `Last-Modified`.
    fn validators(self) -> Option<Validators> {
        match self {
            Self::Converted(page, _) => Validators::new(page.etag.clone(), page.last_modified.clone()),
            Self::Identical(body) => body.validators.clone(),
        }
    }
}

/// Writes the transition `to` of the job `row`: writes the job, its lane and its document, and records the outcomes.
pub(in crate::store) async fn apply(
    tx: &mut Tx<'_>,
    row: &JobRow,
    document: Option<&Document>,
    to: &Transition,
    with: TransitionData<'_>,
) -> Result<()> {
    move_job(tx, row, to, &with).await?;
    let mut text_changed = false;
    if let Some(document) = document {
        text_changed = write_row(tx, document, to, with.page).await?;
        write_state(tx, document, to, &with).await?;
        if to.row == RowWrite::Synced {
            contents::update_quarantine(tx, row.job.id, document, with.quarantined).await?;
        }
    }
    for draft in &to.outcomes {
        let new = new_outcome(row, document, draft, &with, tx.now);
        let text_changed = text_changed && draft.content.is_some_and(ContentChange::writes);
        tx.record(NewOutcome { text_changed, ..new });
    }
    Ok(())
}

async fn move_job(tx: &mut Tx<'_>, row: &JobRow, to: &Transition, with: &TransitionData<'_>) -> Result<()> {
    let was = row.job.state;
    let stays_in_order = was != JobState::Scheduled && row.job.class == to.class;
    let vtime = match to.state {
        JobState::Ready if !stays_in_order => lanes::next_virtual_time(tx, row.account_id, to.class).await?,
        _ => row.vtime,
    };
    // After the document's row is restored, the next try saves the row in the job again.
    let forget_before = matches!(to.row, RowWrite::Restore(_));
    let statement = query(
        "UPDATE @jobs SET state = ?2, class = ?3, run_at = ?4, vtime = ?5, attempt = ?6, transient_fails = ?7, \
         unexpected_fails = ?8, crashes = ?9, last_failure = ?10, before_taken = before_taken AND NOT ?11, \
         finished_at = ?12, worker_id = NULL, worker_name = NULL, lease_token = NULL, lease_until = NULL, \
         try_class = coalesce(?13, try_class), try_number = coalesce(?14, try_number), \
         try_of = coalesce(?15, try_of), \
         cancel_requested_by = CASE WHEN ?12 IS NULL THEN NULL ELSE cancel_requested_by END, \
         cancel_requested_at = CASE WHEN ?12 IS NULL THEN NULL ELSE cancel_requested_at END, \
         lock_holder = CASE WHEN ?12 IS NULL THEN coalesce(?16, lock_holder) END, \
         lock_value = coalesce(?17, lock_value) WHERE id = ?1",
    );
    let try_of = with.failed_try;
    let statement = statement
        .bind(row.job.id.0)
        .bind(to.state.word())
        .bind(to.class.code())
        .bind(to.run_at.micros())
        .bind(vtime)
        .bind(to.counters.attempt)
        .bind(to.counters.transient)
        .bind(to.counters.unexpected)
        .bind(to.counters.crashes)
        .bind(to.last_failure.map(|code| code.word()))
        .bind(forget_before)
        .bind((!to.state.is_live()).then_some(tx.now.micros()))
        .bind(try_of.map(|of| class_code(of.class)))
        .bind(try_of.map(|of| of.failures))
        .bind(try_of.map(|of| of.attempts_allowed))
        .bind(with.lock_holder.map(|holder| holder.name.as_str()))
        .bind(with.lock_holder.map(|holder| holder.value.as_str()));
    tx.run(statement).await?;
    if was == JobState::Ready {
        lanes::remove(tx, &LaneKey::of(row)).await?;
    }
    if to.state == JobState::Ready {
        let lane = LaneKey { class: to.class.code(), risky: to.counters.crashes > 0, ..LaneKey::of(row) };
        lanes::add(tx, &lane, vtime).await?;
    }
    Ok(())
}

/// Writes the document's row. Returns true if the stored text changed, other than by another converter version; always
/// false without subscribers, since the texts are then not compared.
async fn write_row(
    tx: &mut Tx<'_>,
    document: &Document,
    to: &Transition,
    page: Option<(&Page, &Fingerprint)>,
) -> Result<bool> {
    let now = tx.now.micros();
    let mut text_changed = false;
    let statement = match &to.row {
        RowWrite::Keep => return Ok(false),
        RowWrite::Synced => {
            if let Some((page, fingerprint)) = page {
                // A text that differs only because another converter version rendered the page does not count as
                // changed.
                let rebased = to.outcomes.iter().any(|line| line.content == Some(ContentChange::Reconverted));
                text_changed =
                    tx.has_subscribers() && !rebased && contents::differs(tx, document, &page.content).await?;
                contents::write(tx, document, page, fingerprint).await?;
            }
            query("UPDATE captain_documents SET sync_status = 1, last_synced_at = stamp(?2), last_sync_attempted_at = stamp(?2), \
                metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', NULL) \
                WHERE id = ?1")
            .bind(document.id)
            .bind(now)
        }
        RowWrite::Failed(code) => query(
            "UPDATE captain_documents SET sync_status = 2, last_sync_attempted_at = stamp(?2), \
            metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', ?3) \
            WHERE id = ?1",
        )
        .bind(document.id)
        .bind(now)
        .bind(code.word()),
        // Only a row that still is `syncing` is repaired: what another program has written since then stays.
        RowWrite::BackToFailed(code) => query(
            "UPDATE captain_documents SET sync_status = 2, \
            metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', ?2) \
            WHERE id = ?1 AND sync_status = 0",
        )
        .bind(document.id)
        .bind(code.word()),
        RowWrite::Restore(before) => query(
            "UPDATE captain_documents SET sync_status = ?2, last_sync_attempted_at = stamp(?3), \
            metadata = merged('key:sync_step', NULL, 'key:last_sync_error_code', ?4) \
            WHERE id = ?1 AND sync_status = 0",
        )
        .bind(document.id)
        .bind(before.sync_status.map(|status| status.code()))
        .bind(before.attempted_at.map(Timestamp::micros))
        .bind(before.error_code.clone()),
    };
    tx.run(statement).await?;
    Ok(text_changed)
}

async fn write_state(tx: &mut Tx<'_>, document: &Document, to: &Transition, with: &TransitionData<'_>) -> Result<()> {
    let mut recent = document.recent.clone();
    for draft in &to.outcomes {
        // The outcome of a first content is `unchanged`, but its text is new.
        let result = match draft.content {
            Some(ContentChange::First) => Some(RecentResult::Updated),
            _ => draft.result.recent(),
        };
        if let Some(result) = result {
            recent = push_recent(&recent, result);
        } else if draft.result.is_exhaustion() {
            recent.pop();
            recent = push_recent(&recent, RecentResult::Failed);
        }
    }
    let (fence, synced) = (with.token.unwrap_or_default(), to.row == RowWrite::Synced);
    // The failure's outcome has more detail than the outcome of its exhaustion, and comes first.
    let failure = to.outcomes.iter().find(|draft| draft.error_code.is_some());
    if recent == document.recent && fence <= document.fence && !synced && failure.is_none() {
        return Ok(());
    }
    let statement = query(
        "UPDATE @document_state SET recent = ?2, failures = CASE WHEN ?13 THEN failures + 1 WHEN ?14 THEN 0 \
         ELSE failures END, fence = CASE WHEN fence < ?3 THEN ?3 ELSE fence END, \
         error_code = CASE WHEN ?4 THEN ?5 ELSE error_code END, detail = CASE WHEN ?4 THEN ?6 ELSE detail END, \
         http_status = CASE WHEN ?4 THEN ?7 ELSE http_status END, \
         etag = CASE WHEN ?8 THEN ?9 ELSE etag END, \
         last_modified = CASE WHEN ?8 THEN ?10 ELSE last_modified END, \
         fetched_whole_at = CASE WHEN ?8 THEN ?12 ELSE fetched_whole_at END, \
         validated = CASE WHEN ?16 THEN ?11 ELSE validated END, \
         converter = CASE WHEN ?16 THEN ?15 ELSE converter END, \
         body_digest = CASE WHEN ?16 THEN ?17 ELSE body_digest END WHERE document_id = ?1",
    );
    let validators = with.fetched.and_then(FullFetch::validators);
    let (etag, last_modified) =
        validators.map_or((None, None), |validators| (validators.etag, validators.last_modified));
    let (page, fingerprint) = match with.fetched {
        Some(FullFetch::Converted(page, fingerprint)) => (Some(page), Some(fingerprint)),
        Some(FullFetch::Identical(_)) | None => (None, None),
    };
    let statement = statement
        .bind(document.id)
        .bind(recent)
        .bind(fence)
        .bind(synced || failure.is_some())
        .bind(failure.and_then(|draft| draft.error_code).map(|code| code.word()))
        .bind(failure.and_then(|draft| draft.detail.as_ref()).map(|detail| detail.to_string()))
        .bind(failure.and_then(|draft| draft.http_status))
        .bind(with.fetched.is_some())
        .bind(etag)
        .bind(last_modified)
        .bind(fingerprint.map(|fingerprint| fingerprint.as_str().to_owned()))
        .bind(tx.now.micros())
        .bind(failure.is_some_and(|draft| draft.result == OutcomeResult::PermanentFailure))
        .bind(synced)
        .bind(page.and_then(|page| page.converter).map(|converter| converter.0))
        .bind(page.is_some())
        .bind(page.and_then(|page| page.body_digest.as_ref()).map(BodyDigest::as_str));
    tx.run(statement).await?;
    Ok(())
}

/// Returns the outcome that `draft` becomes with job, document, worker and the time `at`. The commit assigns its
/// sequence number.
pub(in crate::store) fn new_outcome(
    row: &JobRow,
    document: Option<&Document>,
    draft: &OutcomeDraft,
    with: &TransitionData<'_>,
    at: Timestamp,
) -> NewOutcome {
    // A written page brings its title: before the first sync, the document's name is only its URL.
    let title = with.page.and_then(|(page, _)| page.title.as_ref()).filter(|title| !title.is_empty());
    let name = match title {
        Some(title) => SafeLine::new(title.as_str()),
        None => document.map(|document| document.name.clone()).unwrap_or_default(),
    };
    let outcome = Outcome {
        document_id: row.job.document_id,
        account_id: AccountId(document.map_or(row.account_id, |document| document.account_id)),
        assistant_id: AssistantId(document.map_or(row.assistant_id, |document| document.assistant_id)),
        result: draft.result,
        error_code: draft.error_code,
        exception_class: draft.exception_class.clone().map(without_nul),
        duration_ms: draft.duration_ms,
        at,
        seq: Seq::START,
        job_id: row.job.id,
        attempt: row.job.counters.attempt,
        queue: row.job.class,
        url: SafeLine::new(document.map_or(&row.url, |document| &document.url)),
        http_status: draft.http_status,
        detail: draft.detail.clone(),
        content: draft.content,
        bytes: draft.bytes,
        next_attempt_at: draft.next_attempt_at,
        worker: with.worker.clone(),
        requested_by: row.requested_by.clone(),
        name,
    };
    NewOutcome { outcome, host: row.host.clone(), token: with.token, text_changed: false }
}

/// Appends a result to the strip of recent results (one letter each), and drops the oldest beyond
/// [`RecentResult::MAX_RESULTS`].
pub(in crate::store) fn push_recent(strip: &str, result: RecentResult) -> String {
    let kept = strip.chars().count().saturating_sub(RecentResult::MAX_RESULTS - 1);
    strip.chars().skip(kept).chain(std::iter::once(result.letter())).collect()
}
