//! Pausing and resuming: dialogs and results.

use super::effects::Update;
use super::{figures, loads};
use crate::domain::document::DocumentRow;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::topic::{Topic, TopicSet};
use crate::format;
use crate::tui::availability::{document, group};
use crate::tui::command::{Command, CommandKind};
use crate::tui::describe::pause::{paused_by, paused_jobs};
use crate::tui::model::Model;
use crate::tui::model::overlay::{ChoiceDialog, ConfirmDialog, Overlay};
use crate::tui::model::toast::Level;
use crate::tui::msg::StoreResult;
use crate::tui::views;

/// Opens the choice of a pause to begin or end. In a view of hosts or accounts the only choice is the current row. In
/// other panes the choices are the account of the current document and, if it has one, its host.
pub(super) fn choose(model: &mut Model) {
    let grouped = model.pane().has_groups();
    let scopes = if grouped { group(model).map(|scope| vec![scope]) } else { of_document(model) };
    let scopes = match scopes {
        Ok(found) => found,
        Err(reason) => return model.notify(Level::Refused, reason),
    };
    let mut lines = Vec::new();
    let mut choices = Vec::new();
    for scope in scopes.into_iter().filter(|scope| !scope.key().is_empty()) {
        let word = scope.kind();
        let active = model.pauses.iter().find(|pause| pause.scope == scope);
        let state = active.map_or("not paused".to_owned(), |pause| paused_by(model, pause));
        lines.push(format!("{word:<8}{}: {state}", scope.key()));
        let verb = if active.is_some() { "Resume" } else { "Pause" };
        choices.push((format!("{verb} {word}"), command(scope, active.is_some())));
    }
    lines.push(String::new());
    lines.push("A pause stops jobs from starting, whoever requests them; running jobs finish.".to_owned());
    model.overlay =
        Some(Overlay::Choice(ChoiceDialog { title: "pause or resume".to_owned(), lines, choices, focused: None }));
}

/// Opens the confirmation to pause everything, or to resume it if everything is paused.
pub(super) fn choose_all(model: &mut Model) {
    let active = model.pauses.iter().find(|pause| pause.scope == PauseScope::All);
    let (title, verb, lines) = match active {
        Some(pause) => {
            let mut lines = vec![format!("Everything is {}.", paused_by(model, pause)), paused_jobs(model)];
            if model.pauses.len() > 1 {
                let others = format::count(model.pauses.len() as u64 - 1, "other pause");
                lines.push(format!("{others} of accounts, hosts or classes will remain."));
            }
            ("resume everything", "Resume", lines)
        }
        None => {
            let lines = vec![
                format!(
                    "{} queued or waiting for the next attempt will not start.",
                    job_count(model.queue.ready + model.queue.waiting)
                ),
                format!("{} running now will finish.", job_count(model.queue.running)),
                "The pause applies to every worker of this store, until somebody ends it.".to_owned(),
            ];
            ("pause everything", "Pause", lines)
        }
    };
    let command = command(PauseScope::All, active.is_some());
    model.overlay =
        Some(Overlay::Confirm(ConfirmDialog { title: title.to_owned(), lines, verb, command, yes_focused: false }));
}

fn job_count(jobs: u64) -> String {
    format::count(jobs, "job")
}

fn command(scope: PauseScope, is_active: bool) -> Command {
    let kind = if is_active { CommandKind::Resume(scope) } else { CommandKind::Pause(scope) };
    Command { kind, documents: Vec::new(), name: None, filter: None }
}

fn of_document(model: &Model) -> Result<Vec<PauseScope>, &'static str> {
    let (host, account) = match views::for_pane(model.pane()).owners(model) {
        Some(owners) => owners,
        None => row(model).map(|row| (row.host.to_string(), row.account_id))?,
    };
    Ok(vec![PauseScope::Host(host), PauseScope::Account(account)])
}

fn row(model: &Model) -> Result<&DocumentRow, &'static str> {
    let document = document(model)?.document;
    let opened = model.detail.as_ref().and_then(|detail| detail.data.as_ref()).map(|data| &data.row);
    let row = model.documents.find(document).or(opened.filter(|row| row.id == document));
    row.ok_or("not loaded: select the document in the list")
}

/// Stores the pauses that were read, or logs the error.
pub(super) fn take(model: &mut Model, answer: StoreResult<Vec<Pause>>, up: &mut Update) {
    match answer {
        Ok(pauses) => {
            up.redraw |= model.pauses != pauses;
            model.pauses = pauses;
        }
        Err(reason) => {
            loads::read_failed(model, "the pauses", &reason, up);
        }
    }
    if model.pauses_read.finish() {
        figures::changed(model, TopicSet::of(&[Topic::Pauses]), up);
    }
}
