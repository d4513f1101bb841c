//! The workers view: each worker with its load and its health, and below it the documents that it syncs now, with the
//! host, the step and the time that each has taken.

mod draw;
pub mod state;

use super::selected::SelectedDocument;
use super::view::{Pane, View};
use crate::domain::document::Status;
use crate::domain::id::AccountId;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::JobProgress;
use crate::tui::model::Model;
use crate::tui::table::state::Rows;
use ratatui::buffer::Buffer;

/// The workers view, whose state is in `model.views.workers`.
pub struct WorkersView;

impl View for WorkersView {
    fn draw(&self, model: &Model, pane: Pane, buf: &mut Buffer) {
        draw::draw(model, &pane, buf);
    }

    fn rows<'m>(&self, model: &'m Model) -> Option<&'m dyn Rows> {
        Some(&model.views.workers)
    }

    fn rows_mut<'m>(&self, model: &'m mut Model) -> Option<&'m mut dyn Rows> {
        Some(&mut model.views.workers)
    }

    fn next_refresh(&self, model: &Model, lines: usize) -> Option<Timestamp> {
        let table = &model.views.workers;
        let shown = table.data.rows.iter().skip(table.top).take(lines);
        let ages = shown.filter_map(|line| match &line.job {
            None => Some(line.worker.heartbeat_at),
            Some(job) => match &job.progress {
                JobProgress::Running { started_at, .. } => *started_at,
                _ => None,
            },
        });
        ages.map(|at| format::age_changes_at(at, model.now)).min()
    }

    fn document(&self, model: &Model) -> Result<SelectedDocument, &'static str> {
        let line = model.views.workers.row().ok_or("there is no worker here")?;
        let job = line.job.as_ref().ok_or("this is a worker: go to one of its documents first")?;
        let row = model.documents.find(job.document);
        Ok(SelectedDocument {
            document: job.document,
            name: job.name.clone(),
            url: row.map(|row| row.url.clone()).unwrap_or_default(),
            status: Some(Status::Syncing),
            error: None,
        })
    }

    fn owners(&self, model: &Model) -> Option<(String, AccountId)> {
        let job = model.views.workers.row()?.job.as_ref()?;
        Some((job.host.to_string(), job.account))
    }
}
