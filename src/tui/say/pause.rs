//! Pauses in words: what is paused, by whom, since when.

use crate::domain::document::DocumentRow;
use crate::domain::pause::{Pause, PauseScope};
use crate::format;
use crate::store::JobSeen;
use crate::tui::model::Model;
use std::time::Duration;

/// Older than this it is told by its age, since the time of a day that is not told says nothing.
const A_DAY: Duration = Duration::from_secs(86_400);

/// The pause that holds a row's job, the widest first.
pub fn of_row<'m>(model: &'m Model, row: &DocumentRow) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope.covers(row.account_id, &row.host, row.queue))
}

/// The pause that holds a job, the widest first.
pub fn of_job<'m>(model: &'m Model, seen: &JobSeen) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope.covers(seen.account, &seen.host, Some(seen.class)))
}

/// The pause that holds every job of a host or an account: its own, or that of everything.
pub fn of_group<'m>(model: &'m Model, group: &PauseScope) -> Option<&'m Pause> {
    model.pauses.iter().find(|pause| pause.scope == PauseScope::All || pause.scope == *group)
}

/// `paused by ana since 10:02`, `paused by ana 3d ago`.
pub fn by_whom(model: &Model, pause: &Pause) -> String {
    let ago = model.now.since(pause.since);
    if ago >= A_DAY {
        return format!("paused by {} {} ago", pause.by, format::age(ago));
    }
    let clock = pause.since.clock(&model.zone());
    format!("paused by {} since {}", pause.by, clock.get(..5).unwrap_or(&clock))
}

/// The same of a host or an account that it holds: `everything is paused by …` where it is not its own.
pub fn of_group_by_whom(model: &Model, pause: &Pause) -> String {
    let all = if pause.scope == PauseScope::All { "everything is " } else { "" };
    format!("{all}{}", by_whom(model, pause))
}

/// The key that resumes it.
pub fn key(pause: &Pause) -> &'static str {
    if pause.scope == PauseScope::All { "P" } else { "p" }
}

/// For the head line: the first one in full, and how many more there are.
pub fn summary(model: &Model) -> Option<String> {
    let first = model.pauses.first()?;
    let more = match model.pauses.len() - 1 {
        0 => String::new(),
        more => format!(" +{more}"),
    };
    Some(format!("{} {}{more}", first.scope, by_whom(model, first)))
}

/// What a resumed or paused scope leaves to say about the queue.
pub fn held(model: &Model) -> String {
    match model.queue.paused {
        0 => "No job is paused now.".to_owned(),
        held => format!("Paused now: {}.", format::count(held, "job")),
    }
}
