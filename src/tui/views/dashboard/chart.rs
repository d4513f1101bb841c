//! Charts of the dashboard, drawn with ratatui's widgets: a small one in each row, and a large one of the figure under
//! the cursor. A time that nobody sampled is a gap.

use super::state::{DashboardData, Figure};
use super::text::{in_words, tone, value};
use crate::domain::sample::MinuteSample;
use crate::tui::theme::{Appearance, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::symbols::{Marker, bar};
use ratatui::widgets::{Axis, Chart, Dataset, GraphType, Sparkline, Widget as _};

/// Width in cells from which the chart of the day stands beside that of the hour.
const BOTH_MIN_WIDTH: u16 = 80;
/// Widths of a small chart, each a divisor of the slots of an hour.
const SMALL_WIDTHS: [u16; 5] = [60, 30, 20, 15, 10];

/// Returns the width of the small charts that fit into `cells`; 0 if none fits.
pub(super) fn small_width(cells: u16) -> u16 {
    SMALL_WIDTHS.into_iter().find(|width| *width <= cells).unwrap_or(0)
}

/// Draws the hour of a figure in one line of `area`.
pub(super) fn draw_small(data: &DashboardData, figure: &Figure, area: Rect, buf: &mut Buffer, appearance: Appearance) {
    let Some(minutes) = data.hour.len().checked_div(usize::from(area.width)).filter(|minutes| *minutes > 0) else {
        return;
    };
    let bars: Vec<Option<u64>> = data.hour.chunks(minutes).map(|slots| merged(slots, figure)).collect();
    // In thousandths, so that durations below a second have heights, too.
    let glyphs = appearance.glyphs;
    let [one_eighth, one_quarter, three_eighths, half, five_eighths, three_quarters, seven_eighths, full] = glyphs.bars;
    let set = bar::Set {
        full,
        seven_eighths,
        three_quarters,
        five_eighths,
        half,
        three_eighths,
        one_quarter,
        one_eighth,
        empty: " ",
    };
    let style = |tone| Style::reset().patch(appearance.theme.style(tone));
    Sparkline::default()
        .data(bars)
        .bar_set(set)
        .absent_value_symbol(glyphs.none)
        .absent_value_style(style(Tone::Dim))
        .style(style(tone(figure)))
        .render(area.intersection(buf.area), buf);
}

fn merged(slots: &[Option<MinuteSample>], figure: &Figure) -> Option<u64> {
    let mut known = slots.iter().flatten();
    let mut sample = known.next()?.clone();
    known.for_each(|slot| sample.merge(slot));
    value(figure, &sample).map(|value| (value * 1_000.0) as u64)
}

/// Draws the figure over the last hour, and in a wide area over the last day beside it.
pub(super) fn draw_large(data: &DashboardData, figure: &Figure, area: Rect, buf: &mut Buffer, appearance: Appearance) {
    let area = area.intersection(buf.area);
    if area.width < BOTH_MIN_WIDTH {
        return draw_slots(&data.hour, figure, ["-60 min", "now"], area, buf, appearance);
    }
    let [hour, _, day] =
        Layout::horizontal([Constraint::Fill(1), Constraint::Length(2), Constraint::Fill(1)]).areas(area);
    draw_slots(&data.hour, figure, ["-60 min", "now"], hour, buf, appearance);
    draw_slots(&data.day, figure, ["-24 h", "now"], day, buf, appearance);
}

fn draw_slots(
    slots: &[Option<MinuteSample>],
    figure: &Figure,
    times: [&'static str; 2],
    area: Rect,
    buf: &mut Buffer,
    appearance: Appearance,
) {
    let parts = parts(slots, figure);
    let most = parts.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max);
    let most = if most > 0.0 { most } else { 1.0 };
    let style = |tone| Style::reset().patch(appearance.theme.style(tone));
    let marker = if appearance.glyphs.ascii { Marker::Custom('*') } else { Marker::Braille };
    let datasets = parts.iter().map(|part| {
        // A single point has no line.
        let kind = if part.len() > 1 { GraphType::Line } else { GraphType::Scatter };
        Dataset::default().data(part).marker(marker).graph_type(kind).style(style(tone(figure)))
    });
    let dim = style(Tone::Dim);
    let x = Axis::default().bounds([0.0, slots.len().saturating_sub(1) as f64]).labels(times).style(dim);
    let labels = [in_words(figure, 0.0), in_words(figure, most)];
    let y = Axis::default().bounds([0.0, most]).labels(labels).style(dim);
    Chart::new(datasets.collect()).x_axis(x).y_axis(y).legend_position(None).render(area, buf);
    if appearance.glyphs.ascii {
        for position in area.positions() {
            if let Some(cell) = buf.cell_mut(position) {
                let plain = match cell.symbol() {
                    "│" | "┤" => "|",
                    "─" | "┬" => "-",
                    "└" | "┼" | "┴" => "+",
                    _ => continue,
                };
                cell.set_symbol(plain);
            }
        }
    }
}

/// Returns the points of a figure, in parts between gaps.
fn parts(slots: &[Option<MinuteSample>], figure: &Figure) -> Vec<Vec<(f64, f64)>> {
    let values = slots.iter().map(|slot| slot.as_ref().and_then(|sample| value(figure, sample)));
    let mut parts: Vec<Vec<(f64, f64)>> = vec![Vec::new()];
    for (index, value) in values.enumerate() {
        match (value, parts.last_mut()) {
            (Some(value), Some(part)) => part.push((index as f64, value)),
            (None, Some(part)) if !part.is_empty() => parts.push(Vec::new()),
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
