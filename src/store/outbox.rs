//! Reads and updates of the outbox (messages that subscribers have not received yet) for relays and `doctor`: due
//! messages, their deliveries, and figures by subscriber. The transaction that records an outcome writes the rows at
//! its commit (`sql::rows::outbox`). A message whose delivery is still to be verified stands under the subscriber's name
//! with [`DELIVERED_SUFFIX`], and is not pending; one that was given up has [`DEAD_SUFFIX`].

use crate::domain::id::OutboxId;
use crate::domain::outbox::{DEAD_SUFFIX, DELIVERED_SUFFIX, PendingDelivery, SubscriberStatus, short_reason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sinks;
use crate::store::sql::columns::{line, number, time};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;

/// Returns due messages whose delivery was begun at least `attempts` times.
pub(in crate::store) async fn due(
    db: &Database,
    subscriber: &str,
    attempts: u32,
    limit: u32,
) -> Result<Vec<PendingDelivery>> {
    let statement = query(
        "SELECT id, key, payload, created_at, attempts, tried_at FROM @outbox o WHERE subscriber = ?1 AND next_at <= ?2 \
         AND attempts >= ?3 AND NOT EXISTS (SELECT 1 FROM @sinks k WHERE k.disabled_at IS NOT NULL \
         AND 'notify:' || k.name = o.subscriber) ORDER BY next_at, id LIMIT ?4",
    );
    let statement = statement.bind(subscriber).bind(db.now().micros()).bind(attempts).bind(limit);
    db.reader().await?.all(statement).await?.iter().map(pending).collect()
}

fn pending(row: &Row) -> Result<PendingDelivery> {
    Ok(PendingDelivery {
        id: OutboxId(get(row, "id")?),
        key: get(row, "key")?,
        payload: get(row, "payload")?,
        created_at: Timestamp::from_micros(get(row, "created_at")?),
        attempts: number(row, "attempts")?,
        tried_at: time(row, "tried_at")?,
    })
}

pub(in crate::store) async fn begin(db: &Database, pending: &PendingDelivery, leased_until: Timestamp) -> Result<bool> {
    // The attempt count serves as the row's version: if two processes read the row, only one begins the delivery.
    let begin = query(
        "UPDATE @outbox SET attempts = attempts + 1, next_at = ?3, tried_at = coalesce(tried_at, ?4) \
         WHERE id = ?1 AND attempts = ?2",
    );
    let begin = begin.bind(pending.id.0).bind(pending.attempts).bind(leased_until.micros());
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let begin = begin.bind(tx.now.micros());
    let begun = tx.run_quietly(begin).await? > 0;
    tx.commit().await?;
    Ok(begun)
}

pub(in crate::store) async fn delivered(db: &Database, id: OutboxId, verify_at: Option<Timestamp>) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let now = tx.now;
    sinks::note_delivery(&mut tx, id, now).await?;
    match verify_at {
        None => tx.run(query("DELETE FROM @outbox WHERE id = ?").bind(id.0)).await?,
        Some(at) => {
            let kept = query("UPDATE @outbox SET subscriber = subscriber || ?2, next_at = ?3 WHERE id = ?1");
            tx.run(kept.bind(id.0).bind(DELIVERED_SUFFIX).bind(at.micros())).await?
        }
    };
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn unverified(
    db: &Database,
    subscriber: &str,
    due_only: bool,
    after: OutboxId,
    limit: u32,
) -> Result<Vec<PendingDelivery>> {
    let statement = query(
        "SELECT id, key, payload, created_at, attempts, tried_at FROM @outbox WHERE subscriber = ?1 AND next_at <= ?2 \
         AND id > ?3 ORDER BY id LIMIT ?4",
    );
    let until = if due_only { db.now().micros() } else { i64::MAX };
    let statement = statement.bind(format!("{subscriber}{DELIVERED_SUFFIX}")).bind(until).bind(after.0).bind(limit);
    db.reader().await?.all(statement).await?.iter().map(pending).collect()
}

pub(in crate::store) async fn verified(db: &Database, ids: &[OutboxId]) -> Result<()> {
    let mut sql = Sql::new("DELETE FROM @outbox WHERE id IN ");
    sql.bind_list(ids.iter().map(|id| id.0));
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.run(sql.query()).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn lost(db: &Database, subscriber: &str, ids: &[OutboxId]) -> Result<()> {
    let mut sql = Sql::new("UPDATE @outbox SET subscriber = ");
    sql.bind(subscriber).push(", next_at = ").bind(db.now().micros());
    sql.push(" WHERE subscriber = ").bind(format!("{subscriber}{DELIVERED_SUFFIX}")).push(" AND id IN ");
    sql.bind_list(ids.iter().map(|id| id.0));
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.run(sql.query()).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn failed(db: &Database, id: OutboxId, reason: &SafeLine, next_at: Timestamp) -> Result<()> {
    let failed = query("UPDATE @outbox SET last_error = ?2, next_at = ?3 WHERE id = ?1");
    let failed = failed.bind(id.0).bind(short_reason(reason).as_str()).bind(next_at.micros());
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    // Publishes no change, since no relay has to wake up because of a failed delivery.
    tx.run_quietly(failed).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn give_up(db: &Database, id: OutboxId, reason: &SafeLine) -> Result<()> {
    // No outcome is kept for it any more.
    let dead =
        query("UPDATE @outbox SET subscriber = subscriber || ?2, last_error = ?3, outcome_seq = NULL WHERE id = ?1");
    let dead = dead.bind(id.0).bind(DEAD_SUFFIX).bind(short_reason(reason).as_str());
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.run_quietly(dead).await?;
    tx.commit().await?;
    Ok(())
}

pub(in crate::store) async fn status(db: &Database) -> Result<Vec<SubscriberStatus>> {
    let statement = query(
        "SELECT o.subscriber, count(*) AS pending, min(o.created_at) AS oldest_at, (SELECT e.last_error \
         FROM @outbox e WHERE e.subscriber = o.subscriber AND e.last_error IS NOT NULL \
         ORDER BY e.next_at DESC, e.id DESC LIMIT 1) AS last_error \
         FROM @outbox o WHERE o.subscriber NOT LIKE ? AND o.subscriber NOT LIKE ? GROUP BY o.subscriber ORDER BY o.subscriber",
    );
    let rows =
        db.reader().await?.all(statement.bind(format!("%{DELIVERED_SUFFIX}")).bind(format!("%{DEAD_SUFFIX}"))).await?;
    rows.iter()
        .map(|row| {
            Ok(SubscriberStatus {
                subscriber: line(row, "subscriber")?.unwrap_or_default(),
                pending: number(row, "pending")?,
                oldest_at: Timestamp::from_micros(get(row, "oldest_at")?),
                last_error: line(row, "last_error")?,
            })
        })
        .collect()
}
