//! Texts of the jobs view: the step of a running job, the reason why a job waits, its result, and the times.

use super::state::Section;
use crate::domain::document::FailureCount;
use crate::domain::pause::Pause;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::{JobBlockers, JobProgress, JobSummary};
use crate::tui::describe::pause::of_job;
use crate::tui::model::Model;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::outcomes::text as outcome_text;

/// Returns the glyph that shows the state of a job, with the glyph's tone.
pub fn sign(model: &Model, summary: &JobSummary) -> (&'static str, Tone) {
    let glyphs = &model.glyphs;
    match &summary.progress {
        JobProgress::Running { lease_until, .. } if lease_until.is_some_and(|at| at <= model.now) => {
            (glyphs.alarm, Tone::Lost)
        }
        JobProgress::Running { .. } => (glyphs.running, Tone::Running),
        JobProgress::Ready { .. } => (glyphs.queued, Tone::Running),
        JobProgress::Waiting { after: None, lock_holder: None, .. } => (glyphs.stale, Tone::Dim),
        JobProgress::Waiting { .. } => (glyphs.retrying, Tone::Waiting),
        JobProgress::Ended { result, content, .. } => {
            (outcome_text::sign(glyphs, *content, *result), outcome_text::tone(*content, *result))
        }
    }
}

/// Describes what a job does, why it waits, or how it ended.
pub fn status_detail(model: &Model, summary: &JobSummary) -> Spans {
    match &summary.progress {
        JobProgress::Running { worker, cancelled_by, lease_until, heartbeat_at, .. } => {
            let holder = worker.as_deref().unwrap_or("(worker unknown)");
            let (text, tone) = match (cancelled_by, model.steps.get(&summary.document)) {
                _ if lease_until.is_some_and(|at| at <= model.now) => ("lease expired".to_owned(), Tone::Lost),
                (Some(by), _) => (format!("stopping for {by}"), Tone::Waiting),
                _ if heartbeat_at.is_none() => ("worker died".to_owned(), Tone::Lost),
                (None, Some(step)) => (step.word().to_owned(), Tone::Running),
                (None, None) => ("running".to_owned(), Tone::Running),
            };
            vec![span(format!("{text} "), tone), span(holder, Tone::Plain)]
        }
        JobProgress::Ready { .. } if let Some(pause) = of_job(model, summary) => paused(pause, None),
        JobProgress::Ready { blockers, .. } => {
            let (why, tone) = why_ready(model, summary, blockers);
            vec![span(why, tone)]
        }
        JobProgress::Waiting { after, .. } if let Some(pause) = of_job(model, summary) => paused(pause, *after),
        JobProgress::Waiting { after, lock_holder, .. } => match (lock_holder, after) {
            (Some(holder), _) => vec![span(format!("locked by another worker: {holder}"), Tone::Waiting)],
            (None, Some(tried)) => {
                vec![span(
                    format!("failed, attempt {} of {} next", tried.failures + 1, tried.attempts_allowed),
                    Tone::Waiting,
                )]
            }
            (None, None) => vec![span("scheduled", Tone::Dim)],
        },
        JobProgress::Ended { result, error_code, content, .. } => {
            let ended = format::outcome(*content, *result);
            let text =
                error_code.map_or_else(|| ended.to_owned(), |code| format!("{ended}: {}", format::error_code(code)));
            vec![span(text, outcome_text::tone(*content, *result))]
        }
    }
}

/// Describes a paused job. The person who paused it and the scope of the pause come first, because the end of the text
/// may be cut off.
fn paused(pause: &Pause, after: Option<FailureCount>) -> Spans {
    let mut text = vec![span(format!("paused by {}: {}", pause.by, pause.scope), Tone::Waiting)];
    text.extend(
        after.map(|tried| {
            span(format!(", then attempt {} of {}", tried.failures + 1, tried.attempts_allowed), Tone::Dim)
        }),
    );
    text
}

/// Returns the reason why a ready job that is not paused does not run yet. The first of these counts: no worker, the
/// closed window of the plan, the host's back-off, the limit per host, the account's limit, no free slot.
fn why_ready(model: &Model, summary: &JobSummary, blockers: &JobBlockers) -> (String, Tone) {
    if model.queue.workers == 0 && !model.has_runner {
        return ("no worker runs".to_owned(), Tone::Waiting);
    }
    if let Some(window) = blockers.window.as_ref().filter(|window| window.opens_at > model.now) {
        return (format::closed_window_short(window), Tone::Waiting);
    }
    if let Some(at) = blockers.host_backoff_until.filter(|at| *at > model.now) {
        let because = blockers.host_backoff_reason.as_ref().map_or(String::new(), |because| format!(": {because}"));
        return (format!("cooling down, ends {}{because}", format::until(model.countdown_time(), at)), Tone::Waiting);
    }
    let cap = u64::from(model.options.per_host);
    if cap > 0 && blockers.host_running >= cap {
        return (format!("host busy {}/{cap}", blockers.host_running), Tone::Plain);
    }
    match blockers.account_cap {
        Some(cap) if blockers.account_running >= cap => {
            (format!("account {} at its cap {}/{cap}", summary.account, blockers.account_running), Tone::Plain)
        }
        _ => ("waits for a slot".to_owned(), Tone::Dim),
    }
}

/// Returns the time for which a running job has run, or the queue class of any other: the column before the last.
pub fn middle_column(model: &Model, summary: &JobSummary) -> String {
    match &summary.progress {
        JobProgress::Running { started_at, .. } => age(model, *started_at),
        _ => summary.class.word().to_owned(),
    }
}

/// Returns the age of the heartbeat of a running job's worker; empty for any other job.
pub fn heartbeat(model: &Model, summary: &JobSummary) -> String {
    match &summary.progress {
        JobProgress::Running { heartbeat_at, .. } => age(model, *heartbeat_at),
        _ => String::new(),
    }
}

fn age(model: &Model, at: Option<Timestamp>) -> String {
    at.map_or_else(|| model.glyphs.none.to_owned(), |at| format::age(model.now.since(at)))
}

/// Returns the text of the last column: the remaining lease of a running job, the time since a job became ready, the
/// time until the next attempt of a waiting job, or the time since a job ended.
pub fn last_column(model: &Model, summary: &JobSummary) -> (String, Tone) {
    match &summary.progress {
        JobProgress::Running { lease_until, .. } => match lease_until {
            Some(at) if *at > model.now => (format::countdown(at.since(model.now)), Tone::Dim),
            Some(_) => ("expired".to_owned(), Tone::Lost),
            None => (model.glyphs.none.to_owned(), Tone::Dim),
        },
        JobProgress::Ready { since, .. } => (format::age(model.now.since(*since)), Tone::Dim),
        JobProgress::Waiting { run_at, after, lock_holder } => {
            // What the schedule does at its time is no trouble.
            let is_scheduled = after.is_none() && lock_holder.is_none();
            let tone = if is_scheduled { Tone::Dim } else { Tone::Waiting };
            (format::until(model.countdown_time(), *run_at), tone)
        }
        JobProgress::Ended { at, .. } => (format::age(model.now.since(*at)), Tone::Dim),
    }
}

/// Returns a section's name and the headings of its last columns, the last one first.
pub const fn heading(section: Section) -> (&'static str, [&'static str; 3]) {
    match section {
        Section::Running => ("running", ["lease", "elapsed", "heartbeat"]),
        Section::Ready => ("ready", ["since", "class", ""]),
        Section::Waiting => ("waiting", ["next", "class", ""]),
        Section::Recent => ("recent", ["ended", "class", ""]),
    }
}
