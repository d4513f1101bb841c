//! Comparison of a page with its stored text where Chatwoot may have written that text.
//!
//! The page's main content decides, if the digest of the stored text's page is known. Otherwise the stored text is looked
//! for among those that Chatwoot's converter makes of the page: by its fingerprint, then by its words.

use super::chatwoot_text::{Generation, LinkForm, Recognised, TextOrigin, is_text_of};
use super::content::{Page, StoredBaseline};

/// Result of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextComparison {
    /// The page has not changed. With the origin of the stored text, if the comparison has shown it.
    Same(Option<TextOrigin>),
    /// The page has changed, or the stored text is another program's, or that of another page.
    Changed(TextDifference),
    /// The stored text is needed for a decision.
    NeedsText,
}

/// What is known of a stored text that differs from a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextDifference {
    /// True if this program made the stored text by another converter version, so that a change of the page is not
    /// certain.
    pub by_another_version: bool,
    /// Generation of Chatwoot's converter whose text of the page is the most like the stored one.
    pub nearest: Option<Generation>,
    /// True if the stored text was fetched in another way than the page, so that a change of the page is not certain.
    pub fetched_otherwise: bool,
}

/// Compares a page with the stored text. `text` is that text, if it has been read.
pub fn compare(stored: &StoredBaseline, page: &Page, text: Option<&str>) -> TextComparison {
    let is_comparable = stored.converter.is_some() && stored.converter == page.converter;
    let is_known = stored.main_converter.is_some() && stored.main_converter == page.converter;
    match &stored.main_digest {
        // Also if Chatwoot has written its text since: the page is the one of the last comparison.
        Some(digest) if is_known && *digest == page.fingerprint => return TextComparison::Same(None),
        Some(_) if is_comparable => return TextComparison::Changed(TextDifference::default()),
        _ => {}
    }
    if let Some(origin) = by_fingerprint(stored, page) {
        return TextComparison::Same(origin);
    }
    let Some(text) = text else { return TextComparison::NeedsText };
    let nearest = match page.chatwoot.as_ref().map(|texts| texts.recognise(text, &page.content)) {
        Some(Recognised::Same(generation)) => return TextComparison::Same(generation.map(TextOrigin::Chatwoot)),
        // The text may be ours, from before this comparison was known, or another converter's.
        _ if is_text_of(text, &page.content) => return TextComparison::Same(None),
        Some(Recognised::Different(generation)) => Some(generation),
        None => None,
    };
    // A main content that this program wrote before it kept digests has absolute links, whatever fetched it.
    let links = page.chatwoot.as_ref().map_or_else(|| LinkForm::of(&page.content), |texts| texts.links());
    let has_links_as_fetched = stored.converter.is_none() || stored.main_digest.is_some();
    TextComparison::Changed(TextDifference {
        by_another_version: stored.converter.is_some() && !is_comparable,
        nearest,
        fetched_otherwise: has_links_as_fetched && LinkForm::of(text).shows_another_fetcher(links),
    })
}

/// Looks for the stored text by its fingerprint. Returns its origin, if that is known.
fn by_fingerprint(stored: &StoredBaseline, page: &Page) -> Option<Option<TextOrigin>> {
    let fingerprint = stored.fingerprint.as_ref()?;
    match page.chatwoot.as_ref().and_then(|texts| texts.by_fingerprint(fingerprint)) {
        // A text that this program has written is no sign of the generation in use.
        Some(Recognised::Same(generation)) if stored.converter.is_none() => Some(generation.map(TextOrigin::Chatwoot)),
        Some(_) => Some(None),
        None => (*fingerprint == page.fingerprint).then_some(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::chatwoot_text::ChatwootTexts;
    use crate::domain::content::ConverterVersion;
    use crate::domain::fingerprint::Fingerprint;

    const MAIN: &str = "# Title\n\nSome *words* and [a link](https://a.test/x).\n";
    const WHOLE: &str = "[Home](/)\n\n# Title\n\nSome _words_ and [a link](/x).";

    fn page() -> Page {
        let page = Page::new(None, MAIN.into(), 1, 200).expect("a text");
        let texts = ChatwootTexts::new(WHOLE.into(), "# Title\n\nSome _words_ and [a link](/x).".into());
        Page { chatwoot: Some(Box::new(texts)), converter: Some(ConverterVersion(6)), ..page }
    }

    fn theirs(text: &str) -> StoredBaseline {
        StoredBaseline { fingerprint: Some(Fingerprint::of(text)), chars: Some(50), ..StoredBaseline::default() }
    }

    #[test]
    fn the_main_content_decides_while_its_digest_is_known() {
        let known = |digest: &str, version| StoredBaseline {
            converter: Some(ConverterVersion(version)),
            main_digest: Some(Fingerprint::of(digest)),
            main_converter: Some(ConverterVersion(version)),
            ..theirs("other text")
        };
        assert_eq!(compare(&known(MAIN, 6), &page(), None), TextComparison::Same(None));
        assert_eq!(compare(&known("b", 6), &page(), None), TextComparison::Changed(TextDifference::default()));
        // A digest of another converter version says nothing.
        assert_eq!(compare(&known(MAIN, 5), &page(), None), TextComparison::NeedsText);
        let TextComparison::Changed(difference) = compare(&known(MAIN, 5), &page(), Some("another [x](/x)")) else {
            panic!("the text is another")
        };
        assert!(difference.by_another_version && !difference.fetched_otherwise, "{difference:?}");
    }

    #[test]
    fn a_text_of_chatwoot_is_known_by_its_fingerprint_or_its_words() {
        let origin = Some(TextOrigin::Chatwoot(Generation::WholeBody));
        assert_eq!(compare(&theirs(WHOLE), &page(), None), TextComparison::Same(origin));
        let rendered = "[Home](https://a.test/)\n\nTitle\n=====\n\nSome words and [a link](https://a.test/x).";
        assert_eq!(compare(&theirs(rendered), &page(), None), TextComparison::NeedsText);
        assert_eq!(compare(&theirs(rendered), &page(), Some(rendered)), TextComparison::Same(origin));
        // Ours, from before.
        assert_eq!(compare(&theirs(MAIN), &page(), None), TextComparison::Same(None));
        let without = StoredBaseline { fingerprint: None, ..theirs("") };
        assert_eq!(compare(&without, &page(), Some(WHOLE)), TextComparison::Same(origin));
    }

    #[test]
    fn another_text_is_a_change_unless_it_was_fetched_otherwise() {
        let compared = |text| match compare(&theirs(text), &page(), Some(text)) {
            TextComparison::Changed(difference) => (difference.fetched_otherwise, difference.nearest),
            other => panic!("{other:?}"),
        };
        assert_eq!(compared("[Home](/) Title. Older words."), (false, Some(Generation::WholeBody)));
        assert_eq!(compared("Title. [Older](https://a.test/y) words."), (true, Some(Generation::MainPart)));
        assert_eq!(compared("Title. Older words."), (false, Some(Generation::MainPart)));
    }
}
