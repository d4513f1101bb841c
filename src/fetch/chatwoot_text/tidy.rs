//! The last step of `reverse_markdown`: white space within lines, blank lines, and the borders of marks.

use super::strings::{is_space, leading_space, strip, without_blank_lines};
use crate::fetch::budget::{BudgetMeter, ConvertError};

/// Cleans up a written text.
pub(super) fn tidy(written: &str, clock: &BudgetMeter) -> Result<String, ConvertError> {
    let mut text = without_inner_space(written);
    clock.check()?;
    text = without_blank_lines(&text).trim_start_matches('\n').to_owned();
    for (mark, outer, inner) in [('*', "** ", " **"), ('_', "__ ", " __"), ('~', "~~ ", " ~~")] {
        text = with_clean_marks(&text, mark, outer, inner);
        clock.check()?;
    }
    text = with_clean_brackets(&text);
    clock.check()?;
    Ok(with_close_punctuation(&text))
}

/// Collapses more than three line ends in a row, with blanks between them, into three, as the generation that takes the
/// main part does.
pub(super) fn collapse_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('\n') {
        let before = rest[..start].strip_suffix('\r').map_or(start, str::len);
        // Line ends with blanks after them, and the position after the last one.
        let (mut ends, mut at, mut last) = (0, before, before);
        while let Some(feed) = line_end(&rest[at..]) {
            ends += 1;
            last = at + feed;
            at = last + (rest[last..].len() - rest[last..].trim_start_matches([' ', '\t']).len());
        }
        // At the end of the text, three line ends suffice.
        if ends >= 4 || ends == 3 && at == rest.len() {
            let end = if at == rest.len() { at } else { last };
            out.push_str(&rest[..before]);
            out.push_str("\n\n\n");
            rest = &rest[end..];
        } else {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
        }
    }
    out.push_str(rest);
    out
}

/// Returns the length of the line end at the beginning of a text; `None` without one.
fn line_end(text: &str) -> Option<usize> {
    if text.starts_with("\r\n") { Some(2) } else { text.starts_with('\n').then_some(1) }
}

/// Collapses blanks within lines; those at the ends of a line stay.
fn without_inner_space(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let leading = leading_space(line);
        if leading.len() == line.len() {
            out.push_str(line);
            continue;
        }
        out.push_str(leading);
        let trailing = line.trim_end_matches(is_space).len();
        let inner = strip(line);
        let mut blanks = 0;
        for (index, char) in inner.char_indices() {
            if matches!(char, ' ' | '\t') {
                blanks += 1;
                let is_last = !inner[index + 1..].starts_with([' ', '\t']);
                if is_last {
                    out.push(if blanks > 1 { ' ' } else { char });
                    blanks = 0;
                }
            } else {
                out.push(char);
            }
        }
        out.push_str(&line[trailing..]);
    }
    out
}

/// Gives each text between two runs of a mark one space outside of them, and removes one inside of them. A text that has
/// brackets gets no new space.
fn with_clean_marks(text: &str, mark: char, outer: &str, inner: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    let double = &outer[..2];
    let mut rest = text;
    let mut from = 0;
    while let Some(start) = rest[from..].find(double).map(|at| from + at) {
        let run = run_length(&rest[start..], mark);
        let after = start + run;
        let line = rest[after..].find('\n').map_or(rest.len(), |end| after + end);
        let end = match rest[after..line].find(double) {
            Some(close) => after + close + run_length(&rest[after + close..], mark),
            // Four marks and more are an opening and a closing run.
            None if run >= 4 => after,
            None => {
                from = after;
                continue;
            }
        };
        let begin = rest[from..start].chars().next_back().filter(|char| is_space(*char)).map_or(start, |_| start - 1);
        let end = end + usize::from(rest[end..].starts_with(is_space));
        let found = &rest[begin..end];
        out.push_str(&rest[..begin]);
        let border = if found.contains(['[', '(', ']', ')']) { "" } else { " " };
        let (leading, trailing) = (leading_space(found), &found[found.trim_end_matches(is_space).len()..]);
        out.push_str(if leading.is_empty() { border } else { leading });
        out.push_str(&strip(found).replacen(outer, double, 1).replacen(inner, double, 1));
        out.push_str(if trailing.is_empty() { border } else { trailing });
        (rest, from) = (&rest[end..], 0);
    }
    out.push_str(rest);
    out
}

/// Returns the number of marks at the beginning of a text, in bytes.
fn run_length(text: &str, mark: char) -> usize {
    text.len() - text.trim_start_matches(mark).len()
}

/// Removes a space after the first bracket of a pair on a line, and before the last one.
fn with_clean_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('[') {
        let line = rest[open..].find('\n').map_or(rest.len(), |end| open + end);
        let Some(close) = rest[open..line].find(']').map(|close| open + close + 1) else {
            // No bracket is closed before the end of this line.
            out.push_str(&rest[..line]);
            rest = &rest[line..];
            continue;
        };
        out.push_str(&rest[..open]);
        out.push_str(&rest[open..close].replacen("[ ", "[", 1).replacen(" ]", "]", 1));
        rest = &rest[close..];
    }
    out.push_str(rest);
    out
}

/// Removes the white space between a mark and the punctuation after it.
fn with_close_punctuation(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    let mut from = 0;
    while let Some(at) = text[from..].find(['*', '~', '_']).map(|at| from + at) {
        let rest = &text[at..];
        let is_mark = ["**", "~~", "__"].iter().any(|mark| rest.starts_with(mark));
        let after = rest.get(2..).unwrap_or_default();
        let is_spaced = after.starts_with(is_space) && after[1..].starts_with(['.', '!', '?', '\'', '"']);
        if is_mark && is_spaced {
            out.push_str(&text[copied..at + 2]);
            copied = at + 3;
            from = at + 4;
        } else {
            from = at + 1;
        }
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::budget::Budget;

    fn tidied(text: &str) -> String {
        tidy(text, &BudgetMeter::new(Budget::Visits(u64::MAX))).expect("within its budget")
    }

    #[test]
    fn marks_get_a_space_around_and_none_inside() {
        for (text, expected) in [
            ("a**b**c", "a **b** c"),
            ("a ** b ** c", "a **b** c"),
            ("**a** **b**", " **a**  **b** "),
            ("a**[b](c)**d", "a**[b](c)**d"),
            ("a **b", "a **b"),
            ("a****b", "a **** b"),
            ("**a**\n**b**", " **a**\n **b** "),
            ("x __a__ .", "x __a__."),
            ("[ a ](b) [ [c ]", "[a](b) [[c]"),
            ("a  b\t\tc  \n  \n\n\n\nd", "a b c  \n  \n\nd"),
        ] {
            assert_eq!(tidied(text), expected, "{text:?}");
        }
    }

    #[test]
    fn blank_lines_collapse_into_two() {
        assert_eq!(collapse_blank_lines("a\n\n \n\t\n  b"), "a\n\n\n  b");
        assert_eq!(collapse_blank_lines("a\n\n\nb\n\n\n"), "a\n\n\nb\n\n\n");
        assert_eq!(collapse_blank_lines("a\n\n b\n"), "a\n\n b\n");
    }
}
