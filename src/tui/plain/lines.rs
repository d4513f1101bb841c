//! Lines of text, read from the cells of a buffer.

use crate::domain::text::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

/// Number of cells in reverse video above which they are the row under the cursor, and no match of a search.
const SELECTED_CELLS: u16 = 10;

/// A line of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    /// The line is the row under the cursor.
    pub(super) selected: bool,
}

/// Returns the lines within `area` that have any text.
pub(super) fn read(buf: &Buffer, area: Rect) -> Vec<Line> {
    let area = area.intersection(buf.area);
    (area.top()..area.bottom()).map(|y| line(buf, area, y)).filter(|line| !line.text.is_empty()).collect()
}

fn line(buf: &Buffer, area: Rect, y: u16) -> Line {
    let (mut text, mut covered, mut reversed) = (String::new(), 0, 0_u16);
    for x in area.left()..area.right() {
        let Some(cell) = buf.cell((x, y)) else { continue };
        reversed += u16::from(cell.modifier.contains(Modifier::REVERSED));
        if covered > 0 {
            covered -= 1;
            continue;
        }
        covered = width(cell.symbol()).saturating_sub(1);
        text.extend(cell.symbol().chars().map(|c| if is_decoration(c) { ' ' } else { c }));
    }
    // Columns stay apart by two spaces.
    let parts = text.split("  ").map(str::trim).filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join("  ");
    Line { text, selected: reversed > SELECTED_CELLS }
}

/// Returns true for frames, bars and dots of charts, which have no meaning when read aloud.
fn is_decoration(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{259f}' | '\u{2800}'..='\u{28ff}') || c.is_control()
}
