//! The jobs view: jobs in sections, with the worker that runs them, why they wait, or how they ended.

mod chatwoot;
mod draw;
pub mod state;
mod text;

pub use chatwoot::changes_at as chatwoot_job_changes_at;

use super::selected::SelectedDocument;
use super::view::{Pane, View};
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::JobProgress;
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use ratatui::buffer::Buffer;
use state::JobLine;

/// The jobs view, whose state is in `model.views.jobs`.
pub struct JobsView;

impl View for JobsView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.jobs)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.jobs)
    }

    /// Returns 0: the headings of the sections scroll with their rows.
    fn heading_lines(&self, _height: u16) -> u16 {
        0
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let jobs = &model.views.jobs;
        let shown = jobs.lines().into_iter().skip(jobs.top).take(lines);
        shown
            .filter_map(|line| match line {
                JobLine::Job(summary) => changes_at(&summary.progress, model.now),
                JobLine::ChatwootJob(job) => chatwoot::changes_at(job, model.now),
                JobLine::ChatwootHeading(jobs) => {
                    jobs.next_schedule.and_then(|at| format::countdown_changes_at(at, model.now))
                }
                JobLine::Heading(_) | JobLine::More(_) => None,
            })
            .min()
    }

    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str> {
        if let Some(job) = model.views.jobs.chatwoot_row() {
            let document = job.document.ok_or("this job of Chatwoot has no document yet")?;
            let row = model.documents.find(document);
            return Ok(SelectedDocument {
                document,
                name: job.name.clone().unwrap_or_default(),
                url: row.map(|row| row.url.clone()).unwrap_or_default(),
                status: row.map(|row| row.status),
                error: None,
            });
        }
        let summary = model.views.jobs.row().ok_or("there is no job here")?;
        let row = model.documents.find(summary.document);
        Ok(SelectedDocument {
            document: summary.document,
            name: summary.name.clone(),
            url: row.map(|row| row.url.clone()).unwrap_or_default(),
            status: state::status(&summary.progress).or(row.map(|row| row.status)),
            error: None,
        })
    }

    /// Returns the host and the account from the job, since the job's document may be outside the loaded rows of the
    /// list of documents.
    fn owners(&self, model: &Model) -> Option<(String, AccountId)> {
        model.views.jobs.row().map(|summary| (summary.host.to_string(), summary.account))
    }

    fn refusal(&self, model: &Model, action: Action) -> Option<&'static str> {
        match (action, model.views.jobs.row().map(|summary| &summary.progress)) {
            (Action::BreakLease, None) if model.views.jobs.chatwoot_row().is_some() => {
                Some("this is a job of Chatwoot's own, which is only shown here")
            }
            (Action::BreakLease, None) => Some("there is no job here"),
            (Action::BreakLease, Some(JobProgress::Running { .. })) => None,
            (Action::BreakLease, Some(_)) => Some("this job is not running: only a running one has a lease"),
            _ => None,
        }
    }
}

/// Returns the next time at which an age or a countdown of a job with this progress changes its text.
fn changes_at(progress: &JobProgress, now: Timestamp) -> Option<Timestamp> {
    match progress {
        JobProgress::Running { lease_until, heartbeat_at, .. } => {
            let lease = lease_until.and_then(|at| format::countdown_changes_at(at, now));
            lease.into_iter().chain(heartbeat_at.map(|at| format::age_changes_at(at, now))).min()
        }
        JobProgress::Ready { since, blockers } => {
            let backoff = blockers.host_backoff_until.and_then(|at| format::countdown_changes_at(at, now));
            backoff.into_iter().chain([format::age_changes_at(*since, now)]).min()
        }
        JobProgress::Waiting { run_at, .. } => format::countdown_changes_at(*run_at, now),
        JobProgress::Ended { at, .. } => Some(format::age_changes_at(*at, now)),
    }
}
