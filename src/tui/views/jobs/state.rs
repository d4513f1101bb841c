//! State of the jobs view: its sections, their lines, and the cursor.

use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobs};
use crate::domain::document::Status;
use crate::domain::id::JobId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::variant_list;
use crate::store::{JobProgress, JobSummary, JobsPage};
use crate::tui::table::order::{ChosenOrder, ColumnOrder, directed, largest_first};
use crate::tui::table::state::{REFRESH_INTERVAL, RowSpan, TableData, TableState};
use std::ops::Deref;
use std::time::Duration;

/// Maximum number of Chatwoot's jobs that are shown.
const MAX_CHATWOOT_ROWS: usize = 200;
/// Time after which the first read of Chatwoot's jobs should have a result.
const FIRST_READ: Duration = Duration::from_millis(500);

/// The jobs of the store and, on a database of Chatwoot, those of Chatwoot's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JobsData {
    pub page: JobsPage,
    /// `None` without Chatwoot's database and its Redis.
    pub chatwoot: Option<ChatwootJobs>,
}

impl From<JobsPage> for JobsData {
    fn from(page: JobsPage) -> Self {
        Self { page, chatwoot: None }
    }
}

impl Deref for JobsData {
    type Target = JobsPage;

    fn deref(&self) -> &JobsPage {
        &self.page
    }
}

/// The identity of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JobKey {
    Own(JobId),
    /// Chatwoot's own id of its job.
    Chatwoot(SafeLine),
}

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
    /// Heading of Chatwoot's jobs.
    ChatwootHeading(&'a ChatwootJobs),
    ChatwootJob(&'a ChatwootJob),
    /// Number of further jobs in the section, which were not read.
    More(u64),
}

/// The table behind the jobs view.
pub type JobsTable = TableState<JobsData>;

impl JobLine<'_> {
    /// Returns the identity of a row; `None` for the other lines.
    pub fn key(&self) -> Option<JobKey> {
        match self {
            Self::Job(summary) => Some(JobKey::Own(summary.job)),
            Self::ChatwootJob(job) => Some(JobKey::Chatwoot(job.jid.clone())),
            Self::Heading(_) | Self::ChatwootHeading(_) | Self::More(_) => None,
        }
    }
}

impl TableData for JobsData {
    type Key = JobKey;
    // A read is cheap: it reads only the rows that the sections show, and their totals.
    const MIN_READ_INTERVAL: Duration = Duration::ZERO;

    fn keys(&self) -> Vec<JobKey> {
        lines(self).iter().filter_map(JobLine::key).collect()
    }

    fn rows(&self) -> usize {
        let own: usize = Section::ALL.into_iter().map(|section| section.rows(self).len()).sum();
        own + self.chatwoot.as_ref().map_or(0, |chatwoot| chatwoot.jobs.len().min(MAX_CHATWOOT_ROWS))
    }

    fn orders() -> Vec<(char, &'static str)> {
        ORDERS.iter().map(|order| (order.letter, order.heading)).collect()
    }

    /// Sorts the jobs of each section.
    fn sort(&mut self, by: ChosenOrder) {
        let Some(order) = ORDERS.iter().find(|order| order.letter == by.letter) else { return };
        let JobsPage { running, ready, waiting, recent, .. } = &mut self.page;
        for jobs in [running, ready, waiting, recent] {
            jobs.sort_by(|a, b| directed((order.compare)(a, b), by));
        }
    }

    /// Returns the position of the row at `index`. For the first row of a section, the section's heading has to be
    /// visible too.
    fn span(&self, index: usize) -> Option<RowSpan> {
        let lines = lines(self);
        let mut rows = lines.iter().enumerate().filter(|(_, line)| line.key().is_some());
        let (last, _) = rows.nth(index)?;
        let before = last.saturating_sub(1);
        let is_heading = |line: &JobLine<'_>| matches!(line, JobLine::Heading(_) | JobLine::ChatwootHeading(_));
        let first = if lines.get(before).is_some_and(is_heading) { before } else { last };
        Some(RowSpan { first, last, total: lines.len() })
    }

    /// Returns the time after a short interval while a job runs, since heartbeats arrive, leases expire and workers die
    /// without a commit; else the end of the next back-off, or the opening of the
    /// next window, for which a ready job waits.
    fn changes_at(&self, read_at: Timestamp) -> Option<Timestamp> {
        let is_awaited = |chatwoot: &ChatwootJobs| chatwoot.read_at.is_none();
        if self.chatwoot.as_ref().is_some_and(is_awaited) {
            return Some(read_at.plus(FIRST_READ));
        }
        // Chatwoot commits nothing to this store.
        if !self.running.is_empty() || self.chatwoot.is_some() {
            return Some(read_at.plus(REFRESH_INTERVAL));
        }
        let backoffs = self.ready.iter().filter_map(|job| match &job.progress {
            JobProgress::Ready { blockers, .. } => Some(blockers),
            _ => None,
        });
        let ends = backoffs
            .flat_map(|blockers| [blockers.host_backoff_until, blockers.window.as_ref().map(|window| window.opens_at)]);
        ends.flatten().filter(|until| *until > read_at).min()
    }
}

/// The orders of the jobs in each section. The usual one is that of the section, such as the next job first.
const ORDERS: [ColumnOrder<JobSummary>; 5] = [
    ColumnOrder { letter: 'd', heading: "document", compare: |a, b| a.name.cmp(&b.name) },
    ColumnOrder { letter: 'h', heading: "host", compare: |a, b| a.host.cmp(&b.host) },
    ColumnOrder { letter: 'a', heading: "account", compare: |a, b| a.account.cmp(&b.account) },
    ColumnOrder { letter: 'n', heading: "number of attempts", compare: |a, b| largest_first(a.attempt, b.attempt) },
    ColumnOrder { letter: 't', heading: "time", compare: |a, b| largest_first(time(a), time(b)) },
];

/// Returns the start of a running job, the time from which one is due, or the end of an ended one.
fn time(summary: &JobSummary) -> Option<Timestamp> {
    match &summary.progress {
        JobProgress::Running { started_at, .. } => *started_at,
        JobProgress::Ready { since: at, .. }
        | JobProgress::Waiting { run_at: at, .. }
        | JobProgress::Ended { at, .. } => Some(*at),
    }
}

impl JobsTable {
    /// Returns every line of the view; a section without jobs has no line.
    pub fn lines(&self) -> Vec<JobLine<'_>> {
        lines(&self.data)
    }

    /// Returns the job of the store under the cursor.
    pub fn row(&self) -> Option<&JobSummary> {
        match self.line()? {
            JobLine::Job(summary) => Some(summary),
            _ => None,
        }
    }

    /// Returns the job of Chatwoot under the cursor.
    pub fn chatwoot_row(&self) -> Option<&ChatwootJob> {
        match self.line()? {
            JobLine::ChatwootJob(job) => Some(job),
            _ => None,
        }
    }

    fn line(&self) -> Option<JobLine<'_>> {
        self.lines().into_iter().filter(|line| line.key().is_some()).nth(self.cursor_index)
    }
}

fn lines(data: &JobsData) -> Vec<JobLine<'_>> {
    let mut lines = Vec::new();
    for section in Section::ALL {
        if section == Section::Recent {
            chatwoot_lines(data, &mut lines);
        }
        let jobs = section.rows(data);
        if jobs.is_empty() {
            continue;
        }
        lines.push(JobLine::Heading(section));
        lines.extend(jobs.iter().map(JobLine::Job));
        let more = section.total(data).saturating_sub(jobs.len() as u64);
        lines.extend((more > 0).then_some(JobLine::More(more)));
    }
    lines
}

/// Appends Chatwoot's section, unless there is nothing to say.
fn chatwoot_lines<'a>(data: &'a JobsData, lines: &mut Vec<JobLine<'a>>) {
    let Some(chatwoot) = &data.chatwoot else { return };
    if chatwoot.jobs.is_empty() && chatwoot.problem.is_none() && chatwoot.next_schedule.is_none() {
        return;
    }
    lines.push(JobLine::ChatwootHeading(chatwoot));
    lines.extend(chatwoot.jobs.iter().take(MAX_CHATWOOT_ROWS).map(JobLine::ChatwootJob));
    let more = chatwoot.jobs.len().saturating_sub(MAX_CHATWOOT_ROWS) as u64;
    lines.extend((more > 0).then_some(JobLine::More(more)));
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
