//! Results of commands as sentences, for toasts and the activity list.

use crate::domain::request::DocumentAnswer;
use crate::domain::text::SafeLine;
use crate::format::{self, EarlierRequest};
use crate::store::{AddResult, Decision, DecisionResult, ProposalResult, RestoredText};
use crate::tui::action::Action;
use crate::tui::command::{Command, CommandKind};
use crate::tui::describe::batch;
use crate::tui::model::Model;
use crate::tui::model::toast::Level;
use crate::tui::msg::CommandResult;

/// Returns level and sentence for the result of a command.
pub fn done(model: &Model, command: &Command, done: &CommandResult) -> (Level, String) {
    match done {
        CommandResult::Added(AddResult::New(id)) => (Level::Done, format!("added {} as document {id}", label(command))),
        CommandResult::Added(AddResult::Exists(id)) => {
            (Level::Refused, format!("this URL already exists, as document {id}"))
        }
        CommandResult::BatchBegun(batch) => {
            let documents = format::count(command.documents.len() as u64, "document");
            let (undo, kind) = (model.key(Action::Undo), command.kind.word());
            (Level::Done, format!("batch {batch}: {kind} {documents} in 5 s; {undo} undoes it"))
        }
        CommandResult::BatchOrdered(ordered) => match command.kind {
            CommandKind::Batch(batch, order) => batch::ordered(model, batch, order, *ordered),
            _ => (Level::Refused, "nothing to do".to_owned()),
        },
        CommandResult::Decided(decided) => decision(command, *decided),
        CommandResult::TextRestored(restored) => text_restored(command, restored),
        CommandResult::LeaseBroken(None) => (Level::Refused, format!("{} is no longer running", label(command))),
        CommandResult::LeaseBroken(Some(_)) => {
            (Level::Done, format!("broke the lease of {}; the attempt counts as lost", label(command)))
        }
        CommandResult::Removed(0) => (Level::Refused, "nothing removed: no longer in the store".to_owned()),
        CommandResult::Removed(1) if command.name.is_some() => (Level::Done, format!("removed {}", label(command))),
        CommandResult::Removed(removed) => (Level::Done, format!("removed {}", format::count(*removed, "document"))),
        CommandResult::Paused(new) => match (&command.kind, new) {
            (CommandKind::Pause(scope), true) => (Level::Done, format!("paused {scope}; running jobs finish")),
            _ => (Level::Refused, format!("{} is already paused", label(command))),
        },
        CommandResult::Resumed(ended) => match (&command.kind, ended) {
            (CommandKind::Resume(scope), true) => (Level::Done, format!("resumed {scope}")),
            _ => (Level::Refused, format!("{} is no longer paused", label(command))),
        },
        CommandResult::Purged(0) => (Level::Refused, "no auto jobs are waiting".to_owned()),
        CommandResult::Purged(purged) => {
            (Level::Done, format!("dropped {}", format::count(*purged, "waiting auto job")))
        }
        CommandResult::Proposals(results) => proposals(command, results),
        CommandResult::ReadsRequested(0) => (Level::Refused, "the source is no longer there".to_owned()),
        CommandResult::ReadsRequested(_) => {
            let name = command.name.as_ref().map(ToString::to_string).unwrap_or_default();
            (Level::Done, format!("requested a read of {name}"))
        }
        CommandResult::Preceded(one, earlier) => single(command, one, earlier),
        CommandResult::Responses(answers) => match answers.as_slice() {
            [] => (Level::Refused, "nothing to do".to_owned()),
            [one] if command.documents.len() == 1 => single(command, one, &EarlierRequest::default()),
            responses => several(command, responses),
        },
    }
}

/// Returns level and sentence for the result of decisions on proposals.
fn proposals(command: &Command, results: &[ProposalResult]) -> (Level, String) {
    let done = results.iter().filter(|result| matches!(result, ProposalResult::Done(_))).count() as u64;
    let forbidden = results.iter().filter(|result| **result == ProposalResult::Forbidden).count() as u64;
    let verb = match &command.kind {
        CommandKind::DecideProposals(decision, _) => decision.past_tense(),
        _ => "decided",
    };
    let mut text = match done {
        0 if forbidden == 0 => return (Level::Refused, "nothing done: it was decided or withdrawn".to_owned()),
        0 => String::new(),
        done => format!("{verb} {}", format::count(done, "proposal")),
    };
    if forbidden > 0 {
        let separator = if text.is_empty() { "" } else { "; " };
        let number = format::count(forbidden, "proposal");
        text.push_str(&format!("{separator}{number} not: no documents of Chatwoot are removed here"));
    }
    (level(done > 0), text)
}

/// Returns level and sentence for the result of accepting or rejecting a quarantined text.
fn decision(command: &Command, decided: DecisionResult) -> (Level, String) {
    let name = label(command);
    match (decided, &command.kind) {
        (DecisionResult::Done, CommandKind::Decide(Decision::Accept, _)) => {
            (Level::Done, format!("accepted: {name} has the new text"))
        }
        (DecisionResult::Done, _) => (Level::Done, format!("rejected: {name} keeps its text")),
        (DecisionResult::NothingQuarantined, _) => {
            (Level::Refused, format!("{name} no longer needs review; nothing changed"))
        }
        (DecisionResult::Replaced, _) => {
            (Level::Refused, format!("a different text of {name} needs review now; nothing changed"))
        }
        (DecisionResult::Syncing, _) => (Level::Refused, format!("{name} is being synced: decide after the sync")),
    }
}

/// Returns level and sentence for the result of restoring an earlier text.
fn text_restored(command: &Command, restored: &RestoredText) -> (Level, String) {
    let name = label(command);
    match restored {
        RestoredText::Done { version } => {
            (Level::Done, format!("restored: {name} has the text again, as version {version}"))
        }
        RestoredText::Current => (Level::Refused, format!("{name} has this text already")),
        RestoredText::Syncing => (Level::Refused, format!("{name} is being synced: restore after the sync")),
        RestoredText::NoVersion => (Level::Refused, format!("this version of {name} is no longer stored")),
    }
}

fn label(command: &Command) -> String {
    match (&command.name, command.documents.first(), &command.kind) {
        (_, _, CommandKind::Pause(scope) | CommandKind::Resume(scope)) => scope.to_string(),
        (Some(name), _, _) => name.to_string(),
        (None, _, CommandKind::Add(link, ..)) => SafeLine::new(link.as_str()).to_string(),
        (None, Some(id), _) => format!("document {id}"),
        (None, None, _) => "the document".to_owned(),
    }
}

fn single(command: &Command, response: &DocumentAnswer, earlier: &EarlierRequest) -> (Level, String) {
    let text = format::answer(&label(command), &response.answer, earlier);
    (level(response.answer.is_accepted()), text)
}

fn several(command: &Command, answers: &[DocumentAnswer]) -> (Level, String) {
    let done = match command.kind {
        CommandKind::Cancel => "cancelled",
        CommandKind::Faq => "noted the FAQ jobs of",
        _ => "queued",
    };
    let accepted = answers.iter().any(|response| response.answer.is_accepted());
    (level(accepted), format::answers(done, answers))
}

const fn level(accepted: bool) -> Level {
    if accepted { Level::Done } else { Level::Refused }
}
