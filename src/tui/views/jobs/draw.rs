//! The jobs in sections: who runs them, why they wait, how they ended.

use crate::store::JobSeen;
use crate::tui::model::Model;
use crate::tui::say::figures::grouped;
use crate::tui::table::draw::{Face, finish_row, frame, total};
use crate::tui::text::Words;
use crate::tui::theme::Tone;
use crate::tui::views::documents::text::clip;
use crate::tui::views::jobs::state::{Line, Section};
use crate::tui::views::jobs::text::{heading, matters, middle, sign, time};
use crate::tui::widgets::canvas::{Canvas, Look};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// From here on the column before the last has room.
const MIDDLE_FROM: u16 = 60;

/// Where the columns begin and how wide they are.
struct Columns {
    name: (u16, u16),
    matters: (u16, u16),
    middle: Option<u16>,
    end: u16,
}

/// The columns of a view of `cells` cells.
const fn columns(cells: u16) -> Columns {
    let end = cells.saturating_sub(1);
    let (middle, text_end) = if cells >= MIDDLE_FROM {
        (Some(end.saturating_sub(9)), end.saturating_sub(16))
    } else {
        (None, end.saturating_sub(8))
    };
    let text = text_end.saturating_sub(6);
    let name = text * 9 / 20;
    Columns { name: (5, name), matters: (5 + name + 1, text - name), middle, end }
}

pub(in crate::tui) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = Look::of(model);
    let jobs = &model.jobs;
    let face =
        Face { name: "jobs", totals: totals(model), none: "No job runs, waits or has ended.", foot: Words::new() };
    let Some(mut canvas) = frame(model, jobs, face, area, buf) else { return };
    let (cells, height) = (canvas.area.width, canvas.area.height);
    let columns = columns(cells);
    let under = jobs.row().map(|seen| seen.job);
    for (line, y) in jobs.lines().into_iter().skip(jobs.top).zip(0..height) {
        match line {
            Line::Heading(section) => draw_heading(model, section, &columns, y, &mut canvas, look),
            Line::Job(seen) => {
                draw_job(model, seen, &columns, y, &mut canvas, look);
                finish_row(model, jobs, under == Some(seen.job), y, &mut canvas, look);
            }
            Line::More(more) => {
                let said = format!("and {} more", grouped(more));
                canvas.text(columns.name.0, y, cells, &said, look.theme.style(Tone::Dim));
            }
        }
    }
}

fn totals(model: &Model) -> Words {
    let data = &model.jobs.data;
    let totals = [(data.running_total, "running"), (data.ready_total, "ready"), (data.waiting_total, "waiting")];
    totals.into_iter().flat_map(|(number, word)| total(number, word)).collect()
}

fn draw_heading(model: &Model, section: Section, columns: &Columns, y: u16, canvas: &mut Canvas<'_>, look: Look) {
    let (word, middle, last) = heading(section);
    let x = canvas.text(1, y, 12, word, look.theme.style(Tone::Strong));
    if section != Section::Recent {
        let total = format!(" {}", grouped(section.total(&model.jobs.data)));
        canvas.text(x, y, 12, &total, look.theme.style(Tone::Plain));
    }
    let dim = look.theme.style(Tone::Dim);
    if let Some(end) = columns.middle {
        canvas.right(end, y, middle, dim);
    }
    canvas.right(columns.end, y, last, dim);
}

fn draw_job(model: &Model, seen: &JobSeen, columns: &Columns, y: u16, canvas: &mut Canvas<'_>, look: Look) {
    let style = |tone| look.theme.style(tone);
    let (glyph, tone) = sign(model, seen);
    canvas.text(3, y, 1, glyph, style(tone));
    let name = clip(&seen.name, usize::from(columns.name.1), look.glyphs.more);
    canvas.text(columns.name.0, y, columns.name.1, &name, style(Tone::Plain));
    canvas.words(columns.matters.0, y, columns.matters.1, &matters(model, seen), look);
    if let Some(end) = columns.middle {
        canvas.right(end, y, &middle(model, seen), style(Tone::Dim));
    }
    let (text, tone) = time(model, seen);
    canvas.right(columns.end, y, &text, style(tone));
}
