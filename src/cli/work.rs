//! `quarterdeck work`: a worker without a screen. Its own outcomes are JSON lines on stdout.

use super::Context;
use super::exit::{CliError, Exit};
use super::join::{Until, start_runner, worker_name};
use super::output::{Output, note};
use super::stop::StopSignals;
use crate::domain::id::Seq;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::text::SafeLine;
use crate::runner::event::Event;
use crate::runner::handle::Handle;
use crate::runner::tail::{Tailed, follow};
use crate::store::Store;
use std::io;
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// End when nothing is running, ready or waiting; exit 1 if a document failed for good
    #[arg(long)]
    pub drain: bool,
    /// Syncs at a time
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.store_for("work").await?;
    // Before anything runs: a signal that comes while we start must drain, too.
    let mut stop = StopSignals::listen()?;
    let before = store.last_seq().await?;
    let until = if args.drain { Until::Idle } else { Until::Told };
    let runner = start_runner(&context.config, store.clone(), until)?;
    let mut own = OwnOutcomes { worker: worker_name(), failed: 0 };
    let printed = print_while_running(&store, &runner, &mut stop, before, &mut own, out).await;
    if printed.is_err() {
        // Nobody reads our lines any more: finish what runs, take nothing new.
        runner.drain();
    }
    runner.ended().await;
    store.close().await;
    printed?;
    Ok(if args.drain && own.failed > 0 { Exit::SomeFailed } else { Exit::Done })
}

/// Prints until the runner has ended and the last of its outcomes is printed.
async fn print_while_running(
    store: &Arc<dyn Store>,
    runner: &Handle,
    stop: &mut StopSignals,
    before: Seq,
    own: &mut OwnOutcomes,
    out: &mut Output,
) -> Result<(), CliError> {
    let mut tail = follow(store.clone(), before);
    let mut events = runner.subscribe();
    let mut seen = before;
    let mut asked = 0_u32;
    let mut listening = true;
    loop {
        tokio::select! {
            tailed = tail.recv() => seen = own.take(tailed, seen, out)?,
            () = runner.ended() => break,
            () = stop.next() => {
                asked += 1;
                match asked {
                    1 => runner.drain(),
                    _ => runner.leave(),
                }
            }
            event = events.recv(), if listening => match event {
                Ok(Event::Trouble { message } | Event::Panicked { message }) => note(message),
                Ok(Event::Reported { report }) => {
                    note(format!("given up: {}: {}", report.exception_class, report.detail));
                }
                Ok(Event::Step { .. } | Event::Ended { .. }) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => listening = false,
            },
        }
    }
    let last = store.last_seq().await?;
    while seen < last {
        tokio::select! {
            tailed = tail.recv() => seen = own.take(tailed, seen, out)?,
            // The database does not answer, and somebody does not want to wait for the last lines.
            () = stop.next() => break,
        }
    }
    Ok(())
}

/// What this process did. Other workers print theirs.
struct OwnOutcomes {
    worker: SafeLine,
    failed: u64,
}

impl OwnOutcomes {
    /// Prints what is ours. The number up to which everything has been seen.
    fn take(&mut self, tailed: Option<Tailed>, seen: Seq, out: &mut Output) -> io::Result<Seq> {
        let outcomes = match tailed {
            Some(Tailed::Outcomes(outcomes)) => outcomes,
            Some(Tailed::Unreachable(error)) => {
                note(format!("{error}; trying again"));
                return Ok(seen);
            }
            None => return Err(io::Error::other("the log of outcomes ended")),
        };
        for outcome in outcomes.iter().filter(|outcome| outcome.worker.as_ref() == Some(&self.worker)) {
            out.line(outcome.json())?;
            self.failed += u64::from(fails_for_good(outcome));
        }
        out.flush()?;
        Ok(outcomes.last().map_or(seen, |last| last.seq))
    }
}

fn fails_for_good(outcome: &Outcome) -> bool {
    outcome.result == OutcomeResult::PermanentFailure || outcome.result.is_exhaustion()
}
