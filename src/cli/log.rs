//! `quarterdeck log`: prints outcomes, oldest first, and with `-f` also new ones as they are recorded.

use super::context::Context;
use super::cursor::After;
use super::exit::{CliError, Exit};
use super::follow::follow_outcomes;
use super::outcome_line::{self, Format};
use super::output::{Output, note};
use super::selection::read_filter;
use super::since::Since;
use super::stop::StopSignals;
use crate::domain::filter::{Filter, Subject};
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::store::{OutcomeQuery, OutcomesFrom, Queries, StoreError};
use jiff::tz::TimeZone;
use std::sync::Arc;

/// Maximum number of outcomes read by one query.
const BATCH: u64 = 1_000;

/// Arguments of `log`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Follow new outcomes until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only outcomes since then: 2h ago, today, yesterday, 2026-11-25, or "2026-11-25 14:02:31" in local time
    #[arg(long, value_name = "WHEN")]
    pub since: Option<String>,
    /// Only outcomes after this position: the number of an outcome, or a cursor
    #[arg(long, value_name = "SEQ|CURSOR", conflicts_with = "since")]
    pub after: Option<After>,
    /// Only outcomes that match this filter
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Only the newest N outcomes; with --after, the first N
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let filter = read_filter(args.filter.as_deref().unwrap_or_default(), Subject::Outcomes)?;
    let since = args.since.as_deref().map(Since::parse).transpose()?;
    let store = context.readable_store().await?;
    let zone = TimeZone::system();
    let printer = Printer {
        format: if args.json { Format::Json } else { args.format },
        since: since.map(|since| since.resolve(store.now(), &zone)),
        zone,
        filter,
    };
    // Outcomes up to this number are printed now; with `--follow`, later ones are printed afterwards.
    let history = store.history().await?;
    let last = history.last;
    let after = args.after.as_ref().map(|after| after.position(&history)).transpose()?;
    let printed = match (after, args.limit) {
        (Some(after), limit) => {
            let most = limit.unwrap_or(u64::MAX);
            let printed = printer.stored(&*store, Seq(after.seq), last, most, out).await?;
            if limit == Some(printed) {
                store.close().await;
                return Ok(Exit::Done);
            }
            printed
        }
        (None, Some(limit)) => printer.newest(&*store, last, limit, out).await?,
        (None, None) => {
            let after = match printer.since {
                Some(since) => seq_before(&*store, since, last).await?,
                None => Seq::START,
            };
            printer.stored(&*store, after, last, u64::MAX, out).await?
        }
    };
    if args.follow {
        // From here on a signal to end is the ordinary end of the verb.
        let mut stop = StopSignals::listen()?;
        out.flush()?;
        printer.follow(store.clone(), last, &mut stop, out).await?;
    } else if printed == 0 {
        let all = printer.filter.terms.is_empty() && printer.since.is_none() && after.is_none();
        note(if all { "there are no outcomes yet" } else { "no outcome matches" });
    }
    store.close().await;
    Ok(Exit::Done)
}

struct Printer {
    format: Format,
    zone: TimeZone,
    since: Option<Timestamp>,
    filter: Filter,
}

impl Printer {
    fn print(&self, outcome: &Outcome, out: &mut Output) -> Result<u64, CliError> {
        if self.since.is_some_and(|since| outcome.at < since) {
            return Ok(0);
        }
        let line = match self.format {
            Format::Text => Some(outcome_line::painted(outcome, &self.zone, out)),
            format => format.line(outcome, &self.zone),
        };
        match line {
            Some(line) => {
                out.line(line)?;
                Ok(1)
            }
            None => Ok(0),
        }
    }

    async fn read(&self, store: &dyn Queries, from: OutcomesFrom, limit: u64) -> Result<Vec<Outcome>, StoreError> {
        store.outcomes(&OutcomeQuery { filter: self.filter.clone(), document: None, from, limit }).await
    }

    /// Prints the stored outcomes after `after` up to `last` that match the arguments and have a line in this format, at
    /// most `most`, and returns their number.
    async fn stored(
        &self,
        store: &dyn Queries,
        mut after: Seq,
        last: Seq,
        most: u64,
        out: &mut Output,
    ) -> Result<u64, CliError> {
        let mut printed = 0;
        loop {
            let read = self.read(store, OutcomesFrom::After(after), BATCH).await?;
            for outcome in read.iter().filter(|outcome| outcome.seq <= last) {
                if printed == most {
                    return Ok(printed);
                }
                printed += self.print(outcome, out)?;
            }
            match read.last() {
                Some(newest) if newest.seq < last && read.len() as u64 == BATCH => after = newest.seq,
                _ => return Ok(printed),
            }
        }
    }

    /// Prints, of the outcomes that [`stored`](Self::stored) would print, the newest `limit`, and returns their number.
    async fn newest(&self, store: &dyn Queries, last: Seq, limit: u64, out: &mut Output) -> Result<u64, CliError> {
        let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut newest_first: Vec<Outcome> = Vec::new();
        let mut before = Seq(last.0.saturating_add(1));
        while newest_first.len() < wanted {
            let read = self.read(store, OutcomesFrom::Before(before), BATCH).await?;
            let Some(oldest) = read.first() else { break };
            before = oldest.seq;
            let is_last = (read.len() as u64) < BATCH || self.since.is_some_and(|since| oldest.at < since);
            let has_line = |outcome: &Outcome| {
                self.since.is_none_or(|since| outcome.at >= since) && self.format.line(outcome, &self.zone).is_some()
            };
            newest_first.extend(read.into_iter().rev().filter(has_line));
            if is_last {
                break;
            }
        }
        newest_first.truncate(wanted);
        let mut printed = 0;
        for outcome in newest_first.iter().rev() {
            printed += self.print(outcome, out)?;
        }
        Ok(printed)
    }

    /// Prints the matching outcomes after `last` as they are recorded, until a signal to end.
    async fn follow(
        &self,
        store: Arc<dyn Queries>,
        last: Seq,
        stop: &mut StopSignals,
        out: &mut Output,
    ) -> Result<(), CliError> {
        follow_outcomes(store.clone(), last, stop, async |outcomes| {
            let now = store.now();
            for outcome in outcomes.iter().filter(|outcome| self.filter.matches_outcome(outcome, now)) {
                self.print(outcome, out)?;
            }
            Ok(out.flush()?)
        })
        .await
    }
}

/// Returns a sequence number before the first outcome that is not older than `since`. Sequence numbers and times grow
/// together, so a binary search finds the number without reading the log from its start.
async fn seq_before(store: &dyn Queries, since: Timestamp, last: Seq) -> Result<Seq, StoreError> {
    let (mut low, mut high) = (Seq::START.0, last.0);
    while low < high {
        let middle = low + (high - low) / 2;
        let query = OutcomeQuery {
            filter: Filter::default(),
            document: None,
            from: OutcomesFrom::After(Seq(middle)),
            limit: 1,
        };
        match store.outcomes(&query).await?.first() {
            Some(outcome) if outcome.at < since => low = outcome.seq.0.max(middle + 1),
            _ => high = middle,
        }
    }
    Ok(Seq(low))
}
