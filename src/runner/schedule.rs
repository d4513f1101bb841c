//! Runs passes of the schedule, which enqueue due documents. Every runner tries one every 15 s; a lease in the database
//! lets only one of them act.

use super::event::Event;
use super::settings::Mode;
use super::worker::Worker;
use crate::chatwoot::rails_log;
use crate::domain::schedule::{DueRules, Pass, Terms};
use crate::store::{PassAnswer, PassMode, PassOrder, StoreError, When};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval between two passes, over all processes.
pub const EVERY: Duration = Duration::from_secs(15);
/// Documents that cannot be scheduled and are reported one by one; further ones are only counted.
const TOLD: usize = 3;

/// Runs passes until the worker stops; does nothing unless the mode is [`Mode::Service`].
pub(super) async fn run(worker: Arc<Worker>) {
    let Mode::Service(scheduling) = &worker.mode else { return };
    let acts = scheduling.acts(worker.store.is_chatwoots());
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut said = HashSet::new();
    loop {
        tokio::select! {
            () = worker.ended.cancelled() => return,
            () = worker.drain.cancelled() => return,
            () = worker.leave.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match pass(&worker, &scheduling.terms, acts).await {
            Ok(PassAnswer::Made(passes, troubles)) => {
                for pass in &passes {
                    tell(&worker, pass);
                }
                for trouble in troubles.into_iter().filter(|_| acts) {
                    if said.insert(trouble.clone()) {
                        worker.tell(Event::Trouble { message: trouble.as_str().into() });
                    }
                }
            }
            Ok(PassAnswer::NotYet | PassAnswer::Held) => {}
            // The claim loop reports the store's failure to the user.
            Err(error) => tracing::warn!(%error, "no pass of the schedule"),
        }
    }
}

async fn pass(worker: &Worker, terms: &Terms, acts: bool) -> Result<PassAnswer, StoreError> {
    let order = PassOrder {
        terms,
        only: None,
        when: if acts && terms.rules == DueRules::HalfCadence { When::Daily } else { When::Every(EVERY) },
        mode: if acts { PassMode::Act } else { PassMode::PlansOnly },
        holder: &worker.id.0,
        lease: worker.settings.lease,
        seed: seed(),
    };
    worker.store.schedule(&order).await
}

/// Returns a random seed for a pass.
pub fn seed() -> u64 {
    let (first, second) = uuid::Uuid::new_v4().as_u64_pair();
    first ^ second
}

fn tell(worker: &Worker, pass: &Pass) {
    if pass.enqueued() > 0 || pass.held_back.is_some() || pass.only.is_some() {
        tracing::info!("{}", rails_log::pass_line(pass));
    }
    for row in pass.skipped.iter().take(TOLD) {
        let message = format!("document {} is not scheduled: {}", row.document, row.reason);
        worker.tell(Event::Trouble { message: message.as_str().into() });
    }
    if pass.skipped.len() > TOLD {
        let message = format!("{} more documents are not scheduled for their links", pass.skipped.len() - TOLD);
        worker.tell(Event::Trouble { message: message.as_str().into() });
    }
    for row in &pass.skipped {
        tracing::warn!(document = row.document.0, account = row.account.0, reason = %row.reason, "document_skipped");
    }
}
