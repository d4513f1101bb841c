//! The jobs view: sections, the lines that they make, and the cursor in them.

use crate::domain::document::Status;
use crate::domain::id::JobId;
use crate::domain::word_enum::variant_list;
use crate::store::{JobPlace, JobSeen, JobsPage};
use crate::tui::table::state::{RowSpan, Table, TableData};
use std::time::Duration;

variant_list! {
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
}

impl Section {
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
pub type Jobs = Table<JobsPage>;

impl TableData for JobsPage {
    type Key = JobId;
    // The reading costs no more than the sections' rows.
    const PACE: Duration = Duration::ZERO;

    fn keys(&self) -> Vec<JobId> {
        Section::ALL.into_iter().flat_map(|section| section.of(self)).map(|seen| seen.job).collect()
    }

    fn rows(&self) -> usize {
        Section::ALL.into_iter().map(|section| section.of(self).len()).sum()
    }

    /// With its section's heading when it is the first row there.
    fn span(&self, place: usize) -> Option<RowSpan> {
        let lines = lines(self);
        let mut rows = lines.iter().enumerate().filter(|(_, line)| matches!(line, Line::Job(_)));
        let (last, _) = rows.nth(place)?;
        let before = last.saturating_sub(1);
        let first = if matches!(lines.get(before), Some(Line::Heading(_))) { before } else { last };
        Some(RowSpan { first, last, of: lines.len() })
    }

    /// Hearts beat, leases run out and workers die without a commit.
    fn moves(&self) -> bool {
        !self.running.is_empty()
    }
}

impl Jobs {
    /// Every line, sections without jobs left out.
    pub fn lines(&self) -> Vec<Line<'_>> {
        lines(&self.data)
    }

    /// The job under the cursor.
    pub fn row(&self) -> Option<&JobSeen> {
        Section::ALL.into_iter().flat_map(|section| section.of(&self.data)).nth(self.place)
    }
}

fn lines(page: &JobsPage) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for section in Section::ALL {
        let jobs = section.of(page);
        if jobs.is_empty() {
            continue;
        }
        lines.push(Line::Heading(section));
        lines.extend(jobs.iter().map(Line::Job));
        let more = section.total(page).saturating_sub(jobs.len() as u64);
        lines.extend((more > 0).then_some(Line::More(more)));
    }
    lines
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
