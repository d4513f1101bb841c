//! Texts of a row in the list of documents: the detail of the status, and the times.

use crate::domain::calendar::ClosedWindow;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::faq::{FaqJob, FaqState};
use crate::domain::host_backoff::HostBackoff;
use crate::domain::text::width;
use crate::format;
use crate::runner::event::Phase;
use crate::tui::describe::pause;
use crate::tui::model::Model;
use crate::tui::text::lines::clip;
use crate::tui::theme::{self, Tone};

/// Returns the document's last failure in plain words, such as `404 Not Found` or `timeout: no answer in 20 s`; `None`
/// without a failure.
pub fn error(row: &DocumentRow) -> Option<String> {
    let code = row.error_code?;
    let detail = row.detail.as_deref().filter(|detail| !detail.is_empty());
    Some(format::failure(code, row.http_status, detail))
}

/// Returns the shortest form of the document's last failure, such as `404 not found`, `503` or `timeout`; `None`
/// without a failure.
fn short_error(row: &DocumentRow) -> Option<String> {
    row.error_code.map(|code| format::short_failure(code, row.http_status))
}

/// Returns the longest form of the document's last failure that fits into `cells` cells; if no form fits, the full
/// form, cut and ended by the ellipsis `more`. `None` without a failure.
fn fitting_error(row: &DocumentRow, cells: usize, more: &str) -> Option<String> {
    let full = error(row)?;
    if width(&full) <= cells {
        return Some(full);
    }
    match short_error(row) {
        Some(short) if width(&short) <= cells => Some(short),
        _ => Some(clip(&full, cells, more)),
    }
}

/// Returns the reason why a ready job does not run yet.
pub fn why_queued(model: &Model, row: &DocumentRow) -> String {
    if model.queue.workers == 0 && !model.has_runner {
        return "no worker runs".to_owned();
    }
    if model.has_runner && model.runner.phase == Phase::Off && model.queue.workers <= 1 {
        return "runner off (^r)".to_owned();
    }
    if model.has_runner && model.runner.phase != Phase::Running && model.queue.workers <= 1 {
        return "the runner is stopping".to_owned();
    }
    if let Some(pause) = pause::of_row(model, row) {
        return pause::paused_by(model, pause);
    }
    if let Some(window) = window(model, row) {
        return format::closed_window_short(window);
    }
    if let Some(backoff) = host_backoff(model, row) {
        return format!("host cooling down until {}: {}", backoff.until.clock(&model.zone()), backoff.reason);
    }
    let same_host = model.documents.page.rows.iter().filter(|other| other.host == row.host);
    let busy = same_host.filter(|other| other.status == Status::Syncing && other.holder.is_some()).count();
    let cap = model.options.per_host;
    if cap > 0 && busy >= cap as usize {
        return format!("host busy {cap}/{cap}");
    }
    "waits for a slot".to_owned()
}

/// Returns the window for which the document's job waits, if that has not opened.
pub fn window<'r>(model: &Model, row: &'r DocumentRow) -> Option<&'r ClosedWindow> {
    row.window.as_ref().filter(|window| row.status == Status::Queued && window.opens_at > model.now)
}

/// Returns the back-off of the document's host if the document is queued and the back-off has not ended.
pub fn host_backoff<'r>(model: &Model, row: &'r DocumentRow) -> Option<&'r HostBackoff> {
    row.host_backoff.as_ref().filter(|backoff| row.status == Status::Queued && backoff.until > model.now)
}

/// Describes a job that waits because another worker has the document's lock.
pub fn why_locked(row: &DocumentRow) -> String {
    match row.holder.as_deref() {
        Some(name) => format!("locked by another worker: {name}"),
        None => "locked by another worker".to_owned(),
    }
}

/// Returns true if the row's job counts as running but no worker is alive: its own worker is gone, and no other worker
/// can rescue the job.
pub fn is_orphaned(model: &Model, row: &DocumentRow) -> bool {
    row.status == Status::Syncing && row.holder.is_some() && !model.has_runner && model.queue.workers == 0
}

/// Returns the current step of a running attempt in words, or that its worker died or the attempt is stopping; if the
/// step is not known, the worker or "running".
pub fn step(model: &Model, row: &DocumentRow) -> String {
    if is_orphaned(model, row) {
        return "its worker died".to_owned();
    }
    if row.cancel_requested {
        return "stopping".to_owned();
    }
    match (model.steps.get(&row.id).copied().or(row.sync_step), &row.holder) {
        (Some(step), _) => step.word().to_owned(),
        (None, Some(worker)) if !model.has_runner => format!("on {worker}"),
        _ => "running".to_owned(),
    }
}

/// Returns the text of the column "last error", at most `cells` cells wide: the step of the attempt, the reason of the
/// wait, or the last failure, whichever matters for the status.
pub fn status_detail(model: &Model, row: &DocumentRow, cells: usize) -> (String, Tone) {
    let more = model.glyphs.ellipsis;
    match row.status {
        Status::Syncing => {
            let step = step(model, row);
            if is_orphaned(model, row) {
                return (clip(&step, cells, more), Tone::Lost);
            }
            let dots = if model.glyphs.ascii { "..." } else { more };
            let ends = if step.starts_with("on ") { "" } else { dots };
            (clip(&format!("{step}{ends}"), cells, more), Tone::Running)
        }
        Status::Waiting if row.holder.is_some() => (clip(&why_locked(row), cells, more), Tone::Waiting),
        Status::Waiting => {
            let tries = row
                .failure_count
                .map_or(String::new(), |tried| format!(", {} of {}", tried.failures, tried.attempts_allowed));
            // The count of attempts must not be cut off.
            let available = cells.saturating_sub(width(&tries));
            let cause = fitting_error(row, available, more)
                .unwrap_or_else(|| clip("waits for its next attempt", available, more));
            (format!("{cause}{tries}"), Tone::Waiting)
        }
        Status::Queued => {
            let why = why_queued(model, row);
            let short = why.starts_with("host cooling down") && width(&why) > cells;
            (if short { clip("cooling down", cells, more) } else { clip(&why, cells, more) }, Tone::Dim)
        }
        Status::Stuck => {
            let since =
                row.attempted_at.map_or(String::new(), |at| format!(" for {}", format::age(model.now.since(at))));
            (clip(&format!("no worker{since}"), cells, more), Tone::Lost)
        }
        Status::Pdf => (clip("never fetched", cells, more), Tone::Dim),
        Status::Crawling => (clip("no text yet", cells, more), Tone::Dim),
        Status::Never if !row.available => (clip("not available", cells, more), Tone::Dim),
        status => match (review_note(model, row), fitting_error(row, cells, more)) {
            // The note comes before the failure: the status shows that there is a failure, but only the note shows that
            // a person has to decide.
            (Some(quarantined), _) => (clip(&quarantined, cells, more), Tone::Lost),
            (None, Some(error)) => (error, theme::status(status)),
            (None, None) => {
                faq_note(row).map_or((String::new(), Tone::Plain), |note| (clip(note, cells, more), Tone::Waiting))
            }
        },
    }
}

/// Returns the note that an FAQ job waits, or else that about FAQs themselves; `None` if there is nothing to say.
fn faq_note(row: &DocumentRow) -> Option<&'static str> {
    let faqs = row.faqs.as_ref()?;
    match faqs.job {
        Some(FaqJob::Waiting { .. }) => Some("FAQ job waits"),
        _ => format::faq_note(faqs.state),
    }
}

/// Returns the text of the column "FAQs": their number, with a word if they are missing or older than the text; a question
/// mark if it is not known whether they are.
pub fn faqs(model: &Model, row: &DocumentRow) -> (String, Tone) {
    let Some(faqs) = &row.faqs else { return (model.glyphs.none.to_owned(), Tone::Dim) };
    let number = format::short_number(faqs.faqs, 3);
    match faqs.state {
        FaqState::None => ("none".to_owned(), Tone::Waiting),
        FaqState::Stale => (format!("{number} stale"), Tone::Waiting),
        FaqState::Ok => (number, Tone::Plain),
        FaqState::Unknown => (format!("{number} ?"), Tone::Dim),
    }
}

/// Returns the age of the last attempt; a dash without one.
pub fn attempted(model: &Model, row: &DocumentRow) -> String {
    row.attempted_at.map_or_else(|| model.glyphs.none.to_owned(), |at| format::age(model.now.since(at)))
}

/// Returns the age of the last successful sync, or "never".
pub fn synced(model: &Model, row: &DocumentRow) -> String {
    row.synced_at.map_or_else(|| "never".to_owned(), |at| format::age(model.now.since(at)))
}

/// Returns the text of the column "next": the time until the next attempt or the end of the host's back-off, "now" or
/// "paused" for a queued document, nothing for a syncing one, and a dash if no attempt is scheduled.
pub fn next(model: &Model, row: &DocumentRow) -> (String, Tone) {
    match (row.status, row.next_attempt_at) {
        (Status::Syncing, _) => (String::new(), Tone::Dim),
        (Status::Queued, _) if pause::of_row(model, row).is_some() => ("paused".to_owned(), Tone::Waiting),
        (Status::Queued, _) => {
            let backoff = host_backoff(model, row).map(|backoff| backoff.until);
            match window(model, row).map(|window| window.opens_at).max(backoff) {
                Some(at) => (format::until(model.countdown_time(), at), Tone::Waiting),
                None => ("now".to_owned(), Tone::Dim),
            }
        }
        (status, Some(at)) => {
            let tone = if status == Status::Waiting { Tone::Waiting } else { Tone::Dim };
            (format::until(model.countdown_time(), at), tone)
        }
        (_, None) => (model.glyphs.none.to_owned(), Tone::Dim),
    }
}

/// Returns true if a person can decide about the quarantined content now. While the document has a job that has not
/// ended, an attempt may bring another text.
pub const fn can_be_decided(row: &DocumentRow) -> bool {
    row.quarantine_reason.is_some() && !matches!(row.status, Status::Syncing | Status::Queued | Status::Waiting)
}

/// Returns the note about quarantined content in the list, such as `? review: looks like a login page`; `None` without
/// such content.
pub fn review_note(model: &Model, row: &DocumentRow) -> Option<String> {
    row.quarantine_reason.as_ref().map(|reason| format!("{} review: {reason}", model.glyphs.quarantined))
}
