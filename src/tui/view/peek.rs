//! Draws the peek pane under a view: the row under the cursor in sentences. The pane's height is the same for every
//! row.

use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::Spans;
use crate::tui::views;
use crate::tui::widgets::canvas::{Canvas, cells};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws the peek pane if the screen has one, with the toast (a short message) in the bottom line of the frame.
pub(super) fn draw(model: &Model, area: Rect, toast: &Spans, buf: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let appearance = model.appearance();
    let inner = inside(area);
    let row = views::for_pane(model.main_pane()).explain(model, inner);
    let border = appearance.theme.border(false);
    Frame { title: &row.title, aside: &row.aside, foot: toast, border }.draw(area, buf, appearance);
    let mut canvas = Canvas::new(buf, inner);
    let available = inner.width.saturating_sub(2);
    for (y, line) in row.lines.iter().enumerate() {
        canvas.spans(1, y as u16, available, line, appearance);
    }
    let aside_width = cells(&row.first_line_aside);
    if aside_width > 0 && row.lines.first().is_some_and(|first| cells(first) + aside_width + 2 <= available) {
        canvas.spans(inner.width.saturating_sub(1 + aside_width), 0, aside_width, &row.first_line_aside, appearance);
    }
    if row.is_old {
        for y in 0..inner.height {
            canvas.restyle(0, y, inner.width, appearance.theme.dimmed());
        }
    }
}
