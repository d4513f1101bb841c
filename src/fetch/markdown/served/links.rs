//! Links of a Markdown text: finds them in a line, outside of code, and makes their targets absolute.

use crate::fetch::markdown::link;
use url::Url;

/// Longest target in bytes, with its title; a longer one is text.
const MAX_TARGET_BYTES: usize = 4096;

/// Returns the length of a code span with its marks; of the marks alone if the line has no end of it.
pub(super) fn code_span(text: &str) -> usize {
    let marks = text.len() - text.trim_start_matches('`').len();
    let line = &text[..text.find('\n').unwrap_or(text.len())];
    let mut at = marks;
    while let Some(found) = line[at..].find('`') {
        let run = line[at + found..].len() - line[at + found..].trim_start_matches('`').len();
        at += found + run;
        if run == marks {
            return at;
        }
    }
    marks
}

/// Appends a line with absolute links.
pub(super) fn push_with_links(line: &str, base: &Url, out: &mut String) {
    if let Some(definition) = definition(line, base) {
        out.push_str(&definition);
        return;
    }
    // Positions in `out` of the open brackets, with true for images.
    let mut open: Vec<(usize, bool)> = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find(['`', '[', ']', '\\', '!']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let mut taken = 1;
        match rest.as_bytes()[0] {
            b'`' => taken = code_span(rest),
            b'\\' => taken = 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            b'!' if rest.starts_with("![") => {
                open.push((out.len(), true));
                taken = 2;
            }
            b'[' => open.push((out.len(), false)),
            b']' => {
                let label = open.pop();
                if let (Some((from, is_image)), Some((href, length))) = (label, target(&rest[1..])) {
                    close(out, from, is_image, href, &rest[1..=length], base);
                    rest = &rest[1 + length..];
                    continue;
                }
            }
            _ => {}
        }
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out.push_str(rest);
}

/// Ends a link or image that begins at `from` in `out`: with its absolute target, or as plain text if the target is
/// unsuitable. `source` is the target in the text, with its parentheses and its title.
fn close(out: &mut String, from: usize, is_image: bool, href: &str, source: &str, base: &Url) {
    let absolute = if is_image { link::source(href, base) } else { link::destination(href, base) };
    let Some(absolute) = absolute else {
        out.replace_range(from..from + 1 + usize::from(is_image), "");
        return;
    };
    out.push_str("](");
    out.push_str(&absolute);
    let inner = source.trim_start_matches('(').trim_end_matches(')').trim();
    let after = inner
        .strip_prefix('<')
        .map_or_else(|| inner.strip_prefix(href), |inner| inner.split_once('>').map(|(_, after)| after));
    if let Some(title) = after.map(str::trim).filter(|title| !title.is_empty()) {
        out.push(' ');
        out.push_str(title);
    }
    out.push(')');
}

/// Reads the target of a link, `(URL)` or `(URL "title")`, and returns it with the length of all of it.
pub(super) fn target(text: &str) -> Option<(&str, usize)> {
    let inner = text.strip_prefix('(')?;
    let (mut depth, mut quote) = (0u32, None::<char>);
    let mut end = None;
    for (at, char) in inner.char_indices() {
        match (quote, char) {
            (_, '\n') => return None,
            (Some(open), char) if open == char => quote = None,
            (Some(_), _) => {}
            (None, '"') if at > 0 => quote = Some(char),
            (None, '(') => depth += 1,
            (None, ')') if depth == 0 => {
                end = Some(at);
                break;
            }
            (None, ')') => depth -= 1,
            _ => {}
        }
        if at > MAX_TARGET_BYTES {
            return None;
        }
    }
    let end = end?;
    let all = inner[..end].trim();
    let href = match all.strip_prefix('<') {
        Some(bracketed) => bracketed.split_once('>')?.0,
        None => all.split_ascii_whitespace().next().unwrap_or_default(),
    };
    Some((href, end + 2))
}

/// Returns the definition of a link, `[label]: URL`, with its absolute URL; an empty text if the URL is unsuitable, and
/// `None` if the line is none.
fn definition(line: &str, base: &Url) -> Option<String> {
    let bare = line.trim_start_matches(' ');
    let (label, rest) = bare.strip_prefix('[')?.split_once("]:")?;
    if line.len() - bare.len() > 3 || label.is_empty() || label.starts_with('^') || label.contains(['[', ']']) {
        return None;
    }
    let rest = rest.trim();
    let (href, title) = match rest.strip_prefix('<') {
        Some(bracketed) => bracketed.split_once('>')?,
        None => rest.split_once([' ', '\t']).unwrap_or((rest, "")),
    };
    if href.is_empty() {
        return None;
    }
    let Some(absolute) = link::destination(href, base) else { return Some(String::new()) };
    let title = if title.trim().is_empty() { String::new() } else { format!(" {}", title.trim()) };
    Some(format!("[{label}]: {absolute}{title}{}", if line.ends_with('\n') { "\n" } else { "" }))
}
