//! The geometry of the screen: sizes and rectangles as functions of plain arguments. [`screen`](super::screen) applies
//! them to the state.
//!
//! ```text
//! head line 1: store, runner, throughput, queue
//! head line 2: active view, counts of every status, clock
//! ╭ list or details ────────╮╭ outcomes ╮
//! │                         ││          │
//! ╰─────────────────────────╯│          │
//! ╭ peek ───────────────────╮│          │
//! ╰─────────────────────────╯╰──────────╯
//! line about a batch, while there is one to show
//! footer
//! ```

use ratatui::layout::{Constraint, Layout, Rect};

/// Smallest terminal on which the console is drawn, in columns and rows.
pub const MIN_SIZE: (u16, u16) = (40, 12);
/// Screen width in cells below which one pane is shown at a time.
const TWO_PANES_FROM: u16 = 64;
/// Screen height in lines below which the peek pane (an explanation of the row under the cursor) is not shown.
const PEEK_FROM: u16 = 18;
/// Screen height in lines from which, up to [`WHOLE_PEEK_FROM`], the peek pane of a host or account has two more lines
/// than that of a document: the lists of hosts and accounts have fewer rows, so there is space.
const GROUP_PEEK_FROM: u16 = 24;
/// Screen height in lines from which the peek pane has its full height.
const WHOLE_PEEK_FROM: u16 = 30;
/// Maximum width of a reader (a text shown over the screen), in cells.
const MAX_READER_WIDTH: u16 = 92;

/// The rectangles of the screen's parts; a part that is not shown is empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    pub head: Rect,
    pub main: Rect,
    pub peek: Rect,
    pub panel: Rect,
    /// The line about a batch (an act on many documents).
    pub batch: Rect,
    pub footer: Rect,
}

/// The size class of the peek pane, which explains the row under the cursor. Each view chooses a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peek {
    /// No peek pane: the view gets the space.
    Absent,
    Document,
    Group,
    /// Like that of a group, and on a high screen half of it: what the row consists of is listed, too.
    Members,
}

impl Peek {
    /// Returns the number of lines of the peek pane, including its frame, on a screen of `height` lines.
    const fn lines(self, height: u16) -> u16 {
        match (self, height) {
            (Self::Absent, _) | (_, ..PEEK_FROM) => 0,
            (Self::Group | Self::Members, GROUP_PEEK_FROM..WHOLE_PEEK_FROM) => 6,
            (_, ..WHOLE_PEEK_FROM) => 4,
            (Self::Members, _) => height / 2 - 2,
            _ => 7,
        }
    }
}

/// Returns true if the terminal is too small to draw on.
pub const fn too_small(size: (u16, u16)) -> bool {
    size.0 < MIN_SIZE.0 || size.1 < MIN_SIZE.1
}

/// Divides a screen of `size` (columns, rows) into its parts; all are empty if the screen is too small. A zoomed or
/// narrow screen has one pane: the outcome panel if `panel_focused`, else the main area with the peek pane below it. If
/// `has_batch`, there is a line about a batch above the footer.
pub fn divide(size: (u16, u16), zoomed: bool, panel_focused: bool, peek: Peek, has_batch: bool) -> Areas {
    if too_small(size) {
        return Areas::default();
    }
    let batch = Constraint::Length(u16::from(has_batch));
    let lines = [Constraint::Length(2), Constraint::Fill(1), batch, Constraint::Length(1)];
    let [head, body, batch, footer] = Layout::vertical(lines).areas(Rect::new(0, 0, size.0, size.1));
    let mut areas = Areas { head, batch, footer, ..Areas::default() };
    let left = match (zoomed || size.0 < TWO_PANES_FROM, panel_focused) {
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

/// Returns the width of the outcome panel on a screen of `width` cells: about a third, at most 64 cells. Outcomes are
/// short lines, while the columns of the document list need the space.
const fn panel_width(width: u16) -> u16 {
    match width {
        ..100 => width / 3 + 2,
        100..150 => width / 3,
        _ if width / 3 < 64 => width / 3,
        _ => 64,
    }
}

/// Returns the rectangle inside a frame that is drawn along the edge of `area`.
pub fn inside(area: Rect) -> Rect {
    // Not `Rect::inner`: its empty result has no position, and callers need the corner even then.
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// Returns a box of at most `width` by `height` cells in the middle of `area`.
pub fn middle(area: Rect, width: u16, height: u16) -> Rect {
    // Not `Rect::centered`, which puts the odd cell on the other side.
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// Returns the rectangle of a reader on a screen of `size`: with a margin if the screen is wide enough, else everything
/// but the footer.
pub fn reader(size: (u16, u16)) -> Rect {
    let body = Rect::new(0, 0, size.0, size.1.saturating_sub(1));
    middle(body, MAX_READER_WIDTH, if size.0 > MAX_READER_WIDTH { body.height.saturating_sub(2) } else { body.height })
}

/// Returns the number of text lines that a reader shows at a time on a screen of `size`.
pub fn reader_lines(size: (u16, u16)) -> usize {
    usize::from(reader(size).height.saturating_sub(2))
}

/// Returns the number of cells in a line of a reader on a screen of `size`.
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
                    (false, false, Peek::Members),
                    (true, true, Peek::Absent),
                ] {
                    let areas = divide((width, height), zoomed, panel, peek, width % 2 == 0);
                    let parts = [areas.head, areas.main, areas.peek, areas.panel, areas.batch, areas.footer];
                    let cells: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(cells, u32::from(width) * u32::from(height), "{width}x{height}: {areas:?}");
                    for (place, part) in parts.iter().enumerate() {
                        let others = parts.iter().skip(place + 1);
                        assert!(others.into_iter().all(|other| part.intersection(*other).is_empty()), "{areas:?}");
                    }
                }
            }
        }
        assert_eq!(divide((39, 12), false, false, Peek::Absent, true), Areas::default());
    }
}
