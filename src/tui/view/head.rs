//! The two head lines: store, runner and queue; and the documents' counts. On a narrow screen each leaves out its least
//! important parts.

use crate::domain::document::Status;
use crate::format;
use crate::runner::event::{Health, LockHealth, Phase};
use crate::tui::model::rate::SECONDS;
use crate::tui::model::{Leaving, Model};
use crate::tui::say::pause;
use crate::tui::text::{Words, words};
use crate::tui::theme::{self, Look, Tone};
use crate::tui::views::catalog::ViewId;
use crate::tui::widgets::canvas::{Canvas, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws both lines.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let look = model.look();
    let mut canvas = Canvas::new(buf, area);
    first(model, &mut canvas, look);
    second(model, &mut canvas, look);
}

/// A part of a head line with its rank: on a narrow screen the greatest rank is left out first.
type Part = (u8, Words);

/// Leaves out parts until the others fit into `room` cells, with `gap` cells between them.
fn shed(mut parts: Vec<Part>, room: u16, gap: u16) -> Vec<Words> {
    parts.retain(|(_, words)| !words.is_empty());
    let total = |parts: &[Part]| parts.iter().map(|(_, words)| cells(words) + gap).sum::<u16>();
    while total(&parts) > room.saturating_add(gap)
        && let Some(worst) = (0..parts.len()).rev().max_by_key(|place| parts[*place].0)
    {
        parts.remove(worst);
    }
    parts.into_iter().map(|(_, words)| words).collect()
}

fn first(model: &Model, canvas: &mut Canvas<'_>, look: Look) {
    let room = canvas.area.width.saturating_sub(2);
    let mut parts: Vec<Part> = vec![(1, vec![words("quarterdeck", Tone::Strong)])];
    if model.options.read_only && model.outdated.is_none() {
        parts.push((3, vec![words("read-only", Tone::Waiting)]));
    }
    parts.push((6, store(model)));
    if let Some(note) = &model.options.note {
        parts.push((4, vec![words(note.to_string(), Tone::Waiting)]));
    }
    parts.push((0, outdated(model)));
    // Kept longer than parts that only inform: documents are synced without the full protection of the locks.
    parts.push((1, locks(model)));
    parts.push((2, paused(model)));
    let left = parts.len();
    parts.push((2, runner(model)));
    parts.push((7, workers(model)));
    parts.push((3, vec![words(format::rate(model.rate.per_second(model.now)), Tone::Plain)]));
    parts.push((7, history(model, look)));
    parts.push((5, queue(model)));
    parts.push((8, oldest(model)));
    // Remembers the side of each part, since leaving out parts changes their indexes.
    let sides: Vec<(bool, Part)> = parts.into_iter().enumerate().map(|(place, part)| (place < left, part)).collect();
    let kept = shed(sides.iter().map(|(_, part)| part.clone()).collect(), room, 3);
    let (mut x, mut end) = (1, room + 1);
    for (on_left, (_, part)) in &sides {
        if *on_left && kept.contains(part) {
            x = canvas.words(x, 0, cells(part), part, look) + 2;
        }
    }
    for (on_left, (_, part)) in sides.iter().rev() {
        if !on_left && kept.contains(part) {
            let start = end.saturating_sub(cells(part));
            canvas.words(start, 0, cells(part), part, look);
            end = start.saturating_sub(3);
        }
    }
}

fn store(model: &Model) -> Words {
    match model.store.split_once(' ') {
        Some((kind, place)) => vec![words(format!("{kind} "), Tone::Dim), words(place, Tone::Plain)],
        None => vec![words(model.store.to_string(), Tone::Plain)],
    }
}

fn runner(model: &Model) -> Words {
    let glyphs = &model.glyphs;
    if let Health::Unreachable { next_try_at, .. } = &model.health {
        let again = format::until(model.now, *next_try_at);
        return vec![words(format!("{} database away, again {again}", glyphs.alarm), Tone::Failed)];
    }
    if !model.has_runner {
        if model.queue.workers == 0 {
            return vec![words(format!("{} ", glyphs.off), Tone::Waiting), words("no worker", Tone::Plain)];
        }
        return together(model);
    }
    let busy = format!("{}/{}", model.runner.busy, model.runner.slots);
    match (model.runner.phase, model.leaving) {
        (Phase::Stopped, _) => vec![words(format!("{} stopped", glyphs.off), Tone::Failed)],
        (Phase::Draining, _) | (_, Leaving::Draining) => {
            vec![words(format!("{} draining, {} left", glyphs.on, model.runner.busy), Tone::Waiting)]
        }
        (Phase::Running, _) => {
            vec![words("runner ", Tone::Dim), words(format!("{} ", glyphs.on), Tone::Good), words(busy, Tone::Plain)]
        }
    }
}

/// Formats the number of the store's workers in all processes, and their load once it has been read.
fn together(model: &Model) -> Words {
    let together = model.workers.together();
    let (sign, tone) =
        if together.late > 0 { (model.glyphs.alarm, Tone::Waiting) } else { (model.glyphs.on, Tone::Good) };
    let mut part = vec![words(format!("{sign} "), tone)];
    if together.workers == 0 {
        part.push(words(format::count(model.queue.workers, "worker"), Tone::Plain));
        return part;
    }
    part.push(words(format!("{} ", format::count(together.workers, "worker")), Tone::Plain));
    part.push(words(format!("{}/{}", format::number(together.busy), format::number(together.slots)), Tone::Plain));
    if together.late > 0 {
        part.push(words(format!(" {} late", format::number(together.late)), tone));
    }
    part
}

/// Returns the same if this console has a runner and other workers exist.
fn workers(model: &Model) -> Words {
    if model.has_runner && model.workers.together().workers > 1 { together(model) } else { Words::new() }
}

/// Returns the warning about a store that a newer program has migrated.
fn outdated(model: &Model) -> Words {
    let says = |_| vec![words(format!("{} outdated: upgrade and start again", model.glyphs.alarm), Tone::Failed)];
    model.outdated.map_or_else(Words::new, says)
}

/// Returns the warning about the locks, if there is one.
fn locks(model: &Model) -> Words {
    let said = match &model.locks {
        LockHealth::Off | LockHealth::Fine => return Words::new(),
        LockHealth::Degraded { .. } | LockHealth::Deaf { .. } => "DEGRADED: redis away",
        LockHealth::Stopped { .. } => "redis away, nothing is synced",
    };
    vec![words(format!("{} {said}", model.glyphs.alarm), Tone::Failed)]
}

/// Returns the text about the pauses, if there are any.
fn paused(model: &Model) -> Words {
    let said = pause::summary(model);
    said.map_or_else(Words::new, |said| vec![words(said, Tone::Waiting)])
}

/// Returns the last seconds as bars. Not ratatui's `Sparkline`: the bars are a part that may be left out, and a second
/// without an attempt has the lowest bar, where a sparkline has none.
fn history(model: &Model, look: Look) -> Words {
    let bars = match model.size.0 {
        ..70 => 0,
        70..130 => 6,
        130..160 => 10,
        _ => SECONDS,
    };
    let history = model.rate.history(model.now);
    let most = history.iter().copied().max().unwrap_or(0);
    if most == 0 || bars == 0 {
        return Words::new();
    }
    let bars = history.iter().skip(history.len().saturating_sub(bars)).map(|slot| {
        let step = (u64::from(*slot) * 7).div_ceil(u64::from(most)) as usize;
        look.glyphs.bars[step.min(7)]
    });
    vec![words(bars.collect::<String>(), Tone::Accent)]
}

fn queue(model: &Model) -> Words {
    let queue = &model.queue;
    if queue.ready == 0 {
        return match queue.next_due_at {
            Some(at) if queue.waiting + queue.scheduled > 0 => {
                vec![words("next ", Tone::Dim), words(format::until(model.now, at), Tone::Plain)]
            }
            _ => vec![words("queue empty", Tone::Dim)],
        };
    }
    vec![words("queued ", Tone::Dim), words(format::number(queue.ready), Tone::Plain)]
}

fn oldest(model: &Model) -> Words {
    let oldest = model.queue.oldest_ready_at.filter(|_| model.queue.ready > 0);
    let oldest =
        oldest.map(|at| vec![words("oldest ", Tone::Dim), words(format::age(model.now.since(at)), Tone::Plain)]);
    oldest.unwrap_or_default()
}

fn clock(model: &Model) -> [(String, Tone); 2] {
    let zone = model.zone();
    let clock = model.now.clock(&zone);
    // Shows minutes only: a clock with seconds would redraw the screen every second.
    let minutes = clock.get(..5).unwrap_or(&clock).to_owned();
    [words(minutes, Tone::Plain), words(format!(" {}", model.now.zone_name(&zone)), Tone::Dim)]
}

/// Draws the name of the active view, unless it is the document list, and returns the cells that it takes.
fn view(model: &Model, canvas: &mut Canvas<'_>, look: Look) -> u16 {
    if model.active == ViewId::Documents {
        return 0;
    }
    canvas.text(1, 1, 10, model.active.word(), look.theme.style(Tone::Accent)) - 1 + 3
}

fn second(model: &Model, canvas: &mut Canvas<'_>, look: Look) {
    let begin = 1 + view(model, canvas, look);
    let room = (canvas.area.width.saturating_sub(1)).saturating_sub(begin);
    let noun = if model.counts.total() == 1 { " document" } else { " documents" };
    let total = vec![words(format::number(model.counts.total()), Tone::Strong), words(noun, Tone::Dim)];
    let part = |status: Status, with_word: bool| {
        let number = model.counts.of(status);
        let tone = if number == 0 { Tone::Dim } else { theme::status(status) };
        let plain = if number == 0 { Tone::Dim } else { Tone::Plain };
        let mut part =
            vec![words(format!("{} ", look.glyphs.status(status)), tone), words(format::number(number), plain)];
        if with_word {
            part.push(words(format!(" {}", status.word()), Tone::Dim));
        }
        part
    };
    let held: Option<Words> = (model.counts.held > 0).then(|| {
        let number = format::number(model.counts.held);
        let need = if model.counts.held == 1 { " needs review" } else { " need review" };
        vec![words(format!("{} ", look.glyphs.held), Tone::Lost), words(number, Tone::Plain), words(need, Tone::Dim)]
    });
    // Tries forms from the fullest to the shortest and takes the first that fits.
    let shown = |with_word: bool, all: bool| -> Vec<Words> {
        let statuses = Status::ALL.into_iter().filter(|status| all || model.counts.of(*status) > 0);
        held.iter().cloned().chain(statuses.map(|status| part(status, with_word))).collect()
    };
    let wide = |parts: &[Words], gap: u16| parts.iter().map(|part| cells(part) + gap).sum::<u16>();
    let total_cells = cells(&total) + 3;
    let forms = [
        (shown(true, true), 3, true),
        (shown(true, true), 2, true),
        (shown(true, true), 2, false),
        (shown(false, true), 3, true),
        (shown(false, true), 2, true),
        (shown(false, false), 2, false),
    ];
    let taken = |(parts, gap, with_total): &(Vec<Words>, u16, bool)| {
        wide(parts, *gap).saturating_sub(*gap) + if *with_total { total_cells } else { 0 }
    };
    let clock = clock(model);
    let beside_clock = room.saturating_sub(cells(&clock) + 3);
    let fitting = forms.iter().find(|form| taken(form) <= beside_clock);
    if fitting.is_some() {
        canvas.right(room + begin, 1, &clock[1].0, look.theme.style(Tone::Dim));
        canvas.right(room + begin - cells(&clock[1..]), 1, &clock[0].0, look.theme.style(Tone::Plain));
    }
    let (parts, gap, with_total) = match fitting.or_else(|| forms.iter().find(|form| taken(form) <= room)) {
        Some(form) => form.clone(),
        None => {
            let bare = shown(false, false).into_iter().enumerate().map(|(place, part)| (place as u8, part)).collect();
            (shed(bare, room, 2), 2, false)
        }
    };
    let mut x = begin;
    if with_total {
        x = canvas.words(x, 1, cells(&total), &total, look) + 3;
    }
    if model.counts.total() == 0 {
        return;
    }
    for part in &parts {
        x = canvas.words(x, 1, cells(part), part, look) + gap;
    }
}
