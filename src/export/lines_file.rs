//! A file of lines that replaces an earlier one at once, when it is complete.

use super::folder::FileModes;
use crate::fault;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A file that is being written under another name. A drop removes it, if it was not published.
pub struct LinesFile {
    target: PathBuf,
    unfinished: PathBuf,
    file: Option<BufWriter<File>>,
}

impl LinesFile {
    /// Begins the file that becomes `target`, in the same folder.
    pub fn create(target: &Path, modes: FileModes) -> io::Result<Self> {
        let name = target.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let unfinished = target.with_file_name(format!(".{}.quarterdeck-new", name.to_string_lossy()));
        // What an earlier process has left, which was killed.
        match fs::remove_file(&unfinished) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.set_permissions(Permissions::from_mode(modes.file.bits()))?;
        Ok(Self { target: target.to_owned(), unfinished, file: Some(BufWriter::new(file)) })
    }

    /// Appends a line, which has its line break.
    pub fn write(&mut self, line: &str) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(line.as_bytes()))
    }

    /// Gives the complete file its name.
    pub fn publish(mut self) -> io::Result<()> {
        if let Some(mut file) = self.file.take() {
            file.flush()?;
            file.get_ref().sync_all()?;
        }
        fault::point("export_written", &self.target.to_string_lossy());
        fs::rename(&self.unfinished, &self.target)
    }
}

impl Drop for LinesFile {
    fn drop(&mut self) {
        // After a success it has another name.
        let _ = fs::remove_file(&self.unfinished);
    }
}
