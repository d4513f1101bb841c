//! Markdown as a server sends it: its title, and its text with absolute links and without invisible parts.
//!
//! The text stays as it is, except: a front matter is left out; links become absolute, and plain text where their scheme
//! is unsuitable, as in converted pages; comments, scripts and styles are left out, since no reader would see them. Code is
//! never touched.

mod links;

use links::{code_span, push_with_links, target};
use url::Url;

/// Elements that are left out with their content.
const INVISIBLE: [&str; 4] = ["script", "style", "iframe", "template"];

/// Returns the title of a Markdown text, and the text as it is stored. The title is that of the front matter, else the
/// first heading. `base` is the URL to which its links are relative.
pub(in crate::fetch) fn served(text: &str, base: &Url) -> (Option<String>, String) {
    let (front_title, text) = without_front_matter(text);
    let text = without_invisible(text);
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    let mut fence = None::<String>;
    let mut title = None::<String>;
    let (mut was_blank, mut in_list, mut last_text) = (true, false, "");
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end_matches('\n');
        let trimmed = bare.trim_start_matches(' ');
        let indent = bare.len() - trimmed.len();
        if let Some(open) = &fence {
            if trimmed.starts_with(open.as_str())
                && trimmed[open.len()..].trim_start_matches(['`', '~']).trim().is_empty()
            {
                fence = None;
            }
            out.push_str(line);
            continue;
        }
        if let Some(open) = fence_of(trimmed) {
            fence = Some(open.to_owned());
            out.push_str(line);
            (was_blank, last_text) = (false, "");
            continue;
        }
        let is_blank = trimmed.trim().is_empty();
        let is_item = is_list_item(trimmed);
        in_list = is_item || in_list && (is_blank || indent >= 2);
        if !in_list && was_blank && (indent >= 4 || bare.starts_with('\t')) && !is_blank {
            // An indented code block; `was_blank` stays true within it.
            out.push_str(line);
            continue;
        }
        if title.is_none() {
            title = heading(trimmed, last_text);
        }
        push_with_links(line, base, &mut out);
        (was_blank, last_text) = (is_blank, if is_blank || is_item { "" } else { trimmed });
    }
    (front_title.or_else(|| title.map(|title| plain(&title))).filter(|title| !title.trim().is_empty()), out)
}

/// Splits off a front matter in YAML, and returns the value of its key `title`.
fn without_front_matter(text: &str) -> (Option<String>, &str) {
    let text = text.trim_start_matches('\u{feff}');
    let Some(rest) = text.strip_prefix("---\n") else { return (None, text) };
    let mut length = 0;
    let mut title = None;
    for line in rest.split_inclusive('\n') {
        length += line.len();
        let line = line.trim_end();
        if line == "---" || line == "..." {
            return (title, rest[length..].trim_start_matches('\n'));
        }
        let is_yaml = line.is_empty() || line.starts_with([' ', '\t', '#', '-']) || line.contains(':');
        if !is_yaml {
            break;
        }
        if let Some(value) = line.strip_prefix("title:") {
            let value = value.trim();
            let quoted = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            title = Some(quoted.unwrap_or(value).to_owned());
        }
    }
    // A text that begins with a rule.
    (None, text)
}

/// Leaves out comments and invisible elements, except in code. One pass: what has no end is left as it is, and then not
/// looked for again.
fn without_invisible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut fence = None::<String>;
    let mut rest = text;
    let mut unclosed = [false; INVISIBLE.len() + 1];
    let mut at_line_start = true;
    while !rest.is_empty() {
        if at_line_start {
            let line = &rest[..rest.find('\n').map_or(rest.len(), |end| end + 1)];
            let trimmed = line.trim_start();
            let is_code = match &fence {
                Some(open) => {
                    if trimmed.starts_with(open.as_str()) {
                        fence = None;
                    }
                    true
                }
                None => {
                    fence = fence_of(trimmed).map(str::to_owned);
                    fence.is_some() || line.starts_with("    ") || line.starts_with('\t')
                }
            };
            if is_code {
                out.push_str(line);
                rest = &rest[line.len()..];
                continue;
            }
        }
        let next = rest.find(['<', '`', '\n']).unwrap_or(rest.len());
        out.push_str(&rest[..next]);
        rest = &rest[next..];
        at_line_start = rest.starts_with('\n');
        let skipped = match rest.as_bytes().first() {
            Some(b'<') => invisible(rest, &mut unclosed),
            Some(b'`') => {
                let span = code_span(rest);
                out.push_str(&rest[..span]);
                rest = &rest[span..];
                continue;
            }
            _ => 0,
        };
        if skipped > 0 {
            rest = &rest[skipped..];
        } else if let Some(char) = rest.chars().next() {
            out.push(char);
            rest = &rest[char.len_utf8()..];
        }
    }
    out
}

/// Returns the length of the comment or invisible element at the start of `text`; 0 if there is none. `unclosed` notes
/// which of them have no end in the rest of the text.
fn invisible(text: &str, unclosed: &mut [bool; INVISIBLE.len() + 1]) -> usize {
    let mut end_of = |index: usize, end: &dyn Fn() -> Option<usize>| {
        let found = if unclosed[index] { None } else { end() };
        unclosed[index] |= found.is_none();
        found.unwrap_or(0)
    };
    if text.starts_with("<!--") {
        return end_of(INVISIBLE.len(), &|| text.find("-->").map(|end| end + 3));
    }
    for (index, name) in INVISIBLE.iter().enumerate() {
        let is_named = text.get(1..=name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name));
        let after = text.as_bytes().get(1 + name.len());
        if is_named && after.is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/')) {
            return end_of(index, &|| {
                let close = format!("</{name}");
                let from = text
                    .as_bytes()
                    .windows(close.len())
                    .position(|part| part.eq_ignore_ascii_case(close.as_bytes()))?;
                Some(from + text.get(from..)?.find('>')? + 1)
            });
        }
    }
    0
}

/// Returns the mark of a code fence at the start of a line.
fn fence_of(trimmed: &str) -> Option<&str> {
    let mark = trimmed.chars().next().filter(|char| matches!(char, '`' | '~'))?;
    let length = trimmed.len() - trimmed.trim_start_matches(mark).len();
    let is_fence = length >= 3 && (mark == '~' || !trimmed[length..].contains('`'));
    is_fence.then(|| &trimmed[..length])
}

fn is_list_item(trimmed: &str) -> bool {
    let digits = trimmed.trim_start_matches(|char: char| char.is_ascii_digit());
    let is_number = digits.len() < trimmed.len() && trimmed.len() - digits.len() <= 9;
    trimmed.starts_with(['-', '*', '+']) && trimmed[1..].starts_with([' ', '\t'])
        || is_number && digits.starts_with(['.', ')']) && digits[1..].starts_with([' ', '\t'])
}

/// Returns the text of a heading: of a line with `#` marks, or of the line before an underline.
fn heading(trimmed: &str, before: &str) -> Option<String> {
    let level = trimmed.len() - trimmed.trim_start_matches('#').len();
    if (1..=6).contains(&level) && trimmed[level..].starts_with([' ', '\t']) {
        return Some(trimmed[level..].trim().trim_end_matches('#').trim_end().to_owned());
    }
    let underline = trimmed.trim();
    let is_underline =
        underline.len() >= 2 && ["=", "-"].iter().any(|mark| underline.trim_matches(|c| mark.contains(c)).is_empty());
    (is_underline && !before.is_empty()).then(|| before.trim().to_owned())
}

/// Returns a heading without marks and without the targets of its links.
fn plain(heading: &str) -> String {
    let mut out = String::with_capacity(heading.len());
    let mut rest = heading;
    while let Some(at) = rest.find(['*', '`', '[', ']', '\\', '<']) {
        out.push_str(&rest[..at]);
        let mark = &rest[at..];
        rest = &mark[1..];
        if let Some(inner) = mark.strip_prefix("](") {
            rest = target(&mark[1..]).map_or(inner, |(_, length)| &mark[1 + length..]);
        } else if mark.starts_with('\\') {
            let next = rest.chars().next().map_or(0, char::len_utf8);
            out.push_str(&rest[..next]);
            rest = &rest[next..];
        } else if mark.starts_with('<') {
            let is_tag = rest.starts_with(|char: char| char.is_ascii_alphabetic() || char == '/');
            match rest.find('>').filter(|_| is_tag) {
                Some(end) => rest = &rest[end + 1..],
                None => out.push('<'),
            }
        }
    }
    out.push_str(rest);
    out.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> (Option<String>, String) {
        served(text, &Url::parse("https://a.test/docs/page").expect("a URL"))
    }

    #[test]
    fn the_title_is_that_of_the_front_matter_else_the_first_heading() {
        for (text, title, stored) in [
            ("---\ntitle: \"A page\"\ndescription: >\n  b\n---\n\n# Other\n", Some("A page"), "# Other\n"),
            (
                "---\ntags:\n- a\n---\n# Real *one* `x` [b](c) \\*\n",
                Some("Real one x b *"),
                "# Real *one* `x` [b](https://a.test/docs/c) \\*\n",
            ),
            ("Words first.\n\n## Second ##\n# First\n", Some("Second"), "Words first.\n\n## Second ##\n# First\n"),
            ("Underlined\n==========\n", Some("Underlined"), "Underlined\n==========\n"),
            ("```\n# code\n```\nWords.\n", None, "```\n# code\n```\nWords.\n"),
            ("---\n\nWords after a rule.\n\n---\n", None, "---\n\nWords after a rule.\n\n---\n"),
            ("#hash\n", None, "#hash\n"),
        ] {
            assert_eq!(of(text), (title.map(str::to_owned), stored.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn links_become_absolute_and_unsuitable_ones_plain() {
        for (text, stored) in [
            ("[a](b.x) ![c](/d.png)\n", "[a](https://a.test/docs/b.x) ![c](https://a.test/d.png)\n"),
            ("[a](<b c> \"T\") [d](e 'f')\n", "[a](https://a.test/docs/b%20c \"T\") [d](https://a.test/docs/e 'f')\n"),
            ("[![i](i.png)](p)\n", "[![i](https://a.test/docs/i.png)](https://a.test/docs/p)\n"),
            ("[a](x_(y)) (b) [c]\n", "[a](https://a.test/docs/x_%28y%29) (b) [c]\n"),
            ("[run](javascript:alert(1)) [m](mailto:a@b.c)\n", "run [m](mailto:a@b.c)\n"),
            ("![i](data:image/png;base64,AAAA)x\n", "ix\n"),
            ("[a]: b.x \"T\"\n[c]: javascript:x\n[^1]: a note\n", "[a]: https://a.test/docs/b.x \"T\"\n[^1]: a note\n"),
            ("`[a](b)` ``[`a`](b)`` \\[a](b)\n", "`[a](b)` ``[`a`](b)`` \\[a](b)\n"),
            ("    [a](b)\n\n- x\n\n    [a](b)\n", "    [a](b)\n\n- x\n\n    [a](https://a.test/docs/b)\n"),
            ("~~~\n[a](b)\n```\n[a](b)\n~~~\n[a](b)\n", "~~~\n[a](b)\n```\n[a](b)\n~~~\n[a](https://a.test/docs/b)\n"),
            ("[open](unfinished\n", "[open](unfinished\n"),
            ("語[語](語)\n", "語[語](https://a.test/docs/%E8%AA%9E)\n"),
        ] {
            assert_eq!(of(text).1, stored, "{text:?}");
        }
    }

    #[test]
    fn what_no_reader_sees_is_left_out_except_in_code() {
        for (text, stored) in [
            ("a <!-- hidden\nlines --> b\n", "a  b\n"),
            ("a<script type=x>evil()\n</SCRIPT>b<style>c</style>\n", "ab\n"),
            ("`<!-- kept -->` <b>bold</b> <scripted>\n", "`<!-- kept -->` <b>bold</b> <scripted>\n"),
            ("```html\n<script>kept()</script>\n```\n", "```html\n<script>kept()</script>\n```\n"),
            ("<!-- never closed\nwords\n", "<!-- never closed\nwords\n"),
        ] {
            assert_eq!(of(text).1, stored, "{text:?}");
        }
    }

    #[test]
    fn hostile_texts_end_and_stay_small() {
        for text in ["[", "![", "[a](", "<!--", "<script>", "`", "[a]: ", "](", "(((", "\\", "- ", "[a](b", "[a](b)"] {
            for text in [text.repeat(4_000), format!("{text}\n").repeat(4_000)] {
                assert!(of(&text).1.len() <= text.len() * 10, "{}", &text[..8]);
            }
        }
    }
}
