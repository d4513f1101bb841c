//! Rows of `sinks`: registration and state of the receivers of notifications. The rows that wait for them are in
//! `outbox`, under the subscriber `notify:NAME`; those that were given up with the ending [`DEAD_SUFFIX`].

use crate::domain::id::{OutboxId, Seq};
use crate::domain::notification::{MAX_BATCH, SinkName, SinkStatus, SinkSubscriber, Trigger, batch};
use crate::domain::outbox::{DEAD_SUFFIX, Subscriber};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::sinks::SinkRegistration;
use crate::store::sql::columns::{line, number, time};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Maximum number of records that are joined in one transaction.
const MAX_JOINED: i64 = 2_000;

pub(in crate::store) async fn register(db: &Database, sinks: &[SinkRegistration]) -> Result<()> {
    let known = query("SELECT name, kind, triggers FROM @sinks");
    let rows = db.reader().await?.all(known).await?;
    let row = |row: &Row| Ok((get::<String>(row, "name")?, (get(row, "kind")?, get(row, "triggers")?)));
    let known: BTreeMap<String, (String, String)> = rows.iter().map(row).collect::<Result<_>>()?;
    let differs = |sink: &&SinkRegistration| {
        known.get(sink.name.as_str()) != Some(&(sink.kind.word().to_owned(), sink.trigger.to_stored()))
    };
    let changed: Vec<_> = sinks.iter().filter(differs).collect();
    if !changed.is_empty() {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        for sink in changed {
            let write = query(
                "INSERT INTO @sinks (name, kind, triggers, registered_at) VALUES (?1, ?2, ?3, ?4) \
                 ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, triggers = excluded.triggers",
            );
            let write = write.bind(sink.name.as_str()).bind(sink.kind.word()).bind(sink.trigger.to_stored());
            tx.run(write.bind(tx.now.micros())).await?;
        }
        tx.commit().await?;
    }
    refresh(db).await
}

pub(in crate::store) async fn refresh(db: &Database) -> Result<()> {
    let mut named = Vec::new();
    for (name, trigger) in enabled(db).await? {
        let subscriber = Arc::new(SinkSubscriber::new(name, trigger));
        named.push(subscriber.name().to_owned());
        db.subscribe(subscriber);
    }
    db.unsubscribe_if(|name| SinkName::of_subscriber(name).is_some() && !named.iter().any(|known| known == name));
    Ok(())
}

/// Returns the sinks that are notified, with their triggers. A trigger of a newer program is left to that one.
pub(in crate::store) async fn enabled(db: &Database) -> Result<Vec<(SinkName, Trigger)>> {
    let enabled = query("SELECT name, triggers FROM @sinks WHERE disabled_at IS NULL ORDER BY name");
    let rows = db.reader().await?.all(enabled).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let name = SinkName::new(get(row, "name")?);
        found.extend(name.zip(Trigger::from_stored(get(row, "triggers")?)));
    }
    Ok(found)
}

pub(in crate::store) async fn status(db: &Database) -> Result<Vec<SinkStatus>> {
    let sinks = query(
        "SELECT k.name, k.kind, k.triggers, k.disabled_at, k.disabled_reason, k.delivered_at, k.delivered, \
         (SELECT count(*) FROM @outbox o WHERE o.subscriber = 'notify:' || k.name) AS pending, \
         (SELECT min(o.created_at) FROM @outbox o WHERE o.subscriber = 'notify:' || k.name) AS oldest_at, \
         (SELECT count(*) FROM @outbox o WHERE o.subscriber = 'notify:' || k.name || ?1) AS dead, \
         (SELECT o.last_error FROM @outbox o WHERE o.subscriber IN ('notify:' || k.name, 'notify:' || k.name || ?1) \
         AND o.last_error IS NOT NULL ORDER BY o.tried_at DESC, o.id DESC LIMIT 1) AS last_error \
         FROM @sinks k ORDER BY k.name",
    );
    let rows = db.reader().await?.all(sinks.bind(DEAD_SUFFIX)).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(name) = SinkName::new(get(row, "name")?) else { continue };
        let trigger = Trigger::from_stored(get(row, "triggers")?);
        let reason = line(row, "disabled_reason")?.unwrap_or_default();
        found.push(SinkStatus {
            name,
            kind: line(row, "kind")?.unwrap_or_default(),
            on: trigger.map(|trigger| trigger.alternatives()).unwrap_or_default(),
            disabled: time(row, "disabled_at")?.map(|at| (at, reason)),
            delivered_at: time(row, "delivered_at")?,
            delivered: number(row, "delivered")?,
            pending: number(row, "pending")?,
            oldest_at: time(row, "oldest_at")?,
            dead: number(row, "dead")?,
            last_error: line(row, "last_error")?,
        });
    }
    Ok(found)
}

pub(in crate::store) async fn disable(db: &Database, subscriber: &str, reason: &SafeLine) -> Result<()> {
    let Some(name) = SinkName::of_subscriber(subscriber) else { return Ok(()) };
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let disable = query("UPDATE @sinks SET disabled_at = ?2, disabled_reason = ?3 WHERE name = ?1");
    tx.run(disable.bind(name.as_str()).bind(tx.now.micros()).bind(reason.as_str())).await?;
    // Nobody knows when they are delivered, so no outcome is kept for them.
    tx.run(query("UPDATE @outbox SET outcome_seq = NULL WHERE subscriber = ?").bind(subscriber)).await?;
    tx.commit().await?;
    refresh(db).await
}

pub(in crate::store) async fn retry(db: &Database, name: &SinkName) -> Result<Option<u64>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let enable = query("UPDATE @sinks SET disabled_at = NULL, disabled_reason = NULL, quiet_until = 0 WHERE name = ?");
    if tx.run(enable.bind(name.as_str())).await? == 0 {
        return Ok(None);
    }
    let subscriber = name.subscriber();
    // One attempt stays counted: records that were joined have at least one.
    let due = query(
        "UPDATE @outbox SET subscriber = ?1, next_at = ?3, tried_at = NULL, attempts = CASE WHEN attempts > 0 THEN 1 ELSE 0 END \
         WHERE subscriber IN (?1, ?2)",
    );
    let due = due.bind(&subscriber).bind(format!("{subscriber}{DEAD_SUFFIX}")).bind(tx.now.micros());
    let records = tx.run(due).await?;
    tx.commit().await?;
    refresh(db).await?;
    Ok(Some(records))
}

pub(in crate::store) async fn forget(db: &Database, name: &SinkName, registration: bool) -> Result<Option<u64>> {
    let subscriber = name.subscriber();
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let waiting = query("DELETE FROM @outbox WHERE subscriber IN (?1, ?2)").bind(&subscriber);
    let records = tx.run(waiting.bind(format!("{subscriber}{DEAD_SUFFIX}"))).await?;
    let known = match registration {
        true => {
            tx.run(query("DELETE FROM @sink_conditions WHERE sink = ?").bind(name.as_str())).await?;
            tx.run(query("DELETE FROM @sinks WHERE name = ?").bind(name.as_str())).await? > 0
        }
        false => tx.first(query("SELECT 1 FROM @sinks WHERE name = ?").bind(name.as_str())).await?.is_some(),
    };
    tx.commit().await?;
    refresh(db).await?;
    Ok((known || records > 0).then_some(records))
}

/// A record that waits.
struct Waiting {
    id: i64,
    payload: String,
    created_at: i64,
    outcome: Option<Seq>,
}

pub(in crate::store) async fn join(db: &Database, name: &SinkName, quiet: Duration) -> Result<()> {
    let subscriber = name.subscriber();
    let any = query("SELECT 1 FROM @outbox WHERE subscriber = ? AND attempts = 0 LIMIT 1");
    if db.reader().await?.first(any.bind(&subscriber)).await?.is_none() {
        return Ok(());
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    // A time further in the future was written before a clock was set back. The row's lock keeps others from joining.
    let take = query(
        "UPDATE @sinks SET quiet_until = ?3 WHERE name = ?1 AND disabled_at IS NULL \
         AND (quiet_until <= ?2 OR quiet_until > ?3)",
    );
    let until = tx.now.plus(quiet).micros();
    if tx.run_quietly(take.bind(name.as_str()).bind(tx.now.micros()).bind(until)).await? == 0 {
        return Ok(());
    }
    let waiting = query(
        "SELECT id, payload, created_at, outcome_seq FROM @outbox WHERE subscriber = ? AND attempts = 0 ORDER BY id LIMIT ?",
    );
    let rows = tx.all(waiting.bind(&subscriber).bind(MAX_JOINED)).await?;
    let waiting = |row: &Row| {
        let outcome = get::<Option<i64>>(row, "outcome_seq")?.map(Seq);
        Ok(Waiting { id: get(row, "id")?, payload: get(row, "payload")?, created_at: get(row, "created_at")?, outcome })
    };
    let waiting: Vec<Waiting> = rows.iter().map(waiting).collect::<Result<_>>()?;
    for some in waiting.chunks(MAX_BATCH) {
        join_some(&mut tx, name, some).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Replaces records by one that has them all. From then on what it consists of is fixed, so that each delivery of it is
/// the same. It counts as tried once, which marks it as one that need not wait.
async fn join_some(tx: &mut Tx<'_>, name: &SinkName, some: &[Waiting]) -> Result<()> {
    if let [one] = some {
        tx.run(query("UPDATE @outbox SET attempts = 1 WHERE id = ?").bind(one.id)).await?;
        return Ok(());
    }
    let records: Vec<String> = some.iter().map(|waiting| waiting.payload.clone()).collect();
    let created_at = some.iter().map(|waiting| waiting.created_at).min().unwrap_or(tx.now.micros());
    let outcome = some.iter().filter_map(|waiting| waiting.outcome).min();
    let mut gone = Sql::new("DELETE FROM @outbox WHERE id IN ");
    gone.bind_list(some.iter().map(|waiting| waiting.id));
    tx.run(gone.query()).await?;
    let joined = query(
        "INSERT INTO @outbox (subscriber, key, payload, created_at, attempts, next_at, outcome_seq) \
         VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6)",
    );
    let key = uuid::Uuid::new_v4().simple().to_string();
    let joined = joined.bind(name.subscriber()).bind(&key).bind(batch(&key, &records, name, tx.now));
    tx.run(joined.bind(created_at).bind(tx.now.micros()).bind(outcome.map(|seq| seq.0))).await?;
    Ok(())
}

/// Stores that a message was delivered at `now`, if it is for a sink. Call it before the row is removed.
pub(in crate::store) async fn note_delivery(tx: &mut Tx<'_>, message: OutboxId, now: Timestamp) -> Result<()> {
    let note = query(
        "UPDATE @sinks SET delivered_at = ?2, delivered = delivered + 1 \
         WHERE 'notify:' || name = (SELECT subscriber FROM @outbox WHERE id = ?1)",
    );
    tx.run_quietly(note.bind(message.0).bind(now.micros())).await?;
    Ok(())
}
