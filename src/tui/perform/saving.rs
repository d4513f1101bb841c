//! Writes files that only their owner can read: a text to a new file, since a file that exists is never written to, and
//! the state that the console keeps.

use super::Shared;
use crate::tui::effect::NewFile;
use crate::tui::model::saved_filters::SavedFilters;
use crate::tui::msg::Msg;
use crate::tui::{saved, state_file};
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Number of names that are tried: the one of the second, and that with a number.
const MAX_NAMES: u32 = 100;

impl Shared {
    /// Writes a file into the working directory, and says where it is.
    pub(super) async fn save(self: Arc<Self>, file: NewFile) {
        let label = file.label.clone();
        let written = spawn_blocking(move || std::env::current_dir().and_then(|folder| write(&folder, &file))).await;
        let answer = match written {
            Ok(Ok(path)) => Ok(format!("saved {label} to {}", path.display())),
            Ok(Err(error)) => Err(format!("{label} cannot be saved in the working directory: {error}")),
            Err(stopped) => Err(format!("{label} cannot be saved: {stopped}")),
        };
        self.send(Msg::CopiedOrOpened(answer)).await;
    }
}

impl Shared {
    /// Changes the saved filters in the console's state file.
    pub(super) async fn keep_filters(self: Arc<Self>, path: PathBuf, filters: SavedFilters) {
        let change = move || {
            let before = state_file::read(&path).unwrap_or_default();
            state_file::write(&path, &saved::with_filters(&before, &filters))
        };
        if let Ok(Err(error)) = spawn_blocking(change).await {
            self.send(Msg::CopiedOrOpened(Err(format!("the filter is not kept: {error}")))).await;
        }
    }
}

/// Writes the file into `folder` under the first of its names that is free, and returns its path.
fn write(folder: &Path, file: &NewFile) -> io::Result<PathBuf> {
    for number in 1..=MAX_NAMES {
        let count = if number == 1 { String::new() } else { format!("-{number}") };
        let path = folder.join(format!("{}{count}.{}", file.stem, file.extension));
        // Fails for a name that exists, also as a symbolic link.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut opened) => {
                opened.write_all(file.text.as_bytes())?;
                opened.sync_all()?;
                return Ok(path);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "all names are taken"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    #[test]
    fn a_file_is_new_private_and_never_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = |text: &str| NewFile {
            stem: "quarterdeck-outcomes".to_owned(),
            extension: "log",
            text: text.to_owned(),
            label: "1 outcome".to_owned(),
        };
        let first = write(folder.path(), &file("one")).expect("a free name");
        assert_eq!(first, folder.path().join("quarterdeck-outcomes.log"));
        assert_eq!(fs::metadata(&first).expect("it exists").permissions().mode() & 0o777, 0o600);
        let elsewhere = folder.path().join("elsewhere");
        symlink(&elsewhere, folder.path().join("quarterdeck-outcomes-2.log")).expect("a link");
        let third = write(folder.path(), &file("two")).expect("a free name");
        assert_eq!(third, folder.path().join("quarterdeck-outcomes-3.log"));
        assert!(!elsewhere.exists(), "a link is not followed");
        assert_eq!(fs::read_to_string(first).expect("it stays"), "one");
        assert_eq!(fs::read_to_string(third).expect("it is written"), "two");
    }
}
