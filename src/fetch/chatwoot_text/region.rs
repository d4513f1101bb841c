//! The part of a page that a generation of Chatwoot's converter takes, and what it removes from it.

use super::tree::{Element, Index, Tree};
use crate::domain::chatwoot_text::Generation;
use std::collections::HashSet;

/// Part of a page.
#[derive(Debug)]
pub(super) struct TakenPart {
    /// Element whose content is the text; `None` for a page without a body.
    pub root: Option<Index>,
    /// Elements that are left out with everything within them.
    pub removed: HashSet<Index>,
}

/// Elements that are left out by name.
const REMOVED: [&str; 11] =
    ["script", "style", "noscript", "template", "svg", "iframe", "form", "nav", "header", "footer", "aside"];
/// Values of `role` by which elements are left out.
const REMOVED_ROLES: [&str; 3] = ["navigation", "banner", "contentinfo"];
/// Words of ids and classes by which elements are left out, alone or in the plural.
const NOISE: [&str; 7] = ["cookie", "announcement", "newsletter", "popup", "modal", "drawer", "breadcrumb"];

/// Chooses the part of the page.
pub(super) fn of(page: &Tree, generation: Generation) -> TakenPart {
    let body = find(page, |element| &*element.name == "body");
    if generation == Generation::WholeBody {
        return TakenPart { root: body, removed: HashSet::new() };
    }
    let mut articles = all(page).filter(|(_, element)| &*element.name == "article").map(|(index, _)| index);
    let article = articles.next().filter(|_| articles.next().is_none());
    let root = find(page, |element| &*element.name == "main")
        .or_else(|| find(page, |element| element.attribute("role") == "main"))
        .or(article)
        .or(body)
        .or(Some(0));
    let Some(within) = root else { return TakenPart { root, removed: HashSet::new() } };
    let mut removed = HashSet::new();
    let mut next = page.after(within, within);
    while let Some(node) = next {
        let is_removed = page.as_element(node).is_some_and(is_removed);
        next = if is_removed { page.after_subtree(node, within) } else { page.after(node, within) };
        if is_removed {
            removed.insert(node);
        }
    }
    TakenPart { root, removed }
}

fn all(page: &Tree) -> impl Iterator<Item = (Index, &Element)> {
    (0..).zip(&page.nodes).filter_map(|(index, _)| Some((index, page.as_element(index)?)))
}

/// Returns the first element that is `wanted`.
fn find(page: &Tree, wanted: impl Fn(&Element) -> bool) -> Option<Index> {
    all(page).find(|(_, element)| wanted(element)).map(|(index, _)| index)
}

fn is_removed(element: &Element) -> bool {
    REMOVED.contains(&&*element.name)
        || REMOVED_ROLES.contains(&element.attribute("role"))
        || element.attribute("aria-hidden") == "true"
        || element.hidden
        || is_noise(element.attribute("id"))
        || is_noise(element.attribute("class"))
}

/// Returns true if one of the words of [`NOISE`] stands in an id or in a class, not within a longer word. As in Ruby's
/// `underscore`, a capital letter begins a word.
fn is_noise(value: &str) -> bool {
    let value = with_word_borders(value);
    let is_border = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    NOISE.iter().any(|word| {
        value.match_indices(word).any(|(start, _)| {
            let bytes = value.as_bytes();
            let end = start + word.len();
            let end = if bytes.get(end) == Some(&b's') && is_border(bytes.get(end + 1)) { end + 1 } else { end };
            is_border(start.checked_sub(1).and_then(|before| bytes.get(before))) && is_border(bytes.get(end))
        })
    })
}

/// Returns the value in lower case with `_` between the words of CamelCase.
fn with_word_borders(value: &str) -> String {
    let chars: Vec<char> = value.chars().collect();
    let mut out = String::with_capacity(value.len() + 8);
    for (index, char) in chars.iter().enumerate() {
        let before = index.checked_sub(1).and_then(|before| chars.get(before));
        let after = chars.get(index + 1);
        let ends_acronym = before.is_some_and(char::is_ascii_uppercase) && after.is_some_and(char::is_ascii_lowercase);
        let ends_word = before.is_some_and(|before| before.is_ascii_lowercase() || before.is_ascii_digit());
        if char.is_ascii_uppercase() && (ends_acronym || ends_word) {
            out.push('_');
        }
        out.extend(char.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::is_noise;

    #[test]
    fn words_of_ids_and_classes_are_found_and_parts_of_words_are_not() {
        for noise in
            ["cookie", "site-Cookies", "CookieBanner", "myModal", "a newsletter_box b", "HTMLPopup", "drawer2 modal"]
        {
            assert!(is_noise(noise), "{noise}");
        }
        for sound in ["", "multimodal", "bookie", "withdrawer", "modals2", "cookiess", "popup2", "breadcrumbed"] {
            assert!(!is_noise(sound), "{sound}");
        }
    }
}
