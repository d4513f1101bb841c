//! The help, generated from the key table: the keys of the focused pane first. A search leaves the keys that match it.

use crate::domain::text::width;
use crate::tui::keymap::{Binding, help_groups};
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::scope::KeyScope;
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span};
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
    for (heading, bindings) in help_groups(KeyScope::Pane(model.pane()), model.glyphs.ascii) {
        let mut found = bindings.into_iter().filter(|(keys, binding)| matches(keys, binding, &needle)).peekable();
        if found.peek().is_none() {
            continue;
        }
        if !text.is_empty() {
            text.push(Spans::new());
        }
        text.push(vec![span(heading, Tone::Strong)]);
        for (keys, binding) in found {
            explain(model, &keys, binding, &mut text);
        }
    }
    if text.is_empty() {
        text.push(vec![span("No key matches. Esc shows all keys.", Tone::Dim)]);
    }
    text
}

/// Returns true if a key is the text, or if the name or the explanation contains it. A single letter is a key, with its
/// case.
fn matches(keys: &str, binding: &Binding, needle: &str) -> bool {
    if needle.chars().count() <= 1 {
        return needle.is_empty() || keys.split(' ').any(|key| key == needle);
    }
    let needle = needle.to_lowercase();
    let contains = |text: &str| text.to_lowercase().contains(&needle);
    keys.split(' ').any(|key| key == needle) || contains(binding.word) || contains(binding.description)
}

fn explain(model: &Model, keys: &str, binding: &Binding, text: &mut Vec<Spans>) {
    let available = reader_cells(model.size);
    let column = if available < 56 { FEW_KEYS } else { KEYS };
    let available = available.saturating_sub(column + 4);
    let (explanation, tone) = if binding.dangerous && model.options.read_only {
        (format!("{} (off: read-only)", binding.description), Tone::Dim)
    } else {
        (binding.description.to_owned(), Tone::Plain)
    };
    let under = " ".repeat(column + 4);
    let mut before = match column.checked_sub(width(keys)) {
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
