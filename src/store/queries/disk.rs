//! Disk use of a store, for people. Costs the same whatever the size of the store.

use crate::domain::id::Seq;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::number;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{DiskUse, Result};

/// Returns the disk use. The bundled SQLite cannot tell the sizes of tables (it has no `dbstat`).
pub(in crate::store) async fn disk_use(db: &Database) -> Result<DiskUse> {
    let mut reader = db.reader().await?;
    let mut disk = size(&mut reader).await?;
    let outcomes = query(
        "SELECT s.last - r.pruned_up_to AS outcomes, (SELECT o.at FROM @outcomes o WHERE o.seq > r.pruned_up_to \
         ORDER BY o.seq LIMIT 1) AS oldest FROM @retention r JOIN @outcome_seq s ON s.id = 1 WHERE r.id = 1",
    );
    let row = reader.one(outcomes).await?;
    disk.outcomes = number(&row, "outcomes")?;
    disk.oldest_outcome_at = get::<Option<i64>>(&row, "oldest")?.map(Timestamp::from_micros);
    Ok(disk)
}

/// Returns the size, without figures of outcomes.
pub(in crate::store) async fn size(reader: &mut Reader) -> Result<DiskUse> {
    match reader.dialect() {
        Dialect::Sqlite => file(reader).await,
        Dialect::Postgres => schema(reader).await,
    }
}

async fn file(reader: &mut Reader) -> Result<DiskUse> {
    let pages = query(
        "SELECT (SELECT page_count FROM pragma_page_count) AS pages, (SELECT page_size FROM pragma_page_size) AS page, \
         (SELECT freelist_count FROM pragma_freelist_count) AS unused, \
         (SELECT auto_vacuum FROM pragma_auto_vacuum) AS vacuum",
    );
    let row = reader.one(pages).await?;
    let page: u64 = number(&row, "page")?;
    Ok(DiskUse {
        bytes: number::<u64>(&row, "pages")? * page,
        unused: Some(number::<u64>(&row, "unused")? * page),
        shrinks_itself: get::<i64>(&row, "vacuum")? == 2,
        ..DiskUse::default()
    })
}

async fn schema(reader: &mut Reader) -> Result<DiskUse> {
    let sizes = query(
        "SELECT CAST(c.relname AS text) AS name, pg_total_relation_size(c.oid) AS bytes FROM pg_class c \
         WHERE c.relkind = 'r' AND (c.relnamespace = to_regnamespace('quarterdeck') \
         OR c.oid = to_regclass('captain_documents')) ORDER BY 2 DESC",
    );
    let tables: Vec<(String, u64)> = reader.all(sizes).await?.iter().map(table).collect::<Result<_>>()?;
    Ok(DiskUse { bytes: tables.iter().map(|(_, bytes)| bytes).sum(), tables, ..DiskUse::default() })
}

fn table(row: &Row) -> Result<(String, u64)> {
    Ok((get(row, "name")?, number(row, "bytes")?))
}

/// Returns the number of outcomes that are older than `before`: numbers and times grow together, so few rows are read.
pub(in crate::store) async fn outcomes_before(db: &Database, before: Timestamp) -> Result<u64> {
    let mut reader = db.reader().await?;
    let range = query(
        "SELECT r.pruned_up_to AS low, s.last AS high FROM @retention r JOIN @outcome_seq s ON s.id = 1 WHERE r.id = 1",
    );
    let row = reader.one(range).await?;
    let first = Seq(get(&row, "low")?);
    let last = last_before(&mut reader, before, first, Seq(get(&row, "high")?)).await?;
    Ok((last.0 - first.0).unsigned_abs())
}

/// Returns the number of the last outcome before a time, of those after `first` up to `last`; `first` if there is none.
pub(in crate::store) async fn last_before(
    reader: &mut Reader,
    before: Timestamp,
    first: Seq,
    last: Seq,
) -> Result<Seq> {
    let (mut low, mut high) = (first.0, last.0);
    while low < high {
        let middle = low + (high - low) / 2;
        let next = query("SELECT seq, at FROM @outcomes WHERE seq > ? ORDER BY seq LIMIT 1").bind(middle);
        match reader.first(next).await? {
            Some(row) if get::<i64>(&row, "at")? < before.micros() => low = get(&row, "seq")?,
            _ => high = middle,
        }
    }
    Ok(Seq(low))
}
