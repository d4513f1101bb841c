//! Per-host back-off: honours `Retry-After`, and opens a circuit breaker after repeated failures.
//!
//! Every ended attempt yields a [`HostSignal`] about its document's host, and the [`CircuitBreaker`] of that host
//! decides whether a back-off begins: a period in which nothing is fetched from the host. The waits of a single
//! document are those of the retry policy. A document that waits for its host uses up no attempt.

use super::failure::{Blame, ErrorCode, Failure, FailureClass};
use super::id::DocumentId;
use super::job::AttemptEnd;
use super::time::Timestamp;
use super::word_enum::word_enum;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Number of distinct documents that must receive `Retry-After` before a back-off of the whole host begins.
pub const RETRY_AFTER_THRESHOLD: usize = 3;
/// Number of distinct documents that must fail in a row before the breaker opens.
pub const FAILURE_THRESHOLD: usize = 5;
/// First and longest cool-down (back-off after failures). Each further cool-down in a row is twice as long as the
/// previous one, up to the longest.
pub const COOL_DOWN_RANGE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));

/// Kind of failure that counts against a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HostFailure {
    /// No complete response in time.
    TimedOut,
    /// No connection, or a connection that broke before a response.
    NotConnected,
    /// HTTP status 5xx.
    ServerError,
}

/// Evidence about a host from one ended attempt. The default is no evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostSignal {
    /// True if the host responded in time, except with a server error.
    pub responded: bool,
    pub failure: Option<HostFailure>,
    /// Wait that the host requested (`Retry-After` with status 429 or 503).
    pub retry_after: Option<Duration>,
}

impl HostSignal {
    /// Derives the evidence from the end of an attempt.
    pub fn of(end: &AttemptEnd) -> Self {
        match end {
            AttemptEnd::Fetched { .. }
            | AttemptEnd::NotModified
            | AttemptEnd::Identical(_)
            | AttemptEnd::Withheld(_) => Self { responded: true, ..Self::default() },
            AttemptEnd::Stopped => Self::default(),
            AttemptEnd::Failed(failure) => Self::of_failure(failure),
        }
    }

    fn of_failure(failure: &Failure) -> Self {
        if failure.blame != Blame::Host || failure.class == FailureClass::Unexpected {
            return Self::default();
        }
        let host_failure = match (failure.http_status, failure.code, failure.class) {
            (Some(500..), ..) => Some(HostFailure::ServerError),
            (_, ErrorCode::Timeout, _) => Some(HostFailure::TimedOut),
            (None, _, FailureClass::Transient) => Some(HostFailure::NotConnected),
            _ => None,
        };
        let retry_after = failure.retry_after.filter(|wait| !wait.is_zero());
        Self {
            responded: host_failure.is_none() && failure.http_status.is_some(),
            failure: host_failure,
            retry_after: retry_after.filter(|_| matches!(failure.http_status, Some(429 | 503))),
        }
    }
}

word_enum! {
    /// Origin of a back-off.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum BackoffKind {
        /// The host requested a wait (`Retry-After`).
        RetryAfter = "asked_for",
        /// The circuit breaker opened after failures.
        CoolDown = "cool_down",
    }
}

/// Period in which nothing is fetched from a host, and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostBackoff {
    /// End of the period, UTC.
    pub until: Timestamp,
    pub kind: BackoffKind,
    /// Reason in plain words, for display only: "5 documents in a row timed out".
    pub reason: String,
}

/// State of a host's circuit breaker between two attempts. The default is a host without history.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CircuitBreaker {
    /// Of the back-offs decided so far, the one that ends last; it may have ended.
    pub backoff: Option<HostBackoff>,
    /// Number of cool-downs since the host last responded. While this is above zero and no back-off is active, one page
    /// at a time is fetched from the host: a single attempt, instead of every waiting document, probes whether the host
    /// has recovered.
    pub cool_downs: u32,
    pub history: BreakerHistory,
}

/// Documents on which the breaker bases its decisions, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakerHistory {
    /// Documents that received `Retry-After`, each with the end of its wait (microseconds since 1970).
    #[serde(rename = "told")]
    retry_after: Vec<(i64, i64)>,
    /// Documents that failed since the host last responded and since the last cool-down began, each with the kind of
    /// failure.
    #[serde(rename = "troubled")]
    failures: Vec<(i64, HostFailure)>,
}

impl CircuitBreaker {
    /// Returns true if the host needs no row in the store at `now`.
    pub fn has_no_state(&self, now: Timestamp) -> bool {
        self.cool_downs == 0
            && self.history == BreakerHistory::default()
            && self.backoff.as_ref().is_none_or(|backoff| backoff.until <= now)
    }

    /// Applies the evidence of an attempt on `document` to the breaker.
    pub fn record(&mut self, signal: HostSignal, document: DocumentId, now: Timestamp) {
        self.history.retry_after.retain(|(_, until)| *until > now.micros());
        if signal.responded {
            self.cool_downs = 0;
            self.history.failures.clear();
        }
        if let Some(failure) = signal.failure {
            self.record_failure(failure, document, now);
        }
        if let Some(wait) = signal.retry_after {
            let until = now.plus(wait);
            self.history.retry_after.retain(|(recorded, _)| *recorded != document.0);
            self.history.retry_after.push((document.0, until.micros()));
            if self.history.retry_after.len() >= RETRY_AFTER_THRESHOLD {
                let last = self.history.retry_after.iter().map(|(_, until)| *until).max().unwrap_or_default();
                let reason = format!("{} documents received Retry-After", self.history.retry_after.len());
                self.extend_backoff(HostBackoff {
                    until: Timestamp::from_micros(last),
                    kind: BackoffKind::RetryAfter,
                    reason,
                });
            }
        }
    }

    fn record_failure(&mut self, failure: HostFailure, document: DocumentId, now: Timestamp) {
        // Attempts that were already running when the cool-down began are no new evidence.
        if self.cool_downs > 0 && self.backoff.as_ref().is_some_and(|backoff| backoff.until > now) {
            return;
        }
        self.history.failures.retain(|(recorded, _)| *recorded != document.0);
        self.history.failures.push((document.0, failure));
        let reason = match self.cool_downs {
            0 if self.history.failures.len() < FAILURE_THRESHOLD => return,
            0 => format!(
                "{} documents in a row {}",
                self.history.failures.len(),
                describe_failures(&self.history.failures)
            ),
            // This attempt was the probe after a cool-down.
            tried => format!("{}; {} cool-downs in a row", describe_probe_failure(failure), tried + 1),
        };
        let wait = COOL_DOWN_RANGE.0.saturating_mul(1 << self.cool_downs.min(16)).min(COOL_DOWN_RANGE.1);
        self.cool_downs += 1;
        self.history.failures.clear();
        self.extend_backoff(HostBackoff { until: now.plus(wait), kind: BackoffKind::CoolDown, reason });
    }

    /// Replaces the back-off if `backoff` ends later: a new back-off never shortens an active one.
    fn extend_backoff(&mut self, backoff: HostBackoff) {
        if self.backoff.as_ref().is_none_or(|known| known.until < backoff.until) {
            self.backoff = Some(backoff);
        }
    }
}

fn describe_failures(failures: &[(i64, HostFailure)]) -> &'static str {
    let all = |kind| failures.iter().all(|(_, failure)| *failure == kind);
    if all(HostFailure::TimedOut) {
        "timed out"
    } else if all(HostFailure::NotConnected) {
        "could not be reached"
    } else if all(HostFailure::ServerError) {
        "received server errors"
    } else {
        "timed out, could not be reached, or received server errors"
    }
}

const fn describe_probe_failure(failure: HostFailure) -> &'static str {
    match failure {
        HostFailure::TimedOut => "still timing out",
        HostFailure::NotConnected => "still not connecting",
        HostFailure::ServerError => "still answering 5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::content::IdenticalBody;

    const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn after(seconds: u64) -> Timestamp {
        START.plus(Duration::from_secs(seconds))
    }

    fn trouble(kind: HostFailure) -> HostSignal {
        HostSignal { failure: Some(kind), ..HostSignal::default() }
    }

    fn told(seconds: u64) -> HostSignal {
        HostSignal { responded: true, retry_after: Some(Duration::from_secs(seconds)), ..HostSignal::default() }
    }

    const ANSWERED: HostSignal = HostSignal { responded: true, failure: None, retry_after: None };

    #[test]
    fn what_an_end_tells_of_the_host() {
        let of = |failure: Failure| HostSignal::of(&AttemptEnd::Failed(failure));
        let status = |status| of(Failure::from_status(status, ""));
        assert_eq!(status(404), ANSWERED);
        assert_eq!(status(429), ANSWERED);
        assert_eq!(status(500), trouble(HostFailure::ServerError));
        assert_eq!(status(504), trouble(HostFailure::ServerError));
        assert_eq!(status(408), trouble(HostFailure::TimedOut));
        assert_eq!(HostSignal::of(&AttemptEnd::NotModified), ANSWERED);
        let identical = IdenticalBody { bytes: 9, http_status: 200, validators: None };
        assert_eq!(HostSignal::of(&AttemptEnd::Identical(identical)), ANSWERED);
        assert_eq!(HostSignal::of(&AttemptEnd::Stopped), HostSignal::default());
        let timeout = || Failure::transient(ErrorCode::Timeout, "no answer");
        assert_eq!(of(timeout()), trouble(HostFailure::TimedOut));
        assert_eq!(of(timeout().with_status(200)), trouble(HostFailure::TimedOut), "half a body is no answer");
        assert_eq!(of(Failure::transient(ErrorCode::FetchFailed, "refused")), trouble(HostFailure::NotConnected));
        // A URL that is refused locally was never requested, and an error of this program says nothing about the host.
        assert_eq!(of(Failure::permanent(ErrorCode::FetchFailed, "refused: 10.0.0.1")), HostSignal::default());
        assert_eq!(of(Failure::unexpected("panic", "boom")), HostSignal::default());
        assert_eq!(of(timeout().of_service()), HostSignal::default());
        let asked = |status, wait| of(Failure::from_status(status, "").with_retry_after(wait)).retry_after;
        let minute = Some(Duration::from_secs(60));
        assert_eq!((asked(429, minute), asked(503, minute), asked(500, minute)), (minute, minute, None));
        assert_eq!(asked(429, Some(Duration::ZERO)), None);
    }

    #[test]
    fn three_documents_that_were_told_to_wait_hold_the_host_for_the_longest_of_it() {
        let mut host = CircuitBreaker::default();
        host.record(told(60), DocumentId(1), START);
        host.record(told(600), DocumentId(2), after(1));
        host.record(told(60), DocumentId(1), after(2));
        assert_eq!(host.backoff, None, "the same document twice is one");
        // A good response in between does not matter: a request to wait is no failure.
        host.record(ANSWERED, DocumentId(9), after(3));
        host.record(told(30), DocumentId(3), after(4));
        let backoff = host.backoff.clone().expect("three were told");
        assert_eq!((backoff.until, &*backoff.reason), (after(601), "3 documents received Retry-After"));
        assert_eq!(backoff.kind, BackoffKind::RetryAfter);
        assert_eq!(host.cool_downs, 0, "afterwards all of them may come");
        // A document counts only until its requested wait has ended.
        let mut host = CircuitBreaker::default();
        host.record(told(10), DocumentId(1), START);
        host.record(told(10), DocumentId(2), START);
        host.record(told(10), DocumentId(3), after(10));
        assert_eq!(host.backoff, None);
    }

    #[test]
    fn five_documents_in_a_row_cool_the_host_down_and_one_finds_out() {
        let mut host = CircuitBreaker::default();
        for document in [1, 2, 2, 3, 4] {
            host.record(trouble(HostFailure::TimedOut), DocumentId(document), START);
        }
        assert_eq!(host.backoff, None, "four of them are different");
        host.record(trouble(HostFailure::TimedOut), DocumentId(5), START);
        let backoff = host.backoff.clone().expect("five in a row");
        assert_eq!((backoff.until, &*backoff.reason), (after(30), "5 documents in a row timed out"));
        assert_eq!(backoff.kind, BackoffKind::CoolDown);
        // An attempt that was running when the breaker opened ends during the cool-down.
        host.record(trouble(HostFailure::TimedOut), DocumentId(6), after(3));
        assert_eq!((host.backoff.as_ref(), host.cool_downs), (Some(&backoff), 1));
        host.record(trouble(HostFailure::NotConnected), DocumentId(7), after(31));
        let backoff = host.backoff.clone().expect("it is not well");
        assert_eq!(backoff.until, after(31 + 60));
        assert_eq!(backoff.reason, "still not connecting; 2 cool-downs in a row");
        host.record(ANSWERED, DocumentId(8), after(100));
        assert_eq!(host.cool_downs, 0);
        assert!(host.has_no_state(after(100)));
    }

    #[test]
    fn an_answer_ends_a_row_and_cool_downs_grow_to_ten_minutes() {
        let mut host = CircuitBreaker::default();
        for document in 1..=4 {
            host.record(trouble(HostFailure::ServerError), DocumentId(document), START);
        }
        host.record(ANSWERED, DocumentId(1), START);
        for document in 1..=4 {
            host.record(trouble(HostFailure::ServerError), DocumentId(document), START);
        }
        assert_eq!(host.backoff, None);
        host.record(trouble(HostFailure::TimedOut), DocumentId(5), START);
        let mixed = "5 documents in a row timed out, could not be reached, or received server errors";
        assert_eq!(host.backoff.as_ref().map(|backoff| backoff.reason.as_str()), Some(mixed));
        let mut waits = Vec::new();
        let mut now = START;
        for _ in 0..7 {
            let until = host.backoff.as_ref().expect("held").until;
            waits.push(until.since(now).as_secs());
            now = until;
            host.record(trouble(HostFailure::TimedOut), DocumentId(1), now);
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
    }

    #[test]
    fn a_kind_is_kept_as_its_word() {
        for kind in [BackoffKind::RetryAfter, BackoffKind::CoolDown] {
            assert_eq!(BackoffKind::parse(kind.word()), Some(kind));
        }
        assert_eq!(BackoffKind::parse("3 documents received Retry-After"), None);
    }

    #[test]
    fn notes_are_kept_as_text() {
        let mut host = CircuitBreaker::default();
        host.record(told(60), DocumentId(1), START);
        host.record(trouble(HostFailure::NotConnected), DocumentId(2), START);
        let text = serde_json::to_string(&host.history).expect("JSON");
        assert_eq!(text, r#"{"told":[[1,1800000060000000]],"troubled":[[2,"not_connected"]]}"#);
        assert_eq!(serde_json::from_str::<BreakerHistory>(&text).expect("the same"), host.history);
        assert_eq!(serde_json::from_str::<BreakerHistory>("{}").expect("nothing"), BreakerHistory::default());
    }
}
