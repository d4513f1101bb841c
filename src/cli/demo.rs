//! `quarterdeck demo`: a throwaway store and the built-in site, shown in the console. With `--headless` it has no
//! screen and prints a summary at the end.

mod background_task;
mod load_generator;
mod outages;
mod scratch;
mod summary;

use super::console::{is_plain, options, require_terminal, show};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::stop::StopSignals;
use super::wiring::{explainer, start_runner};
use crate::config::{Config, DefaultPaths};
use crate::demo::{Behaviour, HostNames, Site};
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::link::Link;
use crate::domain::plan::{Cadence, Plan, PlanName, PlanTable};
use crate::domain::request::{Request, RequestKind, RequestScope};
use crate::domain::retry::RetryPolicy;
use crate::domain::text::SafeLine;
use crate::fetch::AllowedHostError;
use crate::runner::Mode;
use crate::store::{AddResult, DocumentStore, NewDocument, Store};
use scratch::Scratch;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Without a screen: sync each document once, print a JSON summary, end
    #[arg(long)]
    pub headless: bool,
    /// Number of pages of the site
    #[arg(long, value_name = "N", default_value_t = 240, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub documents: u32,
    /// Write lines instead of drawing: for screen readers and simple terminals
    #[arg(long, conflicts_with = "headless")]
    pub plain: bool,
    /// Seed of the pages and their behaviour; the same seed makes the same site
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

/// Requester of the demo's syncs, as outcomes record it.
const REQUESTED_BY: &str = "demo";
const NOTE: &str = "demo: short waits and time-outs";

pub(super) async fn run(args: &Args, ascii: bool, out: &mut Output) -> Result<Exit, CliError> {
    if !args.headless {
        require_terminal()?;
    }
    let scratch = Scratch::create()?;
    let documents = usize::try_from(args.documents).unwrap_or(usize::MAX);
    let site = Site::start_with(args.seed, documents, HostNames::Names).await?;
    let context = Context::new(settings(&scratch, &site)?, false);
    context.files.open()?;
    let store = context.store().await?;
    let config = &context.config;
    let ids = add_documents(&*store, &site).await?;
    let exit = if args.headless {
        headless(config, store, &ids, out).await
    } else {
        let soon = cookie_wall_documents(&site, &ids);
        let outages = outages::start(site.switch(), site.hosts().len());
        let exit = console(config, store, ids, soon, (ascii, args.plain)).await;
        outages.stop().await;
        exit
    };
    site.stop().await;
    exit
}

/// Returns the default settings, with waits that are short enough to watch. Of private hosts, only those of the site
/// may be fetched.
fn settings(scratch: &Scratch, site: &Site) -> Result<Config, CliError> {
    let seconds = Duration::from_secs;
    let mut config = Config::defaults(&DefaultPaths {
        config_file: scratch.path().join("config.toml"),
        store_file: scratch.path().join("quarterdeck.db"),
        log_dir: scratch.path().join("log"),
    });
    config.runner.policy =
        RetryPolicy { transient_waits: [1, 2, 3].map(seconds).into(), unexpected_waits: [1, 1].map(seconds).into() };
    config.fetch.read_timeout = seconds(2);
    config.fetch.total_timeout = seconds(4);
    let hosts: Result<_, AllowedHostError> = site.hosts().iter().map(|host| host.parse()).collect();
    config.fetch.allow_private_hosts = hosts.map_err(|error| CliError::Usage(error.to_string()))?;
    config.schedule.terms.plans = plans();
    Ok(config)
}

/// Returns the plans of the demo's accounts: documents of accounts 1 and 2 are synced only on request, of account 3
/// every 10 min, of account 4 every 2 min.
fn plans() -> PlanTable {
    let mut table = PlanTable::default();
    let plans = [("startups", None, [1, 2].as_slice()), ("business", Some(600), &[3]), ("enterprise", Some(120), &[4])];
    for (name, seconds, accounts) in plans {
        let Some(name) = PlanName::new(name) else { continue };
        let cadence = seconds.and_then(|seconds| Cadence::new(Duration::from_secs(seconds)));
        table.plans.insert(name.clone(), Plan { cadence, ..Plan::default() });
        table.accounts.extend(accounts.iter().map(|account| (AccountId(*account), name.clone())));
    }
    table
}

async fn add_documents(store: &dyn DocumentStore, site: &Site) -> Result<Vec<DocumentId>, CliError> {
    let mut documents = Vec::new();
    for document in site.documents() {
        let link = Link::parse(&document.url).map_err(|error| {
            CliError::Usage(format!("the demo site has a page with an invalid URL, {}: {error}", document.url))
        })?;
        documents.push(NewDocument {
            link,
            name: Some(SafeLine::new(&document.name)),
            account_id: AccountId(document.account_id),
            assistant_id: AssistantId(document.assistant_id),
        });
    }
    let added = store.add(&documents).await?;
    Ok(added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect())
}

/// Returns the ids of the documents whose second text is a cookie wall, which is quarantined.
fn cookie_wall_documents(site: &Site, ids: &[DocumentId]) -> Vec<DocumentId> {
    let pages = site.documents().iter().zip(ids);
    pages.filter(|(page, _)| page.behaviour == Behaviour::CookieWall).map(|(_, id)| *id).collect()
}

/// Returns a request like those of the schedule: class `auto`, for many documents.
fn request() -> Request {
    Request {
        kind: RequestKind::Sync,
        class: QueueClass::Auto,
        by: SafeLine::new(REQUESTED_BY),
        scope: RequestScope::Bulk,
    }
}

/// Syncs each document once. When no job is left, or at a signal to end, prints the summary.
async fn headless(
    config: &Config,
    store: Arc<dyn Store>,
    ids: &[DocumentId],
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut stop = StopSignals::listen()?;
    let started = Instant::now();
    store.request(ids, &request()).await?;
    let runner = start_runner(config, store.clone(), None, Mode::Drain)?;
    let stopped = tokio::select! {
        () = runner.ended() => false,
        () = stop.next() => true,
    };
    if stopped {
        runner.leave();
        runner.ended().await;
        note("stopped before the queue was empty; the summary covers only what was done");
    }
    let took = started.elapsed();
    let summary = summary::summarize(&*store, took).await?;
    store.close().await;
    out.json(&summary)?;
    Ok(if stopped { Exit::SomeFailed } else { Exit::Done })
}

/// Runs the console while a background task keeps requesting syncs. The documents `soon` are requested first.
async fn console(
    config: &Config,
    store: Arc<dyn Store>,
    ids: Vec<DocumentId>,
    soon: Vec<DocumentId>,
    (ascii, plain): (bool, bool),
) -> Result<Exit, CliError> {
    let runner = start_runner(config, store.clone(), None, Mode::Service(config.schedule.clone()))?;
    let trickle = load_generator::start(store.clone(), ids, soon, request());
    let mut options = options(config.runner.per_host, false, ascii, Some(SafeLine::new(NOTE)));
    options.plain = is_plain(plain);
    options.explainer = Some(explainer(config, store.clone()));
    let exit = show(store, Some(runner), None, (options, None)).await;
    trickle.stop().await;
    exit
}
