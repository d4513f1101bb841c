//! Rows of `outcomes`, the append-only log. The commit of a transaction writes them, with numbers without gaps.

use crate::domain::content::ContentChange;
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::job::QueueClass;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::stages::Stages;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{code, corrupt, line, number, optional_number, time, word};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::statement::{IntoValue, Sql, Statement, Value};

/// An outcome that the transaction has recorded, with values that [`Outcome`] does not have.
pub(in crate::store) struct NewOutcome {
    /// The outcome; the commit sets its `seq`.
    pub(in crate::store) outcome: Outcome,
    /// Host of the document's URL, as the job recorded it.
    pub(in crate::store) host: String,
    /// Token of the lease that ended, if the outcome ends an attempt.
    pub(in crate::store) token: Option<i64>,
    /// True if a different text replaced the stored one, and not only because another converter version rendered the
    /// page. Only subscribers receive this value; without any it is false.
    pub(in crate::store) text_changed: bool,
}

/// The columns of `outcomes` and `last_outcomes`, in the order of [`values`].
macro_rules! columns {
    () => {
        "seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, token, queue, result, \
         error_code, exception_class, duration_ms, http_status, detail, content, bytes, next_attempt_at, worker, \
         requested_by, stages"
    };
}
pub(in crate::store) use columns;

/// Returns the statement that inserts the outcome `new`, whose number must be set, on SQLite.
pub(in crate::store) fn insert(new: &NewOutcome) -> Statement {
    let mut sql = Sql::new(concat!("INSERT INTO @outcomes (", columns!(), ") VALUES "));
    sql.bind_list(values(new));
    sql.query()
}

/// The insertion of outcomes on PostgreSQL: of the JSON array `?rows`, whose arrays have the values of [`values`], with
/// the last `?count` numbers before the counter in `numbered`.
pub(in crate::store) const INSERT_NUMBERED: &str = concat!(
    "INSERT INTO @outcomes (",
    columns!(),
    ") SELECT n.last - ?count + CAST(k.value ->> 0 AS BIGINT), CAST(k.value ->> 1 AS BIGINT), \
     CAST(k.value ->> 2 AS BIGINT), CAST(k.value ->> 3 AS BIGINT), CAST(k.value ->> 4 AS BIGINT), k.value ->> 5, \
     k.value ->> 6, k.value ->> 7, CAST(k.value ->> 8 AS BIGINT), CAST(k.value ->> 9 AS BIGINT), \
     CAST(k.value ->> 10 AS BIGINT), CAST(k.value ->> 11 AS BIGINT), k.value ->> 12, k.value ->> 13, k.value ->> 14, \
     CAST(k.value ->> 15 AS BIGINT), CAST(k.value ->> 16 AS BIGINT), k.value ->> 17, k.value ->> 18, \
     CAST(k.value ->> 19 AS BIGINT), CAST(k.value ->> 20 AS BIGINT), k.value ->> 21, k.value ->> 22, \
     CAST(k.value ->> 23 AS BIGINT) \
     FROM numbered n, elements(?rows) k"
);

/// Returns the JSON array for [`INSERT_NUMBERED`]. The place of an outcome, from 1 on, stands for its number.
pub(in crate::store) fn rows(new: &[NewOutcome]) -> String {
    let json = |value: Value| -> serde_json::Value {
        match value {
            Value::Int(number) => number.into(),
            Value::Text(text) => text.into(),
            Value::Flag(flag) => flag.into(),
            Value::Ints(numbers) => numbers.into(),
            // No column of outcomes has them.
            Value::Bytes(bytes) => bytes.into(),
        }
    };
    let row = |(place, new): (i64, &NewOutcome)| -> serde_json::Value {
        let [_, others @ ..] = values(new);
        std::iter::once(Value::Int(Some(place))).chain(others).map(json).collect::<Vec<_>>().into()
    };
    serde_json::Value::Array((1..).zip(new).map(row).collect()).to_string()
}

/// Returns the values of an outcome's columns.
fn values(new: &NewOutcome) -> [Value; 24] {
    let outcome = &new.outcome;
    let text = |line: &Option<SafeLine>| line.as_ref().map(SafeLine::as_str).into_value();
    let big = |number: Option<u64>| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX)).into_value();
    [
        outcome.seq.0.into_value(),
        outcome.at.micros().into_value(),
        outcome.document_id.0.into_value(),
        outcome.account_id.0.into_value(),
        outcome.assistant_id.0.into_value(),
        outcome.name.as_str().into_value(),
        outcome.url.as_str().into_value(),
        (&new.host).into_value(),
        outcome.job_id.0.into_value(),
        outcome.attempt.into_value(),
        new.token.into_value(),
        outcome.queue.code().into_value(),
        outcome.result.word().into_value(),
        outcome.error_code.map(|code| code.word()).into_value(),
        (&outcome.exception_class).into_value(),
        big(outcome.duration_ms),
        outcome.http_status.into_value(),
        text(&outcome.detail),
        outcome.content.map(|content| content.word()).into_value(),
        big(outcome.bytes),
        outcome.next_attempt_at.map(Timestamp::micros).into_value(),
        text(&outcome.worker),
        text(&outcome.requested_by),
        outcome.stages.and_then(Stages::packed).into_value(),
    ]
}

/// Converts a row of `outcomes` to an [`Outcome`].
pub(in crate::store) fn outcome(row: &Row) -> Result<Outcome> {
    Ok(Outcome {
        document_id: DocumentId(get(row, "document_id")?),
        account_id: AccountId(get(row, "account_id")?),
        assistant_id: AssistantId(get(row, "assistant_id")?),
        result: word(row, "result", OutcomeResult::parse)?.ok_or_else(|| corrupt("result"))?,
        error_code: word(row, "error_code", ErrorCode::parse)?,
        exception_class: get(row, "exception_class")?,
        duration_ms: optional_number(row, "duration_ms")?,
        at: Timestamp::from_micros(get(row, "at")?),
        seq: Seq(get(row, "seq")?),
        job_id: JobId(get(row, "job_id")?),
        attempt: number(row, "attempt")?,
        queue: code(row, "queue", QueueClass::from_code)?.ok_or_else(|| corrupt("queue"))?,
        url: line(row, "url")?.unwrap_or_default(),
        http_status: optional_number(row, "http_status")?,
        detail: line(row, "detail")?,
        content: word(row, "content", ContentChange::parse)?,
        bytes: optional_number(row, "bytes")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        worker: line(row, "worker")?,
        requested_by: line(row, "requested_by")?,
        stages: get::<Option<i64>>(row, "stages")?.and_then(Stages::unpack),
        name: line(row, "name")?.unwrap_or_default(),
    })
}
