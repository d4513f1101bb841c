//! `quarterdeck` without a verb: the console, with a runner inside unless the console only watches.

use super::chatwoot_jobs;
use super::context::{Context, operator};
use super::crawling::followed;
use super::exit::{CliError, Exit, ensure_same_schema};
use super::faq::switched_off;
use super::keys;
use super::output::masked;
use super::record::OutcomeFiles;
use super::recover;
use super::style;
use super::wiring::{connect_watcher, connect_worker, explainer, start_runner};
use crate::config::DefaultPaths;
use crate::domain::faq::NEEDS_CHATWOOT;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::lock::StoreId;
use crate::domain::text::SafeLine;
use crate::lock::Redis;
use crate::runner::handle::Handle;
use crate::runner::signals;
use crate::runner::{Mode, follow_sinks, read_shadows};
use crate::store::{Store, StoreError};
use crate::tui;
use crate::tui::waiting::{DisplayOptions, OpenFailure, WaitResult, wait_for};
use jiff::tz::TimeZone;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Account and assistant of documents that the console adds.
const DEFAULT_OWNER: (AccountId, AssistantId) = (AccountId(1), AssistantId(1));

/// Maximum number of events of other processes that wait for the screen. When the screen falls further behind, the
/// oldest events are dropped.
const REMOTE_EVENT_CAPACITY: usize = 1_024;

pub(super) async fn run(context: &Context, ascii: bool, plain: bool) -> Result<Exit, CliError> {
    let plain = is_plain(plain || context.config.plain_console);
    require_terminal()?;
    let runs = context.config.console_runs_jobs && !context.read_only;
    if runs {
        context.files.open()?;
    }
    let Some(store) = open_store(context, ascii, plain).await? else { return Ok(Exit::Unreachable) };
    let redis = if runs {
        connect_worker(&context.config, &*store).await?
    } else {
        connect_watcher(&context.config, &*store).await?
    };
    let runner = match runs {
        true => {
            let mode = Mode::Service(context.config.schedule.clone());
            let fetching = followed(&context.config, &*store).await?;
            Some(start_runner(&fetching, store.clone(), redis.clone(), mode)?)
        }
        false => None,
    };
    let recovery = runs.then(|| recover::run(store.clone(), Arc::downgrade(&context.files)));
    let _recovery = recovery.map(|recovery| AbortOnDropHandle::new(tokio::spawn(recovery)));
    let mut options = options(context.config.runner.per_host, context.read_only, ascii, None);
    options.keymap = keys::keymap(&context.config)?;
    options.plain = plain;
    options.file_problems = Some(file_problems(&context.files));
    options.state_file = state_path(&*store).await;
    options.explainer = Some(explainer(&context.config, store.clone()));
    options.chatwoot_jobs = chatwoot_jobs::reader(&store, redis.as_ref());
    // A console that runs jobs leaves this to its runner.
    let passes = (runner.is_none() && !context.read_only)
        .then(|| AbortOnDropHandle::new(tokio::spawn(instead_of_runner(store.clone()))));
    options.faqs_unknown = store.unreadable_faqs().await?.as_deref().map(SafeLine::new);
    options.faq_jobs_off = switched_off(&context.config, &*store);
    if let (None, Some(redis)) = (&runner, &redis) {
        // With a runner, the runner itself receives the events of other processes.
        let events = broadcast::Sender::new(REMOTE_EVENT_CAPACITY);
        let until = CancellationToken::new();
        signals::join(store.clone(), redis, events.clone(), until.clone());
        options.remote_health = Some(signals::subscription_health(store.clone(), redis, until));
        options.remote_events = Some(events);
    }
    show(store, runner, redis, (options, passes)).await
}

/// Does what a runner does for its process, for a console without one: reads Chatwoot's documents again, and notices which
/// sinks are registered.
async fn instead_of_runner(store: Arc<dyn Store>) {
    tokio::join!(read_shadows(store.clone(), CancellationToken::new()), follow_sinks(store, CancellationToken::new()));
}

/// Opens the store. While a store on a server does not answer or cannot be used, shows the error on a screen and
/// retries. If the user quits or the terminal is lost meanwhile, returns the last error, or `None` if no try has failed
/// yet.
async fn open_store(context: &Context, ascii: bool, plain: bool) -> Result<Option<Arc<dyn Store>>, CliError> {
    let url = &context.config.store.url;
    if !context.config.store.is_server() {
        return context.store().await.map(Some);
    }
    let open = || async {
        context.store().await.map_err(|error| match error {
            CliError::Store(StoreError::Unavailable(_) | StoreError::Unusable(_) | StoreError::Forbidden(_)) => {
                OpenFailure::Retryable(error)
            }
            other => OpenFailure::Fatal(other),
        })
    };
    let display = DisplayOptions { ascii: is_ascii(ascii), mono: style::is_mono(), plain };
    match wait_for(SafeLine::new(&masked(url)), display, open).await? {
        WaitResult::Opened(store) => Ok(Some(store)),
        WaitResult::Quit(Some(error)) => Err(error),
        WaitResult::Quit(None) => Ok(None),
    }
}

/// Returns true if the console writes lines: on request, and on a terminal that cannot be drawn on.
pub(super) fn is_plain(requested: bool) -> bool {
    let is_set = std::env::var_os("QUARTERDECK_PLAIN").is_some_and(|value| !value.is_empty() && value != "0");
    requested || is_set || std::env::var_os("TERM").is_some_and(|kind| kind == "dumb")
}

fn is_ascii(requested: bool) -> bool {
    // The fonts of Linux's own console have few signs beyond Latin letters.
    requested || !locale().is_utf8() || std::env::var_os("TERM").is_some_and(|term| term == "linux")
}

/// Fails if standard input or standard output is no terminal: the console reads keys.
pub(super) fn require_terminal() -> Result<(), CliError> {
    let wrong = if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        "the console needs a terminal; `quarterdeck list` and `quarterdeck work` do not (see --help)"
    } else {
        return Ok(());
    };
    Err(CliError::Usage(wrong.to_owned()))
}

/// Runs the console until it ends, then ends the runner and the task beside it, and closes Redis and the store. Fails if
/// the console failed, or if a newer program has migrated the store meanwhile.
pub(super) async fn show(
    store: Arc<dyn Store>,
    runner: Option<Handle>,
    redis: Option<Arc<Redis>>,
    (options, task): (tui::Options, Option<AbortOnDropHandle<()>>),
) -> Result<Exit, CliError> {
    let shown = tui::run(store.clone(), runner.clone(), options).await;
    drop(task);
    if let Some(runner) = runner {
        // Releases the jobs that still run: none after a drain in the console, but maybe some after an error.
        runner.leave();
        runner.ended().await;
    }
    if let Some(redis) = redis {
        redis.close().await;
    }
    store.close().await;
    shown?;
    ensure_same_schema(&*store)?;
    Ok(Exit::Done)
}

/// Returns the console's options for this terminal and user.
pub(super) fn options(per_host: u32, read_only: bool, ascii: bool, note: Option<SafeLine>) -> tui::Options {
    tui::Options {
        read_only,
        note,
        keymap: tui::Keymap::default(),
        operator: operator(),
        zone: TimeZone::system(),
        ascii: is_ascii(ascii),
        mono: style::is_mono(),
        plain: false,
        per_host,
        default_owner: DEFAULT_OWNER,
        explainer: None,
        chatwoot_jobs: None,
        faqs_unknown: Some(SafeLine::new(NEEDS_CHATWOOT)),
        faq_jobs_off: Some(NEEDS_CHATWOOT),
        remote_events: None,
        remote_health: None,
        state_file: None,
        file_problems: None,
    }
}

/// Returns the file that keeps the console's state for this store; `None` if the user has no home directory or the
/// store no id that can be a name.
async fn state_path(store: &dyn Store) -> Option<PathBuf> {
    let StoreId(id) = store.id().await.ok()?;
    let is_name = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let folder = DefaultPaths::console_dir().filter(|_| is_name)?;
    Some(folder.join(format!("{id}.json")))
}

/// Returns the filter that a console of this store has saved under a name; `None` without one.
pub(super) async fn saved_filter(store: &dyn Store, name: &str) -> Option<String> {
    let path = state_path(store).await?;
    tui::saved_filter(&path, name)
}

/// Returns messages about the outcome files for a person; `None` while there is nothing to say.
pub(super) fn file_problems(files: &Arc<OutcomeFiles>) -> watch::Receiver<Option<SafeLine>> {
    let (messages, receiver) = watch::channel(None);
    let (files, mut problems) = (Arc::downgrade(files), files.problems());
    tokio::spawn(async move {
        while problems.changed().await.is_ok() {
            let problem = problems.borrow_and_update().clone();
            let Some(files) = files.upgrade() else { return };
            let message = problem.map(|error| SafeLine::new(&files.describe(&error)));
            if messages.send(message).is_err() {
                return;
            }
        }
    });
    receiver
}

/// The locale of the environment, which determines the character set of the console.
pub(super) struct Locale {
    /// The environment variable that decides, and its value; `None` when no such variable is set.
    pub(super) variable: Option<(&'static str, String)>,
}

impl Locale {
    /// Returns true if the locale is UTF-8, so that the console may draw characters beyond ASCII. Without any locale (a
    /// bare container) UTF-8 is assumed.
    pub(super) fn is_utf8(&self) -> bool {
        self.variable.as_ref().is_none_or(|(_, value)| {
            let value = value.to_ascii_lowercase();
            value.contains("utf-8") || value.contains("utf8")
        })
    }
}

/// Returns the locale of this process. As in the C library, the first of the variables `LC_ALL`, `LC_CTYPE` and `LANG`
/// that is set decides.
pub(super) fn locale() -> Locale {
    let set = |name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?));
    Locale { variable: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set) }
}
