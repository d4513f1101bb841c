//! Chatwoot's other tables, of which each one and each column may be missing, or closed to this role.

use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use serde_json::json;
use std::collections::HashMap;

/// Table of Chatwoot, with columns of it that are read.
pub type OptionalColumns = (&'static str, &'static [&'static str]);

/// Plans of accounts.
pub(in crate::store) const PLANS: OptionalColumns = ("accounts", &["id", "custom_attributes", "feature_flags"]);
/// Names of accounts.
pub(in crate::store) const ACCOUNT_NAMES: OptionalColumns = ("accounts", &["id", "name"]);
/// Chatwoot's settings.
pub(in crate::store) const SETTINGS: OptionalColumns = ("installation_configs", &["name", "serialized_value"]);
/// Files that are attached to documents.
pub(in crate::store) const ATTACHMENTS: OptionalColumns =
    ("active_storage_attachments", &["record_type", "record_id", "name", "blob_id"]);
/// Types of these files.
pub(in crate::store) const BLOBS: OptionalColumns = ("active_storage_blobs", &["id", "content_type"]);
/// Assistants, to which new documents belong.
pub(in crate::store) const ASSISTANTS: OptionalColumns = ("captain_assistants", &["id", "account_id"]);
/// Age of this Chatwoot.
pub(in crate::store) const MIGRATIONS: OptionalColumns = ("schema_migrations", &["version"]);

/// Everything of Chatwoot that is read beside its documents, and that may be missing.
pub const OPTIONAL_COLUMNS: [OptionalColumns; 7] =
    [PLANS, ACCOUNT_NAMES, SETTINGS, ATTACHMENTS, BLOBS, ASSISTANTS, MIGRATIONS];

/// Reason why columns of a table cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::store) enum Unreadable {
    NoTable,
    /// The table lacks this column, or several.
    NoColumn(String),
    /// This role may not read one of the columns.
    Forbidden,
}

impl Unreadable {
    /// Describes the reason in a sentence without an end.
    pub(in crate::store) fn describe(&self, table: &str) -> String {
        match self {
            Self::NoTable => format!("there is no table {table}"),
            Self::NoColumn(columns) => format!("{table} has no column {columns}"),
            Self::Forbidden => format!("this role may not read {table}"),
        }
    }
}

/// Returns the reason why each of these cannot be read, in their order; `None` for one that can.
pub(in crate::store) async fn unreadable<const N: usize>(
    reader: &mut Reader,
    wanted: [OptionalColumns; N],
) -> Result<[Option<Unreadable>; N]> {
    let list = wanted.iter().enumerate().map(|(at, (table, columns))| json!([at, table, columns]));
    let found = query(
        "SELECT w.at, to_regclass(w.name) IS NOT NULL AS there, string_agg(c.name, ', ') FILTER (WHERE a.attnum IS NULL) \
         AS lacking, coalesce(bool_and(has_column_privilege(a.attrelid, a.attnum, 'SELECT')), true) AS may \
         FROM (SELECT (k.value ->> 0)::bigint AS at, k.value ->> 1 AS name, k.value -> 2 AS columns FROM elements(?) k) w \
         CROSS JOIN LATERAL jsonb_array_elements_text(w.columns) c(name) LEFT JOIN pg_attribute a \
         ON a.attrelid = to_regclass(w.name) AND a.attname::text = c.name AND NOT a.attisdropped GROUP BY w.at, w.name",
    );
    let rows = reader.all(found.bind(serde_json::Value::from_iter(list).to_string())).await?;
    let mut reasons = HashMap::new();
    for row in &rows {
        let reason = match (get::<bool>(row, "there")?, get::<Option<String>>(row, "lacking")?, get(row, "may")?) {
            (false, ..) => Some(Unreadable::NoTable),
            (true, Some(columns), _) => Some(Unreadable::NoColumn(columns)),
            (true, None, false) => Some(Unreadable::Forbidden),
            (true, None, true) => None,
        };
        reasons.insert(get::<i64>(row, "at")?, reason);
    }
    let mut position = 0..;
    Ok(wanted.map(|_| position.next().and_then(|at| reasons.remove(&at)).flatten()))
}

/// Returns what is not available, and why, of what no other check looks at: the names of accounts, the age of this Chatwoot,
/// and adding documents.
pub(in crate::store) async fn limits(db: &Database) -> Result<Vec<String>> {
    let wanted = [ACCOUNT_NAMES, MIGRATIONS, ASSISTANTS];
    let [names, migrations, assistants] = unreadable(&mut db.reader().await?, wanted).await?;
    let mut limits = Vec::new();
    if let Some(reason) = names {
        limits.push(format!("accounts are shown without names: {}", reason.describe(ACCOUNT_NAMES.0)));
    }
    if let Some(reason) = migrations {
        let unknown = "the age of this Chatwoot, which decides about the version of Firecrawl's API, is not known";
        limits.push(format!("{unknown}: {}", reason.describe(MIGRATIONS.0)));
    }
    let no_adding = match assistants {
        Some(reason) => Some(reason.describe(ASSISTANTS.0)),
        None => db.may_add().err().map(|error| error.to_string()),
    };
    if let Some(reason) = no_adding {
        limits.push(format!("documents cannot be added: {reason}"));
    }
    Ok(limits)
}
