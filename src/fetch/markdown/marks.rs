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
    /// What opens it; of all but links also what closes it.
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
    /// Where its content begins, once it has some.
    pub start: Option<usize>,
    /// Where its opening mark stands, if it has one.
    pub mark: Option<usize>,
}

/// A mark that was closed last, or right before another such.
#[derive(Debug)]
pub(super) struct ClosedSpan {
    pub mark: usize,
    pub end: usize,
    pub span: Span,
}

/// What headings' links to themselves are labelled with; they are not part of the text.
pub(super) const ANCHORS: [&str; 4] = ["¶", "§", "#", "🔗"];

/// What stands beside a mark. Markdown takes it for one only where it can be told what it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beside {
    Space,
    Word,
    /// Punctuation, another mark.
    Mark,
}

impl Beside {
    /// What this character is; `None` at the edge of a block.
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
