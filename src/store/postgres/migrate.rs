//! `quarterdeck migrate`: what is missing in a database, said first and then done, one transaction each. A kill in the
//! middle leaves whole migrations alone; the next run does the rest.

use super::pool::{self, Pool, Use};
use super::schema::{self, Standing};
use super::url::Place;
use crate::store::address::{self, Address};
use crate::store::sql::conn::Conn;
use crate::store::sql::error::writing;
use crate::store::sql::statement::query;
use crate::store::{Access, Result, StoreError};
use std::fmt;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Every migration of the schema, oldest first.
const MIGRATIONS: [(&str, &str); 8] = [
    (
        "the tables of jobs, outcomes, workers and the rest",
        include_str!("../../../assets/migrations/postgres/0001_store.sql"),
    ),
    (
        "the store's own id, and who has the lock that a job waits for",
        include_str!("../../../assets/migrations/postgres/0002_locks.sql"),
    ),
    ("what is to be told to Chatwoot's own jobs", include_str!("../../../assets/migrations/postgres/0003_outbox.sql")),
    (
        "plans of accounts, and whose turn it is to schedule",
        include_str!("../../../assets/migrations/postgres/0004_schedule.sql"),
    ),
    ("what is paused, by whom and since when", include_str!("../../../assets/migrations/postgres/0005_pauses.sql")),
    ("until when a host is left alone", include_str!("../../../assets/migrations/postgres/0006_hosts.sql")),
    ("texts that wait for a person", include_str!("../../../assets/migrations/postgres/0007_contents.sql")),
    ("whether a host asked to be left alone", include_str!("../../../assets/migrations/postgres/0008_holds.sql")),
];
/// The version of a schema that has had all migrations; the same on both databases.
pub const VERSION: i64 = MIGRATIONS.len() as i64;
/// Two that migrate at once take turns.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"qd-migra");

const DOCUMENTS: &str = include_str!("../../../assets/migrations/postgres/standalone_documents.sql");
const ACCOUNTS: &str = include_str!("../../../assets/migrations/postgres/standalone_accounts.sql");

/// One step of a set-up; prints as what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// Makes the schema `quarterdeck`.
    Schema,
    /// Brings the schema to this version.
    Version(i64),
    /// Makes `captain_documents`, where there is no Chatwoot.
    Documents,
    /// Makes `accounts`, the same.
    Accounts,
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => f.write_str("create schema quarterdeck"),
            Self::Version(version) => {
                let place = usize::try_from(version - 1).unwrap_or(usize::MAX);
                let what = MIGRATIONS.get(place).map_or("", |(what, _)| what);
                write!(f, "quarterdeck {version}: {what}")
            }
            Self::Documents => f.write_str("create table captain_documents (there is none)"),
            Self::Accounts => f.write_str("create table accounts (there is none)"),
        }
    }
}

/// What [`migrate`] would do to the database at `url`, in order; nothing when it is up to date. `standalone` makes the
/// tables that Chatwoot has elsewhere, where they are missing.
pub async fn plan(url: &str, standalone: bool) -> Result<Vec<Migration>> {
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
        if steps(&standing, true).contains(&step) {
            if let Migration::Version(_) = step {
                // An index on a table of another's may take longer than any answer.
                conn.script("SET LOCAL statement_timeout = 0").await.map_err(writing)?;
            }
            for script in scripts(step) {
                conn.script(script).await.map_err(|error| refused(place, &error, step))?;
            }
            if let Migration::Version(version) = step {
                let done = query("INSERT INTO @migrations (version) VALUES (?)").bind(version);
                conn.execute(done).await.map_err(writing)?;
            }
        }
        conn.script("COMMIT").await.map_err(writing)
    }
}

fn steps(standing: &Standing, standalone: bool) -> Vec<Migration> {
    let mut steps = Vec::new();
    if !standing.schema {
        steps.push(Migration::Schema);
    }
    steps.extend((standing.version.unwrap_or(0) + 1..=VERSION).map(Migration::Version));
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
            MIGRATIONS.get(place).map(|(_, script)| *script).into_iter().collect()
        }
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
            Migration::Version(_) => "this role must own schema quarterdeck",
            Migration::Documents | Migration::Accounts => {
                "this role needs CREATE on the first schema of the search_path"
            }
        };
        return StoreError::Unusable(format!("{} ({step}); {cure}", place.says(&said)));
    }
    StoreError::Unusable(format!("{} ({step})", place.says(&said)))
}
