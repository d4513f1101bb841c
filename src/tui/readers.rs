//! Readers: texts shown over the screen (help, activity, workers, a host or an account, why a text is what it is), which a person can scroll.

mod activity;
mod help;
mod why;
mod workers;

use super::model::Model;
use super::model::overlay::Overlay;
use super::scope::PaneId;
use super::text::{Spans, span};
use super::theme::Tone;
use super::views;

/// Returns title and lines of the open reader; `None` when the open overlay is no reader.
pub fn text(model: &Model) -> Option<(String, Vec<Spans>)> {
    let titled = |title: &str, text| Some((title.to_owned(), text));
    match model.overlay.as_ref()? {
        Overlay::Help(_) => titled(&help::title(model), help::text(model)),
        Overlay::Activity(_) => titled("activity, newest first", activity::text(model)),
        Overlay::Workers(_) => titled("workers", workers::text(model)),
        Overlay::Why(_) => titled("why this text", why::text(model)),
        Overlay::About(_) => views::for_pane(PaneId::View(model.active_view)).about(model).or_else(|| {
            // The row existed when the reader was opened.
            titled("removed", vec![vec![span("All documents here were removed.", Tone::Plain)]])
        }),
        _ => None,
    }
}
