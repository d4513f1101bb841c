//! A row of the list in words: what matters now, and the times.

use crate::domain::document::{DocumentRow, Status};
use crate::domain::failure::ErrorCode;
use crate::domain::politeness::Hold;
use crate::domain::text::{fit, width};
use crate::domain::time::{Timestamp, age, countdown};
use crate::runner::event::Phase;
use crate::tui::model::Model;
use crate::tui::theme::{self, Tone};
use std::time::Duration;

/// The last failure in plain words: `404 Not Found`, `timeout: no answer in 20 s`.
pub fn error(row: &DocumentRow) -> Option<String> {
    let code = row.error_code?;
    let detail = row.detail.as_deref().filter(|detail| !detail.is_empty());
    Some(cause(code, row.http_status, detail))
}

/// A failure in plain words. An answer's own words carry its number already.
pub fn cause(code: ErrorCode, http_status: Option<u16>, detail: Option<&str>) -> String {
    let plain = code.plain();
    match (detail, http_status) {
        (Some(detail), Some(status)) if detail.starts_with(&status.to_string()) => detail.to_owned(),
        (Some(detail), _) if detail.to_lowercase().starts_with(plain) => detail.to_owned(),
        (Some(detail), _) => format!("{plain}: {detail}"),
        (None, Some(status)) => format!("{status} {plain}"),
        (None, None) => plain.to_owned(),
    }
}

/// The same in as few words as say anything: `404 not found`, `503`, `timeout`.
fn short_error(row: &DocumentRow) -> Option<String> {
    let code = row.error_code?;
    Some(match (row.http_status, code) {
        (Some(status), ErrorCode::NotFound | ErrorCode::AccessDenied) => format!("{status} {}", code.plain()),
        (Some(status), ErrorCode::FetchFailed | ErrorCode::Timeout) if !(200..300).contains(&status) => {
            status.to_string()
        }
        _ => code.plain().to_owned(),
    })
}

/// The last failure in the words that fit; cut only when not even the fewest do.
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

/// Why a ready job is not running yet.
pub fn why_queued(model: &Model, row: &DocumentRow) -> String {
    if model.queue.workers == 0 && !model.has_runner {
        return "no worker runs".to_owned();
    }
    if model.has_runner && model.runner.phase != Phase::Running && model.queue.workers <= 1 {
        return "the runner is stopping".to_owned();
    }
    if let Some(pause) = crate::tui::say::pause::of_row(model, row) {
        return crate::tui::say::pause::by_whom(model, pause);
    }
    if let Some(hold) = hold(model, row) {
        return format!("host held until {}: {}", hold.until.clock(&model.zone()), hold.because);
    }
    let same_host = model.documents.page.rows.iter().filter(|other| other.host == row.host);
    let busy = same_host.filter(|other| other.status == Status::Syncing && other.held_by.is_some()).count();
    let cap = model.options.per_host;
    if cap > 0 && busy >= cap as usize {
        return format!("host busy {cap}/{cap}");
    }
    "waits for a slot".to_owned()
}

/// Why the host of a ready job is left alone, while it is.
pub fn hold<'r>(model: &Model, row: &'r DocumentRow) -> Option<&'r Hold> {
    row.host_hold.as_ref().filter(|hold| row.status == Status::Queued && hold.until > model.now)
}

/// Why a job waits whose document's lock is somebody else's.
pub fn why_held(row: &DocumentRow) -> String {
    match row.held_by.as_deref() {
        Some(name) => format!("held by another worker: {name}"),
        None => "held by another worker".to_owned(),
    }
}

/// Whether a row runs on a worker that is gone, with no other one to take it up.
pub fn is_orphaned(model: &Model, row: &DocumentRow) -> bool {
    row.status == Status::Syncing && row.held_by.is_some() && !model.has_runner && model.queue.workers == 0
}

/// What a running attempt is doing.
pub fn step(model: &Model, row: &DocumentRow) -> String {
    if is_orphaned(model, row) {
        return "its worker is gone".to_owned();
    }
    if row.cancel_requested {
        return "stopping".to_owned();
    }
    match (model.steps.get(&row.id).copied().or(row.sync_step), &row.held_by) {
        (Some(step), _) => step.word().to_owned(),
        (None, Some(worker)) if !model.has_runner => format!("on {worker}"),
        _ => "running".to_owned(),
    }
}

/// The column that says what matters now, in at most `cells` cells.
pub fn matters(model: &Model, row: &DocumentRow, cells: usize) -> (String, Tone) {
    let more = model.glyphs.more;
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
        Status::Waiting if row.held_by.is_some() => (clip(&why_held(row), cells, more), Tone::Waiting),
        Status::Waiting => {
            let tries = row.try_of.map_or(String::new(), |tried| format!(", {} of {}", tried.number, tried.of));
            // The count must not be what is cut off.
            let room = cells.saturating_sub(width(&tries));
            let cause = fitting_error(row, room, more).unwrap_or_else(|| clip("waits for its next try", room, more));
            (format!("{cause}{tries}"), Tone::Waiting)
        }
        Status::Queued => {
            let why = why_queued(model, row);
            let short = why.starts_with("host held") && width(&why) > cells;
            (if short { clip("host held", cells, more) } else { clip(&why, cells, more) }, Tone::Dim)
        }
        Status::Stuck => {
            let since = row.attempted_at.map_or(String::new(), |at| format!(" for {}", age(model.now.since(at))));
            (clip(&format!("no worker{since}"), cells, more), Tone::Lost)
        }
        Status::Never if !row.available => (clip("not available", cells, more), Tone::Dim),
        status => match (crate::tui::views::detail::text::in_row(model, row), fitting_error(row, cells, more)) {
            // A failure is told by the status; that somebody must decide is told nowhere else.
            (Some(held), _) => (clip(&held, cells, more), Tone::Lost),
            (None, Some(error)) => (error, theme::status(status)),
            (None, None) => (String::new(), Tone::Plain),
        },
    }
}

/// When the last attempt was.
pub fn attempted(model: &Model, row: &DocumentRow) -> String {
    row.attempted_at.map_or_else(|| model.glyphs.none.to_owned(), |at| age(model.now.since(at)))
}

/// When it was last found good.
pub fn synced(model: &Model, row: &DocumentRow) -> String {
    row.synced_at.map_or_else(|| "never".to_owned(), |at| age(model.now.since(at)))
}

/// When it is tried next.
pub fn next(model: &Model, row: &DocumentRow) -> (String, Tone) {
    match (row.status, row.next_attempt_at) {
        (Status::Syncing, _) => (String::new(), Tone::Dim),
        (Status::Queued, _) if crate::tui::say::pause::of_row(model, row).is_some() => {
            ("paused".to_owned(), Tone::Waiting)
        }
        (Status::Queued, _) => match hold(model, row) {
            Some(hold) => (until(model.now, hold.until), Tone::Waiting),
            None => ("now".to_owned(), Tone::Dim),
        },
        (status, Some(at)) => {
            let tone = if status == Status::Waiting { Tone::Waiting } else { Tone::Dim };
            (until(model.now, at), tone)
        }
        (_, None) => (model.glyphs.none.to_owned(), Tone::Dim),
    }
}

/// How soon: `now`, `in 1:20`, `in 6d`.
pub fn until(now: Timestamp, at: Timestamp) -> String {
    match at.since(now) {
        left if left < Duration::from_secs(1) => "now".to_owned(),
        left => format!("in {}", countdown(left)),
    }
}

/// `text` in at most `cells` cells, with this set's own sign for what was cut.
pub fn clip(text: &str, cells: usize, more: &str) -> String {
    let fitted = fit(text, cells);
    if more == "…" || fitted == text { fitted } else { fitted.replace('…', more) }
}
