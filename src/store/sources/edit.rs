//! Changes of a source's settings.

use super::reads;
use super::rows::{settings, url};
use crate::domain::id::SourceId;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::time;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{Result, SourceEdit, SourceEdited};

/// Number of rows that one statement removes.
const CHUNK: usize = 500;

pub(in crate::store) async fn edit(db: &Database, source: SourceId, edit: &SourceEdit) -> Result<SourceEdited> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let row = query("SELECT url, settings, next_at, requested_by, holder FROM @sources WHERE id = ?");
    let Some(row) = tx.first(row.bind(source.0)).await? else { return Ok(SourceEdited::NoSource) };
    let other = query("SELECT 1 FROM @sources WHERE name = ? AND id <> ?").bind(edit.name.as_str()).bind(source.0);
    if tx.first(other).await?.is_some() {
        return Ok(SourceEdited::NameTaken);
    }
    let before = settings(&row)?;
    let is_same = edit.settings.selects_as(&before) && url(&row)? == edit.url;
    let withdrawn = if is_same { 0 } else { forget(&mut tx, source, edit).await? };
    // The listing is read anew if it may show other pages; so is one whose read is given up or was requested.
    let may_differ = !is_same || edit.settings.new != before.new || edit.settings.limit != before.limit;
    let is_wanted =
        get::<Option<&str>>(&row, "requested_by")?.is_some() || get::<Option<&str>>(&row, "holder")?.is_some();
    let due = time(&row, "next_at")?.filter(|at| *at <= tx.now);
    let next_at = match (reads::next(&edit.settings, tx.now), due) {
        (None, _) if !is_wanted => None,
        (_, Some(due)) => Some(due),
        (Some(_), None) if may_differ => Some(tx.now),
        (next_at, None) => next_at,
    };
    // The number of the read makes a process lose the read that it makes.
    let update = query(
        "UPDATE @sources SET name = ?2, url = ?3, host = ?4, settings = ?5, next_at = ?6, read = read + 1, holder = NULL, \
         held_until = NULL, attempts = 0, losses = 0, pages = CASE WHEN ?7 = 1 OR pages IS NULL THEN pages ELSE \
         (SELECT count(*) FROM @source_pages p WHERE p.source_id = ?1 AND p.missing_since IS NULL) END WHERE id = ?1",
    );
    let update = update.bind(source.0).bind(edit.name.as_str()).bind(edit.url.as_str()).bind(edit.url.host());
    let update = update.bind(edit.settings.to_stored()).bind(next_at.map(Timestamp::micros));
    tx.run(update.bind(i64::from(is_same))).await?;
    tx.commit().await?;
    Ok(SourceEdited::Done { withdrawn })
}

/// Forgets the pages that no longer count, and withdraws the open proposals about them. Returns the number of the latter.
async fn forget(tx: &mut Tx<'_>, source: SourceId, edit: &SourceEdit) -> Result<u64> {
    let counts = |url: &str| edit.settings.lists(edit.url.host(), url);
    let mut keys = Vec::new();
    for row in tx.all(query("SELECT key, url FROM @source_pages WHERE source_id = ?").bind(source.0)).await? {
        if !counts(get(&row, "url")?) {
            keys.push(get::<String>(&row, "key")?);
        }
    }
    for chunk in keys.chunks(CHUNK) {
        let mut sql = Sql::new("DELETE FROM @source_pages WHERE source_id = ");
        sql.bind(source.0).push(" AND key IN ").bind_list(chunk.iter().cloned());
        tx.run(sql.query()).await?;
    }
    let mut withdrawn = Vec::new();
    let open = query("SELECT id, url FROM @proposals WHERE source_id = ? AND state = 'open'");
    for row in tx.all(open.bind(source.0)).await? {
        if !counts(get(&row, "url")?) {
            withdrawn.push(get::<i64>(&row, "id")?);
        }
    }
    for chunk in withdrawn.chunks(CHUNK) {
        let mut sql = Sql::new("DELETE FROM @proposals WHERE id IN ");
        sql.bind_list(chunk.iter().copied());
        tx.run(sql.query()).await?;
    }
    Ok(withdrawn.len() as u64)
}
