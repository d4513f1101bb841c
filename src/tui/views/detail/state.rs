//! State of the details of one document: what was read, the active tab, the cursor and the scroll position.

use crate::domain::chatwoot_job::ChatwootJob;
use crate::domain::document::DocumentRow;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::word_enum;
use crate::store::StoredVersion;
use crate::tui::table::state::REFRESH_INTERVAL;
use crate::tui::text::lines::break_line;
use crate::tui::views::detail::difference::{self, Compared, DifferenceData, DifferenceRow, QuarantinedText};

word_enum! {
    /// A tab of the details; the word is its label.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Tab {
        #[default]
        Attempts = "attempts",
        Content = "content",
        /// The changes that the quarantined text would make, or the changes from an earlier text to its successor.
        Changes = "changes",
        Versions = "versions",
        /// The document as JSON.
        Record = "raw",
    }
}

impl Tab {
    /// Returns the tab after this one, or the tab before it if `forward` is false; the ends wrap around.
    pub fn step(self, forward: bool) -> Self {
        let index = Self::ALL.iter().position(|tab| *tab == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(index + if forward { 1 } else { len - 1 }) % len]
    }
}

/// The data of one read for the details of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetailData {
    pub row: DocumentRow,
    /// The document's newest outcomes, newest first.
    pub outcomes: Vec<Outcome>,
    /// The lines of the stored text, safe to print on a terminal.
    pub content: Vec<String>,
    /// Version number of the stored text, which grows by one with each new text; `None` if nothing is stored.
    pub version: Option<u64>,
    /// Earlier contents, newest first.
    pub versions: Vec<StoredVersion>,
    /// Facts about the quarantined text that waits for a person's decision, if there is one.
    pub quarantined: Option<QuarantinedText>,
    /// Chatwoot's own jobs for the document, the next one first.
    pub chatwoot_jobs: Vec<ChatwootJob>,
    /// The other documents of the host; `None` for a document without a host, and if they could not be counted.
    pub host_pages: Option<HostPages>,
    /// The document as the command line prints it in JSON, in lines.
    pub record: Vec<String>,
    /// Number of the read that first returned this text. The text is wrapped again only if this number or the width of
    /// the pane changes.
    pub read_id: u64,
}

impl DetailData {
    /// Returns true if `other` would be drawn in the same way: all fields but `read_id` are equal.
    pub fn displays_same(&self, other: &Self) -> bool {
        let Self {
            row,
            outcomes,
            content,
            version,
            versions,
            quarantined,
            chatwoot_jobs,
            host_pages,
            record,
            read_id: _,
        } = self;
        (row, version, quarantined, chatwoot_jobs)
            == (&other.row, &other.version, &other.quarantined, &other.chatwoot_jobs)
            && (outcomes, content, versions) == (&other.outcomes, &other.content, &other.versions)
            && (host_pages, record) == (&other.host_pages, &other.record)
    }
}

/// The other documents of a document's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostPages {
    pub documents: u64,
    /// Those of them that failed, wait for a retry, or are stuck.
    pub failing: u64,
}

/// The open details: the document, the data of the last read, and the state of the tabs.
#[derive(Clone, Debug)]
pub struct Detail {
    pub document: DocumentId,
    /// The document's name from the last read; before it, the name in the row from which the details were opened.
    pub name: SafeLine,
    /// Number of the newest read request; results of earlier requests are dropped.
    pub generation: u64,
    /// The newest request has no result yet.
    pub loading: bool,
    /// Time of the last successful read.
    pub read_at: Option<Timestamp>,
    /// Another read was requested while the newest request had no result, so that read follows the result.
    pub reread_needed: bool,
    /// The data of the last successful read; `None` until the first one.
    pub data: Option<Box<DetailData>>,
    /// The document was removed.
    pub gone: bool,
    pub tab: Tab,
    /// The attempt under the cursor; `None` if the cursor is on the newest one.
    pub attempt: Option<Seq>,
    /// The first visible line of the tab; in the tab of versions, the index of the version under the cursor. The tab of
    /// attempts does not use it.
    pub scroll: usize,
    /// The version that is compared with its successor. If `None`, the quarantined text is compared with the stored
    /// text; without a quarantined text, the newest earlier version is compared.
    pub version: Option<u64>,
    /// The comparison that is under way or has failed, with the number of its request; `None` otherwise.
    pub comparing: Option<(Compared, u64)>,
    /// The reason why the comparison in `comparing` failed; `None` if it has not failed.
    pub compare_error: Option<SafeLine>,
    /// The last difference that arrived, wrapped to the width of the pane.
    pub rows: Vec<DifferenceRow>,
    /// Width in cells and number of the request for which `rows` was made.
    rows_for: Option<(usize, u64)>,
    /// The stored text, wrapped to the width of the pane.
    pub wrapped: Vec<String>,
    /// Width in cells and number of the read for which `wrapped` was made.
    wrapped_for: Option<(usize, u64)>,
    /// The record, wrapped to the width of the pane.
    pub wrapped_record: Vec<String>,
}

impl Detail {
    /// Creates the details of a document whose first read, number `generation`, is under way.
    pub fn new(document: DocumentId, name: SafeLine, generation: u64) -> Self {
        Self {
            document,
            name,
            generation,
            loading: true,
            read_at: None,
            reread_needed: false,
            data: None,
            gone: false,
            tab: Tab::default(),
            attempt: None,
            scroll: 0,
            version: None,
            comparing: None,
            compare_error: None,
            rows: Vec::new(),
            rows_for: None,
            wrapped: Vec::new(),
            wrapped_for: None,
            wrapped_record: Vec::new(),
        }
    }

    /// Wraps the stored text to `width` cells, unless `wrapped` already has it in this width.
    pub fn wrap(&mut self, width: usize) {
        let Some(data) = &self.data else { return };
        let wanted = Some((width, data.read_id));
        if width == 0 || self.wrapped_for == wanted {
            return;
        }
        self.wrapped = wrapped(&data.content, width);
        self.wrapped_for = wanted;
        self.scroll = self.scroll.min(self.lines().saturating_sub(1));
    }

    /// Wraps the record to `width` cells. It is short.
    pub fn wrap_record(&mut self, width: usize) {
        if let Some(data) = self.data.as_ref().filter(|_| width > 0) {
            self.wrapped_record = wrapped(&data.record, width);
            self.scroll = self.scroll.min(self.lines().saturating_sub(1));
        }
    }

    /// Wraps the difference `data` to `width` cells, unless `rows` already has it in this width.
    pub fn wrap_difference(&mut self, data: &DifferenceData, width: usize) {
        let wanted = Some((width, data.read_id));
        if width > 0 && self.rows_for != wanted {
            self.rows = difference::rows(&data.difference, width);
            self.rows_for = wanted;
        }
    }

    /// Returns the pair of texts to compare. Returns `None` before the first read, if the document has fewer than two
    /// texts, or if the version to compare is no longer stored.
    pub fn compared(&self) -> Option<Compared> {
        let data = self.data.as_deref()?;
        let stored = data.version.unwrap_or(0);
        if let (None, Some(quarantined)) = (self.version, &data.quarantined) {
            return Some(Compared::Quarantined { fingerprint: quarantined.fingerprint.clone(), stored });
        }
        let index = match self.version {
            Some(version) => data.versions.iter().position(|kept| kept.version == version)?,
            None => 0,
        };
        let old = data.versions.get(index)?.version;
        let new = index.checked_sub(1).and_then(|newer| data.versions.get(newer)).map_or(stored, |kept| kept.version);
        Some(Compared::Versions { old, new })
    }

    /// Returns when the details are to be read again although nothing was committed: while Chatwoot has a job for the
    /// document, since Chatwoot commits nothing to this store.
    pub fn due_at(&self) -> Option<Timestamp> {
        let shows_job = self.data.as_ref().is_some_and(|data| !data.chatwoot_jobs.is_empty());
        self.read_at.filter(|_| shows_job && !self.loading).map(|at| at.plus(REFRESH_INTERVAL))
    }

    /// Returns the index of the attempt under the cursor, 0 for the newest.
    pub fn attempt_index(&self) -> usize {
        let Some(data) = &self.data else { return 0 };
        self.attempt.and_then(|seq| data.outcomes.iter().position(|outcome| outcome.seq == seq)).unwrap_or(0)
    }

    /// Returns the number of lines of the active tab. For the tab of changes, only the rows of the difference count.
    /// Before the first read it is 0.
    pub fn lines(&self) -> usize {
        match (&self.data, self.tab) {
            (None, _) => 0,
            (Some(data), Tab::Attempts) => data.outcomes.len(),
            (Some(_), Tab::Content) => self.wrapped.len(),
            (Some(_), Tab::Changes) => self.rows.len(),
            (Some(data), Tab::Versions) => data.versions.len(),
            (Some(_), Tab::Record) => self.wrapped_record.len(),
        }
    }
}

fn wrapped(lines: &[String], width: usize) -> Vec<String> {
    let parts =
        |line: &String| break_line(line, width).into_iter().map(|part| line[part].to_owned()).collect::<Vec<_>>();
    lines.iter().flat_map(parts).collect()
}
