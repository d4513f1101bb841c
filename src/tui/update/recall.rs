//! The keys that complete a filter in its prompt or bring an earlier one back.

use super::effects::Update;
use super::{prompt, saved_filters};
use crate::tui::model::Model;
use crate::tui::model::filter_history::{Recall, suggestions};
use crate::tui::model::overlay::Overlay;

/// Completes the last term as far as all suggestions agree.
pub(super) fn complete(model: &mut Model, up: &mut Update) {
    let Some(Overlay::Prompt(prompt)) = &model.overlay else { return };
    let found = suggestions(model, prompt);
    let Some(first) = found.first() else { return };
    let agreed = found.iter().fold(first.as_str(), |agreed, next| common_prefix(agreed, next));
    if agreed.len() > prompt.input.value().len() {
        let agreed = agreed.to_owned();
        prompt::replace(model, &agreed, up);
    }
}

/// Replaces the text by the filter that was used before it, or after it. Behind the latest one the typed text comes back.
pub(super) fn step(model: &mut Model, is_earlier: bool, up: &mut Update) {
    if saved_filters::step(model, is_earlier, up) {
        return;
    }
    let Some(Overlay::Prompt(prompt)) = &mut model.overlay else { return };
    let Some(subject) = prompt.kind.subject() else { return };
    let known = model.filters.of(subject);
    let shown = prompt.input.value().to_owned();
    let at = prompt.recall.as_ref().map_or(known.len(), |recall| recall.at.min(known.len()));
    let next = if is_earlier {
        // The filter in force is no step back.
        known[..at].iter().rposition(|filter| *filter != shown)
    } else {
        (at < known.len()).then_some(at + 1)
    };
    let Some(next) = next else { return };
    let typed = prompt.recall.take().map_or(shown, |recall| recall.typed);
    let text = known.get(next).unwrap_or(&typed).clone();
    prompt.recall = Some(Recall { at: next, typed });
    prompt.is_recalled = false;
    prompt::replace(model, &text, up);
}

fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.char_indices().zip(other.chars()).take_while(|((_, a), b)| a == b);
    let end = same.last().map_or(0, |((at, c), _)| at + c.len_utf8());
    &one[..end]
}
