//! Draws the peek pane under a view: the row under the cursor in sentences. Its height is the same for every row.

use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::Spans;
use crate::tui::views;
use crate::tui::widgets::canvas::{Canvas, cells};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the pane, with the toast in the bottom line of its frame.
pub(super) fn draw(model: &Model, area: Rect, toast: &Spans, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let look = model.appearance();
    let inner = inside(area);
    let row = views::for_pane(model.main_pane()).explain(model, inner);
    let border = look.theme.border(false);
    Frame { title: &row.title, aside: &row.aside, foot: toast, border }.draw(area, buf, look);
    let mut canvas = Canvas::new(buf, inner);
    let room = inner.width.saturating_sub(2);
    for (y, line) in row.lines.iter().enumerate() {
        canvas.words(1, y as u16, room, line, look);
    }
    let beside = cells(&row.first_line_aside);
    if beside > 0 && row.lines.first().is_some_and(|first| cells(first) + beside + 2 <= room) {
        canvas.words(inner.width.saturating_sub(1 + beside), 0, beside, &row.first_line_aside, look);
    }
    if row.is_old {
        for y in 0..inner.height {
            canvas.restyle(0, y, inner.width, look.theme.dimmed());
        }
    }
}
