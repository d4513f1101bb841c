//! The JSON summary of `demo --headless` (assets/docs/json.md, "demo"). All fields except `seconds` depend only on the
//! site's seed and number of pages.

use crate::domain::document::Status;
use crate::domain::failure::ErrorCode;
use crate::domain::filter::Filter;
use crate::domain::id::Seq;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::store::{OutcomeQuery, OutcomesFrom, Queries, StoreError};
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// Maximum number of outcomes read by one query.
const BATCH: u64 = 1_000;

/// Summary of a run of the demo. The order of the fields is their order in the JSON object.
#[derive(Debug, serde::Serialize)]
pub(super) struct Summary {
    documents: u64,
    synced: u64,
    failed: u64,
    /// Number of attempts: distinct pairs of a job and the number of its attempt.
    attempts: usize,
    results: CountMap<OutcomeResult>,
    /// Number of failed attempts by error code. The outcome that ends the retries repeats the last attempt's code and
    /// is not counted.
    error_codes: CountMap<ErrorCode>,
    /// Wall-clock time of the run in seconds, rounded to milliseconds.
    seconds: f64,
}

/// Number of outcomes or attempts by key, serialised as an object in the order of the keys.
#[derive(Debug)]
struct CountMap<K>(BTreeMap<K, u64>);

impl<K> Default for CountMap<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Serialize> Serialize for CountMap<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, count) in &self.0 {
            map.serialize_entry(key, count)?;
        }
        map.end()
    }
}

/// Computes the summary from the store's counts and outcomes.
pub(super) async fn summarize(store: &dyn Queries, took: Duration) -> Result<Summary, StoreError> {
    let counts = store.counts().await?;
    let mut tally = Tally::default();
    let mut after = Seq::START;
    loop {
        let query =
            OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::After(after), limit: BATCH };
        let outcomes = store.outcomes(&query).await?;
        outcomes.iter().for_each(|outcome| tally.take(outcome));
        match outcomes.last() {
            Some(last) => after = last.seq,
            None => break,
        }
    }
    Ok(Summary {
        documents: counts.total(),
        synced: counts.of(Status::Synced),
        failed: counts.of(Status::Failed),
        attempts: tally.attempts.len(),
        results: tally.results,
        error_codes: tally.error_codes,
        seconds: (took.as_secs_f64() * 1_000.0).round() / 1_000.0,
    })
}

#[derive(Default)]
struct Tally {
    attempts: HashSet<(i64, u32)>,
    failed_attempts: HashSet<(i64, u32)>,
    results: CountMap<OutcomeResult>,
    error_codes: CountMap<ErrorCode>,
}

impl Tally {
    fn take(&mut self, outcome: &Outcome) {
        let attempt = (outcome.job_id.0, outcome.attempt);
        self.attempts.insert(attempt);
        *self.results.0.entry(outcome.result).or_default() += 1;
        if let Some(code) = outcome.error_code
            && self.failed_attempts.insert(attempt)
        {
            *self.error_codes.0.entry(code).or_default() += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
    use crate::domain::job::QueueClass;
    use crate::domain::text::SafeLine;
    use crate::domain::time::Timestamp;

    fn outcome(job: i64, attempt: u32, result: OutcomeResult, error_code: Option<ErrorCode>) -> Outcome {
        Outcome {
            document_id: DocumentId(1),
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
            result,
            error_code,
            exception_class: None,
            duration_ms: None,
            at: Timestamp::from_micros(0),
            seq: Seq(1),
            job_id: JobId(job),
            attempt,
            queue: QueueClass::Auto,
            url: SafeLine::new("http://127.0.0.1:1/a"),
            http_status: None,
            detail: None,
            content: None,
            bytes: None,
            next_attempt_at: None,
            worker: None,
            requested_by: None,
            stages: None,
            name: SafeLine::default(),
        }
    }

    #[test]
    fn an_exhaustion_is_a_result_and_no_attempt() {
        let mut tally = Tally::default();
        let timeout = Some(ErrorCode::Timeout);
        for outcome in [
            outcome(1, 1, OutcomeResult::TransientFailure, timeout),
            outcome(1, 2, OutcomeResult::TransientFailure, timeout),
            outcome(1, 2, OutcomeResult::TransientRetryExhausted, timeout),
            outcome(2, 1, OutcomeResult::Unchanged, None),
            outcome(3, 1, OutcomeResult::PermanentFailure, Some(ErrorCode::NotFound)),
        ] {
            tally.take(&outcome);
        }
        let summary = Summary {
            documents: 3,
            synced: 1,
            failed: 2,
            attempts: tally.attempts.len(),
            results: tally.results,
            error_codes: tally.error_codes,
            seconds: 1.5,
        };
        assert_eq!(
            serde_json::to_string(&summary).expect("JSON"),
            "{\"documents\":3,\"synced\":1,\"failed\":2,\"attempts\":4,\"results\":{\"unchanged\":1,\
             \"permanent_failure\":1,\"transient_failure\":2,\"transient_retry_exhausted\":1},\
             \"error_codes\":{\"not_found\":1,\"timeout\":2},\"seconds\":1.5}"
        );
    }
}
