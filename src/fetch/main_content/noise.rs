//! Detection of noise: elements around the content, recognised by name, role, class and id.

use crate::fetch::dom::is_heading;
use dom_query::{Element, NodeRef};

/// Words in an id or a class that mean "around the content".
const NOISE_WORDS: [&str; 10] = [
    "cookie",
    "announcement",
    "newsletter",
    "popup",
    "modal",
    "drawer",
    "breadcrumb",
    "editsection",
    "lineno",
    "gutter",
];

/// Words in the class of an aside that mean "part of the text".
const NOTE_WORDS: [&str; 8] = ["footnote", "endnote", "note", "admonition", "callout", "tip", "hint", "warning"];

/// Returns true for navigation that is marked as such by its name or role.
pub(super) fn is_navigation(element: &NodeRef<'_>, name: &str) -> bool {
    name == "nav" || element.attr("role").is_some_and(|role| role.trim() == "navigation")
}

/// Returns true for an element around the content, wherever it is, such as navigation, a form, a banner, a hidden
/// element or a button that copies code.
pub(super) fn is_noise(element: &NodeRef<'_>, name: &str) -> bool {
    if matches!(name, "nav" | "header" | "footer" | "form") {
        return true;
    }
    let Some(element) = element.element_ref() else {
        return false;
    };
    if name == "aside" && !is_note(&element) {
        return true;
    }
    element.attrs.iter().any(|attribute| {
        let value = &*attribute.value;
        if name == "button"
            && matches!(&*attribute.name.local, "id" | "class" | "title" | "aria-label")
            && copies(value)
        {
            return true;
        }
        match &*attribute.name.local {
            "hidden" => !value.eq_ignore_ascii_case("until-found"),
            "aria-hidden" => value.trim().eq_ignore_ascii_case("true"),
            "role" => matches!(value.trim(), "navigation" | "banner" | "contentinfo"),
            "id" => has_noise_word(value) && !names_its_subject(&element, name),
            "class" => has_noise_word(value),
            _ => false,
        }
    })
}

/// Returns true if the id of `element` is a link target inside the content rather than a mark of noise: a section about
/// cookies is not a cookie banner.
fn names_its_subject(element: &Element, name: &str) -> bool {
    let is_part = is_heading(name)
        || matches!(
            name,
            "section"
                | "article"
                | "p"
                | "a"
                | "dl"
                | "dt"
                | "dd"
                | "li"
                | "table"
                | "tr"
                | "figure"
                | "pre"
                | "code"
                | "details"
        );
    // Sections written as `div` count too: `section level2`, `sect1`, `refsect1`, `chapter`.
    let is_section = |class: &str| {
        let mut words = class.split(|c: char| !c.is_alphanumeric());
        words.any(|word| {
            word == "chapter"
                || word.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with("sect")
                || word.ends_with("section")
        })
    };
    is_part || element.attrs.iter().any(|attribute| &*attribute.name.local == "class" && is_section(&attribute.value))
}

/// Returns true for an aside that belongs to the text: a footnote, a warning. Other asides are noise.
fn is_note(element: &Element) -> bool {
    element.attrs.iter().any(|attribute| match &*attribute.name.local {
        "role" => attribute.value.trim() == "note" || attribute.value.trim().starts_with("doc-"),
        "class" => has_word(&attribute.value, &NOTE_WORDS),
        _ => false,
    })
}

/// Returns true if the attribute value `value` labels a button that copies code.
fn copies(value: &str) -> bool {
    let mut words = value.split(|c: char| !c.is_alphanumeric());
    words.any(|word| word.eq_ignore_ascii_case("copy") || word.eq_ignore_ascii_case("clipboard"))
}

/// Returns true if `value` contains one of `words` as a whole word, singular or plural: `multimodal` does not contain
/// `modal`.
fn has_word(value: &str, words: &[&str]) -> bool {
    let is_one = |word: &[u8]| {
        let singular = word.strip_suffix(b"s").or_else(|| word.strip_suffix(b"S")).unwrap_or(word);
        let is = |one: &[u8]| one.eq_ignore_ascii_case(word) || one.eq_ignore_ascii_case(singular);
        words.iter().any(|one| is(one.as_bytes()))
    };
    // Called for every class on a page, so ASCII is compared by bytes.
    if value.is_ascii() {
        return value.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).any(is_one);
    }
    value.split(|c: char| !c.is_alphanumeric()).map(str::as_bytes).any(is_one)
}

fn has_noise_word(value: &str) -> bool {
    has_word(value, &NOISE_WORDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_words_are_whole_words() {
        for noise in ["cookie", "cookie-banner", "site__modal", "a breadcrumbs b", "Newsletter", "my_popup"] {
            assert!(has_noise_word(noise), "{noise}");
        }
        for kept in ["multimodal", "bookie", "withdrawer", "cookiecutter", "", "-"] {
            assert!(!has_noise_word(kept), "{kept}");
        }
    }
}
