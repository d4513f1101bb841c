//! Invented jobs, hosts, accounts and pauses for the views beside the list.

use super::facts::{ago, within};
use quarterdeck::domain::document::{FailureCount, Status, StatusCounts};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::domain::failure_cause::{FailureCause, is_of_host};
use quarterdeck::domain::host_backoff::{BackoffKind, HostBackoff};
use quarterdeck::domain::id::{AccountId, DocumentId, JobId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::pause::{Pause, PauseScope};
use quarterdeck::store::{
    AccountSummary, FailureSummary, HostSummary, JobBlockers, JobProgress, JobSummary, JobsPage, Listing, TREND_SLOTS,
};
use std::time::Duration;

/// Makes a job in the state `place`, with a number derived from the document's.
pub fn job(id: i64, name: &str, place: JobProgress) -> JobSummary {
    JobSummary {
        job: JobId(id + 1_000),
        document: DocumentId(id),
        name: name.into(),
        account: AccountId(7),
        host: "acme.example".into(),
        class: if id % 2 == 0 { QueueClass::Manual } else { QueueClass::Auto },
        attempt: 1,
        requested_by: Some("ana".into()),
        progress: place,
    }
}

/// Makes a running job with a heartbeat `beat` seconds ago and `lease` seconds left; 0 makes the lease long expired.
pub fn running(id: i64, name: &str, beat: u64, lease: u64) -> JobSummary {
    let place = JobProgress::Running {
        worker: Some("web-1:4711".into()),
        started_at: Some(ago(12)),
        lease_until: Some(if lease == 0 { ago(40) } else { within(lease) }),
        heartbeat_at: Some(ago(beat)),
        cancelled_by: None,
    };
    job(id, name, place)
}

/// Makes a ready job with its blockers.
pub fn ready(id: i64, name: &str, blocked: JobBlockers) -> JobSummary {
    job(id, name, JobProgress::Ready { since: ago(95), blockers: blocked })
}

/// Returns jobs of every kind.
pub fn jobs() -> JobsPage {
    let none = JobBlockers::default;
    let tried = FailureCount { class: FailureClass::Transient, failures: 1, attempts_allowed: 3 };
    let waiting = |id, name, after, holder: Option<&str>, run_in| {
        job(id, name, JobProgress::Waiting { run_at: within(run_in), after, lock_holder: holder.map(Into::into) })
    };
    let ended = |id, name, result, error_code| {
        job(id, name, JobProgress::Ended { at: ago(30), result, error_code, content: None })
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
            ready(41, "Behind its own host", JobBlockers { host_running: 2, ..none() }),
            ready(
                42,
                "Host is held",
                JobBlockers {
                    host_backoff_until: Some(within(80)),
                    host_backoff_reason: Some("5 documents in a row timed out".into()),
                    ..none()
                },
            ),
            ready(43, "Account at its cap", JobBlockers { account_running: 4, account_cap: Some(4), ..none() }),
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

/// Makes a host without running jobs.
pub fn host(name: &str, documents: u64, failed: u64) -> HostSummary {
    HostSummary {
        host: name.into(),
        documents,
        failed,
        last_hour: 40,
        rate_limited: 0,
        median_duration: Some(Duration::from_millis(212)),
        running: 0,
        ready: 0,
        backoff: None,
    }
}

/// Returns hosts of every kind, not in the order of the screen.
pub fn hosts() -> Listing<HostSummary> {
    let hold =
        |seconds, kind, because: &str| Some(HostBackoff { until: within(seconds), kind, reason: because.into() });
    let rows = vec![
        host("acme.example", 1_204, 14),
        HostSummary {
            running: 2,
            ready: 61,
            median_duration: Some(Duration::from_millis(1_400)),
            ..host("docs.acme.example", 310, 0)
        },
        host("failing.example:8443", 12, 5),
        HostSummary {
            backoff: hold(80, BackoffKind::CoolDown, "5 documents in a row timed out"),
            ready: 9,
            ..host("slow.example", 48, 6)
        },
        HostSummary {
            backoff: hold(200, BackoffKind::RetryAfter, "3 documents received Retry-After"),
            rate_limited: 11,
            ..host("wiki.example", 96, 0)
        },
        HostSummary { last_hour: 0, median_duration: None, ..host("quiet.example", 3, 0) },
        HostSummary { last_hour: 0, median_duration: None, ..host("", 2, 0) },
    ];
    Listing { total: rows.len() as u64, rows }
}

/// Returns three causes of failures, that of most documents first.
pub fn failures() -> Listing<FailureSummary> {
    let cause = |code, status: Option<u16>, detail: &str, documents, host: Option<&str>| FailureSummary {
        // The hosts of the documents of the tests play no part in a cause that is not the host's.
        cause: FailureCause::of(code, status, Some(detail), host.unwrap_or_default()),
        code,
        http_status: status,
        detail: Some(detail.into()),
        documents,
        hosts: if host.is_some() { 1 } else { 3 },
        only_host: host.map(Into::into),
        is_of_host: is_of_host(code, status),
        backoff_until: None,
        first_at: Some(ago(3 * 86_400)),
        last_at: Some(ago(12)),
        trend: [0, 0, 1, 0, 0, 0, 2, 0, 1, 4],
        sample: DocumentId(812),
    };
    let rows = vec![
        cause(ErrorCode::NotFound, Some(404), "404 Not Found", 30, None),
        FailureSummary {
            backoff_until: Some(within(250)),
            first_at: Some(ago(7_200)),
            trend: [0, 0, 0, 0, 1, 3, 7, 7, 8, 8],
            ..cause(ErrorCode::FetchFailed, Some(503), "503 Service Unavailable", 9, Some("forum.acme.example"))
        },
        FailureSummary {
            first_at: None,
            last_at: None,
            trend: [0; TREND_SLOTS],
            ..cause(ErrorCode::ContentEmpty, Some(200), "the page has no text", 2, Some("app.acme.example"))
        },
    ];
    Listing { total: rows.len() as u64, rows }
}

/// Makes an account without running jobs, with `synced` synced documents.
pub fn account(id: i64, name: Option<&str>, synced: u64) -> AccountSummary {
    let mut counts = StatusCounts::default();
    counts.set(Status::Synced, synced);
    AccountSummary {
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
        window: None,
    }
}

/// Returns accounts of every kind.
pub fn accounts() -> Listing<AccountSummary> {
    let with = |mut seen: AccountSummary, counts: &[(Status, u64)]| {
        counts.iter().for_each(|(status, documents)| seen.counts.set(*status, *documents));
        seen
    };
    let busy = AccountSummary {
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
        AccountSummary { last_hour: 90, next_due_at: Some(within(30_000)), ..account(3, Some("Bluebird"), 240) },
        with(busy, &[(Status::Failed, 61), (Status::Waiting, 12), (Status::Syncing, 6), (Status::Queued, 1_412)]),
        with(account(9, None, 30), &[(Status::Stuck, 1)]),
        AccountSummary { plan: None, cadence: None, ..account(12, Some("株式会社サンプル"), 0) },
    ];
    Listing { total: rows.len() as u64, rows }
}

/// Returns pauses of an account and of a host.
pub fn pauses() -> Vec<Pause> {
    let pause = |scope, since, by: &str| Pause { scope, since: ago(since), by: by.into() };
    vec![
        pause(PauseScope::Account(AccountId(7)), 3_600, "ana"),
        pause(PauseScope::Host("acme.example".into()), 200_000, "ben"),
    ]
}
