//! Switching between views, and the keys that only some views have.

use super::effects::Update;
use super::{loads, prompt};
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::pause::PauseScope;
use crate::store::JobProgress;
use crate::tui::availability::group;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::scope::PaneId;
use crate::tui::screen::view_lines;
use crate::tui::views;
use crate::tui::views::catalog::ViewId;
use tui_input::Input;

/// Shows a view and reads it again, since its rows may be old.
pub(super) fn show(model: &mut Model, view: ViewId, up: &mut Update) {
    (model.active_view, model.focus, model.detail) = (view, Focus::Main, None);
    loads::active_view(model, up);
}

/// Keeps the cursor of the active view on the screen after a change of height.
pub(super) fn fit(model: &mut Model) {
    let lines = view_lines(model, model.active_view);
    if let Some(rows) = views::for_pane(PaneId::View(model.active_view)).rows_mut(model) {
        rows.show_cursor(lines);
    }
}

/// Shows the document list, filtered to the current host or account.
pub(super) fn show_documents(model: &mut Model, up: &mut Update) {
    let test = match group(model) {
        Ok(PauseScope::Host(host)) => FilterCondition::Host(vec![host]),
        Ok(PauseScope::Account(account)) => FilterCondition::Account(vec![account.0]),
        Ok(_) => return,
        Err(reason) => return model.notify(Level::Refused, reason),
    };
    let filter = Filter { terms: vec![Term { negated: false, condition: test }] };
    let text = filter.to_string();
    prompt::restart_with_filter(model, filter, text, up);
    show(model, ViewId::Documents, up);
}

/// Opens the prompt for breaking a lease. The person must type the document's id, since the worker may be alive and a
/// mistyped key must not break its lease.
pub(super) fn break_lease(model: &mut Model) {
    let Some(job) = model.views.jobs.row() else { return };
    let JobProgress::Running { worker, .. } = &job.progress else { return };
    let kind =
        PromptKind::BreakLease { job: job.job, document: job.document, name: job.name.clone(), worker: worker.clone() };
    model.overlay = Some(Overlay::Prompt(Prompt { kind, input: Input::default(), problem: None }));
}
