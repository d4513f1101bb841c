//! Chatwoot's own settings of fetching pages, from its table `installation_configs`.

use crate::chatwoot::crawling::{API_KEY, Crawling, PROVIDER};
use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;

/// Reads how Chatwoot fetches pages.
pub(in crate::store) async fn read(db: &Database) -> Result<Crawling> {
    let mut reader = db.reader().await?;
    let readable = query(
        "SELECT to_regclass('installation_configs') IS NOT NULL AS there, count(*) = 2 AS has, \
         coalesce(bool_and(has_column_privilege(a.attrelid, a.attnum, 'SELECT')), false) AS may FROM pg_attribute a \
         WHERE a.attrelid = to_regclass('installation_configs') AND a.attname IN ('name', 'serialized_value') \
         AND NOT a.attisdropped",
    );
    let row = reader.one(readable).await?;
    let unreadable = |reason: &str| Ok(Crawling::Unreadable(reason.to_owned()));
    match (get::<bool>(&row, "there")?, get::<bool>(&row, "has")?, get::<bool>(&row, "may")?) {
        (false, ..) => return unreadable("there is no table installation_configs"),
        (true, false, _) => return unreadable("installation_configs has no columns name and serialized_value"),
        (true, true, false) => return unreadable("this role may not read installation_configs"),
        (true, true, true) => {}
    }
    let settings = query(
        "SELECT name::text AS name, serialized_value::text AS value FROM installation_configs \
         WHERE name IN (?, ?) AND serialized_value IS NOT NULL",
    );
    let rows = reader.all(settings.bind(API_KEY).bind(PROVIDER)).await?;
    let rows: Vec<(String, String)> =
        rows.iter().map(|row| Ok((get(row, "name")?, get(row, "value")?))).collect::<Result<_>>()?;
    Ok(Crawling::read(rows.iter().map(|(name, value)| (name.as_str(), value.as_str()))))
}
