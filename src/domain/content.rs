//! Fetched pages, and the comparison with the stored content.

use super::body_digest::BodyDigest;
use super::chatwoot_text::{ChatwootTexts, Generation, TextOrigin};
use super::content_guard::QuarantineReason;
use super::fingerprint::Fingerprint;
use super::id::DocumentId;
use super::representation::{MarkdownFinding, Representation};
use super::template::{Applied, BlockComparison, Observation, PageBlocks, Template, TemplateVersion, blocks};
use super::text::{SafeLine, cut_chars, is_blank};
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use std::time::Duration;

/// Maximum length of a content in characters, the same as in Chatwoot; longer contents are cut.
pub const MAX_CONTENT_CHARS: usize = 200_000;
/// Maximum length of a title in characters; longer titles are cut.
pub const MAX_TITLE_CHARS: usize = 255;

/// Longest time between two full fetches of a page. Some servers answer 304 for ever, so after this time a page is
/// fetched without its validators.
pub const FULL_FETCH_INTERVAL: Duration = Duration::from_secs(7 * 86_400);

/// Validators of a page (RFC 9110, section 8.8): its `ETag` and `Last-Modified` headers. The next request carries them,
/// so that the server can answer 304. They are kept byte for byte, since servers may compare them as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    pub etag: Option<String>,
    pub last_modified: Option<String>,
}

impl Validators {
    /// Combines the two headers; `None` if the server sent neither.
    pub fn new(etag: Option<String>, last_modified: Option<String>) -> Option<Self> {
        (etag.is_some() || last_modified.is_some()).then_some(Self { etag, last_modified })
    }
}

/// Facts about the response that the stored text came from, by which the next fetch recognises that nothing has
/// changed. The default knows nothing: the whole page is fetched and converted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriorResponse {
    /// Validators for a conditional request; `None` requests the whole page.
    pub validators: Option<Validators>,
    /// Digest of the body: a page with the same digest is not converted. `None` converts every page.
    pub body_digest: Option<BodyDigest>,
}

/// Response whose body is the one that the stored text came from, so that it was not converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdenticalBody {
    /// Size of the body in bytes, after decompression.
    pub bytes: u64,
    /// HTTP status of the last response, after redirects.
    pub http_status: u16,
    /// Validators of this response, which may differ from those of the response before.
    pub validators: Option<Validators>,
}

impl IdenticalBody {
    /// Detail of the outcome of such a fetch.
    pub const DETAIL: &str = "identical page, not converted";
}

/// Version of the converter and the site rules that produced a text. Texts of different versions may differ although
/// the page is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConverterVersion(pub i64);

impl ConverterVersion {
    /// Combines the converter's number (low 16 bits) with a hash of the site rules (the higher bits, which are zero
    /// without rules).
    pub fn new(number: u16, rules: &str) -> Self {
        if rules.is_empty() {
            return Self(i64::from(number));
        }
        let digits = Fingerprint::of(rules);
        let rules = digits.as_str().get(..11).and_then(|digits| i64::from_str_radix(digits, 16).ok());
        Self(rules.unwrap_or_default() << 16 | i64::from(number))
    }
}

/// Part of a document's stored state against which a fetched page is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredBaseline {
    /// Fingerprint of the stored text; `None` without a text.
    pub fingerprint: Option<Fingerprint>,
    /// Version of converter and site rules that produced the stored text; `None` if unknown, as for a text that another
    /// program wrote.
    pub converter: Option<ConverterVersion>,
    /// Version of the host's template with which the stored text was made; `None` without one, or if unknown.
    pub template: Option<TemplateVersion>,
    /// Length of the stored text in characters; `None` without a text.
    pub chars: Option<u64>,
    /// Fingerprint of the text that a person rejected last.
    pub rejected: Option<Fingerprint>,
    /// Digest of the main content of the page at the last comparison, whatever was written since; `None` if unknown.
    pub main_digest: Option<Fingerprint>,
    /// Version of the converter that made that main content.
    pub main_converter: Option<ConverterVersion>,
}

impl StoredBaseline {
    /// Compares a fetched page with the stored text. Returns the change, and the reason if the page is suspect; a page
    /// whose text equals the stored one is not examined. A suspect page is quarantined. If no text is stored yet, this
    /// applies only to a page that is a login by its structure, to noise, and to a text that a person rejected: the other
    /// signs are words, and a wrong suspicion would keep the only text away.
    ///
    /// If another converter version or other site rules produced the stored text, the new text replaces it without
    /// being reported as a change: the old page's bytes are gone, so a change of the page cannot be distinguished from
    /// a change of the rules, and one late report costs less than a false report for every document. A stored text that
    /// another program (Chatwoot) wrote is compared as it is.
    pub fn compare(&self, page: &Page) -> (ContentChange, Option<QuarantineReason>) {
        let change = ContentChange::between(self.fingerprint.as_ref(), &page.fingerprint);
        if !change.writes() {
            return (change, None);
        }
        let reason = match page.is_login {
            true => Some(QuarantineReason::Login),
            false => QuarantineReason::check(page.title.as_deref(), &page.content, self.chars),
        };
        let reason = match &self.rejected {
            Some(rejected) if *rejected == page.fingerprint => Some(QuarantineReason::Rejected),
            _ => reason,
        };
        let by_another = self.converter.zip(page.converter).is_some_and(|(stored, new)| stored != new);
        match (change, &reason, self.chars) {
            (_, Some(_), Some(_)) => (ContentChange::Quarantined, reason),
            (_, Some(QuarantineReason::Rejected), None) => (ContentChange::Quarantined, reason),
            (_, Some(_), None) if page.is_login => (ContentChange::Quarantined, reason),
            (_, Some(noise), None) if noise.is_noise(page.content.chars().count() as u64) => {
                (ContentChange::Quarantined, reason)
            }
            (ContentChange::Changed, ..) if by_another => (ContentChange::Reconverted, reason),
            _ => (change, reason),
        }
    }
}

impl StoredBaseline {
    /// Returns true if a page whose text differs from the stored one may still be the same page without the frame of its
    /// host. A text of another converter, or of another program, has other blocks.
    pub fn may_be_same_by_blocks(&self, page: &Page, change: ContentChange) -> bool {
        let differs = matches!(change, ContentChange::Changed | ContentChange::Quarantined);
        differs && page.template.is_some() && self.converter.is_some() && self.converter == page.converter
    }

    /// Returns the change of such a page, of which `change` was found before. If only blocks of the frame differ, the
    /// stored text stays. But if another version of the template made it and would make another one now, the new text
    /// replaces it without being reported as a change, unless the store `keeps_texts`: those of Chatwoot stay whole.
    pub fn change_by_blocks(
        &self,
        page: &Page,
        change: ContentChange,
        blocks: BlockComparison,
        keeps_texts: bool,
    ) -> ContentChange {
        match blocks {
            BlockComparison::Different => change,
            BlockComparison::Outdated if self.template != page.template && !keeps_texts => ContentChange::Reconverted,
            BlockComparison::FrameOnly | BlockComparison::Outdated => ContentChange::Same,
        }
    }
}

/// Fetched page, converted to text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Title of the page, at most [`MAX_TITLE_CHARS`] characters; `None` if the page has no title or a blank one.
    pub title: Option<SafeLine>,
    /// Text of the page as Markdown: at most [`MAX_CONTENT_CHARS`] characters, without U+0000, never blank.
    pub content: String,
    /// Note for the outcome if the content or the title was cut.
    pub truncation: Option<&'static str>,
    /// Size of the body in bytes, after decompression.
    pub bytes: u64,
    /// HTTP status of the last response, after redirects.
    pub http_status: u16,
    /// `ETag` header, byte for byte as the server sent it.
    pub etag: Option<String>,
    /// `Last-Modified` header, byte for byte as the server sent it.
    pub last_modified: Option<String>,
    /// Digest of the response's body; `None` if the fetcher recognises no identical bodies.
    pub body_digest: Option<BodyDigest>,
    /// Fingerprint of the content without the text that the page's site rule ignores.
    pub fingerprint: Fingerprint,
    /// Version of converter and site rules that produced the content; `None` if unknown.
    pub converter: Option<ConverterVersion>,
    /// Representation that the content comes from.
    pub representation: Representation,
    /// Finding of the fetch about the Markdown of the page's host; `None` if nothing was compared.
    pub markdown_finding: Option<MarkdownFinding>,
    /// Fingerprint of the text of the page's other representation, if both were fetched.
    pub other_fingerprint: Option<Fingerprint>,
    /// True if the stored text came from the page's other representation.
    pub is_switched: bool,
    /// True if the page is a login page by its structure.
    pub is_login: bool,
    /// Facts about the blocks of `content`. In a box, since pages are moved often and these are read once.
    pub blocks: Box<PageBlocks>,
    /// Version of the host's template under which the content was made; `None` without a template.
    pub template: Option<TemplateVersion>,
    /// Texts that Chatwoot's own converter makes of the page, if one of them is to be written. In a box, like `blocks`.
    pub chatwoot: Option<Box<ChatwootTexts>>,
    /// Digest of the page's main content, if that decides whether the page has changed.
    pub main_digest: Option<Fingerprint>,
    /// Generation of Chatwoot's converter whose text is the most like the stored one.
    pub nearest_generation: Option<Generation>,
    /// Origin of the text that is stored after the attempt, if the attempt has shown it.
    pub text_origin: Option<TextOrigin>,
    /// Note on how the page was fetched or converted, for the outcome's detail.
    pub note: Option<SafeLine>,
    /// Reason why the page is suspect, as [`StoredBaseline::compare`] returns it; `None` before the comparison.
    pub quarantine_reason: Option<QuarantineReason>,
}

impl Page {
    /// Creates a page, with `title` and `content` cut to their limits. Returns `None` if the content is blank; the
    /// fetch then fails with [`ErrorCode::ContentEmpty`](super::failure::ErrorCode::ContentEmpty).
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
            truncation: match (content_cut, title_cut) {
                (true, true) => Some("text cut at 200,000 characters, title at 255"),
                (true, false) => Some("text cut at 200,000 characters"),
                (false, true) => Some("title cut at 255 characters"),
                (false, false) => None,
            },
            bytes,
            http_status,
            etag: None,
            last_modified: None,
            body_digest: None,
            converter: None,
            representation: Representation::Html,
            markdown_finding: None,
            other_fingerprint: None,
            is_switched: false,
            is_login: false,
            blocks: Box::default(),
            template: None,
            chatwoot: None,
            main_digest: None,
            nearest_generation: None,
            text_origin: None,
            note: None,
            quarantine_reason: None,
        })
    }
}

impl Page {
    /// Notes the blocks of the page, unless its document does not enter the sample of its host, whose template is
    /// `template`. Then leaves the blocks out that stand on many pages of the host, as
    /// [`without_template`](Self::without_template) does. The time of the observation is set when it is counted.
    pub fn observed(mut self, document: DocumentId, template: Option<&Template>) -> Self {
        let is_wanted = template.is_none_or(|template| template.wants(document));
        // Cutting a text into blocks costs about as much as a fifth of its conversion, so it is done once.
        let all = blocks(&self.content, &self.blocks.paths);
        let observation = is_wanted.then(|| Observation::of(document, Timestamp::from_micros(0), &all));
        let rest = template.map(|template| template.without_recurring(&self.content, &self.blocks.paths, &all));
        self.blocks.observation = observation;
        self.framed_by(template, rest.flatten())
    }

    /// Leaves the blocks out that stand on many pages of the host. Notes the template's version, and computes the
    /// fingerprint anew.
    pub fn without_template(self, template: Option<&Template>) -> Self {
        let paths = &self.blocks.paths;
        let rest =
            template.map(|template| template.without_recurring(&self.content, paths, &blocks(&self.content, paths)));
        self.framed_by(template, rest.flatten())
    }

    fn framed_by(mut self, template: Option<&Template>, rest: Option<Applied>) -> Self {
        self.template = template.map(|template| template.version);
        if let Some(rest) = rest {
            self.fingerprint = Fingerprint::of(&rest.text);
            (self.content, self.blocks.paths) = (rest.text, rest.paths);
        }
        self
    }

    /// Returns the outcome's detail for this page: the reason why the page is suspect, a remark if its text was
    /// reconverted, the page's note, and the remark on what was cut. Returns `None` if all of these are absent.
    pub fn detail(&self, change: ContentChange) -> Option<SafeLine> {
        let reason = self.quarantine_reason.map(|reason| match change {
            ContentChange::Quarantined => format!("needs review: it {reason}"),
            _ => format!("stored, but it {reason}"),
        });
        let rebased = match (change, self.is_switched, self.representation) {
            (ContentChange::Reconverted | ContentChange::Changed, true, Representation::Markdown) => {
                Some("from the server's Markdown, no more from its HTML".to_owned())
            }
            (ContentChange::Reconverted | ContentChange::Changed, true, Representation::Html) => {
                Some("from the HTML, no more from the server's Markdown".to_owned())
            }
            (ContentChange::Reconverted, false, _) => {
                Some("converted again: the converter, the site rules or the host's template changed".to_owned())
            }
            _ => None,
        };
        let all = [reason, rebased, self.note.as_ref().map(ToString::to_string), self.truncation.map(str::to_owned)];
        let all: Vec<_> = all.into_iter().flatten().collect();
        (!all.is_empty()).then(|| SafeLine::new(&all.join("; ")))
    }
}

word_enum! {
    /// Effect of a successful attempt on the stored content (JSON field `content`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum ContentChange {
        /// Content was stored, and there was no stored fingerprint to compare it with.
        First = "first",
        /// Different content was stored.
        Changed = "changed",
        /// The fetched text equals the stored one.
        Same = "same",
        /// Different content was stored, but another converter version or other site rules had produced the stored
        /// text, so the page counts as unchanged. The word is that of `Same`, so the value is read back as `Same`.
        Reconverted = "same",
        /// The server answered 304.
        NotModified = "not_modified",
        /// The page was fetched, and its body is the one that the stored text came from: it was not converted.
        Identical = "identical",
        /// Suspect content was quarantined; the stored content stays. Without one, the document fails as `access_denied`.
        Quarantined = "held",
        /// The text was removed with its document.
        Gone = "gone",
    }
}
serde_by_word!(ContentChange);

impl ContentChange {
    /// Compares a fetched text's fingerprint with the stored one.
    pub fn between(stored: Option<&Fingerprint>, fetched: &Fingerprint) -> Self {
        match stored {
            None => Self::First,
            Some(stored) if stored == fetched => Self::Same,
            Some(_) => Self::Changed,
        }
    }

    /// Returns true if content, name and fingerprint are written to the row.
    pub const fn writes(self) -> bool {
        matches!(self, Self::First | Self::Changed | Self::Reconverted)
    }

    /// Returns the words that outcomes and filters use, each once.
    pub fn words() -> impl Iterator<Item = &'static str> {
        Self::ALL.into_iter().filter(|change| Self::parse(change.word()) == Some(*change)).map(Self::word)
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
        assert_eq!(page.truncation, Some("text cut at 200,000 characters, title at 255"));
        let whole = Page::new(Some(" \u{a0} "), "a\0b".into(), 3, 200).expect("not blank");
        assert_eq!((whole.title, whole.content.as_str(), whole.truncation), (None, "ab", None));
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
