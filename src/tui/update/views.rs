//! Switching between views, and the keys that only some views have.

use super::effects::Update;
use super::{loads, prompt, trail};
use crate::domain::batch::BatchSummary;
use crate::domain::document::Status;
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::pause::PauseScope;
use crate::store::JobProgress;
use crate::tui::availability::group;
use crate::tui::effect::Effect;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::scope::PaneId;
use crate::tui::screen::view_lines;
use crate::tui::views;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::failures::text::{filter_of, markdown};

/// Shows a view in the main area, closes the details, and reads the view's rows again, since they may be old. The
/// document list is not read, since every commit does that.
pub(super) fn show(model: &mut Model, view: ViewId, up: &mut Update) {
    (model.active_view, model.focus, model.detail) = (view, Focus::Main, None);
    loads::active_view(model, up);
}

/// Goes to a view by its key. The place that the person leaves is noted.
pub(super) fn go_to(model: &mut Model, view: ViewId, up: &mut Update) {
    if model.pane() != PaneId::View(view) {
        trail::leave_for(model, view);
    }
    show(model, view, up);
}

/// Scrolls the active view so that its cursor is on the screen, for example after a change of height.
pub(super) fn fit(model: &mut Model) {
    let lines = view_lines(model, model.active_view);
    if let Some(rows) = views::for_pane(PaneId::View(model.active_view)).rows_mut(model) {
        rows.show_cursor(lines);
    }
}

/// Shows the document list, filtered to the current host, account or cause.
pub(super) fn show_documents(model: &mut Model, up: &mut Update) {
    if model.pane() == PaneId::View(ViewId::Failures) {
        let Some(filter) = model.views.failures.row().map(filter_of) else { return };
        return show_filtered(model, filter, up);
    }
    let condition = match group(model) {
        Ok(PauseScope::Host(host)) => FilterCondition::Host(vec![host]),
        Ok(PauseScope::Account(account)) => FilterCondition::Account(vec![account.0]),
        Ok(_) => return,
        Err(reason) => return model.notify(Level::Refused, reason),
    };
    show_filtered(model, Filter { terms: vec![Term { negated: false, condition }] }, up);
}

/// Shows the document list, filtered to the host of the document whose details are open.
pub(super) fn show_host_pages(model: &mut Model, up: &mut Update) {
    let Some(host) = model.detail_row().map(|row| row.host.to_string()) else { return };
    let condition = FilterCondition::Host(vec![host]);
    show_filtered(model, Filter { terms: vec![Term { negated: false, condition }] }, up);
}

pub(super) fn show_filtered(model: &mut Model, filter: Filter, up: &mut Update) {
    let text = filter.to_string();
    trail::leave(model);
    prompt::restart_with_filter(model, filter, text, up);
    show(model, ViewId::Documents, up);
}

/// Shows the members of a batch that failed in the document list; without one, all that the batch has acted on.
pub(super) fn show_batch(model: &mut Model, batch: &BatchSummary, up: &mut Update) {
    let term = |condition| Term { negated: false, condition };
    let mut terms = vec![term(FilterCondition::Batch(vec![batch.id.0]))];
    if batch.counts.failed > 0 {
        terms.push(term(FilterCondition::Status(vec![Status::Failed])));
    }
    model.overlay = None;
    show_filtered(model, Filter { terms }, up);
    up.redraw();
}

/// Copies the cause under the cursor with its figures, for an incident report.
pub(super) fn copy_cause(model: &Model, up: &mut Update) {
    if let Some(summary) = model.views.failures.row() {
        up.effect(Effect::Copy(markdown(model, summary), "cause"));
    }
}

/// Opens the prompt for breaking the lease of the running job under the cursor. The person must type the document's id:
/// the worker may be alive, and a single mistyped key must not take the job from it.
pub(super) fn break_lease(model: &mut Model) {
    let Some(job) = model.views.jobs.row() else { return };
    let JobProgress::Running { worker, .. } = &job.progress else { return };
    let kind =
        PromptKind::BreakLease { job: job.job, document: job.document, name: job.name.clone(), worker: worker.clone() };
    model.overlay = Some(Overlay::Prompt(Prompt::new(kind, "")));
}
