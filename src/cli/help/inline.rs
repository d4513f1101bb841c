//! The text of a paragraph, heading or table cell: parsed into words, wrapped into lines, printed with styles.

use crate::domain::text::width;
use std::iter::Peekable;
use std::str::Chars;

/// Styles that the terminal supports and the user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Styling {
    /// No styles, since the terminal supports none.
    None,
    /// Bold but no colours, since `NO_COLOR` is set.
    Bold,
    /// Bold, and a colour for code. Without a colour, code is printed between back ticks.
    Colours,
}

/// Style of a part of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Code,
}

/// A word, as parts with their styles. A word in a table is broken if it is wider than its column, and other words are
/// not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word(Vec<(Style, String)>);

impl Word {
    /// Returns the word's width in terminal cells.
    pub fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| width(text)).sum()
    }

    fn push(&mut self, style: Style, c: char) {
        match self.0.last_mut() {
            Some((last, text)) if *last == style => text.push(c),
            _ => self.0.push((style, c.to_string())),
        }
    }

    /// Splits the word into a first part of at most `cells` cells, but at least one character, and the rest.
    fn split(&self, cells: usize) -> (Self, Self) {
        let (mut first, mut rest) = (Self::default(), Self::default());
        for (style, text) in &self.0 {
            for c in text.chars() {
                let fits = first.width() + width(c.encode_utf8(&mut [0; 4])) <= cells;
                let into = if first.0.is_empty() || (rest.0.is_empty() && fits) { &mut first } else { &mut rest };
                into.push(*style, c);
            }
        }
        (first, rest)
    }
}

/// A line of words, printed with one space between them.
pub(super) type WordLine = Vec<Word>;

/// Returns the line's width in terminal cells.
pub(super) fn line_width(line: &[Word]) -> usize {
    line.iter().map(Word::width).sum::<usize>() + line.len().saturating_sub(1)
}

/// Parses a Markdown text into words: `**strong**`, `*emphasis*`, `` `code` ``, `[links](to)` and backslashes.
pub(super) fn words(text: &str, styling: Styling) -> Vec<Word> {
    let mut reader = Reader { words: Vec::new(), word: Word::default(), keeps_ticks: styling != Styling::Colours };
    reader.read(text, Style::Plain);
    reader.end_word();
    reader.words
}

/// Splits a text that is not Markdown into words.
pub(super) fn plain_words(text: &str) -> Vec<Word> {
    text.split_whitespace().map(|word| Word(vec![(Style::Plain, word.to_owned())])).collect()
}

struct Reader {
    words: Vec<Word>,
    word: Word,
    /// True if code is printed between back ticks.
    keeps_ticks: bool,
}

impl Reader {
    fn end_word(&mut self) {
        if !self.word.0.is_empty() {
            self.words.push(std::mem::take(&mut self.word));
        }
    }

    fn put(&mut self, c: char, style: Style) {
        if c.is_whitespace() { self.end_word() } else { self.word.push(style, c) }
    }

    fn read(&mut self, text: &str, style: Style) {
        let mut strong = false;
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            let now = if strong { Style::Strong } else { style };
            match c {
                '\\' if chars.peek().is_some_and(char::is_ascii_punctuation) => {
                    self.put(chars.next().unwrap_or(c), now);
                }
                '`' => self.code(&mut chars),
                '*' if chars.next_if_eq(&'*').is_some() => strong = !strong,
                '*' if chars.peek().is_some_and(|next| !next.is_whitespace()) || self.ends_in_text() => {}
                '!' if chars.peek() == Some(&'[') => {}
                '[' => match link(&chars) {
                    Some(Link { label, to, after }) => {
                        chars = after;
                        self.read(&label, now);
                        self.destination(&label, &to, now);
                    }
                    None => self.put(c, now),
                },
                c => self.put(c, now),
            }
        }
    }

    /// Returns true if a word is in progress, so that a `*` here ends emphasis.
    fn ends_in_text(&self) -> bool {
        !self.word.0.is_empty()
    }

    /// Reads a code span after its first back tick. It ends at as many back ticks as it began with.
    fn code(&mut self, chars: &mut Peekable<Chars<'_>>) {
        let mut end = String::from("`");
        while chars.next_if_eq(&'`').is_some() {
            end.push('`');
        }
        let rest: String = chars.clone().collect();
        let Some((code, after)) = rest.split_once(&end) else { return };
        for _ in after.chars().count()..rest.chars().count() {
            chars.next();
        }
        // Code that contains back ticks is separated from its own back ticks by spaces, which are removed.
        let code = if code.contains('`') { code.trim() } else { code };
        let ticks = if self.keeps_ticks { end.as_str() } else { "" };
        for c in ticks.chars().chain(code.chars()).chain(ticks.chars()) {
            self.put(c, Style::Code);
        }
    }

    /// Prints a link's destination: the help command of another page, the URL of a website, nothing for a file of the
    /// repository, a place on the same page, or a URL that is its own label.
    fn destination(&mut self, label: &str, to: &str, style: Style) {
        let page = to.split('#').next().and_then(|file| file.strip_suffix(".md")).filter(|name| !name.contains('/'));
        let suffix = match page {
            Some(page) => format!(" (quarterdeck help {page})"),
            None if to.contains("://") && to != label => format!(" ({to})"),
            None => return,
        };
        for c in suffix.chars() {
            self.put(c, style);
        }
    }
}

struct Link<'a> {
    label: String,
    to: String,
    after: Peekable<Chars<'a>>,
}

/// Reads a link after its opening bracket; `None` if it is no link.
fn link<'a>(chars: &Peekable<Chars<'a>>) -> Option<Link<'a>> {
    let mut after = chars.clone();
    let mut until = |end: char| {
        let mut text = String::new();
        loop {
            match after.next()? {
                c if c == end => return Some(text),
                c => text.push(c),
            }
        }
    };
    let label = until(']')?;
    let gap = until('(')?;
    let to = until(')')?;
    gap.is_empty().then_some(Link { label, to, after })
}

/// Wraps words into lines of at most `cells` cells. A wider word is broken if `hard`, and otherwise gets a line to
/// itself.
pub(super) fn wrap(words: &[Word], cells: usize, hard: bool) -> Vec<WordLine> {
    let mut lines: Vec<WordLine> = vec![Vec::new()];
    for word in words {
        let mut word = word.clone();
        loop {
            let line = lines.last_mut().map_or(0, |line| if line.is_empty() { 0 } else { line_width(line) + 1 });
            if line > 0 && line + word.width() > cells {
                lines.push(Vec::new());
                continue;
            }
            let too_wide = hard && word.width() > cells;
            let (first, rest) = if too_wide { word.split(cells) } else { (word, Word::default()) };
            if let Some(line) = lines.last_mut() {
                line.push(first);
            }
            if rest.0.is_empty() {
                break;
            }
            word = rest;
        }
    }
    lines
}

/// Returns the line as text, with the terminal escape codes that `styling` allows. `strong` makes the whole line bold.
pub(super) fn print(line: &[Word], styling: Styling, strong: bool) -> String {
    let mut printed = String::new();
    for (index, word) in line.iter().enumerate() {
        if index > 0 {
            printed.push(' ');
        }
        for (style, text) in &word.0 {
            let code = match (styling, style) {
                (Styling::Bold | Styling::Colours, _) if strong => "\x1b[1m",
                (Styling::Bold | Styling::Colours, Style::Strong) => "\x1b[1m",
                (Styling::Colours, Style::Code) => "\x1b[36m",
                _ => "",
            };
            let end = if code.is_empty() { "" } else { "\x1b[0m" };
            printed.push_str(&format!("{code}{text}{end}"));
        }
    }
    printed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        print(&words(text, Styling::Colours), Styling::None, false)
    }

    #[test]
    fn marks_are_read_and_left_out() {
        for (text, printed) in [
            ("two  **strong words**, here", "two strong words, here"),
            ("a `code*` and ``b ` c``", "a code* and b ` c"),
            (r"not\_found \| \*", "not_found | *"),
            ("2 * 3 and *so*", "2 * 3 and so"),
            ("see [filters](filters.md#ages)", "see filters (quarterdeck help filters)"),
            ("[RFC](https://example.org/r) [x](#y)", "RFC (https://example.org/r) x"),
            ("![a picture](p.png)", "a picture"),
            ("[1] is no link, nor [this", "[1] is no link, nor [this"),
            ("one ` tick", "one tick"),
        ] {
            assert_eq!(plain(text), printed, "{text}");
        }
    }

    #[test]
    fn styles_are_only_sent_where_they_are_wanted() {
        let printed = |styling, strong| print(&words("a **b** `c`", styling), styling, strong);
        assert_eq!(printed(Styling::Colours, false), "a \x1b[1mb\x1b[0m \x1b[36mc\x1b[0m");
        assert_eq!(printed(Styling::Bold, false), "a \x1b[1mb\x1b[0m `c`");
        assert_eq!(printed(Styling::None, true), "a b `c`");
    }

    #[test]
    fn lines_are_broken_between_words_and_within_them_only_where_it_must_be() {
        let lines = |text: &str, hard| {
            let lines = wrap(&words(text, Styling::None), 6, hard);
            lines.iter().map(|line| print(line, Styling::None, false)).collect::<Vec<_>>()
        };
        assert_eq!(lines("aa bb cc dd", false), ["aa bb", "cc dd"]);
        assert_eq!(lines("a longlongword b", false), ["a", "longlongword", "b"]);
        assert_eq!(lines("a longlongword b", true), ["a", "longlo", "ngword", "b"]);
        assert_eq!(lines("語語語語", true), ["語語語", "語"]);
        assert_eq!(lines("", true), [""]);
    }
}
