//! Lock files, one per worker: the system releases a lock when its process dies, however it dies.

use crate::store::{Result, StoreError};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Age from which a lock file that no process has locked is removed. The owner of a younger one may be about to lock
/// it.
const STRAY_LOCK_AGE: Duration = Duration::from_secs(60);

/// The lock files of a store's workers.
pub(super) struct WorkerLocks {
    folder: PathBuf,
    /// Files that this process has locked, by worker id.
    own: Mutex<HashMap<String, File>>,
}

impl WorkerLocks {
    /// Returns the locks in `folder`, which is created with the first lock.
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        Self { folder, own: Mutex::default() }
    }

    fn own(&self) -> std::sync::MutexGuard<'_, HashMap<String, File>> {
        // Every change is one insertion or removal, so a panic leaves the data consistent.
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, worker: &str) -> Result<PathBuf> {
        // A worker's id names a file, so it must not lead out of the folder.
        if worker.is_empty()
            || !worker.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
            || worker.starts_with('.')
        {
            return Err(StoreError::Refused(format!("invalid worker id {worker:?}")));
        }
        Ok(self.folder.join(worker))
    }

    /// Acquires the lock of `worker` for this process. Errors: [`StoreError::Refused`] if a process has the lock
    /// already, or if the id cannot be a file name.
    pub(super) fn acquire(&self, worker: &str) -> Result<()> {
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

    /// Releases the lock of `worker` and removes its file, if this process has the lock.
    pub(super) fn release(&self, worker: &str) {
        if self.own().remove(worker).is_some()
            && let Ok(path) = self.path(worker)
        {
            // A file that is already gone needs no removal.
            let _ = std::fs::remove_file(path);
        }
    }

    /// Releases all locks of this process. Their files stay, as when a process dies.
    pub(super) fn release_all(&self) {
        self.own().clear();
    }

    /// Returns true if the process of a worker is gone: its lock can be acquired, or its lock file does not exist.
    /// False if that cannot be checked.
    pub(super) fn process_is_gone(&self, worker: &str) -> bool {
        let Ok(path) = self.path(worker) else { return false };
        match OpenOptions::new().write(true).open(&path) {
            Ok(file) => file.try_lock().is_ok(),
            Err(error) => error.kind() == std::io::ErrorKind::NotFound,
        }
    }

    /// Removes the lock files of `dead` workers, and old ones that no process has locked.
    pub(super) fn remove_stray(&self, dead: &[String]) {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        for file in files.flatten() {
            let Ok(name) = file.file_name().into_string() else { continue };
            let old = file
                .metadata()
                .and_then(|data| data.modified())
                .is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STRAY_LOCK_AGE));
            if (old || dead.contains(&name)) && self.process_is_gone(&name) {
                // Another process may have removed the file first.
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}
