//! Rights of the role on a database: on our schema, and on the table of documents.

use super::error::code;
use super::url::DatabaseUrl;
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::query;
use crate::store::{Access, Result, StoreError};

/// Selects the rights on the table of documents. A grant on the columns that are written is enough.
const DOCUMENTS: &str = "SELECT has_table_privilege(t.id, 'SELECT') AS may_read, \
     has_table_privilege(t.id, 'INSERT') AS may_insert, \
     coalesce(has_sequence_privilege(pg_get_serial_sequence(t.id::regclass::text, 'id'), 'USAGE'), true) AS may_count, \
     pg_get_serial_sequence(t.id::regclass::text, 'id')::regclass::text AS sequence, \
     (SELECT string_agg(a.attname::text, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = t.id \
      AND NOT a.attisdropped AND a.attname IN ('content', 'name', 'updated_at', 'sync_status', 'last_synced_at', \
      'last_sync_attempted_at', 'metadata') AND NOT has_column_privilege(t.id, a.attnum, 'UPDATE')) AS read_only, \
     has_any_column_privilege(t.id, 'UPDATE') AS may_update_any \
     FROM (SELECT to_regclass('captain_documents')::oid AS id) t";

/// A right that the role lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MissingRight {
    /// Name for messages, such as `SELECT on captain_documents`.
    pub(super) name: String,
    /// True if a process that only reads needs it, too.
    pub(super) for_reading: bool,
}

impl MissingRight {
    pub(super) fn to_read(name: impl Into<String>) -> Self {
        Self { name: name.into(), for_reading: true }
    }

    pub(super) fn to_write(name: impl Into<String>) -> Self {
        Self { name: name.into(), for_reading: false }
    }
}

/// Rights on the table of documents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DocumentRights {
    pub(super) missing: Vec<MissingRight>,
    /// Name of the right that the role lacks to add documents; `None` if it may add them.
    pub(super) missing_to_add: Option<String>,
}

/// Reads the rights on the table of documents, which exists.
pub(super) async fn of_documents(conn: &mut Conn) -> Result<DocumentRights> {
    let rows = conn.fetch_all(query(DOCUMENTS)).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let mut found = DocumentRights::default();
    if !get::<bool>(row, "may_read")? {
        found.missing.push(MissingRight::to_read("SELECT on captain_documents"));
    }
    if let Some(columns) = get::<Option<String>>(row, "read_only")? {
        let of = if get::<bool>(row, "may_update_any")? { format!(" ({columns})") } else { String::new() };
        found.missing.push(MissingRight::to_write(format!("UPDATE{of} on captain_documents")));
    }
    if !get::<bool>(row, "may_insert")? {
        found.missing_to_add = Some("INSERT on captain_documents".to_owned());
    } else if !get::<bool>(row, "may_count")? {
        let sequence: Option<String> = get(row, "sequence")?;
        found.missing_to_add = Some(format!("USAGE on sequence {}", sequence.unwrap_or_default()));
    }
    Ok(found)
}

/// Returns the names of the rights that the role lacks for a migration: to create our schema or to change its tables.
pub(super) async fn missing_to_migrate(conn: &mut Conn, has_schema: bool) -> Result<Vec<String>> {
    let (rights, right) = if has_schema {
        let owned = "SELECT has_schema_privilege('quarterdeck', 'CREATE') AND coalesce(bool_and(pg_has_role(c.relowner, \
             'USAGE')), true) FROM pg_class c WHERE c.relnamespace = to_regnamespace('quarterdeck') AND c.relkind = 'r'";
        (owned, "ownership of schema quarterdeck and its tables")
    } else {
        let create = "SELECT has_database_privilege(current_database(), 'CREATE')";
        (create, "CREATE on the database (or let its owner run CREATE SCHEMA quarterdeck AUTHORIZATION this role)")
    };
    let rows = conn.fetch_all(query(rights)).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    Ok(if get::<bool>(row, 0)? { Vec::new() } else { vec![right.to_owned()] })
}

/// Fails with [`StoreError::Forbidden`] if one of these rights is needed for `access`.
pub(super) fn check(missing: &[MissingRight], url: &DatabaseUrl, access: Access) -> Result<()> {
    let missing = missing.iter().filter(|right| right.for_reading || !access.is_read_only());
    let names: Vec<&str> = missing.map(|right| right.name.as_str()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let message = format!("this role has no {}; grant it, or use another role", names.join(", no "));
    Err(StoreError::Forbidden(url.describe(&message)))
}

/// Returns true if the server refused a statement because the role lacks a right.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("42501")
}
