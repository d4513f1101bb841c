//! Text in a part of the screen, always clipped to that part.
//!
//! Lines that may have to be cut are drawn by [`Canvas::words`], not by ratatui's `Line` or `Paragraph`, which cut text
//! without an ellipsis: a person could not see that text is missing.

use crate::domain::text::cells::{Cluster, Width, clusters};
use crate::domain::text::width;
use crate::tui::theme::{Appearance, Theme, Tone};
use ratatui::buffer::{Buffer, CellDiffOption, CellWidth as _};
use ratatui::layout::Rect;
use ratatui::style::Style;
use std::num::NonZeroU16;

/// The symbol of a cell that a wide cluster before it extends into.
const COVERED: &str = "";

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
        let (start, y) = (self.area.x + x, self.area.y + y);
        let end = start + cells.min(self.area.width - x);
        // The style of earlier content, such as a border, must not remain.
        let style = Style::reset().patch(style);
        release(self.buf, start, y);
        let mut at = start;
        for cluster in clusters(text) {
            let cells = cluster.width.cells() as u16;
            if cells > end - at {
                break;
            }
            if cells > 0 && !cluster.source.contains(char::is_control) {
                put(self.buf, at, y, &cluster, style);
                at += cells;
            }
        }
        uncover(self.buf, at, y);
        at.saturating_sub(self.area.x)
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

/// Writes a cluster into its cells; those after its first are empty, and the terminal fills them.
fn put(buf: &mut Buffer, x: u16, y: u16, cluster: &Cluster<'_>, style: Style) {
    let cells = cluster.width.cells() as u16;
    let option = match (NonZeroU16::new(cells), cluster.width) {
        // Ratatui has a width of its own for some.
        (None, _) => CellDiffOption::None,
        (_, Width::Agreed(1)) if cluster.shown.cell_width() == 1 => CellDiffOption::None,
        (Some(cells), _) => CellDiffOption::ForcedWidth(cells),
    };
    buf[(x, y)].set_symbol(&cluster.shown).set_style(style).set_diff_option(option);
    for x in x + 1..x + cells {
        let cell = &mut buf[(x, y)];
        cell.reset();
        cell.set_symbol(COVERED).set_style(style);
    }
}

/// Replaces a wide cluster that extends into the cell at (`x`, `y`) from before it by spaces.
fn release(buf: &mut Buffer, x: u16, y: u16) {
    if is_covered(buf, x, y) {
        let first = (buf.area.left()..x).rev().find(|x| !is_covered(buf, *x, y)).unwrap_or(x);
        for x in first..x {
            blank(buf, x, y);
        }
        uncover(buf, x, y);
    }
}

/// Replaces the rest of a wide cluster, from the cell at (`x`, `y`) on, by spaces: its first cell has another text now.
fn uncover(buf: &mut Buffer, x: u16, y: u16) {
    let mut x = x;
    while is_covered(buf, x, y) {
        blank(buf, x, y);
        x += 1;
    }
}

fn is_covered(buf: &Buffer, x: u16, y: u16) -> bool {
    x < buf.area.right() && buf.cell((x, y)).is_some_and(|cell| cell.symbol() == COVERED)
}

fn blank(buf: &mut Buffer, x: u16, y: u16) {
    buf[(x, y)].set_symbol(" ").set_diff_option(CellDiffOption::None);
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

/// Clears `area`, and wide clusters that extend into it or out of it.
pub fn clear(area: Rect, buf: &mut Buffer) {
    let area = area.intersection(buf.area);
    for y in area.top()..area.bottom() {
        release(buf, area.left(), y);
        uncover(buf, area.right(), y);
    }
    for position in area.positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.reset();
        }
    }
}
