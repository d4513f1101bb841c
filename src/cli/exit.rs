//! The exit codes that scripts rely on (assets/docs/operating.md, "Exit codes"), and the errors that lead to them.

use crate::config::ConfigError;
use crate::domain::filter::FilterError;
use crate::domain::text::SafeLine;
use crate::store::{StoreBase, StoreError};
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use thiserror::Error;

/// Exit code of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// 0: done; without `--wait`, queued. Also a filter that matches nothing, and a question answered with no.
    Done = 0,
    /// 1: some documents failed, some lines of an import could not be read, or `doctor` found an error.
    SomeFailed = 1,
    /// 2: unknown verb, flag, ID or URL, a bad filter, bad settings, a document that cannot be synced or does not need
    /// review, a right that the database does not grant, or what may not be done there.
    WrongUse = 2,
    /// 3: the store, a required Redis, the folder of the outcome files or of temporary files, or the service that fetches
    /// a page to extract cannot be reached or used, or standard output, the terminal or an export cannot be written.
    Unreachable = 3,
    /// 130: interrupted before the work was done.
    Interrupted = 130,
}

impl Exit {
    /// Returns the number that the process exits with.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Fails if a newer program has migrated the store since this verb opened it.
pub(super) fn ensure_same_schema(store: &dyn StoreBase) -> Result<(), StoreError> {
    match *store.schema_mismatch().borrow() {
        Some(mismatch) => Err(StoreError::Schema(mismatch)),
        None => Ok(()),
    }
}

/// Error that ends a verb.
#[derive(Debug, Error)]
pub enum CliError {
    /// The arguments are invalid, or request something that cannot be done.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("{error}\n{}", error.marked(text))]
    Filter {
        /// The mistake and its position.
        error: FilterError,
        /// The filter as typed.
        text: String,
    },
    /// The store does not answer, or refuses the request. [`CliError::NamedStore`] is the same error with the store's
    /// URL.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// An error of the store, with the store's URL.
    #[error("{store}: {error}")]
    NamedStore {
        /// URL of the store as configured; it may contain a password.
        store: String,
        error: StoreError,
    },
    /// Redis does not answer, and `redis.lock` is "required".
    #[error("Redis at {0}; redis.lock is required, so nothing is synced")]
    Redis(SafeLine),
    /// The outcome files cannot be opened in the directory `dir`.
    #[error("the outcome files cannot be written in {dir} (log.dir): {error}")]
    OutcomeFiles { dir: String, error: io::Error },
    /// The temporary files of a large import cannot be written or read in `folder`.
    #[error("the documents cannot be sorted in {} (TMPDIR): {error}", folder.display())]
    Unsortable { folder: PathBuf, error: io::Error },
    /// Standard output of `work` cannot be written, for another reason than that its reader has closed it.
    #[error("outcomes cannot be printed: {0}; they are in the store, and the running jobs have been finished")]
    Output(io::Error),
    /// A listing of pages (a sitemap, a feed) cannot be fetched now.
    #[error("{0}")]
    Listing(String),
    /// An export cannot be written: the disk is full, or the folder may not be written to.
    #[error("{0}")]
    Export(String),
    /// Reading or writing failed: stdout, the terminal, a socket of the demo.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl CliError {
    /// Returns the exit code of this error; [`Exit::Done`] if the reader of stdout has closed the pipe, which is no
    /// failure.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Usage(_)
            | Self::Config(_)
            | Self::Filter { .. }
            | Self::Store(StoreError::ReadOnly | StoreError::Address(_) | StoreError::Forbidden(_)) => Exit::WrongUse,
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Store(_)
            | Self::NamedStore { .. }
            | Self::Redis(_)
            | Self::OutcomeFiles { .. }
            | Self::Unsortable { .. }
            | Self::Output(_)
            | Self::Export(_)
            | Self::Listing(_)
            | Self::Io(_) => Exit::Unreachable,
        }
    }

    /// Adds the store's URL to store errors that do not name it themselves.
    pub(super) fn with_store_url(self, store: &str) -> Self {
        match self {
            Self::Store(
                error @ (StoreError::Unavailable(_)
                | StoreError::Refused(_)
                | StoreError::Schema(_)
                | StoreError::Corrupt(_)),
            ) => Self::NamedStore { store: store.to_owned(), error },
            other => other,
        }
    }

    /// Returns the message for stderr; `None` when the reader of stdout has closed the pipe.
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => None,
            error => Some(error.to_string()),
        }
    }
}
