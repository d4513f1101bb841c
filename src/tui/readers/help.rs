//! The help, generated from the key table: the keys of the focused pane first. A search leaves the keys that match it.

use crate::domain::text::width;
use crate::tui::action::Action;
use crate::tui::keymap::{BoundAction, help_groups, labels};
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::scope::KeyScope;
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::Tone;

/// Width in cells of the column of keys. A narrow reader uses `FEW_KEYS`, which leaves more space for the explanations.
const KEYS: usize = 14;
const FEW_KEYS: usize = 6;

/// Returns the title of the help, with what is searched for.
pub(super) fn title(model: &Model) -> String {
    model.help_search.as_ref().map_or("help".to_owned(), |input| format!("help / {}", input.value()))
}

/// Returns the lines of the help, wrapped to the width of the reader.
pub(super) fn text(model: &Model) -> Vec<Spans> {
    let needle = model.help_search.as_ref().map_or(String::new(), |input| input.value().trim().to_owned());
    let mut text: Vec<Spans> = Vec::new();
    for (heading, actions) in help_groups(model.keymap(), KeyScope::Pane(model.pane())) {
        let mut found = actions.into_iter().filter(|bound| matches(model, bound, &needle)).peekable();
        if found.peek().is_none() {
            continue;
        }
        if !text.is_empty() {
            text.push(Spans::new());
        }
        text.push(vec![span(heading, Tone::Strong)]);
        for bound in found {
            explain(model, bound, &mut text);
        }
    }
    if text.is_empty() {
        let sentence = format!("No key matches. `{}` shows all keys.", model.key(Action::Close));
        text.push(with_keys(&sentence, Tone::Dim));
    }
    text
}

/// Returns true if a key is the text, or if the name or the explanation contains it. A single letter is a key, with its
/// case.
fn matches(model: &Model, bound: &BoundAction, needle: &str) -> bool {
    let is_key = bound.keys.iter().any(|key| key.label(model.glyphs.ascii) == needle);
    if needle.chars().count() <= 1 {
        return needle.is_empty() || is_key;
    }
    let lower = needle.to_lowercase();
    let contains = |text: &str| text.to_lowercase().contains(&lower);
    is_key || contains(bound.binding.word) || contains(bound.binding.description)
}

fn explain(model: &Model, bound: &BoundAction, text: &mut Vec<Spans>) {
    let binding = bound.binding;
    let keys = match bound.keys.is_empty() {
        true => model.key(binding.action),
        false => labels(&bound.keys, model.glyphs.ascii),
    };
    let available = reader_cells(model.size);
    let column = if available < 56 { FEW_KEYS } else { KEYS };
    let available = available.saturating_sub(column + 4);
    let (explanation, tone) = if binding.dangerous && model.options.read_only {
        (format!("{} (off: read-only)", binding.description), Tone::Dim)
    } else {
        (binding.description.to_owned(), Tone::Plain)
    };
    let under = " ".repeat(column + 4);
    let mut before = match column.checked_sub(width(&keys)) {
        Some(pad) => format!("  {keys}{}  ", " ".repeat(pad)),
        None => {
            text.push(vec![span(format!("  {keys}"), Tone::Accent)]);
            under.clone()
        }
    };
    for line in wrap(&explanation, available, 5) {
        let start = std::mem::replace(&mut before, under.clone());
        text.push(vec![span(start, Tone::Accent), span(line, tone)]);
    }
}
