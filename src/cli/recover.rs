//! Lines that a worker of this machine has not written to its outcome files before it died, or because the disk was full:
//! the next process that writes to the same folder appends them to its own file.
//!
//! A file beside the outcome files has the number up to which they are known to be complete, for each store that they
//! are of. Only what was recorded later is compared.

use super::record::OutcomeFiles;
use super::wiring::worker_name;
use crate::domain::filter::Filter;
use crate::domain::id::Seq;
use crate::domain::outcome::{Outcome, OutcomeKind, OutcomeResult};
use crate::domain::time::Timestamp;
use crate::store::{OutcomeQuery, OutcomesFrom, Store, StoreError, WorkerHealth};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Number of outcomes that are read at once.
const BATCH: u64 = 1_000;
/// Wait before the second try, if a worker that has not written all of its lines may still be alive.
const RETRY_AFTER: Duration = Duration::from_secs(10);
/// Number of bytes of a line among which its number is looked for.
const MOST_BEFORE_NUMBER: usize = 256;
/// Time before the last check from which on files are read: a clock may have been set back.
const FILE_MARGIN: Duration = Duration::from_secs(86_400);

/// Appends what dead workers of this machine have not written, in the background.
pub(super) async fn run(store: Arc<dyn Store>, files: Weak<OutcomeFiles>) {
    for wait in [Duration::ZERO, RETRY_AFTER] {
        sleep(wait).await;
        match pass(&*store, &files).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the outcome files of dead workers could not be completed"),
        }
    }
}

/// Difference between the clocks of this machine and of a server that is allowed for.
const CLOCK_MARGIN: Duration = Duration::from_secs(60);

/// Error of a pass.
#[derive(Debug, thiserror::Error)]
enum PassError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Appends what dead workers have not written. Returns true if nothing is left to another pass.
async fn pass(store: &dyn Store, files: &Weak<OutcomeFiles>) -> Result<bool, PassError> {
    let Some(folder) = files.upgrade().map(|files| files.settings().dir.clone()) else { return Ok(true) };
    let last = store.last_seq().await?;
    let Some(checkpoint) = Checkpoint::lock(&folder, &store.id().await?.to_string())? else { return Ok(true) };
    let Some(Progress { complete, at, since }) = checkpoint.read()? else {
        // The first process: there is nothing to compare with.
        checkpoint.write(last)?;
        return Ok(true);
    };
    // Before the files are read, so that those of a dead worker are complete.
    let workers = store.workers().await?.into_iter().filter(|worker| worker.health != WorkerHealth::Gone);
    let mut alive: HashSet<String> = workers.map(|worker| worker.name.to_string()).collect();
    let own = worker_name().to_string();
    let host = own.rsplit_once(':').map_or("", |(host, _)| host).to_owned();
    alive.insert(own);
    let written = spawn_blocking(move || written(&folder, complete, at)).await.map_err(io::Error::other)??;
    let mut known_to = last;
    let mut is_final = true;
    let mut after = complete;
    while after < last {
        let query =
            OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::After(after), limit: BATCH };
        let read = store.outcomes(&query).await?;
        let Some(newest) = read.last() else { break };
        after = newest.seq;
        let missing = read.into_iter().filter(|outcome| {
            let is_compared = outcome.seq <= last && since.is_none_or(|since| outcome.at >= since);
            is_compared && is_of_its_worker(outcome) && !written.contains(&(outcome.seq, outcome.at))
        });
        let mut recovered = Vec::new();
        for outcome in missing {
            let Some(worker) = outcome.worker.as_ref().map(ToString::to_string) else { continue };
            if worker.rsplit_once(':').is_none_or(|(its_host, _)| its_host != host) {
                continue;
            }
            // Whether the line reaches the disk is checked by the next process.
            known_to = known_to.min(Seq(outcome.seq.0 - 1));
            match alive.contains(&worker) {
                true => is_final = false,
                false => recovered.push(outcome),
            }
        }
        if let Some(files) = files.upgrade().filter(|_| !recovered.is_empty()) {
            files.record_recovered(&recovered);
        }
    }
    checkpoint.write(known_to)?;
    Ok(is_final)
}

/// Returns true if the worker that ran the attempt has recorded the outcome itself.
fn is_of_its_worker(outcome: &Outcome) -> bool {
    match outcome.result.kind() {
        OutcomeKind::Success | OutcomeKind::Refused | OutcomeKind::Failure => true,
        OutcomeKind::Exhaustion => outcome.result != OutcomeResult::CrashExhausted,
        OutcomeKind::Lost | OutcomeKind::Cancelled | OutcomeKind::Purged | OutcomeKind::Act => false,
    }
}

/// Returns number and time of the outcomes after `complete` that stand in any file of the folder which was changed since
/// about `at`.
fn written(folder: &Path, complete: Seq, at: SystemTime) -> io::Result<HashSet<(Seq, Timestamp)>> {
    #[derive(Deserialize)]
    struct Key {
        seq: Seq,
        at: Timestamp,
    }
    let mut found = HashSet::new();
    for path in outcome_files(folder, at)? {
        for line in BufReader::new(File::open(path)?).split(b'\n') {
            let line = line?;
            // Nearly all lines of a large folder are older: their numbers are enough.
            if number_of(&line).is_some_and(|seq| seq <= complete) {
                continue;
            }
            // A line that was torn by a kill or a full disk counts as missing.
            if let Ok(Key { seq, at }) = serde_json::from_slice(&line)
                && seq > complete
            {
                found.insert((seq, at));
            }
        }
    }
    Ok(found)
}

/// Returns the number of an outcome's line, read without the rest of it. Before the number stand only fields that this
/// program has written, none of them a text of a page. `None` if the line is another one.
fn number_of(line: &[u8]) -> Option<Seq> {
    const FIELD: &[u8] = br#""seq":"#;
    let at = line.windows(FIELD.len()).take(MOST_BEFORE_NUMBER).position(|bytes| bytes == FIELD)?;
    let digits = line[at + FIELD.len()..].split(|byte| !byte.is_ascii_digit()).next()?;
    std::str::from_utf8(digits).ok()?.parse().ok().map(Seq)
}

fn outcome_files(folder: &Path, at: SystemTime) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let ours = name.to_str().is_some_and(|name| name.starts_with("outcomes-") && name.ends_with(".jsonl"));
        let changed = entry.metadata().and_then(|data| data.modified());
        if ours && changed.is_ok_and(|changed| changed + FILE_MARGIN >= at) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// The file with the number up to which the outcome files are complete, locked by this process.
struct Checkpoint {
    file: File,
    /// True if this process has made the file.
    is_new: bool,
}

/// Contents of the file.
struct Progress {
    /// Number up to which the outcome files are complete.
    complete: Seq,
    /// Time at which the file was written.
    at: SystemTime,
    /// Time before which nothing is compared; `None` if all outcomes after `complete` are.
    since: Option<Timestamp>,
}

impl Checkpoint {
    /// Opens and locks the file for the store with this id; `None` if another process has it locked.
    fn lock(folder: &Path, store: &str) -> io::Result<Option<Self>> {
        let path = folder.join(format!(".outcomes-{store}.complete"));
        let is_new = !path.try_exists()?;
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file, is_new })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns what the file says; `None` if this process has made it. A file without a number was made on a disk that
    /// was full: whatever was recorded since then may be missing.
    fn read(&self) -> io::Result<Option<Progress>> {
        if self.is_new {
            return Ok(None);
        }
        let at = self.file.metadata()?.modified()?;
        let mut text = [0; 20];
        let read = self.file.read_exact_at(&mut text, 0).ok();
        let number = read.and_then(|()| std::str::from_utf8(&text).ok()?.parse().ok());
        let since = number.is_none().then(|| timestamp(at).minus(CLOCK_MARGIN));
        Ok(Some(Progress { complete: Seq(number.unwrap_or(0)), at, since }))
    }

    /// Writes the number in place and in one piece.
    fn write(&self, complete: Seq) -> io::Result<()> {
        self.file.write_all_at(format!("{:020}", complete.0).as_bytes(), 0)
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_line_is_read_without_the_rest() {
        let line = br#"{"document_id":1,"result":"unchanged","at":"2026-11-30T01:12:09Z","seq":21001,"url":"x"}"#;
        assert_eq!(number_of(line), Some(Seq(21_001)));
        assert_eq!(
            number_of(br#"{"document_id":1,"seq":210"#),
            Some(Seq(210)),
            "a torn line has none or a lower one, and counts as missing"
        );
        for other in [&b""[..], b"{}", br#"{"seq":x}"#, br#"{"document_id":1,"at":"2026"#] {
            assert_eq!(number_of(other), None, "{}", String::from_utf8_lossy(other));
        }
    }
}
