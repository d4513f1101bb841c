//! Back-off state and claim spacing of hosts. A group of finishes reads the state, records what its attempts showed,
//! and writes the state if it changed. A row that is needed for neither is deleted after the host's next attempt.

use crate::domain::host_backoff::{CircuitBreaker, HostSignal};
use crate::domain::id::DocumentId;
use crate::store::Result;
use crate::store::sql::columns::{corrupt, host_backoff, number};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Back-off state of the hosts of a group of finishes, before and after the group's attempts are recorded.
#[derive(Default)]
pub(in crate::store) struct HostRecords {
    current: BTreeMap<String, CircuitBreaker>,
    /// State as it was read. Hosts without a row are missing.
    stored: BTreeMap<String, CircuitBreaker>,
}

impl HostRecords {
    /// Records what an attempt at `document` showed about `host`.
    pub(in crate::store) fn record(&mut self, host: &str, signal: HostSignal, document: DocumentId, tx: &Tx<'_>) {
        if signal != HostSignal::default() && !host.is_empty() {
            self.current.entry(host.to_owned()).or_default().record(signal, document, tx.now);
        }
    }
}

fn host_from_row(row: &Row) -> Result<(String, CircuitBreaker)> {
    let backoff = host_backoff(row, "")?;
    let history: &str = get(row, "notes")?;
    let history = serde_json::from_str(history).map_err(|_| corrupt("notes"))?;
    Ok((get(row, "host")?, CircuitBreaker { backoff, cool_downs: number(row, "cool_downs")?, history }))
}

/// Reads the state of the hosts in `named`. A host's value is true if an attempt showed a failure of the host or the
/// host sent `Retry-After`, which may change the state. On PostgreSQL the rows stay locked until the transaction ends;
/// every process locks them in the same order.
pub(in crate::store) async fn read(tx: &mut Tx<'_>, named: BTreeMap<String, bool>) -> Result<HostRecords> {
    let mut found = HostRecords::default();
    if named.is_empty() {
        return Ok(found);
    }
    tx.ensure_locks()?;
    if tx.dialect() == Dialect::Sqlite || !named.values().any(|affected| *affected) {
        read_hosts(tx, named.into_keys().collect(), &mut found).await?;
        return Ok(found);
    }
    for (host, affected) in named {
        if affected {
            // Inserts a missing row, since only an existing row can be locked.
            let make = query("INSERT INTO @hosts_sched (host) VALUES (?) ON CONFLICT DO NOTHING");
            tx.run(make.bind(&host)).await?;
        }
        read_hosts(tx, vec![host], &mut found).await?;
    }
    Ok(found)
}

async fn read_hosts(tx: &mut Tx<'_>, hosts: Vec<String>, found: &mut HostRecords) -> Result<()> {
    let mut sql = Sql::new(
        "SELECT host, held_until, held_kind, held_because, cool_downs, notes FROM @hosts_sched WHERE host IN ",
    );
    sql.bind_list(hosts);
    if tx.dialect() == Dialect::Postgres {
        sql.push(" ORDER BY host COLLATE bytes FOR UPDATE");
    }
    for row in tx.all(sql.query()).await? {
        let (host, memory) = host_from_row(&row)?;
        found.stored.insert(host.clone(), memory.clone());
        found.current.insert(host, memory);
    }
    Ok(())
}

/// Writes each host's state if it changed, in the order of the hosts' names, and deletes rows that are no longer
/// needed.
pub(in crate::store) async fn write(tx: &mut Tx<'_>, hosts: HostRecords) -> Result<()> {
    for (host, memory) in hosts.current {
        let before = hosts.stored.get(&host);
        if memory.has_no_state(tx.now) {
            if before.is_none() {
                continue;
            }
            let forget =
                query("DELETE FROM @hosts_sched WHERE host = ?1 AND (spaced_until IS NULL OR spaced_until <= ?2)");
            if tx.run(forget.bind(&host).bind(tx.now.micros())).await? > 0 {
                continue;
            }
        }
        if before == Some(&memory) {
            continue;
        }
        let history = serde_json::to_string(&memory.history).map_err(|_| corrupt("notes"))?;
        let write = query(
            "INSERT INTO @hosts_sched AS h (host, held_until, held_kind, held_because, cool_downs, notes) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (host) DO UPDATE SET held_until = excluded.held_until, \
             held_kind = excluded.held_kind, held_because = excluded.held_because, cool_downs = excluded.cool_downs, notes = excluded.notes",
        );
        let backoff = memory.backoff;
        let write = write.bind(&host).bind(backoff.as_ref().map(|backoff| backoff.until.micros()));
        let write =
            write.bind(backoff.as_ref().map(|backoff| backoff.kind.word())).bind(backoff.map(|backoff| backoff.reason));
        tx.run(write.bind(memory.cool_downs).bind(history)).await?;
    }
    Ok(())
}

/// Records that pages of `hosts` are requested now, and that the next requests wait at least `interval`.
pub(in crate::store) async fn write_spacing(
    tx: &mut Tx<'_>,
    hosts: &BTreeSet<String>,
    interval: Duration,
) -> Result<()> {
    let write = query(
        "INSERT INTO @hosts_sched AS h (host, asked_at, spaced_until) VALUES (?1, ?2, ?3) \
         ON CONFLICT (host) DO UPDATE SET asked_at = excluded.asked_at, spaced_until = excluded.spaced_until",
    );
    for host in hosts {
        let write = write.clone().bind(host).bind(tx.now.micros());
        tx.run(write.bind(tx.now.plus(interval).micros())).await?;
    }
    Ok(())
}
