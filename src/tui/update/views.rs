//! The views beside the list: which is shown, reading it, and moving in it.

use super::Update;
use super::moves::target;
use crate::store::{JobPlace, JobsPage};
use crate::tui::action::Action;
use crate::tui::effect::Effect;
use crate::tui::layout::table_rows;
use crate::tui::model::overlay::{Overlay, Prompt, PromptKind};
use crate::tui::model::views::Shown;
use crate::tui::model::{Focus, Model};
use crate::tui::msg::Answer;
use tui_input::Input;

/// Shows a view, and reads it: what is there may be old.
pub(super) fn show(model: &mut Model, shown: Shown, up: &mut Update) {
    (model.shown, model.focus, model.detail) = (shown, Focus::Main, None);
    load(model, up);
}

/// Reads the view that is shown, never twice at a time. The list of documents is always read.
pub(super) fn load(model: &mut Model, up: &mut Update) {
    match model.shown {
        Shown::Documents => {}
        Shown::Jobs if model.jobs.asked => model.jobs.again = true,
        Shown::Jobs => {
            (model.jobs.asked, model.jobs.again) = (true, false);
            up.effect(Effect::LoadJobs);
        }
    }
}

/// Reads it again once it is old.
pub(super) fn load_when_old(model: &mut Model, up: &mut Update) {
    let due = match model.shown {
        Shown::Documents => None,
        Shown::Jobs => model.jobs.due_at(),
    };
    if due.is_some_and(|due| due <= model.now) {
        load(model, up);
    }
}

pub(super) fn take_jobs(model: &mut Model, answer: Answer<JobsPage>, up: &mut Update) {
    let now = model.now;
    let jobs = &mut model.jobs;
    (jobs.asked, jobs.tried_at) = (false, Some(now));
    match answer {
        Ok(page) => {
            up.redraw |= jobs.read_at.is_none() || jobs.trouble.is_some() || jobs.data != page;
            (jobs.data, jobs.read_at, jobs.trouble) = (page, Some(now), None);
            let keys = jobs.keys();
            jobs.settle(&keys);
        }
        Err(reason) => {
            jobs.trouble = Some(reason);
            up.redraw();
        }
    }
    if model.jobs.again {
        load(model, up);
    }
}

pub(super) fn go(model: &mut Model, action: Action) {
    let page = table_rows(model);
    match model.shown {
        Shown::Documents => {}
        Shown::Jobs => {
            let keys = model.jobs.keys();
            let place = target(action, model.jobs.place, keys.len(), page);
            model.jobs.go(place, &keys);
        }
    }
}

/// Keeps the cursor on the screen, whatever its height is now.
pub(super) fn fit(model: &mut Model) {
    let rows = table_rows(model);
    match model.shown {
        Shown::Documents => {}
        Shown::Jobs => model.jobs.show_cursor(rows),
    }
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
