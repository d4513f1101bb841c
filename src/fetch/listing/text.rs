//! Parses lists of links in text: a URL per line, or Markdown with links, such as `llms.txt`.

use super::input::DecodedInput;
use super::{ListingEntry, OnEntry};
use crate::domain::listing::ListedPage;
use std::io::{BufRead as _, Read};
use url::Url;

/// Parses a list. Relative targets of Markdown links are joined with `base`. Text without links has no entries.
pub(super) fn parse(file: impl Read, base: &Url, on_entry: &mut OnEntry<'_>) -> Result<(), String> {
    let mut input = DecodedInput::new(file)?;
    let mut line = Vec::new();
    loop {
        let number = input.line();
        line.clear();
        input.begin_token();
        if input.read_until(b'\n', &mut line).map_err(|error| error.to_string())? == 0 {
            return Ok(());
        }
        for url in links_of(&String::from_utf8_lossy(&line), base) {
            let page = ListedPage { url, modified: None };
            if !on_entry(ListingEntry::Page { page, line: number }) {
                return Ok(());
            }
        }
    }
}

/// Returns the URLs of a line: the whole line if it is one, else the targets of its Markdown links.
fn links_of(line: &str, base: &Url) -> Vec<String> {
    let line = line.trim();
    let is_url = |text: &str| text.starts_with("http://") || text.starts_with("https://");
    if is_url(line) && !line.contains(char::is_whitespace) {
        return vec![line.to_owned()];
    }
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("](") {
        rest = &rest[at + 2..];
        let end = rest.find(|c: char| c == ')' || c.is_whitespace()).unwrap_or(rest.len());
        let target = rest[..end].trim_start_matches('<').trim_end_matches('>');
        if let Ok(url) = base.join(target)
            && is_url(url.as_str())
            && !(target.is_empty() || target.starts_with('#'))
        {
            found.push(url.into());
        }
        rest = &rest[end..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_lists_and_of_markdown_are_read() {
        let base = Url::parse("https://a.test/llms.txt").expect("a URL");
        for (line, urls) in [
            ("https://a.test/x\r\n", vec!["https://a.test/x"]),
            (
                "- [One](/one): the first, and [two](<https://b.test/2> \"T\")",
                vec!["https://a.test/one", "https://b.test/2"],
            ),
            ("- [One](#part) [m](mailto:a@b.c) [js](javascript:x)", vec![]),
            ("# Title", vec![]),
            ("see https://a.test/x for more", vec![]),
            ("[](", vec![]),
        ] {
            assert_eq!(links_of(line, &base), urls, "{line}");
        }
    }
}
