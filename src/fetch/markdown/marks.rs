//! Marks around text (emphasis, bold, links), and the rules by which Markdown accepts them.

use unicode_width::UnicodeWidthChar;

/// Formatted span of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// `*text*`
    Emphasis,
    /// `**text**`
    Strong,
    /// `~~text~~`
    Deleted,
    /// `[text](destination)`
    Link(String),
    /// Link of a heading to itself: only the text of the link is kept, or nothing if the text is a mere symbol.
    Anchor,
}

impl Span {
    /// Returns the opening mark, which is also the closing mark except for links.
    pub const fn mark(&self) -> &'static str {
        match self {
            Self::Emphasis => "*",
            Self::Strong => "**",
            Self::Deleted => "~~",
            Self::Link(_) => "[",
            Self::Anchor => "",
        }
    }

    /// Returns true if both spans are of the same kind; destinations of links do not matter.
    pub fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// An open span.
#[derive(Debug)]
pub(super) struct OpenSpan {
    pub span: Span,
    /// True if the span has no effect, because it is inside a span of the same kind or inside code.
    pub ignored: bool,
    /// Byte offset of the span's content, once the span has content.
    pub start: Option<usize>,
    /// Byte offset of the span's opening mark, if the mark was written.
    pub mark: Option<usize>,
}

/// A span that was just closed.
#[derive(Debug)]
pub(super) struct ClosedSpan {
    pub mark: usize,
    pub end: usize,
    pub span: Span,
}

/// Labels of headings' links to themselves, which are not part of the text.
pub(super) const ANCHORS: [&str; 4] = ["¶", "§", "#", "🔗"];

/// Kind of the character next to a mark. Markdown accepts a mark only if its neighbours show to which text it belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Neighbour {
    Space,
    Word,
    /// Punctuation or another mark.
    Mark,
}

impl Neighbour {
    /// Classifies a character; `None` is the edge of a block.
    pub fn of(c: Option<char>) -> Self {
        match c {
            None => Self::Space,
            Some(c) if c.is_whitespace() => Self::Space,
            // Combining characters belong to their letter.
            Some(c) if c.is_alphanumeric() || c.width() == Some(0) => Self::Word,
            Some(_) => Self::Mark,
        }
    }
}
