//! The marks around a block's text: emphasis, bold, links; and where Markdown takes them for such.

use unicode_width::UnicodeWidthChar;

/// Marks around text.
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
    /// A heading's link to itself: its text alone, or nothing where that is a mere sign.
    Anchor,
}

impl Span {
    /// Returns the opening mark; for everything but links also the closing one.
    pub const fn mark(&self) -> &'static str {
        match self {
            Self::Emphasis => "*",
            Self::Strong => "**",
            Self::Deleted => "~~",
            Self::Link(_) => "[",
            Self::Anchor => "",
        }
    }

    /// The same mark, wherever it leads.
    pub fn same_kind(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

/// A span that is open.
#[derive(Debug)]
pub(super) struct OpenSpan {
    pub span: Span,
    /// Within another of its kind, or in code: it says nothing more.
    pub ignored: bool,
    /// Start of its content, once it has some.
    pub start: Option<usize>,
    /// Position of its opening mark, if it has one.
    pub mark: Option<usize>,
}

/// A mark that was closed last, or right before another such.
#[derive(Debug)]
pub(super) struct ClosedSpan {
    pub mark: usize,
    pub end: usize,
    pub span: Span,
}

/// Labels of headings' links to themselves; they are not part of the text.
pub(super) const ANCHORS: [&str; 4] = ["¶", "§", "#", "🔗"];

/// Character beside a mark. Markdown accepts a mark only where its neighbours show what it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Space,
    Word,
    /// Punctuation, another mark.
    Mark,
}

impl Beside {
    /// Classifies a character; `None` is the edge of a block.
    pub fn of(c: Option<char>) -> Self {
        match c {
            None => Self::Space,
            Some(c) if c.is_whitespace() => Self::Space,
            // What is set upon a letter is part of it.
            Some(c) if c.is_alphanumeric() || c.width() == Some(0) => Self::Word,
            Some(_) => Self::Mark,
        }
    }
}
