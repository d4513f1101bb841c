//! A document in one line, for a pane about something that documents share.

use super::draw::{name, sign};
use super::text::{attempted, next};
use crate::domain::document::DocumentRow;
use crate::domain::text::width;
use crate::tui::model::Model;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;

/// Cells of the time of the last attempt, and of the next one.
const TIMES: [usize; 2] = [11, 11];
/// Cells of a line from which it has the times.
const TIMES_MIN_CELLS: usize = 50;

/// Returns the cells of the name, and of each time; a narrow line has no times.
fn widths(cells: usize) -> (usize, [usize; 2]) {
    let times = if cells < TIMES_MIN_CELLS { [0, 0] } else { TIMES };
    (cells.saturating_sub(2 + times.iter().sum::<usize>()), times)
}

/// Returns the heading of the lines, which are `cells` cells wide.
pub fn heading(cells: usize) -> Spans {
    let (name_cells, times) = widths(cells);
    let mut line = vec![span(format!("  {:<name_cells$}", "document"), Tone::Dim)];
    for (cells, word) in times.into_iter().zip(["attempted", "next"]).filter(|(cells, _)| *cells > 0) {
        line.push(span(format!("{word:>cells$}"), Tone::Dim));
    }
    line
}

/// Returns the line of a document, `cells` cells wide: sign, name, last attempt, next attempt.
pub fn line(model: &Model, row: &DocumentRow, cells: usize) -> Spans {
    let (name_cells, times) = widths(cells);
    let mut line = vec![sign(model, row), span(" ", Tone::Plain)];
    let name = name(model, row, u16::try_from(name_cells).unwrap_or(u16::MAX));
    let used: usize = name.iter().map(|(text, _)| width(text)).sum();
    line.extend(name);
    line.push(span(" ".repeat(name_cells.saturating_sub(used)), Tone::Plain));
    let (next, tone) = next(model, row);
    for (cells, (text, tone)) in times.into_iter().zip([(attempted(model, row), Tone::Dim), (next, tone)]) {
        if cells > 0 {
            line.push(span(" ".repeat(cells.saturating_sub(width(&text))), Tone::Plain));
            line.push(span(text, tone));
        }
    }
    line
}
