//! Sentences and labelled values, broken into lines of a given width, for readers.

use super::lines::wrap;
use super::{Spans, span};
use crate::tui::theme::Tone;

/// Width of a label in cells.
pub const LABEL: usize = 12;
/// Maximum number of lines of a sentence or a value.
const LINES: usize = 6;

/// Builder of lines of at most a given width in cells.
#[derive(Debug)]
pub struct Facts {
    cells: usize,
    pub lines: Vec<Spans>,
}

impl Facts {
    /// Returns a builder without lines; each line will have at most `cells` cells.
    pub const fn new(cells: usize) -> Self {
        Self { cells, lines: Vec::new() }
    }

    /// Adds a sentence in the tone of its first piece.
    pub fn sentence(&mut self, sentence: &[(String, Tone)]) {
        let tone = sentence.first().map_or(Tone::Plain, |(_, tone)| *tone);
        let whole: String = sentence.iter().map(|(text, _)| text.as_str()).collect();
        self.lines.extend(wrap(&whole, self.cells, LINES).into_iter().map(|line| vec![span(line, tone)]));
    }

    /// Adds an empty line.
    pub fn gap(&mut self) {
        self.lines.push(Spans::new());
    }

    /// Adds a value with its label.
    pub fn fact(&mut self, label: &str, value: &str) {
        let mut label = format!("{label:LABEL$}");
        for line in wrap(value, self.cells.saturating_sub(LABEL), LINES) {
            self.lines.push(vec![span(label, Tone::Dim), span(line, Tone::Plain)]);
            label = " ".repeat(LABEL);
        }
    }
}
