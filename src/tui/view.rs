//! The screen, drawn from the state alone. One small file per region; where they stand says [`layout`](super::layout).

pub mod about;
mod accounts;
pub mod changes;
pub mod detail;
mod dialog;
mod footer;
mod head;
pub mod help;
mod hosts;
mod jobs;
mod list;
mod overlay;
mod paint;
mod palette;
pub mod panel;
mod peek;
mod prompt;
mod table;
pub mod waiting;
pub mod wake;
pub mod workers;

pub use paint::Look;

use super::layout::{SMALLEST, areas, too_small};
use super::model::Model;
use super::model::views::Shown;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Draws the whole screen. Where the cursor of a typed line stands, if one is typed.
pub fn draw(model: &Model, buf: &mut Buffer) -> Option<Position> {
    let area = buf.area;
    if too_small(model.size) {
        say_too_small(model, area, buf);
        return None;
    }
    let areas = areas(model);
    head::draw(model, areas.head, buf);
    if model.detail.is_some() {
        detail::draw(model, areas.main, buf);
    } else {
        match model.shown {
            Shown::Documents => list::draw(model, areas.main, buf),
            Shown::Jobs => jobs::draw(model, areas.main, buf),
            Shown::Hosts => hosts::draw(model, areas.main, buf),
            Shown::Accounts => accounts::draw(model, areas.main, buf),
        }
        peek::draw(model, areas.peek, buf);
    }
    panel::draw(model, areas.panel, buf);
    footer::draw(model, areas.footer, buf);
    overlay::draw(model, areas, buf)
}

fn say_too_small(model: &Model, area: Rect, buf: &mut Buffer) {
    let (needs, has) = (format!("{}x{} cells", SMALLEST.0, SMALLEST.1), format!("{}x{}", model.size.0, model.size.1));
    let mut lines = vec![format!("quarterdeck needs {needs}"), format!("this terminal has {has}")];
    if lines.iter().any(|line| line.len() > usize::from(area.width)) {
        lines = vec![format!("needs {needs}"), format!("has {has}")];
    }
    let mut canvas = paint::Canvas::new(buf, area);
    for (y, line) in lines.iter().enumerate() {
        canvas.text(0, y as u16, area.width, line, ratatui::style::Style::new());
    }
}
