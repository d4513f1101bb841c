//! The append-only log of outcomes: written with dense numbers, read by number.

use crate::domain::content::ContentChange;
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::job::QueueClass;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::conn::{Row, code, corrupt, get, line, number, small, time, word};
use crate::store::sql::filter::push_outcomes;
use crate::store::sql::statement::{IntoValue, Sql, Value, query};
use crate::store::sql::transaction::{NewOutcome, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{OutcomeQuery, OutcomesFrom, Result};

/// Writes outcomes that have their numbers.
pub(in crate::store) async fn insert(tx: &mut Tx<'_>, new: &[NewOutcome]) -> Result<()> {
    for some in new.chunks(tx.rows_at_once()) {
        let mut sql = Sql::new(
            "INSERT INTO @outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, \
             token, queue, result, error_code, exception_class, duration_ms, http_status, detail, content, bytes, \
             next_attempt_at, worker, requested_by) VALUES ",
        );
        for (place, new) in some.iter().enumerate() {
            if place > 0 {
                sql.push(", ");
            }
            sql.bind_list(values(new));
        }
        tx.run(sql.query()).await?;
    }
    Ok(())
}

fn values(new: &NewOutcome) -> [Value; 23] {
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
    ]
}

/// A row of `outcomes`.
pub(in crate::store) fn outcome(row: &Row) -> Result<Outcome> {
    Ok(Outcome {
        document_id: DocumentId(get(row, "document_id")?),
        account_id: AccountId(get(row, "account_id")?),
        assistant_id: AssistantId(get(row, "assistant_id")?),
        result: word(row, "result", OutcomeResult::parse)?.ok_or_else(|| corrupt("result"))?,
        error_code: word(row, "error_code", ErrorCode::parse)?,
        exception_class: get(row, "exception_class")?,
        duration_ms: small(row, "duration_ms")?,
        at: Timestamp::from_micros(get(row, "at")?),
        seq: Seq(get(row, "seq")?),
        job_id: JobId(get(row, "job_id")?),
        attempt: number(row, "attempt")?,
        queue: code(row, "queue", QueueClass::from_code)?.ok_or_else(|| corrupt("queue"))?,
        url: line(row, "url")?.unwrap_or_default(),
        http_status: small(row, "http_status")?,
        detail: line(row, "detail")?,
        content: word(row, "content", ContentChange::parse)?,
        bytes: small(row, "bytes")?,
        next_attempt_at: time(row, "next_attempt_at")?,
        worker: line(row, "worker")?,
        requested_by: line(row, "requested_by")?,
        name: line(row, "name")?.unwrap_or_default(),
    })
}

impl SqlStore {
    pub(in crate::store) async fn read_outcomes(&self, asked: &OutcomeQuery) -> Result<Vec<Outcome>> {
        let mut sql = Sql::new("SELECT o.* FROM @outcomes o");
        push_outcomes(&mut sql, &asked.filter, self.clock.now())?;
        if let Some(document) = asked.document {
            sql.push(" AND o.document_id = ").bind(document.0);
        }
        let oldest_first = match asked.from {
            OutcomesFrom::After(seq) => {
                sql.push(" AND o.seq > ").bind(seq.0);
                true
            }
            OutcomesFrom::Before(seq) => {
                sql.push(" AND o.seq < ").bind(seq.0);
                false
            }
            OutcomesFrom::Newest => false,
        };
        sql.push(if oldest_first { " ORDER BY o.seq" } else { " ORDER BY o.seq DESC" });
        sql.push(" LIMIT ").bind(i64::try_from(asked.limit).unwrap_or(i64::MAX));
        let mut reader = self.reader().await?;
        let rows = reader.all(sql.query()).await?;
        let mut outcomes: Vec<_> = rows.iter().map(outcome).collect::<Result<_>>()?;
        if !oldest_first {
            outcomes.reverse();
        }
        Ok(outcomes)
    }

    pub(in crate::store) async fn read_last_seq(&self) -> Result<Seq> {
        let mut reader = self.reader().await?;
        Ok(Seq(get(&reader.one(query("SELECT last FROM @outcome_seq WHERE id = 1")).await?, 0)?))
    }
}
