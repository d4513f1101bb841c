//! Warnings and errors of the program itself, written to a daily file in the log directory, never to a terminal.

use crate::config::Config;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::LevelFilter;

/// Starts writing diagnostics. The file is created with the first line, so most runs leave none.
pub(super) fn start(config: &Config) {
    let lines = LogWriter(Arc::new(Mutex::new(State::Unopened {
        dir: config.log.dir.clone(),
        keep_days: usize::try_from(config.log.keep_days).unwrap_or(usize::MAX),
    })));
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_target(false)
        .with_max_level(LevelFilter::WARN)
        .with_writer(move || lines.clone())
        .finish();
    // A tracing subscriber that is already set (by a test in the same process) stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

#[derive(Clone)]
struct LogWriter(Arc<Mutex<State>>);

enum State {
    Unopened {
        dir: PathBuf,
        keep_days: usize,
    },
    Open(RollingFileAppender),
    /// The directory cannot be written to. There is no way to report that, so further lines are dropped.
    Unwritable,
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Unopened { dir, keep_days } = &*state {
            // The appender prints on stderr that it cannot read a folder. Later there may be a free descriptor.
            if fs::read_dir(dir).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
                return Ok(line.len());
            }
            let file = RollingFileAppender::builder()
                .rotation(Rotation::DAILY)
                .filename_prefix("quarterdeck")
                .filename_suffix("log")
                .max_log_files((*keep_days).max(1))
                .build(dir);
            *state = file.map_or(State::Unwritable, State::Open);
        }
        match &mut *state {
            // An error, such as that of a full disk, would be printed on stderr.
            State::Open(file) => Ok(file.write(line).unwrap_or(line.len())),
            State::Unopened { .. } | State::Unwritable => Ok(line.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Open(file) => file.flush(),
            State::Unopened { .. } | State::Unwritable => Ok(()),
        }
    }
}
