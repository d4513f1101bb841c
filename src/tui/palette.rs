//! The palette: a search of the actions by name and description, with the reason why an action is unavailable.

use super::action::Action;
use super::availability::available;
use super::keymap::{Binding, BoundAction};
use super::model::Model;
use super::scope::KeyScope;

/// A row of the palette: an action, available or not.
#[derive(Clone, Debug)]
pub struct PaletteRow {
    pub bound: BoundAction,
    /// The reason why the action is unavailable; `None` if it is available.
    pub refused: Option<String>,
}

/// Returns the rows that match the search text `input`, best match first. The action that opens the palette has no row,
/// nor do those that choose or close in overlays. An action's word that begins with the text ranks first, then a word
/// that contains the text, then a description that contains it, then a word and last a description with the letters of
/// the text in order.
pub fn rows(model: &Model, input: &str) -> Vec<PaletteRow> {
    let needle = input.trim().to_lowercase();
    let scope = KeyScope::Pane(model.pane());
    let mut rows: Vec<(u8, PaletteRow)> = model
        .keymap()
        .actions()
        .filter(|bound| bound.binding.scopes.list().any(|scope| !scope.types_text()))
        .filter(|bound| !matches!(bound.binding.action, Action::Palette | Action::Choose | Action::NextChoice))
        .filter(|bound| !matches!(bound.binding.action, Action::PreviousChoice | Action::Close))
        .filter_map(|bound| {
            let binding = bound.binding;
            let rank = rank(binding, &needle)?;
            let refused = if binding.scopes.contains(scope) {
                available(model, binding.action).err()
            } else {
                binding.scopes.list().next().map(|scope| format!("works in {}", scope.word()))
            };
            Some((rank, PaletteRow { bound: bound.clone(), refused }))
        })
        .collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn rank(binding: &Binding, needle: &str) -> Option<u8> {
    let (word, description) = (binding.word.to_lowercase(), binding.description.to_lowercase());
    match () {
        () if word.starts_with(needle) => Some(0),
        () if word.contains(needle) => Some(1),
        () if description.contains(needle) => Some(2),
        () if is_subsequence(needle, &word) => Some(3),
        () if is_subsequence(needle, &description) => Some(4),
        () => None,
    }
}

/// Returns true if the characters of `needle` occur in `text` in the same order.
fn is_subsequence(needle: &str, text: &str) -> bool {
    let mut rest = text.chars();
    needle.chars().all(|wanted| rest.any(|c| c == wanted))
}

#[cfg(test)]
mod tests {
    use super::is_subsequence;

    #[test]
    fn letters_in_order_are_enough() {
        assert!(is_subsequence("rtal", "retry all") && is_subsequence("", "x"));
        assert!(!is_subsequence("la", "retry al"));
    }
}
