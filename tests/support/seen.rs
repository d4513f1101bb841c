//! What the views beside the list show in tests.

use super::facts::{ago, within};
use quarterdeck::domain::document::Try;
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::domain::id::{AccountId, DocumentId, JobId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{Blocked, JobPlace, JobSeen, JobsPage, Pausing};

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
    let ended = |id, name, result, error_code| job(id, name, JobPlace::Ended { at: ago(30), result, error_code });
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
            ready(44, "Paused with its account", Blocked { paused: Some(Pausing::Account), ..none() }),
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
