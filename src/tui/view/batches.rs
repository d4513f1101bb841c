//! The status line about a batch (an act on many documents), and the list of batches.

use crate::domain::batch::{BatchOrder, BatchPhase, BatchSummary};
use crate::format;
use crate::tui::describe::batch::{line, pace};
use crate::tui::layout::{inside, middle};
use crate::tui::model::Model;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::widgets::canvas::{Canvas, cells, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Largest width of the list, in cells.
const MAX_WIDTH: u16 = 84;

/// Draws the status line about the batch that matters most: its text at the left, the keys at the right.
pub(super) fn status(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(batch) = model.batches.shown().filter(|_| !area.is_empty()) else { return };
    let appearance = model.appearance();
    let (text, keys) = line(model, batch);
    let mut canvas = Canvas::new(buf, area);
    let keys_at = area.width.saturating_sub(cells(&keys) + 1);
    canvas.spans(1, 0, keys_at.saturating_sub(3), &text, appearance);
    canvas.spans(keys_at, 0, cells(&keys), &keys, appearance);
}

/// Draws the list of batches, each in two lines, with the cursor on the one at `selected`.
pub(super) fn list(model: &Model, selected: usize, body: Rect, buf: &mut Buffer) {
    let appearance = model.appearance();
    let batches = &model.batches.list;
    let area = middle(body, MAX_WIDTH, (batches.len() as u16).saturating_mul(2).max(1) + 4);
    clear(area, buf);
    let title = [span("batches", Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &[], border: appearance.theme.border(true) }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let width = inner.width.saturating_sub(3);
    let rows = usize::from(inner.height.saturating_sub(1) / 2).max(1);
    let selected = selected.min(batches.len().saturating_sub(1));
    let top = (selected + 1).saturating_sub(rows);
    if batches.is_empty() {
        let text = [span("No batch: an act on more than one document makes one.", Tone::Dim)];
        canvas.spans(2, 0, width, &text, appearance);
    }
    for (row, batch) in batches.iter().skip(top).take(rows).enumerate() {
        let y = row as u16 * 2;
        let phase = format::batch_phase(batch, model.now);
        let phase_at = inner.width.saturating_sub(cells(&[span(phase.clone(), Tone::Plain)]) + 1);
        let head = vec![
            span(format!("{:>3} ", batch.id), Tone::Dim),
            span(format::batch_title(batch), Tone::Strong),
            span(format!("  {}", format::batch_selection(batch)), Tone::Plain),
        ];
        canvas.spans(2, y, phase_at.saturating_sub(4), &head, appearance);
        canvas.spans(phase_at, y, inner.width, &[span(phase, tone(batch))], appearance);
        canvas.spans(6, y + 1, width.saturating_sub(4), &facts(model, batch), appearance);
        if top + row == selected {
            canvas.restyle(1, y, inner.width.saturating_sub(2), appearance.theme.cursor());
        }
    }
    let last = inner.height.saturating_sub(1);
    canvas.spans(2, last, width, &hints(model, batches.get(selected)), appearance);
}

const fn tone(batch: &BatchSummary) -> Tone {
    match batch.phase() {
        BatchPhase::Waiting | BatchPhase::Paused | BatchPhase::Left | BatchPhase::Stopping => Tone::Waiting,
        BatchPhase::Working => Tone::Accent,
        BatchPhase::Ended(_) => Tone::Dim,
    }
}

/// Returns what became of the members, what is left, and who made the batch.
fn facts(model: &Model, batch: &BatchSummary) -> Spans {
    let mut parts = Vec::new();
    let results = format::batch_results(batch);
    if !results.is_empty() {
        parts.push(results);
    }
    if !matches!(batch.phase(), BatchPhase::Ended(_)) {
        parts.push(format!("{} left", format::number(batch.counts.left())));
        parts.extend(pace(model, batch));
    }
    parts.push(format!("{} {} ago", batch.created_by, format::age(model.now.since(batch.created_at))));
    vec![span(parts.join(", "), Tone::Dim)]
}

/// Returns the keys that the batch under the cursor takes now.
fn hints(model: &Model, batch: Option<&BatchSummary>) -> Spans {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    if let Some(batch) = batch {
        for (order, key, word) in [
            (BatchOrder::Undo, "u", "undo"),
            (BatchOrder::Pause, "p", "pause"),
            (BatchOrder::Resume, "r", "resume"),
            (BatchOrder::Stop, "x", "stop"),
        ] {
            if batch.takes(order) && !model.options.read_only {
                keys.push((key, word));
            }
        }
        let word = if batch.counts.failed > 0 { "the failed" } else { "its documents" };
        keys.push((model.glyphs.enter, word));
    }
    let pair = |(key, word): (&str, &str)| [span(key, Tone::Accent), span(format!(" {word}  "), Tone::Dim)];
    keys.into_iter().flat_map(pair).collect()
}
