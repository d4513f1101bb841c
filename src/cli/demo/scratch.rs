//! The demo's temporary directory, removed when the demo ends.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

/// A new directory that only this user can read. It is removed with its contents when this value is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Creates a directory with mode 0700 in the system's temporary directory.
    pub(super) fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("quarterdeck-demo-{}", uuid::Uuid::new_v4()));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot make the demo's directory {}: {error}", path.display()))
        })?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn it_is_private_and_goes_with_its_contents() {
        let scratch = Scratch::create().expect("a directory");
        let path = scratch.path().to_owned();
        std::fs::write(path.join("file"), "x").expect("written");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
