//! Registry of the jobs that this process runs, each with the means to stop it.
//!
//! The heartbeat renews exactly these leases, never "everything of this worker": a claim that committed while its
//! answer was lost on the way runs nowhere, and its lease must expire.

use crate::store::Held;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// Why a running attempt is to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Somebody asked; ends `cancelled`.
    Cancel,
    /// The process leaves; the job is given back.
    Release,
    /// The lease is not ours any more: nothing may be written.
    Lost,
}

/// The registry. A std mutex: held for a look-up, never across an await.
#[derive(Debug, Default)]
pub(super) struct HeldJobs {
    jobs: Mutex<HashMap<Held, watch::Sender<Option<Stop>>>>,
}

impl HeldJobs {
    /// Takes a claimed job in; the receiver tells its attempt to stop.
    pub(super) fn take(&self, held: Held) -> watch::Receiver<Option<Stop>> {
        let (sender, receiver) = watch::channel(None);
        self.lock().insert(held, sender);
        receiver
    }

    /// The attempt is over.
    pub(super) fn drop_job(&self, held: Held) {
        self.lock().remove(&held);
    }

    /// Tells one attempt to stop. A loss outranks what was said before; otherwise the first word stands.
    pub(super) fn stop(&self, held: Held, why: Stop) {
        if let Some(sender) = self.lock().get(&held) {
            tell(sender, why);
        }
    }

    /// Tells every attempt to stop.
    pub(super) fn stop_all(&self, why: Stop) {
        for sender in self.lock().values() {
            tell(sender, why);
        }
    }

    /// Everything that is held now.
    pub(super) fn all(&self) -> Vec<Held> {
        self.lock().keys().copied().collect()
    }

    /// Returns the number of running jobs.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Held, watch::Sender<Option<Stop>>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(sender: &watch::Sender<Option<Stop>>, why: Stop) {
    sender.send_if_modified(|said| {
        let heard = said.is_none() || (why == Stop::Lost && *said != Some(Stop::Lost));
        if heard {
            *said = Some(why);
        }
        heard
    });
}

/// Waits until the attempt is told to stop.
pub(super) async fn told(stop: &mut watch::Receiver<Option<Stop>>) -> Stop {
    match stop.wait_for(Option::is_some).await {
        Ok(said) => said.unwrap_or(Stop::Lost),
        // The registry forgot the job: nobody renews its lease any more.
        Err(_) => Stop::Lost,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{JobId, Token};

    #[tokio::test]
    async fn the_first_word_stands_and_a_loss_outranks_it() {
        let held = Held { job_id: JobId(1), token: Token(1) };
        let jobs = HeldJobs::default();
        let mut stop = jobs.take(held);
        jobs.stop(held, Stop::Cancel);
        jobs.stop_all(Stop::Release);
        assert_eq!(told(&mut stop).await, Stop::Cancel);
        jobs.stop(held, Stop::Lost);
        jobs.stop(held, Stop::Cancel);
        assert_eq!(told(&mut stop).await, Stop::Lost);
        assert_eq!((jobs.all(), jobs.len()), (vec![held], 1));
        jobs.drop_job(held);
        assert_eq!(told(&mut stop).await, Stop::Lost);
    }
}
