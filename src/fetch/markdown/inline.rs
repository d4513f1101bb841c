//! Text of one block: words, emphasis, links, code, images, line breaks.
//!
//! Opening marks are written with the first text inside them and closing marks directly after the last, so that spaces
//! stay outside and empty spans write nothing.

use super::escape::{TextContext, push_word};
use super::marks::{ANCHORS, ClosedSpan, Neighbour, OpenSpan, Span};
use crate::fetch::budget::MAX_MARKDOWN;

/// Inline code: pending, or just written between backticks from `start` to `end` (byte offsets).
#[derive(Debug, Default)]
struct Code {
    start: usize,
    end: usize,
    raw: String,
}

/// Text of the block that is being written, with its open spans.
#[derive(Debug)]
pub(super) struct Inline {
    text: String,
    context: TextContext,
    space: bool,
    /// True between two labels, whose words do not touch.
    between_labels: bool,
    broken: bool,
    spans: Vec<OpenSpan>,
    code_depth: usize,
    /// True for a code block in a table cell: each line of the code gets separate backticks.
    code_lines: bool,
    code: Option<Code>,
    last_code: Option<Code>,
    /// Marks closed directly one after the other, the innermost first.
    closed: Vec<ClosedSpan>,
}

impl Inline {
    /// Creates an empty text.
    pub fn new(context: TextContext) -> Self {
        Self {
            text: String::new(),
            context,
            space: false,
            between_labels: false,
            broken: false,
            spans: Vec::new(),
            code_depth: 0,
            code_lines: false,
            code: None,
            last_code: None,
            closed: Vec::new(),
        }
    }

    /// Returns the context of the text that follows.
    pub fn context(&self) -> TextContext {
        self.context
    }

    /// Sets the context of the text that follows.
    pub fn set_context(&mut self, context: TextContext) {
        self.context = context;
    }

    /// Returns the length of the text so far, in bytes.
    pub fn len(&self) -> usize {
        self.text.len() + self.code.as_ref().map_or(0, |code| code.raw.len())
    }

    /// Returns true if no text was written yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds white space, which is written before the next text.
    pub fn space(&mut self) {
        self.space = true;
    }

    /// Ends a label: the next text is written behind a space if the words of both would touch.
    pub fn end_label(&mut self) {
        self.between_labels = true;
    }

    /// Adds a line break, which is written before the next text; a block that is still empty gets none. Returns true if
    /// a line break was already pending: two line breaks end the paragraph.
    pub fn line_break(&mut self) -> bool {
        let twice = self.broken;
        self.broken = !self.is_empty();
        twice
    }

    /// Adds text of the page with white space collapsed.
    pub fn text(&mut self, text: &str) {
        if !self.code_lines {
            return self.words(text);
        }
        for (at, line) in text.split('\n').enumerate() {
            // Backticks and breaks around short lines multiply the text, so each line checks the limit.
            if self.text.len() > MAX_MARKDOWN {
                return;
            }
            if at > 0 {
                self.end_code();
                self.line_break();
            }
            self.words(line);
        }
    }

    fn words(&mut self, text: &str) {
        let is_space = |c: char| c.is_ascii_whitespace();
        let mut rest = text;
        loop {
            let trimmed = rest.trim_start_matches(is_space);
            if trimmed.len() < rest.len() {
                self.space = true;
            }
            if trimmed.is_empty() {
                return;
            }
            let end = trimmed.find(is_space).unwrap_or(trimmed.len());
            let (word, after) = trimmed.split_at(end);
            rest = after;
            // A no-break space at the edge of bold text would make its marks invalid.
            let inner = word.trim_matches('\u{a0}');
            self.space |= word.starts_with('\u{a0}');
            if !inner.is_empty() {
                self.word(inner, if word.ends_with('\u{a0}') { Some(' ') } else { after.chars().next() });
            }
            self.space |= word.ends_with('\u{a0}');
        }
    }

    fn word(&mut self, word: &str, after: Option<char>) {
        let between_labels = std::mem::take(&mut self.between_labels);
        if self.code_depth > 0 {
            return self.code_word(word);
        }
        self.space |=
            between_labels && (self.text.ends_with(')') || is_name(self.text.chars().rev())) && is_name(word.chars());
        self.begin(word.chars().next().unwrap_or(' '));
        let in_link = self.spans.iter().any(|open| matches!(open.span, Span::Link(_)) && open.start.is_some());
        push_word(&mut self.text, word, after, self.context, in_link);
    }

    fn code_word(&mut self, word: &str) {
        if let Some(code) = &mut self.code {
            if std::mem::take(&mut self.space) | std::mem::take(&mut self.broken) {
                code.raw.push(' ');
            }
            code.raw.push_str(word);
            return;
        }
        let touching =
            !self.space && !self.broken && self.spans.iter().all(|open| open.ignored || open.start.is_some());
        match self.last_code.take().filter(|last| touching && last.end == self.text.len()) {
            Some(mut last) => {
                self.text.truncate(last.start);
                last.raw.push_str(word);
                self.code = Some(last);
            }
            None => {
                self.begin('`');
                self.code = Some(Code { start: self.text.len(), end: 0, raw: word.to_owned() });
            }
        }
    }

    /// Writes pending breaks, spaces and opening marks before the next text, which begins with `next`.
    fn begin(&mut self, next: char) {
        let (broken, space) = (std::mem::take(&mut self.broken), std::mem::take(&mut self.space));
        if !self.text.is_empty() {
            match self.context {
                TextContext::Flow if broken => self.text.push_str("  \n"),
                TextContext::Cell if broken => self.text.push_str("<br>"),
                _ if (broken || space) && !self.text.ends_with(' ') => self.text.push(' '),
                _ => {}
            }
        }
        self.unmark_before(next);
        let Self { text, spans, closed, .. } = self;
        let waiting = |open: &OpenSpan| !open.ignored && open.start.is_none();
        let link_follows = spans.iter().any(|open| waiting(open) && matches!(open.span, Span::Link(_)));
        let mut before = Neighbour::of(text.chars().next_back());
        for open in spans.iter_mut().filter(|open| waiting(open)) {
            let is_link = matches!(open.span, Span::Link(_));
            let goes_on = closed.pop().filter(|last| !is_link && last.end == text.len() && last.span == open.span);
            closed.clear();
            if let Some(last) = goes_on {
                // The same mark was just closed: removes the closing mark and continues its span.
                text.truncate(last.end - last.span.mark().len());
                open.mark = Some(last.mark);
            } else if is_link || open.span.mark().is_empty() {
                if is_link && text.ends_with('!') {
                    text.insert(text.len() - 1, '\\');
                }
                text.push_str(open.span.mark());
                before = Neighbour::Mark;
            } else {
                let after = if link_follows { Neighbour::Mark } else { Neighbour::of(Some(next)) };
                // In all other cases Markdown would show the mark as text: `a*(b)*`.
                if after == Neighbour::Word || (after == Neighbour::Mark && before != Neighbour::Word) {
                    open.mark = Some(text.len());
                    text.push_str(open.span.mark());
                }
            }
            open.start = Some(text.len());
        }
    }

    /// Removes the marks that were just closed if Markdown would not read them as marks before `next`: `*(a)*b`.
    fn unmark_before(&mut self, next: char) {
        let (Some(first), Some(last)) = (self.closed.first(), self.closed.last()) else {
            return;
        };
        let inner = first.end - first.span.mark().len();
        let follows_word = Neighbour::of(self.text[..inner].chars().next_back()) == Neighbour::Word;
        if last.end != self.text.len() || follows_word || Neighbour::of(Some(next)) != Neighbour::Word {
            return;
        }
        // A mark of another kind may follow; a mark of the same span continues it.
        let opened =
            self.spans.iter().find(|open| !open.ignored && open.start.is_none() && !open.span.mark().is_empty());
        let kind = |span: &Span| span.mark().chars().next();
        if opened.is_some_and(|opened| opened.span == last.span || kind(&opened.span) != kind(&last.span)) {
            return;
        }
        self.text.truncate(inner);
        for closed in std::mem::take(&mut self.closed) {
            self.text.replace_range(closed.mark..closed.mark + closed.span.mark().len(), "");
        }
        self.last_code = None;
    }

    /// Opens a span of emphasis or a link. Inside a span of the same kind the new span has no effect; inside code only
    /// links have one.
    pub fn open(&mut self, span: Span) {
        let is_link = matches!(span, Span::Link(_));
        if is_link {
            self.end_code();
        }
        let within = self.spans.iter().any(|open| open.span.same_kind(&span));
        let ignored = within || (self.code_depth > 0 && !is_link);
        self.spans.push(OpenSpan { span, ignored, start: None, mark: None });
    }

    /// Closes the innermost span and writes its closing mark, if its opening mark was written.
    pub fn close(&mut self) {
        self.end_code_unless_ignored();
        if let Some(open) = self.spans.pop() {
            self.write_closer(&open);
        }
    }

    fn end_code_unless_ignored(&mut self) {
        if self.spans.last().is_some_and(|open| !open.ignored) {
            self.end_code();
        }
    }

    fn write_closer(&mut self, open: &OpenSpan) {
        let Some(start) = open.start else {
            return;
        };
        match &open.span {
            Span::Anchor if ANCHORS.contains(&&self.text[start..]) => self.text.truncate(start),
            Span::Anchor => {}
            Span::Link(destination) => {
                self.text.push_str("](");
                self.text.push_str(destination);
                self.text.push(')');
            }
            span => {
                let Some(mark) = open.mark else {
                    return;
                };
                if self.closed.last().is_some_and(|last| last.end != self.text.len()) {
                    self.closed.clear();
                }
                self.text.push_str(span.mark());
                self.closed.push(ClosedSpan { mark, end: self.text.len(), span: span.clone() });
            }
        }
    }

    /// Begins inline code.
    pub fn open_code(&mut self) {
        self.code_depth += 1;
    }

    /// Ends inline code.
    pub fn close_code(&mut self) {
        self.code_depth = self.code_depth.saturating_sub(1);
        if self.code_depth == 0 {
            self.end_code();
        }
    }

    /// Begins a code block in a heading or a table cell; only in a cell its line breaks are kept.
    pub fn open_lines_of_code(&mut self) {
        self.code_lines = self.context == TextContext::Cell;
        self.open_code();
    }

    /// Ends a code block in a heading or a table cell.
    pub fn close_lines_of_code(&mut self) {
        self.close_code();
        self.code_lines = false;
    }

    /// Writes the pending code between more backticks than the code contains in a row.
    fn end_code(&mut self) {
        let Some(mut code) = self.code.take() else {
            return;
        };
        let fence = "`".repeat(longest_run(&code.raw, '`') + 1);
        let padded = code.raw.starts_with('`') || code.raw.ends_with('`');
        let pad = if padded { " " } else { "" };
        let content = if self.context == TextContext::Cell { code.raw.replace('|', "\\|") } else { code.raw.clone() };
        self.text.push_str(&[&fence, pad, &content, pad, &fence].concat());
        code.end = self.text.len();
        self.last_code = Some(code);
    }

    /// Writes an image; without a `source`, writes only its alternative text `alt`.
    pub fn image(&mut self, alt: &str, source: Option<&str>) {
        let Some(source) = source else {
            return self.text(alt);
        };
        self.end_code();
        self.begin('!');
        self.text.push_str("![");
        for (at, word) in alt.split_ascii_whitespace().enumerate() {
            if at > 0 {
                self.text.push(' ');
            }
            push_word(&mut self.text, word, Some(' '), self.context, true);
        }
        self.text.push_str("](");
        self.text.push_str(source);
        self.text.push(')');
    }

    /// Writes the marker of a list item in a table cell, where Markdown has no lists.
    pub fn cell_marker(&mut self, marker: &str) {
        self.end_code();
        self.line_break();
        self.begin('-');
        self.text.push_str(marker);
    }

    /// Takes the text of the block. Open spans are closed in it and reopened in the next block.
    pub fn take(&mut self) -> String {
        self.end_code();
        let mut spans = std::mem::take(&mut self.spans);
        for open in spans.iter_mut().rev() {
            self.write_closer(open);
            (open.start, open.mark) = (None, None);
        }
        self.spans = spans;
        (self.space, self.broken, self.last_code) = (false, false, None);
        self.closed.clear();
        let mut text = std::mem::take(&mut self.text);
        text.truncate(text.trim_end_matches(' ').len());
        text
    }
}

/// Returns the length of the longest run of `mark` in `text`, in characters.
pub(super) fn longest_run(text: &str, mark: char) -> usize {
    text.split(|c| c != mark).map(str::len).max().unwrap_or_default() / mark.len_utf8()
}

/// Returns true if the first two characters are letters or digits.
fn is_name(mut chars: impl Iterator<Item = char>) -> bool {
    (0..2).all(|_| chars.next().is_some_and(char::is_alphanumeric))
}
