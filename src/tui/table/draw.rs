//! Drawing of a table's pane: frame and title, the message of an empty table, rows below their headings, and the styles
//! of the cursor row and of rows that are old because the last read failed.

use super::columns::Columns;
use super::state::{Rows, TableRow, TableState};
use crate::domain::text::width;
use crate::format;
use crate::store::Listing;
use crate::tui::action::Action;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::{Canvas, cells};
use crate::tui::widgets::frame::Frame;
use crate::tui::widgets::scroll_bar::ScrollBar;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Maximum number of lines of the message in a table without rows.
const MAX_MESSAGE_LINES: usize = 4;
/// Number of cells in the top or bottom line of a frame that cannot hold text.
const FRAME_CELLS: u16 = 6;
const TITLE_GAP_CELLS: u16 = 5;

/// The texts of a table's pane, apart from the rows.
pub struct PaneHeader {
    /// The view's name, with which the title begins.
    pub name: &'static str,
    /// The numbers of rows, which follow the name in the title.
    pub totals: Spans,
    /// The message if the store has no rows for the table.
    pub empty_text: &'static str,
    /// The text in the bottom line of the frame, unless a toast (a short message) is shown there.
    pub foot: Spans,
}

/// Draws the pane of a table with one line per row.
pub fn draw<R: TableRow + 'static>(
    model: &Model,
    table: &TableState<Listing<R>>,
    columns: &Columns<R>,
    header: PaneHeader,
    pane: &Pane,
    buf: &mut Buffer,
) {
    let appearance = model.appearance();
    let Some(mut canvas) = frame(model, table, header, pane, buf) else { return };
    let placed = columns.layout(canvas.area.width);
    for column in &placed {
        column.draw_heading(0, direction(table, column.heading()), &mut canvas, appearance);
    }
    let rows = table.data.rows.iter().enumerate().skip(table.top);
    for ((index, row), y) in rows.zip(1..canvas.area.height) {
        for column in &placed {
            column.draw(model, row, y, &mut canvas, appearance);
        }
        style_row(pane.focused, index == table.cursor_index, table.read_error.is_some(), y, &mut canvas, appearance);
    }
    let rows = u64::from(inside(pane.area).height.saturating_sub(1));
    let bar = ScrollBar { top: table.top as u64, rows, total: table.data.rows.len() as u64 };
    bar.draw(pane.area, 2, pane.focused, buf, appearance);
}

/// Returns the direction of the table's order if a person has chosen the column with this heading: true if it is
/// descending.
pub fn direction(rows: &dyn Rows, heading: &str) -> Option<bool> {
    let order = rows.order()?;
    let is_it = |(letter, name): &(char, &str)| *letter == order.letter && *name == heading;
    rows.orders().iter().any(is_it).then_some(order.descending)
}

/// Draws the frame of a table's pane and returns the canvas inside the frame. Returns `None` if the pane is not shown.
/// Also returns `None` for a table without rows, after drawing a message: the reason of a failed read, that the read is
/// under way, or `header.empty_text`.
pub fn frame<'b>(
    model: &Model,
    rows: &dyn Rows,
    header: PaneHeader,
    pane: &Pane,
    buf: &'b mut Buffer,
) -> Option<Canvas<'b>> {
    if pane.area.is_empty() {
        return None;
    }
    let appearance = model.appearance();
    let foot = if pane.toast.is_empty() { &header.foot } else { &pane.toast };
    let border = appearance.theme.border(pane.focused);
    let mut title = title(model, rows, header.name, header.totals);
    title.splice(0..0, pane.crumbs.iter().cloned());
    Frame { title: &title, aside: &[], foot, border }.draw(pane.area, buf, appearance);
    let inner = inside(pane.area);
    let mut canvas = Canvas::new(buf, inner);
    if rows.rows() > 0 {
        return Some(canvas);
    }
    let (message, tone) = match (rows.read_error(), rows.read_at()) {
        (Some(error), _) => (error.to_string(), Tone::Failed),
        (None, None) => (format!("Reading the {}", header.name), Tone::Dim),
        (None, Some(_)) => (header.empty_text.to_owned(), Tone::Plain),
    };
    let lines = wrap(&message, usize::from(inner.width.saturating_sub(2)), MAX_MESSAGE_LINES);
    let top = inner.height.saturating_sub(lines.len() as u16) / 2;
    for (line, y) in lines.iter().zip(top..) {
        let x = inner.width.saturating_sub(width(line) as u16) / 2;
        canvas.text(x, y, inner.width, line, appearance.theme.style(tone));
    }
    None
}

fn title(model: &Model, rows: &dyn Rows, name: &'static str, totals: Spans) -> Spans {
    let mut title = vec![span(name, Tone::Strong)];
    let old = rows.age(model.now).map(format::age);
    match (rows.read_error(), old) {
        (Some(error), Some(old)) => title.push(span(format!("  data {old} old: {error}"), Tone::Failed)),
        (Some(error), None) => title.push(span(format!("  {error}"), Tone::Failed)),
        (None, _) if rows.read_at().is_none() => title.push(span(" reading", Tone::Dim)),
        (None, old) => {
            title.extend(totals);
            title.extend(chosen_order(model, rows));
            title.extend(old.map(|old| span(format!("  {old} old"), Tone::Waiting)));
        }
    }
    title
}

/// Returns the order that a person has chosen, in words: on a narrow screen its column may be hidden.
fn chosen_order(model: &Model, rows: &dyn Rows) -> Option<(String, Tone)> {
    let order = rows.order()?;
    let (_, name) = rows.orders().into_iter().find(|(letter, _)| *letter == order.letter)?;
    let (dot, sign) = (model.glyphs.dot, model.glyphs.sort_sign(order.descending));
    Some(span(format!(" {dot} by {name} {sign}"), Tone::Dim))
}

/// Returns the text for the frame's bottom line: the summary `in_short` of the row under the cursor, cut to the pane's
/// width, and the key that shows more. Empty if there is no summary, or if the peek pane (below the view) explains the
/// row already.
pub fn foot_summary(model: &Model, pane: &Pane, in_short: impl FnOnce(&Model) -> Spans) -> Spans {
    if pane.explained {
        return Spans::new();
    }
    let mut summary = in_short(model);
    if summary.is_empty() {
        return summary;
    }
    let key = model.key(Action::About);
    let hint = [span(format!("  {key}"), Tone::Accent), span(" about", Tone::Dim)];
    let mut available = usize::from(pane.area.width.saturating_sub(FRAME_CELLS + cells(&hint)));
    for (text, _) in &mut summary {
        *text = clip(text, available, model.glyphs.ellipsis);
        available = available.saturating_sub(width(text));
    }
    summary.extend(hint);
    summary
}

/// Returns the first of `asides` that fits next to `title` in the frame around `inner`; the last one if none fits.
pub fn aside_that_fits(asides: Vec<String>, title: &[(String, Tone)], inner: Rect) -> String {
    let available = usize::from((inner.width + 2).saturating_sub(FRAME_CELLS + TITLE_GAP_CELLS + cells(title)));
    let last = asides.last().cloned().unwrap_or_default();
    asides.into_iter().find(|aside| width(aside) <= available).unwrap_or(last)
}

/// Returns a number and the word that says what is counted, such as ` 3 paused`, for a title.
pub fn labelled_total(number: u64, word: &str) -> [(String, Tone); 2] {
    [span(format!(" {}", format::number(number)), Tone::Plain), span(format!(" {word}"), Tone::Dim)]
}

/// Returns the total number of rows, `of`, as text; "300 of 1,000" if only `rows` rows were read.
pub fn shown_of_total(rows: usize, of: u64) -> Spans {
    let rows = rows as u64;
    if rows >= of {
        return vec![span(format!(" {}", format::number(of)), Tone::Plain)];
    }
    vec![
        span(format!(" {}", format::number(rows)), Tone::Plain),
        span(format!(" of {}", format::number(of)), Tone::Dim),
    ]
}

/// Styles the row in line `y` as the cursor row if `under_cursor` (in a pane without the focus, only by the bar before
/// the row), else as an old row if `is_old` (the last read failed). Other rows stay unchanged.
pub fn style_row(
    focused: bool,
    under_cursor: bool,
    is_old: bool,
    y: u16,
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let wide = canvas.area.width;
    if under_cursor {
        canvas.text(0, y, 1, appearance.glyphs.bar, appearance.theme.border(focused));
        if focused {
            canvas.restyle(1, y, wide.saturating_sub(1), appearance.theme.cursor());
        }
    } else if is_old {
        canvas.restyle(0, y, wide, appearance.theme.dimmed());
    }
}
