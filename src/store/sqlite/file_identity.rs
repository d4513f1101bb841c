//! Whether the store's path still leads to the file that was opened. SQLite goes on with a file that was removed or
//! replaced without a word, and what is written there is lost with the last connection.

use crate::store::{Result, StoreError};
use std::path::Path;

/// A file, whatever it is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
}

impl Place {
    /// The file at `path`.
    pub(super) fn of(path: &Path) -> std::io::Result<Self> {
        let found = std::fs::metadata(path)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Self { device: found.dev(), inode: found.ino() })
        }
        #[cfg(not(unix))]
        {
            // An open file can be neither removed nor replaced there.
            let _ = found;
            Ok(Self {})
        }
    }

    /// Whether `path` leads here. Errors: [`StoreError::Unavailable`]: it may be put back.
    pub(super) fn check(self, path: &Path) -> Result<()> {
        let gone = match Self::of(path) {
            Ok(found) if found == self => return Ok(()),
            Ok(_) => "another file is in the database's place; start anew to use that one".to_owned(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "the database file was moved or removed".to_owned()
            }
            Err(error) => format!("the database file cannot be looked at: {error}"),
        };
        Err(StoreError::Unavailable(gone))
    }
}
