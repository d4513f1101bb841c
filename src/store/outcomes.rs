//! The append-only log of outcomes: written with dense numbers, read by number.

use super::conn::{Row, code, corrupt, get, line, number, small, time, word};
use super::filter_sql::push_outcomes;
use super::sql::{Sql, query};
use super::sql_store::SqlStore;
use super::tx::{NewOutcome, Tx};
use super::{OutcomeQuery, OutcomesFrom, Result};
use crate::domain::content::ContentChange;
use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::job::QueueClass;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

/// Writes an outcome that has its number.
pub(super) async fn insert(tx: &mut Tx<'_>, new: &NewOutcome) -> Result<()> {
    let outcome = &new.outcome;
    let text = |line: &Option<SafeLine>| line.as_ref().map(|line| line.as_str().to_owned());
    let big = |number: Option<u64>| number.map(|number| i64::try_from(number).unwrap_or(i64::MAX));
    let statement = query(
        "INSERT INTO @outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, \
         token, queue, result, error_code, exception_class, duration_ms, http_status, detail, content, bytes, \
         next_attempt_at, worker, requested_by) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    let statement = statement
        .bind(outcome.seq.0)
        .bind(outcome.at.micros())
        .bind(outcome.document_id.0)
        .bind(outcome.account_id.0)
        .bind(outcome.assistant_id.0)
        .bind(outcome.name.as_str())
        .bind(outcome.url.as_str())
        .bind(&new.host)
        .bind(outcome.job_id.0)
        .bind(outcome.attempt)
        .bind(new.token)
        .bind(outcome.queue.code())
        .bind(outcome.result.word())
        .bind(outcome.error_code.map(|code| code.word()))
        .bind(&outcome.exception_class)
        .bind(big(outcome.duration_ms))
        .bind(outcome.http_status)
        .bind(text(&outcome.detail))
        .bind(outcome.content.map(|content| content.word()))
        .bind(big(outcome.bytes))
        .bind(outcome.next_attempt_at.map(Timestamp::micros))
        .bind(text(&outcome.worker))
        .bind(text(&outcome.requested_by));
    tx.run(statement).await?;
    Ok(())
}

/// A row of `outcomes`.
pub(super) fn outcome(row: &Row) -> Result<Outcome> {
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
    pub(super) async fn read_outcomes(&self, asked: &OutcomeQuery) -> Result<Vec<Outcome>> {
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

    pub(super) async fn read_last_seq(&self) -> Result<Seq> {
        let mut reader = self.reader().await?;
        Ok(Seq(get(&reader.one(query("SELECT last FROM @outcome_seq WHERE id = 1")).await?, 0)?))
    }
}
