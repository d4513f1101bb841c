//! Text to be read over the screen, in lines of its width.

mod activity;
mod help;
mod workers;

use super::model::Model;
use super::model::overlay::Overlay;
use super::scope::PaneId;
use super::text::{Words, words};
use super::theme::Tone;
use super::views;

/// Returns the title and the lines of the text that is open; none when what is open is no text to be read.
pub fn text(model: &Model) -> Option<(String, Vec<Words>)> {
    let titled = |title: &str, text| Some((title.to_owned(), text));
    match model.overlay.as_ref()? {
        Overlay::Help(_) => titled("help", help::text(model)),
        Overlay::Activity(_) => titled("activity, newest first", activity::text(model)),
        Overlay::Workers(_) => titled("workers", workers::text(model)),
        Overlay::About(_) => views::of(PaneId::View(model.active)).about(model).or_else(|| {
            // It had its row when this was opened.
            titled("gone", vec![vec![words("No document is left.", Tone::Plain)]])
        }),
        _ => None,
    }
}
