//! Reasons for which an element of a page is no part of its content.

use std::borrow::Cow;

/// Reason for which an element is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::fetch) enum DropReason {
    Navigation,
    Header,
    Footer,
    Sidebar,
    Hidden,
    Sharing,
    Related,
    Comments,
    /// Reviews of what a page sells.
    Reviews,
    Promotion,
    Overlay,
    Form,
    Filters,
    Metadata,
    /// All but the headings of a `header` within the content.
    Byline,
    Caption,
    Editing,
    /// A list of teasers for other pages.
    Teasers,
    /// Mostly links, with no sentences.
    Links,
    /// A label that all items of a list have.
    Repeated,
    /// A heading over nothing.
    EmptySection,
    /// Outside the root of the content, or outside all elements that a site rule includes.
    Outside,
    /// Excluded by a site rule.
    SiteRule,
    /// A block that stands on many pages of the host: on `pages` of `of` that were sampled.
    Recurring {
        pages: u16,
        of: u16,
    },
}

impl DropReason {
    /// Returns the reason as words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Navigation => "navigation",
            Self::Header => "header",
            Self::Footer => "footer",
            Self::Sidebar => "sidebar",
            Self::Hidden => "hidden",
            Self::Sharing => "sharing",
            Self::Related => "related",
            Self::Comments => "comments",
            Self::Reviews => "reviews",
            Self::Promotion => "promotion",
            Self::Overlay => "overlay",
            Self::Form => "form",
            Self::Filters => "filters",
            Self::Metadata => "metadata",
            Self::Byline => "byline",
            Self::Caption => "caption",
            Self::Editing => "editing",
            Self::Teasers => "teasers",
            Self::Links => "links",
            Self::Repeated => "repeated",
            Self::EmptySection => "empty section",
            Self::Outside => "outside the content",
            Self::SiteRule => "site rule",
            Self::Recurring { .. } => "stands on many pages of this host",
        }
    }

    /// Returns the reason as words, with its numbers.
    pub fn describe(self) -> Cow<'static, str> {
        match self {
            Self::Recurring { pages, of } => format!("stands on {pages} of {of} pages of this host").into(),
            reason => reason.word().into(),
        }
    }
}
