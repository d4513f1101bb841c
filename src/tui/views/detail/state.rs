//! The details of one document: its attempts, its text, its earlier texts.

use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::{SafeLine, width as text_width};
use crate::tui::msg::DetailData;
use crate::tui::views::detail::difference::{self, Compared, DifferenceData, Row};
use std::ops::Range;
use unicode_width::UnicodeWidthChar;

/// A tab of the details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The attempts, newest first.
    #[default]
    Attempts,
    /// The stored text.
    Content,
    /// What a held text would change; without one, what replaced an earlier text.
    Changes,
    /// The earlier texts.
    Versions,
}

impl Tab {
    /// In the order on the screen.
    pub const ALL: [Self; 4] = [Self::Attempts, Self::Content, Self::Changes, Self::Versions];

    /// Its title.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Content => "content",
            Self::Changes => "changes",
            Self::Versions => "versions",
        }
    }

    /// The next, or the one before.
    pub fn step(self, forward: bool) -> Self {
        let place = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(place + if forward { 1 } else { len - 1 }) % len]
    }
}

/// The details of one document.
#[derive(Clone, Debug)]
pub struct Detail {
    /// The document.
    pub document: DocumentId,
    /// Its name when the details were opened.
    pub name: SafeLine,
    /// The newest question; an answer to another is dropped.
    pub generation: u64,
    /// That question has no answer yet.
    pub asked: bool,
    /// Something was committed since.
    pub again: bool,
    /// What was read.
    pub data: Option<Box<DetailData>>,
    /// The document does not exist any more.
    pub gone: bool,
    /// The tab.
    pub tab: Tab,
    /// The attempt under the cursor; `None` is the newest.
    pub attempt: Option<Seq>,
    /// The first line of the text on the screen; among the versions the one under the cursor.
    pub scroll: usize,
    /// The version that is compared with its successor; `None` is what there is most reason to look at.
    pub version: Option<u64>,
    /// The comparison that was asked for last, with the number of the question.
    pub comparing: Option<(Compared, u64)>,
    /// Why it was not made.
    pub trouble: Option<SafeLine>,
    /// The difference broken to the width of the pane.
    pub rows: Vec<Row>,
    /// The width and the reading that it was broken for.
    rows_for: Option<(usize, u64)>,
    /// The text broken to the width of the pane.
    pub wrapped: Vec<String>,
    /// The width and the reading that it was broken for.
    wrapped_for: Option<(usize, u64)>,
}

impl Detail {
    /// Details that were just opened.
    pub fn new(document: DocumentId, name: SafeLine, generation: u64) -> Self {
        Self {
            document,
            name,
            generation,
            asked: true,
            again: false,
            data: None,
            gone: false,
            tab: Tab::default(),
            attempt: None,
            scroll: 0,
            version: None,
            comparing: None,
            trouble: None,
            rows: Vec::new(),
            rows_for: None,
            wrapped: Vec::new(),
            wrapped_for: None,
        }
    }

    /// Breaks the text to `width` cells, when it has not been yet.
    pub fn wrap(&mut self, width: usize) {
        let Some(data) = &self.data else { return };
        let wanted = Some((width, data.reading));
        if width == 0 || self.wrapped_for == wanted {
            return;
        }
        let parts =
            |line: &String| broken(line, width).into_iter().map(|part| line[part].to_owned()).collect::<Vec<_>>();
        self.wrapped = data.content.iter().flat_map(parts).collect();
        self.wrapped_for = wanted;
        self.scroll = self.scroll.min(self.lines().saturating_sub(1));
    }

    /// Breaks the difference to `width` cells, when it has not been yet.
    pub fn wrap_difference(&mut self, data: &DifferenceData, width: usize) {
        let wanted = Some((width, data.reading));
        if width > 0 && self.rows_for != wanted {
            self.rows = difference::rows(&data.difference, width);
            self.rows_for = wanted;
        }
    }

    /// Which texts are to be compared now; `None` when there are no two.
    pub fn compared(&self) -> Option<Compared> {
        let data = self.data.as_deref()?;
        let stored = data.version.unwrap_or(0);
        if let (None, Some(held)) = (self.version, &data.held) {
            return Some(Compared::Held { fingerprint: held.fingerprint.clone(), stored });
        }
        let place = match self.version {
            Some(version) => data.versions.iter().position(|kept| kept.version == version)?,
            None => 0,
        };
        let old = data.versions.get(place)?.version;
        let new = place.checked_sub(1).and_then(|newer| data.versions.get(newer)).map_or(stored, |kept| kept.version);
        Some(Compared::Versions { old, new })
    }

    /// The place of the attempt under the cursor.
    pub fn attempt_at(&self) -> usize {
        let Some(data) = &self.data else { return 0 };
        self.attempt.and_then(|seq| data.outcomes.iter().position(|outcome| outcome.seq == seq)).unwrap_or(0)
    }

    /// How many lines the tab has.
    pub fn lines(&self) -> usize {
        match (&self.data, self.tab) {
            (None, _) => 0,
            (Some(data), Tab::Attempts) => data.outcomes.len(),
            (Some(_), Tab::Content) => self.wrapped.len(),
            (Some(_), Tab::Changes) => self.rows.len(),
            (Some(data), Tab::Versions) => data.versions.len(),
        }
    }
}

/// The parts of a line of text, broken at spaces, that take at most `width` cells each; a word that is wider is broken
/// anywhere. Spaces for which there is no room are in no part.
pub(in crate::tui) fn broken(line: &str, width: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut part, mut used) = (0..0, 0);
    let mut at = 0;
    for word in line.split_inclusive(' ') {
        let cells = text_width(word.trim_end());
        if used > 0 && used + cells > width {
            parts.push(std::mem::replace(&mut part, at..at));
            used = 0;
        }
        for c in word.chars() {
            let cells = c.width().unwrap_or(0);
            let next = at + c.len_utf8();
            if used + cells > width {
                if c == ' ' {
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

#[cfg(test)]
mod tests {
    fn broken(line: &str, width: usize) -> Vec<&str> {
        super::broken(line, width).into_iter().map(|part| &line[part]).collect()
    }

    #[test]
    fn lines_are_broken_at_spaces_and_long_words_anywhere() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("", 7), [""]);
        assert_eq!(broken("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(broken("日本語", 4), ["日本", "語"]);
        assert_eq!(broken("ab   cd", 3), ["ab ", "cd"]);
        assert_eq!(broken("ab   cd", 2), ["ab", "cd"]);
    }
}
