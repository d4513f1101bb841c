//! What a change came to, for toasts and the activity list.

use super::figures::{count, grouped};
use crate::domain::document::Status;
use crate::domain::request::{Answer, Answered, SkipReason};
use crate::domain::text::SafeLine;
use crate::store::{Added, Decided, Decision};
use crate::tui::command::{Act, Command};
use crate::tui::model::toast::Level;
use crate::tui::msg::Done;

/// The sentence for what a command came to.
pub fn done(command: &Command, done: &Done, asked_by: Option<&SafeLine>) -> (Level, String) {
    match done {
        Done::Added(Added::New(id)) => (Level::Done, format!("added {} as document {id}", label(command))),
        Done::Added(Added::Exists(id)) => (Level::Refused, format!("this URL is there already, as document {id}")),
        Done::Decided(decided) => decision(command, *decided),
        Done::LeaseBroken(None) => (Level::Refused, format!("{} is not running any more", label(command))),
        Done::LeaseBroken(Some(_)) => {
            (Level::Done, format!("broke the lease of {}; the attempt counts as lost", label(command)))
        }
        Done::Removed(0) => (Level::Refused, "nothing was removed: it was gone already".to_owned()),
        Done::Removed(1) if command.name.is_some() => (Level::Done, format!("removed {}", label(command))),
        Done::Removed(removed) => (Level::Done, format!("removed {}", count(*removed, "document"))),
        Done::Paused(new) => match (&command.act, new) {
            (Act::Pause(scope), true) => (Level::Done, format!("paused {scope}; running jobs finish")),
            _ => (Level::Refused, "it is paused already".to_owned()),
        },
        Done::Resumed(ended) => match (&command.act, ended) {
            (Act::Resume(scope), true) => (Level::Done, format!("resumed {scope}")),
            _ => (Level::Refused, "it is not paused any more".to_owned()),
        },
        Done::Purged(0) => (Level::Refused, "no auto job waits".to_owned()),
        Done::Purged(purged) => (Level::Done, format!("dropped {}", count(*purged, "waiting auto job"))),
        Done::Answered(answers) => match answers.as_slice() {
            [] => (Level::Refused, "nothing to do".to_owned()),
            [one] if command.documents.len() == 1 => single(command, one, asked_by),
            many => several(command, many),
        },
    }
}

/// What came of a decision on a held text.
fn decision(command: &Command, decided: Decided) -> (Level, String) {
    let name = label(command);
    match (decided, &command.act) {
        (Decided::Done, Act::Decide(Decision::Accept, _)) => {
            (Level::Done, format!("accepted: {name} has the new text"))
        }
        (Decided::Done, _) => (Level::Done, format!("rejected: {name} keeps its text")),
        (Decided::NothingHeld, _) => {
            (Level::Refused, format!("{name} does not need review any more; nothing was done"))
        }
        (Decided::Replaced, _) => {
            (Level::Refused, format!("another text of {name} needs review now; nothing was done"))
        }
        (Decided::Syncing, _) => (Level::Refused, format!("{name} is being synced: decide when that is done")),
    }
}

fn label(command: &Command) -> String {
    match (&command.name, command.documents.first(), &command.act) {
        (Some(name), _, _) => name.to_string(),
        (None, _, Act::Add(link, ..)) => SafeLine::new(link.as_str()).to_string(),
        (None, Some(id), _) => format!("document {id}"),
        (None, None, _) => "it".to_owned(),
    }
}

fn single(command: &Command, answered: &Answered, asked_by: Option<&SafeLine>) -> (Level, String) {
    let name = label(command);
    match &answered.answer {
        Answer::Queued(_) => (Level::Done, format!("queued {name}")),
        Answer::Promoted(_) => (Level::Done, format!("{name} is first in the queue")),
        Answer::RunsNow(_) => (Level::Done, format!("{name} is retried now")),
        Answer::AlreadyQueued(_) => (Level::Refused, format!("{name} is queued already")),
        Answer::AlreadySyncing(_, worker) => {
            let worker = worker.as_ref().map_or(String::new(), |worker| format!(" on {worker}"));
            let by = asked_by.map_or(String::new(), |by| format!(", asked for by {by}"));
            (Level::Refused, format!("{name} is syncing already{worker}{by}"))
        }
        Answer::Skipped(reason) => (Level::Refused, format!("{name} {reason}")),
        Answer::Cancelled(_) => (Level::Done, format!("cancelled {name}")),
        Answer::Stopping(_) => (Level::Done, format!("stopping {name}")),
    }
}

fn several(command: &Command, answers: &[Answered]) -> (Level, String) {
    let number = |test: fn(&Answer) -> bool| answers.iter().filter(|answered| test(&answered.answer)).count() as u64;
    let accepted = number(|answer| {
        matches!(
            answer,
            Answer::Queued(_) | Answer::Promoted(_) | Answer::RunsNow(_) | Answer::Cancelled(_) | Answer::Stopping(_)
        )
    });
    let before = number(|answer| matches!(answer, Answer::AlreadyQueued(_) | Answer::AlreadySyncing(..)));
    let verb = if command.act == Act::Cancel { "cancelled" } else { "queued" };
    let mut parts = vec![format!("{verb} {}", count(accepted, "document"))];
    if before > 0 {
        parts.push(format!("{} already queued or running", grouped(before)));
    }
    let mut reasons: Vec<(SkipReason, u64)> = Vec::new();
    for answered in answers {
        if let Answer::Skipped(reason) = answered.answer {
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, number)) => *number += 1,
                None => reasons.push((reason, 1)),
            }
        }
    }
    parts.extend(reasons.iter().map(|(reason, number)| format!("{} skipped: {}", grouped(*number), skipped(*reason))));
    (if accepted > 0 { Level::Done } else { Level::Refused }, parts.join(", "))
}

/// Why documents are left alone, after "3 skipped:".
pub fn skipped(reason: SkipReason) -> String {
    match reason {
        SkipReason::Pdf => "PDF, never synced by a fetch".to_owned(),
        SkipReason::Unavailable => "not available yet".to_owned(),
        SkipReason::Running => "syncing already".to_owned(),
        SkipReason::NotFailed(Status::Never) => "never synced, so nothing to retry".to_owned(),
        SkipReason::NotFailed(status) => format!("{}, so nothing to retry", status.word()),
        SkipReason::NothingToCancel => "nothing to cancel".to_owned(),
        SkipReason::Missing => "gone".to_owned(),
    }
}
