//! The tab of the details that compares two texts. A notice above the lines that differ names the reason of the
//! quarantine or the compared versions, and the sizes of the texts.

use super::difference::{DifferenceRow, DifferenceSide};
use super::state::Detail;
use super::text::{empty_text, left_out, notice};
use crate::format;
use crate::tui::model::Model;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::widgets::canvas::Canvas;

/// Smallest height of the tab, in lines, at which the notice above the difference is shown in full.
const FULL_NOTICE_MIN_HEIGHT: usize = 12;

/// Returns the number of all lines of the tab, visible or not, if the visible part has `width` cells and `height`
/// lines.
pub fn lines(model: &Model, width: usize, height: usize) -> usize {
    let Some(detail) = &model.detail else { return 0 };
    above(model, detail, width, height).len() + detail.rows.len() + below(model).len()
}

fn above(model: &Model, detail: &Detail, width: usize, height: usize) -> Vec<Spans> {
    let mut lines = notice(model, detail, width, height >= FULL_NOTICE_MIN_HEIGHT);
    if model.difference().is_none() {
        lines.push(empty_text(detail));
    }
    lines
}

fn below(model: &Model) -> Vec<Spans> {
    model.difference().and_then(left_out).into_iter().collect()
}

/// Draws the visible lines of the tab: the notice, the rows of the difference, and the line that counts omitted lines.
pub(super) fn draw(model: &Model, detail: &Detail, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let available = canvas.area.width.saturating_sub(2);
    let height = usize::from(canvas.area.height);
    let above = above(model, detail, usize::from(available), height);
    // The rows of the previous comparison stay hidden until the requested one has arrived.
    let rows: &[DifferenceRow] = if model.difference().is_some() { &detail.rows } else { &[] };
    let below = below(model);
    let total = above.len() + rows.len() + below.len();
    let scroll = detail.scroll.min(total.saturating_sub(height));
    for y in 0..height.min(total) {
        let (line, screen_y) = (scroll + y, y as u16);
        if let Some(spans) = above.get(line) {
            canvas.spans(1, screen_y, available, spans, appearance);
        } else if let Some(row) = rows.get(line - above.len()) {
            draw_row(row, screen_y, canvas, appearance);
        } else if let Some(spans) = below.get(line - above.len() - rows.len()) {
            canvas.spans(1, screen_y, available, spans, appearance);
        }
    }
}

/// Returns the number of lines below the visible part of the tab.
pub(super) fn more_below(model: &Model, detail: &Detail, width: usize, height: usize) -> usize {
    let total = lines(model, width, height);
    total.saturating_sub(detail.scroll.min(total.saturating_sub(height)) + height)
}

fn draw_row(row: &DifferenceRow, y: u16, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let (sign, tone) = match row.side {
        DifferenceSide::Skipped(number) => {
            let text = format!("{} {} unchanged", appearance.glyphs.ellipsis, format::count(number as u64, "line"));
            canvas.text(1, y, canvas.area.width.saturating_sub(2), &text, appearance.theme.style(Tone::Dim));
            return;
        }
        DifferenceSide::Same => (" ", Tone::Dim),
        DifferenceSide::Gone => ("-", Tone::Failed),
        DifferenceSide::New => ("+", Tone::Good),
    };
    let style = appearance.theme.style(tone);
    canvas.text(1, y, 1, sign, style);
    let available = canvas.area.width.saturating_sub(4);
    if row.side == DifferenceSide::Same {
        canvas.spans(3, y, available, &[span(row.text.as_str(), tone)], appearance);
        return;
    }
    // The ellipsis of a cut text takes the cell before or after the text.
    if row.cut.0 {
        canvas.text(2, y, 1, appearance.glyphs.ellipsis, appearance.theme.style(Tone::Dim));
    }
    let (before, rest) = row.text.split_at(row.differs.start);
    let (differs, after) = rest.split_at(row.differs.len());
    let mut x = 3;
    for (text, style) in [(before, style), (differs, appearance.theme.changed_text(tone)), (after, style)] {
        x = canvas.text(x, y, (available + 3).saturating_sub(x), text, style);
    }
    if row.cut.1 {
        canvas.text(x, y, 1, appearance.glyphs.ellipsis, appearance.theme.style(Tone::Dim));
    }
}
