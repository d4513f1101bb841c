//! Representations of a page: its HTML, or the Markdown that some servers offer for it, and the choice between them.
//!
//! Markdown that a host offers is compared with the HTML of the same page, on the first three pages and then once a
//! month, and taken as long as it is not poorer. What was found is kept per host ([`HostMarkdown`]).

use super::time::Timestamp;
use super::word_enum::word_enum;
use std::collections::HashMap;
use std::time::Duration;

/// Number of pages of a host whose Markdown is compared with the HTML before Markdown alone is requested.
pub const COMPARED_PAGES: u32 = 3;
/// Time after which one page of a host is compared again.
pub const COMPARISON_INTERVAL: Duration = Duration::from_secs(30 * 86_400);

/// Representation that a text comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Representation {
    /// HTML, converted by this program; also plain text.
    #[default]
    Html,
    /// Markdown as the server sent it.
    Markdown,
}

/// Representation that a fetch requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Negotiation {
    /// HTML; Markdown is not asked for.
    #[default]
    HtmlOnly,
    /// Markdown if the server has it, else HTML.
    PreferMarkdown,
    /// The same, and the HTML of the page too if the server sends Markdown, to compare them.
    Compare,
}

/// Result of a fetch for the question whether a host's Markdown is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkdownFinding {
    /// The Markdown of a page is not poorer than its HTML.
    Fits,
    /// The Markdown of a page lacks words or headings of its HTML.
    Poorer,
    /// The server failed when Markdown was requested, and not without that.
    Refused,
}

word_enum! {
    /// Decision about a host's Markdown, as the store keeps it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum MarkdownVerdict {
        /// Fewer than [`COMPARED_PAGES`] pages were compared, and none was poorer.
        Open = "open",
        /// Markdown is preferred.
        Markdown = "markdown",
        /// Only HTML is requested.
        Html = "html",
    }
}

/// Knowledge about the Markdown of a host that offers it, or that failed when it was requested. Of other hosts, which
/// ignore the request, nothing is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostMarkdown {
    pub verdict: MarkdownVerdict,
    /// Number of pages compared since the verdict was last open.
    pub compared: u32,
    /// Time of the last comparison, UTC.
    pub compared_at: Timestamp,
    /// Time since which the verdict is the same, UTC.
    pub decided_at: Timestamp,
}

impl HostMarkdown {
    /// Returns what to request from a host of which `known` is known.
    pub fn negotiation(known: Option<Self>, now: Timestamp) -> Negotiation {
        match known {
            Some(known) if known.compared_at.plus(COMPARISON_INTERVAL) <= now => Negotiation::Compare,
            Some(Self { verdict: MarkdownVerdict::Markdown, .. }) => Negotiation::PreferMarkdown,
            Some(Self { verdict: MarkdownVerdict::Html, .. }) => Negotiation::HtmlOnly,
            Some(Self { verdict: MarkdownVerdict::Open, .. }) | None => Negotiation::Compare,
        }
    }

    /// Returns what is known of the host after a finding at `now`.
    pub fn after(known: Option<Self>, finding: MarkdownFinding, now: Timestamp) -> Self {
        let before = known.map(|known| known.verdict);
        let compared = match before {
            Some(MarkdownVerdict::Html) | None => 1,
            Some(MarkdownVerdict::Open | MarkdownVerdict::Markdown) => known.map_or(0, |known| known.compared) + 1,
        };
        let verdict = match (finding, before) {
            (MarkdownFinding::Poorer | MarkdownFinding::Refused, _) => MarkdownVerdict::Html,
            (MarkdownFinding::Fits, Some(MarkdownVerdict::Markdown)) => MarkdownVerdict::Markdown,
            (MarkdownFinding::Fits, _) if compared >= COMPARED_PAGES => MarkdownVerdict::Markdown,
            (MarkdownFinding::Fits, _) => MarkdownVerdict::Open,
        };
        let decided_at = known.filter(|known| known.verdict == verdict).map_or(now, |known| known.decided_at);
        Self { verdict, compared, compared_at: now, decided_at }
    }
}

/// Returns true if a page's Markdown is not poorer than the text of its HTML: it has at least 85 % of the words and 75 %
/// of the headings.
pub fn fits(markdown: &str, html: &str) -> bool {
    let mut left: HashMap<String, u32> = HashMap::new();
    for_each_word(markdown, |word| *left.entry(word.to_owned()).or_default() += 1);
    let (mut all, mut shared) = (0usize, 0usize);
    for_each_word(html, |word| {
        all += 1;
        if let Some(count) = left.get_mut(word).filter(|count| **count > 0) {
            *count -= 1;
            shared += 1;
        }
    });
    shared * 100 >= all * 85 && headings(markdown) * 4 >= headings(html) * 3
}

/// Returns true if two texts in Markdown have the same words in the same order, whatever their marks and link targets.
pub fn has_same_words(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// Returns the words of a Markdown text in lower case, without its marks and link targets.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_word(text, |word| words.push(word.to_owned()));
    words
}

/// Calls `take` with each word of a Markdown text in lower case. Marks, targets of links, definitions of links and the
/// languages of code blocks are no words.
fn for_each_word(text: &str, mut take: impl FnMut(&str)) {
    let mut word = String::new();
    for line in text.lines() {
        let trimmed = line.trim_start();
        let is_definition = trimmed.starts_with('[') && trimmed.contains("]: ");
        if is_definition || trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            continue;
        }
        let mut chars = line.chars().peekable();
        while let Some(char) = chars.next() {
            if char == ']' && chars.peek() == Some(&'(') {
                let mut depth = 0u32;
                for char in chars.by_ref() {
                    match char {
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
            }
            if char.is_alphanumeric() {
                word.extend(char.to_lowercase());
            } else if !word.is_empty() && !matches!(char, '*' | '_' | '`' | '\\') {
                take(&word);
                word.clear();
            }
        }
        if !word.is_empty() {
            take(&word);
            word.clear();
        }
    }
}

/// Counts the headings of a Markdown text: lines with `#` marks outside of code blocks, and underlined lines.
fn headings(text: &str) -> usize {
    let (mut count, mut fence, mut follows_text) = (0, None::<&str>, false);
    for line in text.lines() {
        let trimmed = line.trim_start();
        let mark = ["```", "~~~"].into_iter().find(|mark| trimmed.starts_with(mark));
        match (fence, mark) {
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, Some(mark)) => fence = Some(mark),
            _ => {}
        }
        if fence.is_some() || mark.is_some() {
            follows_text = false;
            continue;
        }
        let level = trimmed.len() - trimmed.trim_start_matches('#').len();
        let is_marked = (1..=6).contains(&level) && trimmed[level..].starts_with([' ', '\t']);
        let underline = trimmed.trim_end();
        let is_underline =
            underline.len() >= 2 && (underline.bytes().all(|b| b == b'=') || underline.bytes().all(|b| b == b'-'));
        count += usize::from(is_marked || follows_text && is_underline);
        follows_text = !trimmed.is_empty() && !is_marked && !is_underline && !trimmed.starts_with('|');
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use MarkdownFinding::{Fits, Poorer, Refused};

    const DAY: Duration = Duration::from_secs(86_400);
    const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    #[test]
    fn three_pages_decide_and_one_a_month_after_that() {
        let mut known = None;
        for (day, finding, verdict, next) in [
            (0, Fits, MarkdownVerdict::Open, Negotiation::Compare),
            (0, Fits, MarkdownVerdict::Open, Negotiation::Compare),
            (1, Fits, MarkdownVerdict::Markdown, Negotiation::PreferMarkdown),
            (31, Fits, MarkdownVerdict::Markdown, Negotiation::PreferMarkdown),
            (61, Poorer, MarkdownVerdict::Html, Negotiation::HtmlOnly),
            (91, Fits, MarkdownVerdict::Open, Negotiation::Compare),
            (92, Refused, MarkdownVerdict::Html, Negotiation::HtmlOnly),
        ] {
            let now = START.plus(day * DAY);
            assert_eq!(HostMarkdown::negotiation(known, now), Negotiation::Compare, "day {day}");
            let after = HostMarkdown::after(known, finding, now);
            assert_eq!((after.verdict, HostMarkdown::negotiation(Some(after), now)), (verdict, next), "day {day}");
            known = Some(after);
        }
        let decided = HostMarkdown::after(known, Poorer, START.plus(200 * DAY)).decided_at;
        assert_eq!(decided, START.plus(92 * DAY), "the verdict stays");
    }

    #[test]
    fn markdown_is_poorer_without_words_or_headings() {
        let html = "# Install\n\nRun the program.\n\n## On Linux\n\nUse [the package](https://a.test/p).\n\n## Else\n\nBuild it.\n";
        for (markdown, expected) in [
            (html.to_owned(), true),
            (
                "Install\n=======\n\nRun *the* program.\n\n## On Linux\nUse [the package](p).\n\n## Else\nBuild it."
                    .to_owned(),
                true,
            ),
            (format!("{html}\n## More\n\nThe HTML builds this part by scripts."), true),
            (html.replace("## ", ""), false),
            (html.replace("# ", "```\n# ").replace("\n\n", "\n```\n"), false),
            ("# Install\n\n## On Linux\n\n## Else\n\nBuild it.".to_owned(), false),
            ("# Index\n\n- [Install](install)\n- [Use](use)".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(fits(&markdown, html), expected, "{markdown}");
        }
        assert!(fits("# Made by scripts\n\nWords.", ""));
    }

    #[test]
    fn words_are_the_same_whatever_the_marks() {
        let one =
            "# A *title*\n\nSome `code` and [a link](https://a.test/x_(y)).\n\n1. One\n\n```rust\nlet x = 1;\n```\n";
        let other = "A title\n=======\nSome code and [a link][1].\n\n  1. **One**\n\n~~~\nlet x = 1;\n~~~\n\n[1]: /x\n";
        assert!(has_same_words(one, &other.replace("[1].", ".")));
        assert!(!has_same_words(one, "A title. Some code and a link. 1 One let x 2"));
    }
}
