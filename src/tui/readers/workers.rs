//! The reader of the workers: load, start, last heartbeat and state of each worker.

use crate::domain::notification::SinkStatus;
use crate::domain::text::width;
use crate::format;
use crate::store::{WorkerHealth, WorkerSummary};
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};

/// Widths in cells of the columns after the name; the name gets the remaining width.
const BUSY: usize = 10;
const UPTIME: usize = 8;
const HEARTBEAT: usize = 11;
const STATE: usize = 24;
/// Width of the reader in cells below which each worker takes two lines.
const ONE_LINE: usize = 64;

/// Returns the lines of the reader: the totals, then the workers one by one; before them, or instead if there are no
/// workers, the error of the last read or a message.
pub(super) fn text(model: &Model) -> Vec<Spans> {
    let appearance = model.appearance();
    let available = reader_cells(model.size);
    let sentence = |text: &str, tone| wrap(text, available, 5).into_iter().map(move |line| vec![span(line, tone)]);
    let workers = &model.workers;
    let mut text: Vec<Spans> = Vec::new();
    if let Some(error) = &workers.load_error {
        text.extend(sentence(&format!("Cannot read the workers: {error}"), Tone::Failed));
    } else if workers.read_at.is_none() {
        text.push(vec![span("Reading the workers.", Tone::Dim)]);
    } else if workers.list.is_empty() && model.has_runner {
        text.extend(sentence("No worker: this console's runner has not started, or has ended.", Tone::Plain));
    } else if workers.list.is_empty() {
        let none = "No worker runs jobs of this store: start one with \"quarterdeck work\".";
        text.extend(sentence(none, Tone::Plain));
    }
    if workers.list.is_empty() {
        text.extend(sinks(model, available));
        text.extend(disk(model, available));
        return text;
    }
    let totals = workers.totals();
    let total = format!("{} of {} slots busy", format::number(totals.busy), format::number(totals.slots));
    text.push(vec![
        span(format::count(totals.workers, "worker"), Tone::Strong),
        span(format!(", {total}"), Tone::Plain),
    ]);
    text.push(Spans::new());
    if available >= ONE_LINE {
        let name = available - BUSY - UPTIME - HEARTBEAT - STATE;
        let head = format!("{:name$}{:BUSY$}{:UPTIME$}{:HEARTBEAT$}", "  worker", "busy", "up", "heartbeat");
        text.push(vec![span(head, Tone::Dim)]);
        for worker in &workers.list {
            text.push(wide(model, worker, name, appearance));
            text.extend(unfetchable(worker, available));
        }
    } else {
        for worker in &workers.list {
            text.extend(narrow(model, worker, available, appearance));
            text.extend(unfetchable(worker, available));
        }
    }
    text.extend(sinks(model, available));
    text.extend(disk(model, available));
    text
}

/// Returns an empty line and a line for each receiver of notifications; nothing if there is none.
fn sinks(model: &Model, available: usize) -> Vec<Spans> {
    let line = |sink: &SinkStatus| {
        let tone = if sink.needs_attention() { Tone::Waiting } else { Tone::Dim };
        let state = format!("notifies {}: {}", sink.name, format::sink_state(sink, model.now));
        wrap(&state, available, 5).into_iter().map(move |line| vec![span(line, tone)])
    };
    let lines: Vec<Spans> = model.sinks.iter().flat_map(line).collect();
    if lines.is_empty() { lines } else { std::iter::once(Spans::new()).chain(lines).collect() }
}

/// Returns an empty line and the disk use of the store; nothing before it is read.
fn disk(model: &Model, available: usize) -> Vec<Spans> {
    let Some(used) = model.disk.as_ref().filter(|used| used.bytes > 0) else { return Vec::new() };
    let sentence = format::disk_use(used.bytes, used.unused, used.outcomes, used.oldest_outcome_at);
    let lines = wrap(&format::capitalized(&sentence), available, 5).into_iter();
    std::iter::once(Spans::new()).chain(lines.map(|line| vec![span(line, Tone::Dim)])).collect()
}

/// Returns the lines about the sites whose credentials the worker lacks.
fn unfetchable(worker: &WorkerSummary, available: usize) -> Vec<Spans> {
    let lines = worker
        .unfetchable
        .iter()
        .flat_map(|reason| wrap(&format!("syncs no document of {reason}"), available.saturating_sub(2), 5));
    lines.map(|line| vec![span(format!("  {line}"), Tone::Waiting)]).collect()
}

const fn sign(alive: WorkerHealth, appearance: Appearance) -> (&'static str, Tone) {
    match alive {
        WorkerHealth::Alive => (appearance.glyphs.on, Tone::Good),
        WorkerHealth::Late => (appearance.glyphs.alarm, Tone::Waiting),
        WorkerHealth::Gone => (appearance.glyphs.failed, Tone::Lost),
    }
}

/// Returns the words for a worker's state, with an explanation if the worker is not alive.
const fn state(alive: WorkerHealth) -> &'static str {
    match alive {
        WorkerHealth::Alive => "alive",
        WorkerHealth::Late => "late: stuck or cut off",
        WorkerHealth::Gone => "dead: jobs are rescued",
    }
}

fn wide(model: &Model, worker: &WorkerSummary, available: usize, appearance: Appearance) -> Spans {
    let (sign, tone) = sign(worker.health, appearance);
    let name = clip(&worker.name, available.saturating_sub(4), appearance.glyphs.ellipsis);
    let pad = " ".repeat(available.saturating_sub(2 + width(&name)));
    let ago = |at| format::age(model.now.since(at));
    vec![
        span(format!("{sign} "), tone),
        span(format!("{name}{pad}"), Tone::Plain),
        span(format!("{:BUSY$}", format!("{}/{}", worker.running, worker.capacity)), Tone::Plain),
        span(format!("{:UPTIME$}", ago(worker.started_at)), Tone::Dim),
        span(format!("{:HEARTBEAT$}", ago(worker.heartbeat_at)), Tone::Dim),
        span(state(worker.health), tone),
    ]
}

fn narrow(model: &Model, worker: &WorkerSummary, available: usize, appearance: Appearance) -> [Spans; 2] {
    let (sign, tone) = sign(worker.health, appearance);
    let word = state(worker.health).split(':').next().unwrap_or_default();
    let name = clip(&worker.name, available.saturating_sub(4 + width(word)), appearance.glyphs.ellipsis);
    let ago = |at| format::age(model.now.since(at));
    let facts = format!(
        "  {}/{} busy {dot} up {} {dot} heartbeat {}",
        worker.running,
        worker.capacity,
        ago(worker.started_at),
        ago(worker.heartbeat_at),
        dot = appearance.glyphs.dot,
    );
    [
        vec![span(format!("{sign} "), tone), span(format!("{name}  "), Tone::Plain), span(word, tone)],
        vec![span(facts, Tone::Dim)],
    ]
}
