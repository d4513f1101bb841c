//! Decides which actions are available in the current state and why others are not, for the footer, the palette and
//! refusals.

use super::action::Action;
use super::keymap::binding;
use super::model::Model;
use super::scope::PaneId;
use super::views;
use super::views::catalog::ViewId;
use super::views::failures::cause::cause_title;
use super::views::outcomes::pin::PinSubject;
use super::views::selected::SelectedDocument;
use super::views::workers::state::WorkerLine;
use crate::domain::document::Status;
use crate::domain::id::DocumentId;
use crate::domain::pause::PauseScope;
use crate::domain::text::SafeLine;
use crate::runner::event::Phase;

/// The documents that an action applies to: the marked ones, or the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionTarget {
    Marked(Vec<DocumentId>),
    /// The document of the row under the cursor (a document, job or outcome), or that of the focused details.
    One(SelectedDocument),
}

/// Returns the current document: that of the row under the cursor in the focused pane, or that of the focused details.
/// The error is the reason why there is none.
pub fn document(model: &Model) -> Result<SelectedDocument, &'static str> {
    views::for_pane(model.pane()).document(model)
}

/// Returns the host or account under the cursor in the focused pane, as the scope of a pause. The error is the reason
/// why there is none.
pub fn group(model: &Model) -> Result<PauseScope, &'static str> {
    views::for_pane(model.pane()).group(model)
}

/// Returns the documents that sync, retry, cancel and remove apply to: in the list of documents the marked ones, if
/// there are any; otherwise the current document. The error is the reason why there are none.
pub fn selection(model: &Model) -> Result<ActionTarget, &'static str> {
    if model.pane() == PaneId::DOCUMENTS && !model.documents.marks.is_empty() {
        return Ok(ActionTarget::Marked(model.documents.marks.iter().copied().collect()));
    }
    document(model).map(ActionTarget::One)
}

/// Returns what the row under the cursor lets the outcome panel be pinned to: a cause, a host, an account, a worker or a
/// document, with its name for the panel's title. The error is the reason why there is nothing.
pub fn pin_subject(model: &Model) -> Result<(PinSubject, SafeLine), &'static str> {
    let pane = model.pane();
    if pane == PaneId::View(ViewId::Failures) {
        let summary = model.views.failures.row().ok_or("nothing has failed")?;
        let host = summary.only_host.clone().filter(|_| summary.is_of_host);
        let (cause, code, http_status) = (summary.cause, summary.code, summary.http_status);
        let subject = PinSubject::Cause { cause, code, http_status, host };
        return Ok((subject, SafeLine::new(&cause_title(summary))));
    }
    if let (PaneId::View(ViewId::Workers), Some(WorkerLine { worker, job: None })) = (pane, model.views.workers.row()) {
        return Ok((PinSubject::Worker(worker.name.clone()), SafeLine::new(&format!("worker {}", worker.name))));
    }
    if !pane.has_groups() {
        return document(model).map(|one| (PinSubject::Document(one.document), one.name));
    }
    match group(model)? {
        PauseScope::Host(host) => Ok((PinSubject::Host(SafeLine::new(&host)), SafeLine::new(&format!("host {host}")))),
        PauseScope::Account(account) => {
            Ok((PinSubject::Account(account), SafeLine::new(&format!("account {account}"))))
        }
        PauseScope::All | PauseScope::Class(_) => Err("no row is selected"),
    }
}

/// Checks that `action` is available now. The error is the reason why it is not, in words for the person.
pub fn available(model: &Model, action: Action) -> Result<(), String> {
    let Some(binding) = binding(action) else { return Ok(()) };
    if let Some(mismatch) = model.outdated.filter(|_| binding.dangerous) {
        return Err(mismatch.to_string());
    }
    if binding.dangerous && model.options.read_only {
        return Err(format!("read-only: {} is off", binding.word));
    }
    refusal(model, action).map_or(Ok(()), |reason| Err(reason.to_owned()))
}

/// Returns the reason why an action is unavailable, other than that the console is read-only; `None` if there is no
/// such reason. Reasons of the focused pane come before those of all panes.
fn refusal(model: &Model, action: Action) -> Option<&'static str> {
    let pane = model.pane();
    if let Some(reason) = views::for_pane(pane).refusal(model, action) {
        return Some(reason);
    }
    match action {
        Action::ToggleRunner if !model.has_runner => {
            Some("no jobs run in this console; --runner starts one with a runner")
        }
        Action::ToggleRunner if model.runner.phase == Phase::Stopped => Some("the runner has ended"),
        Action::Undo if model.batches.undoable().is_none() && model.batches.beginning == 0 => {
            Some("nothing can be undone: only an act on many documents, before it begins")
        }
        Action::SaveOutcomes if model.options.read_only => Some("read-only: save is off, since it makes a file"),
        Action::Faq | Action::FaqAll if model.options.faq_jobs_off.is_some() => model.options.faq_jobs_off,
        Action::Sync | Action::Retry | Action::Cancel | Action::Remove | Action::Faq => selection(model).err(),
        Action::ShowQuarantined if model.counts.quarantined == 0 && !model.documents.shows_only_quarantined() => {
            Some("no document needs review")
        }
        // The documents of a cause are listed whether or not they have one host.
        Action::ShowDocuments if pane != PaneId::View(ViewId::Failures) => group(model).err(),
        Action::Pause if pane.has_groups() => group(model).err(),
        Action::Pause | Action::Details | Action::CopyUrl | Action::Open | Action::Mark | Action::Why => {
            document(model).err()
        }
        Action::Pin if model.panel.pin.is_none() => pin_subject(model).err(),
        Action::CopyError => match document(model) {
            Ok(one) => one.error.is_none().then_some("there is no error to copy"),
            Err(reason) => Some(reason),
        },
        _ => None,
    }
}

/// Returns true if the action is available and of use in the current state. While no overlay is open, the footer shows
/// only such actions.
pub fn useful(model: &Model, action: Action) -> bool {
    if available(model, action).is_err() {
        return false;
    }
    let nothing_to_list = model.documents.page.total == 0 && model.documents.filter.terms.is_empty();
    let nothing_happened = model.panel.entries().is_empty() && model.panel.filter_text.is_empty();
    match action {
        Action::ShowQuarantined if model.pane() != PaneId::DOCUMENTS => return false,
        Action::Filter if nothing_to_list => return false,
        Action::Sort if nothing_to_list && model.pane() == PaneId::DOCUMENTS => return false,
        Action::Search
        | Action::FilterOutcomes
        | Action::NextFailure
        | Action::HideUnchanged
        | Action::FollowFailures
            if nothing_happened =>
        {
            return false;
        }
        _ => {}
    }
    let status = match selection(model) {
        Ok(ActionTarget::One(one)) => one.status,
        _ => return true,
    };
    match action {
        Action::Retry => matches!(status, None | Some(Status::Failed | Status::Waiting | Status::Stuck)),
        Action::Cancel => matches!(status, None | Some(Status::Waiting | Status::Queued | Status::Syncing)),
        _ => true,
    }
}

/// Returns true if the host or account under the cursor is itself paused; a pause of everything does not count.
pub fn group_is_paused(model: &Model) -> bool {
    group(model).is_ok_and(|scope| model.pauses.iter().any(|pause| pause.scope == scope))
}
