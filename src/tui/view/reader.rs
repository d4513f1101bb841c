//! Draws a reader (a text that a person can scroll) in the middle of the screen.

use crate::tui::action::Action;
use crate::tui::layout::{inside, reader, reader_lines};
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::widgets::canvas::{Canvas, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;

/// Draws `text` from line `scroll` on, or from an earlier line if lines of the reader would stay empty.
pub(super) fn draw(model: &Model, title: &str, text: &[Spans], scroll: usize, buf: &mut Buffer) {
    let appearance = model.appearance();
    let rows = reader_lines(model.size);
    let area = reader(model.size);
    clear(area, buf);
    let scroll = scroll.min(text.len().saturating_sub(rows));
    let below = text.len().saturating_sub(scroll + rows);
    let mut foot = Spans::new();
    if below > 0 {
        foot.push(span(
            format!("{} {below} more lines, {} scrolls down", appearance.glyphs.below, model.key(Action::Down)),
            Tone::Dim,
        ));
    }
    let title = [span(clip(title, 40, appearance.glyphs.ellipsis), Tone::Strong)];
    let is_searchable = matches!(model.overlay, Some(Overlay::Help(_))) && model.help_search.is_none();
    let aside = if is_searchable {
        vec![span(format!("{} searches", model.key(Action::SearchHelp)), Tone::Dim)]
    } else {
        Spans::new()
    };
    Frame { title: &title, aside: &aside, foot: &foot, border: appearance.theme.border(true) }
        .draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    for (y, line) in text.iter().skip(scroll).take(rows).enumerate() {
        canvas.spans(1, y as u16, inner.width.saturating_sub(2), line, appearance);
    }
}
