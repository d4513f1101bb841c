//! `quarterdeck migrate`: what is missing in a database, said first and then done, one transaction each. A kill in the
//! middle leaves whole migrations alone; the next run does the rest.

use super::pool::{self, Pool, Use};
use super::schema::{self, Standing};
use super::url::Place;
use crate::fault;
use crate::store::address::{self, Address};
use crate::store::migrations::{KEEPS_CHECKSUMS, MIGRATIONS, VERSION, checksum, missing};
use crate::store::sql::conn::Conn;
use crate::store::sql::error::writing;
use crate::store::sql::statement::query;
use crate::store::upgrade::{Migration, OlderWorker};
use crate::store::{Access, Result, StoreError};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Two that migrate at once take turns.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"qd-migra");

/// Waits for the write transactions of others, and keeps new ones waiting.
const ALONE: &str = "LOCK TABLE quarterdeck.migrations IN ACCESS EXCLUSIVE MODE";

const DOCUMENTS: &str = include_str!("../../../assets/migrations/postgres/standalone_documents.sql");
const ACCOUNTS: &str = include_str!("../../../assets/migrations/postgres/standalone_accounts.sql");

/// The steps that [`migrate`] would take with the database at `url`, in order; none when it is up to date. `standalone`
/// makes the tables that Chatwoot has elsewhere, where they are missing.
pub(in crate::store) async fn plan(url: &str, standalone: bool) -> Result<Vec<Migration>> {
    Server::at(url).await?.plan(standalone).await
}

/// Does what is missing, and tells of each step before it.
pub async fn migrate(url: &str, standalone: bool, tell: &mut (dyn FnMut(Migration) + Send)) -> Result<()> {
    let server = Server::at(url).await?;
    for step in server.plan(standalone).await? {
        tell(step);
        server.apply(step).await?;
    }
    Ok(())
}

/// The live workers of the database at `url` that a migration would leave behind.
pub(in crate::store) async fn older_workers(url: &str) -> Result<Vec<OlderWorker>> {
    let server = Server::at(url).await?;
    let mut conn = server.conn().await?;
    match schema::look(&mut conn, server.place()).await?.version {
        Some(version) if (1..VERSION).contains(&version) => super::older::workers(&mut conn).await,
        _ => Ok(Vec::new()),
    }
}

/// A server to be looked at or set up.
pub(super) struct Server {
    pool: Arc<Pool>,
    ended: CancellationToken,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.cancel();
    }
}

impl Server {
    /// The server of a `postgres:` URL; not connected to yet.
    pub(super) async fn at(url: &str) -> Result<Self> {
        let Address::Postgres(url) = address::parse(url)? else {
            return Err(StoreError::Unusable("an SQLite store is brought up to date when it is opened".into()));
        };
        let (place, options) = Place::parse(&url, Access::Write)?;
        let ended = CancellationToken::new();
        let pool = Pool::new(place, options, pool::runtime(ended.clone())?);
        Ok(Self { pool, ended })
    }

    /// Where it is.
    pub(super) fn place(&self) -> &Place {
        self.pool.place()
    }

    /// A connection.
    pub(super) async fn conn(&self) -> Result<Conn> {
        Ok(Conn::Postgres(self.pool.lease(Use::Ordinary).await?))
    }

    async fn plan(&self, standalone: bool) -> Result<Vec<Migration>> {
        let place = self.pool.place();
        let standing = schema::look(&mut self.conn().await?, place).await?;
        standing.migratable(place)?;
        if standing.documents {
            standing.documents_fit(place)?;
        } else if !standalone {
            return Err(StoreError::Unusable(place.says(
                "has no table captain_documents on the search_path; name Chatwoot's database, or add --standalone to \
                 make one here",
            )));
        }
        Ok(steps(&standing, standalone))
    }

    async fn apply(&self, step: Migration) -> Result<()> {
        let mut conn = self.conn().await?;
        let place = self.pool.place();
        conn.script("BEGIN").await.map_err(writing)?;
        conn.execute(query("SELECT pg_advisory_xact_lock(?)").bind(MIGRATION_LOCK)).await.map_err(writing)?;
        // Looked at again: another process may have done it while this one waited.
        let standing = schema::look(&mut conn, place).await?;
        standing.migratable(place)?;
        if steps(&standing, true).contains(&step) {
            if let Migration::Version(version) = step {
                // An index on a table of another's may take longer than any answer.
                conn.script("SET LOCAL statement_timeout = 0").await.map_err(writing)?;
                if version > 1 {
                    // Every write transaction has a share of it: those that have begun end first, those that come wait
                    // and find the new version.
                    conn.script(ALONE).await.map_err(writing)?;
                }
            }
            fault::point("migrating", &format!("{}, begin.", subject(step)));
            for script in scripts(step) {
                conn.script(script).await.map_err(|error| refused(place, &error, step))?;
            }
            fault::point("migrating", &format!("{}, end.", subject(step)));
            if let Migration::Version(version) = step {
                note(&mut conn, version).await?;
            }
        }
        fault::point("before_commit", &subject(step));
        conn.script("COMMIT").await.map_err(writing)?;
        fault::point("migrated", &subject(step));
        Ok(())
    }
}

/// A step's name at the fault points.
fn subject(step: Migration) -> String {
    match step {
        Migration::Version(version) => format!("version {version}"),
        other => other.to_string(),
    }
}

/// Notes that a version was applied, and which files were. Of those that were applied before there was such a note, this
/// program's are taken to have been.
async fn note(conn: &mut Conn, version: i64) -> Result<()> {
    let done = query("INSERT INTO @migrations (version) VALUES (?)").bind(version);
    conn.execute(done).await.map_err(writing)?;
    if version < KEEPS_CHECKSUMS {
        return Ok(());
    }
    for (version, migration) in (1_i64..=version).zip(&MIGRATIONS) {
        let keep = query("UPDATE @migrations SET checksum = ? WHERE version = ? AND checksum IS NULL");
        conn.execute(keep.bind(checksum(migration.postgres)).bind(version)).await.map_err(writing)?;
    }
    Ok(())
}

fn steps(standing: &Standing, standalone: bool) -> Vec<Migration> {
    let mut steps = Vec::new();
    if !standing.schema {
        steps.push(Migration::Schema);
    }
    steps.extend(missing(standing.version.unwrap_or(0)).map(|(version, _)| Migration::Version(version)));
    if standalone && !standing.documents {
        steps.push(Migration::Documents);
    }
    if standalone && !standing.accounts {
        steps.push(Migration::Accounts);
    }
    steps
}

fn scripts(step: Migration) -> Vec<&'static str> {
    match step {
        Migration::Schema => vec!["CREATE SCHEMA quarterdeck"],
        Migration::Version(version) => {
            let place = usize::try_from(version - 1).unwrap_or(usize::MAX);
            MIGRATIONS.get(place).map(|migration| migration.postgres).into_iter().collect()
        }
        // A server is backed up by its own tools.
        Migration::Copy => Vec::new(),
        Migration::Documents => vec![DOCUMENTS, "INSERT INTO quarterdeck.made VALUES ('captain_documents')"],
        Migration::Accounts => vec![ACCOUNTS, "INSERT INTO quarterdeck.made VALUES ('accounts')"],
    }
}

fn refused(place: &Place, error: &sqlx::Error, step: Migration) -> StoreError {
    let said = crate::store::sql::error::words(error);
    if super::error::code(error).as_deref() == Some("42501") {
        let cure = match step {
            Migration::Schema => {
                "let an owner run CREATE SCHEMA quarterdeck AUTHORIZATION this role, then run it again"
            }
            Migration::Version(_) | Migration::Copy => "this role must own schema quarterdeck",
            Migration::Documents | Migration::Accounts => {
                "this role needs CREATE on the first schema of the search_path"
            }
        };
        return StoreError::Unusable(format!("{} ({step}); {cure}", place.says(&said)));
    }
    StoreError::Unusable(format!("{} ({step})", place.says(&said)))
}
