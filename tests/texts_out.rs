//! Tests how texts and their changes leave the store, with the real program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

#[cfg(feature = "faults")]
mod consumer;
mod exporting;
mod following;
mod large;
mod versions;

use std::fs;
use std::path::{Path, PathBuf};

/// Returns the paths of all files below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).unwrap().map(Result::unwrap) {
            let to = if entry.file_type().unwrap().is_dir() { &mut folders } else { &mut found };
            to.push(entry.path());
        }
    }
    found
}
