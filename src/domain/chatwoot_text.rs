//! Texts that Chatwoot's own converter makes of a page, by which the texts that Chatwoot has stored are recognised.

use super::fingerprint::Fingerprint;
use super::representation::words;
use super::text::{cut_chars, is_blank, without_nul};
use std::collections::HashMap;

/// Generation of Chatwoot's converter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Generation {
    /// Of May 2026: the whole body.
    WholeBody,
    /// The later one: the main part, without what stands around it.
    MainPart,
}

impl Generation {
    /// The newest generation, which is taken as long as nothing shows which one is in use.
    pub const NEWEST: Self = Self::MainPart;
    const ALL: [Self; 2] = [Self::WholeBody, Self::MainPart];

    /// Returns the number under which the generation is stored.
    pub const fn code(self) -> i64 {
        match self {
            Self::WholeBody => 1,
            Self::MainPart => 2,
        }
    }

    /// Returns the generation of a stored number.
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|generation| generation.code() == code)
    }
}

/// Origin of a stored text: the program and converter that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextOrigin {
    /// This program.
    Own,
    /// Chatwoot, with this generation of its converter.
    Chatwoot(Generation),
}

impl TextOrigin {
    /// Returns the number under which the origin is stored.
    pub const fn code(self) -> i64 {
        match self {
            Self::Own => 0,
            Self::Chatwoot(generation) => generation.code(),
        }
    }
}

/// Text of a page by one generation, cut as Chatwoot cuts it, with its fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatwootText {
    pub content: String,
    pub fingerprint: Fingerprint,
}

impl ChatwootText {
    fn of(text: String) -> Self {
        let text = without_nul(text);
        let (kept, is_cut) = cut_chars(&text, super::content::MAX_CONTENT_CHARS);
        let content = if is_cut { kept.to_owned() } else { text };
        Self { fingerprint: Fingerprint::of(&content), content }
    }
}

/// Texts of a page by all known generations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatwootTexts {
    whole_body: ChatwootText,
    main_part: ChatwootText,
}

/// Result of looking for a stored text among the texts of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// The page's text; by this generation, if no other one gives the same and the words are the same.
    Same(Option<Generation>),
    /// Another text. The generation is the one whose text shares the most words with it.
    Different(Generation),
}

/// Lengths, in characters, at which Chatwoot cuts a text: at a first crawl, and at a sync.
const CUT_AT: [usize; 2] = [15_000, super::content::MAX_CONTENT_CHARS];

/// Maximum number of words of a stored text that its page has not, for a text of the same main content; in long texts
/// one in [`WORDS_PER_MORE_WORD`].
const MAX_MORE_WORDS: usize = 4;
const WORDS_PER_MORE_WORD: usize = 200;

impl ChatwootTexts {
    /// Cuts the texts of the generations.
    pub fn new(whole_body: String, main_part: String) -> Self {
        Self { whole_body: ChatwootText::of(whole_body), main_part: ChatwootText::of(main_part) }
    }

    /// Returns the text of a generation.
    pub fn of(&self, generation: Generation) -> &ChatwootText {
        match generation {
            Generation::WholeBody => &self.whole_body,
            Generation::MainPart => &self.main_part,
        }
    }

    /// Returns the text to write: that of `generation`, or that of another one if it is blank; `None` if all are.
    pub fn to_write(&self, generation: Generation) -> Option<&ChatwootText> {
        let all = [generation, Generation::WholeBody, Generation::MainPart];
        all.into_iter().map(|generation| self.of(generation)).find(|text| !is_blank(&text.content))
    }

    /// Returns the generation of one of these texts; `None` if all give the same, and for another text.
    pub fn generation_of(&self, text: &ChatwootText) -> Option<Generation> {
        let mut all = Generation::ALL.into_iter().filter(|generation| self.of(*generation) == text);
        let first = all.next();
        first.filter(|_| all.next().is_none())
    }

    /// Returns the text with this fingerprint.
    pub fn with_fingerprint(&self, fingerprint: &Fingerprint) -> Option<&ChatwootText> {
        [&self.whole_body, &self.main_part].into_iter().find(|text| text.fingerprint == *fingerprint)
    }

    /// Returns the form of the page's links.
    pub fn links(&self) -> LinkForm {
        LinkForm::of(&self.whole_body.content)
    }

    /// Looks for a stored text by its fingerprint; `None` if no generation gives it.
    pub fn by_fingerprint(&self, stored: &Fingerprint) -> Option<Recognised> {
        self.found(|generation| self.of(generation).fingerprint == *stored)
    }

    /// Looks for a stored text by its words. A text of a length at which Chatwoot cuts is also compared as the beginning
    /// of the page's. `main` is the page's main content: a text that has all of it, and hardly any words that the page has
    /// not, is one of this page, in which something around the main content has changed, or which Chatwoot's parser has
    /// read in another way.
    pub fn recognise(&self, stored: &str, main: &str) -> Recognised {
        let stored = StoredWords::of(stored);
        let all = Generation::ALL.map(|generation| (generation, words_of(&self.of(generation).content)));
        let fits = |wanted| all.iter().any(|(generation, words)| *generation == wanted && stored.are(words));
        self.found(fits).unwrap_or_else(|| {
            let shared = all.iter().map(|(generation, words)| (stored.similarity(words), *generation));
            // Of equals the newest, which comes last.
            let nearest = shared.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, generation)| generation);
            let nearest = nearest.unwrap_or(Generation::NEWEST);
            let words = all.iter().find(|(generation, _)| *generation == nearest);
            match words.is_some_and(|(_, words)| stored.has_main(main, words)) {
                true => Recognised::Same(None),
                false => Recognised::Different(nearest),
            }
        })
    }

    fn found(&self, fits: impl Fn(Generation) -> bool) -> Option<Recognised> {
        match Generation::ALL.map(&fits) {
            [false, false] => None,
            [true, false] => Some(Recognised::Same(Some(Generation::WholeBody))),
            [false, true] => Some(Recognised::Same(Some(Generation::MainPart))),
            [true, true] => Some(Recognised::Same(None)),
        }
    }
}

/// Returns true if a stored text has the words of `text`, or is the beginning of it at a length at which Chatwoot cuts.
pub fn is_text_of(stored: &str, text: &str) -> bool {
    StoredWords::of(stored).are(&words_of(text))
}

/// Words of a stored text.
struct StoredWords {
    words: Vec<String>,
    /// True if the text may be cut, within its last word.
    may_be_cut: bool,
}

impl StoredWords {
    fn of(stored: &str) -> Self {
        Self { words: words_of(stored), may_be_cut: CUT_AT.contains(&stored.chars().count()) }
    }

    fn are(&self, words: &[String]) -> bool {
        let beginning = self.words.split_last().map(|(_, beginning)| beginning);
        *words == *self.words || self.may_be_cut && beginning.is_some_and(|beginning| words.starts_with(beginning))
    }

    /// Returns the number of words that both texts have.
    fn shared(&self, words: &[String]) -> usize {
        let mut left: HashMap<&str, u32> = HashMap::new();
        self.words.iter().for_each(|word| *left.entry(word).or_default() += 1);
        let mut shared = 0;
        for word in words {
            if let Some(count) = left.get_mut(word.as_str()).filter(|count| **count > 0) {
                *count -= 1;
                shared += 1;
            }
        }
        shared
    }

    /// Returns true if the stored text has each line of `main` that the page's text with these words has, and hardly any
    /// words more than the page: what was removed from a page is in the stored text alone.
    fn has_main(&self, main: &str, words: &[String]) -> bool {
        let more = self.words.len() - self.shared(words);
        if more > MAX_MORE_WORDS.max(self.words.len() / WORDS_PER_MORE_WORD) {
            return false;
        }
        let joined = |words: &[String]| format!(" {} ", words.join(" "));
        let (stored, page) = (joined(&self.words), joined(words));
        let mut lines = main.lines().map(words_of).filter(|words| !words.is_empty()).map(|words| joined(&words));
        let mut is_any = false;
        let is_in_both = |line: String| {
            let is_in_page = page.contains(&line);
            is_any |= is_in_page;
            !is_in_page || stored.contains(&line)
        };
        lines.all(is_in_both) && is_any
    }

    /// Returns the share of words that both texts have, of all words of the longer one.
    fn similarity(&self, words: &[String]) -> f64 {
        let shared = self.shared(words);
        let most = self.words.len().max(words.len()).max(1);
        shared as f64 / most as f64
    }
}

/// Returns the words of a text in Markdown. No-break spaces are written as entities by one converter and not by others.
fn words_of(text: &str) -> Vec<String> {
    words(&text.replace("&nbsp;", " "))
}

/// Form of the links of a text, which shows what fetched the page: Chatwoot's own converter keeps links as the page has
/// them, Firecrawl makes them absolute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkForm {
    /// At least one link is relative.
    Relative,
    /// There are links, and all are absolute.
    Absolute,
    None,
}

impl LinkForm {
    /// Returns the form of the links of a text in Markdown.
    pub fn of(text: &str) -> Self {
        let mut form = Self::None;
        for (at, mark) in text.match_indices("](") {
            let target = text[at + mark.len()..].trim_start();
            if target.starts_with(['/', '#', '.', '?']) && !target.starts_with("//") {
                return Self::Relative;
            }
            if target.starts_with("http://") || target.starts_with("https://") {
                form = Self::Absolute;
            }
        }
        form
    }

    /// Returns true if a text with links of this form was not fetched as one with links of the form `new` of the same page.
    pub fn shows_another_fetcher(self, new: Self) -> bool {
        matches!((self, new), (Self::Relative, Self::Absolute) | (Self::Absolute, Self::Relative))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> ChatwootTexts {
        ChatwootTexts::new("menu\n\n# Title\n\nThe [text](/a) of it.".into(), "# Title\n\nThe [text](/a) of it.".into())
    }

    #[test]
    fn a_stored_text_is_recognised_whatever_its_marks() {
        for (stored, expected) in [
            ("menu\n\n# Title\n\nThe [text](/a) of it.", Recognised::Same(Some(Generation::WholeBody))),
            (
                "Title\n=====\n\nThe [text](https://a.test/a) **of**&nbsp;it.",
                Recognised::Same(Some(Generation::MainPart)),
            ),
            ("# Title\n\nThe text of that.", Recognised::Different(Generation::MainPart)),
            ("menu\n\n# Title\n\nThe text of that.", Recognised::Different(Generation::WholeBody)),
            ("", Recognised::Different(Generation::MainPart)),
        ] {
            assert_eq!(texts().recognise(stored, "# Title\n\nThe text of it."), expected, "{stored}");
        }
        let one = ChatwootTexts::new("a b".into(), "a b".into());
        assert_eq!(one.recognise("a  b", "a b"), Recognised::Same(None));
        assert_eq!(one.by_fingerprint(&Fingerprint::of("a b")), Some(Recognised::Same(None)));
        assert_eq!(texts().by_fingerprint(&Fingerprint::of("a b")), None);
    }

    #[test]
    fn a_text_that_was_cut_is_the_beginning_of_the_page() {
        let long = "several words ".repeat(2_000);
        let texts = ChatwootTexts::new(long.clone(), String::new());
        let cut: String = long.chars().take(15_000).collect();
        assert_eq!(texts.recognise(&cut, &long), Recognised::Same(Some(Generation::WholeBody)));
        assert!(matches!(texts.recognise(&long[..14_998], &long), Recognised::Different(_)), "nothing is cut there");
    }

    #[test]
    fn a_text_with_the_same_main_content_is_the_same_and_one_with_more_or_less_of_it_is_not() {
        let main = "# Title\n\nThe text of it.\n\nIts end.";
        let page = |footer: &str| format!("Home Help\n\n# Title\n\nThe text of it.\n\nIts end.\n\n{footer}");
        let texts = ChatwootTexts::new(page("Made in 2026"), page(""));
        for (stored, is_same) in [
            (page("Made in 2025"), true),
            (page("Made in 2025").replace("Home Help", "HomeHelp"), true),
            (page("Made in 2026").replace("of it", "of that"), false),
            (page("Made in 2026").replace("Its end.", ""), false),
            (page("Made in 2026").replace("Its end.", "Its end.\n\nAnd one more paragraph with words."), false),
        ] {
            let found = texts.recognise(&stored, main);
            assert_eq!(matches!(found, Recognised::Same(_)), is_same, "{stored}: {found:?}");
        }
    }

    #[test]
    fn links_show_what_fetched_a_page() {
        assert_eq!(LinkForm::of("a [b](/c) [d](https://e.test)"), LinkForm::Relative);
        assert_eq!(LinkForm::of("a [d](https://e.test)"), LinkForm::Absolute);
        assert_eq!(LinkForm::of("a [m](mailto:x)"), LinkForm::None);
        assert!(LinkForm::Absolute.shows_another_fetcher(LinkForm::Relative));
        assert!(!LinkForm::None.shows_another_fetcher(LinkForm::Relative));
    }
}
