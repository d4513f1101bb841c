//! The tables in which Rails keeps the files that are attached to a document, by which PDFs are recognised.

use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;

/// Returns the reason why attached PDFs are not seen; `None` if they are.
pub(in crate::store) async fn unreadable(db: &Database) -> Result<Option<String>> {
    let mut reader = db.reader().await?;
    let columns = query(
        "SELECT t.name, to_regclass(t.name) IS NOT NULL AS there, count(a.attname) AS found, \
         coalesce(bool_and(has_column_privilege(a.attrelid, a.attnum, 'SELECT')), false) AS may \
         FROM (VALUES ('active_storage_attachments', '{record_type,record_id,name,blob_id}'::text[]), \
          ('active_storage_blobs', '{id,content_type}'::text[])) AS t(name, columns) \
         LEFT JOIN pg_attribute a ON a.attrelid = to_regclass(t.name) AND a.attname::text = ANY(t.columns) \
         AND NOT a.attisdropped GROUP BY t.name, t.columns ORDER BY t.name",
    );
    for row in reader.all(columns).await? {
        let (table, there): (String, bool) = (get(&row, "name")?, get(&row, "there")?);
        let wanted = if table == "active_storage_blobs" { 2 } else { 4 };
        if !there {
            return Ok(Some(format!("there is no table {table}")));
        } else if get::<i64>(&row, "found")? < wanted {
            return Ok(Some(format!("{table} lacks a column")));
        } else if !get::<bool>(&row, "may")? {
            return Ok(Some(format!("this role may not read {table}")));
        }
    }
    Ok(None)
}
