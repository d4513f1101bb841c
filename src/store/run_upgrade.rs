//! Upgrading a store: the steps, the live workers whose program is too old for the upgraded store, and the upgrade
//! itself.

use super::address::{self, StoreAddress};
use super::postgres::migrate as postgres;
use super::upgrade::{MigrationStep, OlderWorker, UpgradeOptions, UpgradeReport};
use super::{Result, sqlite};

/// Returns the steps that [`upgrade`] would take with the store at `url`, in order; empty if the store is up to date.
/// `standalone` has the meaning of [`UpgradeOptions::standalone`].
pub async fn plan(url: &str, standalone: bool) -> Result<Vec<MigrationStep>> {
    match address::parse(url)? {
        StoreAddress::Sqlite(path) => sqlite::plan(&path).await,
        StoreAddress::Postgres(url) => postgres::plan(&url, standalone).await,
    }
}

/// Returns the names of the rights that the role lacks to take these steps and to use the store afterwards; none on
/// SQLite.
pub async fn missing_rights(url: &str, steps: &[MigrationStep]) -> Result<Vec<String>> {
    match address::parse(url)? {
        StoreAddress::Sqlite(_) => Ok(Vec::new()),
        StoreAddress::Postgres(url) => postgres::missing_rights(&url, steps).await,
    }
}

/// Returns the live workers of the store at `url` whose program could not use it after a migration, longest running
/// first; empty if there is nothing to migrate.
pub async fn older_workers(url: &str) -> Result<Vec<OlderWorker>> {
    match address::parse(url)? {
        StoreAddress::Sqlite(path) => sqlite::older_workers(&path).await,
        StoreAddress::Postgres(url) => postgres::older_workers(&url).await,
    }
}

/// Brings the store at `url` up to date, and creates an SQLite file that does not exist. Returns `None` if an SQLite
/// store was up to date or is new, and always on PostgreSQL, where [`plan`] lists the steps.
pub async fn upgrade(url: &str, how: UpgradeOptions) -> Result<Option<UpgradeReport>> {
    match address::parse(url)? {
        StoreAddress::Sqlite(path) => sqlite::upgrade(&path, how).await,
        StoreAddress::Postgres(url) => postgres::migrate(&url, how.standalone, &mut |_| {}).await.map(|()| None),
    }
}
