//! Difference cut to a size for display: a limited number of lines of limited length, with the changed part of each.

use super::{DiffLine, LARGE_CHANGE_LINES, difference};
use std::ops::Range;

/// Maximum number of lines that are kept; later ones are only counted.
const MAX_LINES: usize = 4_000;
const MAX_BYTES: usize = 400_000;
/// Maximum number of characters that are kept of one line. A page without line breaks is one long line.
const MAX_LINE_CHARS: usize = 2_000;
/// Number of characters kept before the changed part of a line whose beginning is omitted.
const CONTEXT_CHARS: usize = 200;

/// Displayable difference of two texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Lines in display order, with equal lines only next to changes.
    pub lines: Vec<DisplayLine>,
    /// Number of lines that only the old text has, including those that are not kept.
    pub removed: u64,
    /// Number of lines that only the new text has, including those that are not kept.
    pub added: u64,
    /// Number of lines of the difference that exceed the limits and are not kept.
    pub omitted: u64,
}

/// Line of a [`Difference`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DisplayLine {
    /// The line, or the part of it that is kept.
    pub line: DiffLine<String>,
    /// Range of the bytes of the kept text that differ from the line's counterpart in the other text. Empty without a
    /// counterpart, or if the two lines have too little in common.
    pub changed_range: Range<usize>,
    /// The beginning of the line was omitted.
    pub start_omitted: bool,
    /// The end of the line was omitted.
    pub end_omitted: bool,
}

impl Difference {
    /// Compares two texts, with up to `around` common lines before and after each change; equal texts yield no lines.
    /// Takes some ten milliseconds per megabyte and at most a tenth of a second, so it must not run on a thread that
    /// handles keys.
    pub fn of(old: &str, new: &str, around: usize) -> Self {
        let lines = difference(old, new, around);
        let mut kept = Self::default();
        for line in &lines {
            match line {
                DiffLine::Removed(_) => kept.removed += 1,
                DiffLine::Added(_) => kept.added += 1,
                DiffLine::Same(_) | DiffLine::Skipped(_) => {}
            }
        }
        let differing = changed_ranges(&lines);
        let mut bytes = 0;
        for index in display_order(&lines) {
            let (line, changed_range) = (&lines[index], differing[index].clone());
            if kept.lines.len() == MAX_LINES || bytes >= MAX_BYTES {
                break;
            }
            let shown = truncated(line, changed_range);
            bytes += shown.text().len();
            kept.lines.push(shown);
        }
        kept.omitted = (lines.len() - kept.lines.len()) as u64;
        kept
    }
}

impl DisplayLine {
    /// Returns the text; empty for omitted lines.
    pub fn text(&self) -> &str {
        match &self.line {
            DiffLine::Same(text) | DiffLine::Removed(text) | DiffLine::Added(text) => text,
            DiffLine::Skipped(_) => "",
        }
    }
}

/// Returns the line indices in display order. Removed lines come before added lines, unless many lines were removed and
/// fewer were added: then the added lines come first. A challenge page that replaced an article is thus visible
/// immediately, and not below the article.
fn display_order(lines: &[DiffLine<&str>]) -> Vec<usize> {
    let mut order = Vec::with_capacity(lines.len());
    while let Some(line) = lines.get(order.len()) {
        let at = order.len();
        let gone = lines[at..].iter().take_while(|line| matches!(line, DiffLine::Removed(_))).count();
        let new = lines[at + gone..].iter().take_while(|line| matches!(line, DiffLine::Added(_))).count();
        match line {
            DiffLine::Removed(_) if gone > LARGE_CHANGE_LINES && new < gone => {
                order.extend((at + gone..at + gone + new).chain(at..at + gone))
            }
            _ => order.extend(at..at + (gone + new).max(1)),
        }
    }
    order
}

/// Returns the changed part of each line compared with its counterpart: within a change, the first removed line
/// corresponds to the first added one, and so on.
fn changed_ranges(lines: &[DiffLine<&str>]) -> Vec<Range<usize>> {
    let mut differing = vec![0..0; lines.len()];
    let mut at = 0;
    while at < lines.len() {
        let gone = lines[at..].iter().take_while(|line| matches!(line, DiffLine::Removed(_))).count();
        let new = lines[at + gone..].iter().take_while(|line| matches!(line, DiffLine::Added(_))).count();
        for offset in 0..gone.min(new) {
            if let (DiffLine::Removed(old), DiffLine::Added(new)) = (lines[at + offset], lines[at + gone + offset]) {
                (differing[at + offset], differing[at + gone + offset]) = changed_words(old, new);
            }
        }
        at += (gone + new).max(1);
    }
    differing
}

/// Returns the changed bytes of two lines, extended to whole words. Both ranges are empty if the common beginning and
/// end are less than a third of the shorter line.
fn changed_words(old: &str, new: &str) -> (Range<usize>, Range<usize>) {
    let same = |(a, b): &((usize, char), char)| a.1 == *b;
    let head = old.char_indices().zip(new.chars()).take_while(same).last();
    let head = head.map_or(0, |((at, c), _)| at + c.len_utf8());
    let ends_word = |text: &str| text.is_empty() || text.starts_with(char::is_whitespace);
    let head = if ends_word(&old[head..]) && ends_word(&new[head..]) {
        head
    } else {
        old[..head].rfind(char::is_whitespace).map_or(0, |at| at + 1)
    };
    let tail = old[head..].chars().rev().zip(new[head..].chars().rev()).take_while(|(a, b)| a == b);
    let tail: usize = tail.map(|(c, _)| c.len_utf8()).sum();
    let begins_word = |text: &str| text.is_empty() || text.ends_with(char::is_whitespace);
    let (old_end, new_end) = (old.len() - tail, new.len() - tail);
    let tail = if begins_word(&old[head..old_end]) && begins_word(&new[head..new_end]) {
        tail
    } else {
        old[old_end..].find(char::is_whitespace).map_or(0, |at| tail - at)
    };
    if (head + tail) * 3 < old.len().min(new.len()) {
        return (0..0, 0..0);
    }
    (head..old.len() - tail, head..new.len() - tail)
}

/// Cuts a line to the part that is kept: its beginning or, if the changed part comes late in the line, the text around
/// that part.
fn truncated(line: &DiffLine<&str>, changed_range: Range<usize>) -> DisplayLine {
    let (text, with): (&str, fn(String) -> DiffLine<String>) = match line {
        DiffLine::Same(text) => (text, DiffLine::Same),
        DiffLine::Removed(text) => (text, DiffLine::Removed),
        DiffLine::Added(text) => (text, DiffLine::Added),
        DiffLine::Skipped(number) => {
            let line = DiffLine::Skipped(*number);
            return DisplayLine { line, changed_range, start_omitted: false, end_omitted: false };
        }
    };
    let before = text[..changed_range.start].chars().count();
    let start = if before + CONTEXT_CHARS <= MAX_LINE_CHARS {
        0
    } else {
        text[..changed_range.start].char_indices().rev().nth(CONTEXT_CHARS - 1).map_or(0, |(at, _)| at)
    };
    let end = text[start..].char_indices().nth(MAX_LINE_CHARS).map_or(text.len(), |(at, _)| start + at);
    let within = |at: usize| at.clamp(start, end) - start;
    DisplayLine {
        line: with(text[start..end].to_owned()),
        changed_range: within(changed_range.start)..within(changed_range.end),
        start_omitted: start > 0,
        end_omitted: end < text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(difference: &Difference) -> Vec<String> {
        let mark = |kept: &DisplayLine| match &kept.line {
            DiffLine::Skipped(number) => format!("({number})"),
            DiffLine::Same(text) => format!("  {text}"),
            DiffLine::Removed(text) => format!(
                "- {}[{}]{}",
                &text[..kept.changed_range.start],
                &text[kept.changed_range.clone()],
                &text[kept.changed_range.end..]
            ),
            DiffLine::Added(text) => format!(
                "+ {}[{}]{}",
                &text[..kept.changed_range.start],
                &text[kept.changed_range.clone()],
                &text[kept.changed_range.end..]
            ),
        };
        difference.lines.iter().map(mark).collect()
    }

    #[test]
    fn what_differs_within_a_line_is_whole_words() {
        for (old, new, shown) in [
            (
                "It costs 10 euro a month",
                "It costs 12 euro a month",
                ["- It costs [10] euro a month", "+ It costs [12] euro a month"],
            ),
            ("one two", "one two three", ["- one two[]", "+ one two[ three]"]),
            ("two three", "one two three", ["- []two three", "+ [one ]two three"]),
            ("日本 語 です", "日本 詞 です", ["- 日本 [語] です", "+ 日本 [詞] です"]),
            ("quite", "another", ["- []quite", "+ []another"]),
            ("a b", "a a b", ["- a []b", "+ a [a ]b"]),
        ] {
            assert_eq!(marked(&Difference::of(old, new, 3)), shown, "{old} and {new}");
        }
    }

    #[test]
    fn counterparts_are_found_line_by_line() {
        let difference = Difference::of("k 1 l\nk 2 l\nz\n", "k 1 m\nk 2 n\nk 3 o\nz\n", 1);
        assert_eq!((difference.removed, difference.added, difference.omitted), (2, 3, 0));
        assert_eq!(marked(&difference)[..4], ["- k 1 [l]", "- k 2 [l]", "+ k 1 [m]", "+ k 2 [n]"]);
    }

    #[test]
    fn a_short_text_in_place_of_a_long_one_is_seen_first() {
        let article = (0..40).map(|n| format!("line {n}\n")).collect::<String>();
        let wall = Difference::of(&article, "Accept all\ncookies", 3);
        let first: Vec<_> = wall.lines.iter().take(3).map(|kept| kept.line.clone()).collect();
        let text = |text: &str| text.to_owned();
        assert_eq!(
            first,
            [DiffLine::Added(text("Accept all")), DiffLine::Added(text("cookies")), DiffLine::Removed(text("line 0"))]
        );
        assert_eq!((wall.lines.len(), wall.removed, wall.added), (42, 40, 2));
        let back = Difference::of("Accept all\ncookies", &article, 3);
        assert_eq!(back.lines[0].line, DiffLine::Removed(text("Accept all")));
    }

    #[test]
    fn a_change_late_in_a_long_line_is_kept_and_the_rest_is_said_to_be_left_out() {
        let words = |n: usize| "wörd ".repeat(n);
        let (old, new) = (format!("{}old {}", words(9_000), words(900)), format!("{}new {}", words(9_000), words(900)));
        let difference = Difference::of(&old, &new, 3);
        let [gone, new] = difference.lines.as_slice() else { panic!("two lines") };
        for (kept, word) in [(gone, "old"), (new, "new")] {
            assert_eq!((&kept.text()[kept.changed_range.clone()], kept.text().chars().count()), (word, MAX_LINE_CHARS));
            assert!(kept.start_omitted && kept.end_omitted);
            assert_eq!(kept.text()[..kept.changed_range.start].chars().count(), CONTEXT_CHARS);
        }
    }

    #[test]
    fn what_is_kept_is_bounded_and_what_is_left_out_is_counted() {
        let text = |letter: char| (0..9_000).map(|n| format!("{letter}{n}\n")).collect::<String>();
        let difference = Difference::of(&text('a'), &text('b'), 3);
        assert_eq!((difference.removed, difference.added, difference.lines.len()), (9_000, 9_000, MAX_LINES));
        assert_eq!(difference.omitted, 18_000 - MAX_LINES as u64);
        let wide = |letter: char| (0..500).map(|n| format!("{letter}{n}{}\n", "x".repeat(5_000))).collect::<String>();
        let difference = Difference::of(&wide('a'), &wide('b'), 3);
        let bytes: usize = difference.lines.iter().map(|kept| kept.text().len()).sum();
        assert!(bytes < MAX_BYTES + MAX_LINE_CHARS && difference.omitted > 0, "{bytes}");
        assert_eq!(Difference::of("same", "same", 3), Difference::default());
    }
}
