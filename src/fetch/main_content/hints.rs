//! Words in classes, ids and roles that hint at the part an element plays in its page. A hint is weak evidence: layouts
//! name their wrappers after the parts within them, so every use of a hint also asks for the measures of the element.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

/// Set of hints of an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Hints(u32);

impl Hints {
    pub const NONE: Self = Self(0);
    /// Menus, breadcrumbs, pagination.
    pub const NAVIGATION: Self = Self(1);
    pub const HEADER: Self = Self(1 << 1);
    pub const FOOTER: Self = Self(1 << 2);
    pub const SIDEBAR: Self = Self(1 << 3);
    /// Buttons that share the page or follow its author.
    pub const SHARING: Self = Self(1 << 4);
    /// Other pages that a reader may like.
    pub const RELATED: Self = Self(1 << 5);
    pub const COMMENTS: Self = Self(1 << 6);
    /// Newsletters, calls to subscribe.
    pub const PROMOTION: Self = Self(1 << 7);
    /// Cookie notices, pop-ups, drawers.
    pub const OVERLAY: Self = Self(1 << 8);
    /// Author, date, tags.
    pub const METADATA: Self = Self(1 << 9);
    /// Search, log-in, tool bars.
    pub const CONTROLS: Self = Self(1 << 10);
    pub const FILTERS: Self = Self(1 << 11);
    pub const HIDDEN: Self = Self(1 << 12);
    /// Line numbers and edit links.
    pub const EDITING: Self = Self(1 << 13);
    /// `content`, `body`, `text`: a wrapper of text.
    pub const SUBSTANCE: Self = Self(1 << 14);
    pub const FORUM: Self = Self(1 << 15);
    /// Part of a page where a reader buys.
    pub const BASKET: Self = Self(1 << 16);
    pub const REVIEWS: Self = Self(1 << 17);
    /// About the author.
    pub const AUTHOR: Self = Self(1 << 18);
    /// Notes and warnings, which belong to a text even in an `aside`.
    pub const NOTE: Self = Self(1 << 19);
    /// `section`, `sect1`, `chapter`: a part of a text, whose id names its subject.
    pub const SECTION: Self = Self(1 << 20);
    pub const CAPTION: Self = Self(1 << 21);
    pub const RIGHTS: Self = Self(1 << 22);
    pub const ADVERTISEMENT: Self = Self(1 << 23);
    /// Parts that a reader opens: tabs and accordions.
    pub const DISCLOSURE: Self = Self(1 << 24);
    /// Words of a layout that is named after its parts: `has-sidebar`, `no-comments`.
    pub const LAYOUT: Self = Self(1 << 25);
    /// A part of the frame by its role.
    pub const LANDMARK: Self = Self(1 << 29);
    /// Buttons that copy code.
    pub const COPYING: Self = Self(1 << 26);
    /// Notices about cookies.
    pub const CONSENT: Self = Self(1 << 27);
    /// The content of the page by its role or `itemprop`.
    pub const MAIN: Self = Self(1 << 28);

    /// Text that only screen readers read.
    pub const UNSEEN: Self = Self(1 << 30);
    /// Calls to act on what the page offers.
    pub const CALL: Self = Self(1 << 31);

    /// Returns true if any of `other` is set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns the union of both sets.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns the hints that are not in `other`.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Adds the hints in the words of `value`, an attribute's value. Words end at a character that is no letter and at a
    /// capital after a small letter; letters behind a digit are no word, as generated names have such.
    pub fn read(&mut self, value: &str) {
        let bytes = &value.as_bytes()[..value.len().min(MOST_BYTES)];
        let mut word = [0u8; LONGEST];
        let mut length = 0;
        // A short word counts only between separators, since generated names are full of them.
        let (mut is_split, mut is_word, mut before) = (false, true, b' ');
        for byte in bytes.iter().copied().chain([b' ']) {
            let is_camel = byte.is_ascii_uppercase() && before.is_ascii_lowercase();
            if !byte.is_ascii_alphabetic() || is_camel {
                let is_split_now = is_split || is_camel;
                if is_word && length >= 2 && (length > SHORT_WORD || !is_split_now) {
                    self.add(&word, length);
                }
                length = 0;
                is_split = is_camel;
                is_word = !byte.is_ascii_digit();
            }
            if byte.is_ascii_alphabetic() {
                if let Some(place) = word.get_mut(length) {
                    *place = byte.to_ascii_lowercase();
                }
                length += 1;
            }
            before = byte;
        }
    }

    fn add(&mut self, word: &[u8; LONGEST], length: usize) {
        let Some(word) = word.get(..length) else { return };
        let found = WORDS.get(word).or_else(|| WORDS.get(word.strip_suffix(b"s")?));
        if let Some(found) = found {
            self.0 |= found.0;
        }
    }
}

/// Length up to which a word counts only between separators.
const SHORT_WORD: usize = 3;
/// Number of bytes of an attribute that are read; a class list beyond it says nothing new.
const MOST_BYTES: usize = 256;
/// Number of letters of the longest word in the table.
const LONGEST: usize = 16;

/// Words and their hints; a word also stands for its plural.
const TABLE: [(Hints, &str); 29] = [
    (Hints::UNSEEN, "visually visuallyhidden sr sronly screenreader reader"),
    (Hints::COPYING, "copy clipboard"),
    (Hints::CONSENT, "cookie consent gdpr"),
    (Hints::LAYOUT, "has with no without layout grid cols"),
    (Hints::DISCLOSURE, "tab tabpanel accordion collapse collapsible expandable expander expand panel faq toggle"),
    (
        Hints::NAVIGATION,
        "nav navbar navigation menu submenu menubar navi topnav subnav sitenav breadcrumb crumb breadcrumbs pagination \
         pager paging paginator sitemap skiplink prevnext pagenav postnav jumplink",
    ),
    (Hints::HEADER, "masthead topbar siteheader banner pageheader"),
    (Hints::FOOTER, "footer foot colophon sitefooter pagefooter"),
    (Hints::SIDEBAR, "sidebar rail sidenav complementary rightcol sidecol"),
    (
        Hints::SHARING,
        "share sharing social socials sharebar sharedaddy follow socialshare shareicon socialmedia sociallinks \
         sharebutton",
    ),
    (
        Hints::RELATED,
        "related relatedpost recommend recommended recommendation suggested suggestion popular trending upsell crosssell \
         similar readmore morefrom readnext upnext recirc recirculation alsolike mostread mostpopular teaser recently \
         latest recent relatedarticle relatedcontent relatedproduct relatedlink",
    ),
    (
        Hints::COMMENTS,
        "comment commentlist commentform respond disqus commenting usercomment webmention trackback pingback kommentar \
         kommentare leserkommentar leserkommentare comentario commentaire commento commenti reactie komentarz komentarze",
    ),
    (Hints::PROMOTION, "newsletter subscribe subscription signup optin donate donation paywall mailinglist subscriber"),
    (Hints::CALL, "promo promotion cta"),
    (
        Hints::ADVERTISEMENT,
        "ad advert advertisement advertising sponsor sponsored adslot adunit adsense adbox adcontainer adwrapper",
    ),
    (Hints::OVERLAY, "popup modal drawer overlay lightbox announcement offcanvas dialog toast flyout"),
    (
        Hints::METADATA,
        "meta byline tag taglist postmeta entrymeta dateline timestamp postinfo articlemeta pubdate postdate category",
    ),
    (Hints::CONTROLS, "search login signin toolbar searchform register searchbox dropdown"),
    (Hints::FILTERS, "filter facet refine refinement sorting sort sortby swatch"),
    (Hints::EDITING, "editsection lineno gutter"),
    (Hints::SUBSTANCE, "content body text copy prose richtext markdown rte wysiwyg"),
    (
        Hints::FORUM,
        "forum thread topic postbody postbit message answer question reply discussion messagelist bbs threadlist",
    ),
    (Hints::BASKET, "addtocart cart buybox addtobasket basket buynow"),
    (Hints::REVIEWS, "review rating testimonial"),
    (
        Hints::AUTHOR,
        "bio authorbox authorbio aboutauthor signature userinfo usercard postprofile memberinfo extra badge flair \
         reputation userdetail",
    ),
    (Hints::NOTE, "quote footnote endnote note admonition callout tip hint warning"),
    (Hints::SECTION, "section sect chapter refsect subsection"),
    (Hints::CAPTION, "caption credit figcaption photocredit"),
    (Hints::RIGHTS, "copyright disclaimer"),
];

#[derive(Default)]
struct WordHasher(u64);

impl Hasher for WordHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    fn write_usize(&mut self, _: usize) {}
}

type WordMap = HashMap<&'static [u8], Hints, BuildHasherDefault<WordHasher>>;

static WORDS: LazyLock<WordMap> = LazyLock::new(|| {
    let mut words = WordMap::default();
    for (hints, all) in TABLE {
        for word in all.split_whitespace() {
            let entry = words.entry(word.as_bytes()).or_default();
            *entry = entry.with(hints);
        }
    }
    words
});

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Hints {
        let mut hints = Hints::NONE;
        hints.read(value);
        hints
    }

    #[test]
    fn words_end_at_separators_and_capitals() {
        for value in ["site-footer", "siteFooter", "site__footer", "footers", "a FOOTER b", "footer2"] {
            assert!(of(value).has(Hints::FOOTER), "{value}");
        }
        for value in ["barefooted", "multimodal", "bookie", "cookiecutter", "", "-", "x7footer"] {
            assert_eq!(of(value), Hints::NONE, "{value}");
        }
    }

    #[test]
    fn generated_names_hold_no_short_words() {
        assert!(of("ad-slot ad").has(Hints::ADVERTISEMENT));
        for value in ["css-1ad9x", "aBadCd", "sc-adX"] {
            assert!(!of(value).has(Hints::ADVERTISEMENT), "{value}");
        }
    }

    #[test]
    fn every_word_fits_the_buffer() {
        let words = TABLE.iter().flat_map(|(_, words)| words.split_whitespace());
        for word in words {
            assert!((2..=LONGEST).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
    }
}
