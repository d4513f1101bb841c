//! Types for upgrading a store: the steps, the options, and the live workers whose program is too old for the upgraded
//! store.

use super::migrations::MIGRATIONS;
use crate::domain::text::SafeLine;
use std::fmt;
use std::path::PathBuf;

/// One step of creating or upgrading a store. `Display` describes the step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MigrationStep {
    /// Copies an SQLite store that contains data, before any other step.
    Copy,
    /// Creates the schema `quarterdeck`; PostgreSQL only.
    Schema,
    /// Migrates to this schema version.
    Version(i64),
    /// Creates the table `captain_documents` in a database without Chatwoot.
    Documents,
    /// Creates the table `accounts` in a database without Chatwoot.
    Accounts,
}

impl fmt::Display for MigrationStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copy => f.write_str("back up the store to a file in the same folder"),
            Self::Schema => f.write_str("create schema quarterdeck"),
            Self::Version(version) => {
                let index = usize::try_from(version - 1).unwrap_or(usize::MAX);
                let title = MIGRATIONS.get(index).map_or("", |migration| migration.title);
                write!(f, "quarterdeck {version}: {title}")
            }
            Self::Documents => f.write_str("create table captain_documents (there is none)"),
            Self::Accounts => f.write_str("create table accounts (there is none)"),
        }
    }
}

/// Options of an upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpgradeOptions {
    /// Creates the tables that Chatwoot would own if they are missing; PostgreSQL only.
    pub standalone: bool,
    /// Copies a store that contains data before changing it; SQLite only.
    pub backup: bool,
    /// Upgrades an SQLite store even while workers of an older program run. No effect on PostgreSQL, where such workers
    /// do not prevent an upgrade.
    pub force: bool,
}

/// Options of the upgrade that is made when an SQLite store is opened for writing.
pub(super) const ON_OPEN: UpgradeOptions = UpgradeOptions { standalone: false, backup: true, force: false };

/// The upgrade that was made to an existing store. `Display` describes it in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpgradeReport {
    /// Schema version before the upgrade.
    pub from: i64,
    /// Schema version after the upgrade.
    pub to: i64,
    /// Path of the copy that was made before the upgrade; `None` without a copy.
    pub copy: Option<PathBuf>,
}

impl fmt::Display for UpgradeReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store was migrated from version {} to {}", self.from, self.to)?;
        match &self.copy {
            Some(copy) => write!(f, "; a copy from before the migration is at {}", copy.display()),
            None => Ok(()),
        }
    }
}

/// A live worker whose program knows only an older schema than this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderWorker {
    /// Name for display, `host:pid`.
    pub name: SafeLine,
    /// The schema version of the worker's program. `None` for programs that record no version; such programs do not
    /// check the store's version either.
    pub version: Option<i64>,
}

impl OlderWorker {
    /// Returns the names of `workers` in one line: `box:12 (version 9), box:13`.
    pub fn names(workers: &[Self]) -> String {
        let name = |worker: &Self| match worker.version {
            Some(version) => format!("{} (version {version})", worker.name),
            None => worker.name.to_string(),
        };
        workers.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}
