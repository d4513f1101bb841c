//! Painting text into a part of the screen, clipped to it whatever happens.

use crate::domain::text::width;
use crate::tui::glyphs::Glyphs;
use crate::tui::theme::{Theme, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// A part of the screen, with positions counted from its own corner.
pub struct Canvas<'a> {
    buf: &'a mut Buffer,
    /// The part.
    pub area: Rect,
}

impl<'a> Canvas<'a> {
    /// The part of `buf` that `area` really covers.
    pub fn new(buf: &'a mut Buffer, area: Rect) -> Self {
        let area = area.intersection(buf.area);
        Self { buf, area }
    }

    /// Writes `text` into at most `cells` cells; the cell after it.
    pub fn text(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        if x >= self.area.width || y >= self.area.height {
            return x;
        }
        let cells = cells.min(self.area.width - x);
        // Whatever stood there before, a border say, leaves nothing of its style.
        let style = Style::reset().patch(style);
        let (end, _) = self.buf.set_stringn(self.area.x + x, self.area.y + y, text, usize::from(cells), style);
        end.saturating_sub(self.area.x)
    }

    /// Writes `text` so that it ends before `end`.
    pub fn right(&mut self, end: u16, y: u16, text: &str, style: Style) {
        let cells = width(text) as u16;
        self.text(end.saturating_sub(cells), y, cells.min(end), text, style);
    }

    /// Writes pieces one after the other, cut with a sign where they end; the cell after them.
    pub fn words(&mut self, x: u16, y: u16, room: u16, words: &[(String, Tone)], look: Look) -> u16 {
        let room = room.min(self.area.width.saturating_sub(x));
        let cut = cells(words) > room;
        let end = x + if cut { room.saturating_sub(1) } else { room };
        let mut at = x;
        let mut tone = Tone::Plain;
        for (text, own) in words {
            if at >= end {
                break;
            }
            tone = *own;
            let before = at;
            at = self.text(at, y, end - at, text, look.theme.style(tone));
            if usize::from(at - before) < width(text) {
                break;
            }
        }
        if cut { self.text(at, y, room.min(1), look.glyphs.more, look.theme.style(tone)) } else { at }
    }

    /// Puts `style` over a stretch of cells.
    pub fn style(&mut self, x: u16, y: u16, cells: u16, style: Style) {
        let stretch = Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), cells, 1);
        self.buf.set_style(stretch.intersection(self.area), style);
    }

    /// Takes every style from a stretch of cells and gives it one.
    pub fn restyle(&mut self, x: u16, y: u16, cells: u16, style: Style) {
        let stretch = Rect::new(self.area.x.saturating_add(x), self.area.y.saturating_add(y), cells, 1);
        for position in stretch.intersection(self.area).positions() {
            if let Some(cell) = self.buf.cell_mut(position) {
                cell.set_style(Style::reset().patch(style));
            }
        }
    }
}

/// How things look: signs and styles.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// The signs.
    pub glyphs: Glyphs,
    /// The styles.
    pub theme: Theme,
}

impl Look {
    /// The look of a model.
    pub const fn of(model: &crate::tui::model::Model) -> Self {
        Self { glyphs: model.glyphs, theme: model.theme }
    }
}

/// A frame with its title at the left and words at the right end of the top line, and words in the bottom line.
pub struct Frame<'a> {
    /// The title.
    pub title: &'a [(String, Tone)],
    /// At the right end of the top line, when there is room.
    pub aside: &'a [(String, Tone)],
    /// In the bottom line.
    pub foot: &'a [(String, Tone)],
    /// The style of the lines.
    pub border: Style,
}

impl Frame<'_> {
    /// Draws it around `area`.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, look: Look) {
        let set = look.glyphs.frame;
        let mut canvas = Canvas::new(buf, area);
        let (width_cells, height) = (canvas.area.width, canvas.area.height);
        if width_cells < 2 || height < 2 {
            return;
        }
        let (right, bottom) = (width_cells - 1, height - 1);
        for x in 1..right {
            canvas.text(x, 0, 1, set.horizontal_top, self.border);
            canvas.text(x, bottom, 1, set.horizontal_bottom, self.border);
        }
        for y in 1..bottom {
            canvas.text(0, y, 1, set.vertical_left, self.border);
            canvas.text(right, y, 1, set.vertical_right, self.border);
        }
        canvas.text(0, 0, 1, set.top_left, self.border);
        canvas.text(right, 0, 1, set.top_right, self.border);
        canvas.text(0, bottom, 1, set.bottom_left, self.border);
        canvas.text(right, bottom, 1, set.bottom_right, self.border);
        let room = width_cells.saturating_sub(6);
        let title_cells = cells(self.title).min(room);
        if title_cells > 0 {
            let end = canvas.words(3, 0, title_cells, self.title, look);
            canvas.text(2, 0, 1, " ", self.border);
            canvas.text(end, 0, 1, " ", self.border);
        }
        let aside_cells = cells(self.aside);
        if aside_cells > 0 && aside_cells + title_cells + 5 <= room {
            let start = right - 3 - aside_cells + 1;
            canvas.text(start - 1, 0, 1, " ", self.border);
            let end = canvas.words(start, 0, aside_cells, self.aside, look);
            canvas.text(end, 0, 1, " ", self.border);
        }
        let foot_cells = cells(self.foot).min(room);
        if foot_cells > 0 {
            canvas.text(2, bottom, 1, " ", self.border);
            let end = canvas.words(3, bottom, foot_cells, self.foot, look);
            canvas.text(end, bottom, 1, " ", self.border);
        }
    }
}

/// Where in a long list the screen is.
#[derive(Clone, Copy, Debug)]
pub struct ScrollBar {
    /// The first line on the screen.
    pub top: u64,
    /// Lines on the screen.
    pub rows: u64,
    /// All lines.
    pub of: u64,
}

impl ScrollBar {
    /// Draws it into the right side of the frame around `area`, the lines beginning at its line `first`; nothing when all
    /// of them are on the screen.
    pub fn draw(&self, area: Rect, first: u16, focused: bool, buf: &mut Buffer, look: Look) {
        let Self { top, rows, of } = *self;
        if of <= rows || rows == 0 {
            return;
        }
        let size = (rows * rows / of).clamp(1, rows);
        let room = rows - size;
        let start = (top * room).div_ceil((of - rows).max(1)).min(room);
        let mut canvas = Canvas::new(buf, area);
        for line in start..start + size {
            let y = u16::try_from(line).unwrap_or(u16::MAX).saturating_add(first);
            canvas.text(area.width.saturating_sub(1), y, 1, look.glyphs.thumb, look.theme.border(focused));
        }
    }
}

/// How many cells pieces take together.
pub fn cells(words: &[(String, Tone)]) -> u16 {
    u16::try_from(words.iter().map(|(text, _)| width(text)).sum::<usize>()).unwrap_or(u16::MAX)
}

/// Dims all that is drawn so far: it lies behind a dialog.
pub fn dim(area: Rect, buf: &mut Buffer, theme: &Theme) {
    let style = Style::reset().patch(theme.behind());
    for position in area.intersection(buf.area).positions() {
        if let Some(cell) = buf.cell_mut(position) {
            cell.set_style(style);
        }
    }
}

/// Empties a part of the screen.
pub fn clear(area: Rect, buf: &mut Buffer) {
    // A wide character that begins just before the part would reach into it.
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
