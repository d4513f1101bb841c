//! Purging: drops the jobs of class `auto` that have not started, and records an outcome for each.

use crate::domain::text::SafeLine;
use crate::store::Result;
use crate::store::queue::apply::{TransitionData, apply};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;

/// Maximum number of jobs per transaction.
const CHUNK_SIZE: i64 = 250;

pub(in crate::store) async fn purgeable(db: &Database) -> Result<u64> {
    let mut reader = db.reader().await?;
    let count = query("SELECT count(*) FROM @jobs WHERE state IN ('scheduled', 'ready') AND class = 2");
    let count: i64 = get(&reader.one(count).await?, 0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

pub(in crate::store) async fn purge(db: &Database, by: &SafeLine) -> Result<u64> {
    db.ensure_writable()?;
    // Jobs that are added meanwhile stay, so that a purge always ends.
    let newest: Option<i64> = {
        let mut reader = db.reader().await?;
        get(&reader.one(query("SELECT max(id) FROM @jobs")).await?, 0)?
    };
    let Some(newest) = newest else { return Ok(0) };
    let mut purged = 0;
    loop {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        let some = match tx.dialect() {
            Dialect::Sqlite => {
                query("SELECT * FROM @jobs WHERE state IN ('scheduled', 'ready') AND class = 2 AND id <= ? LIMIT ?")
            }
            // The ends of attempts lock jobs in the same order, by document.
            Dialect::Postgres => query(
                "SELECT * FROM @jobs WHERE id IN (SELECT id FROM @jobs WHERE state IN ('scheduled', 'ready') \
                 AND class = 2 AND id <= ? LIMIT ?) AND state IN ('scheduled', 'ready') AND class = 2 \
                 ORDER BY document_id FOR UPDATE",
            ),
        };
        let jobs = jobs::select(&mut tx, some.bind(newest).bind(CHUNK_SIZE)).await?;
        if jobs.is_empty() {
            return Ok(purged);
        }
        let ids: Vec<_> = jobs.iter().map(|row| row.job.document_id).collect();
        let documents = documents::by_ids(&mut tx, &ids).await?;
        for row in &jobs {
            let to = row.job.purged(by, tx.now);
            apply(&mut tx, row, documents.get(&row.job.document_id), &to, TransitionData::default()).await?;
        }
        purged += jobs.len() as u64;
        tx.commit().await?;
        db.yield_to_writers().await;
    }
}
