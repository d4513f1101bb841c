//! Escaping: backslashes before characters that Markdown could read as markup where they are.

use crate::domain::text::safe_block;
use std::borrow::Cow;

/// Removes characters of a text node that a terminal would act on. HTML's white space may change its kind and length,
/// but words that it separates stay separate.
pub(super) fn clean(raw: &str) -> Cow<'_, str> {
    let harmless = |byte: u8| matches!(byte, b' '..=b'~' | b'\n' | b'\t' | b'\r' | b'\x0c');
    if raw.bytes().all(harmless) {
        return Cow::Borrowed(raw);
    }
    Cow::Owned(safe_block(&raw.replace(['\x0c', '\r'], " ")))
}

/// Context of a text, which decides which characters must be escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextContext {
    /// Paragraphs and other text that may have several lines.
    Flow,
    /// The single line of a heading.
    Heading,
    /// The single line of a table cell.
    Cell,
}

/// Appends `word` to `out`, escaped. `after` is the character that follows the word; `None` if it is unknown. `in_link`
/// is true inside the text of a link or an image.
pub(super) fn push_word(out: &mut String, word: &str, after: Option<char>, context: TextContext, in_link: bool) {
    let may_need =
        |byte: u8| matches!(byte, b'\\' | b'`' | b'*' | b'_' | b'~' | b'[' | b']' | b'(' | b'<' | b'&' | b'|');
    if !word.bytes().any(may_need) {
        return out.push_str(word);
    }
    let mut before = out.chars().next_back().unwrap_or(' ');
    let mut rest = word.chars();
    while let Some(c) = rest.next() {
        let next = rest.clone().next().or(after);
        let needed = match c {
            '\\' => next.is_none_or(|next| next.is_ascii_punctuation()),
            '`' => true,
            '*' => !(is_space(before) && next.is_some_and(is_space)),
            '_' => {
                let within_word = before.is_alphanumeric() && next.is_some_and(char::is_alphanumeric);
                let alone = is_space(before) && next.is_some_and(is_space);
                !within_word && !alone
            }
            '~' => !is_space(before),
            '[' | ']' => in_link,
            // In a link or an image the parenthesis directly follows the bracket.
            '(' => before == ']',
            '<' => next.is_none_or(|next| next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')),
            '&' => is_entity(rest.as_str()),
            '|' => context == TextContext::Cell,
            _ => false,
        };
        if needed {
            out.push('\\');
        }
        out.push(c);
        before = c;
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// Returns true if the text after an ampersand makes a character reference: a name of at most 32 letters or digits, or
/// a number.
fn is_entity(rest: &str) -> bool {
    let name = rest.strip_prefix('#').unwrap_or(rest);
    let length = name.bytes().take(33).take_while(u8::is_ascii_alphanumeric).count();
    (1..=32).contains(&length) && name[length..].starts_with(';')
}

/// Escapes the beginning of a line of a paragraph if Markdown would read the line as another kind of block.
pub(super) fn line_start(line: &str) -> Cow<'_, str> {
    let bytes = line.as_bytes();
    let Some(&first) = bytes.first() else {
        return Cow::Borrowed(line);
    };
    let ends_at = |at: usize| bytes.get(at).is_none_or(u8::is_ascii_whitespace);
    let at = match first {
        b'>' => Some(0),
        b'#' => {
            let level = bytes.iter().take_while(|byte| **byte == b'#').count();
            (level <= 6 && ends_at(level)).then_some(0)
        }
        b'-' | b'+' | b'*' if ends_at(1) => Some(0),
        b'-' | b'=' | b'|' | b':' if bytes.iter().all(|byte| matches!(byte, b'-' | b'=' | b'|' | b':' | b' ')) => {
            Some(0)
        }
        b'~' if line.starts_with("~~~") => Some(0),
        b'[' => is_definition_or_task(line).then_some(0),
        b'0'..=b'9' => {
            let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
            let marker = matches!(bytes.get(digits), Some(b'.' | b')'));
            (digits <= 9 && marker && ends_at(digits + 1)).then_some(digits)
        }
        _ => None,
    };
    match at {
        Some(at) => Cow::Owned(format!("{}\\{}", &line[..at], &line[at..])),
        None => Cow::Borrowed(line),
    }
}

fn is_definition_or_task(line: &str) -> bool {
    let task = ["[ ] ", "[x] ", "[X] "].iter().any(|task| line.starts_with(task));
    task || line.find(']').is_some_and(|end| line[end + 1..].starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        push_word(&mut out, text, Some(' '), TextContext::Flow, false);
        line_start(&out).into_owned()
    }

    #[test]
    fn only_what_is_needed() {
        let cases = [
            ("snake_case", "snake_case"),
            ("_em_", "\\_em\\_"),
            ("a*b", "a\\*b"),
            ("2 * 3", "2 * 3"),
            ("C:\\dir", "C:\\dir"),
            ("\\*", "\\\\\\*"),
            ("a < b", "a < b"),
            ("<b>", "\\<b>"),
            ("&lt;", "\\&lt;"),
            ("a & b; c", "a & b; c"),
            ("[1]", "[1]"),
            ("[a](b)", "[a]\\(b)"),
            ("[a]: b", "\\[a]: b"),
            ("[x] done", "\\[x] done"),
            ("# no heading", "\\# no heading"),
            ("#tag", "#tag"),
            ("- no item", "\\- no item"),
            ("-5", "-5"),
            ("1. no item", "1\\. no item"),
            ("1.5", "1.5"),
            ("---", "\\---"),
            ("===", "\\==="),
            ("> no quote", "\\> no quote"),
            ("a > b", "a > b"),
            ("~~no~~", "~\\~no\\~\\~"),
            ("a|b", "a|b"),
        ];
        for (text, expected) in cases {
            assert_eq!(escaped(text), expected, "{text}");
        }
    }
}
