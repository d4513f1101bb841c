//! The outcome log as files: one JSON line per outcome that this process recorded, one file per day (UTC) and process.

use crate::domain::outcome::Outcome;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Maximum number of lines buffered for a slow disk. When the buffer is full, [`OutcomeLog::record`] waits: no line is
/// dropped.
const MAX_BUFFERED_LINES: usize = 16_384;

/// Folder of the log files and the time for which they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Folder of the log files, created when missing.
    pub dir: PathBuf,
    /// Number of days after which a file that is no longer written to is deleted, when some process opens its log.
    pub keep_days: u32,
}

/// An open outcome log. Dropping it flushes the buffer.
#[derive(Debug)]
pub struct OutcomeLog {
    lines: Mutex<NonBlocking>,
    _flushes_when_dropped: WorkerGuard,
}

impl OutcomeLog {
    /// Opens this process's log in `settings.dir` and deletes old files of all processes. Fails when the folder cannot
    /// be read or written, or an old file cannot be deleted.
    pub fn in_files(settings: &LogSettings) -> io::Result<Self> {
        fs::create_dir_all(&settings.dir)?;
        delete_old(&settings.dir, settings.keep_days)?;
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(format!("outcomes-{}", std::process::id()))
            .filename_suffix("jsonl")
            .build(&settings.dir)
            .map_err(io::Error::other)?;
        let (lines, guard) =
            NonBlockingBuilder::default().lossy(false).buffered_lines_limit(MAX_BUFFERED_LINES).finish(file);
        Ok(Self { lines: Mutex::new(lines), _flushes_when_dropped: guard })
    }

    /// Appends outcomes in order. Write errors are ignored.
    pub fn record(&self, outcomes: &[Outcome]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for outcome in outcomes {
            let mut line = outcome.json();
            line.push('\n');
            // The store keeps the outcomes; a full disk must not stop the jobs.
            let _ = lines.write_all(line.as_bytes());
        }
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
