//! The geometry of the screen: sizes and rectangles, without the state that decides between them.
//!
//! ```text
//! head line 1: store, runner, throughput, queue, clock
//! head line 2: counts of every status
//! ╭ list or details ────────╮╭ outcomes ╮
//! │                         ││          │
//! ╰─────────────────────────╯│          │
//! ╭ peek ───────────────────╮│          │
//! ╰─────────────────────────╯╰──────────╯
//! footer
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

/// The smallest terminal on which the console is drawn.
pub const SMALLEST: (u16, u16) = (40, 12);
/// Below this width one pane is shown at a time.
const TWO_PANES: u16 = 64;
/// Below this height there is no peek pane.
const PEEK_FROM: u16 = 18;
/// From this height on a host or an account, of which there are fewer than of documents, has two lines more in it.
const GROUP_PEEK_FROM: u16 = 24;
/// From this height on the peek pane has all of its lines.
const WHOLE_PEEK_FROM: u16 = 30;
/// The widest reader.
const WIDEST_READER: u16 = 92;

/// The parts of the screen; those that are not shown are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The two head lines.
    pub head: Rect,
    /// The active view, or the details.
    pub main: Rect,
    /// The peek pane.
    pub peek: Rect,
    /// The outcome panel.
    pub panel: Rect,
    /// The footer.
    pub footer: Rect,
}

/// The pane that explains the row under the cursor, as a view asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peek {
    /// Nothing to explain: the view has the space.
    Absent,
    /// A document.
    Document,
    /// A host or an account.
    Group,
}

impl Peek {
    /// Its lines, the frame included, on a screen of `height` lines.
    const fn lines(self, height: u16) -> u16 {
        match (self, height) {
            (Self::Absent, _) | (_, ..PEEK_FROM) => 0,
            (Self::Group, GROUP_PEEK_FROM..WHOLE_PEEK_FROM) => 6,
            (_, ..WHOLE_PEEK_FROM) => 4,
            _ => 7,
        }
    }
}

/// Returns whether the terminal is too small to draw on.
pub const fn too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// Divides a screen of `size` cells. `zoomed` or narrow it has one pane: the panel if that is `panel_focused`.
pub fn divide(size: (u16, u16), zoomed: bool, panel_focused: bool, peek: Peek) -> Areas {
    if too_small(size) {
        return Areas::default();
    }
    let lines = [Constraint::Length(2), Constraint::Fill(1), Constraint::Length(1)];
    let [head, body, footer] = Layout::vertical(lines).areas(Rect::new(0, 0, size.0, size.1));
    let mut areas = Areas { head, footer, ..Areas::default() };
    let left = match (zoomed || size.0 < TWO_PANES, panel_focused) {
        (true, true) => {
            areas.panel = body;
            return areas;
        }
        (true, false) => body,
        (false, _) => {
            let panes = [Constraint::Fill(1), Constraint::Length(panel_width(size.0))];
            let [left, panel] = Layout::horizontal(panes).areas(body);
            areas.panel = panel;
            left
        }
    };
    let panes = [Constraint::Fill(1), Constraint::Length(peek.lines(size.1))];
    [areas.main, areas.peek] = Layout::vertical(panes).areas(left);
    areas
}

/// The panel takes a third, within reason: its lines are short, and the list's columns are not.
const fn panel_width(width: u16) -> u16 {
    match width {
        ..100 => width / 3 + 2,
        100..150 => width / 3,
        _ if width / 3 < 64 => width / 3,
        _ => 64,
    }
}

/// The cells inside a frame around `area`.
pub fn inside(area: Rect) -> Rect {
    // Not `Rect::inner`, which gives an area without position where nothing is left: its corner is still counted from.
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// A box of at most `width` by `height` cells in the middle of `area`.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    // Not `Rect::centered`, which leaves the odd cell on the other side.
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// A reader on a screen of `size` cells: with some air around it, or over all but the footer where there is none to give.
pub fn reader(size: (u16, u16)) -> Rect {
    let body = Rect::new(0, 0, size.0, size.1.saturating_sub(1));
    middle(body, WIDEST_READER, if size.0 > WIDEST_READER { body.height.saturating_sub(2) } else { body.height })
}

/// Lines of a reader on a screen of `size` cells.
pub fn reader_lines(size: (u16, u16)) -> usize {
    usize::from(reader(size).height.saturating_sub(2))
}

/// Cells of a reader's line on a screen of `size` cells.
pub fn reader_cells(size: (u16, u16)) -> usize {
    usize::from(reader(size).width.saturating_sub(4))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_cover_the_screen_and_do_not_overlap() {
        for width in (40..240).step_by(13) {
            for height in (12..70).step_by(5) {
                for (zoomed, panel, peek) in [
                    (false, false, Peek::Document),
                    (false, true, Peek::Group),
                    (true, false, Peek::Group),
                    (true, true, Peek::Absent),
                ] {
                    let areas = divide((width, height), zoomed, panel, peek);
                    let parts = [areas.head, areas.main, areas.peek, areas.panel, areas.footer];
                    let cells: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(cells, u32::from(width) * u32::from(height), "{width}x{height}: {areas:?}");
                    for (place, part) in parts.iter().enumerate() {
                        let others = parts.iter().skip(place + 1);
                        assert!(others.into_iter().all(|other| part.intersection(*other).is_empty()), "{areas:?}");
                    }
                }
            }
        }
        assert_eq!(divide((39, 12), false, false, Peek::Absent), Areas::default());
    }
}
