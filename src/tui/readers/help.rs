//! What is only read: the help, printed from the key table, and the activity list.

use crate::domain::text::width;
use crate::tui::keymap::help_groups;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::view::overlay::middle;
use crate::tui::views::documents::text::clip;
use crate::tui::views::outcomes::text::wrap;
use crate::tui::widgets::canvas::{Canvas, Frame, Look, clear};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The widest reader.
const WIDEST: u16 = 92;
/// Cells of the keys before their sentence, and where a sentence would be left with a third of the line.
const KEYS: usize = 14;
const FEW_KEYS: usize = 6;

/// How many lines the help has.
pub fn lines(model: &Model) -> usize {
    text(model).len()
}

/// Lines of a reader on a screen of `size` cells.
pub fn rows(size: (u16, u16)) -> usize {
    usize::from(place(size).height.saturating_sub(2))
}

/// Where a reader stands: with some air around it, or over all but the footer where there is none to give.
fn place(size: (u16, u16)) -> Rect {
    let body = Rect::new(0, 0, size.0, size.1.saturating_sub(1));
    middle(body, WIDEST, if size.0 > WIDEST { body.height.saturating_sub(2) } else { body.height })
}

/// Cells of a reader's line on a screen of `size` cells.
pub(in crate::tui) fn room(size: (u16, u16)) -> usize {
    usize::from(place(size).width.saturating_sub(4))
}

pub(in crate::tui) fn draw(model: &Model, scroll: usize, buf: &mut Buffer) {
    reader(model, "help", &text(model), scroll, buf);
}

/// The help, broken to the width of the reader.
fn text(model: &Model) -> Vec<Words> {
    let look = Look::of(model);
    let room = room(model.size);
    let column = if room < 56 { FEW_KEYS } else { KEYS };
    let room = room.saturating_sub(column + 4);
    let mut text: Vec<Words> = Vec::new();
    for (heading, bindings) in help_groups(look.glyphs.ascii) {
        if !text.is_empty() {
            text.push(Words::new());
        }
        text.push(vec![words(heading, Tone::Strong)]);
        for (keys, binding) in bindings {
            let (says, tone) = if binding.dangerous && model.options.read_only {
                (format!("{} (off: read-only)", binding.says), Tone::Dim)
            } else {
                (binding.says.to_owned(), Tone::Plain)
            };
            let under = " ".repeat(column + 4);
            let mut before = match column.checked_sub(width(&keys)) {
                Some(pad) => format!("  {keys}{}  ", " ".repeat(pad)),
                None => {
                    text.push(vec![words(format!("  {keys}"), Tone::Accent)]);
                    under.clone()
                }
            };
            for line in wrap(&says, room, 5) {
                text.push(vec![words(before, Tone::Accent), words(line, tone)]);
                before = under.clone();
            }
        }
    }
    text
}

pub(in crate::tui) fn activity(model: &Model, scroll: usize, buf: &mut Buffer) {
    let look = Look::of(model);
    let mut text: Vec<Words> = Vec::new();
    for notice in model.notices.activity() {
        let (sign, tone) = match notice.level {
            Level::Done => (look.glyphs.good, Tone::Good),
            Level::Refused => (look.glyphs.alarm, Tone::Waiting),
            Level::Failed => (look.glyphs.failed, Tone::Failed),
        };
        text.push(vec![
            words(format!("{} ", notice.at.clock(&model.zone())), Tone::Dim),
            words(format!("{sign} "), tone),
            words(notice.text.to_string(), if notice.level == Level::Failed { tone } else { Tone::Plain }),
        ]);
    }
    if text.is_empty() {
        text.push(vec![words("Nothing was asked for, refused or failed so far.", Tone::Dim)]);
    }
    reader(model, "activity, newest first", &text, scroll, buf);
}

pub(in crate::tui) fn reader(model: &Model, title: &str, text: &[Words], scroll: usize, buf: &mut Buffer) {
    let look = Look::of(model);
    let rows = rows(model.size);
    let area = place(model.size);
    clear(area, buf);
    let scroll = scroll.min(text.len().saturating_sub(rows));
    let below = text.len().saturating_sub(scroll + rows);
    let mut foot = Words::new();
    if below > 0 {
        foot.push(words(format!("{} {below} more lines, j goes down", look.glyphs.below), Tone::Dim));
    }
    let title = [words(clip(title, 40, look.glyphs.more), Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &foot, border: look.theme.border(true) }.draw(area, buf, look);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    for (y, line) in text.iter().skip(scroll).take(rows).enumerate() {
        canvas.words(1, y as u16, inner.width.saturating_sub(2), line, look);
    }
}
