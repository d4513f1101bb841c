//! Draws the screen from the state alone: head, panes, footer, and the overlay (a dialog, prompt, reader or the
//! palette). [`screen`](super::screen) computes their rectangles, the [`views`](super::views) draw the panes.

mod batches;
mod crumbs;
mod dialog;
mod footer;
mod head;
mod overlay;
mod palette;
mod peek;
mod prompt;
mod reader;
mod toast;
mod view_line;
pub mod waiting;

use super::layout::{MIN_SIZE, too_small};
use super::model::{Focus, Model};
use super::scope::PaneId;
use super::screen::areas;
use super::text::Spans;
use super::views;
use super::views::view::Pane;
use crumbs::crumbs;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget as _};
use toast::{ToastFrame, toast};

/// Draws the whole screen. Returns the position of the text cursor if a prompt or the palette is open.
pub fn draw(model: &Model, buf: &mut Buffer) -> Option<Position> {
    if too_small(model.size) {
        too_small_to_draw(model, buf.area, buf);
        return None;
    }
    let areas = areas(model);
    head::draw(model, areas.head, buf);
    let explained = !areas.peek.is_empty();
    let main_focused = model.focus == Focus::Main;
    let pane = |area, focused, frame| Pane {
        area,
        focused,
        toast: toast(model, &areas, frame),
        crumbs: Spans::new(),
        explained,
    };
    let main = Pane { crumbs: crumbs(model, areas.main.width), ..pane(areas.main, main_focused, ToastFrame::List) };
    views::for_pane(model.main_pane()).draw(model, main, buf);
    peek::draw(model, areas.peek, &toast(model, &areas, ToastFrame::Peek), buf);
    views::for_pane(PaneId::Outcomes).draw(model, pane(areas.panel, !main_focused, ToastFrame::Panel), buf);
    batches::status(model, areas.batch, buf);
    footer::draw(model, areas.footer, buf);
    overlay::draw(model, areas, buf)
}

/// Draws the focused pane alone, over the whole width of the screen, and the open overlay alone, if there is one.
pub fn draw_apart(model: &Model) -> (Buffer, Option<Buffer>) {
    let screen = Rect::new(0, 0, model.size.0, model.size.1);
    if too_small(model.size) {
        let mut pane = Buffer::empty(screen);
        too_small_to_draw(model, screen, &mut pane);
        return (pane, None);
    }
    let areas = areas(model);
    let is_main = model.focus == Focus::Main;
    let area = Rect { x: 0, y: 0, width: screen.width, ..if is_main { areas.main } else { areas.panel } };
    let crumbs = if is_main { crumbs(model, area.width) } else { Spans::new() };
    let mut pane = Buffer::empty(area);
    // The toast is reported apart from the pane.
    let place = Pane { area, focused: true, toast: Spans::new(), crumbs, explained: true };
    views::for_pane(model.pane()).draw(model, place, &mut pane);
    let over = model.overlay.is_some().then(|| {
        let mut over = Buffer::empty(screen);
        overlay::draw(model, areas, &mut over);
        over
    });
    (pane, over)
}

/// Draws the head lines alone.
pub fn draw_head(model: &Model) -> Buffer {
    let area = areas(model).head;
    let mut head = Buffer::empty(area);
    if !area.is_empty() {
        head::draw(model, area, &mut head);
    }
    head
}

fn too_small_to_draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let (needs, has) = (format!("{}x{} cells", MIN_SIZE.0, MIN_SIZE.1), format!("{}x{}", model.size.0, model.size.1));
    let mut lines = vec![format!("quarterdeck needs {needs}"), format!("this terminal has {has}")];
    if lines.iter().any(|line| line.len() > usize::from(area.width)) {
        lines = vec![format!("needs {needs}"), format!("has {has}")];
    }
    Paragraph::new(lines.into_iter().map(Line::from).collect::<Vec<_>>()).render(area, buf);
}
