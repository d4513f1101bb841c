//! `quarterdeck migrate`: lists the steps that a database lacks and then applies them, one transaction per step. If the
//! process is killed, the complete steps stay, and the next run does the rest.

use super::pool::{self, Pool, PoolShare};
use super::schema::{self, DatabaseState};
use super::url::DatabaseUrl;
use crate::fault;
use crate::store::address::{self, StoreAddress};
use crate::store::migrations::{FIRST_VERSION_WITH_CHECKSUMS, MIGRATIONS, SCHEMA_VERSION, checksum, pending};
use crate::store::sql::conn::Conn;
use crate::store::sql::error::writing;
use crate::store::sql::statement::query;
use crate::store::upgrade::{MigrationStep, OlderWorker};
use crate::store::{Access, Result, StoreError};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Key of the advisory lock under which only one process migrates at a time.
const MIGRATION_LOCK: i64 = i64::from_be_bytes(*b"qd-migra");

/// Statement that waits for the write transactions of other processes, and blocks new ones.
const EXCLUSIVE_LOCK: &str = "LOCK TABLE quarterdeck.migrations IN ACCESS EXCLUSIVE MODE";

const DOCUMENTS_SCRIPT: &str = include_str!("../../../assets/migrations/postgres/standalone_documents.sql");
const ACCOUNTS_SCRIPT: &str = include_str!("../../../assets/migrations/postgres/standalone_accounts.sql");

/// Returns the steps that [`migrate`] would take with the database at `url`, in order; none when it is up to date. With
/// `standalone`, the steps create missing tables that Chatwoot would otherwise own; without it, a missing table of
/// documents is an error.
pub(in crate::store) async fn plan(url: &str, standalone: bool) -> Result<Vec<MigrationStep>> {
    Server::from_url(url).await?.plan(standalone).await
}

/// Returns the names of the rights that the role lacks to take these steps and to use the store afterwards; none if it
/// lacks no right.
pub(in crate::store) async fn missing_rights(url: &str, steps: &[MigrationStep]) -> Result<Vec<String>> {
    let server = Server::from_url(url).await?;
    let mut conn = server.conn().await?;
    let state = schema::read_state(&mut conn, server.url()).await?;
    let mut missing = Vec::new();
    if steps.iter().any(|step| matches!(step, MigrationStep::Schema | MigrationStep::Version(_))) {
        missing = super::rights::missing_to_migrate(&mut conn, state.schema).await?;
    }
    missing.extend(state.missing_rights().map(str::to_owned));
    Ok(missing)
}

/// Brings the database at `url` up to date, and calls `report` before each step. With `standalone`, also creates
/// missing tables that Chatwoot would otherwise own; without it, a missing table of documents is an error.
pub async fn migrate(url: &str, standalone: bool, report: &mut (dyn FnMut(MigrationStep) + Send)) -> Result<()> {
    let server = Server::from_url(url).await?;
    for step in server.plan(standalone).await? {
        report(step);
        server.apply(step).await?;
    }
    Ok(())
}

/// Returns the live workers of the database at `url` whose program could not use it after a migration; none if there is
/// nothing to migrate.
pub(in crate::store) async fn older_workers(url: &str) -> Result<Vec<OlderWorker>> {
    let server = Server::from_url(url).await?;
    let mut conn = server.conn().await?;
    match schema::read_state(&mut conn, server.url()).await?.version {
        Some(version) if (1..SCHEMA_VERSION).contains(&version) => super::older::workers(&mut conn).await,
        _ => Ok(Vec::new()),
    }
}

/// Connections to a PostgreSQL database that is checked or migrated.
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
    /// Prepares the server of a `postgres:` URL, without connecting yet.
    pub(super) async fn from_url(url: &str) -> Result<Self> {
        let StoreAddress::Postgres(url) = address::parse(url)? else {
            return Err(StoreError::Unusable("an SQLite store is brought up to date when it is opened".into()));
        };
        let (database_url, options) = DatabaseUrl::parse(&url, Access::Write)?;
        let ended = CancellationToken::new();
        let pool = Pool::new(database_url, options, pool::runtime(ended.clone())?);
        Ok(Self { pool, ended })
    }

    /// Returns the address of the database.
    pub(super) fn url(&self) -> &DatabaseUrl {
        self.pool.url()
    }

    /// Returns a connection for reads and migrations.
    pub(super) async fn conn(&self) -> Result<Conn> {
        Ok(Conn::Postgres(self.pool.acquire(PoolShare::Ordinary).await?))
    }

    async fn plan(&self, standalone: bool) -> Result<Vec<MigrationStep>> {
        let url = self.pool.url();
        let state = schema::read_state(&mut self.conn().await?, url).await?;
        state.check_migratable(url)?;
        state.check_complete(url)?;
        if state.documents {
            state.check_documents(url)?;
        } else if !standalone {
            return Err(StoreError::Unusable(url.describe(
                "has no table captain_documents on the search_path; name Chatwoot's database, or add --standalone to \
                 create this table here",
            )));
        }
        Ok(missing_steps(&state, standalone))
    }

    async fn apply(&self, step: MigrationStep) -> Result<()> {
        let mut conn = self.conn().await?;
        let url = self.pool.url();
        conn.script("BEGIN").await.map_err(writing)?;
        conn.execute(query("SELECT pg_advisory_xact_lock(?)").bind(MIGRATION_LOCK)).await.map_err(writing)?;
        // Read a second time: another process may have applied the step while this one waited.
        let state = schema::read_state(&mut conn, url).await?;
        state.check_migratable(url)?;
        if missing_steps(&state, true).contains(&step) {
            if let MigrationStep::Version(version) = step {
                // An index on Chatwoot's table may take longer than the statement timeout.
                conn.script("SET LOCAL statement_timeout = 0").await.map_err(writing)?;
                if version > 1 {
                    // Every write transaction locks this table for shared access. Transactions that have begun end
                    // first; later ones wait and find the new version.
                    conn.script(EXCLUSIVE_LOCK).await.map_err(writing)?;
                }
            }
            fault::point("migrating", &format!("{}, begin.", subject(step)));
            for script in scripts(step) {
                conn.script(script).await.map_err(|error| step_error(url, &error, step))?;
            }
            fault::point("migrating", &format!("{}, end.", subject(step)));
            if let MigrationStep::Version(version) = step {
                record_version(&mut conn, version).await?;
            }
        }
        fault::point("before_commit", &subject(step));
        conn.script("COMMIT").await.map_err(writing)?;
        fault::point("migrated", &subject(step));
        Ok(())
    }
}

/// Returns a step's name for the fault points (places where tests make the program fail).
fn subject(step: MigrationStep) -> String {
    match step {
        MigrationStep::Version(version) => format!("version {version}"),
        other => other.to_string(),
    }
}

/// Records that a version was applied and, from the first version that keeps checksums, those of the applied files.
/// Migrations from before checksums were recorded are assumed to have come from this program's files.
async fn record_version(conn: &mut Conn, version: i64) -> Result<()> {
    let done = query("INSERT INTO @migrations (version) VALUES (?)").bind(version);
    conn.execute(done).await.map_err(writing)?;
    if version < FIRST_VERSION_WITH_CHECKSUMS {
        return Ok(());
    }
    for (version, migration) in (1_i64..=version).zip(&MIGRATIONS) {
        let keep = query("UPDATE @migrations SET checksum = ? WHERE version = ? AND checksum IS NULL");
        conn.execute(keep.bind(checksum(migration.postgres)).bind(version)).await.map_err(writing)?;
    }
    Ok(())
}

fn missing_steps(state: &DatabaseState, standalone: bool) -> Vec<MigrationStep> {
    let mut steps = Vec::new();
    if !state.schema {
        steps.push(MigrationStep::Schema);
    }
    steps.extend(pending(state.version.unwrap_or(0)).map(|(version, _)| MigrationStep::Version(version)));
    if standalone && !state.documents {
        steps.push(MigrationStep::Documents);
    }
    if standalone && !state.accounts {
        steps.push(MigrationStep::Accounts);
    }
    steps
}

fn scripts(step: MigrationStep) -> Vec<&'static str> {
    match step {
        MigrationStep::Schema => vec!["CREATE SCHEMA quarterdeck"],
        MigrationStep::Version(version) => {
            let index = usize::try_from(version - 1).unwrap_or(usize::MAX);
            MIGRATIONS.get(index).map(|migration| migration.postgres).into_iter().collect()
        }
        // A server is backed up by its own tools.
        MigrationStep::Copy => Vec::new(),
        MigrationStep::Documents => vec![
            DOCUMENTS_SCRIPT,
            "INSERT INTO quarterdeck.made VALUES ('captain_documents')",
            "SELECT quarterdeck.keep_statuses()",
            "SELECT quarterdeck.keep_words()",
        ],
        MigrationStep::Accounts => vec![ACCOUNTS_SCRIPT, "INSERT INTO quarterdeck.made VALUES ('accounts')"],
    }
}

fn step_error(url: &DatabaseUrl, error: &sqlx::Error, step: MigrationStep) -> StoreError {
    let message = crate::store::sql::error::message(error);
    if super::rights::is_refusal(error) {
        let cure = match step {
            MigrationStep::Schema => {
                "let the database's owner run CREATE SCHEMA quarterdeck AUTHORIZATION this role, then migrate again"
            }
            MigrationStep::Version(_) | MigrationStep::Copy => "this role must own schema quarterdeck",
            MigrationStep::Documents | MigrationStep::Accounts => {
                "this role needs CREATE on the first schema of the search_path"
            }
        };
        return StoreError::Forbidden(format!("{} ({step}); {cure}", url.describe(&message)));
    }
    StoreError::Unusable(format!("{} ({step})", url.describe(&message)))
}
