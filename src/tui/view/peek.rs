//! Draws the peek pane under a view: the row under the cursor in sentences. The pane's height is the same for every
//! row.

use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::Spans;
use crate::tui::text::lines::wrap_spans;
use crate::tui::views;
use crate::tui::widgets::canvas::{Canvas, cells};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Continues lines that are wider than `available` on the next one, as long as the pane of `height` lines has empty ones.
fn fitted(lines: &[Spans], available: u16, height: usize) -> Vec<Spans> {
    let empty = lines.iter().filter(|line| line.is_empty()).count();
    let mut spare = height.saturating_sub(lines.len()) + empty;
    let mut used = 0;
    let mut fitted = Vec::new();
    for line in lines {
        if line.is_empty() && used > 0 {
            used -= 1;
        } else if cells(line) > available && spare > 0 {
            let parts = wrap_spans(line, usize::from(available));
            let more = (parts.len() - 1).min(spare);
            // If even the spare lines are not enough, the line is cut as it is without any.
            let takes = if more == parts.len() - 1 { parts } else { vec![line.clone()] };
            let more = takes.len() - 1;
            (spare, used) = (spare - more, used + more);
            fitted.extend(takes);
        } else {
            fitted.push(line.clone());
        }
    }
    fitted
}

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
    for (y, line) in fitted(&row.lines, available, usize::from(inner.height)).iter().enumerate() {
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
