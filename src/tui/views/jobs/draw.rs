//! Drawing of the jobs view: sections of jobs, each with its own heading.

use super::state::{Line, Section};
use super::text::{heading, matters, middle, sign, time};
use crate::format;
use crate::store::JobSeen;
use crate::tui::model::Model;
use crate::tui::table::columns::{Column, Columns, Placed};
use crate::tui::table::draw::{PaneHeader, finish_row, frame, total};
use crate::tui::text::lines::clip;
use crate::tui::text::{Words, words};
use crate::tui::theme::{Look, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use ratatui::buffer::Buffer;

/// Narrowest pane, in cells, that has the column before the last.
const MIDDLE_FROM: u16 = 60;

type JobColumn = Column<JobSeen>;

/// The columns of every section. They have no heading here, because each section draws its own.
static COLUMNS: Columns<JobSeen> = Columns {
    columns: &[
        JobColumn::left("", 1, |model, seen, _| {
            let (glyph, tone) = sign(model, seen);
            vec![words(glyph, tone)]
        })
        .gap(3),
        JobColumn::text("", |model, seen, cells| {
            vec![words(clip(&seen.name, usize::from(cells), model.glyphs.more), Tone::Plain)]
        }),
        JobColumn::text("", |model, seen, _| matters(model, seen)),
        JobColumn::right("", 7, |model, seen, _| vec![words(middle(model, seen), Tone::Dim)])
            .within(MIDDLE_FROM..u16::MAX),
        JobColumn::right("", 8, last).within(0..MIDDLE_FROM),
        JobColumn::right("", 9, last).within(MIDDLE_FROM..u16::MAX),
    ],
    margin: 1,
    least_text: 0,
    share: |text| [text * 9 / 20, text - text * 9 / 20],
};

fn last(model: &Model, seen: &JobSeen, _: u16) -> Words {
    let (text, tone) = time(model, seen);
    vec![words(text, tone)]
}

/// Draws the jobs view with its frame; headings and rows scroll together.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let look = model.look();
    let jobs = &model.views.jobs;
    let none = "No job runs, waits or has ended.";
    let header = PaneHeader { name: "jobs", totals: totals(model), none, foot: Words::new() };
    let Some(mut canvas) = frame(model, jobs, header, pane, buf) else { return };
    let columns = COLUMNS.place(canvas.area.width);
    let under = jobs.row().map(|seen| seen.job);
    for (line, y) in jobs.lines().into_iter().skip(jobs.top).zip(0..canvas.area.height) {
        match line {
            Line::Heading(section) => draw_heading(model, section, &columns, y, &mut canvas, look),
            Line::Job(seen) => {
                columns.iter().for_each(|column| column.draw(model, seen, y, &mut canvas, look));
                finish_row(pane.focused, under == Some(seen.job), jobs.trouble.is_some(), y, &mut canvas, look);
            }
            Line::More(more) => {
                let said = format!("and {} more", format::number(more));
                let x = columns.iter().find(|column| column.is_text()).map_or(0, |column| column.x);
                canvas.text(x, y, canvas.area.width, &said, look.theme.style(Tone::Dim));
            }
        }
    }
}

fn totals(model: &Model) -> Words {
    let data = &model.views.jobs.data;
    let totals = [(data.running_total, "running"), (data.ready_total, "ready"), (data.waiting_total, "waiting")];
    totals.into_iter().flat_map(|(number, word)| total(number, word)).collect()
}

fn draw_heading(
    model: &Model,
    section: Section,
    columns: &[Placed<JobSeen>],
    y: u16,
    canvas: &mut Canvas<'_>,
    look: Look,
) {
    let (word, middle, last) = heading(section);
    let x = canvas.text(1, y, 12, word, look.theme.style(Tone::Strong));
    if section != Section::Recent {
        let total = format!(" {}", format::number(section.total(&model.views.jobs.data)));
        canvas.text(x, y, 12, &total, look.theme.style(Tone::Plain));
    }
    // A narrow pane has no column before the last.
    for (column, word) in columns.iter().rev().filter(|column| column.is_right()).zip([last, middle]) {
        canvas.right(column.end(), y, word, look.theme.style(Tone::Dim));
    }
}
