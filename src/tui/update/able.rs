//! Whether an action can be done here and now, and why not: for footer, palette and refusals.

use super::changes;
use super::keys::pane;
use crate::domain::document::Status;
use crate::domain::id::DocumentId;
use crate::domain::pause::PauseScope;
use crate::domain::text::SafeLine;
use crate::store::JobPlace;
use crate::tui::action::{Action, Scope};
use crate::tui::keymap::binding;
use crate::tui::model::detail::Tab;
use crate::tui::model::views::Shown;
use crate::tui::model::{Focus, Model};
use crate::tui::say::host;

/// The documents that an action is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The marked ones.
    Marks(Vec<DocumentId>),
    /// The one under the cursor, or whose details are open, or whose outcome is under the cursor.
    One(One),
}

/// One document, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct One {
    /// The document.
    pub document: DocumentId,
    /// Its name.
    pub name: SafeLine,
    /// Its URL.
    pub url: SafeLine,
    /// Its status, when its row is at hand.
    pub status: Option<Status>,
    /// Its last error in plain words.
    pub error: Option<String>,
}

/// The document that an action on one is about.
pub fn one(model: &Model) -> Result<One, &'static str> {
    let of_row = |row: &crate::domain::document::DocumentRow| One {
        document: row.id,
        name: row.name.clone(),
        url: row.url.clone(),
        status: Some(row.status),
        error: crate::tui::say::row::error(row),
    };
    if model.focus == Focus::Outcomes {
        let entry = model.panel.selected().ok_or("go to an outcome first: k goes up")?;
        if entry.is_run() {
            return Err("this line stands for several documents");
        }
        let outcome = &entry.outcome;
        return Ok(One {
            document: outcome.document_id,
            name: SafeLine::new(crate::tui::say::outcome::name(outcome)),
            url: outcome.url.clone(),
            status: model.documents.find(outcome.document_id).map(|row| row.status),
            error: outcome.error_code.map(|_| crate::tui::say::outcome::reason(outcome)),
        });
    }
    if let Some(detail) = &model.detail {
        let row = model.documents.find(detail.document).or(detail.data.as_ref().map(|data| &data.row));
        return row.map(of_row).ok_or(if detail.gone { "the document is gone" } else { "it is still being read" });
    }
    if model.shown == Shown::Jobs {
        let seen = model.jobs.row().ok_or("there is no job here")?;
        let row = model.documents.find(seen.document);
        return Ok(One {
            document: seen.document,
            name: seen.name.clone(),
            url: row.map(|row| row.url.clone()).unwrap_or_default(),
            status: crate::tui::model::views::jobs::status(&seen.place).or(row.map(|row| row.status)),
            error: None,
        });
    }
    if model.shown != Shown::Documents {
        return Err("here are no documents: enter shows them");
    }
    match model.documents.row() {
        Some(row) => Ok(of_row(row)),
        None if model.documents.page.total == 0 => Err("there is no document here"),
        None => Err("the rows are still being read"),
    }
}

/// What the row in hand groups documents by, as a pause of it is written: a host or an account.
pub fn group(model: &Model) -> Result<PauseScope, &'static str> {
    match pane(model) {
        Scope::Hosts => match model.hosts.row() {
            Some(seen) if seen.host.is_empty() => Err("these documents have no host: they are files"),
            Some(seen) => Ok(host::scope(seen)),
            None => Err("there is no host here"),
        },
        Scope::Accounts => {
            model.accounts.row().map(|seen| PauseScope::Account(seen.id)).ok_or("there is no account here")
        }
        _ => Err("neither a host nor an account is in hand"),
    }
}

/// The documents that `s`, `r`, `x` and removing are about.
pub fn subject(model: &Model) -> Result<Subject, &'static str> {
    if pane(model) == Scope::Documents && !model.documents.marks.is_empty() {
        return Ok(Subject::Marks(model.documents.marks.iter().copied().collect()));
    }
    one(model).map(Subject::One)
}

/// Whether `action` can be done now; else why not, in words for the person who tried.
pub fn able(model: &Model, action: Action) -> Result<(), String> {
    let Some(binding) = binding(action) else { return Ok(()) };
    if let Some(mismatch) = model.outdated.filter(|_| binding.dangerous) {
        return Err(mismatch.to_string());
    }
    if binding.dangerous && model.options.read_only {
        return Err(format!("this console only reads, so {} is off", binding.word));
    }
    fn known<T>(result: Result<T, &'static str>) -> Result<(), String> {
        result.map(|_| ()).map_err(str::to_owned)
    }
    match action {
        Action::Sync | Action::Retry | Action::Cancel | Action::Remove => {
            subject(model).map(|_| ()).map_err(str::to_owned)
        }
        Action::BreakLease => match model.jobs.row().map(|seen| &seen.place) {
            Some(JobPlace::Running { .. }) => Ok(()),
            Some(_) => Err("this job does not run: only a running one has a lease".to_owned()),
            None => Err("there is no job here".to_owned()),
        },
        Action::Accept | Action::Reject if changes::held(model).is_none() => {
            Err("no text of it is held back".to_owned())
        }
        Action::Compare => match &model.detail {
            Some(detail) if detail.tab == Tab::Versions && detail.lines() > 0 => Ok(()),
            _ => Err("go to an earlier version first: ] leads there".to_owned()),
        },
        Action::ShowHeld if model.counts.held == 0 && !changes::only_held(model) => {
            Err("no text is held back".to_owned())
        }
        Action::About => match pane(model) {
            Scope::Hosts => known(model.hosts.row().ok_or("there is no host here")),
            _ => known(model.accounts.row().ok_or("there is no account here")),
        },
        Action::ShowDocuments => group(model).map(|_| ()).map_err(str::to_owned),
        Action::Pause if matches!(pane(model), Scope::Hosts | Scope::Accounts) => {
            group(model).map(|_| ()).map_err(str::to_owned)
        }
        Action::Pause | Action::Details | Action::CopyUrl | Action::Open => known(one(model)),
        Action::CopyError => match one(model)?.error {
            Some(_) => Ok(()),
            None => Err("it has no error to copy".to_owned()),
        },
        Action::Mark => known(one(model)),
        Action::SyncAll | Action::RetryAll | Action::CancelAll | Action::MarkAll if model.documents.page.total == 0 => {
            Err("no document matches".to_owned())
        }
        Action::ClearMarks if model.documents.marks.is_empty() => Err("nothing is marked".to_owned()),
        Action::SearchNext | Action::SearchPrevious if model.panel.search.is_empty() => {
            Err("search for something first: /".to_owned())
        }
        Action::Pin if model.panel.pin.is_none() => known(one(model)),
        _ => Ok(()),
    }
}

/// Whether a key belongs into the footer now: it can be done, and it would do something.
pub fn useful(model: &Model, action: Action) -> bool {
    if able(model, action).is_err() {
        return false;
    }
    let nothing_to_list = model.documents.page.total == 0 && model.documents.filter.terms.is_empty();
    let nothing_happened = model.panel.entries().is_empty() && model.panel.filter_text.is_empty();
    match action {
        Action::ShowHeld if pane(model) != Scope::Documents => return false,
        Action::Filter | Action::Sort if nothing_to_list => return false,
        Action::Search | Action::FilterOutcomes | Action::NextFailure | Action::HideUnchanged if nothing_happened => {
            return false;
        }
        _ => {}
    }
    let status = match subject(model) {
        Ok(Subject::One(one)) => one.status,
        _ => return true,
    };
    match action {
        Action::Retry => matches!(status, None | Some(Status::Failed | Status::Waiting | Status::Stuck)),
        Action::Cancel => matches!(status, None | Some(Status::Waiting | Status::Queued | Status::Syncing)),
        _ => true,
    }
}
