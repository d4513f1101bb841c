//! Texts for an entry of the outcome panel and for an attempt in the details.

use super::entry::Entry;
use super::pin::Pin;
use crate::domain::content::ContentChange;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::width;
use crate::format;
use crate::tui::glyphs::Glyphs;
use crate::tui::text::lines::{break_line, wrap};
use crate::tui::theme::{self, Tone};
use std::time::Duration;

/// Returns the document's name, or its URL if it has none.
pub fn name(outcome: &Outcome) -> &str {
    if outcome.name.is_empty() { &outcome.url } else { &outcome.name }
}

/// Returns the glyph of an outcome's result.
pub const fn sign(glyphs: &Glyphs, content: Option<ContentChange>, result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Updated | OutcomeResult::Restored => glyphs.good,
        OutcomeResult::Unchanged => match content {
            Some(ContentChange::First) => glyphs.good,
            Some(ContentChange::Quarantined) => glyphs.quarantined,
            _ => glyphs.unchanged,
        },
        OutcomeResult::AlreadySyncing => glyphs.already_syncing,
        OutcomeResult::TransientFailure | OutcomeResult::UnexpectedFailure => glyphs.retrying,
        OutcomeResult::PermanentFailure
        | OutcomeResult::TransientRetryExhausted
        | OutcomeResult::UnexpectedRetryExhausted => glyphs.failed,
        OutcomeResult::WorkerLost | OutcomeResult::CrashExhausted => glyphs.alarm,
        OutcomeResult::Cancelled | OutcomeResult::Purged => glyphs.stopped,
        OutcomeResult::Removed => glyphs.none,
    }
}

/// Returns the tone of an outcome's result, which decides the colour.
pub const fn tone(content: Option<ContentChange>, result: OutcomeResult) -> Tone {
    match (result, content) {
        (OutcomeResult::Unchanged, Some(ContentChange::First)) => Tone::Good,
        (OutcomeResult::Unchanged, Some(ContentChange::Quarantined)) => Tone::Lost,
        _ => theme::outcome(result),
    }
}

/// Returns the cause or the details of an outcome in one line, without its duration.
pub fn reason(outcome: &Outcome) -> String {
    if let (true, Some(detail)) = (outcome.result.is_exhaustion(), &outcome.detail) {
        return detail.to_string();
    }
    if let Some(code) = outcome.error_code {
        return format::failure(code, outcome.http_status, outcome.detail.as_deref());
    }
    match (outcome.result, &outcome.detail) {
        (OutcomeResult::Updated | OutcomeResult::Unchanged, detail) => {
            let mut parts = Vec::new();
            parts.extend(outcome.bytes.map(format::bytes));
            parts.extend(detail.as_ref().map(ToString::to_string));
            parts.join(", ")
        }
        (OutcomeResult::AlreadySyncing, _) => {
            let worker = outcome.worker.as_ref().map_or(String::new(), |worker| format!(" on {worker}"));
            let by = outcome.requested_by.as_ref().map_or(String::new(), |by| format!(" for {by}"));
            format!("already syncing{by}{worker}")
        }
        (OutcomeResult::Purged, None) => "dropped from the queue".to_owned(),
        (OutcomeResult::Cancelled, None) => "cancelled".to_owned(),
        (_, Some(detail)) => detail.to_string(),
        (result, None) => format::outcome(outcome.content, result).to_owned(),
    }
}

/// Returns the first line of an entry: the document's name or, for a run, the result and the number of documents.
pub fn title(entry: &Entry) -> String {
    if entry.is_run() {
        format!("{} {} documents", format::outcome(entry.outcome.content, entry.result()), format::number(entry.count))
    } else {
        name(&entry.outcome).to_owned()
    }
}

/// Returns the word at the right end of an entry with unchanged content: "304", "identical" or "unchanged"; empty for
/// any other entry.
pub fn aside(entry: &Entry) -> &'static str {
    if !entry.is_quiet() {
        return "";
    }
    match entry.outcome.content {
        Some(ContentChange::NotModified) => "304",
        Some(ContentChange::Identical) => "identical",
        _ => "unchanged",
    }
}

/// Returns the first line of an entry in a panel with this pin: its title, or the result where all entries are about
/// one document.
pub fn headline(entry: &Entry, pin: Option<&Pin>) -> String {
    let is_named = pin.is_none_or(|pin| !pin.subject.is_document());
    if is_named { title(entry) } else { format::outcome(entry.outcome.content, entry.result()).to_owned() }
}

/// Returns the cause of an entry, or what it brought, and what follows, in one line; empty for unchanged content.
pub fn whole_reason(entry: &Entry) -> String {
    let text = detail(entry, ", ").unwrap_or_default();
    match follow_up(entry, 0) {
        then if then.is_empty() || text.is_empty() => text,
        then => format!("{text}, {then}"),
    }
}

/// Returns the cause of an entry, or its result, in the shortest form, such as `404 not found` or `timeout`; empty for
/// unchanged content.
pub fn short_reason(entry: &Entry) -> String {
    let outcome = &entry.outcome;
    match outcome.error_code {
        _ if entry.is_quiet() || entry.is_run() => String::new(),
        Some(code) => format::short_failure(code, outcome.http_status),
        None => format::outcome(outcome.content, entry.result()).to_owned(),
    }
}

/// Returns the lines below the title of an entry: up to two of at most `cells` cells, then a line about what follows a
/// failure, which is not cut. With `whole` all lines are as long and as many as the texts need.
pub fn detail_lines(entry: &Entry, cells: usize, dot: &str, whole: bool) -> Vec<String> {
    if cells == 0 {
        return Vec::new();
    }
    let Some(mut text) = detail(entry, &format!(" {dot} ")) else { return Vec::new() };
    if let Some(took) = entry.outcome.duration_ms.map(|ms| format::duration(Duration::from_millis(ms))) {
        let with_time = format!("{text} {dot} {took}");
        if whole || width(&with_time) <= cells {
            text = with_time;
        }
    }
    let then = Some(follow_up(entry, cells)).filter(|then| !then.is_empty());
    if whole {
        return [text].into_iter().chain(then).flat_map(|text| broken(&text, cells)).collect();
    }
    let mut lines = wrap(&text, cells, 2);
    lines.extend(then);
    lines
}

/// Returns all of `text` in lines of at most `cells` cells.
pub fn broken(text: &str, cells: usize) -> Vec<String> {
    break_line(text, cells.max(1)).into_iter().map(|part| text[part].trim_end().to_owned()).collect()
}

/// Returns what an entry says besides its title, without the duration. `None` for unchanged content, for a run of
/// purged jobs, and for any run without a detail text.
fn detail(entry: &Entry, separator: &str) -> Option<String> {
    if entry.is_quiet() {
        return None;
    }
    let outcome = &entry.outcome;
    Some(match outcome.result {
        // A quarantined text's detail already contains the reason.
        OutcomeResult::Unchanged if outcome.content == Some(ContentChange::Quarantined) && outcome.detail.is_some() => {
            outcome.detail.as_ref().map(ToString::to_string).unwrap_or_default()
        }
        OutcomeResult::Updated | OutcomeResult::Unchanged => {
            let mut parts = vec![format::outcome(outcome.content, outcome.result).to_owned()];
            parts.extend(Some(reason(outcome)).filter(|reason| !reason.is_empty()));
            parts.join(separator)
        }
        OutcomeResult::Purged if entry.is_run() => return None,
        _ if entry.is_run() && outcome.detail.is_none() => return None,
        _ => reason(outcome),
    })
}

/// Returns the line about what follows a failure: the end of the retries, the time until the next attempt, or that the
/// job is back in the queue. The number of the failed attempt comes first if it fits into `cells` cells. Empty if
/// nothing follows.
fn follow_up(entry: &Entry, cells: usize) -> String {
    let outcome = &entry.outcome;
    if let Some(result) = entry.exhausted {
        let exhausted = entry.exhaustion_detail.as_ref().map(ToString::to_string);
        return exhausted.unwrap_or_else(|| format::outcome(outcome.content, result).to_owned());
    }
    match (outcome.next_attempt_at, outcome.result) {
        (Some(at), _) => {
            let wait = format::countdown(at.since(outcome.at));
            let whole = format!("attempt {}, next in {wait}", outcome.attempt);
            let retry = format!("next attempt in {wait}");
            if width(&whole) <= cells { whole } else { retry }
        }
        (None, OutcomeResult::WorkerLost) => "back in the queue".to_owned(),
        _ => String::new(),
    }
}

/// Returns true if the title, the result or the reason of an entry contains `needle`, which must be in lower case.
pub fn matches_search(entry: &Entry, needle: &str) -> bool {
    let within = |text: &str| text.to_lowercase().contains(needle);
    within(&title(entry))
        || within(aside(entry))
        || (!entry.is_quiet()
            && (within(&reason(&entry.outcome)) || within(format::outcome(entry.outcome.content, entry.result()))))
}
