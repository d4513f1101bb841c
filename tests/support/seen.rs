//! What the views beside the list show in tests.

use super::facts::{ago, within};
use quarterdeck::domain::document::{Counts, Status, Try};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::domain::id::{AccountId, DocumentId, JobId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::pause::{Pause, PauseScope};
use quarterdeck::domain::politeness::{Hold, HoldKind};
use quarterdeck::store::{AccountSeen, Blocked, HostSeen, JobPlace, JobSeen, JobsPage, Seen};
use std::time::Duration;

/// A job of the document with its own number, at `place`.
pub fn job(id: i64, name: &str, place: JobPlace) -> JobSeen {
    JobSeen {
        job: JobId(id + 1_000),
        document: DocumentId(id),
        name: name.into(),
        account: AccountId(7),
        host: "acme.example".into(),
        class: if id % 2 == 0 { QueueClass::Manual } else { QueueClass::Auto },
        attempt: 1,
        requested_by: Some("ana".into()),
        place,
    }
}

/// A running job whose worker's heart beat `beat` seconds ago, with `lease` seconds left; none left is long over.
pub fn running(id: i64, name: &str, beat: u64, lease: u64) -> JobSeen {
    let place = JobPlace::Running {
        worker: Some("web-1:4711".into()),
        started_at: Some(ago(12)),
        lease_until: Some(if lease == 0 { ago(40) } else { within(lease) }),
        heartbeat_at: Some(ago(beat)),
        cancelled_by: None,
    };
    job(id, name, place)
}

/// A ready job and what it stands behind.
pub fn ready(id: i64, name: &str, blocked: Blocked) -> JobSeen {
    job(id, name, JobPlace::Ready { since: ago(95), blocked })
}

/// Jobs of every kind.
pub fn jobs() -> JobsPage {
    let none = Blocked::default;
    let tried = Try { class: FailureClass::Transient, number: 1, of: 3 };
    let waiting = |id, name, after, holder: Option<&str>, run_in| {
        job(id, name, JobPlace::Waiting { run_at: within(run_in), after, lock_holder: holder.map(Into::into) })
    };
    let ended = |id, name, result, error_code| {
        job(id, name, JobPlace::Ended { at: ago(30), result, error_code, content: None })
    };
    JobsPage {
        running: vec![
            running(31, "Quickstart for administrators", 3, 27),
            running(32, "Release notes, spring", 3, 27),
            running(33, "Cut off from its database", 70, 0),
        ],
        running_total: 3,
        ready: vec![
            ready(40, "Next in line", none()),
            ready(41, "Behind its own host", Blocked { host_running: 2, ..none() }),
            ready(
                42,
                "Host is held",
                Blocked {
                    host_held_until: Some(within(80)),
                    host_held_because: Some("5 documents in a row timed out".into()),
                    ..none()
                },
            ),
            ready(43, "Account at its cap", Blocked { account_running: 4, account_cap: Some(4), ..none() }),
            ready(44, "Nothing in its way", none()),
        ],
        ready_total: 1_412,
        waiting: vec![
            waiting(50, "Timed out once", Some(tried), None, 42),
            waiting(51, "Locked elsewhere", None, Some("sidekiq"), 20),
            waiting(52, "Due tonight", None, None, 30_000),
        ],
        waiting_total: 3,
        recent: vec![
            ended(60, "Fresh content", OutcomeResult::Updated, None),
            ended(61, "Gone for good", OutcomeResult::PermanentFailure, Some(ErrorCode::NotFound)),
            ended(62, "Called off", OutcomeResult::Cancelled, None),
        ],
    }
}

/// A host at rest.
pub fn host(name: &str, documents: u64, failed: u64) -> HostSeen {
    HostSeen {
        host: name.into(),
        documents,
        failed,
        recent: 40,
        limited: 0,
        median: Some(Duration::from_millis(212)),
        running: 0,
        ready: 0,
        held: None,
    }
}

/// Hosts of every kind, not in the order of the screen.
pub fn hosts() -> Seen<HostSeen> {
    let hold = |seconds, kind, because: &str| Some(Hold { until: within(seconds), kind, because: because.into() });
    let rows = vec![
        host("acme.example", 1_204, 14),
        HostSeen {
            running: 2,
            ready: 61,
            median: Some(Duration::from_millis(1_400)),
            ..host("docs.acme.example", 310, 0)
        },
        host("failing.example:8443", 12, 5),
        HostSeen {
            held: hold(80, HoldKind::CoolDown, "5 documents in a row timed out"),
            ready: 9,
            ..host("slow.example", 48, 6)
        },
        HostSeen {
            held: hold(200, HoldKind::AskedFor, "3 documents received Retry-After"),
            limited: 11,
            ..host("wiki.example", 96, 0)
        },
        HostSeen { recent: 0, median: None, ..host("quiet.example", 3, 0) },
        HostSeen { recent: 0, median: None, ..host("", 2, 0) },
    ];
    Seen { total: rows.len() as u64, rows }
}

/// An account at rest, with so many documents in order.
pub fn account(id: i64, name: Option<&str>, synced: u64) -> AccountSeen {
    let mut counts = Counts::default();
    counts.set(Status::Synced, synced);
    AccountSeen {
        id: AccountId(id),
        name: name.map(Into::into),
        plan: Some("startups".into()),
        cadence: Some(Duration::from_secs(604_800)),
        counts,
        running: 0,
        ready: 0,
        waiting: 0,
        last_hour: 0,
        next_due_at: None,
    }
}

/// Accounts of every kind.
pub fn accounts() -> Seen<AccountSeen> {
    let with = |mut seen: AccountSeen, counts: &[(Status, u64)]| {
        counts.iter().for_each(|(status, documents)| seen.counts.set(*status, *documents));
        seen
    };
    let busy = AccountSeen {
        plan: Some("business".into()),
        cadence: Some(Duration::from_secs(86_400)),
        running: 6,
        ready: 1_412,
        waiting: 12,
        last_hour: 820,
        next_due_at: Some(within(42)),
        ..account(7, Some("Acme GmbH"), 118_000)
    };
    let rows = vec![
        AccountSeen { last_hour: 90, next_due_at: Some(within(30_000)), ..account(3, Some("Bluebird"), 240) },
        with(busy, &[(Status::Failed, 61), (Status::Waiting, 12), (Status::Syncing, 6), (Status::Queued, 1_412)]),
        with(account(9, None, 30), &[(Status::Stuck, 1)]),
        AccountSeen { plan: None, cadence: None, ..account(12, Some("株式会社サンプル"), 0) },
    ];
    Seen { total: rows.len() as u64, rows }
}

/// Somebody has paused an account and a host.
pub fn pauses() -> Vec<Pause> {
    let pause = |scope, since, by: &str| Pause { scope, since: ago(since), by: by.into() };
    vec![
        pause(PauseScope::Account(AccountId(7)), 3_600, "ana"),
        pause(PauseScope::Host("acme.example".into()), 200_000, "ben"),
    ]
}
