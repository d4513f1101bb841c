//! The exit codes that scripts rely on (assets/docs/operating.md, "Exit codes"), and the error that leads to each.

use crate::config::ConfigError;
use crate::domain::filter::FilterError;
use crate::domain::text::SafeLine;
use crate::store::{StoreBase, StoreError};
use std::io;
use std::process::ExitCode;
use thiserror::Error;

/// An exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: done; without `--wait`, queued. Also a filter that matches nothing, and a question answered with no.
    Done = 0,
    /// 1: some documents failed, or some lines of an import could not be read.
    SomeFailed = 1,
    /// 2: unknown verb, flag, ID or URL, a bad filter, bad settings, a document that cannot be synced.
    WrongUse = 2,
    /// 3: the store, or the folder of the outcome files, cannot be reached or used.
    Unreachable = 3,
    /// 130: interrupted before it was done.
    Interrupted = 130,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Ends a verb whose store was migrated by a newer program meanwhile, and says so.
pub(super) fn still_understood(store: &dyn StoreBase) -> Result<(), StoreError> {
    match *store.schema_mismatch().borrow() {
        Some(mismatch) => Err(StoreError::Schema(mismatch)),
        None => Ok(()),
    }
}

/// Why a verb did not do its work.
#[derive(Debug, Error)]
pub enum CliError {
    /// The request cannot be carried out.
    #[error("{0}")]
    Usage(String),
    /// The settings are wrong.
    #[error("{0}")]
    Config(#[from] ConfigError),
    /// The filter is wrong.
    #[error("{error}\n{}", error.marked(text))]
    Filter {
        /// Mistake and its position.
        error: FilterError,
        /// Filter as typed.
        text: String,
    },
    /// The store did not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The store of this name did not answer.
    #[error("{store}: {error}")]
    Named {
        /// URL of the store, as given.
        store: String,
        /// The store's error.
        error: StoreError,
    },
    /// Redis does not answer, and nothing may be synced without it.
    #[error("Redis at {0}; redis.lock is required, so nothing is synced")]
    Redis(SafeLine),
    /// The outcome files cannot be made.
    #[error("the outcome files cannot be written in {dir} (log.dir): {error}")]
    Files {
        /// Their folder.
        dir: String,
        /// Why not.
        error: io::Error,
    },
    /// Reading or writing failed: stdout, the terminal, a socket of the demo.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CliError {
    /// The exit code. A reader of stdout that went away is no failure.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Config(_) | Self::Filter { .. } | Self::Store(StoreError::ReadOnly) => {
                Exit::WrongUse
            }
            Self::Store(_) | Self::Named { .. } | Self::Redis(_) | Self::Files { .. } => Exit::Unreachable,
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Io(_) => Exit::SomeFailed,
        }
    }

    /// The same, with the store's URL where the error itself does not name its place.
    pub(super) fn at(self, store: &str) -> Self {
        match self {
            Self::Store(
                error @ (StoreError::Unavailable(_)
                | StoreError::Refused(_)
                | StoreError::Schema(_)
                | StoreError::Corrupt(_)),
            ) => Self::Named { store: store.to_owned(), error },
            other => other,
        }
    }

    /// Returns the message for stderr; `None` when the reader of stdout has gone away.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            error => Some(error.to_string()),
        }
    }
}
