//! Which documents of an account are due, the first `limit` of them. Every branch walks an index that Chatwoot's table
//! has, too, and stops at its limit, so a pass costs what it finds and not what is stored.

use super::Result;
use super::conn::{Reader, get};
use super::dialect::Dialect;
use super::sql::{Sql, query};
use crate::domain::id::{AccountId, DocumentId};
use crate::domain::plan::Cadence;
use crate::domain::schedule::{DOUBLINGS, LEFT_TO_OTHERS, Rules};
use crate::domain::time::Timestamp;
use std::time::Duration;

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) account: AccountId,
    pub(super) cadence: Cadence,
    pub(super) rules: Rules,
    /// A `syncing` row without a job of ours is somebody else's for so long.
    pub(super) left_to_others: Duration,
    pub(super) now: Timestamp,
    pub(super) limit: u32,
}

/// A document that is due: never attempted first, then the oldest attempt (upstream.md 5.3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    attempted: Option<i64>,
    pub(super) id: DocumentId,
    pub(super) link: String,
}

/// The documents, those first that wait longest for an attempt.
pub(super) async fn documents(reader: &mut Reader, look: Look) -> Result<Vec<Due>> {
    let mut found = match look.rules {
        Rules::Chatwoot => read(reader, chatwoots(reader.dialect(), look)).await?,
        Rules::Continuous => {
            let mut found = Vec::new();
            for assistant in assistants(reader, look.account).await? {
                found.extend(read(reader, continuous(reader.dialect(), look, assistant)).await?);
            }
            found
        }
    };
    found.sort_unstable();
    found.truncate(usize::try_from(look.limit).unwrap_or(usize::MAX));
    Ok(found)
}

async fn read(reader: &mut Reader, sql: Sql) -> Result<Vec<Due>> {
    let due = |row| {
        Ok(Due { attempted: get(row, "attempted")?, id: DocumentId(get(row, "id")?), link: get(row, "external_link")? })
    };
    reader.all(sql.query()).await?.iter().map(due).collect()
}

/// The assistants of an account: as the accounts, one look into the index for each.
async fn assistants(reader: &mut Reader, account: AccountId) -> Result<Vec<i64>> {
    let statement = query(
        "WITH RECURSIVE found(id) AS (SELECT min(assistant_id) FROM captain_documents WHERE account_id = ?1 UNION ALL \
         SELECT (SELECT min(assistant_id) FROM captain_documents WHERE account_id = ?1 AND assistant_id > found.id) \
         FROM found WHERE found.id IS NOT NULL) SELECT id FROM found WHERE id IS NOT NULL",
    );
    reader.all(statement.bind(account.0)).await?.iter().map(|row| get(row, 0)).collect()
}

/// What is not to be looked at: PDFs by upstream's test of the link (case counts), what is not available.
const fn fit(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            " AND d.status = 1 AND d.external_link NOT GLOB 'PDF:*' AND d.external_link NOT GLOB '*.pdf'"
        }
        Dialect::Postgres => {
            " AND d.status = 1 AND d.external_link NOT LIKE 'PDF:%' AND d.external_link NOT LIKE '%.pdf'"
        }
    }
}

/// What has no job, and no link that is no page's address and was said to be so. Written so that each row is looked up
/// by itself: a join is planned once, when there are no jobs yet, and would go through all of them when there are many.
const FREE: &str = " AND (SELECT l.id FROM @jobs l WHERE l.document_id = d.id \
     AND l.state IN ('scheduled', 'ready', 'running') LIMIT 1) IS NULL \
     AND coalesce((SELECT u.unfit_link FROM @document_state u WHERE u.document_id = d.id), '') <> d.external_link";
const COLUMNS: &str =
    "SELECT d.id AS id, micros(d.last_sync_attempted_at) AS attempted, d.external_link FROM captain_documents d";

/// Upstream's own query.
fn chatwoots(dialect: Dialect, look: Look) -> Sql {
    let before = look.rules.synced_before(look.cadence, look.now).micros();
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE d.account_id = ").bind(look.account.0);
    sql.push(" AND ((d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 2 AND d.last_sync_attempted_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 0 AND d.last_sync_attempted_at < stamp(");
    sql.bind(look.now.minus(LEFT_TO_OTHERS).micros()).push(")))").push(fit(dialect)).push(FREE);
    sql.push(" ORDER BY d.last_sync_attempted_at ASC NULLS FIRST, d.id LIMIT ").bind(i64::from(look.limit));
    sql
}

/// Ours, one branch for each state of the row.
fn continuous(dialect: Dialect, look: Look, assistant: i64) -> Sql {
    let (now, (first, farthest)) = (look.now, look.rules.distances(look.cadence));
    let mut sql = Sql::new("");
    let mut branch = |condition: &dyn Fn(&mut Sql), name: &'static str| {
        if sql.values() > 0 {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT id, attempted, external_link FROM (").push(COLUMNS);
        if name == "failed" {
            sql.push(" LEFT JOIN @document_state s ON s.document_id = d.id");
        }
        sql.push(" WHERE d.account_id = ").bind(look.account.0);
        sql.push(" AND d.assistant_id = ").bind(assistant);
        condition(&mut sql);
        sql.push(fit(dialect)).push(FREE).push(" ORDER BY d.last_synced_at LIMIT ");
        sql.bind(i64::from(look.limit)).push(") AS ").push(name);
    };
    branch(
        &|sql| {
            let before = look.rules.synced_before(look.cadence, now).micros();
            sql.push(" AND d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before).push(")");
        },
        "synced",
    );
    // Synced at a time that nobody knows.
    branch(
        &|sql| {
            sql.push(" AND d.sync_status = 1 AND d.last_synced_at IS NULL");
        },
        "timeless",
    );
    branch(
        &|sql| {
            sql.push(" AND d.sync_status IS NULL");
        },
        "never",
    );
    branch(
        &|sql| {
            let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            let most = i64::from(DOUBLINGS);
            sql.push(
                " AND d.sync_status = 2 AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(",
            );
            sql.bind(now.minus(farthest).micros()).push(") OR micros(d.last_sync_attempted_at) < ");
            sql.bind(now.micros()).push(" - ").bind(micros(first));
            sql.push(" * (CAST(1 AS BIGINT) << CAST(CASE WHEN s.failures > ").bind(most).push(" THEN ").bind(most);
            sql.push(" WHEN s.failures > 0 THEN s.failures - 1 ELSE 0 END AS INTEGER)))");
        },
        "failed",
    );
    branch(
        &|sql| {
            let before = now.minus(look.left_to_others).micros();
            sql.push(
                " AND d.sync_status = 0 AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(",
            );
            sql.bind(before).push("))");
        },
        "syncing",
    );
    sql
}
