//! Batches as lines of the screen, and the answers to orders for them.

use crate::domain::batch::{BatchOrder, BatchPhase, BatchState, BatchSummary};
use crate::domain::id::BatchId;
use crate::format;
use crate::store::BatchOrdered;
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use std::time::Duration;

/// Width of the screen, in cells, below which the line is short.
const NARROW: u16 = 64;

/// Returns the text of the status line about a batch, and the keys that go with it.
pub fn line(model: &Model, batch: &BatchSummary) -> (Spans, Spans) {
    let (sign, tone) = match batch.phase() {
        BatchPhase::Waiting => (model.glyphs.retrying, Tone::Waiting),
        BatchPhase::Working | BatchPhase::Stopping => (model.glyphs.running, Tone::Accent),
        BatchPhase::Paused | BatchPhase::Left => (model.glyphs.alarm, Tone::Waiting),
        BatchPhase::Ended(_) if batch.counts.failed > 0 => (model.glyphs.failed, Tone::Failed),
        BatchPhase::Ended(_) => (model.glyphs.good, Tone::Good),
    };
    let mut text = vec![span(format!("{sign} "), tone), span(format!("batch {} ", batch.id), Tone::Dim)];
    text.push(span(words(model, batch), Tone::Plain));
    let mut keys = Spans::new();
    let mut key = |name: &str, word: &str| {
        keys.push(span(name, Tone::Accent));
        keys.push(span(format!(" {word}"), Tone::Dim));
    };
    match batch.phase() {
        BatchPhase::Waiting => key(&model.key(Action::Undo), "undo"),
        BatchPhase::Ended(_) if batch.counts.failed > 0 => {
            key(&format!("{} {}", model.key(Action::Batches), model.glyphs.enter), "shows the failed");
        }
        _ => key(&model.key(Action::Batches), "batches"),
    }
    (text, keys)
}

/// Returns what a batch does and how far it is: `sync 2,000 documents begins in 0:04`.
fn words(model: &Model, batch: &BatchSummary) -> String {
    let (counts, verb) = (&batch.counts, batch.act.verb());
    let left = format!("{} left", format::number(counts.left()));
    match batch.phase() {
        // The seconds are what matters.
        BatchPhase::Waiting if model.size.0 < NARROW => {
            let begin = format::until(model.now, batch.begins_at);
            format!("{verb} {} {begin}", format::number(counts.total()))
        }
        BatchPhase::Waiting => format!("{} {}", format::batch_title(batch), format::batch_phase(batch, model.now)),
        BatchPhase::Working => {
            let (ended, total) = (format::number(counts.ended()), format::number(counts.total()));
            let mut parts = vec![format!("{verb} {ended} of {total}")];
            if counts.failed > 0 {
                parts.push(format!("{} failed", format::number(counts.failed)));
            }
            parts.extend(pace(model, batch));
            parts.join(", ")
        }
        BatchPhase::Paused => format!("{verb} paused, {left}"),
        BatchPhase::Left => format!("{verb} of {} left unfinished, {left}", batch.created_by),
        BatchPhase::Stopping => format!("{verb} is stopping, {} still running", format::number(counts.live())),
        BatchPhase::Ended(state) => {
            let results = format::batch_results(batch);
            if state == BatchState::Stopped { format!("stopped: {results}") } else { results }
        }
    }
}

/// Returns the rate of the batch of the status line, and the time that it takes at that rate; `None` if not known.
pub fn pace(model: &Model, batch: &BatchSummary) -> Option<String> {
    let is_shown = model.batches.shown().is_some_and(|shown| shown.id == batch.id);
    let rate = model.batches.rate().filter(|_| is_shown && batch.phase() == BatchPhase::Working)?;
    let left = Duration::from_secs_f64((batch.counts.left() as f64 / rate).clamp(1.0, 1e9));
    Some(format!("{}, about {} left", format::rate(rate), format::duration(left)))
}

/// Returns level and sentence for the result of an order.
pub fn ordered(model: &Model, batch: BatchId, order: BatchOrder, ordered: BatchOrdered) -> (Level, String) {
    match (order, ordered) {
        (_, BatchOrdered::Missing) => (Level::Refused, format!("batch {batch} is gone")),
        (_, BatchOrdered::Now(BatchState::Undone)) => (Level::Done, format!("undid batch {batch}: nothing was done")),
        (BatchOrder::Pause, BatchOrdered::Now(_)) => {
            (Level::Done, format!("paused batch {batch}: what runs finishes, the rest waits"))
        }
        (BatchOrder::Stop, BatchOrdered::Now(_)) => {
            (Level::Done, format!("stopped batch {batch}: what had not begun stays as it was"))
        }
        (_, BatchOrdered::Now(_)) => (Level::Done, format!("resumed batch {batch}")),
        (BatchOrder::Undo, BatchOrdered::Refused(_)) => {
            let list = model.key(Action::Batches);
            (Level::Refused, format!("batch {batch} has begun: {list} lists it, and x stops it there"))
        }
        (BatchOrder::Resume, BatchOrdered::Refused(BatchState::Acting)) => {
            (Level::Refused, format!("batch {batch} goes on already"))
        }
        (_, BatchOrdered::Refused(state)) => (Level::Refused, format!("batch {batch} is {} already", state.word())),
    }
}
