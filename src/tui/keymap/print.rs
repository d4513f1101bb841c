//! Prints the key table as text and as Markdown.

use super::binding::Binding;
use super::table::TABLE;
use crate::tui::scope::{KeyScope, KeyScopes};

/// Groups the table's rows by the scopes in which they apply.
fn grouped() -> Vec<(KeyScopes, Vec<&'static Binding>)> {
    let mut groups: Vec<(KeyScopes, Vec<&'static Binding>)> = Vec::new();
    for binding in TABLE.iter() {
        match groups.iter_mut().find(|(scopes, _)| *scopes == binding.scopes) {
            Some((_, rows)) => rows.push(binding),
            None => groups.push((binding.scopes, vec![binding])),
        }
    }
    groups
}

/// Returns the heading of a group, which lists its scopes.
fn heading(scopes: KeyScopes) -> String {
    scopes.list().map(|scope| scope.word()).collect::<Vec<_>>().join(", ")
}

fn groups() -> Vec<(String, Vec<&'static Binding>)> {
    grouped().into_iter().map(|(scopes, rows)| (heading(scopes), rows)).collect()
}

fn keys(binding: &Binding, ascii: bool) -> Vec<String> {
    binding.keys.iter().map(|key| key.label(ascii)).collect()
}

/// Formats the whole table as ASCII text, for `quarterdeck keys`.
pub fn keys_text() -> String {
    let mut text = String::new();
    for (index, (scopes, rows)) in groups().into_iter().enumerate() {
        if index > 0 {
            text.push('\n');
        }
        text.push_str(&scopes);
        text.push('\n');
        for binding in rows {
            text.push_str(&format!("  {:<22} {}\n", keys(binding, true).join(" "), binding.description));
        }
    }
    text
}

/// Formats the whole table as Markdown, for `assets/docs/console.md`.
pub fn keys_markdown() -> String {
    let mut text = String::from("| where | keys | what |\n| --- | --- | --- |\n");
    for (scopes, rows) in groups() {
        for binding in rows {
            let keys: Vec<_> = keys(binding, true).into_iter().map(code).collect();
            text.push_str(&format!("| {scopes} | {} | {} |\n", keys.join(" "), binding.description));
        }
    }
    text
}

/// Formats a key as Markdown code.
fn code(key: String) -> String {
    format!("`{key}`")
}

/// Returns the table for the help on the screen, in groups: first the keys of the pane that has the focus, those that
/// fewest panes share before the others; then the rest. A group has a heading and rows; a row has the labels of its
/// keys, which are ASCII only if `ascii`, and its binding.
pub fn help_groups(here: KeyScope, ascii: bool) -> Vec<(String, Vec<(String, &'static Binding)>)> {
    let mut groups = grouped();
    groups.sort_by_key(|(scopes, _)| (!scopes.contains(here), scopes.contains(here).then(|| scopes.list().count())));
    let with_keys = |binding: &'static Binding| (keys(binding, ascii).join(" "), binding);
    groups.into_iter().map(|(scopes, rows)| (heading(scopes), rows.into_iter().map(with_keys).collect())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_is_in_both_prints() {
        let (text, markdown) = (keys_text(), keys_markdown());
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
