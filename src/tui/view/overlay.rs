//! What lies over the screen: dims what is behind it and draws the one thing that is open.

use super::{dialog, palette, prompt};
use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::readers::{about, help, workers};
use crate::tui::widgets::canvas::{Look, dim};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Draws it; where the cursor of a typed line stands.
pub(in crate::tui) fn draw(model: &Model, areas: Areas, buf: &mut Buffer) -> Option<Position> {
    let overlay = model.overlay.as_ref()?;
    let look = Look::of(model);
    let screen = buf.area;
    let body = Rect { height: screen.height.saturating_sub(1), ..screen };
    if let Overlay::Prompt(typed) = overlay {
        return prompt::draw(model, typed, areas, buf);
    }
    dim(body, buf, &look.theme);
    match overlay {
        Overlay::Prompt(_) => {}
        Overlay::Help(scroll) => help::draw(model, *scroll, buf),
        Overlay::Activity(scroll) => help::activity(model, *scroll, buf),
        Overlay::Workers(scroll) => workers::draw(model, *scroll, buf),
        Overlay::About(scroll) => about::draw(model, *scroll, buf),
        Overlay::Palette(open) => return palette::draw(model, open, body, buf),
        Overlay::Sort => dialog::sort(model, body, buf),
        Overlay::Confirm(open) => dialog::confirm(model, open, body, buf),
        Overlay::Choice(open) => dialog::choice(model, open, body, buf),
        Overlay::Preview(open) => dialog::preview(model, open, body, buf),
        Overlay::Quit(choice) => dialog::quit(model, *choice, body, buf),
    }
    None
}

/// A box of at most `width` by `height` cells in the middle of `area`.
pub(in crate::tui) fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}
