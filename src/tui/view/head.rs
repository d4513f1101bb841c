//! The two head lines. The first shows the store, the runner, the queue and the time of day; the second, in
//! [`view_line`], the views and the number of documents of each status. On a narrow screen, both leave out their least
//! important parts.

use super::view_line;
use crate::format;
use crate::runner::event::{LockHealth, Phase};
use crate::store::{WorkerHealth, WorkerSummary};
use crate::tui::describe::pause;
use crate::tui::model::rate::HISTORY_SECONDS;
use crate::tui::model::{Model, ShutdownState};
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::widgets::canvas::{Canvas, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Draws both head lines.
pub(super) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let appearance = model.appearance();
    let mut canvas = Canvas::new(buf, area);
    first(model, &mut canvas, appearance);
    view_line::draw(model, &mut canvas, appearance);
}

/// Width of the screen, in cells, from which the zone stands beside the time of day.
const ZONE_MIN_WIDTH: u16 = 100;

/// A part of a head line with its rank. On a narrow screen, the part with the greatest rank is left out first.
pub(super) type Part = (u8, Spans);

/// Returns the texts of the parts, in order. Leaves out empty parts, then others, the greatest rank first, until the
/// rest fits into `available` cells with `gap` cells between them.
pub(super) fn shed(mut parts: Vec<Part>, available: u16, gap: u16) -> Vec<Spans> {
    parts.retain(|(_, words)| !words.is_empty());
    let total = |parts: &[Part]| parts.iter().map(|(_, words)| cells(words) + gap).sum::<u16>();
    while total(&parts) > available.saturating_add(gap)
        && let Some(worst) = (0..parts.len()).rev().max_by_key(|index| parts[*index].0)
    {
        parts.remove(worst);
    }
    parts.into_iter().map(|(_, words)| words).collect()
}

fn first(model: &Model, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let available = canvas.area.width.saturating_sub(2);
    let mut parts: Vec<Part> = vec![(1, vec![span("quarterdeck", Tone::Strong)])];
    if model.options.read_only && model.outdated.is_none() {
        parts.push((3, vec![span("read-only", Tone::Waiting)]));
    }
    parts.push((6, store(model)));
    if let Some(note) = &model.options.note {
        parts.push((4, vec![span(note.to_string(), Tone::Waiting)]));
    }
    parts.push((0, outdated(model)));
    // The warning about the locks stays longer than parts that only inform, since documents may be synced without the
    // full protection of the locks.
    parts.push((1, locks(model)));
    parts.push((2, paused(model)));
    parts.push((2, credentials(model)));
    parts.push((2, faq_backlog(model)));
    let left = parts.len();
    parts.push((if model.outage().is_some() { 0 } else { 2 }, runner(model)));
    parts.push((7, workers(model)));
    parts.push((3, vec![span(format::rate(model.rate.per_second(model.now)), Tone::Plain)]));
    parts.push((7, history(model, appearance)));
    parts.push((5, queue(model)));
    parts.push((8, oldest(model)));
    parts.push((5, clock(model)));
    // Notes the side of each part, since leaving out parts changes the indexes of others.
    let sides: Vec<(bool, Part)> = parts.into_iter().enumerate().map(|(index, part)| (index < left, part)).collect();
    let kept = shed(sides.iter().map(|(_, part)| part.clone()).collect(), available, 3);
    let (mut x, mut end) = (1, available + 1);
    for (on_left, (_, part)) in &sides {
        if *on_left && kept.contains(part) {
            x = canvas.spans(x, 0, cells(part), part, appearance) + 2;
        }
    }
    for (on_left, (_, part)) in sides.iter().rev() {
        if !on_left && kept.contains(part) {
            let start = end.saturating_sub(cells(part));
            canvas.spans(start, 0, cells(part), part, appearance);
            end = start.saturating_sub(3);
        }
    }
}

fn store(model: &Model) -> Spans {
    match model.store.split_once(' ') {
        Some((kind, location)) => vec![span(format!("{kind} "), Tone::Dim), span(location, Tone::Plain)],
        None => vec![span(model.store.to_string(), Tone::Plain)],
    }
}

fn runner(model: &Model) -> Spans {
    let glyphs = &model.glyphs;
    if let Some(outage) = model.outage() {
        let age = match model.now.since(outage.since).as_secs() {
            seconds @ 0..60 => format!("{seconds} s"),
            _ => format::age(model.now.since(outage.since)),
        };
        let seconds = outage.retry_at.since(model.now).as_secs_f64().ceil().max(1.0);
        return vec![span(format!("{} database away {age}, again in {seconds} s", glyphs.alarm), Tone::Failed)];
    }
    if !model.has_runner {
        if !model.is_counted() {
            return Spans::new();
        }
        if model.queue.workers == 0 {
            return vec![span(format!("{} ", glyphs.off), Tone::Waiting), span("no worker", Tone::Plain)];
        }
        return worker_totals(model);
    }
    // Results that wait to be written to a slow database occupy no slot.
    let busy = format!("{}/{}", model.runner.busy.min(model.runner.slots), model.runner.slots);
    match (model.runner.phase, model.shutdown) {
        (Phase::Stopped, _) => vec![span(format!("{} stopped", glyphs.off), Tone::Failed)],
        (Phase::Off, ShutdownState::NotRequested) => {
            let left = if model.runner.busy > 0 { format!(", {} left", model.runner.busy) } else { String::new() };
            vec![span(format!("{} runner off{left}", glyphs.off), Tone::Waiting)]
        }
        (Phase::Draining, _) | (_, ShutdownState::Draining) => {
            vec![span(format!("{} draining, {} left", glyphs.on, model.runner.busy), Tone::Waiting)]
        }
        (Phase::Running, _) => {
            vec![span("runner ", Tone::Dim), span(format!("{} ", glyphs.on), Tone::Good), span(busy, Tone::Plain)]
        }
    }
}

/// Formats the number of workers in all processes. Once the list of workers has been read, the text also has their busy
/// slots, all slots, and the number of workers with a late heartbeat.
fn worker_totals(model: &Model) -> Spans {
    let totals = model.workers.totals();
    let (sign, tone) =
        if totals.late > 0 { (model.glyphs.alarm, Tone::Waiting) } else { (model.glyphs.on, Tone::Good) };
    let mut part = vec![span(format!("{sign} "), tone)];
    if totals.workers == 0 {
        part.push(span(format::count(model.queue.workers, "worker"), Tone::Plain));
        return part;
    }
    part.push(span(format!("{} ", format::count(totals.workers, "worker")), Tone::Plain));
    part.push(span(format!("{}/{}", format::number(totals.busy), format::number(totals.slots)), Tone::Plain));
    if totals.late > 0 {
        part.push(span(format!(" {} late", format::number(totals.late)), tone));
    }
    part
}

/// Returns [`worker_totals`] if this console has a runner and there is more than one worker; else nothing.
fn workers(model: &Model) -> Spans {
    if model.has_runner && model.workers.totals().workers > 1 { worker_totals(model) } else { Spans::new() }
}

/// Returns the warning that a newer program has migrated the store; empty if that is not so.
fn outdated(model: &Model) -> Spans {
    let warning = |_| vec![span(format!("{} outdated: upgrade and restart", model.glyphs.alarm), Tone::Failed)];
    model.outdated.map_or_else(Spans::new, warning)
}

/// Returns the warning that Redis, which has the documents' locks, is unavailable; empty if Redis responds or is not
/// used.
fn locks(model: &Model) -> Spans {
    let text = match &model.locks {
        LockHealth::Off | LockHealth::Fine => return Spans::new(),
        LockHealth::Degraded { .. } | LockHealth::Unsubscribed { .. } => "DEGRADED: Redis unreachable",
        LockHealth::Stopped { .. } => "Redis unreachable, syncs stopped",
    };
    vec![span(format!("{} {text}", model.glyphs.alarm), Tone::Failed)]
}

/// Returns the summary of the pauses; empty if nothing is paused.
fn paused(model: &Model) -> Spans {
    let text = pause::summary(model);
    text.map_or_else(Spans::new, |text| vec![span(text, Tone::Waiting)])
}

/// Returns the warning that a worker lacks credentials of a site; empty if none does. The reader of the workers has the
/// sites.
fn credentials(model: &Model) -> Spans {
    let lacks = |worker: &WorkerSummary| worker.health != WorkerHealth::Gone && !worker.unfetchable.is_empty();
    if !model.workers.list.iter().any(lacks) {
        return Spans::new();
    }
    vec![span(format!("{} credentials missing", model.glyphs.alarm), Tone::Waiting)]
}

/// Returns the warning that FAQ jobs wait; empty if none does. The details of a document and `doctor` have the reason.
fn faq_backlog(model: &Model) -> Spans {
    let Some(backlog) = &model.faq_backlog else { return Spans::new() };
    let wait = if backlog.jobs == 1 { "waits" } else { "wait" };
    vec![span(format!("{} {} {wait}", model.glyphs.alarm, format::count(backlog.jobs, "FAQ job")), Tone::Waiting)]
}

/// Returns one bar for each of the last seconds, by the number of attempts that ended in that second. Returns nothing
/// on a narrow screen or without attempts. The bars are not ratatui's `Sparkline`, because they are a part that may be
/// left out, and a second without an attempt has the lowest bar, where a sparkline has none.
fn history(model: &Model, appearance: Appearance) -> Spans {
    let bars = match model.size.0 {
        ..70 => 0,
        70..130 => 6,
        130..160 => 10,
        _ => HISTORY_SECONDS,
    };
    let history = model.rate.history(model.now);
    let most = history.iter().copied().max().unwrap_or(0);
    if most == 0 || bars == 0 {
        return Spans::new();
    }
    let bars = history.iter().skip(history.len().saturating_sub(bars)).map(|slot| {
        let step = (u64::from(*slot) * 7).div_ceil(u64::from(most)) as usize;
        appearance.glyphs.bars[step.min(7)]
    });
    vec![span(bars.collect::<String>(), Tone::Accent)]
}

fn queue(model: &Model) -> Spans {
    if !model.is_counted() {
        return Spans::new();
    }
    let queue = &model.queue;
    if queue.ready == 0 {
        return match queue.next_due_at {
            Some(at) if queue.waiting + queue.scheduled > 0 => {
                vec![span("next ", Tone::Dim), span(format::until(model.countdown_time(), at), Tone::Plain)]
            }
            _ => vec![span("queue empty", Tone::Dim)],
        };
    }
    vec![span("queued ", Tone::Dim), span(format::number(queue.ready), Tone::Plain)]
}

fn oldest(model: &Model) -> Spans {
    let oldest = model.queue.oldest_ready_at.filter(|_| model.queue.ready > 0);
    let oldest = oldest.map(|at| vec![span("oldest ", Tone::Dim), span(format::age(model.now.since(at)), Tone::Plain)]);
    oldest.unwrap_or_default()
}

/// Returns the time of day, on a wide screen with the zone.
fn clock(model: &Model) -> Spans {
    let zone = model.zone();
    let clock = model.now.clock(&zone);
    // Shows minutes only: a clock with seconds would redraw the screen every second.
    let minutes = clock.get(..5).unwrap_or(&clock).to_owned();
    let zone = if model.size.0 < ZONE_MIN_WIDTH { String::new() } else { format!(" {}", model.now.zone_name(&zone)) };
    vec![span(minutes, Tone::Plain), span(zone, Tone::Dim)]
}
