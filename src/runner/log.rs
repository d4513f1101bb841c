//! The outcome log as files: one JSON line per outcome that this process recorded, daily, one file per process.

use crate::domain::outcome::Outcome;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Lines that may wait for a slow disk. When they are all taken the recorder waits: the log is not lossy.
const WAITING: usize = 16_384;

/// Where the lines go and how long they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// The folder; made when missing.
    pub dir: PathBuf,
    /// Files that were not written to for longer are deleted.
    pub keep_days: u32,
}

/// The files of this process, opened with the first outcome: a verb that records nothing leaves no file behind.
#[derive(Debug)]
pub struct OutcomeFiles {
    settings: LogSettings,
    open: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// Nothing was recorded yet.
    Unopened,
    Open {
        lines: NonBlocking,
        /// Dropped, it writes what waits.
        guard: WorkerGuard,
    },
    /// Closed, or the folder cannot be used, which was said once.
    Shut,
}

impl OutcomeFiles {
    /// Files that are opened when they are needed.
    pub fn new(settings: LogSettings) -> Self {
        Self { settings, open: Mutex::new(State::Unopened) }
    }

    /// Appends outcomes, in order. The rows of the store are the truth: files that cannot be written stop no job.
    pub fn record(&self, outcomes: &[Outcome]) {
        let mut state = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Unopened) {
            *state = self.settings.open().unwrap_or_else(|error| {
                tracing::error!(%error, dir = %self.settings.dir.display(), "no outcome files");
                State::Shut
            });
        }
        let State::Open { lines, .. } = &mut *state else { return };
        for outcome in outcomes {
            let mut line = outcome.json();
            line.push('\n');
            let _ = lines.write_all(line.as_bytes());
        }
    }

    /// Writes what waits, and records nothing more.
    pub fn close(&self) {
        let state = std::mem::replace(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner), State::Shut);
        if let State::Open { lines, guard } = state {
            drop(lines);
            drop(guard);
        }
    }
}

impl LogSettings {
    fn open(&self) -> io::Result<State> {
        fs::create_dir_all(&self.dir)?;
        delete_old(&self.dir, self.keep_days)?;
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(format!("outcomes-{}", std::process::id()))
            .filename_suffix("jsonl")
            .build(&self.dir)
            .map_err(io::Error::other)?;
        let (lines, guard) = NonBlockingBuilder::default().lossy(false).buffered_lines_limit(WAITING).finish(file);
        Ok(State::Open { lines, guard })
    }
}

fn delete_old(dir: &Path, keep_days: u32) -> io::Result<()> {
    let keep = Duration::from_secs(u64::from(keep_days) * 86_400);
    let now = SystemTime::now();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with("outcomes-") && name.ends_with(".jsonl"));
        let age = entry.metadata()?.modified().ok().and_then(|at| now.duration_since(at).ok());
        if ours && age.is_some_and(|age| age > keep) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
