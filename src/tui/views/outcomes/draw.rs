//! Drawing of the outcome panel: the newest entry at the bottom. An entry has a line with time, glyph and name, and the
//! lines of the details below.

use super::entry::Entry;
use super::state::{Older, VisibleOutcomes};
use super::text::{aside, detail_lines, sign, title, tone};
use crate::domain::text::width;
use crate::format;
use crate::tui::glyphs::Glyphs;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;

/// Returns the width, in cells, of the time of day before the glyph in a panel of `cells` cells: with seconds in a wide
/// panel, without seconds in a narrower one, and 0 (no time) in the narrowest.
const fn time_cells(cells: u16) -> u16 {
    match cells {
        ..22 => 0,
        22..32 => 5,
        _ => 8,
    }
}

/// Returns the offset, in cells, of the document's name in a line of a panel of `cells` cells.
const fn name_x(cells: u16) -> u16 {
    let time = time_cells(cells);
    if time == 0 { 3 } else { 1 + time + 3 }
}

/// Returns the offset, in cells, of the details below the name. They are aligned with the name; in a narrow panel they
/// begin near the left edge, because most lines would wrap otherwise.
const fn detail_x(cells: u16) -> u16 {
    if cells < 32 { 2 } else { name_x(cells) }
}

/// Returns the width of the details, in cells, up to the right edge of a panel of `cells` cells.
fn detail_cells(cells: u16) -> usize {
    usize::from(cells.saturating_sub(detail_x(cells)))
}

/// Returns the number of lines of an entry in a panel of `cells` cells.
pub fn entry_height(entry: &Entry, glyphs: &Glyphs, cells: u16) -> usize {
    1 + detail_lines(entry, detail_cells(cells), glyphs.dot).len()
}

/// Draws the outcome panel with its frame; a message if there is no entry to show.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    if pane.area.is_empty() {
        return;
    }
    let appearance = model.appearance();
    let inner = inside(pane.area);
    let (head, right) = heading(model);
    Frame { title: &head, aside: &right, foot: &pane.toast, border: appearance.theme.border(pane.focused) }
        .draw(pane.area, buf, appearance);
    if model.panel.entries().is_empty() {
        let is_loaded = model.panel.pin.as_ref().map_or(model.panel.loaded, |pin| pin.loaded);
        let text = if is_loaded { "no outcomes yet" } else { "reading" };
        Canvas::new(buf, inner).text(1, 0, inner.width, text, appearance.theme.style(Tone::Dim));
        return;
    }
    // Collects entries from the last visible one upwards, until the panel is full.
    let bottom = model.panel.bottom.filter(|_| !model.panel.follows());
    let mut lines: Vec<(&Entry, u16, Vec<String>)> = Vec::new();
    let mut used: u16 = 0;
    let shown = model.panel.shown(model.now).rev();
    for entry in shown.skip_while(|entry| bottom.is_some_and(|bottom| entry.seq() > bottom)) {
        let under = detail_lines(entry, detail_cells(inner.width), appearance.glyphs.dot);
        used = used.saturating_add(1 + under.len() as u16);
        lines.push((entry, used, under));
        if used >= inner.height {
            break;
        }
    }
    if lines.is_empty() {
        Canvas::new(buf, inner).text(
            1,
            0,
            inner.width,
            "no outcome matches the filter",
            appearance.theme.style(Tone::Dim),
        );
        return;
    }
    let at_start = model.panel.older == Older::None || model.panel.pin.is_some();
    // A log shorter than the panel is aligned to the top, a longer one to the bottom.
    let base = if used < inner.height && at_start { used } else { inner.height };
    let mut canvas = Canvas::new(buf, inner);
    for (entry, above, under) in lines {
        draw_entry(model, entry, (i32::from(base) - i32::from(above), pane.focused), &under, &mut canvas, appearance);
    }
}

fn heading(model: &Model) -> (Spans, Spans) {
    let panel = &model.panel;
    let glyphs = &model.glyphs;
    // A narrow panel has room for one word.
    let name = if panel.visible == VisibleOutcomes::Failures { "failures" } else { "outcomes" };
    let mut head = vec![span(name, Tone::Strong)];
    if let Some(pin) = &panel.pin {
        head.push(span(format!(" of {}", pin.name), Tone::Plain));
    }
    let state = if panel.follows() {
        span(format!(" {} following", glyphs.on), Tone::Good)
    } else {
        match panel.new_since_scroll(model.now) {
            0 => span(format!(" {} scrolled", glyphs.off), Tone::Waiting),
            new => span(format!(" {} {} new", glyphs.below, format::number(new)), Tone::Waiting),
        }
    };
    head.push(state);
    if !panel.filter_text.is_empty() {
        head.push(span(format!(" {}", panel.filter_text), Tone::Waiting));
    }
    if panel.visible == VisibleOutcomes::Changes {
        head.push(span(" unchanged hidden", Tone::Dim));
    }
    let right = if panel.search.is_empty() {
        vec![span(format::number(u64::try_from(panel.newest.0).unwrap_or(0)), Tone::Dim)]
    } else {
        vec![span(format!("/{}", panel.search), Tone::Waiting)]
    };
    (head, right)
}

/// Draws an entry from line `y` on. `y` is negative if the entry begins above the panel.
fn draw_entry(
    model: &Model,
    entry: &Entry,
    (y, focused): (i32, bool),
    under: &[String],
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let cells = canvas.area.width;
    let (result, outcome) = (entry.result(), &entry.outcome);
    let tone = tone(outcome.content, result);
    let style = |tone| appearance.theme.style(tone);
    let needle = &model.panel.search;
    let name_at = name_x(cells);
    let time = time_cells(cells);
    if let Ok(y) = u16::try_from(y)
        && y < canvas.area.height
    {
        if time > 0 {
            let clock = outcome.at.clock(&model.zone());
            canvas.text(1, y, time, &clock, style(Tone::Dim));
        }
        canvas.text(name_at - 2, y, 1, sign(&appearance.glyphs, outcome.content, result), style(tone));
        let aside = aside(entry);
        let kept = if aside.is_empty() || cells < 30 { 0 } else { width(aside) as u16 + 1 };
        let available = cells.saturating_sub(name_at + 1 + kept);
        let quiet = entry.is_quiet() || tone == Tone::Dim;
        let name = clip(&title(entry), usize::from(available), appearance.glyphs.ellipsis);
        canvas.text(name_at, y, available, &name, style(if quiet { Tone::Dim } else { Tone::Plain }));
        highlight_matches(&name, name_at, y, needle, canvas, appearance);
        if kept > 0 {
            canvas.right(cells - 1, y, aside, style(Tone::Dim));
        }
        if model.panel.cursor == Some(entry.seq()) {
            canvas.text(0, y, 1, appearance.glyphs.bar, appearance.theme.border(focused));
            if focused {
                canvas.restyle(1, y, cells.saturating_sub(1), appearance.theme.cursor());
            }
        }
    }
    for (line, text) in under.iter().enumerate() {
        let Ok(y) = u16::try_from(y + 1 + line as i32) else { continue };
        // The details of a success are dimmed, since the glyph already shows the success.
        let tone = if tone == Tone::Good { Tone::Dim } else { tone };
        let text = if appearance.glyphs.ascii { text.replace('…', appearance.glyphs.ellipsis) } else { text.clone() };
        let x = detail_x(cells);
        canvas.text(x, y, cells.saturating_sub(x), &text, style(tone));
        highlight_matches(&text, x, y, needle, canvas, appearance);
    }
}

/// Highlights the occurrences of `needle`, the search text, in a text that was drawn at (`x`, `y`).
fn highlight_matches(text: &str, x: u16, y: u16, needle: &str, canvas: &mut Canvas<'_>, appearance: Appearance) {
    if needle.is_empty() {
        return;
    }
    let lower = text.to_lowercase();
    // A lower-case text of another length would misplace the highlights.
    if lower.len() != text.len() {
        return;
    }
    for (start, part) in lower.match_indices(needle) {
        let before = width(text.get(..start).unwrap_or_default()) as u16;
        canvas.style(x + before, y, width(part) as u16, appearance.theme.search_match());
    }
}
