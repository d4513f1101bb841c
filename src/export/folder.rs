//! A folder that files are written into. Every name is opened relative to its folder and no link is followed, so nothing
//! outside is read or written, whatever somebody plants below.

use crate::domain::export::{ExportPath, ID_WITHIN, document_of};
use crate::domain::id::DocumentId;
use crate::fault;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Dir, FlockOperation, Mode, OFlags, fchmod, flock, mkdirat, openat, renameat, unlinkat};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Name of a file while it is written, in the folder of its own. One export writes at a time.
const UNFINISHED: &str = ".quarterdeck-new";

/// Permissions of new files and folders.
#[derive(Clone, Copy, Debug)]
pub struct FileModes {
    pub file: Mode,
    pub folder: Mode,
}

impl FileModes {
    /// Returns what a process with this mask of file modes gives to new files.
    pub fn under(mask: Mode) -> Self {
        let all = Mode::RWXU | Mode::RWXG | Mode::RWXO;
        let file = Mode::RUSR | Mode::WUSR | Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH;
        Self { file: file - mask, folder: all - mask }
    }
}

/// Error of a folder as a whole.
#[derive(Debug, Error)]
pub enum FolderError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: another export is writing there", path.display())]
    InUse { path: PathBuf },
}

/// An open folder, locked for one export.
pub struct Folder {
    path: PathBuf,
    root: OwnedFd,
    modes: FileModes,
    /// The folders of the last file, the outermost first: documents that follow each other are often neighbours.
    open: Vec<(String, OwnedFd)>,
}

impl Folder {
    /// Opens the folder at `path`, which is created if it is missing. A link to a folder counts as one.
    pub fn open(path: &Path, modes: FileModes) -> Result<Self, FolderError> {
        let failed = |error: io::Error| FolderError::Io { path: path.to_owned(), error };
        let is_new = !path.exists();
        if is_new {
            std::fs::create_dir_all(path).map_err(failed)?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(path, flags, Mode::empty()).map_err(|error| failed(error.into()))?;
        match flock(&root, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => return Err(FolderError::InUse { path: path.to_owned() }),
            Err(error) => return Err(failed(error.into())),
            Ok(()) => {}
        }
        if is_new {
            fchmod(&root, modes.folder).map_err(|error| failed(error.into()))?;
        }
        Ok(Self { path: path.to_owned(), root, modes, open: Vec::new() })
    }

    /// Returns the error of the folder as a whole for `error`.
    pub(super) fn failed(&self, error: io::Error) -> FolderError {
        FolderError::Io { path: self.path.clone(), error }
    }

    /// Returns true if the folder has entries that are not hidden.
    pub(super) fn has_visible_entries(&self) -> io::Result<bool> {
        for entry in Dir::read_from(&self.root)? {
            if !entry?.file_name().to_bytes().starts_with(b".") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Opens a file of the export itself, which is in the folder; `None` if there is none.
    pub(super) fn read(&self, name: &str) -> io::Result<Option<File>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&self.root, name, flags, Mode::empty()) {
            Ok(file) => Ok(Some(file.into())),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Creates a file of the export itself, in place of an earlier one.
    pub(super) fn create(&self, name: &str) -> io::Result<File> {
        Ok(create(self.root.as_fd(), name, self.modes.file)?)
    }

    /// Gives a file of the export itself its final name.
    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.root, from, &self.root, to)?)
    }

    /// Removes a file of the export itself, if there is one.
    pub(super) fn unlink(&self, name: &str) -> io::Result<()> {
        absent(unlinkat(&self.root, name, AtFlags::empty()))
    }

    /// Flushes everything that was written to the disk.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::syncfs(&self.root)?)
    }

    /// Writes a document's file at once: it has its old text or the new one, whenever the process is killed.
    pub(super) fn write(&mut self, path: &ExportPath, parts: &[&str]) -> io::Result<()> {
        let modes = self.modes;
        let folder = self.folder(path.folders(), true)?;
        let written = create(folder, UNFINISHED, modes.file).map_err(io::Error::from).and_then(|mut file| {
            parts.iter().try_for_each(|part| file.write_all(part.as_bytes()))?;
            fault::point("export_written", path.file());
            Ok(renameat(folder, UNFINISHED, folder, path.file())?)
        });
        if written.is_err() {
            // It may be what has filled the disk.
            let _ = unlinkat(folder, UNFINISHED, AtFlags::empty());
        }
        fault::point("exported", path.file());
        written
    }

    /// Returns the document of a file, by its front matter; `None` if the file is missing or somebody else's.
    pub(super) fn document_of(&mut self, path: &ExportPath) -> io::Result<Option<DocumentId>> {
        // A pipe that somebody has put there would make this process wait.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let folder = match self.folder(path.folders(), false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            folder => folder?,
        };
        let file: File = match openat(folder, path.file(), flags, Mode::empty()) {
            Ok(file) => file.into(),
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut start = Vec::with_capacity(ID_WITHIN);
        file.take(ID_WITHIN as u64).read_to_end(&mut start)?;
        Ok(document_of(&String::from_utf8_lossy(&start)))
    }

    /// Removes a document's file, if it is there, and folders that are empty then.
    pub(super) fn remove(&mut self, path: &ExportPath) -> io::Result<()> {
        let folder = match self.folder(path.folders(), false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folder => folder?,
        };
        absent(unlinkat(folder, path.file(), AtFlags::empty()))?;
        fault::point("unexported", path.file());
        while let Some((name, own)) = self.open.pop() {
            let above = self.open.last().map_or(self.root.as_fd(), |(_, folder)| folder.as_fd());
            // What a killed run has left. A folder that is not empty then stays, with those around it.
            let _ = unlinkat(&own, UNFINISHED, AtFlags::empty());
            if unlinkat(above, &*name, AtFlags::REMOVEDIR).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Opens the folder with these names, one below the other.
    fn folder(&mut self, names: &[String], create: bool) -> io::Result<BorrowedFd<'_>> {
        let common = self.open.iter().zip(names).take_while(|((open, _), name)| open == *name).count();
        self.open.truncate(common);
        for name in &names[common..] {
            let above = self.open.last().map_or(self.root.as_fd(), |(_, folder)| folder.as_fd());
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let folder = match openat(above, &**name, flags, Mode::empty()) {
                Err(Errno::NOENT) if create => {
                    mkdirat(above, &**name, Mode::RWXU)?;
                    let folder = openat(above, &**name, flags, Mode::empty())?;
                    fchmod(&folder, self.modes.folder)?;
                    folder
                }
                folder => folder?,
            };
            self.open.push((name.clone(), folder));
        }
        Ok(self.open.last().map_or(self.root.as_fd(), |(_, folder)| folder.as_fd()))
    }
}

/// Creates a new file in place of a left-over one. Whatever has its name, a link too, is removed and not written to.
fn create(folder: BorrowedFd<'_>, name: &str, mode: Mode) -> rustix::io::Result<File> {
    match unlinkat(folder, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => {}
        Err(error) => return Err(error),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
    fchmod(&file, mode)?;
    Ok(file.into())
}

fn absent(removed: rustix::io::Result<()>) -> io::Result<()> {
    match removed {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
