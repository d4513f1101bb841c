//! `doctor --bundle`: one text file for a bug report, with the version, the machine, the settings, the findings, figures
//! of the store and the last lines of the log. It has no content of pages and no secrets.

use super::CheckContext;
use crate::cli::exit::CliError;
use crate::cli::output::{masked, note};
use crate::config::Config;
use crate::domain::document::Status;
use crate::domain::filter::Filter;
use crate::domain::text::{SafeLine, safe_block};
use crate::domain::time::Timestamp;
use crate::store::{Access, OutcomeQuery, OutcomesFrom, SCHEMA_VERSION, Store, open};
use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Number of lines of the log at the end of the file.
const LOG_LINES: usize = 200;
/// Bytes of the log's end in which these lines are looked for.
const LOG_BYTES: i64 = 256 * 1024;
/// Number of the newest outcomes that are counted.
const OUTCOMES: u64 = 1_000;

/// The file of the report, which is created before the checks run.
pub(super) struct Bundle {
    path: PathBuf,
    file: File,
    text: String,
}

impl Bundle {
    /// Creates the file, readable by its owner alone. Fails if it exists. An empty `path` stands for a name with the time
    /// in the current folder.
    pub(super) fn create(path: &Path) -> Result<Self, CliError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let now = Timestamp::from_micros(i64::try_from(now.as_micros()).unwrap_or(i64::MAX));
        let path = match path.as_os_str().is_empty() {
            false => path.to_owned(),
            true => {
                let time: String = now.rfc3339().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
                PathBuf::from(format!("quarterdeck-bundle-{time}Z.txt"))
            }
        };
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        let refused = |error: io::Error| CliError::Usage(format!("--bundle {}: {error}", path.display()));
        let file = file.map_err(refused)?;
        let mut bundle = Self { path, file, text: String::new() };
        bundle.section("program");
        bundle.line(format_args!("quarterdeck {}, schema version {SCHEMA_VERSION}", env!("CARGO_PKG_VERSION")));
        bundle.line(format_args!("made at {}", now.rfc3339()));
        let system = rustix::system::uname();
        let parts =
            [system.sysname(), system.release(), system.machine()].map(|part| part.to_string_lossy().into_owned());
        bundle.line(format_args!("system {}", parts.join(" ")));
        Ok(bundle)
    }

    /// Adds the heading of the findings, which follow line by line.
    pub(super) fn begin_findings(&mut self, context: &CheckContext) {
        self.settings(context);
        self.section("findings of doctor");
    }

    /// Adds a line, safe to print and with passwords of URLs masked.
    pub(super) fn line(&mut self, line: impl Display) {
        let line = masked(SafeLine::new(&line.to_string()).as_str());
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{line}");
    }

    /// Adds figures of the store and the end of the log, and writes the file.
    pub(super) async fn finish(mut self, context: &CheckContext) -> Result<(), CliError> {
        if let Ok(config) = &context.config {
            self.section("store");
            if let Err(error) = self.store(config).await {
                self.line(format_args!("{error}"));
            }
            self.log(&config.log.dir);
        }
        self.file.write_all(self.text.as_bytes())?;
        self.file.sync_all()?;
        note(format!("written to {}; read it before you send it", self.path.display()));
        Ok(())
    }

    fn section(&mut self, name: &str) {
        let _ = writeln!(self.text, "\n== {name} ==");
    }

    fn settings(&mut self, context: &CheckContext) {
        self.section("settings");
        let (path, _) = Config::file(&context.default_paths, &context.environment, &context.flags);
        self.line(format_args!("file {}", path.display()));
        for line in fs::read_to_string(path).map(|text| Config::listing(&text)).unwrap_or_default() {
            self.line(line);
        }
        let given = [
            ("QUARTERDECK_STORE", &context.environment.store),
            ("QUARTERDECK_REDIS", &context.environment.redis),
            ("--store", &context.flags.store),
            ("--redis", &context.flags.redis),
        ];
        for (variable, key) in context.environment.keys() {
            self.line(format_args!("{variable} sets {key}"));
        }
        for (name, value) in given {
            if let Some(value) = value {
                self.line(format_args!("{name} {value}"));
            }
        }
    }

    async fn store(&mut self, config: &Config) -> Result<(), CliError> {
        let store = open(&config.store.url, Access::ReadOnly).await?;
        let counted = self.counts(&*store).await;
        store.close().await;
        counted
    }

    async fn counts(&mut self, store: &dyn Store) -> Result<(), CliError> {
        self.line(store.label());
        let counts = store.counts().await?;
        for status in Status::ALL {
            self.line(format_args!("documents {}: {}", status.word(), counts.of(status)));
        }
        let figures = store.figures().await?;
        for (class, state, jobs) in &figures.jobs {
            self.line(format_args!("jobs {} {}: {jobs}", class.word(), state.word()));
        }
        self.line(format_args!("workers: {}", figures.workers));
        self.line(format_args!("last outcome: {}", store.last_seq().await?.0));
        let newest =
            OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::Newest, limit: OUTCOMES };
        let mut results = BTreeMap::<String, u64>::new();
        for outcome in store.outcomes(&newest).await? {
            let code = outcome.error_code.map(|code| format!(" {}", code.word())).unwrap_or_default();
            *results.entry(format!("{}{code}", outcome.result.word())).or_default() += 1;
        }
        for (result, count) in results {
            self.line(format_args!("of the last {OUTCOMES} outcomes {result}: {count}"));
        }
        Ok(())
    }

    /// Adds the last lines of the newest log of the program.
    fn log(&mut self, dir: &Path) {
        self.section("log");
        let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        let is_log = |name: &str| name.starts_with("quarterdeck.") && name.ends_with(".log");
        // The names end in the day, so the last one is the newest.
        let newest = entries
            .map(|entry| entry.path())
            .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_log));
        let Some(newest) = newest.max() else { return };
        let Ok(text) = tail(&newest) else { return };
        let lines: Vec<&str> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(LOG_LINES)..] {
            // The detail of an error may quote a page.
            let (line, rest) = line.split_once(" detail=").map_or((*line, ""), |(line, _)| (line, " detail=***"));
            self.line(format_args!("{}{rest}", safe_block(line)));
        }
    }
}

/// Reads the end of a file.
fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    if file.metadata()?.len() > LOG_BYTES.unsigned_abs() {
        file.seek(SeekFrom::End(-LOG_BYTES))?;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
