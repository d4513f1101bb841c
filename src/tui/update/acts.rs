//! Commands on documents and jobs: selects their documents, opens confirmations and previews, and shows their results.

use super::effects::Update;
use super::{batches, loads};
use crate::domain::batch::BatchOrder;
use crate::domain::document::Status;
use crate::domain::id::DocumentId;
use crate::domain::request::{RequestAnswer as Answered, RequestKind, RequestScope};
use crate::format;
use crate::store::{BatchOrdered, BulkVerb, Targets};
use crate::tui::action::Action;
use crate::tui::availability::{ActionTarget, document, selection};
use crate::tui::command::{Command, CommandKind};
use crate::tui::describe::answer;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::overlay::{ConfirmDialog, Overlay, PreviewDialog, Prompt, PromptKind};
use crate::tui::model::toast::Level;
use crate::tui::msg::{CommandResult, StoreResult};
use crate::tui::views::documents::marks::HiddenMarks;
use crate::tui::views::failures::cause::cause_title;
use crate::tui::views::failures::text::filter_of_causes;
use crate::tui::views::selected::SelectedDocument;

/// Number of marked documents above which a command opens a preview first.
const PREVIEW_THRESHOLD: usize = 20;

/// Carries out sync, retry, cancel or remove: for one document, for the marked ones, or for all that match the filter.
/// Opens a confirmation or a preview first if the action needs one.
pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) {
    let verb = match action {
        Action::Sync | Action::SyncAll => BulkVerb::Request(RequestKind::Sync),
        Action::Retry | Action::RetryAll => BulkVerb::Request(RequestKind::Retry),
        Action::Cancel | Action::CancelAll => BulkVerb::Cancel,
        Action::Faq | Action::FaqAll => BulkVerb::Faq,
        _ => BulkVerb::Remove,
    };
    if matches!(action, Action::SyncAll | Action::RetryAll | Action::CancelAll | Action::FaqAll) {
        let filter = model.documents.filter.clone();
        let which = match model.documents.filter_text.trim() {
            "" => format::EVERY_DOCUMENT.to_owned(),
            text => text.to_owned(),
        };
        return preview(model, Targets::Matching(filter), verb, &which, up);
    }
    match selection(model) {
        Err(reason) => model.notify(Level::Refused, reason),
        // What becomes of the answers is shown first, whatever the number of documents.
        Ok(ActionTarget::One(one)) if verb == BulkVerb::Faq => {
            preview(model, Targets::Ids(vec![one.document]), verb, &one.name, up);
        }
        Ok(ActionTarget::One(one)) => single(model, verb, one, up),
        // Documents that are not in the list that the person sees are never changed unasked.
        Ok(ActionTarget::Marked(marks)) if model.documents.hidden_marks() != HiddenMarks::None => {
            let which = format::count(marks.len() as u64, "marked document");
            preview(model, Targets::Ids(marks), verb, &which, up);
        }
        Ok(ActionTarget::Marked(marks)) => match marks.as_slice() {
            [document] if verb != BulkVerb::Faq => {
                let row = model.documents.find(*document);
                let one = SelectedDocument {
                    document: *document,
                    name: row.map_or_else(|| format!("document {document}").as_str().into(), |row| row.name.clone()),
                    url: row.map(|row| row.url.clone()).unwrap_or_default(),
                    status: row.map(|row| row.status),
                    error: None,
                };
                single(model, verb, one, up);
            }
            marked if marked.len() > PREVIEW_THRESHOLD || verb == BulkVerb::Faq => {
                let which = format!("{} marked documents", marked.len());
                preview(model, Targets::Ids(marks), verb, &which, up);
            }
            _ => several(model, verb, marks, up),
        },
    }
}

/// Opens the preview of a retry of the documents that failed for the marked causes, else for the cause under the cursor;
/// with [`Action::RetryCauses`] for all causes of the view.
pub(super) fn retry_causes(model: &mut Model, action: Action, up: &mut Update) {
    let views = &model.views;
    let (causes, which): (Vec<_>, _) = match (action, views.marked_rows().count(), views.failures.row()) {
        (Action::RetryCauses, ..) => {
            let causes: Vec<_> = views.failures.data.rows.iter().map(|summary| summary.cause).collect();
            let which = format!("all {}", format::count(causes.len() as u64, "cause"));
            (causes, which)
        }
        (_, 1.., _) => {
            let causes: Vec<_> = views.marked_rows().map(|summary| summary.cause).collect();
            let which = format::count(causes.len() as u64, "marked cause");
            (causes, which)
        }
        (_, 0, Some(summary)) => (vec![summary.cause], cause_title(summary)),
        (_, 0, None) => return,
    };
    let targets = Targets::Matching(filter_of_causes(causes));
    preview(model, targets, BulkVerb::Request(RequestKind::Retry), &which, up);
}

/// Opens the confirmation of a purge, which states what is dropped and what stays.
pub(super) fn purge(model: &mut Model) {
    let lines = vec![
        "Every auto job that has not started is dropped, with a line in the outcomes.".to_owned(),
        format!("Scheduled now: {}.", format::count(model.queue.scheduled, "job")),
        "Manual jobs, retries and running jobs stay.".to_owned(),
        "The next schedule pass queues the documents that are still due.".to_owned(),
    ];
    let command = Command { kind: CommandKind::Purge, documents: Vec::new(), name: None, filter: None };
    confirm(model, "drop waiting auto jobs".to_owned(), lines, "Drop jobs", command);
}

/// Returns the kind of command for a bulk verb. `scope` is recorded by a request to sync or retry.
pub(super) const fn command_kind(verb: BulkVerb, scope: RequestScope) -> CommandKind {
    match verb {
        BulkVerb::Request(verb) => CommandKind::Request(verb, scope),
        BulkVerb::Cancel => CommandKind::Cancel,
        BulkVerb::Remove => CommandKind::Remove,
        BulkVerb::Faq => CommandKind::Faq,
    }
}

/// Runs a command, and notes if it makes a batch.
pub(super) fn run(model: &mut Model, command: Command, up: &mut Update) {
    model.batches.beginning += u32::from(command.makes_batch());
    up.effect(Effect::RunCommand(command));
}

fn single(model: &mut Model, verb: BulkVerb, one: SelectedDocument, up: &mut Update) {
    let command = Command {
        kind: command_kind(verb, RequestScope::Named),
        documents: vec![one.document],
        name: Some(one.name.clone()),
        filter: None,
    };
    let question = match (verb, one.status) {
        // The status of a document that is not in the loaded rows is unknown: its job may be running.
        (BulkVerb::Cancel, Some(Status::Syncing) | None) => Some((
            format!("cancel {}", one.name),
            vec!["If an attempt is running, it is stopped, and what it fetched is discarded.".to_owned()],
            "Cancel job",
        )),
        (BulkVerb::Remove, _) => Some((
            format!("remove {}", one.name),
            vec![
                one.url.to_string(),
                "Its content, earlier versions and jobs are removed for good; its outcomes stay in the log.".to_owned(),
            ],
            "Remove",
        )),
        _ => None,
    };
    match question {
        None => up.effect(Effect::RunCommand(command)),
        Some((title, lines, verb)) => confirm(model, title, lines, verb, command),
    }
}

fn several(model: &mut Model, verb: BulkVerb, documents: Vec<DocumentId>, up: &mut Update) {
    let number = documents.len() as u64;
    let command = Command { kind: command_kind(verb, RequestScope::Bulk), documents, name: None, filter: None };
    match verb {
        // FAQ jobs have a preview instead.
        BulkVerb::Request(_) | BulkVerb::Faq => run(model, command, up),
        BulkVerb::Cancel => confirm(
            model,
            format!("cancel the jobs of {}", format::count(number, "document")),
            vec!["Running attempts are stopped; queued and waiting jobs end.".to_owned()],
            "Cancel jobs",
            command,
        ),
        BulkVerb::Remove => remove(model, command.documents),
    }
}

/// Opens the prompt for removing several documents. The person must type their number: a key pressed by mistake must
/// not remove them.
pub(super) fn remove(model: &mut Model, documents: Vec<DocumentId>) {
    let kind = PromptKind::Remove(documents);
    model.overlay = Some(Overlay::Prompt(Prompt::new(kind, "")));
}

fn confirm(model: &mut Model, title: String, lines: Vec<String>, verb: &'static str, command: Command) {
    model.overlay = Some(Overlay::Confirm(ConfirmDialog { title, lines, verb, command, yes_focused: false }));
}

fn preview(model: &mut Model, targets: Targets, verb: BulkVerb, which: &str, up: &mut Update) {
    let generation = model.next_generation();
    let marked_count = match &targets {
        Targets::Ids(ids) => Some(ids.len()),
        Targets::Matching(_) => None,
    };
    model.overlay = Some(Overlay::Preview(Box::new(PreviewDialog {
        generation,
        verb,
        selection_text: which.into(),
        marked_count,
        hidden_marks: if marked_count.is_some() { model.documents.hidden_marks() } else { HiddenMarks::None },
        answer: None,
        costs_credits: false,
        yes_focused: false,
    })));
    up.effect(Effect::Preview { generation, targets, verb });
}

/// Copies the URL or error of the current document, or opens its page.
pub(super) fn copy_or_open(model: &mut Model, action: Action, up: &mut Update) {
    let Ok(one) = document(model) else { return };
    match (action, one.error) {
        (Action::CopyUrl, _) => up.effect(Effect::Copy(one.url.to_string(), "URL")),
        (Action::CopyError, Some(error)) => up.effect(Effect::Copy(error, "error")),
        (Action::Open, _) => up.effect(Effect::Open(one.url)),
        _ => {}
    }
}

/// Shows the result of a command, removes marks as [`unmark`] does, and reads the details again if they show a document
/// of the command.
pub(super) fn take_done(model: &mut Model, command: &Command, answer: StoreResult<CommandResult>, up: &mut Update) {
    up.redraw();
    match answer {
        Ok(done) => {
            let (level, text) = answer::done(model, command, &done);
            match done {
                // The line about the batch says so.
                CommandResult::BatchBegun(batch) => {
                    model.log(level, text);
                    batches::begun(model, batch, up);
                }
                _ => model.notify(level, text),
            }
            if let (CommandKind::Batch(batch, BatchOrder::Resume), CommandResult::BatchOrdered(BatchOrdered::Now(_))) =
                (&command.kind, &done)
            {
                model.batches.add_own(*batch);
            }
            unmark(model, command, &done);
            let opened = model.detail.as_ref().map(|detail| detail.document);
            if opened.is_some_and(|opened| command.documents.contains(&opened)) {
                loads::detail_changed(model, up);
            }
        }
        Err(reason) => {
            if command.makes_batch() {
                model.batches.beginning = model.batches.beginning.saturating_sub(1);
                model.batches.is_undo_wanted = false;
            }
            let target = match (&command.name, &command.kind) {
                (_, CommandKind::Pause(scope) | CommandKind::Resume(scope)) => scope.to_string(),
                (Some(name), _) => name.to_string(),
                (None, CommandKind::DecideProposals(_, ids)) => format::count(ids.len() as u64, "proposal"),
                (None, CommandKind::Purge) => "waiting auto jobs".to_owned(),
                (None, CommandKind::Batch(batch, _)) => format!("batch {batch}"),
                (None, _) if command.documents.is_empty() => "the document".to_owned(),
                (None, _) => format::count(command.documents.len() as u64, "document"),
            };
            model.notify(Level::Failed, format!("{} {target}: {reason}", command.kind.word()));
        }
    }
}

/// Removes the marks of the documents of a sync, retry, cancel or remove, so that a second press of the key does not
/// repeat it. Documents that the store skipped stay marked.
fn unmark(model: &mut Model, command: &Command, done: &CommandResult) {
    let marks = &mut model.documents.marks;
    match done {
        CommandResult::Responses(answers) => {
            for response in answers.iter().filter(|response| !matches!(response.answer, Answered::Skipped(_))) {
                marks.remove(&response.document_id);
            }
        }
        CommandResult::Removed(_) | CommandResult::Preceded(..) | CommandResult::BatchBegun(_) => {
            for document in &command.documents {
                marks.remove(document);
            }
        }
        CommandResult::Added(_)
        | CommandResult::BatchOrdered(_)
        | CommandResult::Decided(_)
        | CommandResult::TextRestored(_)
        | CommandResult::Purged(_)
        | CommandResult::Paused(_)
        | CommandResult::Resumed(_)
        | CommandResult::Proposals(_)
        | CommandResult::ReadsRequested(_)
        | CommandResult::LeaseBroken(_) => {}
    }
}
