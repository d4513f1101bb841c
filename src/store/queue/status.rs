//! Upkeep of the stored statuses (`document_status`) and counts: what time alone changes, a check against the documents
//! and jobs, and a repair. Triggers do everything else; on a database of Chatwoot also [passes](super::shadow).

use crate::domain::time::Timestamp;
use crate::store::queue::{shadow, words};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::documents::StatusSource;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Statement, query};
use crate::store::sql::transaction::Tx;
use crate::store::{CheckScope, Result, StatusCheck};
use std::time::Duration;

/// Maximum number of documents per transaction.
const CHUNK_SIZE: i64 = 1_000;
/// Number of rows of differences above the number of counts from which they are summed up.
const SPARE_DIFFERENCES: i64 = 1_000;
/// Maximum time by which Chatwoot's clock may be behind the store's.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Writes the status of documents whose stored status has expired: `syncing` becomes `stuck`, `synced` becomes `stale`.
/// On PostgreSQL also sums up the differences of the counts. Returns the number of documents.
pub(in crate::store) async fn expire(db: &Database) -> Result<u64> {
    db.ensure_writable()?;
    let mut expired = 0;
    loop {
        if !any_expired(&mut db.reader().await?, db.now()).await? {
            break;
        }
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let some = tx.run(expire_some(tx.dialect(), tx.now)).await?;
        tx.commit().await?;
        expired += some;
        if some < CHUNK_SIZE.unsigned_abs() {
            break;
        }
        db.yield_to_writers().await;
    }
    sum_up(db).await?;
    Ok(expired)
}

async fn any_expired(reader: &mut Reader, now: Timestamp) -> Result<bool> {
    let any = query("SELECT EXISTS (SELECT 1 FROM @document_status WHERE status_until < ?)");
    get(&reader.one(any.bind(now.micros())).await?, 0)
}

fn expire_some(dialect: Dialect, now: Timestamp) -> Statement {
    let mut sql = Sql::new(
        "UPDATE @document_status SET status = CASE status WHEN 3 THEN 1 ELSE 5 END, status_until = NULL \
         WHERE document_id IN (SELECT document_id FROM @document_status WHERE status_until < ",
    );
    sql.bind(now.micros()).push(" ORDER BY status_until LIMIT ").bind(CHUNK_SIZE);
    // A row that is locked is being written with a new status.
    sql.push(if dialect == Dialect::Postgres { " FOR UPDATE SKIP LOCKED)" } else { ")" });
    sql.query()
}

/// Replaces the differences of the counts by their sums once there are many. SQLite keeps sums from the start.
async fn sum_up(db: &Database) -> Result<()> {
    let mut reader = db.reader().await?;
    if reader.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let many = query(
        "SELECT (SELECT count(*) > 2 * count(DISTINCT (account_id, status)) + ?1 FROM @document_counts) \
         OR (SELECT count(*) > 2 * count(DISTINCT host) + ?1 FROM @host_counts)",
    );
    if !get::<bool>(&reader.one(many.bind(SPARE_DIFFERENCES)).await?, 0)? {
        return Ok(());
    }
    drop(reader);
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    // One statement each: readers see all differences or their sums.
    for statement in [
        "WITH gone AS (DELETE FROM @document_counts RETURNING *) INSERT INTO @document_counts \
         SELECT account_id, status, sum(documents) FROM gone GROUP BY account_id, status HAVING sum(documents) <> 0",
        "WITH gone AS (DELETE FROM @host_counts RETURNING *) INSERT INTO @host_counts \
         SELECT host, sum(documents), sum(failed) FROM gone GROUP BY host \
         HAVING sum(documents) <> 0 OR sum(failed) <> 0",
    ] {
        tx.run_quietly(query(statement)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Compares stored statuses and words with the documents and jobs; with [`CheckScope::All`] also the counts.
pub(in crate::store) async fn check(db: &Database, scope: CheckScope) -> Result<StatusCheck> {
    let mut checked = StatusCheck::default();
    let now = db.now();
    let mut reader = db.reader().await?;
    reader.enter_snapshot().await?;
    let source = shadow::source(db, &mut reader).await?;
    let compare = match source {
        StatusSource::Stored => compare(scope, now),
        StatusSource::Shadow => compare_shadows(scope, now, shadow::last_pass(&mut reader).await?.unwrap_or(now)),
        // Nobody reads what is stored.
        StatusSource::Computed => {
            reader.leave_snapshot().await?;
            return Ok(checked);
        }
    };
    let row = reader.one(compare).await?;
    (checked.documents, checked.wrong) = (count(get(&row, 0)?), count(get(&row, 1)?));
    if source == StatusSource::Stored {
        checked.wrong_words = words::wrong(&mut reader, scope).await?;
    }
    if scope == CheckScope::All {
        let counts = query(
            "SELECT count(*) FROM (SELECT account_id, status, sum(n) AS difference FROM \
             (SELECT account_id, status, documents AS n FROM @document_counts \
             UNION ALL SELECT account_id, status, -count(*) FROM @document_status GROUP BY account_id, status) q \
             GROUP BY account_id, status) r WHERE difference <> 0",
        );
        let hosts = query(
            "SELECT count(*) FROM (SELECT host, sum(n) AS documents, sum(f) AS failed FROM \
             (SELECT host, documents AS n, failed AS f FROM @host_counts UNION ALL \
             SELECT s.host, -count(*), -count(CASE WHEN d.sync_status = 2 THEN 1 END) FROM @document_state s \
             LEFT JOIN captain_documents d ON d.id = s.document_id GROUP BY s.host) q \
             GROUP BY host) r WHERE documents <> 0 OR failed <> 0",
        );
        let hosts = (source == StatusSource::Stored).then_some(hosts);
        for statement in [Some(counts), hosts].into_iter().flatten() {
            checked.wrong_counts += count(get(&reader.one(statement).await?, 0)?);
        }
    }
    reader.leave_snapshot().await?;
    Ok(checked)
}

/// Condition for a stored row `m` that differs from the facts `f` at the time `?1`.
const DIFFERS: &str = "(m.document_id IS NULL OR \
     CASE WHEN f.status_until < ?1 THEN CASE f.status WHEN 3 THEN 1 ELSE 5 END ELSE f.status END \
     <> CASE WHEN m.status_until < ?1 THEN CASE m.status WHEN 3 THEN 1 ELSE 5 END ELSE m.status END \
     OR f.status_until >= ?1 AND f.status_until IS DISTINCT FROM m.status_until \
     OR f.attempted_at IS DISTINCT FROM m.attempted_at OR f.synced_at IS DISTINCT FROM m.synced_at \
     OR f.next_at IS DISTINCT FROM m.next_at OR f.account_id <> m.account_id OR f.assistant_id <> m.assistant_id)";

/// Selects the number of documents, and of those whose stored row is missing or differs from the facts at the time
/// `now`.
fn compare(scope: CheckScope, now: Timestamp) -> Statement {
    let mut sql = Sql::new("SELECT count(*), count(CASE WHEN ");
    sql.add_value(now.micros()).push(DIFFERS);
    sql.push(" THEN 1 END) FROM @status_facts f LEFT JOIN @document_status m ON m.document_id = f.document_id");
    if let CheckScope::Sample { from, documents } = scope {
        sql.push(" WHERE f.document_id IN (SELECT id FROM captain_documents WHERE id >= ").bind(from.0);
        sql.push(" ORDER BY id LIMIT ").bind(i64::from(documents)).push(")");
    }
    sql.query()
}

/// Like [`compare`], on a database of Chatwoot. What Chatwoot has written since the start of the last pass is not wrong;
/// its times show it.
fn compare_shadows(scope: CheckScope, now: Timestamp, last_pass: Timestamp) -> Statement {
    let mut sql = Sql::new("SELECT count(*), count(CASE WHEN ");
    sql.add_value(now.micros()).push(DIFFERS);
    sql.push(" AND greatest(d.created_at, d.updated_at, d.last_synced_at, d.last_sync_attempted_at) < stamp(");
    sql.bind(last_pass.minus(CLOCK_TOLERANCE).micros());
    sql.push(") THEN 1 END) FROM @shadow_facts(NULL, ");
    match scope {
        CheckScope::All => sql.bind(i64::MIN).push(", ").bind(i64::MAX),
        CheckScope::Sample { from, documents } => {
            sql.bind(from.0).push(", (SELECT max(q.id) FROM (SELECT id FROM captain_documents WHERE id >= ");
            sql.bind(from.0).push(" ORDER BY id LIMIT ").bind(i64::from(documents)).push(") q)")
        }
    };
    sql.push(
        ", NULL) f JOIN captain_documents d ON d.id = f.document_id \
         LEFT JOIN @document_status m ON m.document_id = f.document_id",
    );
    sql.query()
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// Writes all stored statuses and counts anew from the documents and jobs, in one transaction.
pub(in crate::store) async fn rebuild(db: &Database) -> Result<()> {
    if db.is_chatwoot_database() {
        return rebuild_shadows(db).await;
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if tx.dialect() == Dialect::Postgres {
        // Writers that have begun end first; later ones wait, and then see the new rows.
        tx.script("LOCK TABLE quarterdeck.document_status, quarterdeck.host_counts IN SHARE ROW EXCLUSIVE MODE")
            .await?;
    }
    for statement in [
        "DELETE FROM @document_status",
        "DELETE FROM @document_counts",
        // A trigger counts the documents.
        "INSERT INTO @document_status SELECT * FROM @status_facts",
        "DELETE FROM @host_counts",
        "INSERT INTO @host_counts SELECT s.host, count(*), count(CASE WHEN d.sync_status = 2 THEN 1 END) \
         FROM @document_state s LEFT JOIN captain_documents d ON d.id = s.document_id GROUP BY s.host",
    ] {
        tx.run(query(statement)).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Writes all shadow rows and their counts anew, in one transaction that counts as a pass.
async fn rebuild_shadows(db: &Database) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    tx.script(
        "SET LOCAL statement_timeout = 0; LOCK TABLE quarterdeck.document_status IN SHARE ROW EXCLUSIVE MODE; \
         DELETE FROM quarterdeck.document_status; DELETE FROM quarterdeck.document_counts",
    )
    .await?;
    let now = tx.now.micros();
    let write = query("INSERT INTO @document_status SELECT * FROM @shadow_facts(NULL, ?, ?, ?)");
    tx.run(write.bind(i64::MIN).bind(i64::MAX).bind(now)).await?;
    shadow::note_hosts(&mut tx, i64::MIN, i64::MAX).await?;
    tx.run_quietly(
        query("UPDATE @shadow_passes SET read_at = ?, faqs_read_at = NULL, last_answer = NULL WHERE id = 1").bind(now),
    )
    .await?;
    tx.commit().await?;
    Ok(())
}
