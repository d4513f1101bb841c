//! Writes a job's transition, as the domain decided it: the job's row and lane, its document's row, and its outcomes.

use crate::domain::body_digest::BodyDigest;
use crate::domain::chatwoot_text::TextOrigin;
use crate::domain::content::{ContentChange, IdenticalBody, Page, Validators};
use crate::domain::document::{FailureCount, RecentResult, SyncStatus};
use crate::domain::failure_cause::FailureCause;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::job::{JobState, QueueClass, RowWrite, Transition};
use crate::domain::lock::LockHolder;
use crate::domain::outcome::{Outcome, OutcomeDraft, OutcomeResult};
use crate::domain::stages::Stages;
use crate::domain::text::{SafeLine, without_nul};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::row_changes::{DOCUMENTS, JOBS, STATES, SYNCED_TEXTS};
use crate::store::queue::{contents, lanes};
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::{JobRow, class_code};
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::transaction::Tx;
use serde_json::{Map, json};

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
    /// Durations of the stages of the attempt that ended.
    pub(in crate::store) stages: Option<Stages>,
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
    apply_within_lane(tx, row, document, to, with).await?;
    if row.job.state == JobState::Ready {
        lanes::remove(tx, &LaneKey::of(row)).await?;
    }
    Ok(())
}

/// Does the same as [`apply`], but leaves the lane of a ready job as it is: the caller calls [`lanes::remove`] once for
/// all jobs that left the lane.
pub(in crate::store) async fn apply_within_lane(
    tx: &mut Tx<'_>,
    row: &JobRow,
    document: Option<&Document>,
    to: &Transition,
    with: TransitionData<'_>,
) -> Result<()> {
    let mut text_changed = false;
    if let Some(document) = document {
        let written = write_row(tx, document, to, with.page).await?;
        text_changed = written.text_changed;
        write_state(tx, document, to, &with, &written).await?;
        if to.row == RowWrite::Synced || with.quarantined.is_some() {
            contents::update_quarantine(tx, row.job.id, document, with.quarantined).await?;
        }
    }
    move_job(tx, row, to, &with).await?;
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
    let try_of = with.failed_try;
    let change = json!({
        "id": row.job.id.0,
        "state": to.state.word(),
        "class": to.class.code(),
        "run_at": to.run_at.micros(),
        "vtime": vtime,
        "attempt": to.counters.attempt,
        "transient": to.counters.transient,
        "unexpected": to.counters.unexpected,
        "crashes": to.counters.crashes,
        "last_failure": to.last_failure.map(|code| code.word()),
        "forget_before": i64::from(forget_before),
        "ended": i64::from(!to.state.is_live()),
        "try_class": try_of.map(|of| class_code(of.class)),
        "try_number": try_of.map(|of| of.failures),
        "try_of": try_of.map(|of| of.attempts_allowed),
        "lock_holder": with.lock_holder.map(|holder| holder.name.as_str()),
        "lock_value": with.lock_holder.map(|holder| holder.value.as_str()),
    });
    tx.change_row(JOBS, row.job.id.0, change).await?;
    if to.state == JobState::Ready {
        let lane = LaneKey { class: to.class.code(), risky: to.counters.runs_alone(), ..LaneKey::of(row) };
        lanes::add(tx, &lane, vtime).await?;
    }
    Ok(())
}

/// Effect of the write of a document's row on the stored text.
#[derive(Default)]
struct RowWritten {
    /// True if the text changed, other than by another converter version. In a store of our own always false without a
    /// subscriber that wants to know, since the texts are then not compared.
    text_changed: bool,
    /// Length in characters of the text that replaced the stored one.
    new_length: Option<usize>,
}

async fn write_row(
    tx: &mut Tx<'_>,
    document: &Document,
    to: &Transition,
    page: Option<(&Page, &Fingerprint)>,
) -> Result<RowWritten> {
    let mut written = RowWritten::default();
    let mut text = Map::new();
    let (kind, code, before) = match &to.row {
        RowWrite::Keep => return Ok(written),
        RowWrite::Synced => {
            if let Some((page, fingerprint)) = page {
                // A text that differs only because another converter version rendered the page does not count as
                // changed.
                let rebased = to.outcomes.iter().any(|line| line.content == Some(ContentChange::Reconverted));
                let matters = tx.compares_texts() || tx.is_on_chatwoot_database();
                written.text_changed = matters && !rebased && contents::differs(tx, document, &page.content).await?;
                let (keys, length) = contents::replace(tx, document, page, fingerprint).await?;
                (text, written.new_length) = (keys, Some(length));
            }
            ("synced", None, None)
        }
        RowWrite::Failed(code) => ("failed", Some(code.word().to_owned()), None),
        // Only a row that still is `syncing` is repaired: what another program has written since then stays.
        RowWrite::BackToFailed(code) => ("back", Some(code.word().to_owned()), None),
        RowWrite::Restore(before) => ("restore", before.error_code.clone(), Some(before)),
    };
    let sync_status = match (&to.row, before) {
        (RowWrite::Synced, _) => Some(SyncStatus::Synced),
        (_, Some(before)) => before.sync_status,
        _ => Some(SyncStatus::Failed),
    };
    let mut change = json!({
        "id": document.id,
        "kind": kind,
        "sync_status": sync_status.map(SyncStatus::code),
        "attempted_at": before.and_then(|before| before.attempted_at).map(Timestamp::micros),
        "code": code,
    });
    let kind = if text.is_empty() { DOCUMENTS } else { SYNCED_TEXTS };
    if let Some(change) = change.as_object_mut() {
        change.extend(text);
    }
    tx.change_row(kind, document.id, change).await?;
    Ok(written)
}

async fn write_state(
    tx: &mut Tx<'_>,
    document: &Document,
    to: &Transition,
    with: &TransitionData<'_>,
    written: &RowWritten,
) -> Result<()> {
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
    let validators = with.fetched.and_then(FullFetch::validators);
    let (etag, last_modified) =
        validators.map_or((None, None), |validators| (validators.etag, validators.last_modified));
    let converted = match with.fetched {
        Some(FullFetch::Converted(page, fingerprint)) => Some((page, fingerprint)),
        Some(FullFetch::Identical(_)) | None => None,
    };
    let origin = converted.and_then(|(page, _)| page.text_origin);
    let failures = match failure {
        Some(draft) if draft.result == OutcomeResult::PermanentFailure => Some("more"),
        _ => synced.then_some("none"),
    };
    let page = match (with.fetched, converted) {
        (None, _) => None,
        (Some(_), Some(_)) => Some("converted"),
        (Some(_), None) => Some("identical"),
    };
    let change = json!({
        "id": document.id,
        "recent": recent,
        "fence": fence,
        "failures": failures,
        "ended": (synced || failure.is_some()).then_some("yes"),
        "error_code": failure.and_then(|draft| draft.error_code).map(|code| code.word()),
        "detail": failure.and_then(|draft| draft.detail.as_ref()).map(|detail| detail.as_str()),
        "http_status": failure.and_then(|draft| draft.http_status),
        "cause": failure.and_then(|draft| {
            let (status, detail) = (draft.http_status, draft.detail.as_deref());
            draft.error_code.map(|code| FailureCause::of(code, status, detail, &document.host).0)
        }),
        "page": page,
        "etag": etag,
        "last_modified": last_modified,
        "validated": converted.map(|(_, fingerprint)| fingerprint.as_str()),
        "converter": converted.and_then(|(page, _)| page.converter).map(|converter| converter.0),
        "template": converted.and_then(|(page, _)| page.template).map(|version| version.0),
        "body_digest": converted.and_then(|(page, _)| page.body_digest.as_ref()).map(BodyDigest::as_str),
        "main_digest": converted.and_then(|(page, _)| page.main_digest.as_ref()).map(Fingerprint::as_str),
        "generation": origin.map(TextOrigin::code),
        // The row's time is still that of the sync that brought Chatwoot's text.
        "generation_seen_at": match origin {
            Some(TextOrigin::Chatwoot(_)) => document.synced_at.map(Timestamp::micros),
            Some(TextOrigin::Own) | None => None,
        },
        "length": written.new_length,
        "text_changed": written.text_changed.then_some("yes"),
        "content": to.outcomes.iter().find_map(|draft| draft.content).map(|content| content.word()),
    });
    tx.change_row(STATES, document.id, change).await
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
        // An exhaustion repeats nothing of its attempt.
        stages: with.stages.filter(|_| draft.duration_ms.is_some()),
        name,
    };
    NewOutcome { outcome, host: row.host.clone(), token: with.token, text_changed: false }
}

/// Returns the outcome of what a person did to a document without a job. `last_job` is the document's last one.
pub(in crate::store) fn personal_outcome(
    document: Document,
    last_job: Option<JobId>,
    draft: OutcomeDraft,
    by: &SafeLine,
    at: Timestamp,
) -> NewOutcome {
    let outcome = Outcome {
        document_id: DocumentId(document.id),
        account_id: AccountId(document.account_id),
        assistant_id: AssistantId(document.assistant_id),
        result: draft.result,
        error_code: None,
        exception_class: None,
        duration_ms: None,
        at,
        seq: Seq::START,
        job_id: last_job.unwrap_or(JobId(0)),
        attempt: 0,
        queue: QueueClass::Manual,
        url: SafeLine::new(&document.url),
        http_status: None,
        detail: draft.detail,
        content: draft.content,
        bytes: None,
        next_attempt_at: None,
        worker: None,
        requested_by: Some(by.clone()),
        stages: None,
        name: document.name,
    };
    NewOutcome { outcome, host: document.host, token: None, text_changed: false }
}

/// Appends a result to the strip of recent results (one letter each), and drops the oldest beyond
/// [`RecentResult::MAX_RESULTS`].
pub(in crate::store) fn push_recent(strip: &str, result: RecentResult) -> String {
    let kept = strip.chars().count().saturating_sub(RecentResult::MAX_RESULTS - 1);
    strip.chars().skip(kept).chain(std::iter::once(result.letter())).collect()
}
