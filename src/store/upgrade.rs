//! Types of an upgrade of a store: its steps, its options, and the live workers that are too old for it.

use super::migrations::MIGRATIONS;
use crate::domain::text::SafeLine;
use std::fmt;
use std::path::PathBuf;

/// One step of a set-up; prints as what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migration {
    /// Copies an SQLite store that holds anything, before the rest.
    Copy,
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
            Self::Copy => f.write_str("copy the store beside itself, as it is"),
            Self::Schema => f.write_str("create schema quarterdeck"),
            Self::Version(version) => {
                let place = usize::try_from(version - 1).unwrap_or(usize::MAX);
                let title = MIGRATIONS.get(place).map_or("", |migration| migration.title);
                write!(f, "quarterdeck {version}: {title}")
            }
            Self::Documents => f.write_str("create table captain_documents (there is none)"),
            Self::Accounts => f.write_str("create table accounts (there is none)"),
        }
    }
}

/// How a store is brought up to date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Makes the tables that Chatwoot has elsewhere, where they are missing; PostgreSQL alone.
    pub standalone: bool,
    /// Copies a store that holds anything before it is changed; SQLite alone.
    pub backup: bool,
    /// Goes on although workers of an older program run.
    pub force: bool,
}

/// How a store is brought up to date that is opened for writing.
pub(super) const AT_OPENING: Upgrade = Upgrade { standalone: false, backup: true, force: false };

/// What was done to a store that existed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgraded {
    /// The version before.
    pub from: i64,
    /// The version now.
    pub to: i64,
    /// The copy of the store as it was before.
    pub copy: Option<PathBuf>,
}

impl fmt::Display for Upgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the store was migrated from version {} to {}", self.from, self.to)?;
        match &self.copy {
            Some(copy) => write!(f, "; as it was before it is in {}", copy.display()),
            None => Ok(()),
        }
    }
}

/// A live worker whose program knows an older schema than this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OlderWorker {
    /// `host:pid`.
    pub name: SafeLine,
    /// The schema version of its program; `None` for programs that do not say, which do not look at the store's either.
    pub version: Option<i64>,
}

impl OlderWorker {
    /// All of them in a line: `box:12 (version 9), box:13`.
    pub fn names(workers: &[Self]) -> String {
        let name = |worker: &Self| match worker.version {
            Some(version) => format!("{} (version {version})", worker.name),
            None => worker.name.to_string(),
        };
        workers.iter().map(name).collect::<Vec<_>>().join(", ")
    }
}
