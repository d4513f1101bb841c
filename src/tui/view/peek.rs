//! The peek pane under the list: the row under the cursor in sentences. Its height never changes with the row.

use super::footer::{Place, toast};
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::state::Shown;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::views::documents::peek;
use crate::tui::views::{accounts, hosts};
use crate::tui::widgets::canvas::{Canvas, Frame, Look, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let look = Look::of(model);
    let foot = toast(model, area, Place::Peek);
    if let Some((title, aside, lines)) = group(model, inside(area)) {
        Frame { title: &title, aside: &aside, foot: &foot, border: look.theme.border(false) }.draw(area, buf, look);
        let mut canvas = Canvas::new(buf, inside(area));
        let room = canvas.area.width.saturating_sub(2);
        for (y, line) in lines.iter().enumerate() {
            canvas.words(1, y as u16, room, line, look);
        }
        return;
    }
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
        next.extend(peek::next(model, row, false));
        vec![
            vec![words(row.url.to_string(), Tone::Plain)],
            peek::happened(model, row),
            next,
            Vec::new(),
            peek::history(model, row),
        ]
    } else {
        vec![peek::happened(model, row), peek::next(model, row, true)]
    };
    let mut canvas = Canvas::new(buf, inner);
    let room = inner.width.saturating_sub(2);
    for (y, line) in lines.iter().enumerate() {
        canvas.words(1, y as u16, room, line, look);
    }
    let strip = peek::strip(model, row);
    if lines.len() == 2 && cells(&lines[0]) + cells(&strip) + 2 <= room {
        canvas.words(inner.width.saturating_sub(1 + cells(&strip)), 0, cells(&strip), &strip, look);
    }
    if model.stale.is_some() {
        for y in 0..inner.height {
            canvas.restyle(0, y, inner.width, look.theme.behind());
        }
    }
}

/// The host or the account under the cursor, where these are shown.
fn group(model: &Model, inner: Rect) -> Option<(Words, Words, Vec<Words>)> {
    match model.shown {
        Shown::Documents | Shown::Jobs => None,
        Shown::Hosts => model.hosts.row().map(|seen| hosts::draw::explained(model, seen, inner)),
        Shown::Accounts => model.accounts.row().map(|seen| accounts::draw::explained(model, seen, inner)),
    }
}
