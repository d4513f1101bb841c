//! What is where on the screen now: [`layout`](super::layout) applied to the state.

use super::layout::{self, Areas, inside};
use super::model::{Focus, Model};
use super::scope::PaneId;
use super::views;
use super::views::catalog::ViewId;
use super::views::detail::head_lines;
use ratatui::layout::Rect;

/// Returns the parts of the screen.
pub fn areas(model: &Model) -> Areas {
    areas_for(model, model.focus == Focus::Outcomes, model.main_pane())
}

/// The same with `main` in the main area.
fn areas_for(model: &Model, panel_focused: bool, main: PaneId) -> Areas {
    layout::divide(model.size, model.zoom, panel_focused, views::of(main).peek(model))
}

/// Returns the lines of a view on the screen, those apart that do not scroll; while something else has its place, the
/// lines that it will have.
pub fn view_lines(model: &Model, view: ViewId) -> usize {
    let pane = PaneId::View(view);
    let height = inside(areas_for(model, false, pane).main).height;
    usize::from(height.saturating_sub(views::of(pane).heading_lines())).max(1)
}

/// Returns the rows of the list of documents on the screen; while something else has its place, those that it will have.
pub fn list_rows(model: &Model) -> u64 {
    view_lines(model, ViewId::Documents) as u64
}

/// Returns the cells of a line in the main area, and the lines of the details' tab there.
pub fn detail_cells(model: &Model) -> (usize, usize) {
    let inner = inside(areas(model).main);
    let lines = inner.height.saturating_sub(head_lines(inner.height));
    (usize::from(inner.width.saturating_sub(2)), usize::from(lines).max(1))
}

/// Returns the cells inside the panel; those of a usual screen while it is not shown.
pub fn panel_inside(model: &Model) -> Rect {
    let panel = areas(model).panel;
    if panel.is_empty() { Rect::new(0, 0, 38, 20) } else { inside(panel) }
}
