//! `quarterdeck doctor --unblock`: continues a stopped process that has the write lock of the store.

use super::CheckContext;
use crate::cli::confirm::agreed;
use crate::cli::exit::CliError;
use crate::cli::output::note;
use crate::store::{ProcessState, WriteLockHolder, write_lock_holder};
use rustix::process::{Pid, Signal, kill_process};
use std::io;
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Longest wait until a continued process runs.
const LONGEST_TO_RUN: Duration = Duration::from_secs(5);
/// Interval of the checks whether it does.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Asks, unless `yes` is given, and sends SIGCONT to a process that is stopped while it has the write lock.
///
/// # Errors
/// The store is on a server, `--yes` is missing and there is no terminal to ask on, or the process belongs to another
/// user.
pub(super) async fn run(context: &CheckContext, yes: bool) -> Result<(), CliError> {
    // Without settings the checks say why.
    let Ok(config) = &context.config else { return Ok(()) };
    let url = &config.store.url;
    if config.store.is_server() {
        return Err(CliError::Usage(
            "--unblock is for SQLite stores; a server ends the locks of stopped processes".into(),
        ));
    }
    let Some(holder) = write_lock_holder(url)? else {
        note("no process has the write lock");
        return Ok(());
    };
    if holder.state != ProcessState::Stopped {
        note(format!("the store is locked by {}: only a stopped process can be continued", holder.describe()));
        return Ok(());
    }
    if !agreed(yes, &format!("Continue {}?", holder.describe()))? {
        return Ok(());
    }
    // Another process may have its number by now.
    if write_lock_holder(url)?.as_ref() == Some(&holder) {
        resume(&holder)?;
    }
    let until = Instant::now() + LONGEST_TO_RUN;
    while write_lock_holder(url)?.as_ref() == Some(&holder) && Instant::now() < until {
        sleep(POLL_INTERVAL).await;
    }
    note(match write_lock_holder(url)? {
        Some(now) if now == holder => format!("it still has the write lock: {}", now.describe()),
        _ => format!("process {} goes on", holder.pid),
    });
    Ok(())
}

fn resume(holder: &WriteLockHolder) -> Result<(), CliError> {
    let sent = match Pid::from_raw(holder.pid) {
        Some(pid) => kill_process(pid, Signal::CONT),
        None => Ok(()),
    };
    match sent {
        // It has ended meanwhile.
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => {
            let message = format!("process {} cannot be continued by this user: {error}", holder.pid);
            Err(CliError::Io(io::Error::new(io::Error::from(error).kind(), message)))
        }
    }
}
