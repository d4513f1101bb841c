//! Drawing of the jobs view: sections of jobs, each with its own heading.

use super::chatwoot;
use super::state::{JobLine, Section};
use super::text::{heading, heartbeat, last_column, middle_column, sign, status_detail};
use crate::format;
use crate::store::JobSummary;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, PositionedColumn, TableColumn};
use crate::tui::table::draw::{PaneHeader, frame, labelled_total, style_row};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use ratatui::buffer::Buffer;

/// Smallest width inside the pane's frame, in cells, at which the column before the last is shown.
pub(super) const MIDDLE_COLUMN_MIN_WIDTH: u16 = 60;

/// Smallest width inside the pane's frame, in cells, at which the age of a worker's heartbeat is shown.
const HEARTBEAT_MIN_WIDTH: u16 = 100;

type JobColumn = TableColumn<JobSummary>;

/// The columns of every section. They have no heading here, because each section draws its own.
static COLUMNS: Columns<JobSummary> = Columns {
    columns: &[
        JobColumn::left("", 1, |model, summary, _| {
            let (glyph, tone) = sign(model, summary);
            vec![span(glyph, tone)]
        })
        .gap(3),
        JobColumn::text("", |model, summary, cells| {
            vec![span(clip(&summary.name, usize::from(cells), model.glyphs.ellipsis), Tone::Plain)]
        }),
        JobColumn::text("", |model, summary, _| status_detail(model, summary)),
        JobColumn::right("", 9, |model, summary, _| vec![span(heartbeat(model, summary), Tone::Dim)])
            .within(HEARTBEAT_MIN_WIDTH..u16::MAX),
        JobColumn::right("", 7, |model, summary, _| vec![span(middle_column(model, summary), Tone::Dim)])
            .within(MIDDLE_COLUMN_MIN_WIDTH..u16::MAX),
        JobColumn::right("", 8, last_cell).within(0..MIDDLE_COLUMN_MIN_WIDTH),
        JobColumn::right("", 9, last_cell).within(MIDDLE_COLUMN_MIN_WIDTH..u16::MAX),
    ],
    margin: 1,
    min_text: 0,
    text_widths: |text| [text * 9 / 20, text - text * 9 / 20],
};

fn last_cell(model: &Model, summary: &JobSummary, _: u16) -> Spans {
    let (text, tone) = last_column(model, summary);
    vec![span(text, tone)]
}

/// Draws the jobs view with its frame; headings and rows scroll together.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let appearance = model.appearance();
    let jobs = &model.views.jobs;
    let empty_text = "No running, waiting or ended jobs.";
    let header = PaneHeader { name: "jobs", totals: totals(model), empty_text, foot: Spans::new() };
    let Some(mut canvas) = frame(model, jobs, header, pane, buf) else { return };
    let columns = COLUMNS.layout(canvas.area.width);
    let under = jobs.cursor.as_ref();
    for (line, y) in jobs.lines().into_iter().skip(jobs.top).zip(0..canvas.area.height) {
        let is_under = line.key().is_some_and(|key| under == Some(&key));
        match line {
            JobLine::ChatwootHeading(jobs) => chatwoot::draw_heading(model, jobs, y, &mut canvas, appearance),
            JobLine::ChatwootJob(job) => {
                chatwoot::draw(model, job, y, &mut canvas, appearance);
                style_row(pane.focused, is_under, jobs.read_error.is_some(), y, &mut canvas, appearance);
            }
            JobLine::Heading(section) => draw_heading(model, section, &columns, y, &mut canvas, appearance),
            JobLine::Job(summary) => {
                columns.iter().for_each(|column| column.draw(model, summary, y, &mut canvas, appearance));
                style_row(pane.focused, is_under, jobs.read_error.is_some(), y, &mut canvas, appearance);
            }
            JobLine::More(more) => {
                let text = format!("and {} more", format::number(more));
                let x = columns.iter().find(|column| column.is_text()).map_or(0, |column| column.x);
                canvas.text(x, y, canvas.area.width, &text, appearance.theme.style(Tone::Dim));
            }
        }
    }
}

fn totals(model: &Model) -> Spans {
    let data = &model.views.jobs.data;
    let totals = [(data.running_total, "running"), (data.ready_total, "ready"), (data.waiting_total, "waiting")];
    totals.into_iter().flat_map(|(number, word)| labelled_total(number, word)).collect()
}

fn draw_heading(
    model: &Model,
    section: Section,
    columns: &[PositionedColumn<JobSummary>],
    y: u16,
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let (word, others) = heading(section);
    let x = canvas.text(1, y, 12, word, appearance.theme.style(Tone::Strong));
    if section != Section::Recent {
        let total = format!(" {}", format::number(section.total(&model.views.jobs.data)));
        canvas.text(x, y, 12, &total, appearance.theme.style(Tone::Plain));
    }
    // A narrow pane does not have the column before the last, so its heading is not drawn.
    for (column, word) in columns.iter().rev().filter(|column| column.is_right()).zip(others) {
        canvas.right(column.end(), y, word, appearance.theme.style(Tone::Dim));
    }
}
