//! The jobs in sections: who runs them, why they wait, how they ended.

use super::paint::{Canvas, Frame, Look};
use crate::domain::text::width;
use crate::domain::time::age;
use crate::store::JobSeen;
use crate::tui::layout::inside;
use crate::tui::model::views::{Line, Section};
use crate::tui::model::{Focus, Model};
use crate::tui::say::figures::grouped;
use crate::tui::say::job::{heading, matters, middle, sign, time};
use crate::tui::say::row::clip;
use crate::tui::say::{Words, words};
use crate::tui::theme::Tone;
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

pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let look = Look::of(model);
    let focused = model.focus == Focus::Main;
    let title = title(model);
    let foot = super::footer::toast(model, area, super::footer::Place::List);
    Frame { title: &title, aside: &[], foot: &foot, border: look.theme.border(focused) }.draw(area, buf, look);
    let inner = inside(area);
    let columns = columns(inner.width);
    let lines = model.jobs.lines();
    if lines.is_empty() {
        return nothing(model, inner, buf, look);
    }
    let under = model.jobs.row().map(|seen| seen.job);
    let mut canvas = Canvas::new(buf, inner);
    for (line, y) in lines.into_iter().skip(model.jobs.top).zip(0..inner.height) {
        match line {
            Line::Heading(section) => draw_heading(model, section, &columns, y, &mut canvas, look),
            Line::Job(seen) => {
                draw_job(model, seen, &columns, y, &mut canvas, look);
                if under == Some(seen.job) {
                    canvas.text(0, y, 1, look.glyphs.bar, look.theme.border(focused));
                    if focused {
                        canvas.restyle(1, y, inner.width.saturating_sub(1), look.theme.cursor());
                    }
                } else if model.jobs.trouble.is_some() {
                    canvas.restyle(0, y, inner.width, look.theme.behind());
                }
            }
            Line::More(more) => {
                let said = format!("and {} more", grouped(more));
                canvas.text(columns.name.0, y, inner.width, &said, look.theme.style(Tone::Dim));
            }
        }
    }
}

fn title(model: &Model) -> Words {
    let jobs = &model.jobs;
    let mut title = vec![words("jobs", Tone::Strong)];
    match (&jobs.trouble, jobs.read_at) {
        (Some(trouble), Some(at)) => {
            title.push(words(format!("  data {} old: {trouble}", age(model.now.since(at))), Tone::Failed));
        }
        (Some(trouble), None) => title.push(words(format!("  {trouble}"), Tone::Failed)),
        (None, None) => title.push(words(" reading", Tone::Dim)),
        (None, Some(_)) => {
            let data = &jobs.data;
            let totals =
                [(data.running_total, "running"), (data.ready_total, "ready"), (data.waiting_total, "waiting")];
            for (total, word) in totals {
                title.push(words(format!(" {}", grouped(total)), Tone::Plain));
                title.push(words(format!(" {word}"), Tone::Dim));
            }
        }
    }
    title
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

fn nothing(model: &Model, inner: Rect, buf: &mut Buffer, look: Look) {
    let (said, tone) = match (&model.jobs.trouble, model.jobs.read_at) {
        (Some(trouble), _) => (trouble.to_string(), Tone::Failed),
        (None, None) => ("Reading the jobs".to_owned(), Tone::Dim),
        (None, Some(_)) => ("No job runs, waits or has ended.".to_owned(), Tone::Plain),
    };
    let said = clip(&said, usize::from(inner.width), look.glyphs.more);
    let x = inner.width.saturating_sub(width(&said) as u16) / 2;
    Canvas::new(buf, inner).text(x, inner.height / 2, inner.width, &said, look.theme.style(tone));
}
