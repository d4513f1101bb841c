//! The help, generated from the key table: the keys of the focused pane first.

use crate::domain::text::width;
use crate::tui::keymap::help_groups;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::scope::KeyScope;
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Width in cells of the column of keys. A narrow reader uses `FEW_KEYS`, which leaves more space for the explanations.
const KEYS: usize = 14;
const FEW_KEYS: usize = 6;

/// Returns the lines of the help, wrapped to the width of the reader.
pub(super) fn text(model: &Model) -> Vec<Spans> {
    let available = reader_cells(model.size);
    let column = if available < 56 { FEW_KEYS } else { KEYS };
    let available = available.saturating_sub(column + 4);
    let mut text: Vec<Spans> = Vec::new();
    for (heading, bindings) in help_groups(KeyScope::Pane(model.pane()), model.glyphs.ascii) {
        if !text.is_empty() {
            text.push(Spans::new());
        }
        text.push(vec![span(heading, Tone::Strong)]);
        for (keys, binding) in bindings {
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
                text.push(vec![span(before, Tone::Accent), span(line, tone)]);
                before = under.clone();
            }
        }
    }
    text
}
