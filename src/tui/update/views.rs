//! The views beside the list: which is shown, reading it, and moving in it.

use super::moves::target;
use super::{Update, prompt, tell};
use crate::domain::filter::{Filter, Term, Test};
use crate::domain::pause::PauseScope;
use crate::domain::time::Timestamp;
use crate::store::JobPlace;
use crate::tui::action::Action;
use crate::tui::availability::group;
use crate::tui::effect::Effect;
use crate::tui::layout::table_rows;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::table::state::Shown;
use tui_input::Input;

/// Shows a view, and reads it: what is there may be old.
pub(super) fn show(model: &mut Model, shown: Shown, up: &mut Update) {
    (model.shown, model.focus, model.detail) = (shown, Focus::Main, None);
    load(model, up);
}

/// Reads the view that is shown, never twice at a time and never before it has rested. The list of documents is always
/// read.
pub(super) fn load(model: &mut Model, up: &mut Update) {
    let (view, now) = (model.shown, model.now);
    if let Some(wait) = model.view_mut().and_then(|shown| shown.ask(now)) {
        up.effect(Effect::LoadView { view, wait });
    }
}

/// Reads it again once it is old.
pub(super) fn load_when_old(model: &mut Model, up: &mut Update) {
    let due = model.view().and_then(|view| view.due_at());
    if due.is_some_and(|due| due <= model.now) {
        load(model, up);
    }
}

/// Takes what was read of `view`; whether its rows have changed says `take`.
pub(super) fn take(model: &mut Model, view: Shown, take: impl FnOnce(&mut Model, Timestamp) -> bool, up: &mut Update) {
    let now = model.now;
    let changed = take(model, now);
    if model.shown != view {
        return;
    }
    up.redraw |= changed;
    if model.view().is_some_and(|view| view.again()) {
        load(model, up);
    }
}

pub(super) fn go(model: &mut Model, action: Action) {
    let page = table_rows(model);
    if let Some(view) = model.view_mut() {
        view.go(target(action, view.place(), view.rows(), page));
    }
}

/// Keeps the cursor on the screen, whatever its height is now.
pub(super) fn fit(model: &mut Model) {
    let rows = table_rows(model);
    if let Some(view) = model.view_mut() {
        view.show_cursor(rows);
    }
}

/// Goes to the list, with nothing in it but the documents of the host or the account in hand.
pub(super) fn show_documents(model: &mut Model, up: &mut Update) {
    let test = match group(model) {
        Ok(PauseScope::Host(host)) => Test::Host(vec![host]),
        Ok(PauseScope::Account(account)) => Test::Account(vec![account.0]),
        Ok(_) => return,
        Err(reason) => return tell(model, Level::Refused, reason),
    };
    let filter = Filter { terms: vec![Term { negated: false, test }] };
    let text = filter.to_string();
    prompt::filter_anew(model, filter, text, up);
    show(model, Shown::Documents, up);
}

/// Whoever takes a job from a worker that may be alive types whose it is: no key that was hit by mistake does that.
pub(super) fn break_lease(model: &mut Model) {
    let Some(seen) = model.jobs.row() else { return };
    let JobPlace::Running { worker, .. } = &seen.place else { return };
    let kind = PromptKind::BreakLease {
        job: seen.job,
        document: seen.document,
        name: seen.name.clone(),
        worker: worker.clone(),
    };
    model.overlay = Some(Overlay::Prompt(Prompt { kind, input: Input::default(), problem: None }));
}
