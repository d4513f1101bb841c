//! Templates of hosts: one row per host, read by workers when its version changes and written by the folds of their
//! observations.

use crate::domain::template::{Observation, Template, TemplateRecord};
use crate::store::sql::columns::number;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{Result, TemplateCounts};

/// Returns the template of a host. A row that cannot be read counts as none: it is learned anew.
pub(in crate::store) async fn template(db: &Database, host: &str) -> Result<Option<Template>> {
    let statement = query("SELECT version, template FROM @host_templates WHERE host = ? AND version > 0").bind(host);
    let Some(row) = db.reader().await?.first(statement).await? else { return Ok(None) };
    let text: String = get(&row, "template")?;
    Ok(Template::stored(get(&row, "version")?, &text))
}

/// Adds observations to a host's sample. Workers of the same host wait for each other here, and nowhere else.
pub(in crate::store) async fn fold(db: &Database, host: &str, observations: Vec<Observation>) -> Result<()> {
    change(db, host, MissingRow::Create, |record| record.fold(observations)).await.map(drop)
}

/// Forgets what was learned of a host.
pub(in crate::store) async fn forget(db: &Database, host: &str) -> Result<bool> {
    change(db, host, MissingRow::Ignore, TemplateRecord::forget).await
}

/// Returns the numbers of templates.
pub(in crate::store) async fn counts(db: &Database) -> Result<TemplateCounts> {
    let statement = query(
        "SELECT count(*) AS sampled, coalesce(sum(CASE WHEN blocks > 0 THEN 1 ELSE 0 END), 0) AS hosts, \
         CAST(coalesce(sum(blocks), 0) AS BIGINT) AS blocks FROM @host_templates",
    );
    let Some(row) = db.reader().await?.first(statement).await? else { return Ok(TemplateCounts::default()) };
    Ok(TemplateCounts {
        hosts: number(&row, "hosts")?,
        blocks: number(&row, "blocks")?,
        sampled: number(&row, "sampled")?,
    })
}

/// Treatment of a host without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MissingRow {
    Create,
    Ignore,
}

/// Changes the record of a host and writes it if `change` returns true. Returns what `change` returned.
async fn change(
    db: &Database,
    host: &str,
    missing: MissingRow,
    change: impl FnOnce(&mut TemplateRecord) -> bool,
) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let select = match tx.dialect() {
        Dialect::Sqlite => "SELECT version, template, sample FROM @host_templates WHERE host = ?",
        Dialect::Postgres => "SELECT version, template, sample FROM @host_templates WHERE host = ? FOR UPDATE",
    };
    let mut row = tx.first(query(select).bind(host)).await?;
    if row.is_none() && missing == MissingRow::Create {
        let insert = query("INSERT INTO @host_templates (host, updated_at) VALUES (?, ?) ON CONFLICT DO NOTHING");
        let now = tx.now.micros();
        tx.run(insert.bind(host).bind(now)).await?;
        row = tx.first(query(select).bind(host)).await?;
    }
    let Some(row) = row else { return Ok(false) };
    let version: i64 = get(&row, "version")?;
    let (template, sample): (String, String) = (get(&row, "template")?, get(&row, "sample")?);
    let stored = TemplateRecord::stored(version, &template, &sample);
    // An unreadable row keeps its version, so that the texts which it made are made again.
    let mut record = stored.unwrap_or_else(|| TemplateRecord::empty(version));
    let has_changed = change(&mut record);
    if has_changed {
        let update = query(
            "UPDATE @host_templates SET version = ?, pages = ?, blocks = ?, template = ?, sample = ?, updated_at = ? \
             WHERE host = ?",
        );
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let update = update.bind(record.version).bind(count(record.pages())).bind(count(record.blocks()));
        let now = tx.now.micros();
        tx.run(update.bind(record.template_text()).bind(record.sample_text()).bind(now).bind(host)).await?;
    }
    tx.commit().await?;
    Ok(has_changed)
}
