//! Following of the outcomes, for verbs with `-f`.

use super::exit::CliError;
use super::output::problem;
use super::stop::StopSignals;
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::runner::tail::{TailItem, follow};
use crate::store::Queries;
use std::sync::Arc;

/// Passes the outcomes after `last` to `print` as they are recorded, until a signal to end. A store that does not answer
/// is noted, and read again.
pub(super) async fn follow_outcomes(
    store: Arc<dyn Queries>,
    last: Seq,
    stop: &mut StopSignals,
    mut print: impl AsyncFnMut(&[Outcome]) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut tail = follow(store, last);
    loop {
        tokio::select! {
            tailed = tail.recv() => match tailed {
                Some(TailItem::Outcomes(outcomes)) => print(&outcomes).await?,
                Some(TailItem::Unreachable(error)) => problem(format!("{error}; retrying")),
                None => return Ok(()),
            },
            () = stop.next() => return Ok(()),
        }
    }
}
