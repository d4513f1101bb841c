//! Fits text into lines of a given number of cells: cuts it, breaks it between words, or breaks it anywhere.

use super::{Spans, span};
use crate::domain::text::cells::clusters;
use crate::domain::text::{fit, width};
use crate::tui::theme::Tone;
use std::ops::Range;

/// Cells before the second line of a wrapped text.
const INDENT: usize = 2;

/// Cuts `text` to at most `cells` cells; `more` is the ellipsis of the current glyph set, which ends a text that was
/// cut.
pub fn clip(text: &str, cells: usize, more: &str) -> String {
    let fitted = fit(text, cells);
    if more == "…" || fitted == text { fitted } else { fitted.replace('…', more) }
}

/// Cuts `text` to at most `cells` cells at its begin; `more` then stands before the rest.
pub fn tail(text: &str, cells: usize, more: &str) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let mut left = cells.saturating_sub(width(more));
    let mut start = text.len();
    for cluster in clusters(text).rev() {
        let Some(remaining) = left.checked_sub(cluster.width.cells()) else {
            break;
        };
        left = remaining;
        start -= cluster.source.len();
    }
    clip(&format!("{more}{}", &text[start..]), cells, more)
}

/// Wraps `text` between words into at most `most` lines of `cells` cells. Text that does not fit is cut off, and the
/// last line then ends in `…`. A word wider than a line is cut too and ends the text.
pub fn wrap(text: &str, cells: usize, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && lines.len() < most {
        if lines.len() + 1 == most || width(rest) <= cells {
            lines.push(fit(rest, cells));
            break;
        }
        let mut end = 0;
        for (offset, _) in rest.match_indices(' ').chain(std::iter::once((rest.len(), ""))) {
            if width(&rest[..offset]) > cells {
                break;
            }
            end = offset;
        }
        if end == 0 {
            // A single word wider than the line, such as a URL.
            lines.push(fit(rest, cells));
            break;
        }
        lines.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    lines
}

/// Wraps pieces of text between words into lines of `cells` cells; those after the first are indented. A word that is
/// wider than a line stays whole.
pub fn wrap_spans(spans: &[(String, Tone)], cells: usize) -> Vec<Spans> {
    let mut lines: Vec<Spans> = vec![Spans::new()];
    let mut used = 0;
    for (text, tone) in spans {
        for word in text.split_inclusive(' ') {
            if used > INDENT && used + width(word.trim_end()) > cells {
                lines.push(vec![span(" ".repeat(INDENT), Tone::Plain)]);
                used = INDENT;
            }
            used += width(word);
            if let Some(line) = lines.last_mut() {
                line.push(span(word, *tone));
            }
        }
    }
    lines
}

/// Breaks a line of text at spaces into parts of at most `most` cells and returns the byte range of each part. A word
/// wider than that is broken anywhere. Spaces that do not fit belong to no part.
pub fn break_line(line: &str, most: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut part, mut used) = (0..0, 0);
    let mut at = 0;
    for word in line.split_inclusive(' ') {
        let cells = width(word.trim_end());
        if used > 0 && used + cells > most {
            parts.push(std::mem::replace(&mut part, at..at));
            used = 0;
        }
        for cluster in clusters(word) {
            let cells = cluster.width.cells();
            let next = at + cluster.source.len();
            if used + cells > most {
                if cluster.source == " " {
                    at = next;
                    continue;
                }
                parts.push(std::mem::replace(&mut part, at..at));
                used = 0;
            }
            part.end = next;
            used += cells;
            at = next;
        }
    }
    parts.push(part);
    parts
}

/// Returns `text` without its first `cells` cells.
pub fn skip_cells(text: &str, cells: usize) -> &str {
    let mut used = 0;
    let mut rest = text;
    for cluster in clusters(text) {
        if used >= cells {
            break;
        }
        used += cluster.width.cells();
        rest = &rest[cluster.source.len()..];
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_broken_between_words() {
        assert_eq!(wrap("no answer in 20 s", 10, 2), ["no answer", "in 20 s"]);
        assert_eq!(wrap("a b c d e f", 3, 2), ["a b", "c…"]);
        assert_eq!(wrap("https://example.org/x y", 6, 3), ["https…"]);
        assert_eq!(wrap("", 6, 3), Vec::<String>::new());
        assert_eq!(wrap("日本語 日本", 4, 3), ["日…"]);
    }

    fn parts(line: &str, width: usize) -> Vec<&str> {
        break_line(line, width).into_iter().map(|part| &line[part]).collect()
    }

    #[test]
    fn lines_are_broken_at_spaces_and_long_words_anywhere() {
        assert_eq!(parts("one two three", 7), ["one two", "three"]);
        assert_eq!(parts("", 7), [""]);
        assert_eq!(parts("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(parts("日本語", 4), ["日本", "語"]);
        assert_eq!(parts("ab   cd", 3), ["ab ", "cd"]);
        assert_eq!(parts("ab   cd", 2), ["ab", "cd"]);
    }
}
