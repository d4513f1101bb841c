//! The parts of the screen for the current state: applies [`layout`](super::layout) to the model.

use super::layout::{self, Areas, inside};
use super::model::{Focus, Model};
use super::scope::PaneId;
use super::views;
use super::views::catalog::ViewId;
use super::views::detail::head_lines;
use ratatui::layout::Rect;

/// Returns the rectangles of the screen's parts.
pub fn areas(model: &Model) -> Areas {
    areas_for(model, model.focus == Focus::Outcomes, model.main_pane())
}

/// Returns the rectangles for a screen with the pane `main` in the main area, and with the focus on the outcome panel
/// if `panel_focused`.
fn areas_for(model: &Model, panel_focused: bool, main: PaneId) -> Areas {
    let has_batch = model.batches.shown().is_some();
    layout::divide(model.size, model.zoom, panel_focused, views::for_pane(main).peek(model), has_batch)
}

/// Returns the number of lines in which a view shows its rows. While another pane covers the view, returns the number
/// for when the view is shown again.
pub fn view_lines(model: &Model, view: ViewId) -> usize {
    let pane = PaneId::View(view);
    let height = inside(areas_for(model, false, pane).main).height;
    usize::from(height.saturating_sub(views::for_pane(pane).heading_lines(height))).max(1)
}

/// Returns the number of lines that the document list has for rows; while another pane covers the list, the number for
/// when the list is shown again.
pub fn list_rows(model: &Model) -> u64 {
    view_lines(model, ViewId::Documents) as u64
}

/// Returns the number of cells in a line of the details, and the number of lines in which the details show a tab.
pub fn detail_cells(model: &Model) -> (usize, usize) {
    let inner = inside(areas(model).main);
    let lines = inner.height.saturating_sub(head_lines(model, inner.height));
    (usize::from(inner.width.saturating_sub(2)), usize::from(lines).max(1))
}

/// Returns the rectangle inside the frame of the outcome panel; while the panel is not shown, one of a usual size.
pub fn panel_inside(model: &Model) -> Rect {
    let panel = areas(model).panel;
    if panel.is_empty() { Rect::new(0, 0, 38, 20) } else { inside(panel) }
}
