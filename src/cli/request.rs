//! The common part of `sync`, `retry`, `cancel`, `remove` and `faq`: selects documents, prints the preview of a dry run,
//! asks for confirmation, prints answers.

use super::batch;
use super::confirm::{CONFIRM_THRESHOLD, agreed};
use super::context::{Context, operator};
use super::crawling::{cost, firecrawl_credits, followed};
use super::exit::{CliError, Exit};
use super::faq::{self, FaqPreviewJson};
use super::output::{Output, note, problem};
use super::pause::report_pauses;
use super::selection::{Selected, Selection, check};
use super::sync::FailOn;
use super::wait;
use super::wait::AwaitedJobs;
use crate::domain::batch::BatchAct;
use crate::domain::document::Status;
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::request::{DocumentAnswer, Request, RequestAnswer, RequestKind, SkipReason};
use crate::format;
use crate::store::{BulkVerb, PassMode, PassRequest, PassTrigger, Preview, Sort, Store};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::time::Duration;

/// Number of documents that are requested, cancelled or removed by one call, so that memory does not grow with the
/// number of documents.
pub(super) const BATCH_SIZE: usize = 1_000;

/// Help of `--json` for verbs that have `--wait`.
pub(super) const JSON_HELP: &str =
    "Print one JSON object per document; with --wait one per outcome; with --dry-run a single one";
/// Message after requests that nobody runs yet.
pub(super) const NO_WORKER: &str = "no worker is running: start `quarterdeck work` or the console with --runner";

/// Arguments of a verb that acts on many documents.
#[derive(Clone, Debug, clap::Args)]
pub struct BulkArgs {
    /// Documents to act on.
    #[command(flatten)]
    pub selection: Selection,
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object per document; with --dry-run a single one
    #[arg(long)]
    pub json: bool,
    /// True if the documents that are due are selected (`sync --due`).
    #[arg(skip)]
    pub due: bool,
}

/// Runs `sync` or `retry`: requests the syncs, prints the answers, and if `wait` waits until the jobs have ended.
pub(super) async fn request(
    context: &Context,
    bulk: &BulkArgs,
    verb: RequestKind,
    wait: Option<FailOn>,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let name = verb_name(BulkVerb::Request(verb));
    let Some(ChosenDocuments { store, selected, ids, .. }) =
        choose(context, bulk, BulkVerb::Request(verb), out).await?
    else {
        return Ok(Exit::Done);
    };
    // Read before the request, so that every outcome of the requested jobs has a later number.
    let before = store.last_seq().await?;
    let request = Request { kind: verb, class: QueueClass::Manual, by: operator(), scope: selected.scope() };
    let mut printer = AnswerPrinter::new(&selected, bulk.json && wait.is_none(), wait.is_some());
    let mut awaited = AwaitedJobs::with_urls(urls(&selected));
    if wait == Some(FailOn::NewFailures) {
        let failed = FilterCondition::Status(vec![Status::Failed]);
        let failed = Filter { terms: vec![Term { negated: false, condition: failed }] };
        awaited.ignore_failures_of(store.matching(&failed, Sort::BY_ID, None).await?);
    }
    let mut took = |answers: &[DocumentAnswer]| {
        if wait.is_some() {
            awaited.add(answers);
        }
        printer.print(answers, out)
    };
    let batch = if ids.len() > 1 {
        Some(batch::answers(&*store, BatchAct::of(verb), &selected, &ids, took).await?)
    } else {
        took(&store.request(&ids, &request).await?)?;
        None
    };
    context.announce(&*store).await?;
    printer.end(name, batch, out)?;
    let mut exit = if printer.refused { Exit::WrongUse } else { Exit::Done };
    if printer.accepted {
        report_pauses(&*store, |scope| selected.may_be_paused(scope, QueueClass::Manual)).await?;
    }
    if wait.is_some() {
        exit = exit.max(wait::until_ended(context, store.clone(), before, awaited, bulk.json, out).await?);
        store.finish_batches().await?;
    } else if store.queue().await?.workers == 0 {
        note(format!("{NO_WORKER}, or use --wait"));
    }
    store.close().await;
    Ok(exit)
}

/// Runs `cancel` and prints the answers.
pub(super) async fn cancel(context: &Context, bulk: &BulkArgs, out: &mut Output) -> Result<Exit, CliError> {
    let Some(ChosenDocuments { store, selected, ids, .. }) = choose(context, bulk, BulkVerb::Cancel, out).await? else {
        return Ok(Exit::Done);
    };
    let mut printer = AnswerPrinter::new(&selected, bulk.json, false);
    let mut took = |answers: &[DocumentAnswer]| printer.print(answers, out);
    let batch = if ids.len() > 1 {
        Some(batch::answers(&*store, BatchAct::Cancel, &selected, &ids, took).await?)
    } else {
        took(&store.cancel(&ids, &operator()).await?)?;
        None
    };
    context.announce(&*store).await?;
    printer.end("cancel", batch, out)?;
    store.close().await;
    Ok(Exit::Done)
}

/// The opened store, and the documents in it that a verb acts on, after the user's confirmation.
pub(super) struct ChosenDocuments {
    pub(super) store: std::sync::Arc<dyn Store>,
    pub(super) selected: Selected,
    pub(super) ids: Vec<DocumentId>,
    /// Answers for documents that were named and that `verb` cannot act on, as the preview found.
    pub(super) refused: Vec<DocumentAnswer>,
}

/// Opens the store, selects the documents, prints the preview of a dry run, and asks for confirmation where `verb`
/// needs it. Returns `None` when there is nothing more to do: after a dry run, after a "no", or if no document is left
/// to act on.
pub(super) async fn choose(
    context: &Context,
    bulk: &BulkArgs,
    verb: BulkVerb,
    out: &mut Output,
) -> Result<Option<ChosenDocuments>, CliError> {
    let name = verb_name(verb);
    let filter = check(&bulk.selection.documents, bulk.selection.filter.as_deref())?;
    let store = if bulk.dry_run { context.readable_store().await? } else { context.writable_store(name).await? };
    let fetches = matches!(verb, BulkVerb::Request(_));
    if let (BulkVerb::Faq, Some(reason)) = (verb, faq::switched_off(&context.config, &*store)) {
        return Err(CliError::Usage(reason.to_owned()));
    }
    let selected = match bulk.due {
        true => Selected::Due(due_documents(context, &*store).await?),
        false => bulk.selection.resolve(&*store, filter, fetches).await?,
    };
    let named: Option<Vec<DocumentId>> = match &selected {
        Selected::Rows(rows) => Some(rows.iter().map(|row| row.id).collect()),
        Selected::Matching(_) | Selected::Due(_) => None,
    };
    // The request answers for each named document, so only dry runs and filters need a preview; and a removal, which may
    // be refused as a whole, before anybody is asked; and a start of FAQ jobs, which says what becomes of answers.
    let always = matches!(verb, BulkVerb::Remove | BulkVerb::Faq);
    let needs_preview = bulk.dry_run || named.is_none() || always;
    let fetching = if fetches { Some(followed(&context.config, &*store).await?) } else { None };
    let credits = |documents: usize| fetching.as_ref().and_then(|config| cost(config, documents));
    let mut faqs = None;
    let ids = if needs_preview {
        let preview = store.preview(&selected.targets(), verb).await?;
        if bulk.dry_run {
            let takes = preview.estimate.duration(context.config.runner.per_host).filter(|_| fetches);
            let costs = Costs { credits: credits(preview.targets.len()), takes };
            print_preview(&preview, name, costs, bulk.json, out)?;
            store.close().await;
            return Ok(None);
        }
        let skipped = preview.skipped.iter().filter(|_| verb != BulkVerb::Faq || named.is_none());
        for (reason, count) in skipped {
            note(format!("skipped {}: {}", format::count(*count, "document"), format::skip_reason(*reason)));
        }
        faqs = preview.faqs;
        preview.targets
    } else {
        named.clone().unwrap_or_default()
    };
    if let Some(faqs) = faqs.filter(|faqs| !ids.is_empty() || !faqs.refused.is_empty()) {
        if !ids.is_empty() && !faq::confirmed(bulk.yes, ids.len(), &faqs)? {
            store.close().await;
            return Ok(None);
        }
        let skipped = |(document_id, reason)| DocumentAnswer { document_id, answer: RequestAnswer::Skipped(reason) };
        let refused = faqs.refused.into_iter().map(skipped).collect();
        return Ok(Some(ChosenDocuments { store, selected, ids, refused }));
    }
    if ids.is_empty() {
        if bulk.due {
            // No message on stderr: cron mails those, and this is no news.
            out.confirmation("nothing is due")?;
        } else if verb == BulkVerb::Faq {
            note("no FAQ job to start");
        } else {
            note(format!("no document to {name}"));
        }
        store.close().await;
        return Ok(None);
    }
    let must_confirm = match verb {
        BulkVerb::Remove => true,
        _ => named.is_none() && ids.len() > CONFIRM_THRESHOLD,
    };
    let question = match verb {
        BulkVerb::Remove => format!("Remove {} with contents and earlier versions?", documents(&ids)),
        _ => {
            let cost = credits(ids.len()).map(|credits| format!(" for up to {}", firecrawl_credits(credits)));
            format!("{} {}{}?", format::capitalized(name), documents(&ids), cost.unwrap_or_default())
        }
    };
    if must_confirm && !agreed(bulk.yes, &question)? {
        store.close().await;
        return Ok(None);
    }
    Ok(Some(ChosenDocuments { store, selected, ids, refused: Vec::new() }))
}

/// Returns the documents that are due by their plans.
async fn due_documents(context: &Context, store: &dyn Store) -> Result<Vec<DocumentId>, CliError> {
    let order = PassRequest {
        terms: &context.config.schedule.terms,
        only_plan: None,
        trigger: PassTrigger::Now,
        mode: PassMode::DryRun,
        holder: "",
        lease: context.config.runner.lease,
        seed: 0,
    };
    Ok(store.due_documents(&order).await?)
}

#[derive(Serialize)]
struct PreviewJson<'a> {
    verb: &'a str,
    documents: usize,
    hosts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    takes_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    firecrawl_credits: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    faqs: Option<FaqPreviewJson<'a>>,
    skipped: Vec<SkippedJson>,
}

#[derive(Serialize)]
struct SkippedJson {
    reason: String,
    documents: u64,
}

/// The costs of syncs of previewed documents.
struct Costs {
    /// Most credits of Firecrawl; `None` if none are spent.
    credits: Option<u64>,
    /// The estimated time; `None` if it is not known, and for a verb that fetches nothing.
    takes: Option<Duration>,
}

fn print_preview(preview: &Preview, verb: &str, costs: Costs, json: bool, out: &mut Output) -> io::Result<()> {
    if json {
        let skipped = preview.skipped.iter();
        return out.json(&PreviewJson {
            verb,
            documents: preview.targets.len(),
            hosts: preview.hosts,
            takes_seconds: costs.takes.map(|time| time.as_secs().max(1)),
            firecrawl_credits: costs.credits,
            faqs: preview.faqs.as_ref().map(FaqPreviewJson::from),
            skipped: skipped
                .map(|(reason, count)| SkippedJson { reason: reason.to_string(), documents: *count })
                .collect(),
        });
    }
    let hosts = format::count(preview.hosts, "host");
    let act = if preview.faqs.is_some() { "start the FAQ jobs of" } else { verb };
    out.line(format!("would {act} {} on {hosts}", documents(&preview.targets)))?;
    for fact in preview.faqs.iter().filter(|_| !preview.targets.is_empty()).flat_map(format::faq_effects) {
        out.line(fact)?;
    }
    if let Some(time) = costs.takes.filter(|_| !preview.targets.is_empty()) {
        out.line(format!("would take {}", format::estimate(time)))?;
    }
    if let Some(credits) = costs.credits.filter(|credits| *credits > 0) {
        out.line(format!("would cost up to {}", firecrawl_credits(credits)))?;
    }
    for (reason, count) in &preview.skipped {
        let count = format::count(*count, "document");
        out.line(format!("would skip {count}: {}", format::skip_reason(*reason)))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct AnswerJson<'a> {
    document_id: DocumentId,
    answer: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    id: DocumentId,
}

/// Prints the answers, batch by batch: a line for each named document, or sums for documents that a filter matched.
pub(super) struct AnswerPrinter {
    is_named: bool,
    /// Prints an object for every document.
    json: bool,
    /// Prints only the named documents that are skipped.
    quiet: bool,
    sums: BTreeMap<&'static str, usize>,
    /// True if a named document cannot be synced or get an FAQ job: it is a PDF, not available or missing, say.
    pub(super) refused: bool,
    /// True if the request was not skipped for every document.
    accepted: bool,
}

impl AnswerPrinter {
    pub(super) fn new(selected: &Selected, json: bool, quiet: bool) -> Self {
        let is_named = matches!(selected, Selected::Rows(_));
        Self { is_named, json, quiet, sums: BTreeMap::new(), refused: false, accepted: false }
    }

    pub(super) fn print(&mut self, answers: &[DocumentAnswer], out: &mut Output) -> io::Result<()> {
        for DocumentAnswer { document_id, answer } in answers {
            let (word, reason) = (format::answer_word(answer), format::answer_note(answer));
            let never = matches!(
                answer,
                RequestAnswer::Skipped(
                    SkipReason::Pdf
                        | SkipReason::Unavailable
                        | SkipReason::Missing
                        | SkipReason::PdfFaqs
                        | SkipReason::NoText
                        | SkipReason::FaqWaits
                        | SkipReason::FaqStarted(_)
                )
            );
            self.refused |= self.is_named && never;
            self.accepted |= !matches!(answer, RequestAnswer::Skipped(_));
            if self.json {
                let (id, reason) = (*document_id, reason.as_deref());
                out.json(&AnswerJson { document_id: id, answer: word, reason, id })?;
            } else if self.is_named {
                match reason {
                    Some(reason) if word == "skipped" => problem(format!("{document_id} {reason}")),
                    Some(reason) if !self.quiet => out.confirmation(format!("{word} {document_id} ({reason})"))?,
                    None if !self.quiet => out.confirmation(format!("{word} {document_id}"))?,
                    _ => {}
                }
            } else {
                *self.sums.entry(word).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Prints the sums, and the number of the batch if there is one.
    pub(super) fn end(&mut self, verb: &str, batch: Option<BatchId>, out: &mut Output) -> io::Result<()> {
        if self.sums.is_empty() || self.quiet {
            return Ok(());
        }
        let sums: Vec<String> = self.sums.iter().map(|(word, count)| format!("{word} {count}")).collect();
        let batch = batch.map(|batch| format!(" (batch {batch})")).unwrap_or_default();
        out.confirmation(format!("{verb}: {}{batch}", sums.join(", ")))
    }
}

fn urls(selected: &Selected) -> HashMap<DocumentId, String> {
    match selected {
        Selected::Rows(rows) => rows.iter().map(|row| (row.id, row.url.to_string())).collect(),
        Selected::Matching(_) | Selected::Due(_) => HashMap::new(),
    }
}

fn documents(ids: &[DocumentId]) -> String {
    format::count(ids.len() as u64, "document")
}

fn verb_name(verb: BulkVerb) -> &'static str {
    match verb {
        BulkVerb::Request(RequestKind::Sync | RequestKind::SyncWhole) => "sync",
        BulkVerb::Request(RequestKind::Retry) => "retry",
        BulkVerb::Cancel => "cancel",
        BulkVerb::Remove => "remove",
        BulkVerb::Faq => "faq",
    }
}
