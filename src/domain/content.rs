//! What a fetch brought, and how it compares with what is stored.

use super::fingerprint::Fingerprint;
use super::guard::Doubt;
use super::text::{SafeLine, cut_chars, is_blank};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Contents are cut here, in characters (upstream's limit).
pub const MAX_CONTENT_CHARS: usize = 200_000;
/// Titles are cut here, in characters.
pub const MAX_TITLE_CHARS: usize = 255;

/// A page is fetched whole at least this often, whatever its server says of it: some say "not modified" for ever.
pub const WHOLE_FETCH_EVERY: Duration = Duration::from_secs(7 * 86_400);

/// What a server gave with a page, by which it can tell later that nothing has changed. Sent back as it wrote them: a
/// server may compare them as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

impl Validators {
    /// `None` when there is nothing to ask by.
    pub fn new(etag: Option<String>, last_modified: Option<String>) -> Option<Self> {
        (etag.is_some() || last_modified.is_some()).then_some(Self { etag, last_modified })
    }
}

/// Which converter made a text, and under which site rule: a text that another one made may differ although the
/// page does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Converter(pub i64);

impl Converter {
    /// Number and rules as one number: the low 16 bits are the converter's, the rest stands for the rules, zero for none.
    pub fn new(number: u16, rules: &str) -> Self {
        if rules.is_empty() {
            return Self(i64::from(number));
        }
        let digits = Fingerprint::of(rules);
        let rules = digits.as_str().get(..11).and_then(|digits| i64::from_str_radix(digits, 16).ok());
        Self(rules.unwrap_or_default() << 16 | i64::from(number))
    }
}

/// What is stored of a document, as far as a fetched page is compared with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// The fingerprint of the stored text; `None` without one.
    pub fingerprint: Option<Fingerprint>,
    /// What made the stored text; `None` when another program did.
    pub converter: Option<Converter>,
    /// Characters of the stored text; `None` without one.
    pub chars: Option<u64>,
    /// The text that a person said no to.
    pub rejected: Option<Fingerprint>,
}

impl Stored {
    /// What `page` means for it, and why it is not trusted.
    ///
    /// A text that another converter made, or that is made under other rules, is stored quietly: the bytes of the old page are
    /// gone, so nobody can tell whether the page changed too, and one change that is told late costs less than all documents
    /// told as changed. A text of another program (Chatwoot's) is compared as it is.
    pub fn compare(&self, page: &Page) -> (ContentChange, Option<Doubt>) {
        let change = ContentChange::between(self.fingerprint.as_ref(), &page.fingerprint);
        if !change.writes() {
            return (change, None);
        }
        let doubt = Doubt::about(page.title.as_deref(), &page.content, self.chars);
        let doubt = match &self.rejected {
            Some(rejected) if *rejected == page.fingerprint => Some(Doubt::Rejected),
            _ => doubt,
        };
        let by_another = self.converter.zip(page.converter).is_some_and(|(stored, new)| stored != new);
        match (change, &doubt, self.chars) {
            (_, Some(_), Some(_)) => (ContentChange::Held, doubt),
            (ContentChange::Changed, ..) if by_another => (ContentChange::Rebased, doubt),
            _ => (change, doubt),
        }
    }
}

/// A page that was fetched and turned into text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The page's own title, at most [`MAX_TITLE_CHARS`]; `None` when it has none or a blank one.
    pub title: Option<SafeLine>,
    /// Markdown, at most [`MAX_CONTENT_CHARS`], without U+0000; never blank.
    pub content: String,
    /// Something was cut off the content or the title, said in the outcome.
    pub cut: Option<&'static str>,
    /// Bytes of the body after decompression.
    pub bytes: u64,
    /// The status of the last answer.
    pub http_status: u16,
    /// `ETag` as the server wrote it.
    pub etag: Option<String>,
    /// `Last-Modified` as the server wrote it.
    pub last_modified: Option<String>,
    /// Of the content, without the text that its site rule ignores.
    pub fingerprint: Fingerprint,
    /// What made the content; `None` when that is not known.
    pub converter: Option<Converter>,
    /// What is to be said in the outcome's detail of how the page was read.
    pub note: Option<SafeLine>,
    /// Why it is not taken for the page.
    pub doubt: Option<Doubt>,
}

impl Page {
    /// Cuts `title` and `content` to their limits. `None` when the content is blank (`content_empty`).
    pub fn new(title: Option<&str>, content: String, bytes: u64, http_status: u16) -> Option<Self> {
        if is_blank(&content) {
            return None;
        }
        let content = super::text::without_nul(content);
        let (kept, content_cut) = cut_chars(&content, MAX_CONTENT_CHARS);
        let content = if content_cut { kept.to_owned() } else { content };
        let fingerprint = Fingerprint::of(&content);
        let title = title.map(SafeLine::new).filter(|title| !is_blank(title));
        let title_cut = title.as_ref().is_some_and(|title| cut_chars(title, MAX_TITLE_CHARS).1);
        Some(Self {
            title: title.map(|title| SafeLine::new(cut_chars(&title, MAX_TITLE_CHARS).0)),
            content,
            fingerprint,
            cut: match (content_cut, title_cut) {
                (true, true) => Some("cut at 200,000 characters, title at 255"),
                (true, false) => Some("cut at 200,000 characters"),
                (false, true) => Some("title cut at 255 characters"),
                (false, false) => None,
            },
            bytes,
            http_status,
            etag: None,
            last_modified: None,
            converter: None,
            note: None,
            doubt: None,
        })
    }
}

impl Page {
    /// What is to be said of it in the outcome.
    pub fn detail(&self, change: ContentChange) -> Option<SafeLine> {
        let doubt = self.doubt.map(|doubt| match change {
            ContentChange::Held => format!("held back: it {doubt}"),
            _ => format!("stored, but it {doubt}"),
        });
        let rebased =
            (change == ContentChange::Rebased).then(|| "read anew by another converter or other rules".to_owned());
        let all = [doubt, rebased, self.note.as_ref().map(ToString::to_string), self.cut.map(str::to_owned)];
        let all: Vec<_> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| SafeLine::new(&all.join("; ")))
    }
}

/// What a good attempt meant for the stored content (our field `content`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentChange {
    /// Content was written and there was no fingerprint to compare with.
    First,
    /// Content was written over another.
    Changed,
    /// The same text.
    Same,
    /// Another converter's text was written over the old one's: as far as can be told the same page.
    #[serde(rename = "same", skip_deserializing)]
    Rebased,
    /// The server said so (304).
    NotModified,
    /// Another text that was not trusted; the old one stays.
    Held,
}

impl ContentChange {
    /// Compares a fetched text with the stored fingerprint.
    pub fn between(stored: Option<&Fingerprint>, fetched: &Fingerprint) -> Self {
        match stored {
            None => Self::First,
            Some(stored) if stored == fetched => Self::Same,
            Some(_) => Self::Changed,
        }
    }

    /// Whether content, name and fingerprint are written.
    pub const fn writes(self) -> bool {
        matches!(self, Self::First | Self::Changed | Self::Rebased)
    }

    /// The word in outcomes and filters.
    pub const fn word(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Changed => "changed",
            Self::Same | Self::Rebased => "same",
            Self::NotModified => "not_modified",
            Self::Held => "held",
        }
    }

    /// One of each word.
    pub const WORDS: [Self; 5] = [Self::First, Self::Changed, Self::Same, Self::NotModified, Self::Held];

    /// Reads a stored word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::WORDS.into_iter().find(|change| change.word() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_are_on_characters_and_said() {
        let page = Page::new(Some(&"é".repeat(300)), "語".repeat(200_001), 600_003, 200).expect("not blank");
        assert_eq!(page.content.chars().count(), MAX_CONTENT_CHARS);
        assert_eq!(page.title.as_deref().map(|title| title.chars().count()), Some(MAX_TITLE_CHARS));
        assert_eq!(page.cut, Some("cut at 200,000 characters, title at 255"));
        let whole = Page::new(Some(" \u{a0} "), "a\0b".into(), 3, 200).expect("not blank");
        assert_eq!((whole.title, whole.content.as_str(), whole.cut), (None, "ab", None));
        assert_eq!(Page::new(None, "\u{a0}\n".into(), 3, 200), None);
    }

    #[test]
    fn a_missing_fingerprint_is_a_first_content() {
        let (a, b) = (Fingerprint::of("a"), Fingerprint::of("b"));
        assert_eq!(ContentChange::between(None, &a), ContentChange::First);
        assert_eq!(ContentChange::between(Some(&a), &a), ContentChange::Same);
        assert_eq!(ContentChange::between(Some(&b), &a), ContentChange::Changed);
    }
}
