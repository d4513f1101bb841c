//! The scroll bar on the right side of a frame.

use crate::tui::theme::Appearance;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::{Scrollbar, ScrollbarOrientation, ScrollbarState, StatefulWidget as _};

/// A scroll bar, described by the visible part of a list, in lines.
#[derive(Clone, Copy, Debug)]
pub struct ScrollBar {
    /// Index of the first visible line.
    pub top: u64,
    /// Number of visible lines.
    pub rows: u64,
    /// Number of all lines.
    pub total: u64,
}

impl ScrollBar {
    /// Draws the scroll bar on the right side of the frame that is the edge of `area`, from line `first` of the frame
    /// on. Draws nothing if all lines are visible.
    pub fn draw(&self, area: Rect, first: u16, focused: bool, buf: &mut Buffer, appearance: Appearance) {
        let Some((start, size)) = self.thumb() else { return };
        let rows = u16::try_from(self.rows).unwrap_or(u16::MAX);
        let side = Rect { x: area.right().saturating_sub(1), y: area.y.saturating_add(first), width: 1, height: rows };
        // The widget's state counts in cells, so that the widget does not round.
        let cells = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let positions = cells(self.rows - size).saturating_add(1);
        let mut state = ScrollbarState::new(positions).position(cells(start)).viewport_content_length(cells(size));
        Scrollbar::new(ScrollbarOrientation::VerticalRight)
            .begin_symbol(None)
            .end_symbol(None)
            .track_symbol(None)
            .thumb_symbol(appearance.glyphs.thumb)
            .thumb_style(Style::reset().patch(appearance.theme.border(focused)))
            .render(side.intersection(buf.area), buf, &mut state);
    }

    /// Returns the first cell of the thumb (the bar's moving part) and the thumb's length in cells; `None` if all lines
    /// are visible. The thumb is at the top only while the first line is visible. Ratatui's arithmetic would round and
    /// leave the thumb at the top for the next few lines too.
    fn thumb(&self) -> Option<(u64, u64)> {
        let Self { top, rows, total } = *self;
        if total <= rows || rows == 0 {
            return None;
        }
        let size = (rows * rows / total).clamp(1, rows);
        let scrollable = rows - size;
        Some(((top * scrollable).div_ceil((total - rows).max(1)).min(scrollable), size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::glyphs::UNICODE;
    use crate::tui::theme::Theme;

    /// Returns the screen lines in which the right side of the frame shows the thumb.
    fn drawn(bar: ScrollBar) -> Vec<u16> {
        let area = Rect::new(0, 0, 3, 12);
        let mut buf = Buffer::empty(area);
        bar.draw(area, 2, true, &mut buf, Appearance { glyphs: UNICODE, theme: Theme::new(false) });
        (0..12).filter(|y| buf[(2, *y)].symbol() == UNICODE.thumb).collect()
    }

    #[test]
    fn the_thumb_leaves_the_top_with_the_first_line() {
        let at = |top| drawn(ScrollBar { top, rows: 9, total: 900 });
        assert_eq!([at(0), at(1), at(890), at(891)], [vec![2], vec![3], vec![10], vec![10]]);
        assert_eq!(drawn(ScrollBar { top: 0, rows: 9, total: 18 }), [2, 3, 4, 5]);
        assert_eq!(drawn(ScrollBar { top: 9, rows: 9, total: 18 }), [7, 8, 9, 10]);
        assert_eq!(drawn(ScrollBar { top: 0, rows: 9, total: 9 }), Vec::<u16>::new());
    }
}
