//! Ctrl-Z (SIGTSTP) in a verb that writes: a process that is stopped within a transaction keeps SQLite's write lock for as
//! long as it is stopped, and with it every other process from writing. So the process first waits for the end of its
//! transaction. The console has a handler of its own, which also gives the terminal back.

use crate::store::Store;
use rustix::process::{Signal, getpid, kill_process};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{fs, io};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// `SIGTSTP` and `SIGCONT`, for which tokio has no names.
const TSTP: i32 = Signal::TSTP.as_raw();
const CONT: i32 = Signal::CONT.as_raw();
/// Longest time from the signal to the stop. A process that has not been stopped by then cannot be: the first process of
/// a container.
const LONGEST_TO_STOP: Duration = Duration::from_secs(1);

/// Handler of SIGTSTP, from before the store is opened: opening may write, too. After a drop the signal is ignored; the
/// verb has failed then, and the process ends.
pub(super) struct SuspendHandler {
    store: watch::Sender<Option<Weak<dyn Store>>>,
    /// Listens for the signal.
    task: AbortOnDropHandle<()>,
}

impl SuspendHandler {
    /// Installs the handler. Until [`SuspendHandler::between_writes_of`] names the store, a signal waits.
    pub(super) fn install() -> io::Result<Self> {
        let mut signals = signal(SignalKind::from_raw(TSTP))?;
        let (store, mut opened) = watch::channel(None::<Weak<dyn Store>>);
        let task = tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let Ok(store) = opened.wait_for(Option::is_some).await.map(|store| store.clone()) else { return };
                let store = store.and_then(|store| store.upgrade());
                let at_rest = match &store {
                    Some(store) => Some(store.quiesce().await),
                    None => None,
                };
                stop().await;
                drop(at_rest);
            }
        });
        Ok(Self { store, task: AbortOnDropHandle::new(task) })
    }

    /// Lets the process stop between the writes of `store`, for as long as the process runs.
    pub(super) fn between_writes_of(self, store: &Arc<dyn Store>) {
        let _ = self.store.send(Some(Arc::downgrade(store)));
        drop(self.task.detach());
    }
}

/// Stops this process until it is continued. A session leader has no shell that would continue it, and goes on.
async fn stop() {
    if fs::read_to_string("/proc/self/stat").is_ok_and(|stat| is_session_leader(&stat)) {
        return;
    }
    let Ok(mut continued) = signal(SignalKind::from_raw(CONT)) else { return };
    // STOP cannot be caught, and a process may always send it to itself.
    if kill_process(getpid(), Signal::STOP).is_ok() {
        // The kernel stops this thread only a moment after the call, and another one would begin a write meanwhile.
        let _ = timeout(LONGEST_TO_STOP, continued.recv()).await;
    }
}

/// Returns true for the `/proc/PID/stat` of a process that leads its session. The session is 0 where its leader is in
/// another PID namespace, as under `docker exec`; rustix's `getsid` panics there.
fn is_session_leader(stat: &str) -> bool {
    let pid = stat.split_once(' ').map(|(pid, _)| pid);
    // The name in parentheses may have spaces and parentheses in it; after it come state, parent, group and session.
    let session = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(3));
    pid.is_some() && pid == session
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_leader_is_told_from_the_others() {
        assert!(is_session_leader("17 (quarterdeck) S 1 17 17 34816 17 4194304"));
        assert!(is_session_leader("17 (a) b) (c) S 1 17 17 34816 17 4194304"));
        assert!(!is_session_leader("17 (quarterdeck) S 1 17 9 34816 17 4194304"));
        assert!(!is_session_leader("17 (quarterdeck) S 0 0 0 0 -1 4194304"), "a leader of another PID namespace");
        assert!(!is_session_leader(""));
    }
}
