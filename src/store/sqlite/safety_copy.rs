//! Copy of a store before it is migrated or replaced: in the same folder, complete and flushed to disk before the store
//! is changed. Only the newest copy is kept.

use super::connect::Connector;
use super::file_copy;
use crate::domain::time::Timestamp;
use crate::fault;
use crate::store::{Result, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// Suffix of a copy's name.
const COPY_SUFFIX: &str = ".backup";
/// Suffix of the name of an incomplete copy.
const UNFINISHED_SUFFIX: &str = ".backup.tmp";
/// Suffix of the journal that SQLite keeps while it writes an incomplete copy.
const JOURNAL_SUFFIX: &str = ".backup.tmp-journal";

/// What happens to the store after it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CopyPurpose {
    Migration,
    Restore,
}

impl CopyPurpose {
    const fn before(self) -> &'static str {
        match self {
            Self::Migration => "before a migration",
            Self::Restore => "before a backup replaces the store",
        }
    }

    /// Returns advice for a copy that cannot be made.
    const fn workaround(self) -> &'static str {
        match self {
            Self::Migration => "copy the store elsewhere and run `quarterdeck migrate --no-backup`",
            Self::Restore => "copy the store elsewhere and restore with --no-backup",
        }
    }
}

/// A copy that is about to be written.
pub(super) struct SafetyCopy {
    store: PathBuf,
    folder: PathBuf,
    target: PathBuf,
    unfinished: PathBuf,
    purpose: CopyPurpose,
}

impl SafetyCopy {
    /// Prepares the copy of the store, which has the schema version `version` and a size of `bytes`; the copy's name
    /// contains that version and the time `now`. Until the store is changed, the caller must have its write lock.
    pub(super) fn begin(
        connect: &Connector,
        version: i64,
        bytes: u64,
        now: Timestamp,
        purpose: CopyPurpose,
    ) -> Result<Self> {
        let store = connect.path().to_owned();
        let target = connect.with_suffix(&format!(".v{version}.{}{COPY_SUFFIX}", stamp(now)));
        let unfinished = connect.with_suffix(&format!(".v{version}.{}{UNFINISHED_SUFFIX}", stamp(now)));
        let folder = store.parent().unwrap_or(Path::new("/")).to_owned();
        let copy = Self { store, folder, target, unfinished, purpose };
        copy.remove_unfinished();
        let (before, workaround) = (purpose.before(), purpose.workaround());
        file_copy::check_free_space(&copy.folder, bytes).map_err(|why| {
            StoreError::Unusable(format!(
                "not enough disk space for the copy that is made {before}: {why}; free some space, or {workaround}"
            ))
        })?;
        fault::point("before_copy", "");
        Ok(copy)
    }

    /// Writes the copy and returns its path.
    pub(super) async fn write(self, connect: &Connector) -> Result<PathBuf> {
        let made = file_copy::write(connect, &self.unfinished).await;
        self.end(made)
    }

    /// Does the same by `vacuum`, for a caller whose connection has locked the store for itself.
    pub(super) fn write_by(self, vacuum: impl FnOnce(&str) -> std::result::Result<(), String>) -> Result<PathBuf> {
        let made = file_copy::write_by(&self.store, &self.unfinished, vacuum);
        self.end(made)
    }

    fn end(self, made: std::result::Result<(), String>) -> Result<PathBuf> {
        if let Err(why) = made {
            // An incomplete copy is useless, and may be what filled the disk.
            self.remove_unfinished();
            return Err(self.failed(&self.unfinished, &why));
        }
        fault::point("copy_written", "");
        file_copy::publish(&self.folder, &self.unfinished, &self.target)
            .map_err(|error| self.failed(&self.target, &error.to_string()))?;
        fault::point("copied", "");
        self.remove_copies(COPY_SUFFIX, Some(&self.target));
        Ok(self.target)
    }

    fn failed(&self, path: &Path, why: &str) -> StoreError {
        StoreError::Unusable(format!(
            "the copy that is made {} cannot be written ({}: {why}), and the store was not changed; free some space, or \
             {}",
            self.purpose.before(),
            path.display(),
            self.purpose.workaround()
        ))
    }

    /// Removes incomplete copies, left by a process that was killed or by a failure.
    fn remove_unfinished(&self) {
        for kind in [UNFINISHED_SUFFIX, JOURNAL_SUFFIX] {
            self.remove_copies(kind, None);
        }
    }

    /// Removes this store's copies whose names have the suffix `kind`, except `kept`. A copy that cannot be removed only
    /// takes space.
    fn remove_copies(&self, kind: &str, kept: Option<&Path>) {
        let Some(name) = self.store.file_name().and_then(|name| name.to_str()) else { return };
        for file in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let (path, found) = (file.path(), file.file_name());
            let end = found.to_str().and_then(|found| found.strip_prefix(name));
            if end.is_some_and(|end| is_copy(end, kind)) && kept != Some(&path) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Formats a time (UTC) as `20261128T101112Z`, so that names with it sort by time.
fn stamp(at: Timestamp) -> String {
    let text = at.rfc3339();
    let seconds = text.split('.').next().unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

/// Returns true if a file is a copy of the store, by `end`, the part of its name after the store's name:
/// `.v8.20261128T101112Z` followed by the suffix `kind`.
fn is_copy(end: &str, kind: &str) -> bool {
    let Some((version, stamp)) = end.strip_prefix(".v").and_then(|end| end.strip_suffix(kind)?.split_once('.')) else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let at = stamp.strip_suffix('Z').and_then(|stamp| stamp.split_once('T'));
    digits(version) && at.is_some_and(|(day, time)| (day.len(), time.len()) == (8, 6) && digits(day) && digits(time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_known_by_their_names_and_other_files_are_not() {
        let at = stamp(Timestamp::from_micros(1_764_000_000_000_000));
        assert_eq!(at, "20251124T160000Z");
        assert!(is_copy(&format!(".v8.{at}.backup"), COPY_SUFFIX));
        assert!(is_copy(&format!(".v8.{at}.backup.tmp"), UNFINISHED_SUFFIX));
        assert!(is_copy(&format!(".v8.{at}.backup.tmp-journal"), JOURNAL_SUFFIX));
        for other in [
            "",
            "-wal",
            ".workers",
            ".backup",
            ".v8.backup",
            ".v8.monday.backup",
            ".v.20251124T160000Z.backup",
            ".vx.20251124T160000Z.backup",
            ".v8.20251124T16000Z.backup",
            ".v8.20251124T160000Z.backup.mine",
        ] {
            assert!(!is_copy(other, COPY_SUFFIX) && !is_copy(other, UNFINISHED_SUFFIX), "{other}");
        }
    }
}
