//! The peek pane under the list: the row under the cursor in sentences. Its height never changes with the row.

use super::footer::{Place, toast};
use super::paint::{Canvas, Frame, Look};
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::say::{Words, peek, words};
use crate::tui::theme::Tone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let look = Look::of(model);
    let foot = toast(model, area, Place::Peek);
    let Some(row) = model.documents.row() else {
        let border = look.theme.border(false);
        Frame { title: &[], aside: &[], foot: &foot, border }.draw(area, buf, look);
        return;
    };
    let name = if row.name.is_empty() { row.url.to_string() } else { row.name.to_string() };
    let title = vec![words(name, Tone::Strong)];
    let dot = look.glyphs.dot;
    let ids = format!("document {} {dot} account {} {dot} assistant {}", row.id, row.account_id, row.assistant_id);
    let aside = vec![words(ids, Tone::Dim)];
    Frame { title: &title, aside: &aside, foot: &foot, border: look.theme.border(false) }.draw(area, buf, look);
    let inner = inside(area);
    let lines: Vec<Words> = if inner.height >= 5 {
        let mut next = vec![words("  ", Tone::Plain)];
        next.extend(peek::next(model, row));
        vec![
            vec![words(row.url.to_string(), Tone::Plain)],
            peek::happened(model, row),
            next,
            Vec::new(),
            peek::history(model, row),
        ]
    } else {
        let mut second = peek::strip(model, row);
        if !second.is_empty() {
            second.push(words("  ", Tone::Plain));
        }
        second.extend(peek::next(model, row));
        vec![peek::happened(model, row), second]
    };
    let mut canvas = Canvas::new(buf, inner);
    for (y, line) in lines.iter().enumerate() {
        canvas.words(1, y as u16, inner.width.saturating_sub(2), line, look);
    }
    if model.stale.is_some() {
        for y in 0..inner.height {
            canvas.restyle(0, y, inner.width, look.theme.behind());
        }
    }
}
