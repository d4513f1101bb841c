//! Pauses as text: what is paused, by whom and since when.

use crate::domain::document::DocumentRow;
use crate::domain::pause::{Pause, PauseScope};
use crate::format;
use crate::store::JobSummary;
use crate::tui::action::Action;
use crate::tui::model::Model;
use std::time::Duration;

/// Age from which a pause is described by its age instead of its time of day, which would be ambiguous without the day.
const A_DAY: Duration = Duration::from_secs(86_400);

/// Returns the pause that stops the job of a document from starting, or would stop it if the document had one; `None`
/// if there is none. Of several, the first in this order: everything, account, host, class.
pub fn of_row<'m>(model: &'m Model, row: &DocumentRow) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope.covers(row.account_id, &row.host, row.queue))
}

/// Returns the pause that stops a job from starting; `None` if there is none. Of several, the first in this order:
/// everything, account, host, class.
pub fn of_job<'m>(model: &'m Model, job: &JobSummary) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope.covers(job.account, &job.host, Some(job.class)))
}

/// Returns the pause of everything, else the pause of the host or account `group`; `None` if there is neither.
pub fn of_group<'m>(model: &'m Model, group: &PauseScope) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope == PauseScope::All || pause.scope == *group)
}

/// Returns a pause's person and time, such as `paused by ana since 10:02` or `paused by ana 3d ago`.
pub fn paused_by(model: &Model, pause: &Pause) -> String {
    let ago = model.now.since(pause.since);
    if ago >= A_DAY {
        return format!("paused by {} {} ago", pause.by, format::age(ago));
    }
    let clock = pause.since.clock(&model.zone());
    format!("paused by {} since {}", pause.by, clock.get(..5).unwrap_or(&clock))
}

/// Returns the text of [`paused_by`] for a host or account. If the pause is that of everything, the text begins with
/// `everything is`.
pub fn group_paused_by(model: &Model, pause: &Pause) -> String {
    let all = if pause.scope == PauseScope::All { "everything is " } else { "" };
    format!("{all}{}", paused_by(model, pause))
}

/// Returns the key that ends a pause of everything, of a host or of an account.
pub fn resume_key(model: &Model, pause: &Pause) -> String {
    model.key(if pause.scope == PauseScope::All { Action::PauseAll } else { Action::Pause })
}

/// Returns the text for the head line: one pause in full (that of everything, if there is one), and the number of the
/// others; `None` without a pause.
pub fn summary(model: &Model) -> Option<String> {
    let first = model.pauses.first()?;
    let more = match model.pauses.len() - 1 {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    Some(format!("{} {}{more}", first.scope, paused_by(model, first)))
}

/// Returns a sentence with the number of jobs that are paused now.
pub fn paused_jobs(model: &Model) -> String {
    match model.queue.paused {
        0 => "No jobs are paused.".to_owned(),
        paused => format!("Paused now: {}.", format::count(paused, "job")),
    }
}
