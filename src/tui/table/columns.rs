//! Layout and drawing of a table's columns.
//!
//! This module does not use ratatui's `Table`, for three reasons. `Table` cuts a heading at the width of the column,
//! but the heading "attempted" is wider than the ages below. A line of `Table` cannot span columns, as the section
//! headings of the jobs view do. And `Table` cuts text without an ellipsis.

use crate::store::{Sort, SortBy};
use crate::tui::model::Model;
use crate::tui::text::Spans;
use crate::tui::theme::{Appearance, Tone};
use crate::tui::widgets::canvas::{Canvas, cells};
use std::ops::Range;

/// The side of a column to which its text is aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Align {
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Cells(u16),
    /// A share of the cells that the fixed columns leave; [`Columns::text_widths`] computes the share.
    Text,
}

/// The condition under which a column is visible.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    /// In tables whose width in cells is in this range.
    Within(Range<u16>),
    /// In tables whose width in cells is in this range, if the FAQs of documents are known.
    WithFaqs(Range<u16>),
    /// If the column fits after the columns with a lower rank.
    Rank(u8),
}

/// A column of a table with rows of type `R`.
#[derive(Debug)]
pub struct TableColumn<R: 'static> {
    heading: &'static str,
    width: Width,
    gap: u16,
    align: Align,
    condition: Condition,
    sort: Option<SortBy>,
    cell: fn(&Model, &R, u16) -> Spans,
}

impl<R> TableColumn<R> {
    /// Creates a column of `cells` cells with left-aligned text, after a gap of one cell. `cell` returns the column's
    /// text of a row, given the width of the column in cells.
    pub const fn left(heading: &'static str, cells: u16, cell: fn(&Model, &R, u16) -> Spans) -> Self {
        let (width, align) = (Width::Cells(cells), Align::Left);
        Self { heading, width, gap: 1, align, condition: Condition::Always, sort: None, cell }
    }

    /// Creates a right-aligned column without a gap before it, because numbers seldom fill their column.
    pub const fn right(heading: &'static str, cells: u16, cell: fn(&Model, &R, u16) -> Spans) -> Self {
        let (width, align) = (Width::Cells(cells), Align::Right);
        Self { heading, width, gap: 0, align, condition: Condition::Always, sort: None, cell }
    }

    /// Creates a left-aligned column after a gap of one cell, whose width is a share of the cells that the columns of
    /// fixed width leave. A table has at most two text columns.
    pub const fn text(heading: &'static str, cell: fn(&Model, &R, u16) -> Spans) -> Self {
        Self { heading, width: Width::Text, gap: 1, align: Align::Left, condition: Condition::Always, sort: None, cell }
    }

    /// Sets the number of empty cells before the column.
    pub const fn gap(mut self, cells: u16) -> Self {
        self.gap = cells;
        self
    }

    /// Shows the column only if it fits after the columns with a lower rank.
    pub const fn rank(mut self, rank: u8) -> Self {
        self.condition = Condition::Rank(rank);
        self
    }

    /// Shows the column only in tables whose width in cells is in this range.
    pub const fn within(mut self, cells: Range<u16>) -> Self {
        self.condition = Condition::Within(cells);
        self
    }

    /// Shows the column only in tables whose width in cells is in this range, and only if the FAQs of documents are known.
    pub const fn with_faqs_within(mut self, cells: Range<u16>) -> Self {
        self.condition = Condition::WithFaqs(cells);
        self
    }

    /// Highlights the heading while documents are sorted by `sort`.
    pub const fn sorted_by(mut self, sort: SortBy) -> Self {
        self.sort = Some(sort);
        self
    }

    /// Returns the number of cells that the column takes at least: the gap and the fixed width, or only the gap for a
    /// text column.
    fn fixed_cells(&self) -> u16 {
        match self.width {
            Width::Cells(cells) => self.gap + cells,
            Width::Text => self.gap,
        }
    }
}

/// The columns of a table, and the rule by which text columns share the remaining cells.
#[derive(Debug)]
pub struct Columns<R: 'static> {
    /// The columns from left to right.
    pub columns: &'static [TableColumn<R>],
    /// Number of empty cells at the right end of the table.
    pub margin: u16,
    /// Number of cells that stay reserved for the text columns when ranked columns are added.
    pub min_text: u16,
    /// Splits the cells that fixed columns leave between the first and the second text column.
    pub text_widths: fn(u16) -> [u16; 2],
}

/// A visible column with its position.
#[derive(Debug)]
pub struct PositionedColumn<R: 'static> {
    column: &'static TableColumn<R>,
    /// Offset of the first cell from the table's left edge.
    pub x: u16,
    /// Width in cells, without the gap.
    pub cells: u16,
}

impl<R> Columns<R> {
    /// Returns the visible columns of a table that is `width` cells wide, from left to right. Ranked columns are
    /// considered from the lowest rank up; a narrow column may still fit where a wider one did not.
    pub fn layout(&self, width: u16) -> Vec<PositionedColumn<R>> {
        self.layout_of(width, false)
    }

    fn layout_of(&self, width: u16, has_faqs: bool) -> Vec<PositionedColumn<R>> {
        self.layout_with(&self.columns.iter().collect::<Vec<_>>(), width, has_faqs)
    }

    /// Returns those of `columns` that are visible, like [`layout`](Self::layout); with `has_faqs` also those about
    /// FAQs.
    pub fn layout_with(
        &self,
        columns: &[&'static TableColumn<R>],
        width: u16,
        has_faqs: bool,
    ) -> Vec<PositionedColumn<R>> {
        let mut shown: Vec<bool> = columns.iter().map(|column| is_shown(&column.condition, width, has_faqs)).collect();
        let fixed = |shown: &[bool]| {
            columns.iter().zip(shown).filter(|(_, shown)| **shown).map(|(column, _)| column.fixed_cells()).sum::<u16>()
        };
        let mut available = width.saturating_sub(self.margin + fixed(&shown) + self.min_text);
        for (index, cells) in ranked(columns) {
            shown[index] = cells <= available;
            available -= if shown[index] { cells } else { 0 };
        }
        let mut text = (self.text_widths)(width.saturating_sub(self.margin + fixed(&shown))).into_iter();
        let mut x = 0;
        let mut placed = Vec::new();
        for (column, _) in columns.iter().zip(shown).filter(|(_, shown)| *shown) {
            let cells = match column.width {
                Width::Cells(cells) => cells,
                Width::Text => text.next().unwrap_or(0),
            };
            x += column.gap;
            placed.push(PositionedColumn { column, x, cells });
            x += cells;
        }
        placed
    }
}

/// Returns the index and the number of cells, with the gap, of each ranked column, lowest rank first.
fn ranked<R>(columns: &[&TableColumn<R>]) -> impl Iterator<Item = (usize, u16)> + use<R> {
    let mut ranked: Vec<(u8, usize, u16)> = Vec::new();
    for (index, column) in columns.iter().enumerate() {
        if let Condition::Rank(rank) = column.condition {
            ranked.push((rank, index, column.fixed_cells()));
        }
    }
    ranked.sort_unstable();
    ranked.into_iter().map(|(_, index, cells)| (index, cells))
}

fn is_shown(condition: &Condition, width: u16, has_faqs: bool) -> bool {
    match condition {
        Condition::Always => true,
        Condition::Within(cells) => cells.contains(&width),
        Condition::WithFaqs(cells) => has_faqs && cells.contains(&width),
        Condition::Rank(_) => false,
    }
}

impl<R> PositionedColumn<R> {
    /// Returns true for a text column.
    pub fn is_text(&self) -> bool {
        self.column.width == Width::Text
    }

    /// Returns true for a right-aligned column.
    pub fn is_right(&self) -> bool {
        self.column.align == Align::Right
    }

    /// Returns the offset of the cell after the column.
    pub const fn end(&self) -> u16 {
        self.x + self.cells
    }

    /// Returns the direction of the order `sort` of documents if it is by this column: true if it is descending.
    pub fn direction(&self, sort: Sort) -> Option<bool> {
        (self.column.sort == Some(sort.by)).then_some(sort.descending)
    }

    pub const fn heading(&self) -> &'static str {
        self.column.heading
    }

    /// Draws the column's heading in line `y`. If the rows are sorted by this column, `descending` has a value, the
    /// heading is highlighted, and an arrow shows the direction.
    pub fn draw_heading(&self, y: u16, descending: Option<bool>, canvas: &mut Canvas<'_>, appearance: Appearance) {
        let style = appearance.theme.style(if descending.is_some() { Tone::Strong } else { Tone::Dim });
        let sign = descending.map_or("", |descending| appearance.glyphs.sort_sign(descending));
        let heading = self.column.heading;
        match self.column.align {
            Align::Left => {
                let end = canvas.text(self.x, y, self.cells, heading, style);
                canvas.text(end, y, (self.x + self.cells + 1).saturating_sub(end), sign, style);
            }
            // A heading that is wider than its column extends over the end of the column on its left.
            Align::Right => canvas.right(self.end(), y, &format!("{heading}{sign}"), style),
        }
    }

    /// Returns true if the column has no text for `row`.
    pub fn is_empty(&self, model: &Model, row: &R) -> bool {
        cells(&(self.column.cell)(model, row, self.cells)) == 0
    }

    /// Returns this column with the room up to the end of `other`, which is on its right.
    pub const fn up_to(&self, other: &Self) -> Self {
        Self { column: self.column, x: self.x, cells: other.end() - self.x }
    }

    /// Draws the column's text of `row` in line `y`.
    pub fn draw(&self, model: &Model, row: &R, y: u16, canvas: &mut Canvas<'_>, appearance: Appearance) {
        let words = (self.column.cell)(model, row, self.cells);
        match self.column.align {
            Align::Left => canvas.spans(self.x, y, self.cells, &words, appearance),
            Align::Right => {
                let taken = cells(&words);
                canvas.spans(self.end().saturating_sub(taken), y, taken.min(self.end()), &words, appearance)
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type TestColumn = TableColumn<()>;

    const fn nothing(_: &Model, _row: &(), _: u16) -> Spans {
        Spans::new()
    }

    #[test]
    fn what_is_missed_most_takes_its_room_first() {
        static COLUMNS: [TestColumn; 4] = [
            TestColumn::text("", nothing).gap(0),
            TestColumn::right("a", 5, nothing).rank(3),
            TestColumn::right("b", 9, nothing).rank(1),
            TestColumn::right("c", 6, nothing).rank(2),
        ];
        let columns = Columns { columns: &COLUMNS, margin: 1, min_text: 2, text_widths: |text| [text, 0] };
        let headings = |width| columns.layout(width).iter().map(|placed| placed.column.heading).collect::<String>();
        let shown = [20, 19, 15, 14, 13, 9, 8, 5, 4].map(|available| headings(available + 3));
        assert_eq!(shown, ["abc", "bc", "bc", "ab", "b", "b", "c", "a", ""]);
    }

    #[test]
    fn text_takes_what_the_others_leave() {
        static COLUMNS: [TestColumn; 4] = [
            TestColumn::left("s", 1, nothing).gap(3),
            TestColumn::text("n", nothing),
            TestColumn::text("m", nothing).gap(2),
            TestColumn::right("t", 6, nothing).within(20..u16::MAX),
        ];
        let columns =
            Columns { columns: &COLUMNS, margin: 0, min_text: 0, text_widths: |text| [text / 3, text - text / 3] };
        let placed = |width| columns.layout(width).iter().map(|placed| (placed.x, placed.cells)).collect::<Vec<_>>();
        assert_eq!(placed(40), [(3, 1), (5, 9), (16, 18), (34, 6)]);
        assert_eq!(placed(19), [(3, 1), (5, 4), (11, 8)]);
        assert_eq!(placed(3), [(3, 1), (5, 0), (7, 0)]);
    }
}
