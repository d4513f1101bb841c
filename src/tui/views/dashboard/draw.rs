//! The drawing of the dashboard: a large chart of the figure under the cursor where there is room, and a line for each
//! figure.

use super::chart::{draw_large, draw_small, small_width};
use super::state::{DashboardLine, Figure};
use super::text::{heading, leads_to, name, tone, values};
use crate::format;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::draw::{PaneHeader, frame, style_row};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::Canvas;
use crate::tui::widgets::scroll_bar::ScrollBar;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Height inside the frame, in lines, from which there is a large chart.
const CHART_FROM: u16 = 18;
/// Offset of the names, in cells.
const NAME_X: u16 = 3;
/// Width of a value, in cells.
const VALUE_CELLS: u16 = 11;
/// Minimum and maximum width of a name in cells.
const NAME_CELLS: (u16, u16) = (13, 30);

/// Returns the number of lines of the large chart in a frame with `height` lines inside.
pub(super) fn chart_lines(height: u16) -> u16 {
    if height < CHART_FROM { 0 } else { (height / 3).min(12) }
}

/// Draws the dashboard with its frame.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let table = &model.views.dashboard;
    let foot = match table.figure() {
        Some(figure) if !pane.explained => with_keys(&leads_to(model, figure), Tone::Dim),
        _ => Spans::new(),
    };
    let header = PaneHeader { name: "dashboard", totals: totals(model), empty_text: "There are no figures.", foot };
    let Some(area) = frame(model, table, header, pane, buf).map(|canvas| canvas.area) else { return };
    let (appearance, data) = (model.appearance(), &table.data);
    let chart = chart_lines(area.height);
    if let Some(figure) = table.figure().filter(|_| chart > 0) {
        let place = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: chart - 1, ..area };
        draw_large(data, figure, place, buf, appearance);
    }
    let lines = data.lines();
    let columns = Lines::of(area.width);
    for (line, y) in lines.iter().skip(table.top).zip(chart..area.height) {
        match line {
            DashboardLine::Heading(section) => {
                let mut canvas = Canvas::new(buf, area);
                let [title, one, other] = heading(*section);
                let dim = appearance.theme.style(Tone::Dim);
                canvas.text(1, y, columns.name + NAME_X - 1, title, appearance.theme.style(Tone::Strong));
                canvas.right(columns.end(0), y, one, dim);
                canvas.right(columns.end(1), y, other, dim);
                if columns.small > 0 && y == chart {
                    canvas.text(columns.end(1) + 2, y, columns.small, "last hour", dim);
                }
            }
            DashboardLine::Figure(index, figure) => {
                if columns.small > 0 && has_small(figure) {
                    let (x, y) = (area.x + columns.end(1) + 2, area.y + y);
                    draw_small(data, figure, Rect::new(x, y, columns.small, 1), buf, appearance);
                }
                let mut canvas = Canvas::new(buf, area);
                let text = clip(&name(data, figure), usize::from(columns.name), appearance.glyphs.ellipsis);
                canvas.text(NAME_X, y, columns.name, &text, appearance.theme.style(Tone::Plain));
                let [one, other] = values(model, data, figure);
                let is_none = one == "0" || one == appearance.glyphs.none;
                let value = if is_none { Tone::Dim } else { value_tone(figure) };
                canvas.right(columns.end(0), y, &one, appearance.theme.style(value));
                canvas.right(columns.end(1), y, &other, appearance.theme.style(Tone::Dim));
                let is_old = table.read_error.is_some();
                style_row(pane.focused, *index == table.cursor_index, is_old, y, &mut canvas, appearance);
            }
        }
    }
    let rows = u64::from(inside(pane.area).height.saturating_sub(chart));
    let bar = ScrollBar { top: table.top as u64, rows, total: lines.len() as u64 };
    bar.draw(pane.area, 1 + chart, pane.focused, buf, appearance);
}

/// Returns true for a figure that each minute has.
const fn has_small(figure: &Figure) -> bool {
    !matches!(figure, Figure::Host(_) | Figure::Next(_))
}

/// Returns the tone of a value that is not zero: what went wrong stands out.
const fn value_tone(figure: &Figure) -> Tone {
    match figure {
        Figure::Failed | Figure::Retrying | Figure::Lost => tone(figure),
        _ => Tone::Plain,
    }
}

/// The columns of a line: the name, two values, and a small chart.
struct Lines {
    name: u16,
    small: u16,
}

impl Lines {
    fn of(width: u16) -> Self {
        let values = NAME_X + 2 * VALUE_CELLS + 1;
        let small = small_width(width.saturating_sub(values + NAME_CELLS.0 + 2));
        let rest = width.saturating_sub(values + if small > 0 { small + 2 } else { 0 });
        let name = if small > 0 { rest.min(NAME_CELLS.1) } else { rest };
        Self { name, small }
    }

    /// Returns the offset of the cell after a value.
    const fn end(&self, value: u16) -> u16 {
        NAME_X + self.name + (value + 1) * VALUE_CELLS
    }
}

fn totals(model: &Model) -> Spans {
    let attempts = model.views.dashboard.data.hour_total.results.attempts();
    vec![span(format!(" {}", format::count(attempts, "attempt")), Tone::Plain), span(" in the last hour", Tone::Dim)]
}
