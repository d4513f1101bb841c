//! Blocks of a Markdown text: where they begin and end, and the keys by which they are recognised on other pages.

use std::ops::Range;

/// Number of bits of a [`BlockKey`]; few enough for a short record, and enough for the blocks of one host.
const KEY_BITS: u32 = 48;
/// Number of bits of a [`PathKey`].
const PATH_BITS: u32 = 24;
/// Number of words of the longest block that is read as a counter.
const MOST_COUNTER_WORDS: usize = 8;

/// Hash of a block's words, without the targets of its links, so that a menu's entry is the same on every page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockKey(pub u64);

/// Hash of the elements around a block; zero if they are unknown, as in a text that is not from HTML.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathKey(pub u32);

impl PathKey {
    /// The path of blocks whose elements are unknown.
    pub const UNKNOWN: Self = Self(0);
}

/// Hash of the elements down to one of a page, for the [`PathKey`] of what is below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathHash(u64);

impl PathHash {
    /// Returns the hash of an element below this one, with its name, id and classes. Digits in them do not count, since
    /// layouts number their elements.
    pub fn below(self, names: [&str; 3]) -> Self {
        let mut hash = WordHash::default();
        hash.add(&self.0.to_le_bytes());
        for name in names {
            name.bytes().filter(|byte| !byte.is_ascii_digit()).for_each(|byte| hash.add_byte(byte));
            hash.add_byte(b' ');
        }
        Self(hash.finish())
    }

    /// Returns the key; never [`PathKey::UNKNOWN`].
    pub fn key(self) -> PathKey {
        PathKey(u32::try_from(self.0 >> (64 - PATH_BITS)).unwrap_or_default().max(1))
    }
}

/// The path of the line that begins at a byte offset of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathMark {
    pub offset: u32,
    pub path: PathKey,
}

/// A block of a text: a line, a table, or a block of code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'t> {
    /// The text without white space around it.
    pub text: &'t str,
    /// Range of the whole lines in the text, with their line feeds.
    pub range: Range<usize>,
    pub path: PathKey,
    pub key: BlockKey,
    /// Number of words; characters of Chinese, Japanese and Korean count as words.
    pub words: u32,
    /// Level of a heading, 1 to 6; 0 for other blocks.
    pub level: u8,
    /// Number of bytes before the text of the first line: an item below another one has more.
    pub indent: usize,
}

/// Cuts a Markdown text into its blocks; blank lines belong to none. `paths` has the paths of the lines, in the order of
/// their offsets.
pub fn blocks<'t>(text: &'t str, paths: &[PathMark]) -> Vec<Block<'t>> {
    let mut blocks: Vec<Block<'t>> = Vec::new();
    let mut paths = paths.iter().peekable();
    let (mut fence, mut was_row) = (None::<&str>, false);
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        let (start, end) = (offset, offset + line.len());
        offset = end;
        let trimmed = line.trim();
        let mut path = PathKey::UNKNOWN;
        while let Some(mark) = paths.next_if(|mark| (mark.offset as usize) < end) {
            path = if mark.offset as usize == start { mark.path } else { path };
        }
        let inner = trimmed.trim_start_matches(['>', ' ', '-', '*']);
        let is_row = trimmed.starts_with('|');
        let continues = fence.is_some() || (is_row && was_row);
        was_row = is_row;
        match fence {
            Some(open) if is_closing(inner, open) => fence = None,
            Some(_) => {}
            None => fence = opening(inner),
        }
        match blocks.last_mut() {
            Some(last) if continues => {
                last.range.end = end;
                last.text = text[last.range.clone()].trim();
            }
            _ if trimmed.trim_start_matches('>').trim().is_empty() => {}
            _ => blocks.push(Block {
                text: trimmed,
                range: start..end,
                path,
                key: BlockKey(0),
                words: 0,
                level: level_of(trimmed),
                indent: line.len() - line.trim_start().len(),
            }),
        }
    }
    for block in &mut blocks {
        (block.key, block.words) = key_of(block.text);
    }
    blocks
}

fn opening(line: &str) -> Option<&str> {
    let length = line.bytes().take_while(|byte| *byte == b'`').count();
    // Backticks after the fence make it inline code.
    (length >= 3 && !line[length..].contains('`')).then(|| &line[..length])
}

fn is_closing(line: &str, open: &str) -> bool {
    line.len() >= open.len() && line.bytes().all(|byte| byte == b'`')
}

fn level_of(line: &str) -> u8 {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let is_heading = (1..=6).contains(&level) && line[level..].starts_with(' ');
    if is_heading { u8::try_from(level).unwrap_or_default() } else { 0 }
}

/// Returns the key and the number of the words of a block.
fn key_of(text: &str) -> (BlockKey, u32) {
    let visible = if has_target(text) && opening(text.split('\n').next().unwrap_or_default()).is_none() {
        std::borrow::Cow::Owned(without_targets(text))
    } else {
        std::borrow::Cow::Borrowed(text)
    };
    let is_counter = is_counter(&visible);
    if visible.is_ascii() && !is_counter {
        return key_of_ascii(visible.as_bytes());
    }
    let mut hash = WordHash::default();
    let (mut words, mut was_number) = (0u32, false);
    for word in words_of(&visible) {
        let wide = if word.is_ascii() { 0 } else { word.chars().filter(|c| is_wide(*c)).count() };
        words = words.saturating_add(u32::try_from(wide.max(1)).unwrap_or(u32::MAX));
        let is_number = is_counter && word.chars().any(char::is_numeric);
        if is_number && was_number {
            continue;
        }
        was_number = is_number;
        hash.add(if is_number { b"#" } else { word.as_bytes() });
    }
    (BlockKey(hash.finish() >> (64 - KEY_BITS)), words)
}

/// Returns what [`key_of`] returns for a text without signs beyond ASCII that is no counter, which most blocks are: in one
/// pass over its bytes.
fn key_of_ascii(text: &[u8]) -> (BlockKey, u32) {
    let mut hash = WordHash::default();
    let (mut words, mut in_word) = (0u32, false);
    for byte in text {
        if byte.is_ascii_alphanumeric() {
            words = words.saturating_add(u32::from(!in_word));
            in_word = true;
            hash.add_byte(*byte);
        } else if std::mem::take(&mut in_word) {
            hash.add_byte(b' ');
        }
    }
    if in_word {
        hash.add_byte(b' ');
    }
    (BlockKey(hash.finish() >> (64 - KEY_BITS)), words)
}

/// Returns true if a text may have the target of a link. On most lines there is none, and a comparison of bytes costs a
/// fraction of a search for a text.
fn has_target(text: &str) -> bool {
    text.as_bytes().windows(2).any(|pair| pair == b"](")
}

/// Returns the words of a text: runs of letters, digits and signs beyond ASCII.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let from = rest.as_bytes().iter().position(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii())?;
        rest = &rest[from..];
        let (word, after) = rest.split_at(word_length(rest));
        rest = if word.is_empty() { &after[after.chars().next().map_or(0, char::len_utf8)..] } else { after };
        Some(word)
    })
    .filter(|word| !word.is_empty())
}

/// Returns the number of bytes of the word with which a text begins; 0 if it begins with white space beyond ASCII.
fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut length = 0;
    while let Some(byte) = bytes.get(length) {
        length += match byte {
            // Most texts are ASCII, so that it is judged without decoding characters.
            byte if byte.is_ascii_alphanumeric() => 1,
            byte if byte.is_ascii() => break,
            _ => match text[length..].chars().next() {
                Some(c) if !c.is_whitespace() => c.len_utf8(),
                _ => break,
            },
        };
    }
    length
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Returns a Markdown text without the targets of its links and images.
pub fn without_targets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        kept.push_str(&rest[..at]);
        kept.push(' ');
        let target = &rest[at + 2..];
        let (mut depth, mut end, mut is_escaped) = (1u32, target.len(), false);
        for (index, byte) in target.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'(' => depth += 1,
                b')' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                end = index + 1;
                break;
            }
        }
        rest = &target[end..];
    }
    kept.push_str(rest);
    kept
}

/// Words of counters, whose number is another one at each fetch. Weak evidence, so it only joins blocks that differ in
/// their numbers alone; whether they are frame is learned.
const COUNTER_WORDS: [&str; 22] = [
    "view",
    "views",
    "viewed",
    "visit",
    "visits",
    "visitor",
    "visitors",
    "hits",
    "reads",
    "seen",
    "online",
    "watching",
    "counter",
    "generated",
    "rendered",
    "loaded",
    "aufrufe",
    "besucher",
    "vues",
    "visites",
    "visitas",
    "visite",
];

fn is_counter(text: &str) -> bool {
    if text.len() > 120 || !text.bytes().any(|byte| byte.is_ascii_digit()) || text.contains(['$', '€', '£', '¥']) {
        return false;
    }
    let words = || words_of(text).take(MOST_COUNTER_WORDS + 1);
    words().count() <= MOST_COUNTER_WORDS
        && words().any(|word| COUNTER_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

/// FNV-1a, whose value is the same in every build, with a finish that spreads it over all bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct WordHash(u64);

impl Default for WordHash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl WordHash {
    /// Adds a word.
    pub(super) fn add(&mut self, word: &[u8]) {
        word.iter().chain(b" ").for_each(|byte| self.add_byte(*byte));
    }

    fn add_byte(&mut self, byte: u8) {
        self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }

    /// Returns the hash.
    pub(super) fn finish(self) -> u64 {
        spread(self.0)
    }
}

/// Spreads a number over 64 bits (the finish of splitmix64).
pub(super) fn spread(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        blocks(text, &[]).into_iter().map(|block| block.text).collect()
    }

    fn key(text: &str) -> BlockKey {
        key_of(text).0
    }

    #[test]
    fn lines_tables_and_code_are_blocks() {
        let text = "# A\n\nline\\\nnext\n\n- one\n  - two\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```rust\nx\n\n```\n> q\n>\n> r\n";
        let table = "| a | b |\n| --- | --- |\n| 1 | 2 |";
        assert_eq!(texts(text), ["# A", "line\\", "next", "- one", "- two", table, "```rust\nx\n\n```", "> q", "> r"]);
        let all = blocks(text, &[]);
        assert!(all.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
        assert_eq!(all.iter().map(|block| block.level).max(), Some(1));
        assert_eq!(texts("- ```\n  a\n  ```\n- b\n"), ["- ```\n  a\n  ```", "- b"]);
        assert_eq!(texts("```\nnever closed\n\n"), ["```\nnever closed"]);
    }

    #[test]
    fn paths_belong_to_the_lines_that_begin_at_their_offsets() {
        let mark = |offset, path| PathMark { offset, path: PathKey(path) };
        let all = blocks("a\n\nb\nc\n", &[mark(0, 7), mark(3, 8), mark(6, 9)]);
        assert_eq!(all.iter().map(|block| block.path.0).collect::<Vec<_>>(), [7, 8, 0]);
    }

    #[test]
    fn a_key_is_of_the_words_that_a_reader_sees() {
        let entry = key("- [Home page](https://a.test/x_(y)?b=1)");
        for same in ["Home page", "- **Home** page", "> [Home](a) [page](<b c>)", "# Home page #"] {
            assert_eq!(key(same), entry, "{same}");
        }
        assert_ne!(key("Homepage"), entry);
        assert_ne!(key("Home page 2"), entry);
        assert_eq!(key_of("---"), (key(""), 0));
        assert_ne!(key("✅"), key("❌"));
        assert_eq!(key_of("語言 ok").1, 3);
    }

    proptest::proptest! {
        #[test]
        fn words_are_what_lies_between_signs_and_white_space(text in "[a-c1.,() \u{a0}\u{3000}é語\u{301}]{0,24}") {
            let is_sign = |c: char| if c.is_ascii() { !c.is_ascii_alphanumeric() } else { c.is_whitespace() };
            let expected: Vec<_> = text.split(is_sign).filter(|word| !word.is_empty()).collect();
            proptest::prop_assert_eq!(words_of(&text).collect::<Vec<_>>(), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn a_sign_beyond_ascii_that_is_no_word_changes_no_key(text in "[a-c1 .,#*]{0,24}") {
            // White space beyond ASCII, so that the text is read character by character.
            proptest::prop_assert_eq!(key_of(&format!("{text}\u{3000}")), key_of(&text));
        }
    }

    #[test]
    fn only_counters_are_the_same_with_other_numbers() {
        for (one, other) in [("Seen 812 times", "Seen 1,204 times"), ("You are visitor 7", "You are visitor 12")] {
            assert_eq!(key(one), key(other));
        }
        for (one, other) in [
            ("Open from 9 to 17", "Open from 10 to 16"),
            ("19.99 €, 3 visitors", "29.99 €, 3 visitors"),
            ("On 3 May 2026", "On 4 May 2026"),
            ("In a long sentence about 12 visitors and what they have seen", "In a long sentence about 13 visitors"),
        ] {
            assert_ne!(key(one), key(other));
        }
    }
}
