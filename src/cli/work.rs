//! `quarterdeck work`: a worker without a screen. Prints the outcomes that it records as JSON lines on stdout.

use super::context::{ConfigOrigin, Context};
use super::crawling::followed;
use super::diagnostics;
use super::exit::{CliError, Exit, ensure_same_schema};
use super::health::{self, HealthPages, StartedWorker};
use super::http::HttpServer;
use super::metrics::{self, Metrics};
use super::output::{note, problem};
use super::pause::report_pauses;
use super::record::{OutcomeFiles, OutcomeLines};
use super::recover;
use super::stop::{StopSignal, StopSignals};
use super::supervisor::Supervisor;
use super::wiring::{connect_worker, fetcher, report_lock_health, report_unfetchable, start_runner};
use crate::config::{Config, KeyEffect, KeyValues};
use crate::domain::lock::LockMode;
use crate::domain::source::ReadResult;
use crate::domain::time::Timestamp;
use crate::format;
use crate::lock::{ConnectionState, Redis};
use crate::runner::Mode;
use crate::runner::event::{Event, Health};
use crate::runner::handle::Handle;
use crate::store::Store;
use std::sync::Arc;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::task::AbortOnDropHandle;

/// Arguments of `work`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Read the sources that are due, and end when no job is running, ready or waiting; exit 1 if a document failed for
    /// good, or a source could not be read
    #[arg(long)]
    pub drain: bool,
    /// Number of concurrent syncs
    #[arg(long, value_name = "N")]
    pub concurrency: Option<u32>,
    /// Serve /live, /ready and /health over HTTP on this port of 127.0.0.1: status 200, or 503 with the reason
    #[arg(long, value_name = "PORT")]
    pub health: Option<u16>,
}

pub(super) async fn run(context: &Context, args: &Args, origin: &ConfigOrigin) -> Result<Exit, CliError> {
    context.ensure_writable("work")?;
    // Signals are received before anything runs, so that a signal during the start drains, too.
    let mut stop = StopSignals::listen()?;
    context.files.open()?;
    let health = Arc::new(HealthPages::default());
    let health_server = match args.health {
        Some(port) => Some(health::listen(port).await?.serve(health.clone())),
        None => None,
    };
    let metrics_port = match context.config.metrics {
        Some(address) => Some(metrics::listen(address).await?),
        None => None,
    };
    let (lines, metrics) = (OutcomeLines::start(), Metrics::new());
    let store = context.store_that_suspends(Some(metrics.recorder(lines.recorder()))).await?;
    let recovery = recover::run(store.clone(), Arc::downgrade(&context.files));
    let recovery = AbortOnDropHandle::new(tokio::spawn(recovery));
    let mode = if args.drain { Mode::Drain } else { Mode::Service(context.config.schedule.clone()) };
    let redis = connect_worker(&context.config, &*store).await?;
    if let Some(redis) = &redis {
        require_locks(redis).await?;
    }
    let begun = store.now();
    let runner = start_runner(&followed(&context.config, &*store).await?, store.clone(), redis.clone(), mode)?;
    // Subscribed at once: the runner's first act may be to give up a job of a dead worker.
    let events = runner.subscribe();
    // Not awaited on this thread: it would be woken at every step of every job.
    let notes = AbortOnDropHandle::new(tokio::spawn(print_notes(runner.clone(), events)));
    report_lock_health(&runner);
    report_unfetchable(&context.config);
    // An error here is ignored: the runner reports that the store does not answer.
    let _ = report_pauses(&*store, |_| true).await;
    let metrics = metrics.pages(runner.clone(), store.clone());
    let shared = metrics_port.is_none().then(|| Arc::clone(&metrics));
    health.begin(StartedWorker { runner: runner.clone(), store: store.clone(), metrics: shared });
    let metrics_server = metrics_port.map(|port| port.serve(metrics));
    let servers: Vec<HttpServer> = health_server.into_iter().chain(metrics_server).collect();
    let supervisor = Supervisor::of_environment();
    let watched = AbortOnDropHandle::new(tokio::spawn(supervisor.clone().watch(runner.clone())));
    let wakers = Wakers { stop: &mut stop, supervisor: &supervisor, origin, store: &store };
    until_ended(&runner, wakers, &lines, &context.files).await;
    // A panic of the task would have been printed.
    let _ = notes.await;
    supervisor.stopping();
    let mut sources_failed = false;
    if args.drain {
        sources_failed = report_sources(&*store, begun).await;
        report_waiting(&*store).await;
    }
    drop(watched);
    drop(recovery);
    for server in servers {
        server.end().await;
    }
    if let Some(redis) = redis {
        redis.close().await;
    }
    store.close().await;
    let printed = lines.finish();
    ensure_same_schema(&*store)?;
    let failed = printed?;
    Ok(if args.drain && (failed > 0 || sources_failed) { Exit::SomeFailed } else { Exit::Done })
}

/// Says which of the sources that were read since `begun` failed, how many documents the others have added, and how many
/// proposals wait. Returns true if one could not be read.
async fn report_sources(store: &dyn Store, begun: Timestamp) -> bool {
    // An error here is ignored: the runner has reported that the store does not answer.
    let sources = store.sources().await.unwrap_or_default();
    let read: Vec<_> = sources.iter().filter(|source| source.last.is_some_and(|(at, _)| at >= begun)).collect();
    let mut has_failed = false;
    for source in &read {
        if source.last.is_some_and(|(_, result)| result != ReadResult::Complete) {
            problem(format!("source {}: {}", source.name, format::source_state(source, store.now())));
            has_failed = true;
        }
    }
    let added: u64 = read.iter().map(|source| source.counts.added).sum();
    let proposals: u64 = read.iter().map(|source| source.proposals).sum();
    if added > 0 {
        let documents = format::count(added, "document");
        note(format!("sources have added {documents}; `quarterdeck sync --due --wait` fetches what is due"));
    }
    if proposals > 0 {
        let proposals = format::count(proposals, "proposal");
        note(format!("sources have {proposals} for you; `quarterdeck source proposals` lists them"));
    }
    has_failed
}

/// Says what a drain has left: jobs whose time has not come.
async fn report_waiting(store: &dyn Store) {
    // An error here is ignored: the runner has reported that the store does not answer.
    let Ok(queue) = store.queue().await else { return };
    let (left, now) = (queue.scheduled + queue.waiting + queue.ready, store.now());
    let Some(next) = queue.next_due_at.filter(|at| left > 0 && *at > now) else { return };
    let verb = if left == 1 { "waits" } else { "wait" };
    note(format!(
        "{} {verb}, the next until {} UTC ({}); `quarterdeck sync --due --wait` runs what is due now",
        format::count(left, "job"),
        next.date_clock_utc(),
        format::until(now, next)
    ));
}

/// Fails if Redis is required and does not answer, so that the supervisor which started the worker notices.
async fn require_locks(redis: &Redis) -> Result<(), CliError> {
    if redis.mode() == LockMode::Required {
        redis.first_connection().await;
        if let ConnectionState::Unavailable(reason) = &*redis.connection_state().borrow() {
            return Err(CliError::Redis(reason.clone()));
        }
    }
    Ok(())
}

/// Waits for the runner's end. The first signal drains the runner, so that it finishes its running jobs; the second
/// signal releases them. The runner is also drained when stdout cannot be written. HUP reads the settings again.
async fn until_ended(runner: &Handle, wakers: Wakers<'_>, lines: &OutcomeLines, files: &OutcomeFiles) {
    let Wakers { stop, supervisor, origin, store } = wakers;
    let mut values = origin.values();
    let mut file_problems = files.problems();
    let (mut stop_requested, mut read) = (false, true);
    loop {
        tokio::select! {
            () = runner.ended() => break,
            signal = stop.next_of_worker() => match signal {
                StopSignal::Reload => {
                    supervisor.reloading();
                    reload(origin, runner, store, &mut values).await;
                    supervisor.reloaded();
                }
                StopSignal::End if stop_requested => runner.leave(),
                StopSignal::End => {
                    supervisor.stopping();
                    runner.drain();
                    stop_requested = true;
                }
            },
            () = lines.broken(), if read => {
                read = false;
                runner.drain();
            }
            Ok(()) = file_problems.changed() => match &*file_problems.borrow_and_update() {
                Some(error) => problem(files.describe(error)),
                None => note("outcomes are written to files again"),
            },
        }
    }
}

/// Signals to a worker, and those whom their effects concern.
struct Wakers<'a> {
    stop: &'a mut StopSignals,
    supervisor: &'a Supervisor,
    origin: &'a ConfigOrigin,
    store: &'a Arc<dyn Store>,
}

/// Reads the settings again and applies those that can change while a worker runs. Settings with mistakes change
/// nothing. `values` are those that were read before.
async fn reload(origin: &ConfigOrigin, runner: &Handle, store: &Arc<dyn Store>, values: &mut KeyValues) {
    let read = origin.values();
    let applied = match origin.read() {
        Ok(config) => apply(&config, runner, store).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match applied {
        Ok(()) => {
            note(format!("settings and secrets reloaded: {}", describe_changes(&values.changes(&read))));
            *values = read;
        }
        Err(error) => problem(format!("the settings stay as they were:\n{error}")),
    }
}

/// Applies the settings that can change while the runner runs.
async fn apply(config: &Config, runner: &Handle, store: &Arc<dyn Store>) -> Result<(), CliError> {
    let config = followed(config, &**store).await?;
    let fetcher = fetcher(&config)?;
    diagnostics::set_level(config.log.level);
    runner.apply(config.runner.clone(), fetcher, config.schedule.clone());
    for warning in &config.warnings {
        problem(warning);
    }
    report_unfetchable(&config);
    Ok(())
}

/// Describes which keys have changed, and of which the new values count only after the next start.
fn describe_changes(changes: &[(String, KeyEffect)]) -> String {
    let of = |effect: KeyEffect| {
        let keys: Vec<&str> = changes.iter().filter(|(_, own)| *own == effect).map(|(key, _)| key.as_str()).collect();
        keys.join(", ")
    };
    match (of(KeyEffect::AtReload), of(KeyEffect::AtStart)) {
        (now, later) if now.is_empty() && later.is_empty() => "no key has changed".to_owned(),
        (now, later) if later.is_empty() => format!("changed {now}"),
        (now, later) if now.is_empty() => format!("{later} only after a restart"),
        (now, later) => format!("changed {now}; {later} only after a restart"),
    }
}

/// Prints what an operator has to know of a runner's events and of its database, until the runner has ended.
async fn print_notes(runner: Handle, mut events: Receiver<Event>) {
    let mut health = runner.health();
    let (mut silent, mut listening) = (false, true);
    loop {
        tokio::select! {
            // Events that were sent before the runner ended are printed all the same.
            biased;
            changed = health.changed(), if listening => match changed {
                Ok(()) => report_store_health(&health.borrow_and_update().clone(), &mut silent),
                Err(_) => listening = false,
            },
            event = events.recv() => match event {
                Ok(Event::Problem { message } | Event::Panicked { message }) => problem(message),
                Ok(Event::Reported { report }) => {
                    problem(format!("job given up: {}: {}", report.exception_class, report.detail));
                }
                Ok(Event::Step { .. } | Event::Ended { .. }) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            () = runner.ended() => return,
        }
    }
}

/// Prints once that the database does not answer, and once that it answers again.
fn report_store_health(health: &Health, silent: &mut bool) {
    match health {
        Health::Unreachable { reason, .. } if !*silent => {
            problem(format!("{reason}; nothing is lost, retrying until it answers"));
            *silent = true;
        }
        Health::Fine if *silent => {
            note("the database answers again");
            *silent = false;
        }
        Health::Unreachable { .. } | Health::Fine => {}
    }
}
