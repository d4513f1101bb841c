//! Texts of the accounts view: an account's plan, its documents by status, its share of the last hour's attempts.

use crate::domain::calendar::ClosedWindow;
use crate::domain::document::Status;
use crate::domain::pause::PauseScope;
use crate::domain::plan::Cadence;
use crate::format;
use crate::store::AccountSummary;
use crate::tui::action::Action;
use crate::tui::describe::pause::{group_paused_by, of_group, resume_key};
use crate::tui::model::Model;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::{self, Tone};
use std::time::Duration;

/// Returns the account's number and, if known, its name.
pub fn name(summary: &AccountSummary) -> String {
    match &summary.name {
        Some(name) => format!("{} {name}", summary.id),
        None => summary.id.to_string(),
    }
}

/// Returns the glyph that shows the state of an account, with the glyph's tone.
pub fn sign(model: &Model, summary: &AccountSummary) -> (&'static str, Tone) {
    let glyphs = &model.glyphs;
    if is_paused(model, summary) {
        (glyphs.stopped, Tone::Waiting)
    } else if summary.counts.of(Status::Stuck) > 0 {
        (glyphs.alarm, Tone::Lost)
    } else if summary.running > 0 {
        (glyphs.running, Tone::Running)
    } else if summary.ready > 0 {
        (glyphs.queued, Tone::Running)
    } else if summary.waiting > 0 {
        (glyphs.retrying, Tone::Waiting)
    } else {
        (glyphs.good, Tone::Good)
    }
}

/// Returns the account's plan and cadence, such as `business 1w`, with its tone. The part that is not known is left
/// out; without both, the text is a dash.
pub fn plan(model: &Model, summary: &AccountSummary) -> (String, Tone) {
    match (&summary.plan, summary.cadence.map(short_cadence)) {
        (Some(plan), Some(every)) => (format!("{plan} {every}"), Tone::Plain),
        (Some(plan), None) => (plan.to_string(), Tone::Dim),
        (None, Some(every)) => (every, Tone::Plain),
        (None, None) => (model.glyphs.none.to_owned(), Tone::Dim),
    }
}

/// Returns the account's plan and cadence in words, such as `plan business, every 1 week`. A plan without a cadence is
/// `manual only`; `None` if neither is known.
pub fn plan_in_words(summary: &AccountSummary) -> Option<String> {
    let every = summary.cadence.and_then(Cadence::new);
    match (&summary.plan, every) {
        (Some(plan), Some(every)) => Some(format!("plan {plan}, {every}")),
        (Some(plan), None) => Some(format!("plan {plan}, manual only")),
        (None, every) => every.map(|every| every.to_string()),
    }
}

/// Returns a cadence in its largest whole unit: one day is `1d`, not `24h`.
fn short_cadence(every: Duration) -> String {
    let s = every.as_secs();
    let units = [(604_800, "w"), (86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")];
    let unit = units.into_iter().find(|(unit, _)| s.is_multiple_of(*unit));
    unit.map_or_else(|| format::duration(every), |(unit, word)| format!("{}{word}", s / unit))
}

/// Returns the account's documents by status as a strip of `cells` glyphs, in the order of [`Status::ALL`]; a dash if
/// there are no documents. Each status that occurs gets at least one glyph, as far as there are cells. The other glyphs
/// go to the statuses in proportion to their numbers of documents.
pub fn status_strip(model: &Model, summary: &AccountSummary, cells: usize) -> Spans {
    let mut parts: Vec<(Status, u64)> =
        Status::ALL.into_iter().map(|status| (status, summary.counts.of(status))).filter(|(_, n)| *n > 0).collect();
    if parts.is_empty() {
        return vec![span(model.glyphs.none, Tone::Dim)];
    }
    parts.truncate(cells);
    let mut signs = vec![1_u64; parts.len()];
    for _ in parts.len()..cells {
        // The next glyph goes to the status with the most documents per glyph.
        let most = (0..parts.len()).max_by_key(|index| (parts[*index].1 / signs[*index], usize::MAX - index));
        if let Some(index) = most {
            signs[index] += 1;
        }
    }
    let sign = |(status, signs): (Status, u64)| {
        span(model.glyphs.status(status).repeat(usize::try_from(signs).unwrap_or(cells)), theme::status(status))
    };
    parts.into_iter().map(|(status, _)| status).zip(signs).map(sign).collect()
}

/// Returns the account's share of the last hour's attempts, as a bar of up to `cells` cells and in per cent; no bar and
/// a dash if it had no attempts.
pub fn share(model: &Model, summary: &AccountSummary, cells: usize) -> (String, String) {
    let all = model.views.accounts.last_hour();
    if summary.last_hour == 0 || all == 0 {
        return (String::new(), model.glyphs.none.to_owned());
    }
    let part = summary.last_hour as f64 / all as f64;
    let halves = ((part * (cells * 2) as f64).round() as usize).clamp(1, cells * 2);
    let [half, whole] = model.glyphs.horizontal_bar;
    let bar = format!("{}{}", whole.repeat(halves / 2), half.repeat(halves % 2));
    (bar, format!("{}%", format::percent(summary.last_hour, all)))
}

/// Returns the text of the column "next": the time until the account's next scheduled job is due, "now" if there are
/// ready jobs but no scheduled ones, "paused", or a dash.
pub fn next_due(model: &Model, summary: &AccountSummary) -> (String, Tone) {
    if is_paused(model, summary) {
        return ("paused".to_owned(), Tone::Waiting);
    }
    match (summary.next_due_at, window(model, summary)) {
        (at, Some(window)) => {
            let at = at.map_or(window.opens_at, |at| at.min(window.opens_at));
            (format::until(model.countdown_time(), at), Tone::Waiting)
        }
        (Some(at), None) => (format::until(model.countdown_time(), at), Tone::Dim),
        (None, None) if summary.ready > 0 => ("now".to_owned(), Tone::Dim),
        (None, None) => (model.glyphs.none.to_owned(), Tone::Dim),
    }
}

/// Returns the window for which the account's ready jobs wait, if that has not opened.
fn window<'s>(model: &Model, summary: &'s AccountSummary) -> Option<&'s ClosedWindow> {
    summary.window.as_ref().filter(|window| summary.ready > 0 && window.opens_at > model.now)
}

/// Returns true if all of the account's jobs are paused: by a pause of the account, or of everything.
pub fn is_paused(model: &Model, summary: &AccountSummary) -> bool {
    of_group(model, &PauseScope::Account(summary.id)).is_some()
}

/// Returns the account's numbers of running, queued and waiting jobs as text.
pub fn jobs(summary: &AccountSummary) -> String {
    format!(
        "{} running, {} queued, {} waiting",
        format::number(summary.running),
        format::number(summary.ready),
        format::number(summary.waiting)
    )
}

/// Describes the account's jobs and, before them, a pause. With `brief`, a paused account is described without its
/// jobs.
pub fn status_line(model: &Model, summary: &AccountSummary, brief: bool) -> Spans {
    let (sign, tone) = sign(model, summary);
    let jobs = jobs(summary);
    let Some(pause) = of_group(model, &PauseScope::Account(summary.id)) else {
        return vec![span(format!("{sign} {jobs}"), tone)];
    };
    let mut spans = vec![span(format!("{sign} {}", group_paused_by(model, pause)), tone)];
    spans.extend((!brief).then(|| span(format!("  {jobs}"), Tone::Dim)));
    spans
}

/// Describes the time of the account's next scheduled job, if there is one, and the keys that help. With `brief`, the
/// keys are left out, since the footer shows them. For a paused account, the text names the key that ends the pause.
pub fn next(model: &Model, summary: &AccountSummary, brief: bool) -> Spans {
    if let Some(pause) = of_group(model, &PauseScope::Account(summary.id)) {
        return with_keys(&format!("Its jobs are paused; `{}` resumes them.", resume_key(model, pause)), Tone::Plain);
    }
    let due = match summary.next_due_at {
        _ if let Some(window) = window(model, summary) => {
            let until = format::until(model.countdown_time(), window.opens_at);
            format!("Its automatic jobs start {until}, when the window of its plan opens.")
        }
        Some(at) => format!("Its next job is due {}.", format::until(model.countdown_time(), at)),
        None if summary.ready > 0 => "Its jobs start when a slot is free.".to_owned(),
        None => "Nothing is scheduled.".to_owned(),
    };
    if brief {
        return vec![span(due, Tone::Plain)];
    }
    let pauses = match model.options.read_only {
        true => String::new(),
        false => format!(", `{}` pauses it", model.key(Action::Pause)),
    };
    with_keys(&format!("{due} `{}` shows its documents{pauses}.", model.key(Action::ShowDocuments)), Tone::Plain)
}

/// Returns the account's number of documents of each status, with the status's glyph and word; with `brief`, without
/// the word.
pub fn documents(model: &Model, summary: &AccountSummary, brief: bool) -> Spans {
    let mut spans = Spans::new();
    for status in Status::ALL {
        let number = summary.counts.of(status);
        if number > 0 {
            let gap = if spans.is_empty() { "" } else { "   " };
            spans.push(span(format!("{gap}{} ", model.glyphs.status(status)), theme::status(status)));
            spans.push(span(format::number(number), Tone::Plain));
            spans.extend((!brief).then(|| span(format!(" {}", status.word()), Tone::Dim)));
        }
    }
    if spans.is_empty() { vec![span("no document", Tone::Dim)] } else { spans }
}

/// Returns the account's attempts in the last hour and their share of all accounts' attempts.
pub fn last_hour_line(model: &Model, summary: &AccountSummary) -> Spans {
    let all = model.views.accounts.last_hour();
    if summary.last_hour == 0 {
        return vec![span("no attempt in the last hour", Tone::Dim)];
    }
    let share = format::percent(summary.last_hour, all);
    vec![
        span("last hour ", Tone::Dim),
        span(
            format!("{}, {share}% of {}", format::count(summary.last_hour, "attempt"), format::number(all)),
            Tone::Plain,
        ),
    ]
}
