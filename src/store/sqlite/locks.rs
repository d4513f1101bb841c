//! Lock files, one per worker: the system gives a lock back when its process dies, however it dies.

use crate::store::{Result, StoreError};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A lock file without a worker's row is left alone so long: its owner may be about to write the row.
const STRAY: Duration = Duration::from_secs(60);

/// The lock files beside a store.
pub(super) struct Locks {
    folder: PathBuf,
    /// This process's own, held locked.
    own: Mutex<HashMap<String, File>>,
}

impl Locks {
    /// The locks in `folder`, which is made with the first of them.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, own: Mutex::default() }
    }

    fn own(&self) -> std::sync::MutexGuard<'_, HashMap<String, File>> {
        // Every change is one insertion or removal.
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, worker: &str) -> Result<PathBuf> {
        // A worker's id names a file: nothing that could lead out of the folder.
        if worker.is_empty()
            || !worker.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            || worker.starts_with('.')
        {
            return Err(StoreError::Refused(format!("worker id {worker:?}")));
        }
        Ok(self.folder.join(worker))
    }

    /// Takes the lock of `worker` for this process.
    pub(super) fn hold(&self, worker: &str) -> Result<()> {
        let path = self.path(worker)?;
        let unavailable = |error: std::io::Error| StoreError::Unavailable(format!("{}: {error}", path.display()));
        std::fs::create_dir_all(&self.folder).map_err(unavailable)?;
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(unavailable)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => StoreError::Refused(format!("worker {worker} is registered already")),
            TryLockError::Error(error) => unavailable(error),
        })?;
        self.own().insert(worker.to_owned(), lock);
        Ok(())
    }

    /// Lets go of it.
    pub(super) fn let_go(&self, worker: &str) {
        if self.own().remove(worker).is_some()
            && let Ok(path) = self.path(worker)
        {
            // Gone already is as good as removed.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Lets go of all, as the system does when a process dies.
    pub(super) fn leave(&self) {
        self.own().clear();
    }

    /// Whether the process of a worker is gone: its lock can be taken.
    pub(super) fn process_is_gone(&self, worker: &str) -> bool {
        let Ok(path) = self.path(worker) else { return false };
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Removes lock files of the dead, and old ones that no process holds.
    pub(super) fn remove_stray(&self, dead: &[String]) {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        for file in files.flatten() {
            let Ok(name) = file.file_name().into_string() else { continue };
            let old = file
                .metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STRAY));
            if (old || dead.contains(&name)) && self.process_is_gone(&name) {
                // Another rescuer may have been first.
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}
