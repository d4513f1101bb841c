//! State changes: applies each message to the model. Pure: no clock, no I/O. The time comes with the message, and
//! requests to the store, the runner or the terminal are returned as [`Effect`]s.

mod acts;
mod batches;
mod changes;
mod columns;
mod dashboard;
mod detail_pin;
mod dialog;
mod effects;
mod exports;
mod faqs;
mod figures;
mod help;
mod keys;
mod last_visit;
mod loads;
mod marks;
mod members;
mod moves;
mod outcomes;
mod pauses;
mod prompt;
mod recall;
mod saved_filters;
mod sources;
mod step;
mod timed;
mod trail;
mod views;

pub use effects::Update;

use super::effect::{Effect, ExitReason};
use super::model::toast::Level;
use super::model::{Model, ShutdownState};
use super::msg::Msg;
use super::screen::{detail_cells, list_rows};
use super::views::catalog::ViewId;
use super::views::detail::state::Tab;
use super::views::workers::state::WorkerLine;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use crate::format;
use crate::runner::event::{Event, Health, LockHealth, Phase};
use crate::store::SchemaMismatch;

/// Applies one message, which arrived at `now`. Returns the effects to perform and the need for a redraw.
pub fn update(model: &mut Model, now: Timestamp, msg: Msg) -> Update {
    // The time never moves back, so that a clock that is set back makes no age negative.
    model.now = model.now.max(now);
    let mut up = Update::default();
    let by_hand = matches!(msg, Msg::Key(_) | Msg::Resize(..) | Msg::Paste(_));
    let had_batch = model.batches.shown().is_some();
    match msg {
        Msg::Start => {
            up.redraw();
            loads::everything(model, &mut up);
            timed::status_deadline(model, &mut up);
        }
        Msg::Key(event) => keys::key(model, &event, &mut up),
        Msg::Paste(text) => prompt::paste(model, &text, &mut up),
        Msg::KeysDropped(keys) => {
            let keys = format::count(keys as u64, "key");
            model.notify(Level::Refused, format!("the console was busy for over a second; dropped {keys}"));
            up.redraw();
        }
        Msg::Resize(width, height) => {
            model.size = (width, height);
            up.redraw();
        }
        Msg::RefreshDue => {
            up.redraw();
            timed::due(model, &mut up);
        }
        Msg::Terminate => {
            up.effect(Effect::ReleaseJobs);
            up.effect(Effect::End(ExitReason::Left));
        }
        Msg::StoreChanged(topics) => loads::changed(model, topics, &mut up),
        Msg::PollDue => {
            figures::poll_workers(model, &mut up);
            faqs::poll(model, &mut up);
            batches::poll(model, &mut up);
        }
        Msg::Batches(answer) => batches::take(model, answer, &mut up),
        Msg::FaqBacklog(answer) => faqs::take(model, answer, &mut up),
        Msg::Page { generation, answer } => loads::take_page(model, generation, answer, &mut up),
        Msg::Members { generation, answer } => members::take(model, generation, answer, &mut up),
        Msg::Counts(answer) => figures::take_counts(model, answer, &mut up),
        Msg::Queue(answer) => figures::take_queue(model, answer, &mut up),
        Msg::StatusDeadline(answer) => timed::take_status_deadline(model, answer, &mut up),
        Msg::Rows(rows) => loads::take_rows(model, rows, &mut up),
        Msg::Pauses(answer) => pauses::take(model, answer, &mut up),
        Msg::Workers(answer) => figures::take_workers(model, answer, &mut up),
        Msg::DiskUse(answer) => figures::take_disk_use(model, answer, &mut up),
        Msg::Sinks(answer) => figures::take_sinks(model, answer, &mut up),
        Msg::Detail { generation, answer } => loads::take_detail(model, generation, answer, &mut up),
        Msg::Difference { generation, answer } => changes::take(model, generation, answer, &mut up),
        Msg::Explained { generation, answer } => loads::take_explanation(model, generation, answer, &mut up),
        Msg::NewestOutcomes(answer) => outcomes::take_newest(model, answer, &mut up),
        Msg::OlderOutcomes(before, answer) => outcomes::take_older(model, before, answer, &mut up),
        Msg::PinnedOutcomes(subject, before, answer) => {
            outcomes::take_pinned(model, (subject, before), answer, &mut up);
        }
        Msg::Outcomes(outcomes) => outcomes::arrived(model, outcomes, &mut up),
        Msg::OutcomesUnreachable(reason) => {
            loads::read_failed(model, "outcomes", &reason, &mut up);
        }
        Msg::Preview { generation, answer, costs_credits } => {
            dialog::take_preview(model, generation, (answer, costs_credits), &mut up);
        }
        Msg::MatchingIds(filter, answer) => marks::take_matching(model, &filter, answer, &mut up),
        Msg::ListedMarks { filter, asked, answer } => marks::take_listed(model, &filter, &asked, answer, &mut up),
        Msg::CommandDone(command, answer) => acts::take_done(model, &command, answer, &mut up),
        Msg::CopiedOrOpened(answer) => {
            match answer {
                Ok(text) => model.notify(Level::Done, text),
                Err(text) => model.notify(Level::Failed, text),
            }
            up.redraw();
        }
        Msg::Runner(event) => runner(model, event, &mut up),
        Msg::RunnerLagged => model.steps.clear(),
        Msg::Status(status) => {
            up.redraw = model.runner != status;
            model.runner = status;
        }
        Msg::Health(health) => {
            up.redraw = model.health != health;
            if let (Health::Fine, Health::Unreachable { reason, .. }) = (&model.health, &health) {
                model.report_failed_call(reason);
            }
            model.health = health;
        }
        Msg::Locks(locks) => {
            up.redraw = model.locks != locks;
            match (model.locks.message(), locks.message()) {
                (None, Some(words)) => model.log(Level::Failed, words),
                (Some(_), None) => model.log(Level::Done, LockHealth::RECOVERED),
                _ => {}
            }
            model.locks = locks;
        }
        Msg::Schema(mismatch) => outdated(model, mismatch, &mut up),
        Msg::RunnerEnded => {
            model.runner.phase = Phase::Stopped;
            model.runner.busy = 0;
            up.redraw();
            match model.shutdown {
                ShutdownState::Draining => up.effect(Effect::End(ExitReason::Drained)),
                // The console has shown the schema mismatch, which is the reason.
                ShutdownState::NotRequested if model.outdated.is_some() => {}
                ShutdownState::NotRequested => model.notify(Level::Failed, "the runner inside this console has ended"),
            }
        }
    }
    // The line about a batch takes one from the panes.
    let is_resized = had_batch != model.batches.shown().is_some();
    fit(model, by_hand || is_resized, &mut up);
    up
}

/// Handles the migration of the store by a newer program: makes the console read-only, since its writes would be
/// refused.
fn outdated(model: &mut Model, mismatch: Option<SchemaMismatch>, up: &mut Update) {
    let Some(mismatch) = mismatch.filter(|mismatch| model.outdated != Some(*mismatch)) else { return };
    model.outdated = Some(mismatch);
    model.options.read_only = true;
    model.notify(Level::Failed, mismatch.to_string());
    up.redraw();
}

/// Adjusts everything that depends on the size of the panes, after each message: the cursor stays on the screen, and
/// text is wrapped to the current width. `by_hand` is true after a key, a paste or a change of the terminal's size.
fn fit(model: &mut Model, by_hand: bool, up: &mut Update) {
    let (width, _) = detail_cells(model);
    // Only for the tab that shows the text, since wrapping a long text takes time.
    if let Some(detail) = model.detail.as_mut().filter(|detail| detail.tab == Tab::Content) {
        detail.wrap(width);
    }
    if let Some(detail) = model.detail.as_mut().filter(|detail| detail.tab == Tab::Record) {
        detail.wrap_record(width);
    }
    detail_pin::follow_detail(model, up);
    members::follow_cursor(model, up);
    changes::compare(model, up);
    fit_difference(model, width);
    views::fit(model);
    if by_hand && model.list_is_shown() {
        let rows = list_rows(model);
        model.documents.show_cursor(rows);
        if model.documents.loaded && !model.documents.loading && !model.documents.covers(rows) {
            loads::page(model, up);
        }
    }
}

fn fit_difference(model: &mut Model, width: usize) {
    let is_loaded = model.difference().is_some();
    if let (Some(detail), Some(data), true) = (&mut model.detail, &model.compared, is_loaded) {
        // Two cells are for the sign of an added or removed line before its text.
        detail.wrap_difference(data, width.saturating_sub(2));
    }
}

fn runner(model: &mut Model, event: Event, up: &mut Update) {
    match event {
        Event::Step { document, step } => {
            if model.steps.insert(document, step) != Some(step) {
                up.redraw = on_screen(model, document);
            }
        }
        Event::Ended { document } => {
            if model.steps.remove(&document).is_some() {
                up.redraw = on_screen(model, document);
            }
        }
        Event::Panicked { message } => {
            model.notify(Level::Failed, format!("a background task panicked; the console continues: {message}"));
            up.redraw();
        }
        Event::Reported { report } => {
            model.notify(Level::Failed, format!("job given up: {}: {}", report.exception_class, report.detail));
            up.redraw();
        }
        Event::Problem { message } => {
            model.notify(Level::Failed, message.as_str());
            up.redraw();
        }
    }
}

fn on_screen(model: &Model, document: DocumentId) -> bool {
    let rows = list_rows(model);
    if model.active_view == ViewId::Jobs && model.views.jobs.data.running.iter().any(|job| job.document == document) {
        return true;
    }
    let is_listed = |line: &WorkerLine| line.job.as_ref().is_some_and(|job| job.document == document);
    if model.active_view == ViewId::Workers && model.views.workers.data.rows.iter().any(is_listed) {
        return true;
    }
    model.detail.as_ref().is_some_and(|detail| detail.document == document)
        || model.documents.visible(rows).any(|(_, row)| row.id == document)
}
