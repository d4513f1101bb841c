//! Chatwoot's own settings of fetching pages, from its table `installation_configs`.

use super::optional::{MIGRATIONS, SETTINGS, unreadable};
use crate::chatwoot::crawling::{API_KEY, Crawling, PROVIDER};
use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;

/// Reads how Chatwoot fetches pages.
pub(in crate::store) async fn read(db: &Database) -> Result<Crawling> {
    let mut reader = db.reader().await?;
    let [settings, migrations] = unreadable(&mut reader, [SETTINGS, MIGRATIONS]).await?;
    if let Some(reason) = settings {
        return Ok(Crawling::Unreadable(reason.describe(SETTINGS.0)));
    }
    let settings = query(
        "SELECT name::text AS name, serialized_value::text AS value FROM installation_configs \
         WHERE name IN (?, ?) AND serialized_value IS NOT NULL",
    );
    let rows = reader.all(settings.bind(API_KEY).bind(PROVIDER)).await?;
    let rows: Vec<(String, String)> =
        rows.iter().map(|row| Ok((get(row, "name")?, get(row, "value")?))).collect::<Result<_>>()?;
    let newest: Option<String> = match rows.is_empty() || migrations.is_some() {
        true => None,
        false => get(&reader.one(query("SELECT max(version::text) FROM schema_migrations")).await?, 0)?,
    };
    Ok(Crawling::read(rows.iter().map(|(name, value)| (name.as_str(), value.as_str())), newest.as_deref()))
}
