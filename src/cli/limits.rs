//! The limit of open files. Each running sync has a connection, and connections to hosts stay open for a while.

use super::exit::CliError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
