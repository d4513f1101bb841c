//! Texts of the hosts view: a host's back-off or pause, its documents, its responses.

use crate::domain::host_backoff::{BackoffKind, HostBackoff};
use crate::domain::pause::PauseScope;
use crate::domain::text::width;
use crate::format;
use crate::store::HostSummary;
use crate::tui::describe::pause::{group_paused_by, of_group, paused_by, resume_key};
use crate::tui::model::Model;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::Tone;

/// From this percentage on a failure share is highlighted.
const NOTABLE_PERCENT: u64 = 10;
/// Smallest width, in cells, in which a reason is shown, cut if necessary.
const REASON_MIN_CELLS: usize = 36;

/// Returns the host's name; documents that are files have none.
pub fn name(seen: &HostSummary) -> &str {
    if seen.host.is_empty() { "(files)" } else { &seen.host }
}

/// Returns the scope of a pause of this host.
pub fn scope(seen: &HostSummary) -> PauseScope {
    PauseScope::Host(seen.host.to_string())
}

/// Returns the host's back-off while it lasts.
pub fn host_backoff<'s>(model: &Model, seen: &'s HostSummary) -> Option<&'s HostBackoff> {
    seen.backoff.as_ref().filter(|hold| hold.until > model.now)
}

/// Returns the glyph before a host, with its tone.
pub fn sign(model: &Model, seen: &HostSummary) -> (&'static str, Tone) {
    let glyphs = &model.glyphs;
    if of_group(model, &scope(seen)).is_some() {
        return (glyphs.stopped, Tone::Waiting);
    }
    match host_backoff(model, seen) {
        Some(hold) if hold.kind == BackoffKind::RetryAfter => (glyphs.retrying, Tone::Waiting),
        Some(_) => (glyphs.alarm, Tone::Lost),
        None if seen.running > 0 => (glyphs.running, Tone::Running),
        None if seen.ready > 0 => (glyphs.queued, Tone::Running),
        None if format::percent(seen.failed, seen.documents) >= NOTABLE_PERCENT => (glyphs.failed, Tone::Failed),
        None => (glyphs.good, Tone::Good),
    }
}

/// Returns the pause, the back-off or the queue of the host, in the longest form that fits into `cells` cells.
pub fn state(model: &Model, seen: &HostSummary, cells: usize) -> (String, Tone) {
    let fitting = |forms: Vec<String>| {
        let last = forms.last().cloned().unwrap_or_default();
        forms.into_iter().find(|form| width(form) <= cells).unwrap_or(last)
    };
    if let Some(pause) = of_group(model, &scope(seen)) {
        let forms = vec![paused_by(model, pause), format!("paused by {}", pause.by), "paused".to_owned()];
        return (fitting(forms), Tone::Waiting);
    }
    if let Some(hold) = host_backoff(model, seen) {
        let left = format::countdown(hold.until.since(model.now));
        let (long, short, tone) = if hold.kind == BackoffKind::RetryAfter {
            ("Retry-After", "wait", Tone::Waiting)
        } else {
            ("cool-down", "cool", Tone::Lost)
        };
        if cells >= REASON_MIN_CELLS {
            return (format!("{long}, {}: {}", format::until(model.now, hold.until), hold.reason), tone);
        }
        let forms = vec![format!("{long} {left}"), format!("{short} {left}"), left];
        return (fitting(forms), tone);
    }
    if seen.ready > 0 {
        return (
            fitting(vec![
                format!("{} queued", format::number(seen.ready)),
                format!("{} {}", model.glyphs.queued, format::short_number(seen.ready, 5)),
            ]),
            Tone::Plain,
        );
    }
    (String::new(), Tone::Plain)
}

/// Returns the number of running jobs and the limit per host, if there is one.
pub fn busy(model: &Model, seen: &HostSummary) -> (String, Tone) {
    let tone = if seen.running > 0 { Tone::Running } else { Tone::Dim };
    match model.options.per_host {
        0 => (format::number(seen.running), tone),
        cap => (format!("{}/{cap}", format::number(seen.running)), tone),
    }
}

/// Returns a share in per cent, in the tone `bad` if it is high.
pub fn share(model: &Model, part: u64, of: u64, bad: Tone) -> (String, Tone) {
    match format::percent(part, of) {
        0 => (model.glyphs.none.to_owned(), Tone::Dim),
        some if some >= NOTABLE_PERCENT => (format!("{some}%"), bad),
        some => (format!("{some}%"), Tone::Plain),
    }
}

/// Returns the median duration of an attempt.
pub fn latency(model: &Model, seen: &HostSummary) -> String {
    seen.median_duration.map_or_else(|| model.glyphs.none.to_owned(), format::duration)
}

/// Describes the host's pause or back-off; without one its running and queued jobs.
pub fn status_line(model: &Model, seen: &HostSummary) -> Spans {
    let (sign, tone) = sign(model, seen);
    let said = if let Some(pause) = of_group(model, &scope(seen)) {
        group_paused_by(model, pause)
    } else if let Some(hold) = host_backoff(model, seen) {
        cooling_down(hold)
    } else if seen.running + seen.ready > 0 {
        let cap = match model.options.per_host {
            0 => String::new(),
            cap => format!(", at most {cap} at a time"),
        };
        format!("{} running, {} queued{cap}", format::number(seen.running), format::number(seen.ready))
    } else {
        "no job is running or queued".to_owned()
    };
    vec![span(format!("{sign} {said}"), tone)]
}

fn cooling_down(hold: &HostBackoff) -> String {
    format!("cooling down: {}", hold.reason)
}

/// Describes the next step and the key that changes it; with `brief` the first part only.
pub fn next(model: &Model, seen: &HostSummary, brief: bool) -> Spans {
    let held = host_backoff(model, seen).map(|hold| {
        let until = format::until(model.now, hold.until);
        format!("next request {until} ({})", hold.until.clock(&model.zone()))
    });
    let enter = model.glyphs.enter;
    let text = match (of_group(model, &scope(seen)), held) {
        (Some(pause), held) => {
            let held =
                held.filter(|_| !brief).map_or(String::new(), |held| format!("; the host is cooling down, {held}"));
            format!("No job starts until `{}` resumes{held}.", resume_key(pause))
        }
        (None, Some(held)) if brief => held,
        (None, Some(held)) => format!("Cooling down, {held}; no attempt is lost."),
        (None, None) if model.options.read_only => format!("`{enter}` shows its documents."),
        (None, None) => format!("`{enter}` shows its documents, `p` pauses it."),
    };
    with_keys(&text, Tone::Plain)
}

/// Returns the number of documents and of failed ones.
pub fn documents(seen: &HostSummary) -> Spans {
    let failed = match format::percent(seen.failed, seen.documents) {
        0 => "none failed".to_owned(),
        some => format!("{} failed ({some}%)", format::number(seen.failed)),
    };
    vec![span(format!("{}, {failed}", format::count(seen.documents, "document")), Tone::Plain)]
}

/// Describes the host's responses in the last hour; with `brief` in few words.
pub fn last_hour_line(seen: &HostSummary, brief: bool) -> Spans {
    if brief && seen.last_hour > 0 {
        let mut said = format!("{}/h", format::count(seen.last_hour, "attempt"));
        match format::percent(seen.rate_limited, seen.last_hour) {
            0 => said.push_str(", none 429/503"),
            some => said.push_str(&format!(", {some}% 429/503")),
        }
        said.extend(seen.median_duration.map(|median| format!(", latency {}", format::duration(median))));
        return vec![span(said, Tone::Plain)];
    }
    if seen.last_hour == 0 {
        return vec![span("no attempt in the last hour", Tone::Dim)];
    }
    let limited = match format::percent(seen.rate_limited, seen.last_hour) {
        0 => "none answered 429 or 503".to_owned(),
        some => format!("{} answered 429 or 503 ({some}%)", format::number(seen.rate_limited)),
    };
    let median = seen.median_duration.map_or(String::new(), |median| format!(", median {}", format::duration(median)));
    vec![
        span("last hour ", Tone::Dim),
        span(format!("{}, {limited}{median}", format::count(seen.last_hour, "attempt")), Tone::Plain),
    ]
}
