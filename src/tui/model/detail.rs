//! The details of one document: its attempts, its text, its earlier texts.

use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::{SafeLine, width as text_width};
use crate::tui::msg::DetailData;
use unicode_width::UnicodeWidthChar;

/// A tab of the details.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tab {
    /// The attempts, newest first.
    #[default]
    Attempts,
    /// The stored text.
    Content,
    /// The earlier texts.
    Versions,
}

impl Tab {
    /// In the order on the screen.
    pub const ALL: [Self; 3] = [Self::Attempts, Self::Content, Self::Versions];

    /// Its title.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Attempts => "attempts",
            Self::Content => "content",
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
    /// The first line of the text on the screen.
    pub scroll: usize,
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
        self.wrapped = data.content.iter().flat_map(|line| broken(line, width)).collect();
        self.wrapped_for = wanted;
        self.scroll = self.scroll.min(self.lines().saturating_sub(1));
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
            (Some(data), Tab::Versions) => data.versions.len(),
        }
    }
}

/// A line of text broken at spaces into lines of at most `width` cells; a word that is wider is broken anywhere.
fn broken(line: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in line.split_inclusive(' ') {
        let cells = text_width(word.trim_end());
        if used > 0 && used + cells > width {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let cells = c.width().unwrap_or(0);
            if used + cells > width {
                if c == ' ' {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            if let Some(last) = lines.last_mut() {
                last.push(c);
            }
            used += cells;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn lines_are_broken_at_spaces_and_long_words_anywhere() {
        assert_eq!(broken("one two three", 7), ["one two", "three"]);
        assert_eq!(broken("", 7), [""]);
        assert_eq!(broken("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(broken("日本語", 4), ["日本", "語"]);
    }
}
