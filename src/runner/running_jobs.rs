//! Registry of the jobs that this process runs, each with a channel to stop it.
//!
//! The heartbeat renews exactly these leases, never all leases of this worker: if a claim commits but its answer is
//! lost, nobody runs its job, and its lease must expire.

use crate::store::JobLease;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Reason to stop a running attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A person requested a cancel; the job ends `cancelled`.
    Cancel,
    /// The process ends or must not go on; the job is released.
    Release,
    /// The lease is lost: nothing may be written.
    Lost,
}

/// Registry of running jobs. A std mutex suffices: it is locked for short accesses, never across an await.
#[derive(Debug, Default)]
pub(super) struct RunningJobs {
    jobs: Mutex<HashMap<JobLease, RunningJob>>,
}

#[derive(Debug)]
struct RunningJob {
    stop: watch::Sender<Option<Stop>>,
    /// True once the page was fetched, while the result is being written.
    is_writing: bool,
    /// True once the write of the result has failed; it is repeated.
    write_failed: bool,
}

impl RunningJobs {
    /// Adds a claimed job. The returned receiver gets the reason to stop.
    pub(super) fn insert(&self, lease: JobLease) -> watch::Receiver<Option<Stop>> {
        let (stop, receiver) = watch::channel(None);
        self.lock().insert(lease, RunningJob { stop, is_writing: false, write_failed: false });
        receiver
    }

    /// Notes that the result of a job is being written: its attempt fetches nothing any more.
    pub(super) fn note_writing(&self, lease: JobLease) {
        if let Some(job) = self.lock().get_mut(&lease) {
            job.is_writing = true;
        }
    }

    /// Notes that the result of a job could not be written; the write is repeated.
    pub(super) fn note_write_failure(&self, lease: JobLease) {
        if let Some(job) = self.lock().get_mut(&lease) {
            job.write_failed = true;
        }
    }

    /// Returns true while a result waits that could not be written.
    pub(super) fn has_unwritten(&self) -> bool {
        self.lock().values().any(|job| job.write_failed)
    }

    /// Removes a job whose attempt has ended.
    pub(super) fn remove(&self, lease: JobLease) {
        self.lock().remove(&lease);
    }

    /// Stops one attempt. The first reason stays, except that [`Stop::Lost`] replaces any other reason.
    pub(super) fn stop(&self, lease: JobLease, why: Stop) {
        if let Some(job) = self.lock().get(&lease) {
            send_stop(&job.stop, why);
        }
    }

    /// Stops every attempt, by the rule of [`stop`](Self::stop).
    pub(super) fn stop_all(&self, why: Stop) {
        for job in self.lock().values() {
            send_stop(&job.stop, why);
        }
    }

    /// Returns the leases of all running jobs.
    pub(super) fn all(&self) -> Vec<JobLease> {
        self.lock().keys().copied().collect()
    }

    /// Returns the number of running jobs.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    /// Returns the number of running jobs whose page is not fetched yet.
    pub(super) fn fetching(&self) -> usize {
        self.lock().values().filter(|job| !job.is_writing).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<JobLease, RunningJob>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn send_stop(sender: &watch::Sender<Option<Stop>>, why: Stop) {
    sender.send_if_modified(|current| {
        let changed = current.is_none() || (why == Stop::Lost && *current != Some(Stop::Lost));
        if changed {
            *current = Some(why);
        }
        changed
    });
}

/// Waits for a reason to stop.
pub(super) async fn wait_for_stop(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stop.wait_for(Option::is_some).await {
        Ok(current) => current.unwrap_or(Stop::Lost),
        // The registry has no such job, so nobody renews its lease.
        Err(_) => Stop::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{JobId, Token};

    #[tokio::test]
    async fn the_first_word_stands_and_a_loss_outranks_it() {
        let lease = JobLease { job_id: JobId(1), token: Token(1) };
        let jobs = RunningJobs::default();
        let mut stop = jobs.insert(lease);
        jobs.stop(lease, Stop::Cancel);
        jobs.stop_all(Stop::Release);
        assert_eq!(wait_for_stop(&mut stop).await, Stop::Cancel);
        jobs.stop(lease, Stop::Lost);
        jobs.stop(lease, Stop::Cancel);
        assert_eq!(wait_for_stop(&mut stop).await, Stop::Lost);
        assert_eq!((jobs.all(), jobs.len(), jobs.fetching()), (vec![lease], 1, 1));
        jobs.note_writing(lease);
        assert_eq!((jobs.len(), jobs.fetching()), (1, 0));
        assert!(!jobs.has_unwritten());
        jobs.note_write_failure(lease);
        assert!(jobs.has_unwritten());
        jobs.remove(lease);
        assert!(!jobs.has_unwritten());
        assert_eq!(wait_for_stop(&mut stop).await, Stop::Lost);
    }
}
