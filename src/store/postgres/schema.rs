//! State of a database: our schema and its version, the table of documents (Chatwoot's, in any of its variants, or
//! ours), and the rights of the role. Changes nothing.

use super::error::code;
use super::rights::{self, MissingRight};
use super::url::DatabaseUrl;
use crate::store::migrations::{SCHEMA_VERSION, altered_message, first_altered};
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::query;
use crate::store::unfinished_copy;
use crate::store::{Access, Result, StoreError};

/// SQLSTATE of a statement that names a table or sequence that is missing.
const UNDEFINED_TABLE: &str = "42P01";

/// Columns that the table of documents must have, each with the types that are accepted.
const REQUIRED_COLUMNS: [(&str, &[&str]); 13] = [
    ("id", &["int8"]),
    ("name", &["varchar", "text"]),
    ("external_link", &["varchar", "text"]),
    ("content", &["varchar", "text"]),
    ("assistant_id", &["int8"]),
    ("account_id", &["int8"]),
    ("status", &["int4", "int2", "int8"]),
    ("metadata", &["jsonb"]),
    ("sync_status", &["int4", "int2", "int8"]),
    ("last_synced_at", &["timestamp"]),
    ("last_sync_attempted_at", &["timestamp"]),
    ("created_at", &["timestamp"]),
    ("updated_at", &["timestamp"]),
];
/// Oldest server version that works: PostgreSQL 12, the first with materialized common table expressions.
const OLDEST_SERVER: i64 = 120_000;

/// State of a database, as read by [`read_state`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DatabaseState {
    server_version: i64,
    /// True if the schema `quarterdeck` exists.
    pub(super) schema: bool,
    /// Number of tables and views in the schema `quarterdeck`. Without our table of migrations they belong to another
    /// program.
    table_count: i64,
    /// Version of our schema. `None` if our table of migrations is missing or the role may not use the schema; 0 if
    /// other tables are missing. If the role may not read the tables, this program's version is assumed.
    pub(super) version: Option<i64>,
    /// Version of the first migration that was applied from another file than this program's.
    altered_version: Option<i64>,
    /// True if a table of documents is on the search path.
    pub(super) documents: bool,
    /// Columns and indexes that the table of documents lacks or has with another type, as text for messages.
    documents_missing: Vec<String>,
    /// Address of the store of which a copy into this one is not complete.
    unfinished_copy: Option<String>,
    /// True if `migrate --standalone` created the table of documents.
    owns_documents: bool,
    /// True if a table `accounts` is on the search path.
    pub(super) accounts: bool,
    /// Rights that the role lacks on our schema and on the table of documents, as text for messages.
    missing_rights: Vec<MissingRight>,
    /// Name of the right that the role lacks to add documents.
    missing_to_add: Option<String>,
}

/// Reads the state of a database. Errors: [`StoreError::Unusable`] if the server is too old.
pub(super) async fn read_state(conn: &mut Conn, url: &DatabaseUrl) -> Result<DatabaseState> {
    let facts = query(
        "SELECT current_setting('server_version_num')::bigint AS server, \
         to_regnamespace('quarterdeck') IS NOT NULL AS schema, \
         (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
          WHERE n.nspname = 'quarterdeck' AND c.relkind IN ('r', 'v', 'm')) AS tables, \
         to_regclass('@migrations') IS NOT NULL AS migrations, to_regclass('@copy_progress') IS NOT NULL AS copied, \
         to_regclass('captain_documents') IS NOT NULL AS documents, \
         to_regclass('accounts') IS NOT NULL AS accounts, \
         coalesce(has_schema_privilege(to_regnamespace('quarterdeck'), 'USAGE'), false) AS may_use",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let mut state = DatabaseState {
        server_version: get(row, "server")?,
        schema: get(row, "schema")?,
        table_count: get(row, "tables")?,
        documents: get(row, "documents")?,
        accounts: get(row, "accounts")?,
        ..DatabaseState::default()
    };
    if state.schema && !get::<bool>(row, "may_use")? {
        state.missing_rights.push(MissingRight::to_read("USAGE on schema quarterdeck"));
    } else if get(row, "migrations")? {
        state.read_schema(conn).await?;
    }
    if get(row, "copied")? {
        let source = conn.fetch_all(query("SELECT source FROM @copy_progress")).await.map_err(reading)?;
        state.unfinished_copy = Some(source.first().map(|row| get(row, 0)).transpose()?.unwrap_or_default());
    }
    if state.documents {
        state.read_documents(conn).await?;
    }
    if state.server_version < OLDEST_SERVER {
        return Err(StoreError::Unusable(url.describe("is older than PostgreSQL 12; a newer server is needed")));
    }
    Ok(state)
}

impl DatabaseState {
    async fn read_schema(&mut self, conn: &mut Conn) -> Result<()> {
        let rights = query(
            "SELECT has_table_privilege('@jobs', 'SELECT') AS may_read, \
             has_table_privilege('@jobs', 'INSERT') AND has_table_privilege('@jobs', 'UPDATE') \
             AND has_table_privilege('@jobs', 'DELETE') AND has_sequence_privilege('@fence', 'USAGE') AS may_write",
        );
        let rights = match conn.fetch_all(rights).await {
            Ok(rights) => rights,
            // Some of our tables are missing, because somebody stopped a migration. That counts as version 0, too.
            Err(error) if code(&error).as_deref() == Some(UNDEFINED_TABLE) => {
                self.version = Some(0);
                return Ok(());
            }
            Err(error) => return Err(reading(error)),
        };
        let row = rights.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
        if !get::<bool>(row, "may_read")? {
            self.missing_rights.push(MissingRight::to_read("SELECT on the tables of schema quarterdeck"));
            self.version = Some(SCHEMA_VERSION);
            return Ok(());
        }
        if !get::<bool>(row, "may_write")? {
            self.missing_rights.push(MissingRight::to_write("right to write the tables of schema quarterdeck"));
        }
        let made = query("SELECT EXISTS (SELECT 1 FROM @made WHERE name = 'captain_documents')");
        let rows = conn.fetch_all(made).await.map_err(reading)?;
        self.owns_documents = get(rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?, 0)?;
        // Read as JSON, since an older schema lacks the column `checksum`.
        let applied = query("SELECT version, to_jsonb(m) ->> 'checksum' FROM @migrations m ORDER BY version");
        let applied = conn.fetch_all(applied).await.map_err(reading)?;
        let applied: Vec<(i64, Option<String>)> =
            applied.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect::<Result<_>>()?;
        self.version = Some(applied.last().map_or(0, |(version, _)| *version));
        self.altered_version = first_altered(applied, |file| file.postgres);
        Ok(())
    }

    async fn read_documents(&mut self, conn: &mut Conn) -> Result<()> {
        let columns = query(
            "SELECT a.attname::text AS name, t.typname::text AS type FROM pg_attribute a \
             JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = to_regclass('captain_documents') AND a.attnum > 0 AND NOT a.attisdropped",
        );
        let found = conn.fetch_all(columns).await.map_err(reading)?;
        let found: Vec<(String, String)> =
            found.iter().map(|row| Ok((get(row, "name")?, get(row, "type")?))).collect::<Result<_>>()?;
        for (name, types) in REQUIRED_COLUMNS {
            match found.iter().find(|(found, _)| found == name) {
                None => self.documents_missing.push(format!("the column {name}")),
                Some((_, is)) if !types.contains(&is.as_str()) => {
                    self.documents_missing.push(format!("{name} as {} (it is {is})", types[0]));
                }
                Some(_) => {}
            }
        }
        let unique = query(
            "SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass('captain_documents') \
             AND i.indisunique AND i.indpred IS NULL AND pg_get_indexdef(i.indexrelid) ~ \
             '\\(assistant_id, (external_link|md5\\(external_link\\)|md5\\(\\(external_link\\)::text\\))\\)') AS is_unique",
        );
        let rows = conn.fetch_all(unique).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
        if !get::<bool>(row, "is_unique")? {
            self.documents_missing.push("the unique index on (assistant_id, external_link) or on its md5".into());
        }
        let rights = rights::of_documents(conn).await?;
        self.missing_rights.extend(rights.missing);
        self.missing_to_add = rights.missing_to_add;
        Ok(())
    }

    /// Checks that `migrate` may change the schema: no other program or build made it, and it is not newer than this
    /// program. Errors: [`StoreError::Unusable`].
    pub(super) fn check_migratable(&self, url: &DatabaseUrl) -> Result<()> {
        match self.version {
            None if self.table_count > 0 => Err(StoreError::Unusable(
                url.describe("its schema `quarterdeck` holds tables of another program; nothing was touched"),
            )),
            Some(version) if version > SCHEMA_VERSION => Err(StoreError::Unusable(url.describe(&format!(
                "was set up by a newer quarterdeck (version {version}; this one supports {SCHEMA_VERSION}); use the \
                 newer one"
            )))),
            _ => match self.altered_version {
                Some(version) => Err(StoreError::Unusable(url.describe(&altered_message(version)))),
                None => Ok(()),
            },
        }
    }

    /// Checks that no copy into this store is incomplete. Errors: [`StoreError::Unusable`].
    pub(super) fn check_complete(&self, url: &DatabaseUrl) -> Result<()> {
        match &self.unfinished_copy {
            Some(source) => Err(StoreError::Unusable(url.describe(&unfinished_copy::message(source)))),
            None => Ok(()),
        }
    }

    /// Checks that the table of documents lacks nothing. Errors: [`StoreError::Unusable`].
    pub(super) fn check_documents(&self, url: &DatabaseUrl) -> Result<()> {
        if self.documents_missing.is_empty() {
            return Ok(());
        }
        Err(StoreError::Unusable(url.describe(&format!(
            "its table captain_documents lacks {}; bring Chatwoot's own migrations up to date first",
            self.documents_missing.join(", ")
        ))))
    }

    /// Checks that the store can be used with `access`. Errors: [`StoreError::Unusable`].
    pub(super) fn check_usable(&self, url: &DatabaseUrl, access: Access) -> Result<()> {
        self.check_migratable(url)?;
        if access != Access::CopyTarget {
            self.check_complete(url)?;
        }
        self.check_rights(url, access)?;
        self.check_set_up(url)
    }

    /// Checks that the role has the rights that `access` needs on the existing tables. Errors:
    /// [`StoreError::Forbidden`].
    pub(super) fn check_rights(&self, url: &DatabaseUrl, access: Access) -> Result<()> {
        rights::check(&self.missing_rights, url, access)
    }

    /// Returns the names of the rights that the role lacks on the existing tables.
    pub(super) fn missing_rights(&self) -> impl Iterator<Item = &str> {
        self.missing_rights.iter().map(|right| right.name.as_str())
    }

    /// Checks that our schema is up to date, and that a table of documents exists with all that this program needs.
    /// Errors: [`StoreError::Unusable`].
    pub(super) fn check_set_up(&self, url: &DatabaseUrl) -> Result<()> {
        let unusable = |message: &str| Err(StoreError::Unusable(url.describe(message)));
        match self.version {
            None | Some(0) if self.documents => {
                return unusable("is not set up yet; run `quarterdeck migrate` (--dry-run shows what it does)");
            }
            None | Some(0) => {
                return unusable(
                    "is not set up yet and has no table captain_documents; run `quarterdeck migrate --standalone`, or \
                     name Chatwoot's database",
                );
            }
            Some(version) if version < SCHEMA_VERSION => {
                return unusable("was set up by an older quarterdeck; run `quarterdeck migrate`");
            }
            Some(_) => {}
        }
        if !self.documents {
            return unusable(
                "has no table captain_documents on the search_path; run `quarterdeck migrate --standalone`, or name \
                 Chatwoot's database",
            );
        }
        self.check_documents(url)
    }

    /// Returns true if `migrate --standalone` created the table of documents.
    pub(super) const fn owns_documents(&self) -> bool {
        self.owns_documents
    }

    /// Describes the schema version and the owner of the table of documents, for display.
    pub(super) fn describe(&self) -> String {
        let version = self.version.unwrap_or_default();
        let whose = if self.owns_documents { "quarterdeck's own" } else { "Chatwoot's" };
        format!("version {version}, on {whose} table captain_documents")
    }

    /// Checks that the role may add documents. Errors: [`StoreError::Forbidden`].
    pub(super) fn may_add(&self, url: &DatabaseUrl) -> Result<()> {
        let Some(right) = &self.missing_to_add else { return Ok(()) };
        let message = format!("this role may not add documents (no {right}); add them in Chatwoot");
        Err(StoreError::Forbidden(url.describe(&message)))
    }

    /// Checks that documents may be removed: only from a table that this program has created. Errors:
    /// [`StoreError::Forbidden`].
    pub(super) fn may_remove(&self, url: &DatabaseUrl) -> Result<()> {
        if self.owns_documents {
            return Ok(());
        }
        Err(StoreError::Forbidden(
            url.describe("these documents belong to Chatwoot, and its answers refer to them; remove them in Chatwoot"),
        ))
    }
}
