//! Identity of the opened file, to detect that the store's path no longer leads to it. SQLite silently continues to use
//! a file that was removed or replaced, and what is written there is lost with the last connection.

use crate::store::{Result, StoreError};
use std::path::Path;

/// Identity of a file, independent of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileIdentity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl FileIdentity {
    /// Returns the identity of the file at `path`.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Self { device: found.dev(), inode: found.ino() })
        }
        #[cfg(not(unix))]
        {
            // On such systems an open file can be neither removed nor replaced.
            let _ = found;
            Ok(Self {})
        }
    }

    /// Checks that `path` leads to this file. Errors: [`StoreError::Unavailable`], since the file may be put back.
    pub(super) fn check(self, path: &Path) -> Result<()> {
        let gone = match Self::of(path) {
            Ok(found) if found == self => return Ok(()),
            Ok(_) => {
                "the database file was replaced by another file; restart quarterdeck to use the new one".to_owned()
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "the database file was moved or removed".to_owned()
            }
            Err(error) => format!("the database file cannot be read: {error}"),
        };
        Err(StoreError::Unavailable(gone))
    }
}
