//! The views beside the list: which is shown, and what their own keys do.

use super::effects::Update;
use super::{loads, prompt};
use crate::domain::filter::{Filter, Term, Test};
use crate::domain::pause::PauseScope;
use crate::store::JobPlace;
use crate::tui::availability::group;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::scope::PaneId;
use crate::tui::screen::view_lines;
use crate::tui::views;
use crate::tui::views::catalog::ViewId;
use tui_input::Input;

/// Shows a view, and reads it: what is there may be old.
pub(super) fn show(model: &mut Model, view: ViewId, up: &mut Update) {
    (model.active, model.focus, model.detail) = (view, Focus::Main, None);
    loads::active_view(model, up);
}

/// Keeps the cursor on the screen, whatever its height is now.
pub(super) fn fit(model: &mut Model) {
    let lines = view_lines(model, model.active);
    if let Some(rows) = views::of(PaneId::View(model.active)).rows_mut(model) {
        rows.show_cursor(lines);
    }
}

/// Goes to the list, with nothing in it but the documents of the host or the account in hand.
pub(super) fn show_documents(model: &mut Model, up: &mut Update) {
    let test = match group(model) {
        Ok(PauseScope::Host(host)) => Test::Host(vec![host]),
        Ok(PauseScope::Account(account)) => Test::Account(vec![account.0]),
        Ok(_) => return,
        Err(reason) => return model.tell(Level::Refused, reason),
    };
    let filter = Filter { terms: vec![Term { negated: false, test }] };
    let text = filter.to_string();
    prompt::filter_anew(model, filter, text, up);
    show(model, ViewId::Documents, up);
}

/// Whoever takes a job from a worker that may be alive types whose it is: no key that was hit by mistake does that.
pub(super) fn break_lease(model: &mut Model) {
    let Some(seen) = model.views.jobs.row() else { return };
    let JobPlace::Running { worker, .. } = &seen.place else { return };
    let kind = PromptKind::BreakLease {
        job: seen.job,
        document: seen.document,
        name: seen.name.clone(),
        worker: worker.clone(),
    };
    model.overlay = Some(Overlay::Prompt(Prompt { kind, input: Input::default(), problem: None }));
}
