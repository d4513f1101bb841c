//! `quarterdeck` without a verb: the console, with the runner inside unless it only watches.

use super::exit::{CliError, Exit};
use super::join::{Until, Wants, redis, start_runner};
use super::{Context, operator};
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::lock::Redis;
use crate::runner::handle::Handle;
use crate::runner::signals;
use crate::store::Store;
use crate::tui;
use jiff::tz::TimeZone;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

/// Who owns what is added without saying.
const DEFAULT_OWNER: (AccountId, AssistantId) = (AccountId(1), AssistantId(1));

/// Steps of other processes that the screen may be behind before it misses some.
const REMOTE_EVENTS: usize = 1_024;

pub(super) async fn run(context: &Context, ascii: bool) -> Result<Exit, CliError> {
    needs_terminal()?;
    let runs = context.config.runner.enabled && !context.read_only;
    if runs {
        context.files.open()?;
    }
    let store = context.store().await?;
    let redis = redis(&context.config, &store, if runs { Wants::Locks } else { Wants::News }).await?;
    let runner = match runs {
        true => Some(start_runner(&context.config, store.clone(), redis.clone(), Until::Told)?),
        false => None,
    };
    let mut options = options(context.config.runner.per_host, context.read_only, ascii, None);
    if let (None, Some(redis)) = (&runner, &redis) {
        // The runner joins them otherwise.
        let events = broadcast::Sender::new(REMOTE_EVENTS);
        signals::join(&store, redis, events.clone(), CancellationToken::new());
        options.remote = Some(events);
    }
    show(store, runner, redis, options).await
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
    Ok(Exit::Done)
}

/// What the console is told about this terminal and this user.
pub(super) fn options(per_host: u32, read_only: bool, ascii: bool, note: Option<SafeLine>) -> tui::Options {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    // The first of these that is set decides, as for the C library.
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default().to_ascii_lowercase();
    tui::Options {
        read_only,
        note,
        operator: operator(),
        zone: TimeZone::system(),
        // Without any locale (a bare container) the terminal is a modern one all the same.
        ascii: ascii || !(locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8")),
        mono: set("NO_COLOR").is_some(),
        per_host,
        default_owner: DEFAULT_OWNER,
        remote: None,
    }
}
