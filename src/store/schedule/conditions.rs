//! Conditions of sinks: states that begin and end with time. They are compared with those of which each sink was notified,
//! by one process at a time, under the lease of the schedule's passes.

use crate::domain::notification::{ActiveCondition, Condition, ConditionPhase, SinkName, Trigger, condition_record};
use crate::domain::outbox::OutboxMessage;
use crate::domain::text::SafeLine;
use crate::domain::time::{Timestamp, age};
use crate::store::Result;
use crate::store::schedule::pass::{acquire_lease, release_lease};
use crate::store::sinks;
use crate::store::sql::calendar::calendar;
use crate::store::sql::columns::line;
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::rows::outbox::insert_message;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use std::collections::BTreeSet;
use std::time::Duration;

/// Maximum number of hosts whose back-offs are reported at a time.
const MAX_HOSTS: i64 = 1_000;

/// Maximum number of failing sources that are reported at a time.
const MAX_SOURCES: i64 = 1_000;

/// Time after a cool-down in which a host that has not answered since still counts as cooling down: the attempts between
/// two cool-downs are no recovery.
const UNANSWERED: Duration = Duration::from_secs(15 * 60);

/// Change of a condition, for one sink.
struct Change<'a> {
    sink: &'a SinkName,
    condition: ActiveCondition,
    phase: ConditionPhase,
}

pub(in crate::store) async fn check(db: &Database, holder: &str) -> Result<u64> {
    let sinks = sinks::enabled(db).await?;
    if sinks.iter().all(|(_, trigger)| trigger.conditions().is_empty()) {
        return Ok(0);
    }
    let now = db.now();
    let (active, known) = {
        let mut reader = db.reader().await?;
        (active(&mut reader, &sinks, now).await?, known(&mut reader).await?)
    };
    let changes = changes(&sinks, &active, known);
    if changes.is_empty() {
        return Ok(0);
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if !acquire_lease(&mut tx, holder).await? {
        return Ok(0);
    }
    let mut records = 0;
    for change in &changes {
        records += u64::from(write(&mut tx, change).await?);
    }
    release_lease(&mut tx, holder).await?;
    tx.commit().await?;
    Ok(records)
}

/// Writes a change with its record. Returns false if another process has done so since the rows were read.
async fn write(tx: &mut Tx<'_>, change: &Change<'_>) -> Result<bool> {
    let (sink, of) = (change.sink, &change.condition);
    let row = match change.phase {
        ConditionPhase::Began => query(
            "INSERT INTO @sink_conditions (sink, condition, subject, began_at, detail) VALUES (?1, ?2, ?3, ?4, ?5) \
             ON CONFLICT DO NOTHING",
        ),
        ConditionPhase::Ended => {
            query("DELETE FROM @sink_conditions WHERE sink = ?1 AND condition = ?2 AND subject = ?3")
        }
    };
    let row = row.bind(sink.as_str()).bind(of.condition.to_string()).bind(&of.subject);
    let row = match change.phase {
        ConditionPhase::Began => row.bind(of.since.micros()).bind(of.detail.as_str()),
        ConditionPhase::Ended => row,
    };
    if tx.run(row).await? == 0 {
        return Ok(false);
    }
    let key = uuid::Uuid::new_v4().simple().to_string();
    let message = OutboxMessage { payload: condition_record(&key, of, change.phase, sink, tx.now), key };
    tx.run(insert_message(sink.subscriber(), message, tx.now)).await?;
    Ok(true)
}

fn changes<'a>(
    sinks: &'a [(SinkName, Trigger)],
    active: &[ActiveCondition],
    known: Vec<(String, ActiveCondition)>,
) -> Vec<Change<'a>> {
    let mut changes = Vec::new();
    for (sink, trigger) in sinks {
        let is_own = |of: &&ActiveCondition| trigger.conditions().contains(&of.condition);
        let own: BTreeSet<_> = known
            .iter()
            .filter(|(name, _)| name == sink.as_str())
            .map(|(_, of)| (of.condition.to_string(), of.subject.clone()))
            .collect();
        let is_new = |of: &&ActiveCondition| !own.contains(&(of.condition.to_string(), of.subject.clone()));
        let began = active.iter().filter(is_own).filter(is_new).cloned();
        changes.extend(began.map(|condition| Change { sink, condition, phase: ConditionPhase::Began }));
        let has_ended =
            |of: &ActiveCondition| !active.iter().any(|now| now.condition == of.condition && now.subject == of.subject);
        let ended = known.iter().filter(|(name, of)| name == sink.as_str() && has_ended(of));
        changes.extend(ended.map(|(_, condition)| Change {
            sink,
            condition: condition.clone(),
            phase: ConditionPhase::Ended,
        }));
    }
    changes
}

/// Returns the conditions of which sinks were notified and that had not ended, with the names of the sinks.
async fn known(reader: &mut Reader) -> Result<Vec<(String, ActiveCondition)>> {
    let rows = reader.all(query("SELECT sink, condition, subject, began_at, detail FROM @sink_conditions")).await?;
    let mut known = Vec::with_capacity(rows.len());
    for row in &rows {
        // A condition of a newer program is left to that one.
        let trigger = Trigger::parse([get::<&str>(row, "condition")?]).ok();
        let Some(condition) = trigger.and_then(|trigger| trigger.conditions().first().copied()) else { continue };
        let condition = ActiveCondition {
            condition,
            subject: get(row, "subject")?,
            detail: line(row, "detail")?.unwrap_or_default(),
            since: Timestamp::from_micros(get(row, "began_at")?),
        };
        known.push((get(row, "sink")?, condition));
    }
    Ok(known)
}

/// Returns the conditions of the triggers that hold at `now`.
async fn active(reader: &mut Reader, sinks: &[(SinkName, Trigger)], now: Timestamp) -> Result<Vec<ActiveCondition>> {
    let mut wanted: Vec<Condition> = Vec::new();
    for condition in sinks.iter().flat_map(|(_, trigger)| trigger.conditions()) {
        if !wanted.contains(condition) {
            wanted.push(*condition);
        }
    }
    let mut active = Vec::new();
    for condition in wanted {
        match condition {
            Condition::Cooling => active.extend(cooling(reader, now).await?),
            Condition::Review(span) => {
                let oldest = "SELECT min(held_at) AS at, count(*) AS n FROM @held_contents \
                              WHERE rejected_at IS NULL AND held_at <= ?";
                let found = oldest_before(reader, oldest, now.minus(span)).await?;
                active.extend(found.map(|(since, number)| {
                    let texts = if number == 1 { "text needs" } else { "texts need" };
                    whole(condition, since, format!("{number} {texts} review, the oldest since {}", ago(now, since)))
                }));
            }
            Condition::SourceFailed(span) => active.extend(failing_sources(reader, condition, now, span).await?),
            Condition::Waiting(span) => {
                let found = waiting(reader, now, span).await?;
                active.extend(found.map(|(since, number)| {
                    let jobs = if number == 1 { "job waits" } else { "jobs wait" };
                    whole(
                        condition,
                        since,
                        format!("{number} {jobs} in the queue, the oldest since {}", ago(now, since)),
                    )
                }));
            }
        }
    }
    Ok(active)
}

fn ago(now: Timestamp, since: Timestamp) -> String {
    format!("{} ({} ago)", since.date_clock_utc(), age(now.since(since)))
}

/// Returns a condition of the whole store.
fn whole(condition: Condition, since: Timestamp, detail: String) -> ActiveCondition {
    ActiveCondition { condition, subject: String::new(), detail: SafeLine::new(&detail), since }
}

/// Returns the time of the oldest row that `statement` selects, and the number of rows; `None` if there is none.
async fn oldest_before(
    reader: &mut Reader,
    statement: &'static str,
    edge: Timestamp,
) -> Result<Option<(Timestamp, i64)>> {
    let row = reader.one(query(statement).bind(edge.micros())).await?;
    let at = get::<Option<i64>>(&row, "at")?.map(Timestamp::from_micros);
    Ok(at.zip(Some(get(&row, "n")?)))
}

/// Returns since when the oldest of the jobs has waited that have been ready for longer than `span`, and their number. A job
/// that waits for the window of its plan is where it should be, and later counts from the opening on.
async fn waiting(reader: &mut Reader, now: Timestamp, span: Duration) -> Result<Option<(Timestamp, i64)>> {
    let ready = query(
        "SELECT min(n.run_at) AS at, count(*) AS n, CASE WHEN n.class > 0 THEN a.at_rule END AS at_rule, \
         CASE WHEN n.class > 0 THEN a.day_window END AS day_window FROM @jobs n \
         LEFT JOIN @accounts_sched a ON a.account_id = n.account_id WHERE n.state = 'ready' AND n.run_at <= ? \
         GROUP BY 3, 4",
    );
    let edge = now.minus(span);
    let mut found: Option<(Timestamp, i64)> = None;
    for row in &reader.all(ready.bind(edge.micros())).await? {
        let ready_at = Timestamp::from_micros(get(row, "at")?);
        let since = calendar(row)?.ready_since(ready_at, now).filter(|since| *since <= edge);
        if let Some(since) = since {
            let number = get::<i64>(row, "n")?;
            found = Some(found.map_or((since, number), |(oldest, before)| (oldest.min(since), before + number)));
        }
    }
    Ok(found)
}

/// Returns the sources whose last read was not complete, of which one since the last complete read was given up or not
/// believed, and which have failed for longer than `span`.
async fn failing_sources(
    reader: &mut Reader,
    condition: Condition,
    now: Timestamp,
    span: Duration,
) -> Result<Vec<ActiveCondition>> {
    let failing = query(
        "SELECT s.name, s.detail, min(r.ended_at) AS since FROM @sources s JOIN @source_reads r ON r.source_id = s.id \
         AND r.result <> 'complete' AND r.read > coalesce((SELECT max(c.read) FROM @source_reads c \
         WHERE c.source_id = s.id AND c.result = 'complete'), 0) WHERE s.result <> 'complete' \
         GROUP BY s.id, s.name, s.detail HAVING max(CASE WHEN r.result IN ('failed', 'refused') THEN 1 ELSE 0 END) = 1 \
         AND min(r.ended_at) <= ?1 ORDER BY s.name LIMIT ?2",
    );
    let rows = reader.all(failing.bind(now.minus(span).micros()).bind(MAX_SOURCES)).await?;
    let source = |row: &Row| {
        let (name, detail) = (get::<String>(row, "name")?, line(row, "detail")?.unwrap_or_default());
        let since = Timestamp::from_micros(get(row, "since")?);
        let detail = SafeLine::new(&format!("source {name}: {detail}; failing since {}", ago(now, since)));
        Ok(ActiveCondition { condition, subject: name, detail, since })
    };
    rows.iter().map(source).collect()
}

async fn cooling(reader: &mut Reader, now: Timestamp) -> Result<Vec<ActiveCondition>> {
    let hosts = query(
        "SELECT host, held_because FROM @hosts_sched WHERE coalesce(held_kind, 'cool_down') = 'cool_down' \
         AND (held_until > ?1 OR cool_downs > 0 AND held_until > ?2) ORDER BY host LIMIT ?3",
    );
    let rows = reader.all(hosts.bind(now.micros()).bind(now.minus(UNANSWERED).micros()).bind(MAX_HOSTS)).await?;
    let host = |row: &Row| {
        let (host, reason) = (get::<String>(row, "host")?, line(row, "held_because")?.unwrap_or_default());
        let detail = SafeLine::new(&format!("{host} is cooling down: {reason}"));
        Ok(ActiveCondition { condition: Condition::Cooling, subject: host, detail, since: now })
    };
    rows.iter().map(host).collect()
}
