//! Next redraw deadline: the earliest time at which an age, a countdown, the rate, the clock's minute or a toast on the
//! screen changes, or at which data is to be read again because time alone changes it. Until then the screen is redrawn
//! only when a message changes it.

use super::model::Model;
use super::model::overlay::Overlay;
use super::scope::PaneId;
use super::screen::{panel_inside, view_lines};
use super::views;
use crate::domain::batch::BatchPhase;
use crate::domain::time::Timestamp;
use crate::format;

/// Returns the next redraw deadline.
pub fn next(model: &Model) -> Timestamp {
    let now = model.now;
    let mut moments = vec![format::next_minute(now)];
    moments.extend(model.notices.toast_ends(now));
    if model.rate.changes_next_second(now) {
        moments.push(format::next_second(now));
    }
    let main = model.main_pane();
    let lines = if let PaneId::View(view) = main { view_lines(model, view) } else { 0 };
    moments.extend(views::for_pane(main).next_refresh(model, lines));
    let panel_lines = usize::from(panel_inside(model).height);
    moments.extend(views::for_pane(PaneId::Outcomes).next_refresh(model, panel_lines));
    if let Some(rows) = views::for_pane(main).rows(model) {
        moments.extend(rows.due_at());
        moments.extend(rows.title_changes_at(now));
    }
    moments.extend(model.queue.oldest_ready_at.map(|at| format::age_changes_at(at, now)));
    if model.queue.ready == 0 {
        moments.extend(model.queue.next_due_at.and_then(|at| format::countdown_changes_at(at, now)));
    }
    let is_listed = matches!(model.overlay, Some(Overlay::Batches(_)));
    let batches = model.batches.list.iter().filter(|batch| batch.phase() == BatchPhase::Waiting);
    moments.extend(batches.filter_map(|batch| format::countdown_changes_at(batch.begins_at, now)));
    if is_listed {
        moments.extend(model.batches.list.iter().map(|batch| format::age_changes_at(batch.created_at, now)));
    }
    if matches!(model.overlay, Some(Overlay::Workers(_))) {
        let ages = model.workers.list.iter().flat_map(|worker| [worker.started_at, worker.heartbeat_at]);
        moments.extend(ages.map(|at| format::age_changes_at(at, now)));
    }
    moments.extend(model.status_deadline.statuses_due_at());
    moments.extend(model.status_deadline.due_at());
    moments.extend(model.queue_due_at());
    moments.extend(model.detail.as_ref().and_then(|detail| detail.due_at()));
    moments.extend(model.list_due_at());
    if let Some(stale) = &model.read_failure {
        moments.extend(format::countdown_changes_at(stale.retry_at, now));
        moments.extend(model.read_at.map(|at| format::age_changes_at(at, now)));
    }
    if let Some(outage) = model.outage() {
        moments.push(format::age_changes_at(outage.since, now));
        moments.extend(format::countdown_changes_at(outage.retry_at, now));
    }
    moments.into_iter().min().unwrap_or_else(|| format::next_minute(now))
}
