//! The content of a reader (a text shown over the screen): sentences and labelled values, wrapped at a given width.

use super::lines::wrap;
use super::{Spans, span};
use crate::tui::theme::Tone;

/// Width in cells to which labels are padded.
pub const LABEL: usize = 12;
/// Maximum number of lines that a sentence or a value takes; the rest is cut off.
const LINES: usize = 6;

/// Builds the sentences and labelled values of a reader, wrapped at a given width in cells.
#[derive(Debug)]
pub struct Facts {
    cells: usize,
    pub lines: Vec<Spans>,
}

impl Facts {
    /// Creates a builder without lines, which wraps at `cells` cells.
    pub const fn new(cells: usize) -> Self {
        Self { cells, lines: Vec::new() }
    }

    /// Adds a sentence, all of it in the tone of the first piece.
    pub fn sentence(&mut self, sentence: &[(String, Tone)]) {
        let tone = sentence.first().map_or(Tone::Plain, |(_, tone)| *tone);
        let whole: String = sentence.iter().map(|(text, _)| text.as_str()).collect();
        self.lines.extend(wrap(&whole, self.cells, LINES).into_iter().map(|line| vec![span(line, tone)]));
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.lines.push(Spans::new());
    }

    /// Adds a value, with `label` before the first line of the value.
    pub fn fact(&mut self, label: &str, value: &str) {
        let mut label = format!("{label:LABEL$}");
        for line in wrap(value, self.cells.saturating_sub(LABEL), LINES) {
            self.lines.push(vec![span(label, Tone::Dim), span(line, Tone::Plain)]);
            label = " ".repeat(LABEL);
        }
    }
}
