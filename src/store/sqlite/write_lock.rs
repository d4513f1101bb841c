//! The write lock of a store's file: which process has it, and how long this process has waited for it. SQLite's own
//! time-out says only that somebody has it, and a process that is stopped within a transaction keeps it without limit.
//!
//! The lock is a POSIX lock on the file `-shm` beside the store. That file is only asked for its number: closing it would
//! release all locks that this process has on it.

use super::error::is_busy;
use crate::domain::text::SafeLine;
use crate::store::StoreError;
use crate::store::sql::error::writing;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Offset of the byte of `-shm` that a writer locks (`WAL_WRITE_LOCK` of SQLite's file format).
const WRITE_LOCK_BYTE: u64 = 120;
/// Locks of all processes of this machine, as far as this process may see them.
const LOCKS: &str = "/proc/locks";

/// Process that has the write lock of an SQLite store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteLockHolder {
    pub pid: i32,
    /// Name of its program, at most 15 bytes.
    pub program: SafeLine,
    pub state: ProcessState,
}

/// State of a process, as far as it decides whether a lock will be released.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// Stopped by a signal; SIGCONT continues it.
    Stopped,
    /// Stopped by a debugger.
    Traced,
    /// Waits for a disk.
    Disk,
    /// Runs, or waits for something else.
    Running,
}

impl ProcessState {
    /// Reads the letter of `/proc/PID/stat`.
    fn of_letter(letter: &str) -> Self {
        match letter {
            "T" => Self::Stopped,
            "t" => Self::Traced,
            "D" => Self::Disk,
            _ => Self::Running,
        }
    }

    /// Returns the state in words, for after "which".
    const fn words(self) -> &'static str {
        match self {
            Self::Stopped => "is stopped",
            Self::Traced => "is stopped by a debugger",
            Self::Disk => "waits for the disk",
            Self::Running => "is running",
        }
    }
}

impl WriteLockHolder {
    /// Returns the process that has the write lock of the file at `path`; `None` if no process has it or that cannot be
    /// seen from here, as from another container.
    pub(in crate::store) fn of(path: &Path) -> Option<Self> {
        let mut index = fs::canonicalize(path).ok()?.into_os_string();
        index.push("-shm");
        let index = fs::metadata(index).ok()?;
        let pid = holder(&fs::read_to_string(LOCKS).ok()?, index.dev(), index.ino())?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may have spaces and parentheses in it.
        let (name, fields) = stat.rsplit_once(") ")?;
        let program = SafeLine::new(name.split_once('(')?.1);
        Some(Self { pid, program, state: ProcessState::of_letter(fields.split(' ').next()?) })
    }

    /// Returns a phrase such as `process 4711 (quarterdeck), which is stopped`.
    pub fn describe(&self) -> String {
        format!("process {} ({}), which {}", self.pid, self.program, self.state.words())
    }

    /// Returns the command that makes the process release the lock, if there is one.
    pub fn remedy(&self) -> Option<&'static str> {
        (self.state == ProcessState::Stopped).then_some("`quarterdeck doctor --unblock` continues it")
    }
}

/// Returns the pid of the process that has the write lock, by the text of `/proc/locks` and the numbers of the file
/// `-shm` and its device.
fn holder(locks: &str, device: u64, inode: u64) -> Option<i32> {
    let mut other_device = None;
    for line in locks.lines() {
        // `1: POSIX  ADVISORY  WRITE 4711 08:01:123456 120 120`; a process that waits for a lock has `->` in its line.
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "POSIX", _, "WRITE", pid, file, first, last] = words.as_slice() else { continue };
        let mut parts = file.split(':');
        let (Some(major), Some(minor), Some(number)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let byte = |text: &str| if text == "EOF" { Some(u64::MAX) } else { text.parse().ok() };
        let (Some(first), Some(last), Ok(pid)) = (byte(first), byte(last), pid.parse::<i32>()) else { continue };
        if number.parse() != Ok(inode) || !(first..=last).contains(&WRITE_LOCK_BYTE) || pid <= 0 {
            continue;
        }
        let hex = |text| u32::from_str_radix(text, 16);
        if (hex(major), hex(minor)) == (Ok(rustix::fs::major(device)), Ok(rustix::fs::minor(device))) {
            return Some(pid);
        }
        // Some file systems, such as Btrfs, give a file another device here than to `stat`.
        other_device = Some(pid);
    }
    other_device
}

/// Time for which this process has been waiting for the write lock, over all tries since it last had it.
#[derive(Default)]
pub(super) struct LockWait(Mutex<Option<Instant>>);

impl LockWait {
    /// Records that a try begins, and returns when the first one did.
    pub(super) fn begin(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now)
    }

    /// Records that this process has had the lock.
    pub(super) fn end(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Returns the duration of the wait; `None` if this process does not wait.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }
}

/// Returns the [`StoreError`] for the error of a statement that needs the write lock of the file at `path`, for which
/// this process has waited since `since`.
pub(super) fn lock_error(error: sqlx::Error, path: &Path, since: Instant) -> StoreError {
    match is_busy(&error).then(|| wait_message(path, since.elapsed())).flatten() {
        Some(message) => StoreError::Unavailable(message),
        None => writing(error),
    }
}

/// Returns a message about a wait for the write lock of the file at `path`: who has it, and what to do about it; `None`
/// if nobody seems to have it.
pub(super) fn wait_message(path: &Path, waited: Duration) -> Option<String> {
    let holder = WriteLockHolder::of(path)?;
    let remedy = holder.remedy().map_or(String::new(), |remedy| format!("; {remedy}"));
    Some(format!("it is locked by {}; waited {} s{remedy}", holder.describe(), waited.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "1: FLOCK  ADVISORY  WRITE 9 08:01:77 0 EOF\n\
         2: POSIX  ADVISORY  READ 10 08:01:77 128 128\n\
         2: -> POSIX  ADVISORY  WRITE 11 08:01:77 120 120\n\
         3: POSIX  ADVISORY  WRITE 12 08:01:77 121 121\n\
         4: POSIX  ADVISORY  WRITE 13 08:01:78 120 120\n\
         5: OFDLCK ADVISORY  WRITE -1 08:01:77 120 120\n";

    #[test]
    fn the_holder_is_who_has_the_byte_of_the_writer() {
        let device = rustix::fs::makedev(8, 1);
        assert_eq!(holder(TEXT, device, 77), None, "readers, waiters and other files");
        assert_eq!(holder(TEXT, device, 78), Some(13));
        assert_eq!(holder(TEXT, rustix::fs::makedev(0, 42), 78), Some(13), "Btrfs");
        let both = "1: POSIX ADVISORY WRITE 14 00:2a:78 0 EOF\n2: POSIX ADVISORY WRITE 13 08:01:78 120 122\n";
        assert_eq!(holder(both, device, 78), Some(13), "the file of this device");
        assert_eq!(holder("1: POSIX ADVISORY WRITE 0 08:01:78 120 120\n", device, 78), None, "of another container");
        assert_eq!(holder("nonsense\n1: POSIX ADVISORY WRITE x 08:78 120\n", device, 78), None);
    }

    #[test]
    fn only_a_stopped_process_can_be_continued() {
        let of = |letter| WriteLockHolder {
            pid: 7,
            program: SafeLine::new("quarterdeck"),
            state: ProcessState::of_letter(letter),
        };
        assert_eq!(of("T").describe(), "process 7 (quarterdeck), which is stopped");
        assert!(of("T").remedy().is_some());
        for letter in ["t", "D", "S", "R", "Z", ""] {
            assert_eq!(of(letter).remedy(), None, "{letter}");
        }
    }
}
