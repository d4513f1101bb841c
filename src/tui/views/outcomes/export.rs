//! The outcomes that the panel shows, as text for a file and as Markdown for a report. Times are in UTC.

use super::entry::Entry;
use super::state::VisibleOutcomes;
use super::text::{headline, name, whole_reason};
use crate::format;
use crate::tui::model::Model;
use crate::tui::text::markdown::escaped;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Number of outcomes in a report; a clipboard takes no long text, and nobody reads a longer one.
const MAX_REPORTED: usize = 100;
/// Number of causes that a report counts.
const MAX_CAUSES: usize = 8;

/// Returns what the panel shows, in words: its pin, its filter, and the kind of outcomes.
fn subject(model: &Model) -> String {
    let panel = &model.panel;
    let mut words = match &panel.pin {
        Some(pin) => format!("outcomes of {}", pin.name),
        None => "outcomes".to_owned(),
    };
    words.push_str(match panel.visible {
        VisibleOutcomes::All => "",
        VisibleOutcomes::Changes => ", unchanged ones left out",
        VisibleOutcomes::Failures => ", failures only",
    });
    if !panel.filter_text.trim().is_empty() {
        let _ = write!(words, ", filter {}", panel.filter_text.trim());
    }
    words
}

/// Returns the shown outcomes as text, oldest first, a line each: time, document, result, name, URL, cause; tabs
/// between them. Lines that begin with `#` say what this is.
pub fn text(model: &Model) -> String {
    let mut text = format!("# {} of {}, saved {}\n", subject(model), model.store, model.now.rfc3339());
    if let Some(gap) = model.panel.gap() {
        let _ = writeln!(text, "# {gap}");
    }
    for entry in model.panel.shown(model.now) {
        let outcome = &entry.outcome;
        let columns = [
            outcome.at.rfc3339(),
            outcome.document_id.to_string(),
            format::outcome(outcome.content, entry.result()).to_owned(),
            if entry.is_run() { headline(entry, None) } else { name(outcome).to_owned() },
            outcome.url.to_string(),
            whole_reason(entry),
        ];
        let _ = writeln!(text, "{}", columns.join("\t"));
    }
    text
}

/// Returns the shown outcomes as Markdown for the report of an incident: what they are, how many of each result and
/// cause, and the newest ones.
pub fn markdown(model: &Model) -> String {
    let shown: Vec<&Entry> = model.panel.shown(model.now).collect();
    let mut results: BTreeMap<&str, u64> = BTreeMap::new();
    let mut causes: BTreeMap<String, u64> = BTreeMap::new();
    for entry in &shown {
        *results.entry(format::outcome(entry.outcome.content, entry.result())).or_default() += entry.count;
        if entry.result().is_failure() {
            let outcome = &entry.outcome;
            let cause = outcome.error_code.map(|code| format::failure(code, outcome.http_status, None));
            *causes
                .entry(cause.unwrap_or_else(|| format::outcome(outcome.content, entry.result()).to_owned()))
                .or_default() += 1;
        }
    }
    let mut text = format!("## {}\n\n", escaped(&format::capitalized(&subject(model))));
    let _ = writeln!(text, "- store: {}", escaped(&model.store));
    if let (Some(first), Some(last)) = (shown.first(), shown.last()) {
        let _ =
            writeln!(text, "- from {} to {}, UTC", first.outcome.at.date_clock_utc(), last.outcome.at.date_clock_utc());
    }
    let _ =
        writeln!(text, "- {}", escaped(&counted(results.into_iter().map(|(word, number)| (word.to_owned(), number)))));
    if !causes.is_empty() {
        let _ = writeln!(text, "- causes: {}", escaped(&counted(causes)));
    }
    if let Some(gap) = model.panel.gap() {
        let _ = writeln!(text, "- {gap}");
    }
    let begin = shown.len().saturating_sub(MAX_REPORTED);
    if begin > 0 {
        let _ = writeln!(text, "- the newest {MAX_REPORTED} of {}:", format::number(shown.len() as u64));
    }
    text.push_str("\n| time (UTC) | document | result | cause |\n| --- | --- | --- | --- |\n");
    for entry in &shown[begin..] {
        let outcome = &entry.outcome;
        let document = match entry.is_run() {
            true => escaped(&headline(entry, None)),
            false => format!("{} ({})", escaped(name(outcome)), outcome.document_id),
        };
        let result = format::outcome(outcome.content, entry.result());
        let cause = escaped(&whole_reason(entry));
        let _ = writeln!(text, "| {} | {document} | {result} | {cause} |", outcome.at.date_clock_utc());
    }
    text
}

/// Returns counts in words, the largest first.
fn counted(of: impl IntoIterator<Item = (String, u64)>) -> String {
    let mut counts: Vec<(String, u64)> = of.into_iter().collect();
    counts.sort_by(|(a, left), (b, right)| right.cmp(left).then_with(|| a.cmp(b)));
    let more = counts.len().saturating_sub(MAX_CAUSES) as u64;
    let parts = counts.iter().take(MAX_CAUSES).map(|(word, number)| format!("{} {word}", format::number(*number)));
    let rest = (more > 0).then(|| format!("{} more", format::number(more)));
    parts.chain(rest).collect::<Vec<_>>().join(", ")
}
