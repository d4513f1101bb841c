//! Reads of the log of outcomes, by number and by filter.

use crate::domain::cursor::{Epoch, History};
use crate::domain::id::Seq;
use crate::domain::lock::StoreId;
use crate::domain::outcome::Outcome;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::filter::push_outcomes;
use crate::store::sql::reader::Reader;
use crate::store::sql::rows::outcomes::{columns, outcome};
use crate::store::sql::statement::{Sql, query};
use crate::store::{OutcomeQuery, OutcomesFrom, Result};

/// The outcomes of the document `?1`. If all of them were removed because they are old, that is the newest of them.
const OUTCOMES_OF_DOCUMENT: &str = concat!(
    "(SELECT ",
    columns!(),
    " FROM @outcomes WHERE document_id = ?1 UNION ALL SELECT ",
    columns!(),
    " FROM @last_outcomes WHERE document_id = ?1 AND NOT EXISTS (SELECT 1 FROM @outcomes WHERE document_id = ?1)) o"
);

pub(in crate::store) async fn outcomes(db: &Database, request: &OutcomeQuery) -> Result<Vec<Outcome>> {
    let mut sql = Sql::new("SELECT o.* FROM ");
    match request.document {
        None => sql.push("@outcomes o"),
        Some(document) => sql.add_value(document.0).push(OUTCOMES_OF_DOCUMENT),
    };
    push_outcomes(&mut sql, &request.filter, db.now())?;
    let oldest_first = match request.from {
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
    sql.push(" LIMIT ").bind(i64::try_from(request.limit).unwrap_or(i64::MAX));
    let mut reader = db.reader().await?;
    let rows = reader.all(sql.query()).await?;
    let mut outcomes: Vec<_> = rows.iter().map(outcome).collect::<Result<_>>()?;
    if !oldest_first {
        outcomes.reverse();
    }
    Ok(outcomes)
}

pub(in crate::store) async fn last_seq(db: &Database) -> Result<Seq> {
    let mut reader = db.reader().await?;
    Ok(Seq(get(&reader.one(query("SELECT last FROM @outcome_seq WHERE id = 1")).await?, 0)?))
}

/// The epoch on SQLite, where whoever restores a backup sets it.
const SQLITE_EPOCH: &str = "SELECT i.uuid, i.epoch AS epoch, q.last, \
     coalesce((SELECT min(seq) FROM @outcomes), q.last + 1) AS first FROM @store_identity i, @outcome_seq q";
/// The epoch on PostgreSQL. Its tools restore a backup into a new table of outcomes, which has another identity.
const POSTGRES_EPOCH: &str = "SELECT i.uuid, i.epoch + CASE WHEN i.made_as = t.oid THEN 0 ELSE t.oid END AS epoch, q.last, \
     coalesce((SELECT min(seq) FROM @outcomes), q.last + 1) AS first FROM @store_identity i, @outcome_seq q, \
     (SELECT CAST(CAST(CAST('quarterdeck.outcomes' AS regclass) AS oid) AS bigint) AS oid) t";

pub(in crate::store) async fn history(db: &Database) -> Result<History> {
    history_of(&mut db.reader().await?).await
}

pub(in crate::store) async fn history_of(reader: &mut Reader) -> Result<History> {
    let statement = if reader.dialect() == Dialect::Sqlite { SQLITE_EPOCH } else { POSTGRES_EPOCH };
    let row = reader.one(query(statement)).await?;
    Ok(History {
        store: StoreId(get(&row, "uuid")?),
        epoch: Epoch(get(&row, "epoch")?),
        last: Seq(get(&row, "last")?),
        first: Seq(get(&row, "first")?),
    })
}
