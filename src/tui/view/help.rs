//! What is only read: the help, printed from the key table, and the activity list.

use super::overlay::middle;
use super::paint::{Canvas, Frame, Look, clear};
use crate::tui::keymap::help_groups;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::say::row::clip;
use crate::tui::say::{Words, words};
use crate::tui::theme::Tone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// How many lines the help has.
pub fn lines(ascii: bool) -> usize {
    help_groups(ascii).iter().map(|(_, rows)| rows.len() + 2).sum::<usize>().saturating_sub(1)
}

/// Lines of a reader on a screen of `height` lines.
pub const fn rows(height: usize) -> usize {
    height.saturating_sub(5)
}

pub(super) fn draw(model: &Model, scroll: usize, body: Rect, buf: &mut Buffer) {
    let look = Look::of(model);
    let mut text: Vec<Words> = Vec::new();
    for (heading, bindings) in help_groups(look.glyphs.ascii) {
        if !text.is_empty() {
            text.push(Words::new());
        }
        text.push(vec![words(heading, Tone::Strong)]);
        for (keys, binding) in bindings {
            let says = if binding.dangerous && model.options.read_only {
                words(format!("{} (off: read-only)", binding.says), Tone::Dim)
            } else {
                words(binding.says, Tone::Plain)
            };
            let pad = 14usize.saturating_sub(crate::domain::text::width(&keys));
            text.push(vec![words(format!("  {keys}{}  ", " ".repeat(pad)), Tone::Accent), says]);
        }
    }
    reader(model, "help", &text, scroll, body, buf);
}

pub(super) fn activity(model: &Model, scroll: usize, body: Rect, buf: &mut Buffer) {
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
    reader(model, "activity, newest first", &text, scroll, body, buf);
}

fn reader(model: &Model, title: &str, text: &[Words], scroll: usize, body: Rect, buf: &mut Buffer) {
    let look = Look::of(model);
    let rows = rows(usize::from(model.size.1));
    let area = middle(body, 92, body.height.saturating_sub(2));
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
