//! The reader of the workers: load, start and heartbeat of each, and its state.

use crate::domain::text::width;
use crate::format;
use crate::store::{Alive, WorkerSeen};
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::text::lines::{clip, wrap};
use crate::tui::text::{Words, words};
use crate::tui::theme::{Look, Tone};

/// Widths of the columns after the name, in cells; the name gets what is left.
const BUSY: usize = 10;
const SINCE: usize = 8;
const BEAT: usize = 8;
const STATE: usize = 24;
/// Width in cells below which each worker has two lines.
const ONE_LINE: usize = 64;

/// Returns the text, with totals before the single workers.
pub(super) fn text(model: &Model) -> Vec<Words> {
    let look = model.look();
    let room = reader_cells(model.size);
    let sentence = |text: &str, tone| wrap(text, room, 5).into_iter().map(move |line| vec![words(line, tone)]);
    let workers = &model.workers;
    let mut text: Vec<Words> = Vec::new();
    if let Some(trouble) = &workers.trouble {
        text.extend(sentence(&format!("Cannot read the workers: {trouble}"), Tone::Failed));
    } else if workers.read_at.is_none() {
        text.push(vec![words("Reading the workers.", Tone::Dim)]);
    } else if workers.seen.is_empty() && model.has_runner {
        text.extend(sentence("No worker: this console's runner has not started, or has ended.", Tone::Plain));
    } else if workers.seen.is_empty() {
        let none = "No worker runs jobs of this store: start one with \"quarterdeck work\".";
        text.extend(sentence(none, Tone::Plain));
    }
    if workers.seen.is_empty() {
        return text;
    }
    let together = workers.together();
    let total = format!("{} of {} slots busy", format::number(together.busy), format::number(together.slots));
    text.push(vec![
        words(format::count(together.workers, "worker"), Tone::Strong),
        words(format!(", {total}"), Tone::Plain),
    ]);
    text.push(Words::new());
    if room >= ONE_LINE {
        let name = room - BUSY - SINCE - BEAT - STATE;
        let head = format!("{:name$}{:BUSY$}{:SINCE$}{:BEAT$}", "  worker", "busy", "since", "beat");
        text.push(vec![words(head, Tone::Dim)]);
        text.extend(workers.seen.iter().map(|worker| wide(model, worker, name, look)));
    } else {
        text.extend(workers.seen.iter().flat_map(|worker| narrow(model, worker, room, look)));
    }
    text
}

const fn sign(alive: Alive, look: Look) -> (&'static str, Tone) {
    match alive {
        Alive::Beating => (look.glyphs.on, Tone::Good),
        Alive::Late => (look.glyphs.alarm, Tone::Waiting),
        Alive::Gone => (look.glyphs.failed, Tone::Lost),
    }
}

/// Returns the word for a state, with its meaning if it is not good.
const fn state(alive: Alive) -> &'static str {
    match alive {
        Alive::Beating => "alive",
        Alive::Late => "late: stuck or cut off",
        Alive::Gone => "gone: others take over",
    }
}

fn wide(model: &Model, worker: &WorkerSeen, room: usize, look: Look) -> Words {
    let (sign, tone) = sign(worker.alive, look);
    let name = clip(&worker.name, room.saturating_sub(4), look.glyphs.more);
    let pad = " ".repeat(room.saturating_sub(2 + width(&name)));
    let ago = |at| format::age(model.now.since(at));
    vec![
        words(format!("{sign} "), tone),
        words(format!("{name}{pad}"), Tone::Plain),
        words(format!("{:BUSY$}", format!("{}/{}", worker.running, worker.capacity)), Tone::Plain),
        words(format!("{:SINCE$}", ago(worker.started_at)), Tone::Dim),
        words(format!("{:BEAT$}", ago(worker.heartbeat_at)), Tone::Dim),
        words(state(worker.alive), tone),
    ]
}

fn narrow(model: &Model, worker: &WorkerSeen, room: usize, look: Look) -> [Words; 2] {
    let (sign, tone) = sign(worker.alive, look);
    let word = worker.alive.word();
    let name = clip(&worker.name, room.saturating_sub(4 + width(word)), look.glyphs.more);
    let ago = |at| format::age(model.now.since(at));
    let facts = format!(
        "  {}/{} busy {dot} since {} {dot} beat {} ago",
        worker.running,
        worker.capacity,
        ago(worker.started_at),
        ago(worker.heartbeat_at),
        dot = look.glyphs.dot,
    );
    [
        vec![words(format!("{sign} "), tone), words(format!("{name}  "), Tone::Plain), words(word, tone)],
        vec![words(facts, Tone::Dim)],
    ]
}
