//! The steps of a sequence and their results, in the form that model and stores share.

use proptest::prelude::{Just, Strategy};
use proptest::{collection, prop_oneof};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{RequestAnswer, RequestKind, RequestScope};
use quarterdeck::domain::retry::Counters;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{LeaseStatus, MarkTiming};

/// Documents of a sequence: two accounts, three hosts.
pub const DOCUMENTS: usize = 6;

#[derive(Clone, Debug)]
pub enum Step {
    Ask(Vec<usize>, RequestKind, QueueClass, RequestScope),
    Cancel(usize),
    Remove(usize),
    Claim(u32, MarkTiming),
    Mark(usize),
    /// Another holder has the lock of a job.
    Defer(usize, u8),
    Finish(usize, End),
    /// Repeats a finish, as after a lost response.
    Again,
    Release(usize),
    Beat,
    /// The worker crashes and another one replaces it. The crashed worker may still finish its jobs, late.
    Crash,
    Rescue,
    Time(u64),
    /// The document becomes unavailable, or available again.
    Flip(usize),
    /// Chatwoot syncs the document.
    Elsewhere(usize),
}

#[derive(Clone, Debug)]
pub enum End {
    New(String),
    Same,
    /// With the server's `Retry-After`, in seconds.
    Timeout(u64),
    Unexpected,
    Permanent,
    Stopped,
}

pub fn steps() -> impl Strategy<Value = Vec<Step>> {
    let document = || 0..DOCUMENTS;
    let job = || 0_usize..6;
    let class = prop_oneof![2 => Just(QueueClass::Manual), 1 => Just(QueueClass::Auto)];
    let verb = prop_oneof![3 => Just(RequestKind::Sync), 1 => Just(RequestKind::Retry)];
    let scope = prop_oneof![2 => Just(RequestScope::Named), 1 => Just(RequestScope::Bulk)];
    let marking = prop_oneof![2 => Just(MarkTiming::AtClaim), 1 => Just(MarkTiming::AfterLock)];
    let wait = prop_oneof![3 => Just(0_u64), 1 => Just(90), 1 => Just(9_000)];
    let end = prop_oneof![
        2 => (0_u32..1_000).prop_map(|n| End::New(format!("text {n}"))),
        1 => Just(End::Same),
        3 => wait.prop_map(End::Timeout),
        3 => Just(End::Unexpected),
        1 => Just(End::Permanent),
        1 => Just(End::Stopped),
    ];
    let seconds =
        prop_oneof![2 => Just(1_u64), 3 => Just(6), 3 => Just(31), 2 => Just(130), 1 => Just(301), 1 => Just(7_300)];
    let step = prop_oneof![
        8 => (collection::vec(document(), 1..4), verb, class, scope)
            .prop_map(|(documents, verb, class, scope)| Step::Ask(documents, verb, class, scope)),
        2 => document().prop_map(Step::Cancel),
        1 => document().prop_map(Step::Remove),
        8 => (1_u32..4, marking).prop_map(|(slots, marking)| Step::Claim(slots, marking)),
        2 => job().prop_map(Step::Mark),
        2 => (job(), 0_u8..2).prop_map(|(place, holder)| Step::Defer(place, holder)),
        7 => (job(), end).prop_map(|(place, end)| Step::Finish(place, end)),
        1 => Just(Step::Again),
        2 => job().prop_map(Step::Release),
        1 => Just(Step::Beat),
        2 => Just(Step::Crash),
        3 => Just(Step::Rescue),
        7 => seconds.prop_map(Step::Time),
        1 => document().prop_map(Step::Flip),
        1 => document().prop_map(Step::Elsewhere),
    ];
    collection::vec(step, 12..28)
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    Nothing,
    Asked(Vec<RequestAnswer>),
    Removed(u64),
    Claimed(Vec<Took>),
    /// With the fingerprint of the stored text.
    Marked(Option<String>),
    Ended,
    Late,
    /// The job's state, and true if an error is reported.
    Finished(JobState, bool),
    Beat(Vec<LeaseStatus>),
    /// Number of error reports.
    Rescued(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Took {
    pub job: i64,
    pub token: i64,
    pub document: i64,
    pub class: QueueClass,
    pub counters: Counters,
}

/// An outcome, reduced to the fields that the model computes.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub seq: i64,
    pub at: Timestamp,
    pub document: i64,
    pub job: i64,
    pub attempt: u32,
    pub class: QueueClass,
    pub result: OutcomeResult,
    pub code: Option<ErrorCode>,
    pub next: Option<Timestamp>,
    pub worker: Option<String>,
    pub asked_by: &'static str,
}

impl Line {
    pub fn of(outcome: &Outcome) -> Self {
        let asked_by = outcome.requested_by.as_ref().map(|by| by.as_str());
        Self {
            seq: outcome.seq.0,
            at: outcome.at,
            document: outcome.document_id.0,
            job: outcome.job_id.0,
            attempt: outcome.attempt,
            class: outcome.queue,
            result: outcome.result,
            code: outcome.error_code,
            next: outcome.next_attempt_at,
            worker: outcome.worker.as_ref().map(|worker| worker.to_string()),
            asked_by: ["ana", "eve"].into_iter().find(|name| asked_by == Some(name)).unwrap_or("somebody else"),
        }
    }
}
