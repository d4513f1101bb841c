//! The views beside the list of documents: which one is shown, and a table whose cursor belongs to what a row is about
//! and never to its number.

use crate::domain::document::Status;
use crate::domain::id::JobId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::{JobPlace, JobSeen, JobsPage};
use std::time::Duration;

/// How old a view may get while something in it moves that commits nothing: hearts, leases, a worker that dies.
pub const REFRESH: Duration = Duration::from_secs(5);

/// What has the main place on the screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Shown {
    /// The list of documents.
    #[default]
    Documents,
    /// The jobs in sections.
    Jobs,
}

impl Shown {
    /// Its name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Jobs => "jobs",
        }
    }
}

/// A view's rows as they were last read, and the cursor in them.
#[derive(Debug)]
pub struct Table<K, D> {
    /// What was read.
    pub data: D,
    /// What the cursor is on.
    pub cursor: Option<K>,
    /// The cursor's place among the rows.
    pub place: usize,
    /// The first line on the screen, headings counted.
    pub top: usize,
    /// A key was pressed: the cursor follows its row from now on, and rests on the first one before.
    pub chosen: bool,
    /// It is being read.
    pub asked: bool,
    /// Something was committed since.
    pub again: bool,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// Why it could not be read the last time.
    pub trouble: Option<SafeLine>,
}

impl<K, D: Default> Default for Table<K, D> {
    fn default() -> Self {
        Self {
            data: D::default(),
            cursor: None,
            place: 0,
            top: 0,
            chosen: false,
            asked: false,
            again: false,
            read_at: None,
            tried_at: None,
            trouble: None,
        }
    }
}

impl<K: Clone + PartialEq, D> Table<K, D> {
    /// Puts the cursor where its row is now; where that is gone, on the row that has taken its place.
    pub fn settle(&mut self, keys: &[K]) {
        let found = self.cursor.as_ref().filter(|_| self.chosen).and_then(|key| keys.iter().position(|k| k == key));
        let place = match found {
            Some(place) => place,
            None if self.chosen => self.place,
            None => 0,
        };
        self.go(place, keys);
    }

    /// Moves the cursor to a row.
    pub fn go(&mut self, place: usize, keys: &[K]) {
        self.place = place.min(keys.len().saturating_sub(1));
        self.cursor = keys.get(self.place).cloned();
    }

    /// Scrolls so that the lines from `first` to `last` are among the `height` on the screen, of `len` in all.
    pub fn show(&mut self, first: usize, last: usize, height: usize, len: usize) {
        if last >= self.top + height {
            self.top = (last + 1).saturating_sub(height);
        }
        self.top = self.top.min(first).min(len.saturating_sub(height));
    }
}

/// A section of the jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// A worker has them.
    Running,
    /// They wait for a slot, in the order in which they are claimed.
    Ready,
    /// They wait for a time.
    Waiting,
    /// They ended lately.
    Recent,
}

impl Section {
    /// In the order on the screen.
    pub const ALL: [Self; 4] = [Self::Running, Self::Ready, Self::Waiting, Self::Recent];

    /// Its rows.
    pub fn of(self, page: &JobsPage) -> &[JobSeen] {
        match self {
            Self::Running => &page.running,
            Self::Ready => &page.ready,
            Self::Waiting => &page.waiting,
            Self::Recent => &page.recent,
        }
    }

    /// How many there are in all; of those that ended nobody counts all.
    pub fn total(self, page: &JobsPage) -> u64 {
        match self {
            Self::Running => page.running_total,
            Self::Ready => page.ready_total,
            Self::Waiting => page.waiting_total,
            Self::Recent => page.recent.len() as u64,
        }
    }
}

/// A line of the jobs view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A section begins.
    Heading(Section),
    /// A job.
    Job(&'a JobSeen),
    /// So many more are in the section than were read.
    More(u64),
}

/// The jobs view.
pub type Jobs = Table<JobId, JobsPage>;

impl Jobs {
    /// Every line, sections without jobs left out.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut lines = Vec::new();
        for section in Section::ALL {
            let jobs = section.of(&self.data);
            if jobs.is_empty() {
                continue;
            }
            lines.push(Line::Heading(section));
            lines.extend(jobs.iter().map(Line::Job));
            let more = section.total(&self.data).saturating_sub(jobs.len() as u64);
            lines.extend((more > 0).then_some(Line::More(more)));
        }
        lines
    }

    /// The jobs in the order of their lines.
    pub fn keys(&self) -> Vec<JobId> {
        Section::ALL.into_iter().flat_map(|section| section.of(&self.data)).map(|seen| seen.job).collect()
    }

    /// The job under the cursor.
    pub fn row(&self) -> Option<&JobSeen> {
        Section::ALL.into_iter().flat_map(|section| section.of(&self.data)).nth(self.place)
    }

    /// Scrolls so that the cursor is among `height` lines, with its section's heading when it is the first row there.
    pub fn show_cursor(&mut self, height: usize) {
        let lines = self.lines();
        let len = lines.len();
        let mut rows = lines.iter().enumerate().filter(|(_, line)| matches!(line, Line::Job(_)));
        let Some((last, _)) = rows.nth(self.place) else {
            self.top = 0;
            return;
        };
        let before = last.saturating_sub(1);
        let first = if matches!(lines.get(before), Some(Line::Heading(_))) { before } else { last };
        self.show(first, last, height.max(1), len);
    }

    /// When it has to be read again although nothing was committed; never while nothing moves by itself.
    pub fn due_at(&self) -> Option<Timestamp> {
        let moves = !self.data.running.is_empty() || self.trouble.is_some();
        self.tried_at.filter(|_| moves && !self.asked).map(|at| at.plus(REFRESH))
    }
}

/// The status that a job's place gives its document; of one that ended the document has to say.
pub fn status(place: &JobPlace) -> Option<Status> {
    match place {
        JobPlace::Running { .. } => Some(Status::Syncing),
        JobPlace::Ready { .. } => Some(Status::Queued),
        JobPlace::Waiting { .. } => Some(Status::Waiting),
        JobPlace::Ended { .. } => None,
    }
}
