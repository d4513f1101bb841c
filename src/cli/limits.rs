//! Limits of this process: how many files it may have open, and who may read the files that it creates. Each running sync
//! has a connection, and connections to hosts stay open for a while.

use super::exit::CliError;
use crate::export::FileModes;
use rustix::fs::Mode;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit, umask};
use std::sync::OnceLock;

/// Files that a process has open besides the connections of its syncs: the store, logs, the terminal, Redis.
const OTHERS: u64 = 48;
/// Connections of a running sync: to the page's host, and to the host of its redirect or robots.txt.
const OF_A_SYNC: u64 = 2;

/// Raises this process's soft limit of open files to the hard one: the soft one is small for the sake of programs that
/// use `select`. A failure leaves the limit as it was.
pub fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}

/// Fails if so many concurrent syncs need more open files than this process may have.
pub(super) fn ensure_open_files(concurrency: u32) -> Result<(), CliError> {
    let needed = u64::from(concurrency) * OF_A_SYNC + OTHERS;
    match getrlimit(Resource::Nofile).current {
        Some(limit) if limit < needed => Err(CliError::Usage(format!(
            "{concurrency} concurrent syncs need {needed} open files, and this process may have {limit}: lower \
             runner.concurrency, or raise the limit (`ulimit -n`, LimitNOFILE= of systemd)"
        ))),
        _ => Ok(()),
    }
}

/// Makes new files and folders of this process, which hold contents of pages, those of their owner alone, or with `group`
/// also of the group.
pub(super) fn restrict_new_files(group: bool) {
    let mask = umask(if group { Mode::RWXO } else { Mode::RWXG | Mode::RWXO });
    // The first one is the user's.
    let _ = USERS_MASK.set(mask);
}

/// The mask of file modes that the user has set.
static USERS_MASK: OnceLock<Mode> = OnceLock::new();

/// Returns the permissions of files that the user asks for by name, as any other program would create them.
pub(super) fn modes_of_exports() -> FileModes {
    FileModes::under(USERS_MASK.get().copied().unwrap_or(Mode::RWXG | Mode::RWXO))
}
