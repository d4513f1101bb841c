//! The file in which the console keeps its state between runs. A file that is missing or damaged is no error: the
//! console then starts as usual.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Largest file that is read, in bytes; the console writes far smaller ones.
const MAX_BYTES: u64 = 1 << 20;

/// Returns the text of the file; `None` if it cannot be read.
pub(super) fn read(path: &Path) -> Option<String> {
    let file = File::open(path).ok().filter(|file| file.metadata().is_ok_and(|about| about.is_file()))?;
    let mut text = String::new();
    file.take(MAX_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

/// Replaces the file at once. Only its owner can read it and its folder, since filters may name customers.
pub(super) fn write(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidFilename)?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = path.with_extension(format!("{}.new", std::process::id()));
    // One that a process of the same number has left.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    drop(file);
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_file_is_private_replaced_at_once_and_its_absence_no_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("console/of-a-store.json");
        assert_eq!(read(&path), None);
        write(&path, "one").expect("a folder is made");
        write(&path, "two").expect("it is replaced");
        assert_eq!(read(&path).as_deref(), Some("two"));
        let mode = |path: &Path| fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(&folder.path().join("console"))), (0o600, 0o700));
        assert_eq!(fs::read_dir(folder.path().join("console")).expect("a folder").count(), 1);
        assert_eq!(read(folder.path()), None, "a folder is no file");
    }
}
