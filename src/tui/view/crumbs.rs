//! Breadcrumbs: the places that Escape goes back to, at the begin of the main pane's title.

use crate::tui::model::Model;
use crate::tui::model::trail::ScreenLocation;
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Pane width in cells from which the last two places are named, instead of the last one.
const TWO_LOCATIONS_MIN_WIDTH: u16 = 70;
/// Pane width in cells below which no place is named.
const MIN_WIDTH: u16 = 46;
/// Largest width of a place's name, in cells.
const MAX_NAME_CELLS: usize = 20;

/// Returns the names of the places that led to the present one, for a pane of `width` cells. A place that differs from
/// the next one only by its filter or cursor is not named, nor is one that the person left by the key of a view.
pub(super) fn crumbs(model: &Model, width: u16) -> Spans {
    let most = match width {
        ..MIN_WIDTH => 0,
        MIN_WIDTH..TWO_LOCATIONS_MIN_WIDTH => 1,
        _ => 2,
    };
    let places = &model.trail.places;
    let from = places.iter().rposition(|place| place.left_by_key).map_or(0, |at| at + 1);
    let mut words: Vec<&str> = places[from..].iter().map(ScreenLocation::word).collect();
    words.push(model.main_pane().word());
    words.dedup();
    words.pop();
    let sign = if model.glyphs.ascii { " > " } else { " › " };
    let first = words.len().saturating_sub(most);
    let names = words.iter().skip(first);
    names.map(|name| span(format!("{}{sign}", clip(name, MAX_NAME_CELLS, model.glyphs.ellipsis)), Tone::Dim)).collect()
}
