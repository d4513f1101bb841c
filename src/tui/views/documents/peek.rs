//! The content of the peek pane (below the list) for a document, in sentences: the status and its reason, the next
//! step, and the key that helps.

use super::text::{can_be_decided, error, faqs, host_backoff, is_orphaned, step, why_locked, why_queued, window};
use crate::domain::document::{DocumentRow, RecentResult, Status};
use crate::domain::pause::PauseScope;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::action::Action;
use crate::tui::describe::pause;
use crate::tui::model::Model;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::{self, Tone};
use crate::tui::views::view::Explanation;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Explains the document in a peek pane with `height` lines inside its frame.
pub(super) fn explain(model: &Model, row: &DocumentRow, height: u16) -> Explanation {
    let name = if row.name.is_empty() { row.url.to_string() } else { row.name.to_string() };
    let dot = model.glyphs.dot;
    let ids = format!("document {} {dot} account {} {dot} assistant {}", row.id, row.account_id, row.assistant_id);
    let (lines, aside) = if height >= 5 {
        let mut then = vec![span("  ", Tone::Plain)];
        then.extend(next(model, row, false));
        let url = vec![span(row.url.to_string(), Tone::Plain)];
        (vec![url, status_line(model, row), then, Spans::new(), history(model, row)], Spans::new())
    } else {
        (vec![status_line(model, row), next(model, row, true)], results_strip(model, row))
    };
    Explanation {
        title: vec![span(name, Tone::Strong)],
        aside: vec![span(ids, Tone::Dim)],
        lines,
        first_line_aside: aside,
        is_old: model.read_failure.is_some(),
    }
}

/// Returns the line about the document's status: glyph, word, time and reason.
pub fn status_line(model: &Model, row: &DocumentRow) -> Spans {
    let tone = theme::status(row.status);
    let ago = |at| format!(" {} ago", format::age(model.now.since(at)));
    let when = match row.status {
        Status::Failed | Status::Waiting => row.attempted_at.map(ago),
        Status::Synced | Status::Stale => row.synced_at.map(ago),
        _ => None,
    };
    let mut line = vec![span(
        format!("{} {}{}", model.glyphs.status(row.status), row.status.word(), when.unwrap_or_default()),
        tone,
    )];
    let why = match row.status {
        Status::Syncing => Some(step(model, row)),
        Status::Queued => Some(why_queued(model, row)),
        Status::Waiting if row.holder.is_some() => Some(why_locked(row)),
        _ => error(row),
    };
    line.extend(why.map(|why| span(format!("  {why}"), tone)));
    if row.status == Status::Queued
        && let Some(error) = error(row)
    {
        line.push(span(format!("  last failure: {error}"), Tone::Dim));
    }
    if let Some(reason) = &row.quarantine_reason {
        line.push(span(format!("  {} needs review: it {reason}", model.glyphs.quarantined), Tone::Lost));
    }
    line
}

/// Describes the document's next step and the key that helps. With `brief`, facts that the list shows next to the
/// sentence are left out. In read-only mode, keys that are refused are left out.
pub fn next(model: &Model, row: &DocumentRow, brief: bool) -> Spans {
    let at = |at: Timestamp| match format::until(model.now, at) {
        // A time of day is of no use without the date, so it is shown for the next 24 hours only.
        soon if brief || at.since(model.now) >= DAY => soon,
        soon => format!("{soon} ({})", at.clock(&model.zone())),
    };
    let (sync, retry, cancel) = (model.key(Action::Sync), model.key(Action::Retry), model.key(Action::Cancel));
    let text = match row.status {
        _ if can_be_decided(row) => match (model.detail.is_some(), brief) {
            (true, _) if model.options.read_only => "The stored text stays until somebody decides.".into(),
            (true, _) => format!(
                "`{}` accepts the fetched text, `{}` rejects it.",
                model.key(Action::Accept),
                model.key(Action::Reject)
            ),
            (false, true) => format!("`{}` shows what would change.", model.key(Action::Details)),
            (false, false) => {
                format!(
                    "The stored text stays until somebody decides; `{}` shows what would change.",
                    model.key(Action::Details)
                )
            }
        },
        Status::Failed => match row.next_attempt_at {
            Some(next) => format!("Next attempt {}. `{retry}` retries it now.", at(next)),
            None => match row.next_check_at {
                Some(due) => format!("Next check {}; `{retry}` retries it now.", at(due)),
                None => format!("Not retried automatically; `{retry}` retries it now."),
            },
        },
        Status::Waiting if row.holder.is_some() => {
            let next = row.next_attempt_at.map_or("in a moment".to_owned(), at);
            format!("Next lock check {next}. `{retry}` checks now, `{cancel}` gives up.")
        }
        Status::Waiting => {
            let tries = row.failure_count.filter(|_| !brief);
            let tries = tries
                .map_or(String::new(), |tried| format!(", {} of {} failed", tried.failures, tried.attempts_allowed));
            let next = row.next_attempt_at.map_or("soon".to_owned(), at);
            format!("Next attempt {next}{tries}. `{retry}` retries now, `{cancel}` gives up.")
        }
        Status::Syncing if is_orphaned(model, row) => "The next worker restarts it.".to_owned(),
        Status::Syncing if row.cancel_requested => "Cancel requested; it stops in a moment.".to_owned(),
        Status::Syncing => {
            let since =
                row.attempted_at.map_or(String::new(), |at| format!(" for {}", format::age(model.now.since(at))));
            let worker = row.holder.as_ref().filter(|_| !brief).map_or(String::new(), |worker| format!(" on {worker}"));
            let number = row.attempt.filter(|attempt| *attempt > 1).map_or(String::new(), |n| format!(", attempt {n}"));
            format!("Runs{since}{worker}{number}. `{cancel}` stops it.")
        }
        Status::Queued if model.queue.workers == 0 && !model.has_runner && brief => {
            "No worker: start one with \"quarterdeck work\".".to_owned()
        }
        Status::Queued if model.queue.workers == 0 && !model.has_runner => {
            "No worker runs jobs of this store: start one with \"quarterdeck work\".".to_owned()
        }
        Status::Queued if let Some(pause) = pause::of_row(model, row) => {
            let key = pause::resume_key(model, pause);
            match pause.scope {
                PauseScope::Class(_) => format!("Starts when {} are resumed. `{cancel}` ends it.", pause.scope),
                _ => format!("Starts when {} is resumed: `{key}`. `{cancel}` ends it.", pause.scope),
            }
        }
        Status::Queued if let Some(window) = window(model, row) => {
            format!("Its window opens {}. `{sync}` runs it now, `{cancel}` ends it.", at(window.opens_at))
        }
        Status::Queued if host_backoff(model, row).is_some() => {
            let until = host_backoff(model, row).map_or(model.now, |backoff| backoff.until);
            format!("Next request to its host {}, no attempt lost. `{cancel}` ends it.", at(until))
        }
        Status::Queued if brief => format!("Starts soon. `{sync}` puts it first, `{cancel}` ends it."),
        Status::Stuck if brief => format!("No worker runs it. `{retry}` retries it now."),
        Status::Stale if brief => match row.next_attempt_at {
            Some(next) => format!("Next sync {}. `{sync}` syncs it now.", at(next)),
            None => format!("Overdue. `{sync}` syncs it now."),
        },
        Status::Queued => format!("Starts when a slot is free. `{sync}` puts it first, `{cancel}` ends it."),
        Status::Stuck => format!("Marked as syncing, but no worker of this store runs it. `{retry}` retries it now."),
        Status::Stale => match row.next_attempt_at {
            Some(next) => {
                format!("Overdue by its plan; next sync {}. `{sync}` syncs it now.", at(next))
            }
            None => format!("Overdue by its plan. `{sync}` syncs it now."),
        },
        Status::Synced => match row.next_attempt_at.or(row.next_check_at) {
            Some(next) => format!("Next check {}. `{sync}` syncs it now.", at(next)),
            None => format!("Not scheduled. `{sync}` syncs it now."),
        },
        Status::Pdf => "It is a PDF, which is never fetched.".to_owned(),
        Status::Crawling => "Chatwoot has not stored its first text yet; until then it is not synced.".to_owned(),
        Status::Never if !row.available => "It is not available yet, so it is not synced.".to_owned(),
        Status::Never => match row.next_attempt_at.or(row.next_check_at) {
            Some(next) => format!("First sync {}. `{sync}` syncs it now.", at(next)),
            None => format!("Never synced. `{sync}` syncs it now."),
        },
    };
    // The key that opens the details works in read-only mode too.
    let only_views = can_be_decided(row) && model.detail.is_none();
    if model.options.read_only && !only_views {
        // The rest of the text names keys that are refused in read-only mode.
        let until_key = text.split([';', '.']).next().unwrap_or(&text).trim_end_matches('.');
        return vec![span(format!("{until_key}."), Tone::Plain)];
    }
    with_keys(&text, Tone::Plain)
}

/// Returns one glyph for each of the document's last results, oldest first.
pub fn results_strip(model: &Model, row: &DocumentRow) -> Spans {
    let piece = |result: &RecentResult| span(model.glyphs.recent(*result), theme::recent(*result));
    row.recent.iter().map(piece).collect()
}

/// Returns the line about the document's past: the glyphs of the last results, the time of the last sync, the size of
/// the stored text with the number of earlier versions, and the person who requested the last job.
pub fn history(model: &Model, row: &DocumentRow) -> Spans {
    let mut line = Spans::new();
    let fact = |line: &mut Spans, label: &str, value: String| {
        line.push(span(format!("{}{label} ", if line.is_empty() { "" } else { "   " }), Tone::Dim));
        line.push(span(value, Tone::Plain));
    };
    if !row.recent.is_empty() {
        line.push(span(format!("last {} ", row.recent.len()), Tone::Dim));
        line.extend(results_strip(model, row));
    }
    if let Some(at) = row.synced_at {
        fact(&mut line, "synced", format!("{} ago", format::age(model.now.since(at))));
    }
    if let Some(length) = row.content_length {
        let versions = match row.versions {
            0 => String::new(),
            n => format!(", {}", format::count(u64::from(n), "earlier version")),
        };
        fact(&mut line, "kept", format!("{}{versions}", format::chars(length)));
    }
    if row.faqs.is_some() {
        fact(&mut line, "FAQs", faqs(model, row).0);
    }
    if let Some(by) = &row.requested_by {
        fact(&mut line, "by", by.to_string());
    }
    line
}
