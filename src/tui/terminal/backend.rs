//! The backend of the console: crossterm's, which relies on no terminal's count of the cells of a cluster.

use crate::domain::text::cells::{Width, clusters};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::{Cell, CellDiffOption};
use ratatui::layout::{Position, Size};
use std::io::{self, Write};

/// Size of a terminal without a known size.
const UNKNOWN_SIZE: Size = Size::new(80, 24);

/// Crossterm's backend, which clears the cells of a cluster of doubtful width before it draws the cluster, and then
/// moves the cursor to the place of the next cell. In a terminal that takes fewer cells for the cluster, the cells after
/// it would keep what they had, and the rest of the row would be shifted.
#[derive(Debug)]
pub struct ClusterBackend<W: Write>(CrosstermBackend<W>);

impl<W: Write> ClusterBackend<W> {
    pub fn new(writer: W) -> Self {
        Self(CrosstermBackend::new(writer))
    }
}

/// Returns the cells of a cluster on whose width terminals differ.
fn doubtful_cells(cell: &Cell) -> Option<u16> {
    let CellDiffOption::ForcedWidth(cells) = cell.diff_option else {
        return None;
    };
    let is_agreed = clusters(cell.symbol()).all(|cluster| matches!(cluster.width, Width::Agreed(_)));
    (!is_agreed).then_some(cells.get())
}

impl<W: Write> Backend for ClusterBackend<W> {
    type Error = io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        let mut content = content.peekable();
        loop {
            // Each call begins with a move of the cursor.
            self.0.draw(std::iter::from_fn(|| content.next_if(|(_, _, cell)| doubtful_cells(cell).is_none())))?;
            let Some((x, y, cell)) = content.next() else {
                return Ok(());
            };
            let mut blank = cell.clone();
            blank.set_symbol(" ").set_diff_option(CellDiffOption::None);
            let cells = doubtful_cells(cell).unwrap_or(1);
            self.0.draw((x..x.saturating_add(cells)).map(|x| (x, y, &blank)))?;
            self.0.draw(std::iter::once((x, y, cell)))?;
        }
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.0.clear_region(clear_type)
    }

    fn append_lines(&mut self, lines: u16) -> io::Result<()> {
        self.0.append_lines(lines)
    }

    fn size(&self) -> io::Result<Size> {
        // A serial line knows no size.
        let size = self.0.size()?;
        Ok(if size.width == 0 || size.height == 0 { UNKNOWN_SIZE } else { size })
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}

#[cfg(test)]
mod tests;
