//! The outcome log as files: one JSON line per outcome that this process recorded, one file per day (UTC) and process.

use crate::domain::log_level::LogLevel;
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};

/// Maximum number of lines buffered for a slow disk. When the buffer is full, [`OutcomeLog::record`] waits: no line is
/// dropped.
const MAX_BUFFERED_LINES: usize = 16_384;

/// Folder of the log files, the time for which they are kept, and the level of the program's own messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// Folder of the log files, created when missing.
    pub dir: PathBuf,
    /// Number of days after which a file that is no longer written to is deleted, when some process opens its log.
    pub keep_days: u32,
    /// Least severe messages of the program itself that are written.
    pub level: LogLevel,
}

/// An open outcome log. Dropping it flushes the buffer.
#[derive(Debug)]
pub struct OutcomeLog {
    lines: Mutex<NonBlocking>,
    _flushes_when_dropped: WorkerGuard,
}

impl OutcomeLog {
    /// Opens this process's log in `settings.dir` and deletes old files of all processes. `problem` gets the error of a
    /// file that cannot be written, and `None` once it can be again. Fails when the folder cannot be read or written, or
    /// an old file cannot be deleted.
    pub fn in_files(settings: &LogSettings, problem: watch::Sender<Option<SafeLine>>) -> io::Result<Self> {
        fs::create_dir_all(&settings.dir)?;
        let now = SystemTime::now();
        delete_old(&settings.dir, settings.keep_days, now)?;
        let file = RollingFileAppender::builder()
            .rotation(Rotation::DAILY)
            .filename_prefix(format!("outcomes-{}", std::process::id()))
            .filename_suffix("jsonl")
            .build(&settings.dir)
            .map_err(io::Error::other)?;
        let cleanup = Some(DailyCleanup { settings: settings.clone(), day: day_of(now) });
        let file = LineFile { file, problem, is_torn: false, cleanup };
        let (lines, guard) =
            NonBlockingBuilder::default().lossy(false).buffered_lines_limit(MAX_BUFFERED_LINES).finish(file);
        Ok(Self { lines: Mutex::new(lines), _flushes_when_dropped: guard })
    }

    /// Appends outcomes in order. A file that cannot be written is reported, and stops nothing.
    pub fn record(&self, outcomes: &[Outcome]) {
        self.append(outcomes.iter().map(Outcome::json));
    }

    /// Appends outcomes of dead processes, marked as `recovered`.
    pub fn record_recovered(&self, outcomes: &[Outcome]) {
        self.append(outcomes.iter().map(|outcome| {
            let mut line = outcome.json();
            line.truncate(line.len().saturating_sub(1));
            line + ",\"recovered\":true}"
        }));
    }

    fn append(&self, all: impl Iterator<Item = String>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        for mut line in all {
            line.push('\n');
            // The store keeps the outcomes; a full disk must not stop the jobs.
            let _ = lines.write_all(line.as_bytes());
        }
    }
}

/// A file of lines that reports when it cannot be written.
struct LineFile<W> {
    file: W,
    problem: watch::Sender<Option<SafeLine>>,
    /// The last write failed within a line, which the next one must not continue.
    is_torn: bool,
    cleanup: Option<DailyCleanup>,
}

/// Deletes old files once a day, for a process that runs for longer than they are kept.
struct DailyCleanup {
    settings: LogSettings,
    /// Day of the last deletion.
    day: u64,
}

impl DailyCleanup {
    /// Deletes old files of all processes, unless it was done on this day.
    fn run(&mut self, now: SystemTime) {
        if std::mem::replace(&mut self.day, day_of(now)) != day_of(now) {
            // What cannot be deleted now is deleted tomorrow, and is no reason to lose a line.
            let _ = delete_old(&self.settings.dir, self.settings.keep_days, now);
        }
    }
}

/// Returns the number of a day, UTC.
fn day_of(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs() / 86_400)
}

impl<W: Write> LineFile<W> {
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        if self.is_torn {
            self.file.write_all(b"\n")?;
            self.is_torn = false;
        }
        let mut rest = line;
        while !rest.is_empty() {
            match self.file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.is_torn = rest.len() < line.len();
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

impl<W: Write> Write for LineFile<W> {
    /// Writes one whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if let Some(cleanup) = &mut self.cleanup {
            cleanup.run(SystemTime::now());
        }
        let written = self.write_line(line);
        let problem = written.as_ref().err().map(|error| SafeLine::new(&error.to_string()));
        self.problem.send_if_modified(|known| {
            let changed = *known != problem;
            *known = problem;
            changed
        });
        written.map(|()| line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Deletes the outcome files of all processes, also of dead ones, to which nothing was written for `keep_days` days.
fn delete_old(dir: &Path, keep_days: u32, now: SystemTime) -> io::Result<()> {
    let keep = Duration::from_secs(u64::from(keep_days) * 86_400);
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;

    /// A disk with space for some bytes.
    struct Disk {
        written: Vec<u8>,
        space: usize,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let fits = bytes.len().min(self.space);
            if fits == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            self.space -= fits;
            self.written.extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_process_that_runs_for_long_deletes_old_files_of_all_processes_once_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let written = |name: &str, day: u64| {
            let path = folder.path().join(name);
            fs::write(&path, "{}").unwrap();
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400);
            fs::File::open(&path).unwrap().set_modified(at).unwrap();
            path
        };
        let day = |day: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(day * 86_400 + 3_600);
        let settings = LogSettings { dir: folder.path().to_owned(), keep_days: 14, level: LogLevel::default() };
        let mut cleanup = DailyCleanup { settings, day: 20_000 };
        let of_a_dead_worker = written("outcomes-77.2024-10-01.jsonl", 19_990);
        let another = written("quarterdeck.log", 1);
        cleanup.run(day(20_000));
        cleanup.run(day(20_003));
        assert!(of_a_dead_worker.exists(), "13 days old");
        cleanup.run(day(20_005));
        assert!(!of_a_dead_worker.exists() && another.exists());
        let later = written("outcomes-78.2024-10-01.jsonl", 19_980);
        cleanup.run(day(20_005));
        assert!(later.exists(), "once a day");
    }

    #[test]
    fn a_full_disk_is_reported_and_its_torn_line_is_ended() {
        let (problem, problems) = watch::channel(None);
        let mut file =
            LineFile { file: Disk { written: Vec::new(), space: 6 }, problem, is_torn: false, cleanup: None };
        assert!(file.write(b"one\n").is_ok() && problems.borrow().is_none());
        assert!(file.write(b"two\n").is_err() && problems.borrow().is_some());
        assert!(file.write(b"three\n").is_err());
        file.file.space = 100;
        assert!(file.write(b"four\n").is_ok() && problems.borrow().is_none());
        assert_eq!(String::from_utf8_lossy(&file.file.written), "one\ntw\nfour\n");
    }
}
