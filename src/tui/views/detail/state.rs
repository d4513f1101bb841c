//! The details of one document: its attempts, its text, its earlier texts.

use crate::domain::document::DocumentRow;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::word_enum::word_enum;
use crate::store::StoredVersion;
use crate::tui::text::lines::broken;
use crate::tui::views::detail::difference::{self, Compared, DifferenceData, HeldSeen, Row};

word_enum! {
    /// A tab of the details.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Tab {
        /// The attempts, newest first.
        #[default]
        Attempts = "attempts",
        /// The stored text.
        Content = "content",
        /// What a held text would change; without one, what replaced an earlier text.
        Changes = "changes",
        /// The earlier texts.
        Versions = "versions",
    }
}

impl Tab {
    /// The next, or the one before.
    pub fn step(self, forward: bool) -> Self {
        let place = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(place + if forward { 1 } else { len - 1 }) % len]
    }
}

/// All that the details show of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailData {
    /// Its row.
    pub row: DocumentRow,
    /// Its newest outcomes, newest first.
    pub outcomes: Vec<Outcome>,
    /// Its text, safe for a terminal, by lines.
    pub content: Vec<String>,
    /// How many times content was written.
    pub version: Option<u64>,
    /// Its earlier contents, newest first.
    pub versions: Vec<StoredVersion>,
    /// The text that waits for a person, without itself.
    pub held: Option<HeldSeen>,
    /// The number of the reading, so that its text is broken into lines once.
    pub reading: u64,
}

impl DetailData {
    /// Whether nothing on the screen is another by it.
    pub fn says_the_same(&self, other: &Self) -> bool {
        let Self { row, outcomes, content, version, versions, held, reading: _ } = self;
        (row, version, held) == (&other.row, &other.version, &other.held)
            && (outcomes, content, versions) == (&other.outcomes, &other.content, &other.versions)
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
