//! Tables with aligned columns. Cells that are too wide for their column are wrapped.

use super::inline::{Styling, Word, WordLine, line_width, plain_words, print, words, wrap};

/// Number of blank cells between two columns.
const COLUMN_GAP: usize = 2;
/// Maximum width in cells of a word that is broken only if wrapping between words does not make the columns narrow
/// enough.
const MAX_UNBROKEN_WORD: usize = 24;

/// Renders a Markdown table from its rows, without the row of dashes. The first row is the heading.
pub(super) fn render(rows: &[Vec<String>], width: usize, indent: usize, styling: Styling) -> String {
    let rows: Vec<Vec<Vec<Word>>> =
        rows.iter().map(|row| row.iter().map(|cell| words(cell, styling)).collect()).collect();
    let widths = column_widths(&rows, width.saturating_sub(indent));
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&lines(row, &widths, indent, styling, index == 0));
        if index == 0 {
            let rule: Vec<_> = widths.iter().map(|cells| "-".repeat(*cells)).collect();
            text.push_str(&format!("{:indent$}{}\n", "", rule.join("  ")));
        }
    }
    text
}

/// Renders rows of two columns of plain text, without a heading, indented by two cells.
pub(super) fn columns(rows: &[[String; 2]], width: usize) -> String {
    let rows: Vec<Vec<Vec<Word>>> = rows.iter().map(|row| row.iter().map(|cell| plain_words(cell)).collect()).collect();
    let widths = column_widths(&rows, width.saturating_sub(COLUMN_GAP));
    rows.iter().map(|row| lines(row, &widths, COLUMN_GAP, Styling::None, false)).collect()
}

/// Returns the columns' widths in cells: as wide as their text, with the widest column narrowed until all fit into
/// `width` or every column has one cell.
fn column_widths(rows: &[Vec<Vec<Word>>], width: usize) -> Vec<usize> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widest = |index: usize, of: &dyn Fn(&Vec<Word>) -> usize| {
        rows.iter().filter_map(|row| row.get(index)).map(of).max().unwrap_or_default().max(1)
    };
    let longest_word = |cell: &Vec<Word>| cell.iter().map(Word::width).max().unwrap_or_default().min(MAX_UNBROKEN_WORD);
    let least: Vec<_> = (0..count).map(|index| widest(index, &longest_word)).collect();
    let mut widths: Vec<_> = (0..count).map(|index| widest(index, &|cell| line_width(cell))).collect();
    while widths.iter().sum::<usize>() + COLUMN_GAP * count.saturating_sub(1) > width {
        let widest_of = |least: &[usize]| {
            (0..count).filter(|index| widths[*index] > least[*index]).max_by_key(|index| widths[*index])
        };
        // Words are broken only when narrowing between words does not suffice.
        let Some(index) = widest_of(&least).or_else(|| widest_of(&vec![1; count])) else { break };
        widths[index] -= 1;
    }
    widths
}

fn lines(row: &[Vec<Word>], widths: &[usize], indent: usize, styling: Styling, strong: bool) -> String {
    let cells: Vec<Vec<WordLine>> = row.iter().zip(widths).map(|(cell, width)| wrap(cell, *width, true)).collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    let mut text = String::new();
    for y in 0..height {
        let mut line = " ".repeat(indent);
        let mut gap = 0;
        for (cell, width) in cells.iter().zip(widths) {
            let part = cell.get(y).map(Vec::as_slice).unwrap_or_default();
            if !part.is_empty() {
                line.push_str(&" ".repeat(gap));
                line.push_str(&print(part, styling, strong));
                gap = 0;
            }
            gap += width - line_width(part).min(*width) + COLUMN_GAP;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &[&[&str]]) -> Vec<Vec<String>> {
        table.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
    }

    #[test]
    fn columns_stand_under_each_other_at_any_width() {
        let table = rows(&[&["key", "what it does"], &["`s`", "sync the marked documents"], &["", "of one host"]]);
        let wide = "  key  what it does\n  ---  -------------------------\n  `s`  sync the marked documents\n       of one host\n";
        assert_eq!(render(&table, 80, 2, Styling::None), wide);
        let narrow = "key  what it\n     does\n---  ---------\n`s`  sync the\n     marked\n     documents\n     of one\n     host\n";
        assert_eq!(render(&table, 14, 0, Styling::None), narrow);
    }

    #[test]
    fn no_line_is_wider_than_it_may_be() {
        let long = "a_word_that_is_longer_than_any_column_could_be_wide and some more of them";
        let table = rows(&[&["one", "two", "three"], &[long, long, "日本語日本語日本語"]]);
        for width in [60, 80, 100] {
            let text = render(&table, width, 2, Styling::None);
            assert!(text.lines().all(|line| crate::domain::text::width(line) <= width), "{width}\n{text}");
        }
    }
}
