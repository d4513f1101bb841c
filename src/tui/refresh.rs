//! When something on the screen will be out of date by itself: ages, countdowns, the clock's minute, a toast. Nothing of
//! that, and the screen is not drawn until something happens.

use crate::domain::document::DocumentRow;
use crate::domain::time::Timestamp;
use crate::runner::event::Health;
use crate::store::JobPlace;
use crate::tui::layout::{list_rows, table_rows};
use crate::tui::model::Model;
use crate::tui::model::overlay::Overlay;
use crate::tui::table::state::{Reading, Shown, Table};
use crate::tui::views::documents::text::hold;
use crate::tui::views::jobs::state::Line;
use std::time::Duration;

const SECOND: u64 = 1;
const MINUTE: u64 = 60;
const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// The first moment after now at which the screen is out of date.
pub fn next(model: &Model) -> Timestamp {
    let now = model.now;
    let mut moments = vec![next_minute(now)];
    moments.extend(model.notices.toast_ends(now));
    if model.rate.moves(now) {
        moments.push(next_second(now));
    }
    if model.detail.is_none() {
        moments.extend(model.view().and_then(|view| view.due_at()));
        match model.shown {
            Shown::Documents => {}
            Shown::Jobs => moments.extend(of_jobs(model)),
            Shown::Hosts => moments.extend(of_hosts(model)),
            Shown::Accounts => moments.extend(of_accounts(model)),
        }
    }
    if model.list_is_shown() {
        for (_, row) in model.documents.visible(list_rows(model)) {
            moments.extend(of_row(row, now));
            moments.extend(hold(model, row).and_then(|hold| countdown_turns(hold.until, now)));
        }
    }
    if let Some(detail) = &model.detail {
        let row = model.documents.find(detail.document).or(detail.data.as_ref().map(|data| &data.row));
        moments.extend(row.into_iter().flat_map(|row| of_row(row, now)));
        let outcomes = detail.data.iter().flat_map(|data| data.outcomes.first());
        moments.extend(outcomes.map(|outcome| age_turns(outcome.at, now)));
        let held = detail.data.iter().flat_map(|data| &data.held);
        moments.extend(held.map(|held| age_turns(held.held_at, now)));
    }
    moments.extend(model.queue.oldest_ready_at.map(|at| age_turns(at, now)));
    if model.queue.ready == 0 {
        moments.extend(model.queue.next_due_at.and_then(|at| countdown_turns(at, now)));
    }
    if matches!(model.overlay, Some(Overlay::Workers(_))) {
        let ages = model.workers.seen.iter().flat_map(|worker| [worker.started_at, worker.heartbeat_at]);
        moments.extend(ages.map(|at| age_turns(at, now)));
        moments.extend(model.workers.due_at(now));
    }
    if let Some(stale) = &model.stale {
        moments.extend(countdown_turns(stale.again_at, now));
        moments.extend(model.read_at.map(|at| age_turns(at, now)));
    }
    if let Health::Unreachable { next_try_at, .. } = model.health {
        moments.extend(countdown_turns(next_try_at, now));
    }
    moments.into_iter().min().unwrap_or_else(|| next_minute(now))
}

fn of_row(row: &DocumentRow, now: Timestamp) -> Vec<Timestamp> {
    let ages = [row.attempted_at, row.synced_at].into_iter().flatten().map(|at| age_turns(at, now));
    ages.chain(row.next_attempt_at.and_then(|at| countdown_turns(at, now))).collect()
}

fn of_jobs(model: &Model) -> Vec<Timestamp> {
    let now = model.now;
    let mut moments: Vec<Timestamp> = of_table(&model.jobs, now).collect();
    for line in model.jobs.lines().into_iter().skip(model.jobs.top).take(table_rows(model)) {
        let Line::Job(seen) = line else { continue };
        match &seen.place {
            JobPlace::Running { lease_until, heartbeat_at, .. } => {
                moments.extend(lease_until.and_then(|at| countdown_turns(at, now)));
                moments.extend(heartbeat_at.map(|at| age_turns(at, now)));
            }
            JobPlace::Ready { since, blocked } => {
                moments.push(age_turns(*since, now));
                moments.extend(blocked.host_held_until.and_then(|at| countdown_turns(at, now)));
            }
            JobPlace::Waiting { run_at, .. } => moments.extend(countdown_turns(*run_at, now)),
            JobPlace::Ended { at, .. } => moments.push(age_turns(*at, now)),
        }
    }
    moments
}

fn of_hosts(model: &Model) -> Vec<Timestamp> {
    let now = model.now;
    let rows = model.hosts.data.rows.iter().skip(model.hosts.top).take(table_rows(model));
    let holds = rows.filter_map(|seen| seen.held.as_ref()).filter_map(|hold| countdown_turns(hold.until, now));
    of_table(&model.hosts, now).chain(holds).collect()
}

fn of_accounts(model: &Model) -> Vec<Timestamp> {
    let now = model.now;
    let rows = model.accounts.data.rows.iter().skip(model.accounts.top).take(table_rows(model));
    let dues = rows.filter_map(|seen| seen.next_due_at).filter_map(|at| countdown_turns(at, now));
    of_table(&model.accounts, now).chain(dues).collect()
}

/// When the age of what was read turns, while it is said; and when it begins to be.
fn of_table<D: Reading>(table: &Table<D>, now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let age = table.read_at.filter(|_| table.age(now).is_some()).map(|at| age_turns(at, now));
    age.into_iter().chain(table.slow_from().filter(|at| *at > now))
}

/// When the age of `at` is written otherwise.
fn age_turns(at: Timestamp, now: Timestamp) -> Timestamp {
    let age = now.since(at).as_secs();
    let unit = match age {
        0..MINUTE => SECOND,
        MINUTE..HOUR => MINUTE,
        HOUR..DAY => HOUR,
        _ => DAY,
    };
    let turns = at.plus(Duration::from_secs((age / unit + 1) * unit));
    if turns > now { turns } else { now.plus(Duration::from_secs(unit)) }
}

/// When the countdown to `at` is written otherwise; never again once it is over.
fn countdown_turns(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    if at <= now {
        return None;
    }
    let left = at.since(now);
    let unit = match left.as_secs() {
        0..=HOUR => SECOND,
        3_601..=DAY => HOUR,
        _ => DAY,
    };
    // Whole units left until the moment itself; the text turns just below one.
    let units = left.as_micros().div_ceil(u128::from(unit) * 1_000_000).saturating_sub(1);
    let rest = Duration::from_secs(unit.saturating_mul(u64::try_from(units).unwrap_or(u64::MAX)));
    Some(at.minus(rest).plus(Duration::from_micros(1)).max(now.plus(Duration::from_millis(20))))
}

fn next_second(now: Timestamp) -> Timestamp {
    next_whole(now, SECOND)
}

fn next_minute(now: Timestamp) -> Timestamp {
    next_whole(now, MINUTE)
}

fn next_whole(now: Timestamp, seconds: u64) -> Timestamp {
    let unit = i64::try_from(seconds * 1_000_000).unwrap_or(i64::MAX);
    Timestamp::from_micros((now.micros().div_euclid(unit) + 1).saturating_mul(unit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::{age, countdown};

    #[test]
    fn the_text_changes_at_the_moment_and_not_before() {
        let now = Timestamp::from_micros(1_764_054_151_300_000);
        let just = Duration::from_millis(1);
        for secs in [0, 5, 59, 60, 61, 3_599, 3_600, 90_000, 200_000] {
            let at = now.minus(Duration::from_millis(secs * 1_000 + 250));
            let turns = age_turns(at, now);
            assert_eq!(age(turns.minus(just).since(at)), age(now.since(at)), "{secs}");
            assert_ne!(age(turns.since(at)), age(now.since(at)), "{secs}");
        }
        for secs in [1, 30, 80, 3_000, 90_000, 200_000] {
            let at = now.plus(Duration::from_millis(secs * 1_000 + 250));
            let turns = countdown_turns(at, now).expect("it is still to come");
            let text = |then: Timestamp| if at <= then { "now".into() } else { countdown(at.since(then)) };
            assert_eq!(text(turns.minus(just * 30).max(now)), text(now), "{secs}");
            assert_ne!(text(turns.plus(just)), text(now), "{secs}");
        }
        assert_eq!(countdown_turns(now, now), None);
    }
}
