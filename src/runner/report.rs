//! Reports of errors that need a person's attention: one per exhausted job, not one per attempt.

use super::event::Event;
use crate::domain::failure::Failure;
use crate::domain::job::ErrorReport;
use crate::domain::text::SafeLine;
use tokio::sync::broadcast;
use tokio::task::JoinError;

/// Sends error reports to the diagnostic log and to the activity list of an attached console.
#[derive(Debug)]
pub(super) struct Reporter {
    events: broadcast::Sender<Event>,
}

impl Reporter {
    /// Creates a reporter that sends to `events`.
    pub(super) fn new(events: broadcast::Sender<Event>) -> Self {
        Self { events }
    }

    /// Reports a job that has used up its attempts through errors of this program or lost workers.
    pub(super) fn report(&self, report: &ErrorReport) {
        tracing::error!(exception_class = %report.exception_class, detail = %report.detail, "a job was given up");
        let _ = self.events.send(Event::Reported { report: report.clone() });
    }
}

/// Converts the error of an attempt's task that ended by a panic or an abort into a failure. A panic is also sent to
/// `events`.
pub(super) fn failure_of_join(error: JoinError, events: &broadcast::Sender<Event>) -> Failure {
    if !error.is_panic() {
        return Failure::unexpected("cancelled", "the attempt's task was stopped from outside");
    }
    let payload = error.into_panic();
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let message = SafeLine::new(&text);
    let _ = events.send(Event::Panicked { message: message.clone() });
    Failure::unexpected("panic", if message.is_empty() { "a panic without a message" } else { &message })
}
