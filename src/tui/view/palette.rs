//! Draws the palette: the actions that match the typed text, each with its key, and its description or the reason why
//! it is unavailable.

use crate::domain::text::width;
use crate::tui::layout::{inside, middle};
use crate::tui::model::Model;
use crate::tui::model::overlay::Palette;
use crate::tui::palette::rows;
use crate::tui::text::lines::{clip, skip_cells};
use crate::tui::text::span;
use crate::tui::theme::Tone;
use crate::tui::widgets::canvas::{Canvas, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Cells of the column of keys, at least and at most.
const MIN_KEY_CELLS: usize = 6;
const MAX_KEY_CELLS: usize = 14;

/// Draws the palette. Returns the position of the text cursor.
pub(super) fn draw(model: &Model, palette: &Palette, body: Rect, buf: &mut Buffer) -> Option<Position> {
    let appearance = model.appearance();
    let area = middle(body, 78, body.height.saturating_sub(4).clamp(8, 24));
    clear(area, buf);
    let title = [span("every action", Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &[], border: appearance.theme.border(true) }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let available = inner.width.saturating_sub(4);
    let scroll = palette.input.visual_scroll(usize::from(available.saturating_sub(1)));
    canvas.text(1, 0, 1, ":", appearance.theme.style(Tone::Accent));
    canvas.text(3, 0, available, skip_cells(palette.input.value(), scroll), appearance.theme.style(Tone::Plain));
    let rows = rows(model, palette.input.value());
    let height = usize::from(inner.height.saturating_sub(1));
    let top = (palette.selected + 1).saturating_sub(height);
    if rows.is_empty() {
        canvas.text(3, 1, available, "no action matches", appearance.theme.style(Tone::Dim));
    }
    let key_cells = key_cells(model);
    for (line, row) in rows.iter().skip(top).take(height).enumerate() {
        let y = 1 + line as u16;
        let key = row.bound.keys.first().map_or(String::new(), |key| key.label(appearance.glyphs.ascii));
        let refused = row.refused.is_some();
        let (tone, text) = match &row.refused {
            Some(reason) => (Tone::Dim, format!("({reason})")),
            None => (Tone::Plain, row.bound.binding.description.to_owned()),
        };
        let key_tone = if refused { Tone::Dim } else { Tone::Accent };
        canvas.text(1, y, key_cells, &key, appearance.theme.style(key_tone));
        canvas.text(
            key_cells + 2,
            y,
            15,
            row.bound.binding.word,
            appearance.theme.style(if refused { Tone::Dim } else { Tone::Strong }),
        );
        let text_width = inner.width.saturating_sub(key_cells + 19);
        canvas.text(
            key_cells + 18,
            y,
            text_width,
            &clip(&text, usize::from(text_width), appearance.glyphs.ellipsis),
            appearance.theme.style(tone),
        );
        if top + line == palette.selected {
            canvas.restyle(0, y, inner.width, appearance.theme.cursor());
        }
    }
    let x = (palette.input.visual_cursor().saturating_sub(scroll) as u16).min(available);
    Some(Position::new(inner.x + 3 + x, inner.y))
}

/// Returns the cells of the column of keys, which has room for the longest key, whatever is typed.
fn key_cells(model: &Model) -> u16 {
    let all = rows(model, "");
    let first = all.iter().filter_map(|row| row.bound.keys.first());
    let longest = first.map(|keys| width(&keys.label(model.glyphs.ascii))).max().unwrap_or_default();
    longest.clamp(MIN_KEY_CELLS, MAX_KEY_CELLS) as u16
}
