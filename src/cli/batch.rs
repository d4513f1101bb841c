//! `quarterdeck batch`: lists acts on many documents, and pauses, resumes or stops one. Verbs that act on many documents
//! make a batch here, too, and act on its members at once.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::progress::ProgressLine;
use super::selection::Selected;
use super::wiring::worker_name;
use crate::domain::batch::{
    BatchAct, BatchCounts, BatchOrder, BatchOrigin, BatchPhase, BatchSelection, BatchSummary, LISTED_ENDED,
};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::request::DocumentAnswer;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::{BatchOrdered, BatchStep, NewBatch, Store};
use clap::Subcommand;
use serde::Serialize;
use std::collections::HashMap;
use std::io;
use std::time::Duration;

/// Arguments of `batch`.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// The verb of `batch`.
    #[command(subcommand)]
    pub action: BatchAction,
}

/// Verbs of `batch`.
#[derive(Debug, Subcommand)]
pub enum BatchAction {
    /// Print the batches that have not ended, and the newest others
    List {
        /// Print one JSON object per batch
        #[arg(long)]
        json: bool,
    },
    /// Print a batch: what it does, and what became of its documents
    Show(BatchArgs),
    /// Pause a batch: running attempts finish, and the rest leaves the queue
    Pause(BatchArgs),
    /// Resume a batch that is paused or was left unfinished, and act here on the documents that wait
    Resume(BatchArgs),
    /// Stop a batch: running attempts are stopped, and documents that have not begun stay as they were
    Stop(BatchArgs),
}

/// A batch, and the form of the output.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Number of the batch
    #[arg(value_name = "N")]
    pub batch: i64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    match &args.action {
        BatchAction::List { json } => list(context, *json, out).await,
        BatchAction::Show(args) => show(context, args, out).await,
        BatchAction::Pause(args) => order(context, args, BatchOrder::Pause, out).await,
        BatchAction::Resume(args) => order(context, args, BatchOrder::Resume, out).await,
        BatchAction::Stop(args) => order(context, args, BatchOrder::Stop, out).await,
    }
}

async fn list(context: &Context, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.readable_store().await?;
    let (batches, now) = (store.batches(LISTED_ENDED).await?, store.now());
    for batch in &batches {
        if json {
            out.json(&BatchJson::from(batch))?;
        } else {
            out.line(line(batch, now))?;
        }
    }
    if batches.is_empty() {
        note("no batch");
    }
    store.close().await;
    Ok(Exit::Done)
}

async fn show(context: &Context, args: &BatchArgs, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.readable_store().await?;
    let batch = find(&*store, BatchId(args.batch)).await?;
    if args.json {
        out.json(&BatchJson::from(&batch))?;
    } else {
        print(&batch, store.now(), out)?;
    }
    store.close().await;
    Ok(Exit::Done)
}

async fn order(context: &Context, args: &BatchArgs, order: BatchOrder, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.writable_store(&format!("batch {}", order.word())).await?;
    let batch = BatchId(args.batch);
    let before = find(&*store, batch).await?;
    let wrong = || {
        let phase = format::batch_phase(&before, store.now());
        CliError::Usage(format!("batch {batch} is {phase}: nothing to {}", order.word()))
    };
    if !before.takes(order) {
        return Err(wrong());
    }
    let holder = worker_name();
    if !matches!(store.order_batch(batch, order, &operator(), &holder).await?, BatchOrdered::Now(_)) {
        return Err(wrong());
    }
    if order == BatchOrder::Resume {
        let mut progress = ProgressLine::start("documents", Some(before.counts.waiting));
        carry_out(&*store, batch, |answers, removed| {
            progress.advance(answers.len() as u64 + removed);
            Ok(())
        })
        .await?;
    }
    context.announce(&*store).await?;
    let after = find(&*store, batch).await?;
    if args.json {
        out.json(&BatchJson::from(&after))?;
    } else {
        out.confirmation(line(&after, store.now()))?;
    }
    store.close().await;
    Ok(Exit::Done)
}

async fn find(store: &dyn Store, batch: BatchId) -> Result<BatchSummary, CliError> {
    let hint = "`quarterdeck batch list` has them";
    let found = store.batch(batch).await?;
    found.ok_or_else(|| CliError::Usage(format!("there is no batch {batch} ({hint})")))
}

/// Makes a batch of documents that `selected` selects, and acts on them at once; `took` gets the answers of each
/// transaction, and the number of documents that it removed.
pub(super) async fn act(
    store: &dyn Store,
    act: BatchAct,
    selected: &Selected,
    documents: &[DocumentId],
    took: impl FnMut(Vec<DocumentAnswer>, u64) -> io::Result<()>,
) -> Result<BatchId, CliError> {
    let (selection, filter) = match selected {
        Selected::Rows(_) => (BatchSelection::Named, None),
        Selected::Matching(filter) => (BatchSelection::Filter, Some(SafeLine::new(&filter.to_string()))),
        Selected::Due(_) => (BatchSelection::Due, None),
    };
    let (origin, by, holder) = (BatchOrigin::Command, operator(), worker_name());
    let batch = NewBatch { act, origin, selection, filter, by, holder, grace: Duration::ZERO };
    let id = store.begin_batch(&batch, documents).await?;
    carry_out(store, id, took).await?;
    Ok(id)
}

/// Makes a batch as [`act`] does; `took` gets the answers, of documents that were named in the order of `documents`.
pub(super) async fn answers(
    store: &dyn Store,
    of: BatchAct,
    selected: &Selected,
    documents: &[DocumentId],
    mut took: impl FnMut(&[DocumentAnswer]) -> io::Result<()>,
) -> Result<BatchId, CliError> {
    let is_named = matches!(selected, Selected::Rows(_));
    let mut named = Vec::new();
    let take = |answers: Vec<DocumentAnswer>, _| {
        if is_named {
            named.extend(answers);
            return Ok(());
        }
        took(&answers)
    };
    let id = act(store, of, selected, documents, take).await?;
    // An index of the documents takes as much memory as a large batch otherwise does.
    if is_named {
        took(&in_order(named, documents))?;
    }
    Ok(id)
}

/// Returns the answers in the order of `documents`.
fn in_order(mut answers: Vec<DocumentAnswer>, documents: &[DocumentId]) -> Vec<DocumentAnswer> {
    let places: HashMap<DocumentId, usize> = documents.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    answers.sort_by_key(|answer| places.get(&answer.document_id).copied());
    answers
}

async fn carry_out(
    store: &dyn Store,
    batch: BatchId,
    mut took: impl FnMut(Vec<DocumentAnswer>, u64) -> io::Result<()>,
) -> Result<(), CliError> {
    let holder = worker_name();
    loop {
        match store.advance_batch(batch, &holder).await? {
            BatchStep::Acted { answers, removed } => took(answers, removed)?,
            // A batch of a console that was resumed begins at once, and one of a verb has no grace.
            BatchStep::Wait(_) => {}
            BatchStep::Done => break,
            BatchStep::Halted(state) => {
                let state = state.map_or("gone", |state| state.word());
                note(format!("batch {batch} is {state}: somebody else ordered that"));
                break;
            }
        }
    }
    store.finish_batches().await?;
    Ok(())
}

/// A batch as one line.
fn line(batch: &BatchSummary, now: Timestamp) -> String {
    let mut parts = vec![format::batch_phase(batch, now)];
    let results = format::batch_results(batch);
    if !results.is_empty() {
        parts.push(results);
    }
    if !matches!(batch.phase(), BatchPhase::Ended(_)) {
        parts.push(format!("{} left", format::number(batch.counts.left())));
    }
    let (title, selection) = (format::batch_title(batch), format::batch_selection(batch));
    format!("{}  {title} ({selection})  {}", batch.id, parts.join(", "))
}

fn print(batch: &BatchSummary, now: Timestamp, out: &mut Output) -> io::Result<()> {
    let counts = &batch.counts;
    out.line(format!("batch       {}: {}", batch.id, format::batch_title(batch)))?;
    out.line(format!("documents   {}", format::batch_selection(batch)))?;
    out.line(format!("state       {}", format::batch_phase(batch, now)))?;
    out.line(format!("requested   {} UTC by {}", batch.created_at.date_clock_utc(), batch.created_by))?;
    if let Some(ended_at) = batch.ended_at {
        out.line(format!("ended       {} UTC", ended_at.date_clock_utc()))?;
    }
    for (members, word) in [
        (counts.waiting, "not begun"),
        (counts.queued, "queued"),
        (counts.running, "running"),
        (counts.retrying, "waiting for the next attempt"),
    ] {
        if members > 0 {
            out.line(format!("            {} {word}", format::number(members)))?;
        }
    }
    let results = format::batch_results(batch);
    if !results.is_empty() {
        out.line(format!("results     {results}"))?;
    }
    if counts.failed > 0 {
        out.line(format!("failed      quarterdeck list --filter 'batch:{} status:failed'", batch.id))?;
    }
    Ok(())
}

/// Fields of a batch. Scripts rely on their order.
#[derive(Serialize)]
struct BatchJson<'a> {
    id: i64,
    act: BatchAct,
    origin: BatchOrigin,
    selection: BatchSelection,
    filter: Option<&'a str>,
    state: &'static str,
    created_at: Timestamp,
    created_by: &'a str,
    begins_at: Timestamp,
    ended_at: Option<Timestamp>,
    documents: u64,
    #[serde(flatten)]
    counts: BatchCounts,
}

impl<'a> From<&'a BatchSummary> for BatchJson<'a> {
    fn from(batch: &'a BatchSummary) -> Self {
        Self {
            id: batch.id.0,
            act: batch.act,
            origin: batch.origin,
            selection: batch.selection,
            filter: batch.filter.as_deref(),
            state: state_word(batch),
            created_at: batch.created_at,
            created_by: &batch.created_by,
            begins_at: batch.begins_at,
            ended_at: batch.ended_at,
            documents: batch.counts.total(),
            counts: batch.counts,
        }
    }
}

/// Returns the word of what a batch does.
const fn state_word(batch: &BatchSummary) -> &'static str {
    match batch.phase() {
        BatchPhase::Waiting => "waiting",
        BatchPhase::Working => "working",
        BatchPhase::Paused => "paused",
        BatchPhase::Left => "left",
        BatchPhase::Stopping => "stopping",
        BatchPhase::Ended(state) => state.word(),
    }
}
