//! The actions that can be done here and now, and why others cannot: for footer, palette and refusals.

use super::action::Action;
use super::keymap::binding;
use super::model::Model;
use super::scope::PaneId;
use super::views;
use super::views::selected::SelectedDocument;
use crate::domain::document::Status;
use crate::domain::id::DocumentId;
use crate::domain::pause::PauseScope;

/// The documents that an action is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The marked ones.
    Marked(Vec<DocumentId>),
    /// The one under the cursor, or whose details are open, or whose outcome is under the cursor.
    One(SelectedDocument),
}

/// Returns the document that an action on one is about, or why there is none.
pub fn document(model: &Model) -> Result<SelectedDocument, &'static str> {
    views::of(model.pane()).document(model)
}

/// Returns what the row in hand groups documents by, as a pause of it is written: a host or an account.
pub fn group(model: &Model) -> Result<PauseScope, &'static str> {
    views::of(model.pane()).group(model)
}

/// Returns the documents that `s`, `r`, `x` and removing are about.
pub fn selection(model: &Model) -> Result<Selection, &'static str> {
    if model.pane() == PaneId::DOCUMENTS && !model.documents.marks.is_empty() {
        return Ok(Selection::Marked(model.documents.marks.iter().copied().collect()));
    }
    document(model).map(Selection::One)
}

/// Returns whether `action` can be done now; else why not, in words for the person who tried.
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

/// Returns why an action cannot be done now, if it cannot: first what the pane knows of its own, then what holds in
/// all of them.
fn refusal(model: &Model, action: Action) -> Option<&'static str> {
    let pane = model.pane();
    if let Some(reason) = views::of(pane).refusal(model, action) {
        return Some(reason);
    }
    match action {
        Action::Sync | Action::Retry | Action::Cancel | Action::Remove => selection(model).err(),
        Action::ShowHeld if model.counts.held == 0 && !model.documents.only_held() => Some("no document needs review"),
        Action::ShowDocuments => group(model).err(),
        Action::Pause if pane.has_groups() => group(model).err(),
        Action::Pause | Action::Details | Action::CopyUrl | Action::Open | Action::Mark => document(model).err(),
        Action::Pin if model.panel.pin.is_none() => document(model).err(),
        Action::CopyError => match document(model) {
            Ok(one) => one.error.is_none().then_some("it has no error to copy"),
            Err(reason) => Some(reason),
        },
        _ => None,
    }
}

/// Returns whether a key belongs into the footer now: it can be done, and it would do something.
pub fn useful(model: &Model, action: Action) -> bool {
    if available(model, action).is_err() {
        return false;
    }
    let nothing_to_list = model.documents.page.total == 0 && model.documents.filter.terms.is_empty();
    let nothing_happened = model.panel.entries().is_empty() && model.panel.filter_text.is_empty();
    match action {
        Action::ShowHeld if model.pane() != PaneId::DOCUMENTS => return false,
        Action::Filter | Action::Sort if nothing_to_list => return false,
        Action::Search | Action::FilterOutcomes | Action::NextFailure | Action::HideUnchanged if nothing_happened => {
            return false;
        }
        _ => {}
    }
    let status = match selection(model) {
        Ok(Selection::One(one)) => one.status,
        _ => return true,
    };
    match action {
        Action::Retry => matches!(status, None | Some(Status::Failed | Status::Waiting | Status::Stuck)),
        Action::Cancel => matches!(status, None | Some(Status::Waiting | Status::Queued | Status::Syncing)),
        _ => true,
    }
}

/// Returns whether the host or the account under the cursor is paused itself.
pub fn group_is_paused(model: &Model) -> bool {
    group(model).is_ok_and(|scope| model.pauses.iter().any(|pause| pause.scope == scope))
}
