//! Warnings and errors of the program itself, written to a daily file in the log directory, and to stderr only with
//! `--verbose`.

use super::output::{masked, problem};
use crate::config::Config;
use crate::domain::log_level::LogLevel;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::{Layer as _, Registry, fmt, reload};

/// The filter of this process, once it writes diagnostics.
static FILTER: OnceLock<reload::Handle<Targets, Registry>> = OnceLock::new();

/// Starts writing diagnostics. The file is created with the first line, so most runs leave none. With `verbose` of 1 or
/// more, messages of level `info` (2: `debug`, 3: `trace`) go to stderr, too.
pub(super) fn start(config: &Config, verbose: u8) {
    let lines = LogWriter(Arc::new(Mutex::new(State::Unopened {
        dir: config.log.dir.clone(),
        keep_days: usize::try_from(config.log.keep_days).unwrap_or(usize::MAX),
    })));
    let (filter, handle) = reload::Layer::new(filter(config.log.level));
    let layer = fmt::layer().with_ansi(false).with_target(false).with_writer(move || lines.clone());
    let to_stderr = match verbose {
        0 => LogLevel::Off,
        1 => LogLevel::Info,
        2 => LogLevel::Debug,
        _ => LogLevel::Trace,
    };
    let stderr = fmt::layer().with_ansi(false).with_target(false).with_writer(|| Stderr);
    let subscriber = tracing_subscriber::registry()
        .with(layer.with_filter(filter))
        .with(stderr.with_filter(self::filter(to_stderr)));
    // A tracing subscriber that is already set (by a test in the same process) stays.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        let _ = FILTER.set(handle);
    }
    let files = config.log.dir.display();
    tracing::info!(store = masked(&config.store.url), log = %files, "settings_read");
}

/// Standard error for messages, which are made safe for a terminal.
struct Stderr;

impl Write for Stderr {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        problem(String::from_utf8_lossy(line).trim_end());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes messages of `level` and of more severe ones from now on.
pub(super) fn set_level(level: LogLevel) {
    if let Some(handle) = FILTER.get() {
        // Fails only after the subscriber is gone, which lasts as long as the process.
        let _ = handle.reload(filter(level));
    }
}

/// Returns the filter for a level. It holds for messages of this program alone: those of libraries may contain what
/// nobody has masked, such as headers, so only their warnings and errors are written.
fn filter(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    Targets::new().with_default(level.min(LevelFilter::WARN)).with_target(env!("CARGO_CRATE_NAME"), level)
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
