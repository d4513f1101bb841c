//! Where things stand on the screen. Shared by the drawing and by what must know how many rows are visible.
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

use super::model::{Focus, Model};
use super::table::state::Shown;
use ratatui::layout::Rect;

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

/// The parts of the screen; those that are not shown are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Areas {
    /// The two head lines.
    pub head: Rect,
    /// The list, or the details.
    pub main: Rect,
    /// The peek pane.
    pub peek: Rect,
    /// The outcome panel.
    pub panel: Rect,
    /// The footer.
    pub footer: Rect,
}

/// Whether the terminal is too small to draw on.
pub const fn too_small(size: (u16, u16)) -> bool {
    size.0 < SMALLEST.0 || size.1 < SMALLEST.1
}

/// The parts of the screen.
pub fn areas(model: &Model) -> Areas {
    areas_for(model, model.focus == Focus::Outcomes, Some(model.shown).filter(|_| model.detail.is_none()))
}

/// The same with `main` in the main place; `None` stands for the details.
fn areas_for(model: &Model, panel_focused: bool, main: Option<Shown>) -> Areas {
    let (width, height) = model.size;
    if too_small(model.size) {
        return Areas::default();
    }
    let body = Rect::new(0, 2, width, height - 3);
    let mut areas =
        Areas { head: Rect::new(0, 0, width, 2), footer: Rect::new(0, height - 1, width, 1), ..Areas::default() };
    let one_pane = width < TWO_PANES || model.zoom;
    let left = match (one_pane, panel_focused) {
        (true, true) => {
            areas.panel = body;
            return areas;
        }
        (true, false) => body,
        (false, _) => {
            let panel = panel_width(width);
            areas.panel = Rect { x: width - panel, width: panel, ..body };
            Rect { width: width - panel, ..body }
        }
    };
    // With no row to explain the list has the space.
    let explains = match main {
        None | Some(Shown::Jobs) => false,
        Some(Shown::Documents) => model.documents.page.total > 0,
        Some(Shown::Hosts) => model.hosts.row().is_some(),
        Some(Shown::Accounts) => model.accounts.row().is_some(),
    };
    let peek = match (explains, height) {
        (false, _) | (_, ..PEEK_FROM) => 0,
        (_, GROUP_PEEK_FROM..WHOLE_PEEK_FROM) if main != Some(Shown::Documents) => 6,
        (_, ..WHOLE_PEEK_FROM) => 4,
        _ => 7,
    };
    areas.main = Rect { height: left.height - peek, ..left };
    areas.peek = Rect { y: left.y + areas.main.height, height: peek, ..left };
    areas
}

/// The panel takes a third, within reason: its lines are short, and the list's columns are not.
fn panel_width(width: u16) -> u16 {
    match width {
        ..100 => width / 3 + 2,
        100..150 => width / 3,
        _ => (width / 3).min(64),
    }
}

/// What is inside a frame.
pub fn inside(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(1),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(2),
        height: area.height.saturating_sub(2),
    }
}

/// Rows of the list on the screen, its heading apart; while something else has its place, the rows that it will have.
pub fn list_rows(model: &Model) -> u64 {
    let main = areas_for(model, false, Some(Shown::Documents)).main;
    u64::from(inside(main).height.saturating_sub(1)).max(1)
}

/// Lines of a view beside the list on the screen, a heading that does not scroll apart; while the panel has its place, those that it will have.
pub fn table_rows(model: &Model) -> usize {
    let headings = if model.shown == Shown::Jobs { 0 } else { 1 };
    usize::from(inside(areas_for(model, false, Some(model.shown)).main).height.saturating_sub(headings)).max(1)
}

/// Cells inside the panel; those of a usual screen while it is not shown.
pub fn panel_inside(model: &Model) -> Rect {
    let panel = areas(model).panel;
    if panel.is_empty() { Rect::new(0, 0, 38, 20) } else { inside(panel) }
}
