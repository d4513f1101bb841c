//! The columns of the workers view, and the texts of its frame.

use super::state::WorkerLine;
use crate::format;
use crate::store::{JobProgress, JobSummary, WorkerHealth};
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::table::draw::PaneHeader;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use ratatui::buffer::Buffer;

type WorkerColumn = TableColumn<WorkerLine>;

static COLUMNS: Columns<WorkerLine> = Columns {
    columns: &[
        WorkerColumn::left("", 1, |model, line, _| sign(model, line)).gap(3),
        WorkerColumn::text("worker", name),
        WorkerColumn::text("doing", doing).gap(2),
        WorkerColumn::right("running", 9, |model, line, _| running_for(model, line)).rank(1),
        WorkerColumn::right("heartbeat", 11, |model, line, _| match line.job {
            None => vec![span(format::age(model.now.since(line.worker.heartbeat_at)), Tone::Dim)],
            Some(_) => Spans::new(),
        })
        .rank(2),
        WorkerColumn::right("up", 6, |model, line, _| match line.job {
            None => vec![span(format::age(model.now.since(line.worker.started_at)), Tone::Dim)],
            Some(_) => Spans::new(),
        })
        .rank(3),
    ],
    margin: 1,
    min_text: 24,
    text_widths: |text| [text / 2, text - text / 2],
};

fn sign(model: &Model, line: &WorkerLine) -> Spans {
    let glyphs = &model.glyphs;
    vec![match (&line.job, line.worker.health) {
        (Some(_), _) => span("", Tone::Plain),
        (None, WorkerHealth::Alive) => span(glyphs.on, Tone::Good),
        (None, WorkerHealth::Late) => span(glyphs.alarm, Tone::Waiting),
        (None, WorkerHealth::Gone) => span(glyphs.failed, Tone::Lost),
    }]
}

fn name(model: &Model, line: &WorkerLine, cells: u16) -> Spans {
    let cells = usize::from(cells);
    let more = model.glyphs.ellipsis;
    match &line.job {
        None => vec![span(clip(&line.worker.name, cells, more), Tone::Strong)],
        Some(job) => vec![
            span(format!("  {} ", model.glyphs.running), Tone::Running),
            span(clip(&job.name, cells.saturating_sub(4), more), Tone::Plain),
        ],
    }
}

/// Returns the load of a worker, or the step and host of a job.
fn doing(model: &Model, line: &WorkerLine, cells: u16) -> Spans {
    let worker = &line.worker;
    let Some(job) = &line.job else {
        let load = format!("{} of {} busy", worker.running, worker.capacity);
        let credentials = if worker.unfetchable.is_empty() { "" } else { ", credentials missing" };
        return match worker.health {
            WorkerHealth::Alive => vec![span(load, Tone::Plain), span(credentials, Tone::Waiting)],
            WorkerHealth::Late => vec![span("late: stuck or cut off", Tone::Waiting)],
            WorkerHealth::Gone => vec![span("dead: jobs are rescued", Tone::Lost)],
        };
    };
    let (step, tone) = step(model, job);
    let host = usize::from(cells).saturating_sub(step.len() + 1);
    vec![span(format!("{step} "), tone), span(clip(&job.host, host, model.glyphs.ellipsis), Tone::Dim)]
}

fn step(model: &Model, job: &JobSummary) -> (String, Tone) {
    match &job.progress {
        JobProgress::Running { cancelled_by: Some(by), .. } => (format!("stopping for {by}"), Tone::Waiting),
        JobProgress::Running { lease_until, .. } if lease_until.is_some_and(|at| at <= model.now) => {
            ("lease expired".to_owned(), Tone::Lost)
        }
        _ => match model.steps.get(&job.document) {
            Some(step) => (step.word().to_owned(), Tone::Running),
            None => ("running".to_owned(), Tone::Running),
        },
    }
}

fn running_for(model: &Model, line: &WorkerLine) -> Spans {
    match line.job.as_ref().map(|job| &job.progress) {
        Some(JobProgress::Running { started_at: Some(at), .. }) => {
            vec![span(format::age(model.now.since(*at)), Tone::Plain)]
        }
        _ => Spans::new(),
    }
}

/// Draws the workers view with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let totals = model.workers.totals();
    let busy = format!("  {} of {} slots busy", format::number(totals.busy), format::number(totals.slots));
    let header = PaneHeader {
        name: "workers",
        totals: vec![
            span(format!(" {}", format::number(model.views.workers.data.total)), Tone::Plain),
            span(busy, Tone::Dim),
        ],
        empty_text: "No worker runs jobs of this store: start one with \"quarterdeck work\".",
        foot: Spans::new(),
    };
    crate::tui::table::draw::draw(model, &model.views.workers, &COLUMNS, header, pane, buf);
}
