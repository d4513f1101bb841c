//! Draws the open overlay: a prompt, or a dialog, a reader or the palette over the dimmed screen.

use super::{batches, dialog, palette, prompt, reader};
use crate::tui::layout::Areas;
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::readers;
use crate::tui::widgets::canvas::dim;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Draws the overlay. Returns the position of the text cursor if the overlay is a prompt or the palette.
pub(super) fn draw(model: &Model, areas: Areas, buf: &mut Buffer) -> Option<Position> {
    let overlay = model.overlay.as_ref()?;
    let screen = buf.area;
    let body = Rect { height: screen.height.saturating_sub(1), ..screen };
    if let Overlay::Prompt(typed) = overlay {
        return prompt::draw(model, typed, areas, buf);
    }
    dim(body, buf, &model.theme);
    match overlay {
        Overlay::Prompt(_) => {}
        Overlay::Help(scroll)
        | Overlay::Activity(scroll)
        | Overlay::Workers(scroll)
        | Overlay::About(scroll)
        | Overlay::Why(scroll) => {
            if let Some((title, text)) = readers::text(model) {
                reader::draw(model, &title, &text, *scroll, buf);
            }
        }
        Overlay::Palette(open) => return palette::draw(model, open, body, buf),
        Overlay::Columns(selected) => dialog::columns(model, *selected, body, buf),
        Overlay::Batches(selected) => batches::list(model, *selected, body, buf),
        Overlay::Sort => dialog::sort(model, body, buf),
        Overlay::Confirm(open) => dialog::confirm(model, open, body, buf),
        Overlay::Choice(open) => dialog::choice(model, open, body, buf),
        Overlay::Preview(open) => dialog::preview(model, open, body, buf),
        Overlay::Quit(choice) => dialog::quit(model, *choice, body, buf),
    }
    None
}
