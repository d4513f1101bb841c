//! What stands in a database: our schema and its version, the table of documents (Chatwoot's, in any of its variants,
//! or ours), and what the role may do. Looks, and changes nothing.

use super::url::Place;
use crate::store::migrations::{VERSION, altered, altered_message};
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::error::reading;
use crate::store::sql::statement::query;
use crate::store::{Access, Result, StoreError};

/// Columns that a table of documents must have, and the types that do.
const COLUMNS: [(&str, &[&str]); 13] = [
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
/// The first version with materialized common table expressions.
const OLDEST_SERVER: i64 = 120_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    server: i64,
    /// Whether the schema `quarterdeck` is there.
    pub(super) schema: bool,
    /// Tables within it, without ours there is something else's.
    tables: i64,
    /// Our version; `None` without our table of migrations.
    pub(super) version: Option<i64>,
    /// The first migration that was applied from another file than this program's.
    altered: Option<i64>,
    /// Whether a table of documents is found.
    pub(super) documents: bool,
    /// What it lacks, in words.
    lacks: Vec<String>,
    /// Whether it was made by `migrate --standalone`.
    made: bool,
    /// Whether `accounts` is found.
    pub(super) accounts: bool,
    /// Rights that the role does not have: on our schema, on the documents.
    missing_rights: Vec<&'static str>,
    may_insert: bool,
}

/// Looks.
pub(super) async fn look(conn: &mut Conn, place: &Place) -> Result<Standing> {
    let facts = query(
        "SELECT current_setting('server_version_num')::bigint AS server, \
         to_regnamespace('quarterdeck') IS NOT NULL AS schema, \
         (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
          WHERE n.nspname = 'quarterdeck' AND c.relkind IN ('r', 'v', 'm')) AS tables, \
         to_regclass('@migrations') IS NOT NULL AS migrations, \
         to_regclass('captain_documents') IS NOT NULL AS documents, \
         to_regclass('accounts') IS NOT NULL AS accounts, \
         coalesce(has_schema_privilege(to_regnamespace('quarterdeck'), 'USAGE'), false) AS may_use",
    );
    let rows = conn.fetch_all(facts).await.map_err(reading)?;
    let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
    let mut standing = Standing {
        server: get(row, "server")?,
        schema: get(row, "schema")?,
        tables: get(row, "tables")?,
        documents: get(row, "documents")?,
        accounts: get(row, "accounts")?,
        ..Standing::default()
    };
    if standing.schema && !get::<bool>(row, "may_use")? {
        standing.missing_rights.push("USAGE on schema quarterdeck");
    } else if get(row, "migrations")? {
        standing.look_at_ours(conn).await?;
    }
    if standing.documents {
        standing.look_at_documents(conn).await?;
    }
    if standing.server < OLDEST_SERVER {
        return Err(StoreError::Unusable(place.says("is older than PostgreSQL 12; a newer server is needed")));
    }
    Ok(standing)
}

impl Standing {
    async fn look_at_ours(&mut self, conn: &mut Conn) -> Result<()> {
        let rights = query(
            "SELECT has_table_privilege('@jobs', 'SELECT') AS may_read, \
             has_table_privilege('@jobs', 'INSERT') AND has_table_privilege('@jobs', 'UPDATE') \
             AND has_table_privilege('@jobs', 'DELETE') AND has_sequence_privilege('@fence', 'USAGE') AS may_write",
        );
        let rights = conn.fetch_all(rights).await;
        let Ok(rights) = rights else {
            // A migration was stopped by hand between ours: the version says so, too.
            self.version = Some(0);
            return Ok(());
        };
        let row = rights.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
        if !get::<bool>(row, "may_read")? {
            self.missing_rights.push("SELECT on the tables of schema quarterdeck");
            self.version = Some(VERSION);
            return Ok(());
        }
        if !get::<bool>(row, "may_write")? {
            self.missing_rights.push(WRITE_OURS);
        }
        let made = query("SELECT EXISTS (SELECT 1 FROM @made WHERE name = 'captain_documents')");
        let rows = conn.fetch_all(made).await.map_err(reading)?;
        self.made = get(rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?, 0)?;
        // As JSON: the column of checksums came later than the table.
        let applied = query("SELECT version, to_jsonb(m) ->> 'checksum' FROM @migrations m ORDER BY version");
        let applied = conn.fetch_all(applied).await.map_err(reading)?;
        let applied: Vec<(i64, Option<String>)> =
            applied.iter().map(|row| Ok((get(row, 0)?, get(row, 1)?))).collect::<Result<_>>()?;
        self.version = Some(applied.last().map_or(0, |(version, _)| *version));
        self.altered = altered(applied, |file| file.postgres);
        Ok(())
    }

    async fn look_at_documents(&mut self, conn: &mut Conn) -> Result<()> {
        let columns = query(
            "SELECT a.attname::text AS name, t.typname::text AS type FROM pg_attribute a \
             JOIN pg_type t ON t.oid = a.atttypid \
             WHERE a.attrelid = to_regclass('captain_documents') AND a.attnum > 0 AND NOT a.attisdropped",
        );
        let found = conn.fetch_all(columns).await.map_err(reading)?;
        let found: Vec<(String, String)> =
            found.iter().map(|row| Ok((get(row, "name")?, get(row, "type")?))).collect::<Result<_>>()?;
        for (name, types) in COLUMNS {
            match found.iter().find(|(found, _)| found == name) {
                None => self.lacks.push(format!("the column {name}")),
                Some((_, is)) if !types.contains(&is.as_str()) => {
                    self.lacks.push(format!("{name} as {} (it is {is})", types[0]));
                }
                Some(_) => {}
            }
        }
        let unique = query(
            "SELECT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = to_regclass('captain_documents') \
             AND i.indisunique AND i.indpred IS NULL AND pg_get_indexdef(i.indexrelid) ~ \
             '\\(assistant_id, (external_link|md5\\(external_link\\)|md5\\(\\(external_link\\)::text\\))\\)') AS is_unique, \
             has_table_privilege(to_regclass('captain_documents'), 'SELECT') AS may_read, \
             has_table_privilege(to_regclass('captain_documents'), 'UPDATE') AS may_update, \
             has_table_privilege(to_regclass('captain_documents'), 'INSERT') AS may_insert",
        );
        let rows = conn.fetch_all(unique).await.map_err(reading)?;
        let row = rows.first().ok_or_else(|| reading(sqlx::Error::RowNotFound))?;
        if !get::<bool>(row, "is_unique")? {
            self.lacks.push("the unique index on (assistant_id, external_link) or on its md5".into());
        }
        if !get::<bool>(row, "may_read")? {
            self.missing_rights.push("SELECT on captain_documents");
        }
        if !get::<bool>(row, "may_update")? {
            self.missing_rights.push(UPDATE_DOCUMENTS);
        }
        self.may_insert = get(row, "may_insert")?;
        Ok(())
    }

    /// Whether the schema is another program's or build's, or newer than this one: then `migrate` must not touch it either.
    pub(super) fn migratable(&self, place: &Place) -> Result<()> {
        match self.version {
            None if self.tables > 0 => Err(StoreError::Unusable(
                place.says("its schema `quarterdeck` holds tables of another program; nothing was touched"),
            )),
            Some(version) if version > VERSION => Err(StoreError::Unusable(place.says(&format!(
                "is set up by a newer quarterdeck (version {version}; this one knows {VERSION}); use that one"
            )))),
            _ => match self.altered {
                Some(version) => Err(StoreError::Unusable(place.says(&altered_message(version)))),
                None => Ok(()),
            },
        }
    }

    /// What the table of documents lacks.
    pub(super) fn documents_fit(&self, place: &Place) -> Result<()> {
        if self.lacks.is_empty() {
            return Ok(());
        }
        Err(StoreError::Unusable(place.says(&format!(
            "its table captain_documents lacks {}; bring Chatwoot's own migrations up to date first",
            self.lacks.join(", ")
        ))))
    }

    /// Whether the store can be used for what `access` says.
    pub(super) fn usable(&self, place: &Place, access: Access) -> Result<()> {
        self.migratable(place)?;
        self.rights(place, access)?;
        self.set_up(place)
    }

    /// Whether the role may do what `access` says with the tables that are there.
    pub(super) fn rights(&self, place: &Place, access: Access) -> Result<()> {
        let only_for_writing = |right: &&str| *right == WRITE_OURS || *right == UPDATE_DOCUMENTS;
        let mut rights = self.missing_rights.clone();
        rights.retain(|right| access != Access::ReadOnly || !only_for_writing(right));
        if rights.is_empty() {
            return Ok(());
        }
        let what = format!("this role has no {}; grant it, or use another role", rights.join(", no "));
        Err(StoreError::Unusable(place.says(&what)))
    }

    /// Whether everything that this version works with is there.
    pub(super) fn set_up(&self, place: &Place) -> Result<()> {
        let unusable = |what: &str| Err(StoreError::Unusable(place.says(what)));
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
            Some(version) if version < VERSION => {
                return unusable("is set up by an older quarterdeck; run `quarterdeck migrate`");
            }
            Some(_) => {}
        }
        if !self.documents {
            return unusable(
                "has no table captain_documents on the search_path; run `quarterdeck migrate --standalone`, or name \
                 Chatwoot's database",
            );
        }
        self.documents_fit(place)
    }

    /// Whether the table of documents is one that we made.
    pub(super) const fn is_made(&self) -> bool {
        self.made
    }

    /// What is there, for people.
    pub(super) fn says(&self) -> String {
        let version = self.version.unwrap_or_default();
        let whose = if self.made { "of its own" } else { "of Chatwoot" };
        format!("version {version}, on a table captain_documents {whose}")
    }

    /// Whether documents may be added.
    pub(super) fn may_add(&self, place: &Place) -> Result<()> {
        if self.may_insert {
            return Ok(());
        }
        Err(StoreError::Unusable(
            place.says("this role may not add documents (no INSERT on captain_documents); add them in Chatwoot"),
        ))
    }

    /// Whether documents may be removed.
    pub(super) fn may_remove(&self, place: &Place) -> Result<()> {
        if self.made {
            return Ok(());
        }
        Err(StoreError::Unusable(
            place
                .says("these documents are Chatwoot's, with answers that hang on them; remove them in Chatwoot itself"),
        ))
    }
}

const WRITE_OURS: &str = "right to write the tables of schema quarterdeck";
const UPDATE_DOCUMENTS: &str = "UPDATE on captain_documents";
