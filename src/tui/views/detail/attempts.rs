//! The tab of the details that lists the attempts, newest first.
//!
//! The tab does not use the columns of [`table`](crate::tui::table), because here a long duration shortens only the
//! cause in the same row, not the whole column.

use super::state::{Detail, DetailData};
use super::time_bars;
use crate::domain::outcome::Outcome;
use crate::domain::text::{SafeLine, width};
use crate::format;
use crate::tui::model::Model;
use crate::tui::table::draw::style_row;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::outcomes::text::{reason, sign, tone};
use crate::tui::widgets::canvas::Canvas;

/// Smallest height of the tab, in lines, at which the facts of an attempt are shown.
const ABOUT_MIN_HEIGHT: u16 = 12;
/// Smallest height of the tab, in lines, at which the stages of an attempt are shown as bars.
const BARS_MIN_HEIGHT: u16 = 24;

/// Draws the list of attempts and, in a pane of enough height, all facts of the attempt under the cursor below the
/// list.
pub(super) fn draw(
    model: &Model,
    detail: &Detail,
    data: &DetailData,
    focused: bool,
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let (available, height) = (canvas.area.width, canvas.area.height);
    if data.outcomes.is_empty() {
        canvas.text(1, 0, available, "No attempt yet.", appearance.theme.style(Tone::Dim));
        return;
    }
    let has_stages = data.outcomes.iter().any(|outcome| outcome.stages.is_some());
    let about = match height {
        BARS_MIN_HEIGHT.. if has_stages => 7 + time_bars::LINES,
        ABOUT_MIN_HEIGHT.. => 7,
        _ => 0,
    };
    let rows = usize::from(height.saturating_sub(1 + about)).max(1);
    let at = detail.attempt_index();
    let top = (at + 1).saturating_sub(rows);
    let wide = available >= 60;
    let dim = appearance.theme.style(Tone::Dim);
    let end = available.saturating_sub(1);
    canvas.text(1, 0, 8, "when", dim);
    canvas.text(6, 0, 8, "attempt", dim);
    // A narrow pane has no column for the result: the glyph shows it, and without an error the cause names it.
    let (cause_at, took_end) = if wide { (30, end.saturating_sub(12)) } else { (16, end) };
    if wide {
        canvas.text(14, 0, 8, "result", dim);
    }
    canvas.text(cause_at, 0, 8, "cause", dim);
    // A still narrower pane has no duration either, so that the cause gets the space.
    let timed = available >= 46;
    if timed {
        canvas.right(took_end, 0, "ms", dim);
    }
    if wide {
        canvas.text(took_end + 2, 0, 10, "requester", dim);
    }
    for (line, outcome) in data.outcomes.iter().skip(top).take(rows).enumerate() {
        let y = 1 + line as u16;
        let result = outcome.result;
        let tone = tone(outcome.content, result);
        let style = appearance.theme.style(tone);
        canvas.text(1, y, 4, &format::age(model.now.since(outcome.at)), dim);
        if !result.is_exhaustion() {
            canvas.right(13, y, &outcome.attempt.to_string(), dim);
        }
        canvas.text(14, y, 1, sign(&appearance.glyphs, outcome.content, result), style);
        if wide {
            canvas.text(16, y, 13, format::outcome(outcome.content, result), style);
        }
        let took = outcome.duration_ms.filter(|_| timed).map_or(String::new(), format::number);
        let cause_width = took_end.saturating_sub(cause_at + if timed { width(&took).max(6) as u16 + 1 } else { 0 });
        let text = if wide || outcome.error_code.is_some() {
            reason(outcome)
        } else {
            [format::outcome(outcome.content, result), &reason(outcome)]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let cause = clip(&text, usize::from(cause_width), appearance.glyphs.ellipsis);
        canvas.text(cause_at, y, cause_width, &cause, style);
        canvas.right(took_end, y, &took, dim);
        if let (true, Some(by)) = (wide, &outcome.requested_by) {
            canvas.text(took_end + 2, y, 10, &clip(by, 10, appearance.glyphs.ellipsis), dim);
        }
        style_row(focused, top + line == at, false, y, canvas, appearance);
    }
    if let (true, Some(outcome)) = (about > 0, data.outcomes.get(at)) {
        about_attempt(model, outcome, height - about + 1, canvas, appearance);
    }
}

/// Draws the result, the cause and further facts of one attempt from line `y` on.
fn about_attempt(model: &Model, outcome: &Outcome, y: u16, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let available = canvas.area.width.saturating_sub(2);
    let tone = tone(outcome.content, outcome.result);
    let when = outcome.at.date_clock(&model.zone());
    let mut lines: Vec<Spans> = vec![vec![
        span(
            format!(
                "{} {}",
                sign(&appearance.glyphs, outcome.content, outcome.result),
                format::outcome(outcome.content, outcome.result)
            ),
            tone,
        ),
        span(format!("  {when}, outcome {}", format::number(u64::try_from(outcome.seq.0).unwrap_or(0))), Tone::Dim),
    ]];
    let cause = reason(outcome);
    lines.extend(
        wrap(&cause, usize::from(available.saturating_sub(2)), 3)
            .into_iter()
            .map(|line| vec![span(format!("  {line}"), Tone::Plain)]),
    );
    let mut facts = Spans::new();
    let mut fact = |label: &str, value: &str| {
        facts.push(span(format!("  {label} "), Tone::Dim));
        facts.push(span(value, Tone::Plain));
    };
    fact("queue", outcome.queue.word());
    if let Some(status) = outcome.http_status {
        fact("HTTP", &status.to_string());
    }
    if let Some(worker) = &outcome.worker {
        fact("worker", worker);
    }
    if let Some(class) = &outcome.exception_class {
        fact("exception", &SafeLine::new(class));
    }
    if let Some(at) = outcome.next_attempt_at {
        fact("next attempt", &at.clock(&model.zone()));
    }
    lines.push(facts);
    let left = usize::from(canvas.area.height.saturating_sub(y)).saturating_sub(lines.len());
    match outcome.stages {
        Some(stages) if left > usize::from(time_bars::LINES) => {
            lines.push(Spans::new());
            lines.extend(time_bars::lines(model, outcome, stages, usize::from(available)));
        }
        Some(stages) => {
            let stages = clip(&format::stages(stages), usize::from(available), appearance.glyphs.ellipsis);
            lines.push(vec![span(format!("  {stages}"), Tone::Dim)]);
        }
        None => {}
    }
    for (line, text) in lines.iter().enumerate() {
        canvas.spans(1, y + line as u16, available, text, appearance);
    }
}
