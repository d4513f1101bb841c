//! `quarterdeck copy`: moves a store to another database. The copy has everything but the jobs, under the same numbers,
//! and is verified. A copy that was interrupted goes on when the verb is run again.

use super::confirm::agreed;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, masked, note};
use super::progress::{REDRAW_INTERVAL, Redraw, time_left};
use super::stop::StopSignals;
use crate::format;
use crate::store::{self, Access, CopyPhase, CopyProgress, CopyRequest, WorkerHealth};
use serde::Serialize;
use std::time::{Duration, Instant};

/// Arguments of `copy`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Store to copy: sqlite:PATH or postgres://USER@HOST/DATABASE
    #[arg(long, value_name = "URL")]
    pub from: String,
    /// Empty store to fill. An SQLite file is created, a PostgreSQL database is set up by `migrate --standalone` before
    #[arg(long, value_name = "URL")]
    pub to: String,
    /// Do not ask for confirmation while workers use the store to copy
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct CopyJson {
    documents: u64,
    outcomes: u64,
    rows: u64,
    rows_found: u64,
    was_complete: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    context.ensure_writable("copy")?;
    if args.from == args.to {
        return Err(CliError::Usage("--from and --to name the same store".to_owned()));
    }
    if !warn_of_workers(args).await? {
        return Ok(Exit::Done);
    }
    let mut stop = StopSignals::listen()?;
    let address = masked(&args.from);
    let request = CopyRequest { from: &args.from, to: &args.to, address: &address };
    let mut line = PhaseLine::start();
    let mut report = |progress: CopyProgress| line.report(progress);
    let copied = tokio::select! {
        copied = store::copy(request, &mut report) => copied?,
        () = stop.next() => {
            note("interrupted: the same command goes on from here; until then the new store cannot be used");
            return Ok(Exit::Interrupted);
        }
    };
    drop(line);
    if args.json {
        out.json(&CopyJson {
            documents: copied.documents,
            outcomes: copied.outcomes,
            rows: copied.rows,
            rows_found: copied.found,
            was_complete: copied.was_complete,
        })?;
    } else if copied.was_complete {
        out.confirmation("nothing to do: it is a copy of this store already")?;
    } else {
        let (documents, outcomes) = (copied.documents, copied.outcomes);
        out.confirmation(format!(
            "copied {} and {}, and verified {}",
            format::count(documents, "document"),
            format::count(outcomes, "outcome"),
            format::count(copied.rows, "row")
        ))?;
    }
    Ok(Exit::Done)
}

/// Progress of the phase that a copy is in. The line goes when this is dropped.
struct PhaseLine {
    /// The phase, its start, and the number of rows at that time.
    phase: Option<(CopyPhase, Instant, u64)>,
    redraw: Redraw,
}

impl PhaseLine {
    fn start() -> Self {
        Self { phase: None, redraw: Redraw::after(REDRAW_INTERVAL) }
    }

    fn report(&mut self, progress: CopyProgress) {
        let now = Instant::now();
        let (phase, since, before) = self.phase.unwrap_or((progress.phase, now, progress.rows));
        let (since, before) = if phase == progress.phase { (since, before) } else { (now, progress.rows) };
        self.phase = Some((progress.phase, since, before));
        self.redraw.draw(|| progress_line(&progress, progress.rows.saturating_sub(before), now - since));
    }
}

/// Returns the line for a phase that is through with `done` rows since `elapsed`: with rate and time left.
fn progress_line(progress: &CopyProgress, done: u64, elapsed: Duration) -> String {
    let verb = match progress.phase {
        CopyPhase::Comparing => "comparing",
        CopyPhase::Copying => "copying",
        CopyPhase::Verifying => "verifying",
    };
    let of = format!("{verb}: {} of {} rows", format::number(progress.rows), format::number(progress.total));
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    if done == 0 {
        return of;
    }
    format!("{of}  {rate:.0}/s  {}", time_left(progress.total.saturating_sub(progress.rows), rate))
}

/// Asks whether a store that workers use is copied all the same. Returns false if it is not.
async fn warn_of_workers(args: &Args) -> Result<bool, CliError> {
    let source = store::open(&args.from, Access::Read).await?;
    let workers = source.workers().await;
    source.close().await;
    let live: Vec<_> = workers?.into_iter().filter(|worker| worker.health != WorkerHealth::Gone).collect();
    let Some(first) = live.first() else { return Ok(true) };
    let question = format!(
        "{} ({}) use the store that is copied: what they change from now on is not in the copy, and both stores give \
         the same numbers to other outcomes. Copy all the same?",
        format::count(live.len() as u64, "worker"),
        first.name
    );
    agreed(args.yes, &question)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_has_rate_and_time_left() {
        let progress = CopyProgress { phase: CopyPhase::Copying, rows: 3_000, total: 9_000 };
        let line = progress_line(&progress, 2_000, Duration::from_secs(2));
        assert_eq!(line, "copying: 3,000 of 9,000 rows  1000/s  6 s left");
        assert_eq!(progress_line(&progress, 0, Duration::ZERO), "copying: 3,000 of 9,000 rows");
    }
}
