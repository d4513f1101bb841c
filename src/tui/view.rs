//! The screen, drawn from the state alone. One small file per region; where they stand says [`layout`](super::layout).

mod dialog;
pub(in crate::tui) mod footer;
mod head;
pub(in crate::tui) mod overlay;
mod palette;
mod peek;
mod prompt;
pub mod waiting;

use super::layout::{SMALLEST, areas, too_small};
use super::model::Model;
use super::table::state::Shown;
use super::views::{accounts, detail, documents, hosts, jobs, outcomes};
use super::widgets::canvas::Canvas;
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
        detail::draw::draw(model, areas.main, buf);
    } else {
        match model.shown {
            Shown::Documents => documents::draw::draw(model, areas.main, buf),
            Shown::Jobs => jobs::draw::draw(model, areas.main, buf),
            Shown::Hosts => hosts::draw::draw(model, areas.main, buf),
            Shown::Accounts => accounts::draw::draw(model, areas.main, buf),
        }
        peek::draw(model, areas.peek, buf);
    }
    outcomes::draw::draw(model, areas.panel, buf);
    footer::draw(model, areas.footer, buf);
    overlay::draw(model, areas, buf)
}

fn say_too_small(model: &Model, area: Rect, buf: &mut Buffer) {
    let (needs, has) = (format!("{}x{} cells", SMALLEST.0, SMALLEST.1), format!("{}x{}", model.size.0, model.size.1));
    let mut lines = vec![format!("quarterdeck needs {needs}"), format!("this terminal has {has}")];
    if lines.iter().any(|line| line.len() > usize::from(area.width)) {
        lines = vec![format!("needs {needs}"), format!("has {has}")];
    }
    let mut canvas = Canvas::new(buf, area);
    for (y, line) in lines.iter().enumerate() {
        canvas.text(0, y as u16, area.width, line, ratatui::style::Style::new());
    }
}
