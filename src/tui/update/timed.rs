//! Reads that time alone makes necessary. The moments are known in advance, and `refresh` wakes the console for them.

use super::effects::Update;
use super::{figures, loads};
use crate::domain::time::Timestamp;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::msg::StoreResult;
use crate::tui::scope::PaneId;
use crate::tui::views;

/// Starts the reads that are due.
pub(super) fn due(model: &mut Model, up: &mut Update) {
    let now = model.now;
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
    let view = views::for_pane(PaneId::View(model.active_view));
    if is_due(view.rows(model).and_then(|rows| rows.due_at())) {
        loads::active_view(model, up);
    }
    let statuses_are_due = is_due(model.status_deadline.statuses_due_at());
    if statuses_are_due || is_due(model.list_due_at()) {
        loads::list_changed(model, up);
    }
    if statuses_are_due {
        figures::counts(model, up);
    }
    if statuses_are_due || is_due(model.status_deadline.due_at()) {
        status_deadline(model, up);
    }
    if is_due(model.detail.as_ref().and_then(|detail| detail.due_at())) {
        loads::detail_changed(model, up);
    }
    if is_due(model.queue_due_at()) {
        figures::queue(model, up);
    }
}

/// Requests the next time at which time alone changes the status of a document.
pub(super) fn status_deadline(model: &mut Model, up: &mut Update) {
    if model.status_deadline.read.request() {
        up.effect(Effect::LoadStatusDeadline);
    }
}

/// Stores the next time at which time alone changes the status of a document. A failed read is repeated later.
pub(super) fn take_status_deadline(model: &mut Model, answer: StoreResult<Option<Timestamp>>, up: &mut Update) {
    model.status_deadline.take(model.now, answer.ok());
    // Each frame determines when the console wakes next.
    up.redraw();
}
