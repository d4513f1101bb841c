//! Prints the keys as text and as Markdown.

use super::map::{BoundAction, Keymap};
use super::names::name;
use super::sequence::labels;
use crate::tui::scope::{KeyScope, KeyScopes};

/// Groups the actions by the scopes in which they work.
fn grouped(map: &Keymap) -> Vec<(KeyScopes, Vec<&BoundAction>)> {
    let mut groups: Vec<(KeyScopes, Vec<&BoundAction>)> = Vec::new();
    for bound in map.actions() {
        match groups.iter_mut().find(|(scopes, _)| *scopes == bound.binding.scopes) {
            Some((_, rows)) => rows.push(bound),
            None => groups.push((bound.binding.scopes, vec![bound])),
        }
    }
    groups
}

/// Returns the heading of a group, which lists its scopes.
fn heading(scopes: KeyScopes) -> String {
    scopes.list().map(|scope| scope.word()).collect::<Vec<_>>().join(", ")
}

/// Formats all keys of a console as ASCII text, each with the name of its action, for `quarterdeck keys`.
pub fn keys_text(map: &Keymap) -> String {
    let mut text = String::new();
    for (index, (scopes, rows)) in grouped(map).into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&heading(scopes));
        text.push('\n');
        for bound in rows {
            let keys = if bound.keys.is_empty() { "(none)".to_owned() } else { labels(&bound.keys, true) };
            let (name, description) = (name(bound.binding.action), bound.binding.description);
            text.push_str(&format!("  {keys:<20} {name:<17} {description}\n"));
        }
    }
    text
}

/// Formats the default keys as Markdown, for `assets/docs/console.md`.
pub fn keys_markdown() -> String {
    let mut text = String::from("| where | keys | action | what |\n| --- | --- | --- | --- |\n");
    for (scopes, rows) in grouped(&Keymap::default()) {
        let scopes = heading(scopes);
        for bound in rows {
            let keys: Vec<_> = bound.keys.iter().map(|key| format!("`{}`", key.label(true))).collect();
            let (name, description) = (name(bound.binding.action), bound.binding.description);
            text.push_str(&format!("| {scopes} | {} | `{name}` | {description} |\n", keys.join(" ")));
        }
    }
    text
}

/// Returns the keys for the help on the screen, in groups: first the keys of the pane that has the focus, those that
/// fewest panes share before the others; then the rest. A group has a heading and its actions.
pub fn help_groups(map: &Keymap, here: KeyScope) -> Vec<(String, Vec<&BoundAction>)> {
    let mut groups = grouped(map);
    groups.sort_by_key(|(scopes, _)| (!scopes.contains(here), scopes.contains(here).then(|| scopes.list().count())));
    groups.into_iter().map(|(scopes, rows)| (heading(scopes), rows)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::keymap::TABLE;

    #[test]
    fn every_action_is_in_both_prints() {
        let (text, markdown) = (keys_text(&Keymap::default()), keys_markdown());
        for binding in TABLE.iter() {
            assert!(
                text.contains(binding.description) && markdown.contains(binding.description),
                "{:?}",
                binding.action
            );
        }
        assert!(text.is_ascii());
        assert_eq!(markdown.lines().count(), TABLE.len() + 2);
    }
}
