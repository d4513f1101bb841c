//! Clusters of characters, and the terminal cells that they take.
//!
//! Terminals count the cells of some clusters differently: one takes a family of emoji for two cells and the next for
//! six. A screen that relies on one of these counts leaves pieces of text where they do not belong. So a cluster has
//! here the cells of the terminal that takes most, it says whether the others agree, and what no two terminals draw
//! alike is replaced by its base character. The counts were compared with those of xterm 379, tmux 3.3 and kitty 0.26,
//! for every character that Unicode 15 has.

use std::borrow::Cow;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What a person sees as one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cluster<'a> {
    /// The characters in the text.
    pub source: &'a str,
    /// The characters to draw: those of the text, or simpler ones.
    pub shown: Cow<'a, str>,
    pub width: Width,
}

/// How many cells a cluster takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// The same number in all terminals.
    Agreed(usize),
    /// As many in some terminals, and fewer in others.
    AtMost(usize),
}

impl Width {
    /// Returns the cells to reserve.
    pub fn cells(self) -> usize {
        match self {
            Self::Agreed(cells) | Self::AtMost(cells) => cells,
        }
    }
}

/// Splits `text` into its clusters.
pub fn clusters(text: &str) -> impl DoubleEndedIterator<Item = Cluster<'_>> {
    // Most texts need no search for the ends of their clusters.
    let (plain, other) = if text.chars().all(stands_alone) { (text, "") } else { ("", text) };
    let alone = plain.char_indices().map(|(at, c)| {
        let source = &plain[at..at + c.len_utf8()];
        Cluster { source, shown: Cow::Borrowed(source), width: Width::Agreed(most_cells(c)) }
    });
    alone.chain(other.graphemes(true).map(cluster))
}

/// Returns the width of `text` in terminal cells.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    if text.chars().all(stands_alone) {
        return text.chars().map(most_cells).sum();
    }
    clusters(text).map(|cluster| cluster.width.cells()).sum()
}

/// Cuts `text` to `cells` terminal cells; a text that was cut ends in `…`.
pub fn fit(text: &str, cells: usize) -> String {
    if width(text) <= cells {
        return text.to_owned();
    }
    let Some(mut available) = cells.checked_sub(1) else {
        return String::new();
    };
    let mut fitted = String::new();
    for cluster in clusters(text) {
        let Some(left) = available.checked_sub(cluster.width.cells()) else {
            break;
        };
        available = left;
        fitted.push_str(cluster.source);
    }
    fitted.truncate(fitted.trim_end().len());
    fitted.push('…');
    fitted
}

fn cluster(source: &str) -> Cluster<'_> {
    let mut chars = source.chars();
    let Some(first) = chars.next() else {
        return Cluster { source, shown: Cow::Borrowed(source), width: Width::Agreed(0) };
    };
    let rest = chars.as_str();
    if first.width().unwrap_or(0) == 0 && !rest.is_empty() {
        // Marks without a letter would be added to what stands before them.
        return Cluster { source, ..cluster(rest) };
    }
    if let Some(letters) = flag(source) {
        let width = Width::Agreed(letters.len());
        return Cluster { source, shown: Cow::Owned(letters), width };
    }
    if rest.is_empty() {
        return Cluster { source, shown: Cow::Borrowed(source), width: single(first) };
    }
    if !first.is_alphabetic() && rest.chars().any(changes_emoji) {
        return Cluster { source, shown: Cow::Borrowed(&source[..first.len_utf8()]), width: single(first) };
    }
    if let Some(syllable) = hangul(source) {
        return Cluster { source, shown: Cow::Owned(syllable.to_string()), width: Width::Agreed(2) };
    }
    let cells = source.width().max(source.chars().map(most_cells).sum());
    let is_marked = rest.chars().all(|c| most_cells(c) == 0 && c.width() == Some(0));
    let width = match single(first) {
        Width::Agreed(own) if own == cells && is_marked => Width::Agreed(cells),
        _ => Width::AtMost(cells),
    };
    Cluster { source, shown: Cow::Borrowed(source), width }
}

/// Returns the width of a character that is a cluster by itself.
fn single(c: char) -> Width {
    match (most_cells(c), c.width().unwrap_or(0)) {
        // A mark without a letter is not drawn.
        (_, 0) => Width::Agreed(0),
        (1, _) if c < '\u{10000}' => Width::Agreed(1),
        (2, 2) if is_ideograph(c) => Width::Agreed(2),
        // Emoji and pictures: those that are younger than the terminal take no cell or one.
        (cells, _) => Width::AtMost(cells),
    }
}

/// Returns true for characters that are clusters of their own, whatever follows but marks, and on whose width all
/// terminals agree; most texts have no other.
fn stands_alone(c: char) -> bool {
    matches!(
        c,
        ' '..='~' | '\u{a0}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{370}'..='\u{482}' | '\u{2010}'..='\u{2027}'
            | '\u{2030}'..='\u{205e}' | '\u{2190}'..='\u{2319}' | '\u{2500}'..='\u{25fc}' | '\u{2701}'..='\u{2704}'
            | '\u{2706}'..='\u{2709}' | '\u{270c}'..='\u{2727}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
            | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
    )
}

/// Returns true for the characters of Chinese, Japanese and Korean that every terminal draws in two cells.
fn is_ideograph(c: char) -> bool {
    matches!(
        c,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{3247}' | '\u{3250}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{a4c6}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6b}'
            | '\u{ff01}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}'
    )
}

/// Returns the cells of a character in the terminal that takes most for it, as part of a cluster.
fn most_cells(c: char) -> usize {
    match c {
        // Circled numbers, and marks that some terminals draw in two cells of their own.
        '\u{3248}'..='\u{324f}' | '\u{302e}'..='\u{302f}' | '\u{16ff0}'..='\u{16ff1}' => 2,
        // Vowel signs to the right of their letter, which the standard for clusters counts as extending it; letters
        // and signs that stand before others; vowels and finals of old Hangul.
        '\u{9be}'
        | '\u{9d7}'
        | '\u{b3e}'
        | '\u{b57}'
        | '\u{bbe}'
        | '\u{bd7}'
        | '\u{cc0}'
        | '\u{cc2}'
        | '\u{cc7}'..='\u{cc8}'
        | '\u{cca}'..='\u{ccb}'
        | '\u{cd5}'..='\u{cd6}'
        | '\u{d3e}'
        | '\u{d57}'
        | '\u{dcf}'
        | '\u{ddf}'
        | '\u{1715}'
        | '\u{1734}'
        | '\u{1b35}'
        | '\u{1b3b}'
        | '\u{1b3d}'
        | '\u{1b43}'..='\u{1b44}'
        | '\u{1baa}'
        | '\u{1bf2}'..='\u{1bf3}'
        | '\u{a953}'
        | '\u{a9c0}'
        | '\u{111c0}'
        | '\u{11235}'
        | '\u{1133e}'
        | '\u{1134d}'
        | '\u{11357}'
        | '\u{114b0}'
        | '\u{114bd}'
        | '\u{115af}'
        | '\u{116b6}'
        | '\u{11930}'
        | '\u{1193d}'
        | '\u{1d165}'..='\u{1d166}'
        | '\u{1d16d}'..='\u{1d172}'
        | '\u{605}'
        | '\u{70f}'
        | '\u{890}'..='\u{891}'
        | '\u{8e2}'
        | '\u{d4e}'
        | '\u{111c2}'..='\u{111c3}'
        | '\u{1193f}'
        | '\u{11941}'
        | '\u{11a84}'..='\u{11a89}'
        | '\u{11d46}'
        | '\u{1160}'..='\u{11ff}'
        | '\u{d7b0}'..='\u{d7ff}' => 1,
        c => c.width().unwrap_or(0),
    }
}

/// Returns true for what makes another emoji of the one before it: joiners, variants, colours of skin, key caps, tags.
fn changes_emoji(c: char) -> bool {
    matches!(
        c,
        '\u{200d}' | '\u{20e3}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}'
    )
}

/// Returns the letters of a flag, which Unicode writes as letters of their own kind: terminals draw them as a picture of
/// two cells, as two letters, or as two pictures.
fn flag(source: &str) -> Option<String> {
    let letter = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}').then(|| (b'A' + (c as u32 - 0x1f1e6) as u8) as char);
    source.chars().map(letter).collect()
}

/// Returns the syllable that the letters of a cluster make, by the arithmetic of the Unicode standard, section 3.12.
fn hangul(source: &str) -> Option<char> {
    let index = |c: Option<char>, first: u32, count: u32| (c? as u32).checked_sub(first).filter(|index| *index < count);
    let mut chars = source.chars();
    let lead = index(chars.next(), 0x1100, 19)?;
    let vowel = index(chars.next(), 0x1161, 21)?;
    let last = match chars.next() {
        None => 0,
        end => index(end, 0x11a7, 28)?,
    };
    if chars.next().is_some() { None } else { char::from_u32(0xac00 + (lead * 21 + vowel) * 28 + last) }
}

#[cfg(test)]
pub mod tests;
