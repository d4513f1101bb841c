//! `quarterdeck show ID|URL…`: prints documents with their contents, attempts and versions, or their texts alone.

use super::chatwoot_jobs;
use super::context::Context;
use super::crawling::followed;
use super::difference;
use super::exit::{CliError, Exit};
use super::outcome_line;
use super::output::{Output, note};
use super::pause::pauses_of_row;
use super::probe::{self, HostFacts, ProbeBaseline};
use super::rows::DocumentDetailJson;
use super::selection::{find, read_name};
use super::versions::text_of;
use crate::domain::chatwoot_job::ChatwootJob;
use crate::domain::document::{DocumentKind, DocumentRow, Status};
use crate::domain::export::front_matter;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::domain::outcome::Outcome;
use crate::domain::text::safe_block;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::{
    OutcomeQuery, OutcomesFrom, QuarantinedContent, Queries, Store, StoreError, StoredContent, StoredVersion,
};
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::io::{self, IsTerminal as _};

/// Maximum number of outcomes read by one query.
const BATCH: u64 = 500;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The documents; for a URL, those of all assistants that have it
    #[arg(value_name = "ID|URL", required = true)]
    pub documents: Vec<String>,
    /// Print one JSON object per line
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Fetch the page once, print each stage and what a sync would change; nothing is stored
    #[arg(long, conflicts_with_all = ["json", "format", "version"])]
    pub probe: bool,
    /// Print this version of the text alone, as `versions` lists them
    #[arg(long, value_name = "N", conflicts_with = "json")]
    pub version: Option<u64>,
    /// Output format; markdown prints the text alone, with front matter
    #[arg(long, value_enum, default_value_t)]
    pub format: ShowFormat,
}

/// Output format of `show`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ShowFormat {
    /// Everything that is known, for people
    #[default]
    Text,
    /// One JSON object per line
    Json,
    /// The text as it is stored
    Markdown,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    for document in &args.documents {
        read_name(document)?;
    }
    let as_json = args.json || args.format == ShowFormat::Json;
    if as_json && args.version.is_some() {
        return Err(CliError::Usage("--version prints a text; without it, --json has the present one".to_owned()));
    }
    let store = context.readable_store().await?;
    let pauses = store.pauses().await?;
    let theirs = if args.probe { None } else { chatwoot_jobs::read(&context.config, &store).await? };
    if let Some(problem) = theirs.as_ref().and_then(|jobs| jobs.problem.as_ref()) {
        note(format!("not all of Chatwoot's own jobs are known: {problem}"));
    }
    // Without an answer nothing is known, which is something else than no jobs.
    let theirs = theirs.filter(|jobs| jobs.problem.is_none() || !jobs.jobs.is_empty());
    let mut exit = Exit::Done;
    for row in find(&*store, &args.documents).await? {
        if args.version.is_some() || args.format == ShowFormat::Markdown {
            print_text(&*store, row.id, args.version, out).await?;
            continue;
        }
        let content = store.content(row.id).await?;
        if args.probe {
            let stored = store.stored(row.id).await?.unwrap_or_default();
            let text = content.as_ref().map_or("", |content| content.text.as_str());
            let host = HostFacts::read(&*store, &row.url).await?;
            let crawling = match store.is_chatwoot_database() {
                true => Some(store.crawling().await?),
                false => None,
            };
            let baseline = ProbeBaseline { stored: &stored, text, host, crawling: crawling.as_ref() };
            exit = exit.max(probe::run(&followed(&context.config, &*store).await?, &row, baseline, out).await?);
            continue;
        }
        let quarantined = store.quarantined_content(row.id).await?;
        let versions = store.versions(row.id).await?;
        let attempts = outcomes_of(&*store, row.id).await?;
        let jobs: Option<Vec<ChatwootJob>> = theirs.as_ref().map(|jobs| jobs.of(row.id).cloned().collect());
        if as_json {
            let text = content.as_ref().map(|content| content.text.as_str());
            let json = DocumentDetailJson::new(&row, text, &attempts, &versions, quarantined.as_ref());
            out.json(&json.with_chatwoot_jobs(jobs.as_deref()))?;
        } else {
            let texts = (content.as_ref(), quarantined.as_ref());
            let now = store.now();
            let pauses = pauses_of_row(&pauses, &row).map(|pause| format!("paused      {pause}"));
            let theirs =
                jobs.iter().flatten().map(|job| format!("chatwoot    {}", format::chatwoot_job_note(job, now)));
            let notes: Vec<String> = pauses.chain(theirs).collect();
            print(out, &row, texts, (&attempts, &versions), &notes, now, &TimeZone::system())?;
        }
    }
    store.close().await;
    Ok(exit)
}

/// Prints the stored text with its front matter, or an earlier one without.
async fn print_text(store: &dyn Store, id: DocumentId, version: Option<u64>, out: &mut Output) -> Result<(), CliError> {
    let text = match version {
        Some(version) => text_of(store, id, version).await?,
        None => match store.stored_texts(&[id]).await?.pop() {
            Some(stored) => front_matter(&stored.head) + &stored.text,
            None => return Err(CliError::Usage(format!("{id}: no text is stored"))),
        },
    };
    // A program gets the text as it is; a terminal gets nothing that controls it.
    let text = if io::stdout().is_terminal() { safe_block(&text) } else { text };
    let end = if text.ends_with('\n') { "" } else { "\n" };
    out.text(&text)?;
    Ok(out.text(end)?)
}

/// Reads every stored outcome of a document, oldest first.
async fn outcomes_of(store: &dyn Queries, document: DocumentId) -> Result<Vec<Outcome>, StoreError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    loop {
        let from = OutcomesFrom::After(outcomes.last().map_or(crate::domain::id::Seq::START, |last| last.seq));
        let query = OutcomeQuery { filter: Filter::default(), document: Some(document), from, limit: BATCH };
        let read = store.outcomes(&query).await?;
        let is_last = (read.len() as u64) < BATCH;
        outcomes.extend(read);
        if is_last {
            return Ok(outcomes);
        }
    }
}

fn print(
    out: &mut Output,
    row: &DocumentRow,
    (content, quarantined): (Option<&StoredContent>, Option<&QuarantinedContent>),
    (attempts, versions): (&[Outcome], &[StoredVersion]),
    notes: &[String],
    now: Timestamp,
    zone: &TimeZone,
) -> io::Result<()> {
    let time = |at: Option<Timestamp>| {
        at.map_or("never".to_owned(), |at| format!("{} {}", at.date_clock(zone), at.zone_name(zone)))
    };
    out.line(format!("{} {}", row.id, row.name))?;
    out.line(&row.url)?;
    let available = match row.kind {
        DocumentKind::Web => "",
        DocumentKind::Pdf => ", a PDF, which is never fetched",
        DocumentKind::Crawling => ", not available: Chatwoot has not stored its first text yet",
    };
    out.line(format!("account {}, assistant {}{available}", row.account_id, row.assistant_id))?;
    out.line(format!("status      {}", row.status.word()))?;
    if let Some(code) = row.error_code {
        let detail = row.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
        out.line(format!("last error  {}{detail}", format::error_code(code)))?;
    }
    out.line(format!("attempted   {}", time(row.attempted_at)))?;
    out.line(format!("synced      {}", time(row.synced_at)))?;
    if row.lastmod.is_some() {
        out.line(format!("lastmod     {} (as its source has it)", time(row.lastmod)))?;
    }
    if let Some(window) = &row.window {
        out.line(format!("next        {}, {}", time(Some(window.opens_at)), format::closed_window(window)))?;
    } else if row.next_attempt_at.is_some() {
        out.line(format!("next        {}", time(row.next_attempt_at)))?;
    } else if row.next_check_at.is_some() {
        out.line(format!("next check  {}", time(row.next_check_at)))?;
    } else if matches!(row.status, Status::Failed | Status::Stale | Status::Synced | Status::Never) {
        out.line("next check  not scheduled")?;
    }
    if let Some(faqs) = &row.faqs {
        for line in format::faqs(faqs, now) {
            out.line(format!("FAQs        {line}"))?;
        }
    }
    for note in notes {
        out.line(note)?;
    }
    if let Some(backoff) = row.host_backoff.as_ref().filter(|backoff| backoff.until > now) {
        out.line(format!("host        cooling down until {}: {}", time(Some(backoff.until)), backoff.reason))?;
    }
    if let Some(fingerprint) = &row.fingerprint {
        out.line(format!("fingerprint {fingerprint}"))?;
    }
    out.line("")?;
    out.line("Attempts, oldest first")?;
    for outcome in attempts {
        out.line(format!("  {}", outcome_line::text(outcome, zone)))?;
        if let Some(stages) = outcome.stages {
            out.line(format!("      {}", format::stages(stages)))?;
        }
    }
    if !versions.is_empty() {
        out.line("")?;
        out.line("Earlier contents, newest first")?;
        for version in versions {
            let replaced = version.replaced_at.date_clock(zone);
            let length = version.content_length;
            out.line(format!("  {}  replaced {replaced}  {length} characters", version.version))?;
        }
    }
    if let Some(quarantined) = quarantined {
        let since = quarantined.quarantined_at.date_clock(zone);
        out.line("")?;
        out.line(format!("Needs review since {since}: the fetched text {}", quarantined.reason))?;
        out.line(format!("Its fingerprint is {}", quarantined.fingerprint))?;
        out.line("What it would change (accept or reject it):")?;
        out.line("")?;
        difference::print(content.map(|content| content.text.as_str()).unwrap_or_default(), &quarantined.text, out)?;
    }
    out.line("")?;
    match content {
        Some(content) => {
            out.line(format!("Content, version {}", content.version))?;
            out.line("")?;
            out.line(safe_block(&content.text))
        }
        None => out.line("No content yet"),
    }
}
