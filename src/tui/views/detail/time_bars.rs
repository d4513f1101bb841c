//! The stages of an attempt as bars on one time line: each begins where the one before it ends.

use crate::domain::outcome::Outcome;
use crate::domain::stages::{Stage, Stages};
use crate::domain::text::width;
use crate::format;
use crate::tui::model::Model;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use std::time::Duration;

/// Width of the stages' names.
const NAME_CELLS: usize = 12;
/// Width of the durations.
const DURATION_CELLS: usize = 9;
/// Smallest width of the bars, in cells; with less, the durations are listed in one line.
const MIN_BAR_CELLS: usize = 12;
/// Number of lines that the bars of an attempt take at most.
pub(super) const LINES: u16 = Stage::ALL.len() as u16 + 1;
/// Name of the time after the last stage that a failed attempt has ended.
const UNFINISHED: &str = "unfinished";

/// Returns a line for each stage of the attempt, in `cells` cells; a single line without bars where they have no room.
pub(super) fn lines(model: &Model, outcome: &Outcome, stages: Stages, cells: usize) -> Vec<Spans> {
    let bar_cells = cells.saturating_sub(NAME_CELLS + DURATION_CELLS + 4);
    if bar_cells < MIN_BAR_CELLS {
        return vec![vec![span(format!("  {}", format::stages(stages)), Tone::Dim)]];
    }
    let parts = parts(outcome, stages);
    let total: Duration = parts.iter().map(|(_, duration)| *duration).sum();
    let longest = parts.iter().map(|(_, duration)| *duration).max().unwrap_or_default();
    let tone = if outcome.result.is_failure() { Tone::Waiting } else { Tone::Accent };
    let mut before = Duration::ZERO;
    let mut lines = Vec::new();
    for (name, duration) in parts {
        let (start, bar) = bar(before, duration, total, bar_cells, model.glyphs.horizontal_bar);
        before += duration;
        let took = format::stage_duration(duration);
        let gap = " ".repeat(DURATION_CELLS.saturating_sub(width(&took)));
        lines.push(vec![
            span(format!("  {name:<NAME_CELLS$}"), Tone::Dim),
            span(format!("{gap}{took}  "), if duration == longest { Tone::Strong } else { Tone::Plain }),
            span(" ".repeat(start), Tone::Plain),
            span(bar, if duration == longest { tone } else { Tone::Dim }),
        ]);
    }
    lines
}

/// Returns name and duration of each part of the attempt: its stages, and the time in which a failed one has ended none
/// more, such as the wait for an answer that never came.
fn parts(outcome: &Outcome, stages: Stages) -> Vec<(&'static str, Duration)> {
    let mut parts: Vec<_> = stages.iter().map(|(stage, duration)| (format::stage_name(stage), duration)).collect();
    let ended: Duration = parts.iter().map(|(_, duration)| *duration).sum();
    let whole = Duration::from_millis(outcome.duration_ms.unwrap_or_default());
    // Durations of stages are rounded.
    let rest = whole.saturating_sub(ended);
    if outcome.result.is_failure() && rest > whole / 10 {
        parts.push((UNFINISHED, rest));
    }
    parts
}

/// Returns the cells before a bar, and the bar, for a part of `total` that begins after `before`. A bar is at least half
/// a cell long, and none reaches beyond `cells`.
fn bar(
    before: Duration,
    part: Duration,
    total: Duration,
    cells: usize,
    [half, whole]: [&'static str; 2],
) -> (usize, String) {
    let halves = |duration: Duration| {
        let share = if total.is_zero() { 0.0 } else { duration.as_secs_f64() / total.as_secs_f64() };
        (share * 2.0 * cells as f64).round() as usize
    };
    let start = (halves(before) / 2).min(cells.saturating_sub(1));
    let length = match halves(part) {
        0 => 1,
        _ => halves(before + part).saturating_sub(2 * start).clamp(1, 2 * (cells - start)),
    };
    let mut bar = whole.repeat(length / 2);
    if length % 2 == 1 {
        bar.push_str(half);
    }
    (start, bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_follow_one_another_and_stay_within_their_cells() {
        let ms = Duration::from_millis;
        let of = |before, part| bar(ms(before), ms(part), ms(100), 10, ["-", "="]);
        assert_eq!(of(0, 0), (0, "-".to_owned()));
        assert_eq!(of(0, 40), (0, "====".to_owned()));
        assert_eq!(of(40, 55), (4, "=====-".to_owned()));
        assert_eq!(of(95, 5), (9, "=".to_owned()));
        assert_eq!(of(100, 0), (9, "-".to_owned()));
        assert_eq!(bar(ms(0), ms(0), ms(0), 10, ["-", "="]), (0, "-".to_owned()), "nothing took any time");
    }
}
