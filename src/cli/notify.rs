//! `quarterdeck notify`: tests and lists the sinks of notifications, and decides about what waits for them.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::subscribers;
use crate::config::Config;
use crate::domain::id::OutboxId;
use crate::domain::notification::{SinkKind, SinkName, SinkStatus, test_record};
use crate::domain::outbox::PendingDelivery;
use crate::domain::suggest::nearest;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use clap::ValueEnum;
use serde::Serialize;

/// Arguments of `notify`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do
    #[arg(value_enum)]
    pub action: NotifyAction,
    /// Sink of the settings, as in [notify.NAME]; `list` takes none
    pub name: Option<String>,
    /// Print one JSON object per sink
    #[arg(long)]
    pub json: bool,
}

/// Actions of `notify`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NotifyAction {
    /// Send a record to the sink now, and print what came of it
    Test,
    /// Print the sinks: what waits for them, the last delivery and the last error
    List,
    /// Deliver what waits or was given up now, and enable the sink if its receiver had disabled it
    Retry,
    /// Drop what waits for the sink; one that the settings no longer have is removed
    Forget,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if args.action == NotifyAction::List {
        return match &args.name {
            Some(_) => Err(CliError::Usage("notify list takes no name: it lists every sink".to_owned())),
            None => list(context, args.json, out).await,
        };
    }
    let Some(name) = &args.name else {
        return Err(CliError::Usage("needs the name of a sink; `quarterdeck notify list` has them".to_owned()));
    };
    let unknown = || CliError::Usage(unknown(&context.config, name));
    let name = SinkName::new(name).ok_or_else(unknown)?;
    match args.action {
        NotifyAction::Test => test(context, &name, args.json, out).await,
        NotifyAction::Retry => {
            let store = context.writable_store("notify retry").await?;
            let records = store.retry_sink(&name).await?;
            context.announce(&*store).await?;
            store.close().await;
            print_records("due now", &name, records.ok_or_else(unknown)?, args.json, out)
        }
        NotifyAction::Forget => {
            let store = context.writable_store("notify forget").await?;
            let is_defined = context.config.notify.sinks.contains_key(&name);
            let records = store.forget_sink(&name, !is_defined).await?;
            store.close().await;
            print_records("dropped", &name, records.ok_or_else(unknown)?, args.json, out)
        }
        NotifyAction::List => Ok(Exit::Done),
    }
}

fn unknown(config: &Config, name: &str) -> String {
    let known: Vec<&str> = config.notify.sinks.keys().map(SinkName::as_str).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(suggestion) => format!("did you mean {suggestion}?"),
        None if known.is_empty() => "the settings have none; add a section [notify.NAME]".to_owned(),
        None => format!("known: {}", known.join(", ")),
    };
    format!("there is no sink \"{}\" ({hint})", SafeLine::new(name))
}

#[derive(Serialize)]
struct RecordsJson<'a> {
    name: &'a str,
    records: u64,
}

fn print_records(done: &str, name: &SinkName, records: u64, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    if json {
        out.json(&RecordsJson { name: name.as_str(), records })?;
    } else {
        out.line(format_args!("{name}: {} {done}", format::count(records, "record")))?;
    }
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct TestJson<'a> {
    name: &'a str,
    id: &'a str,
    delivered: bool,
    error: Option<String>,
}

async fn test(context: &Context, name: &SinkName, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let settings = context.config.notify.sinks.get(name);
    let settings = settings.ok_or_else(|| CliError::Usage(unknown(&context.config, name.as_str())))?;
    if let Some(problem) = &settings.problem {
        return Err(CliError::Usage(format!("notify.{name}: {problem}")));
    }
    let Some(sink) = subscribers::sink(&context.config, name, settings, None) else { return Ok(Exit::WrongUse) };
    let now = Timestamp::from_micros(jiff::Timestamp::now().as_microsecond());
    let id = uuid::Uuid::new_v4().simple().to_string();
    let payload = test_record(&id, name, &operator(), now);
    let pending =
        PendingDelivery { id: OutboxId(0), key: id.clone(), payload, created_at: now, attempts: 0, tried_at: None };
    let result = sink.deliver(&pending, now).await;
    let error = result.as_ref().err().map(ToString::to_string);
    if json {
        out.json(&TestJson { name: name.as_str(), id: &id, delivered: result.is_ok(), error })?;
    } else if let Some(error) = error {
        note(format!("{name}: not delivered: {error}"));
    } else {
        out.line(format_args!("{name}: delivered"))?;
    }
    Ok(if result.is_ok() { Exit::Done } else { Exit::Unreachable })
}

#[derive(Serialize)]
struct SinkJson<'a> {
    name: &'a str,
    kind: &'a str,
    on: Vec<String>,
    /// True if the settings of this call have the sink.
    defined: bool,
    state: &'static str,
    disabled_at: Option<Timestamp>,
    reason: Option<&'a str>,
    pending: u64,
    oldest_at: Option<Timestamp>,
    dead: u64,
    delivered: u64,
    delivered_at: Option<Timestamp>,
    last_error: Option<&'a str>,
}

async fn list(context: &Context, json: bool, out: &mut Output) -> Result<Exit, CliError> {
    let store = context.readable_store().await?;
    let (sinks, now) = (store.sinks().await?, store.now());
    store.close().await;
    let defined = &context.config.notify.sinks;
    for sink in &sinks {
        let is_defined = defined.contains_key(&sink.name);
        if json {
            out.json(&sink_json(sink, is_defined))?;
        } else {
            out.line(format_args!("{}", line(sink, is_defined, now)))?;
        }
    }
    for (name, settings) in defined.iter().filter(|(name, _)| !sinks.iter().any(|sink| sink.name == **name)) {
        let new = SinkStatus::new(name.clone(), settings.kind.map_or("", SinkKind::word));
        let new = SinkStatus { on: settings.trigger.alternatives(), ..new };
        if json {
            out.json(&SinkJson { state: "new", ..sink_json(&new, true) })?;
        } else {
            out.line(format_args!("{name}  {}  new: it is notified from the next start of a worker on", new.kind))?;
        }
    }
    if sinks.is_empty() && defined.is_empty() {
        note("there is no sink; `quarterdeck help notifications` says how to set one up");
    }
    Ok(Exit::Done)
}

fn sink_json(sink: &SinkStatus, is_defined: bool) -> SinkJson<'_> {
    let (at, reason) = sink.disabled.as_ref().map(|(at, reason)| (*at, reason.as_str())).unzip();
    SinkJson {
        name: sink.name.as_str(),
        kind: &sink.kind,
        on: sink.on.clone(),
        defined: is_defined,
        state: if at.is_some() { "disabled" } else { "enabled" },
        disabled_at: at,
        reason,
        pending: sink.pending,
        oldest_at: sink.oldest_at,
        dead: sink.dead,
        delivered: sink.delivered,
        delivered_at: sink.delivered_at,
        last_error: sink.last_error.as_deref(),
    }
}

fn line(sink: &SinkStatus, is_defined: bool, now: Timestamp) -> String {
    let mut line = format!("{}  {}  {}", sink.name, sink.kind, format::sink_state(sink, now));
    if !is_defined {
        line.push_str("; these settings do not have it: a worker whose settings do delivers, or forget it");
    }
    line
}
