//! The outcome panel: oldest to newest, the newest at the bottom; time, glyph, name, and the cause under it.

use super::entry::Entry;
use super::state::Older;
use super::text::{aside, sign, title, tone, under};
use crate::domain::text::width;
use crate::format;
use crate::tui::glyphs::Glyphs;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::lines::clip;
use crate::tui::text::{Words, words};
use crate::tui::theme::{Look, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;

/// Cells before the glyph: the time, in seconds where there is room.
const fn time_cells(cells: u16) -> u16 {
    match cells {
        ..22 => 0,
        22..32 => 5,
        _ => 8,
    }
}

/// Where the name begins.
const fn name_at(cells: u16) -> u16 {
    let time = time_cells(cells);
    if time == 0 { 3 } else { 1 + time + 3 }
}

/// Where the cause begins: under the name, and where that would break every line in two, near the left end.
const fn under_at(cells: u16) -> u16 {
    if cells < 32 { 2 } else { name_at(cells) }
}

/// The room of a cause: to the right end.
fn room(cells: u16) -> usize {
    usize::from(cells.saturating_sub(under_at(cells)))
}

/// How many lines an entry takes in a panel of `cells` cells.
pub fn entry_height(entry: &Entry, glyphs: &Glyphs, cells: u16) -> usize {
    1 + under(entry, room(cells), glyphs.dot).len()
}

pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    if pane.area.is_empty() {
        return;
    }
    let look = model.look();
    let inner = inside(pane.area);
    let (head, right) = heading(model);
    Frame { title: &head, aside: &right, foot: &pane.toast, border: look.theme.border(pane.focused) }
        .draw(pane.area, buf, look);
    if model.panel.entries().is_empty() {
        let text = match (&model.panel.pin, model.panel.loaded) {
            (Some(pin), _) if pin.loaded => "no outcome of it yet",
            (None, true) => "no outcome yet",
            _ => "reading",
        };
        Canvas::new(buf, inner).text(1, 0, inner.width, text, look.theme.style(Tone::Dim));
        return;
    }
    // From the last entry on the screen upwards, as far as there is room.
    let bottom = model.panel.bottom.filter(|_| !model.panel.follows());
    let mut lines: Vec<(&Entry, u16, Vec<String>)> = Vec::new();
    let mut used: u16 = 0;
    let shown = model.panel.shown(model.now).rev();
    for entry in shown.skip_while(|entry| bottom.is_some_and(|bottom| entry.seq() > bottom)) {
        let under = under(entry, room(inner.width), look.glyphs.dot);
        used = used.saturating_add(1 + under.len() as u16);
        lines.push((entry, used, under));
        if used >= inner.height {
            break;
        }
    }
    if lines.is_empty() {
        Canvas::new(buf, inner).text(1, 0, inner.width, "no outcome matches the filter", look.theme.style(Tone::Dim));
        return;
    }
    let at_start = model.panel.older == Older::None || model.panel.pin.is_some();
    // A short log hangs from the top; a full one stands on the bottom.
    let base = if used < inner.height && at_start { used } else { inner.height };
    let mut canvas = Canvas::new(buf, inner);
    for (entry, above, under) in lines {
        draw_entry(model, entry, (i32::from(base) - i32::from(above), pane.focused), &under, &mut canvas, look);
    }
}

fn heading(model: &Model) -> (Words, Words) {
    let panel = &model.panel;
    let glyphs = &model.glyphs;
    let mut head = vec![words("outcomes", Tone::Strong)];
    if let Some(pin) = &panel.pin {
        head.push(words(format!(" of {}", pin.name), Tone::Plain));
    }
    let state = if panel.follows() {
        words(format!(" {} following", glyphs.on), Tone::Good)
    } else {
        match panel.new_since_hold(model.now) {
            0 => words(format!(" {} scrolled", glyphs.off), Tone::Waiting),
            new => words(format!(" {} {} new", glyphs.below, format::number(new)), Tone::Waiting),
        }
    };
    head.push(state);
    if !panel.filter_text.is_empty() {
        head.push(words(format!(" {}", panel.filter_text), Tone::Waiting));
    }
    if panel.hide_unchanged {
        head.push(words(format!(" -{}", glyphs.same), Tone::Dim));
    }
    let right = if panel.search.is_empty() {
        vec![words(format::number(u64::try_from(panel.newest.0).unwrap_or(0)), Tone::Dim)]
    } else {
        vec![words(format!("/{}", panel.search), Tone::Waiting)]
    };
    (head, right)
}

/// Draws an entry from line `y` on, of which the first may be above the panel.
fn draw_entry(
    model: &Model,
    entry: &Entry,
    (y, focused): (i32, bool),
    under: &[String],
    canvas: &mut Canvas<'_>,
    look: Look,
) {
    let cells = canvas.area.width;
    let (result, outcome) = (entry.result(), &entry.outcome);
    let tone = tone(outcome.content, result);
    let style = |tone| look.theme.style(tone);
    let needle = &model.panel.search;
    let name_at = name_at(cells);
    let time = time_cells(cells);
    if let Ok(y) = u16::try_from(y)
        && y < canvas.area.height
    {
        if time > 0 {
            let clock = outcome.at.clock(&model.zone());
            canvas.text(1, y, time, &clock, style(Tone::Dim));
        }
        canvas.text(name_at - 2, y, 1, sign(&look.glyphs, outcome.content, result), style(tone));
        let aside = aside(entry);
        let kept = if aside.is_empty() || cells < 30 { 0 } else { width(aside) as u16 + 1 };
        let room = cells.saturating_sub(name_at + 1 + kept);
        let quiet = entry.is_quiet() || tone == Tone::Dim;
        let name = clip(&title(entry), usize::from(room), look.glyphs.more);
        canvas.text(name_at, y, room, &name, style(if quiet { Tone::Dim } else { Tone::Plain }));
        found(&name, name_at, y, needle, canvas, look);
        if kept > 0 {
            canvas.right(cells - 1, y, aside, style(Tone::Dim));
        }
        if model.panel.cursor == Some(entry.seq()) {
            canvas.text(0, y, 1, look.glyphs.bar, look.theme.border(focused));
            if focused {
                canvas.restyle(1, y, cells.saturating_sub(1), look.theme.cursor());
            }
        }
    }
    for (line, text) in under.iter().enumerate() {
        let Ok(y) = u16::try_from(y + 1 + line as i32) else { continue };
        // What went well has said so by its glyph; its figures are quiet.
        let tone = if tone == Tone::Good { Tone::Dim } else { tone };
        let text = if look.glyphs.ascii { text.replace('…', look.glyphs.more) } else { text.clone() };
        let x = under_at(cells);
        canvas.text(x, y, cells.saturating_sub(x), &text, style(tone));
        found(&text, x, y, needle, canvas, look);
    }
}

/// Marks what is searched for.
fn found(text: &str, x: u16, y: u16, needle: &str, canvas: &mut Canvas<'_>, look: Look) {
    if needle.is_empty() {
        return;
    }
    let lower = text.to_lowercase();
    // Case folding that changes lengths would put the mark elsewhere.
    if lower.len() != text.len() {
        return;
    }
    for (start, part) in lower.match_indices(needle) {
        let before = width(text.get(..start).unwrap_or_default()) as u16;
        canvas.style(x + before, y, width(part) as u16, look.theme.found());
    }
}
