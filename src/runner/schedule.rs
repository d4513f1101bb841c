//! Runs passes of the schedule, which enqueue due documents, and samples each minute. Every runner in service mode requests
//! a pass and a sample every 15 s; a lease in the database lets only one of them act at a time.

use super::event::Event;
use super::settings::Mode;
use super::sinks;
use super::worker::Worker;
use crate::chatwoot::rails_log;
use crate::domain::schedule::{DueRules, Pass, ScheduleSettings};
use crate::store::{PassMode, PassRequest, PassResult, PassTrigger, StoreError};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which each runner requests a pass, and shortest time between two passes, over all processes. (By
/// Chatwoot's rules a pass runs only once a day.)
pub const PASS_INTERVAL: Duration = Duration::from_secs(15);
/// Maximum number of documents that are reported one by one because they cannot be scheduled; further documents are
/// only counted.
const MAX_REPORTED_ROWS: usize = 3;

/// Runs passes until the worker stops; does nothing unless the mode is [`Mode::Service`].
pub(super) async fn run(worker: Arc<Worker>) {
    if !matches!(worker.live().mode, Mode::Service(_)) {
        return;
    }
    let mut ticks = interval(PASS_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = HashSet::new();
    loop {
        tokio::select! {
            () = worker.stops() => return,
            _ = ticks.tick() => {}
        }
        let live = worker.live();
        let Mode::Service(scheduling) = &live.mode else { return };
        let acts = scheduling.acts(worker.store.is_chatwoot_database());
        match pass(&worker, &scheduling.terms, acts).await {
            Ok(PassResult::Completed(passes, problems)) => {
                for pass in &passes {
                    report_pass(&worker, pass);
                }
                for problem in problems.into_iter().filter(|_| acts) {
                    if reported.insert(problem.clone()) {
                        worker.emit(Event::Problem { message: problem.as_str().into() });
                    }
                }
            }
            Ok(PassResult::NotDue | PassResult::LeaseTaken) => {}
            // The claim loop reports the store's failure to the user.
            Err(error) => tracing::warn!(%error, "the schedule's pass failed"),
        }
        sinks::check_conditions(&worker).await;
        if let Err(error) = worker.store.take_sample(&worker.id.0).await {
            tracing::warn!(%error, "the last minute could not be sampled");
        }
    }
}

async fn pass(worker: &Worker, terms: &ScheduleSettings, acts: bool) -> Result<PassResult, StoreError> {
    let order = PassRequest {
        terms,
        only_plan: None,
        trigger: if acts && terms.rules == DueRules::HalfCadence {
            PassTrigger::Daily
        } else {
            PassTrigger::Interval(PASS_INTERVAL)
        },
        mode: if acts { PassMode::Enqueue } else { PassMode::PlansOnly },
        holder: &worker.id.0,
        lease: worker.live().settings.lease,
        seed: seed(),
    };
    worker.store.schedule(&order).await
}

/// Returns a random seed for a pass.
pub fn seed() -> u64 {
    let (first, second) = uuid::Uuid::new_v4().as_u64_pair();
    first ^ second
}

fn report_pass(worker: &Worker, pass: &Pass) {
    if pass.enqueued() > 0 || pass.blocked_at_depth.is_some() || pass.only.is_some() {
        tracing::info!("{}", rails_log::pass_line(pass));
    }
    for row in pass.skipped.iter().take(MAX_REPORTED_ROWS) {
        let message = format!("document {} is not scheduled: {}", row.document, row.reason);
        worker.emit(Event::Problem { message: message.as_str().into() });
    }
    if pass.skipped.len() > MAX_REPORTED_ROWS {
        let message = format!(
            "{} more documents are not scheduled because of their links",
            pass.skipped.len() - MAX_REPORTED_ROWS
        );
        worker.emit(Event::Problem { message: message.as_str().into() });
    }
    for row in &pass.skipped {
        tracing::warn!(document = row.document.0, account = row.account.0, reason = %row.reason, "document_skipped");
    }
}
