//! Operations on strings with the meaning that they have in Ruby, where white space is the six ASCII characters that
//! `\s` matches.

/// Returns true for the characters that `\s` matches.
pub(super) fn is_space(char: char) -> bool {
    matches!(char, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

/// Removes white space at both ends.
pub(super) fn strip(text: &str) -> &str {
    text.trim_matches(|char| is_space(char) || char == '\0')
}

/// Returns true for a text of white space alone.
pub(super) fn is_blank(text: &str) -> bool {
    strip(text).is_empty()
}

/// Returns the white space at the beginning of a text.
pub(super) fn leading_space(text: &str) -> &str {
    &text[..text.len() - text.trim_start_matches(is_space).len()]
}

/// Returns what `/\s*$/` finds first: the white space before the first end of a line. For a text of several lines that is
/// the one within it, not the one at its end.
pub(super) fn first_space_before_line_end(text: &str) -> &str {
    let mut from = 0;
    while let Some(start) = text[from..].find(is_space).map(|at| from + at) {
        let run = leading_space(&text[start..]);
        if start + run.len() == text.len() {
            return run;
        }
        if let Some(last) = run.rfind('\n') {
            return &run[..last];
        }
        from = start + run.len();
    }
    ""
}

/// Replaces three and more line feeds by two.
pub(super) fn without_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut feeds = 0;
    for char in text.chars() {
        feeds = if char == '\n' { feeds + 1 } else { 0 };
        if feeds <= 2 {
            out.push(char);
        }
    }
    out
}

/// Escapes `*` and `_`, unless a backslash stands before them.
pub(super) fn escape_marks(text: &str, out: &mut String) {
    let mut before = '\0';
    for char in text.chars() {
        if matches!(char, '*' | '_') && before != '\\' {
            out.push('\\');
        }
        out.push(char);
        before = char;
    }
}

/// Appends the text of a page as Markdown: white space collapsed, marks and angle brackets escaped, and no-break spaces
/// as entities.
pub(super) fn push_text(text: &str, out: &mut String) {
    let text = text.trim_matches('\n');
    let mut line = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\u{a0}' => line.push_str("&nbsp;"),
            ' ' | '\r' | '\n' | '\t' => {
                if !line.ends_with(' ') {
                    line.push(' ');
                }
            }
            other => line.push(other),
        }
    }
    let mut escaped = String::with_capacity(line.len() + 8);
    escape_marks(&line, &mut escaped);
    let code_is_plain = unescape_in_backticks(&escaped);
    for char in code_is_plain.chars() {
        if matches!(char, '<' | '>') {
            out.push('\\');
        }
        out.push(char);
    }
}

/// Removes the backslashes before `_` and `*` between two backticks.
fn unescape_in_backticks(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('`') {
        let Some(length) = rest[open + 1..].find('`') else { break };
        let end = open + 1 + length + 1;
        out.push_str(&rest[..open]);
        out.push_str(&rest[open..end].replace("\\_", "_").replace("\\*", "*"));
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> String {
        let mut out = String::new();
        push_text(text, &mut out);
        out
    }

    #[test]
    fn texts_are_escaped_and_collapsed() {
        assert_eq!(text("\n\n a\r\n\t b\u{a0}c \n"), " a b&nbsp;c ");
        assert_eq!(text(r"a_b *c* \_ \\* <d>"), r"a\_b \*c\* \_ \\* \<d\>");
        assert_eq!(text("`a_b` c_d `e_f"), r"`a_b` c\_d `e\_f");
    }

    #[test]
    fn white_space_at_line_ends_is_that_of_the_first_line() {
        for (text, expected) in [("a  ", "  "), ("a \n b \n", " "), ("a\nb ", ""), ("a b\n\n", "\n\n"), ("a b", "")] {
            assert_eq!(first_space_before_line_end(text), expected, "{text:?}");
        }
        assert_eq!(without_blank_lines("a\n\n\n\nb\n\nc"), "a\n\nb\n\nc");
    }
}
