//! `quarterdeck` without a verb: the console, with the runner inside unless it only watches.

use super::context::{Context, operator};
use super::exit::{CliError, Exit, still_understood};
use super::join::{locks, news, start_runner};
use super::output::masked;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::lock::Redis;
use crate::runner::Mode;
use crate::runner::handle::Handle;
use crate::runner::signals;
use crate::store::{Store, StoreError};
use crate::tui;
use crate::tui::waiting::{Looks, Missed, Waited, wait_for};
use jiff::tz::TimeZone;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Owner of documents that are added without naming one.
const DEFAULT_OWNER: (AccountId, AssistantId) = (AccountId(1), AssistantId(1));

/// Steps of other processes that the screen may be behind before it misses some.
const REMOTE_EVENTS: usize = 1_024;

pub(super) async fn run(context: &Context, ascii: bool) -> Result<Exit, CliError> {
    needs_terminal()?;
    let runs = context.config.console_runs_jobs && !context.read_only;
    if runs {
        context.files.open()?;
    }
    let Some(store) = store(context, ascii).await? else { return Ok(Exit::Unreachable) };
    let redis = if runs { locks(&context.config, &*store).await? } else { news(&context.config, &*store).await? };
    let runner = match runs {
        true => {
            let mode = Mode::Service(context.config.schedule.clone());
            Some(start_runner(&context.config, store.clone(), redis.clone(), mode)?)
        }
        false => None,
    };
    let mut options = options(context.config.runner.per_host, context.read_only, ascii, None);
    if let (None, Some(redis)) = (&runner, &redis) {
        // The runner joins them otherwise.
        let events = broadcast::Sender::new(REMOTE_EVENTS);
        let until = CancellationToken::new();
        signals::join(store.clone(), redis, events.clone(), until.clone());
        options.hearing = Some(signals::hearing(store.clone(), redis, until));
        options.remote = Some(events);
    }
    show(store, runner, redis, options).await
}

/// The store. On a server it is waited for, on a screen that says what is wrong; `None` when the person has left before
/// anything was known to be wrong.
async fn store(context: &Context, ascii: bool) -> Result<Option<Arc<dyn Store>>, CliError> {
    let url = &context.config.store.url;
    if !context.config.store.is_server() {
        return context.store().await.map(Some);
    }
    let open = || async {
        context.store().await.map_err(|error| match error {
            CliError::Store(StoreError::Unavailable(_) | StoreError::Unusable(_)) => Missed::Waits(error),
            other => Missed::Ends(other),
        })
    };
    let looks = Looks { ascii: is_ascii(ascii), mono: tui::no_color() };
    match wait_for(SafeLine::new(&masked(url)), looks, open).await? {
        Waited::Here(store) => Ok(Some(store)),
        Waited::Left(Some(error)) => Err(error),
        Waited::Left(None) => Ok(None),
    }
}

fn is_ascii(asked: bool) -> bool {
    asked || !locale().is_utf8()
}

/// The console asks for keys and draws; without a terminal it could do neither.
pub(super) fn needs_terminal() -> Result<(), CliError> {
    if io::stdin().is_terminal() && io::stdout().is_terminal() {
        return Ok(());
    }
    Err(CliError::Usage(
        "the console needs a terminal; `quarterdeck list` and `quarterdeck work` do not (see --help)".to_owned(),
    ))
}

/// Shows the console until it is left; then the runner has ended and the store is closed.
pub(super) async fn show(
    store: Arc<dyn Store>,
    runner: Option<Handle>,
    redis: Option<Arc<Redis>>,
    options: tui::Options,
) -> Result<Exit, CliError> {
    let shown = tui::run(store.clone(), runner.clone(), options).await;
    if let Some(runner) = runner {
        // After a drain that the console waited for this finds nothing left; after an error it gives back what runs.
        runner.leave();
        runner.ended().await;
    }
    if let Some(redis) = redis {
        redis.close().await;
    }
    store.close().await;
    shown?;
    still_understood(&*store)?;
    Ok(Exit::Done)
}

/// Returns the console's options for this terminal and user.
pub(super) fn options(per_host: u32, read_only: bool, ascii: bool, note: Option<SafeLine>) -> tui::Options {
    tui::Options {
        read_only,
        note,
        operator: operator(),
        zone: TimeZone::system(),
        ascii: is_ascii(ascii),
        mono: tui::no_color(),
        per_host,
        default_owner: DEFAULT_OWNER,
        remote: None,
        hearing: None,
    }
}

/// Character set as the environment gives it.
pub(super) struct Locale {
    /// The variable that decides and what it says; `None` when none of them is set.
    pub(super) said: Option<(&'static str, String)>,
}

impl Locale {
    /// Returns true if glyphs beyond ASCII may be used. Without any locale (a bare container) the terminal is assumed
    /// to be modern.
    pub(super) fn is_utf8(&self) -> bool {
        self.said.as_ref().is_none_or(|(_, said)| {
            let said = said.to_ascii_lowercase();
            said.contains("utf-8") || said.contains("utf8")
        })
    }
}

/// The locale of this process: the first variable that is set decides, as for the C library.
pub(super) fn locale() -> Locale {
    let set = |name| Some((name, std::env::var(name).ok().filter(|value| !value.is_empty())?));
    Locale { said: ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set) }
}
