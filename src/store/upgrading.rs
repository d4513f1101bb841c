//! Upgrade of a store: its plan, the live workers that are too old for it, and the upgrade itself.

use super::address::{self, Address};
use super::postgres::migrate as postgres;
use super::upgrade::{Migration, OlderWorker, Upgrade, Upgraded};
use super::{Result, sqlite};

/// The steps that [`upgrade`] would take with the store at `url`, in order; none when it is up to date. `standalone` is
/// [`Upgrade::standalone`].
pub async fn plan(url: &str, standalone: bool) -> Result<Vec<Migration>> {
    match address::parse(url)? {
        Address::Sqlite(path) => sqlite::plan(&path).await,
        Address::Postgres(url) => postgres::plan(&url, standalone).await,
    }
}

/// The live workers of the store at `url` that a migration would leave behind, the longest serving first; none while
/// there is nothing to migrate.
pub async fn older_workers(url: &str) -> Result<Vec<OlderWorker>> {
    match address::parse(url)? {
        Address::Sqlite(path) => sqlite::older_workers(&path).await,
        Address::Postgres(url) => postgres::older_workers(&url).await,
    }
}

/// Brings the store at `url` up to date, and makes it when it is a file that is not there. `None` when an SQLite store
/// was up to date or is new; always on PostgreSQL, whose steps [`plan`] has said.
pub async fn upgrade(url: &str, how: Upgrade) -> Result<Option<Upgraded>> {
    match address::parse(url)? {
        Address::Sqlite(path) => sqlite::upgrade(&path, how).await,
        Address::Postgres(url) => postgres::migrate(&url, how.standalone, &mut |_| {}).await.map(|()| None),
    }
}
