//! What has happened since the person last looked: the first outcome since then, and the number of each result.

use super::effects::Update;
use super::outcomes;
use crate::domain::content::ContentChange;
use crate::domain::id::Seq;
use crate::domain::outcome::OutcomeResult;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::views::outcomes::entry::Entry;
use crate::tui::views::outcomes::state::Older;
use std::collections::BTreeMap;

/// Notes a key of the person.
pub(super) fn note_key(model: &mut Model) {
    model.last_visit.note_key(model.now);
}

/// Goes to the first outcome since the person last looked, and says what has happened since then.
pub(super) fn show(model: &mut Model, up: &mut Update) {
    let Some(since) = model.last_visit.at else {
        return model.notify(Level::Refused, "you have been here all the time");
    };
    let ago = format!("since you last looked, {} ago", format::age(model.now.since(since)));
    // A panel that is scrolled, pinned or filtered shows no whole picture: these are all outcomes that it shows.
    let shown: Vec<(Seq, Timestamp, &'static str, u64)> = model.panel.shown(model.now).map(facts).collect();
    let Some(first) = shown.iter().position(|(_, at, ..)| *at > since) else {
        return model.notify(Level::Done, format!("nothing {ago}"));
    };
    let mut counts = BTreeMap::<&str, u64>::new();
    for (_, _, word, count) in &shown[first..] {
        *counts.entry(word).or_default() += count;
    }
    let total = counts.values().sum();
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(word, count)| (std::cmp::Reverse(*count), *word));
    let counts: Vec<String> =
        counts.into_iter().map(|(word, count)| format!("{} {word}", format::number(count))).collect();
    // The panel has loaded the newest outcomes only.
    let more = if first == 0 && model.panel.older() != Older::None { "at least " } else { "" };
    let text = format!("{more}{} {ago}: {}", format::count(total, "outcome"), counts.join(", "));
    model.focus = Focus::Outcomes;
    outcomes::move_cursor(model, first, up);
    model.notify(Level::Done, text);
    let now = model.now;
    model.last_visit.catch_up(now);
}

/// Returns number and time of the entry's first outcome, the word for its result, and the number of outcomes.
fn facts(entry: &Entry) -> (Seq, Timestamp, &'static str, u64) {
    let word = match (entry.result(), entry.outcome.content) {
        (OutcomeResult::Unchanged, Some(ContentChange::First | ContentChange::Quarantined)) => {
            format::outcome(entry.outcome.content, entry.result())
        }
        (result, _) if result.is_failure() => "failed",
        (OutcomeResult::Unchanged, _) => "unchanged",
        (result, content) => format::outcome(content, result),
    };
    (entry.seq(), entry.outcome.at, word, entry.count)
}
