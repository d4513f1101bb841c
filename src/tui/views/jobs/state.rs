//! State of the jobs view: its sections, their lines, and the cursor.

use crate::domain::document::Status;
use crate::domain::id::JobId;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::variant_list;
use crate::store::{JobProgress, JobSummary, JobsPage};
use crate::tui::table::state::{REFRESH_INTERVAL, RowSpan, TableData, TableState};
use std::time::Duration;

variant_list! {
    /// A section of the jobs view, by the state of its jobs.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Section {
        Running,
        /// Ready to run, in the order in which workers claim them if nothing blocks them.
        Ready,
        /// Due at a later time.
        Waiting,
        /// Ended recently.
        Recent,
    }
}

impl Section {
    /// Returns the section's jobs in `page`.
    pub fn rows(self, page: &JobsPage) -> &[JobSummary] {
        match self {
            Self::Running => &page.running,
            Self::Ready => &page.ready,
            Self::Waiting => &page.waiting,
            Self::Recent => &page.recent,
        }
    }

    /// Returns the number of jobs in the section, including those that were not read. For ended jobs, returns the
    /// number of those that were read, since the store does not count all of them.
    pub fn total(self, page: &JobsPage) -> u64 {
        match self {
            Self::Running => page.running_total,
            Self::Ready => page.ready_total,
            Self::Waiting => page.waiting_total,
            Self::Recent => page.recent.len() as u64,
        }
    }
}

/// A line of the jobs view: a heading, a job, or the number of further jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobLine<'a> {
    Heading(Section),
    Job(&'a JobSummary),
    /// Number of further jobs in the section, which were not read.
    More(u64),
}

/// The table behind the jobs view.
pub type JobsTable = TableState<JobsPage>;

impl TableData for JobsPage {
    type Key = JobId;
    // A read is cheap: it reads only the rows that the sections show, and their totals.
    const MIN_READ_INTERVAL: Duration = Duration::ZERO;

    fn keys(&self) -> Vec<JobId> {
        Section::ALL.into_iter().flat_map(|section| section.rows(self)).map(|summary| summary.job).collect()
    }

    fn rows(&self) -> usize {
        Section::ALL.into_iter().map(|section| section.rows(self).len()).sum()
    }

    /// Returns the position of the row at `index`. For the first row of a section, the section's heading has to be
    /// visible too.
    fn span(&self, index: usize) -> Option<RowSpan> {
        let lines = lines(self);
        let mut rows = lines.iter().enumerate().filter(|(_, line)| matches!(line, JobLine::Job(_)));
        let (last, _) = rows.nth(index)?;
        let before = last.saturating_sub(1);
        let first = if matches!(lines.get(before), Some(JobLine::Heading(_))) { before } else { last };
        Some(RowSpan { first, last, total: lines.len() })
    }

    /// Returns the time after a short interval while a job runs, since heartbeats arrive, leases expire and workers die
    /// without a commit; else the end of the next back-off for which a ready job waits.
    fn changes_at(&self, read_at: Timestamp) -> Option<Timestamp> {
        if !self.running.is_empty() {
            return Some(read_at.plus(REFRESH_INTERVAL));
        }
        let backoffs = self.ready.iter().filter_map(|job| match &job.progress {
            JobProgress::Ready { blockers, .. } => blockers.host_backoff_until,
            _ => None,
        });
        backoffs.filter(|until| *until > read_at).min()
    }
}

impl JobsTable {
    /// Returns every line of the view; a section without jobs has no line.
    pub fn lines(&self) -> Vec<JobLine<'_>> {
        lines(&self.data)
    }

    /// Returns the job under the cursor.
    pub fn row(&self) -> Option<&JobSummary> {
        Section::ALL.into_iter().flat_map(|section| section.rows(&self.data)).nth(self.cursor_index)
    }
}

fn lines(page: &JobsPage) -> Vec<JobLine<'_>> {
    let mut lines = Vec::new();
    for section in Section::ALL {
        let jobs = section.rows(page);
        if jobs.is_empty() {
            continue;
        }
        lines.push(JobLine::Heading(section));
        lines.extend(jobs.iter().map(JobLine::Job));
        let more = section.total(page).saturating_sub(jobs.len() as u64);
        lines.extend((more > 0).then_some(JobLine::More(more)));
    }
    lines
}

/// Returns the document's status that follows from the progress of its job. Returns `None` for an ended job, since the
/// status is then only in the row of the document.
pub fn status(progress: &JobProgress) -> Option<Status> {
    match progress {
        JobProgress::Running { .. } => Some(Status::Syncing),
        JobProgress::Ready { .. } => Some(Status::Queued),
        JobProgress::Waiting { .. } => Some(Status::Waiting),
        JobProgress::Ended { .. } => None,
    }
}
