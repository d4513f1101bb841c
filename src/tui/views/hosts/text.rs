//! Texts of the hosts view: a host's back-off or pause, its documents, its responses.

use crate::domain::host_backoff::{BackoffKind, HostBackoff};
use crate::domain::pause::PauseScope;
use crate::domain::text::width;
use crate::format;
use crate::store::HostSummary;
use crate::tui::action::Action;
use crate::tui::describe::pause::{group_paused_by, of_group, paused_by, resume_key};
use crate::tui::model::Model;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::Tone;

/// Smallest percentage of failed documents, or of 429 or 503 responses, that is highlighted.
const NOTABLE_PERCENT: u64 = 10;
/// Smallest width of the column, in cells, at which the reason of a back-off is shown, cut if necessary.
const REASON_MIN_CELLS: usize = 36;

/// Returns the host's name, or `(files)` for documents without a host, which are files.
pub fn name(summary: &HostSummary) -> &str {
    if summary.host.is_empty() { "(files)" } else { &summary.host }
}

/// Returns the scope of a pause of this host.
pub fn scope(summary: &HostSummary) -> PauseScope {
    PauseScope::Host(summary.host.to_string())
}

/// Returns the host's back-off; `None` if there is none or it has ended.
pub fn host_backoff<'s>(model: &Model, summary: &'s HostSummary) -> Option<&'s HostBackoff> {
    summary.backoff.as_ref().filter(|backoff| backoff.until > model.now)
}

/// Returns the glyph that shows the state of a host, with the glyph's tone.
pub fn sign(model: &Model, summary: &HostSummary) -> (&'static str, Tone) {
    let glyphs = &model.glyphs;
    if of_group(model, &scope(summary)).is_some() {
        return (glyphs.stopped, Tone::Waiting);
    }
    match host_backoff(model, summary) {
        Some(backoff) if backoff.kind == BackoffKind::RetryAfter => (glyphs.retrying, Tone::Waiting),
        Some(_) => (glyphs.alarm, Tone::Lost),
        None if summary.running > 0 => (glyphs.running, Tone::Running),
        None if summary.ready > 0 => (glyphs.queued, Tone::Running),
        None if format::percent(summary.failed, summary.documents) >= NOTABLE_PERCENT => (glyphs.failed, Tone::Failed),
        None => (glyphs.good, Tone::Good),
    }
}

/// Returns the first of these that there is: the pause of the host or of everything, the host's back-off, the number of
/// its queued jobs. The text has the longest form that fits into `cells` cells, except that a wide column shows a
/// back-off with its reason, which may be longer. Empty if there is none of these.
pub fn state(model: &Model, summary: &HostSummary, cells: usize) -> (String, Tone) {
    let fitting = |forms: Vec<String>| {
        let last = forms.last().cloned().unwrap_or_default();
        forms.into_iter().find(|form| width(form) <= cells).unwrap_or(last)
    };
    if let Some(pause) = of_group(model, &scope(summary)) {
        let forms = vec![paused_by(model, pause), format!("paused by {}", pause.by), "paused".to_owned()];
        return (fitting(forms), Tone::Waiting);
    }
    if let Some(backoff) = host_backoff(model, summary) {
        let left = format::countdown(backoff.until.since(model.now));
        let (long, short, tone) = if backoff.kind == BackoffKind::RetryAfter {
            ("Retry-After", "wait", Tone::Waiting)
        } else {
            ("cool-down", "cool", Tone::Lost)
        };
        if cells >= REASON_MIN_CELLS {
            return (
                format!("{long}, {}: {}", format::until(model.countdown_time(), backoff.until), backoff.reason),
                tone,
            );
        }
        let forms = vec![format!("{long} {left}"), format!("{short} {left}"), left];
        return (fitting(forms), tone);
    }
    if summary.ready > 0 {
        return (
            fitting(vec![
                format!("{} queued", format::number(summary.ready)),
                format!("{} {}", model.glyphs.queued, format::short_number(summary.ready, 5)),
            ]),
            Tone::Plain,
        );
    }
    (String::new(), Tone::Plain)
}

/// Returns the host's number of running jobs and the limit per host, such as `2/4`; only the number if there is no
/// limit.
pub fn busy(model: &Model, summary: &HostSummary) -> (String, Tone) {
    let tone = if summary.running > 0 { Tone::Running } else { Tone::Dim };
    match model.options.per_host {
        0 => (format::number(summary.running), tone),
        cap => (format!("{}/{cap}", format::number(summary.running)), tone),
    }
}

/// Returns `part` as a percentage of `of`, in the tone `bad` if it is at least `NOTABLE_PERCENT`; a dash for 0.
pub fn share(model: &Model, part: u64, of: u64, bad: Tone) -> (String, Tone) {
    match format::percent(part, of) {
        0 => (model.glyphs.none.to_owned(), Tone::Dim),
        some if some >= NOTABLE_PERCENT => (format!("{some}%"), bad),
        some => (format!("{some}%"), Tone::Plain),
    }
}

/// Returns the median duration of the host's attempts in the last hour; a dash if it is not known.
pub fn latency(model: &Model, summary: &HostSummary) -> String {
    summary.median_duration.map_or_else(|| model.glyphs.none.to_owned(), format::duration)
}

/// Describes the pause of the host or of everything, else the host's back-off, else its running and queued jobs.
pub fn status_line(model: &Model, summary: &HostSummary) -> Spans {
    let (sign, tone) = sign(model, summary);
    let text = if let Some(pause) = of_group(model, &scope(summary)) {
        group_paused_by(model, pause)
    } else if let Some(backoff) = host_backoff(model, summary) {
        cooling_down(backoff)
    } else if summary.running + summary.ready > 0 {
        let cap = match model.options.per_host {
            0 => String::new(),
            cap => format!(", at most {cap} at a time"),
        };
        format!("{} running, {} queued{cap}", format::number(summary.running), format::number(summary.ready))
    } else {
        "no job is running or queued".to_owned()
    };
    vec![span(format!("{sign} {text}"), tone)]
}

fn cooling_down(backoff: &HostBackoff) -> String {
    format!("cooling down: {}", backoff.reason)
}

/// Describes the time of the next request to a host in back-off, and the keys that help. With `brief`, a pause is
/// described without the back-off, and a back-off by the time of the next request only.
pub fn next(model: &Model, summary: &HostSummary, brief: bool) -> Spans {
    let cooling = host_backoff(model, summary).map(|backoff| {
        let until = format::until(model.countdown_time(), backoff.until);
        format!("next request {until} ({})", backoff.until.clock(&model.zone()))
    });
    let (enter, pauses) = (model.key(Action::ShowDocuments), model.key(Action::Pause));
    let text = match (of_group(model, &scope(summary)), cooling) {
        (Some(pause), cooling) => {
            let cooling = cooling
                .filter(|_| !brief)
                .map_or(String::new(), |cooling| format!("; the host is cooling down, {cooling}"));
            format!("Its jobs are paused; `{}` resumes them{cooling}.", resume_key(model, pause))
        }
        (None, Some(cooling)) if brief => cooling,
        (None, Some(cooling)) => format!("Cooling down, {cooling}; no attempt is lost."),
        (None, None) if model.options.read_only => format!("`{enter}` shows its documents."),
        (None, None) => format!("`{enter}` shows its documents, `{pauses}` pauses it."),
    };
    with_keys(&text, Tone::Plain)
}

/// Returns the host's number of documents and the number of failed ones.
pub fn documents(summary: &HostSummary) -> Spans {
    let failed = match format::percent(summary.failed, summary.documents) {
        0 => "none failed".to_owned(),
        some => format!("{} failed ({some}%)", format::number(summary.failed)),
    };
    vec![span(format!("{}, {failed}", format::count(summary.documents, "document")), Tone::Plain)]
}

/// Describes the host's attempts and 429 or 503 responses in the last hour; with `brief`, in fewer words.
pub fn last_hour_line(summary: &HostSummary, brief: bool) -> Spans {
    if brief && summary.last_hour > 0 {
        let mut text = format!("{}/h", format::count(summary.last_hour, "attempt"));
        match format::percent(summary.rate_limited, summary.last_hour) {
            0 => text.push_str(", none 429/503"),
            some => text.push_str(&format!(", {some}% 429/503")),
        }
        text.extend(summary.median_duration.map(|median| format!(", latency {}", format::duration(median))));
        return vec![span(text, Tone::Plain)];
    }
    if summary.last_hour == 0 {
        return vec![span("no attempt in the last hour", Tone::Dim)];
    }
    let limited = match format::percent(summary.rate_limited, summary.last_hour) {
        0 => "none got 429 or 503".to_owned(),
        some => format!("{} got 429 or 503 ({some}%)", format::number(summary.rate_limited)),
    };
    let median = summary
        .median_duration
        .map_or(String::new(), |median| format!(", median latency {}", format::duration(median)));
    vec![
        span("last hour ", Tone::Dim),
        span(format!("{}, {limited}{median}", format::count(summary.last_hour, "attempt")), Tone::Plain),
    ]
}
