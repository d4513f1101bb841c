//! The frame of a pane or dialog.

use super::canvas::{Canvas, cells};
use crate::tui::theme::{Appearance, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Block, Widget as _};

/// A frame with a title and an aside in its top line, and a text in its bottom line.
pub struct Frame<'a> {
    pub title: &'a [(String, Tone)],
    /// Text at the right end of the top line, omitted if it does not fit.
    pub aside: &'a [(String, Tone)],
    pub foot: &'a [(String, Tone)],
    pub border: Style,
}

impl Frame<'_> {
    /// Draws the frame along the edge of `area`; nothing if `area` is narrower or lower than two cells.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, appearance: Appearance) {
        let area = area.intersection(buf.area);
        if area.width < 2 || area.height < 2 {
            return;
        }
        let style = Style::reset().patch(self.border);
        Block::bordered().border_set(appearance.glyphs.frame).border_style(style).render(area, buf);
        // `Block` could draw titles too, but ratatui cuts them without an ellipsis, and writes a right-aligned title
        // over a left-aligned one.
        let mut canvas = Canvas::new(buf, area);
        let (right, bottom) = (area.width - 1, area.height - 1);
        let available = area.width.saturating_sub(6);
        let title_cells = cells(self.title).min(available);
        if title_cells > 0 {
            let end = canvas.spans(3, 0, title_cells, self.title, appearance);
            canvas.text(2, 0, 1, " ", self.border);
            canvas.text(end, 0, 1, " ", self.border);
        }
        let aside_cells = cells(self.aside);
        if aside_cells > 0 && aside_cells + title_cells + 5 <= available {
            let start = right - 3 - aside_cells + 1;
            canvas.text(start - 1, 0, 1, " ", self.border);
            let end = canvas.spans(start, 0, aside_cells, self.aside, appearance);
            canvas.text(end, 0, 1, " ", self.border);
        }
        let foot_cells = cells(self.foot).min(available);
        if foot_cells > 0 {
            canvas.text(2, bottom, 1, " ", self.border);
            let end = canvas.spans(3, bottom, foot_cells, self.foot, appearance);
            canvas.text(end, bottom, 1, " ", self.border);
        }
    }
}
