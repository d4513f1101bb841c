//! Text in a part of the screen, always clipped to that part.
//!
//! Lines that may have to be cut are drawn by [`Canvas::words`], not by ratatui's `Line` or `Paragraph`, which cut text
//! without an ellipsis: a person could not see that text is missing.

use crate::domain::text::width;
use crate::tui::theme::{Appearance, Theme, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A part of the screen; positions count from its top left corner.
pub struct Canvas<'a> {
    buf: &'a mut Buffer,
    /// The part's rectangle, in coordinates of the screen.
    pub area: Rect,
}

impl<'a> Canvas<'a> {
    /// Creates a canvas on the part of `area` that is inside `buf`.
    pub fn new(buf: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area }
    }

    /// Writes `text` from (`x`, `y`) on into at most `cells` cells. Returns the offset of the first cell after the
    /// text.
    pub fn text(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let cells = cells.min(self.area.width - x);
        // The style of earlier content, such as a border, must not remain.
        let style = Style::reset().patch(style);
        let (end, _) = self.buf.set_stringn(self.area.x + x, self.area.y + y, text, usize::from(cells), style);
        end.saturating_sub(self.area.x)
    }

    /// Writes `text` right-aligned in line `y`, so that `end` is the offset of the first cell after the text.
    pub fn right(&mut self, end: u16, y: u16, text: &str, style: Style) {
        let cells = width(text) as u16;
        self.text(end.saturating_sub(cells), y, cells.min(end), text, style);
    }

    /// Writes pieces of text one after the other from (`x`, `y`) on, into at most `available` cells. If they do not
    /// fit, an ellipsis ends the text. Returns the offset of the first cell after the text.
    pub fn spans(&mut self, x: u16, y: u16, available: u16, spans: &[(String, Tone)], appearance: Appearance) -> u16 {
        let available = available.min(self.area.width.saturating_sub(x));
        let cut = cells(spans) > available;
        let end = x + if cut { available.saturating_sub(1) } else { available };
        let mut at = x;
        let mut tone = Tone::Plain;
        for (text, own) in spans {
            if at >= end {
                break;
            }
            tone = *own;
            let before = at;
            at = self.text(at, y, end - at, text, appearance.theme.style(tone));
            if usize::from(at - before) < width(text) {
                break;
            }
        }
        if cut {
            self.text(at, y, available.min(1), appearance.glyphs.ellipsis, appearance.theme.style(tone))
        } else {
            at
        }
    }

    /// Adds `style` to the styles of `cells` cells from (`x`, `y`) on.
    pub fn style(&mut self, x: u16, y: u16, cells: u16, style: Style) {
        let row_area = Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), cells, 1);
        self.buf.set_style(row_area.intersection(self.area), style);
    }

    /// Replaces the styles of `cells` cells from (`x`, `y`) on by `style`.
    pub fn restyle(&mut self, x: u16, y: u16, cells: u16, style: Style) {
        let row_area = Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), cells, 1);
        for position in row_area.intersection(self.area).positions() {
            if let Some(cell) = self.buf.cell_mut(position) {
                cell.set_style(Style::reset().patch(style));
            }
        }
    }
}

/// Returns the total width, in cells, of pieces of text.
pub fn cells(words: &[(String, Tone)]) -> u16 {
    u16::try_from(words.iter().map(|(text, _)| width(text)).sum::<usize>()).unwrap_or(u16::MAX)
}

/// Dims everything that was drawn so far in `area`, before an overlay is drawn over it.
pub fn dim(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let style = Style::reset().patch(theme.dimmed());
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.set_style(style);
        }
    }
}

/// Clears `area`, and a wide character that begins one cell left of `area` and extends into it.
pub fn clear(area: Rect, buf: &mut Buffer) {
    // A wide character that begins one cell before `area` would extend into it.
    for y in area.top()..area.bottom() {
        let before = area.x.checked_sub(1).and_then(|x| buf.cell_mut((x, y)));
        if let Some(cell) = before.filter(|cell| width(cell.symbol()) > 1) {
            cell.set_symbol(" ");
        }
    }
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
        }
    }
}
