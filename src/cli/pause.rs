//! `quarterdeck pause` and `quarterdeck resume`: stop and resume jobs by account, host, class or altogether. A pause
//! keeps workers from starting jobs; running ones finish.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use crate::domain::document::{DocumentRow, Status};
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::id::AccountId;
use crate::domain::job::QueueClass;
use crate::domain::link::host_of;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::time::Timestamp;
use crate::store::{PagePosition, PageQuery, Queries, Sort, StoreError};
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io;

/// Arguments of `pause`.
#[derive(Debug, clap::Args)]
pub struct PauseArgs {
    /// Jobs to pause.
    #[command(flatten)]
    pub target: PauseTarget,
    /// Print one JSON object per pause
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Without an argument, `resume` lists what is paused.")]
pub struct ResumeArgs {
    /// Jobs to resume.
    #[command(flatten)]
    pub target: PauseTarget,
    /// Print one JSON object per pause
    #[arg(long)]
    pub json: bool,
}

/// The jobs to pause or resume; at most one of the options.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub struct PauseTarget {
    /// Everything
    #[arg(long)]
    pub all: bool,
    /// The documents of an account
    #[arg(long, value_name = "N")]
    pub account: Option<i64>,
    /// The documents of a host, `example.org` or `example.org:8080`
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// The jobs of a queue class: manual, retry or auto
    #[arg(long, value_name = "CLASS")]
    pub class: Option<String>,
}

impl PauseTarget {
    fn scope(&self) -> Result<Option<PauseScope>, CliError> {
        let wrong = |message: String| Err(CliError::Usage(message));
        Ok(Some(match (self.all, self.account, &self.host, &self.class) {
            (true, ..) => PauseScope::All,
            (_, Some(account), ..) => PauseScope::Account(AccountId(account)),
            (_, _, Some(text), _) => {
                let url = if text.contains("://") { text.clone() } else { format!("https://{text}/") };
                match host_of(&url) {
                    Some(host) => PauseScope::Host(host),
                    None => return wrong(format!("--host: \"{text}\" is not a host")),
                }
            }
            (_, _, _, Some(word)) => match QueueClass::parse(word) {
                Some(class) => PauseScope::Class(class),
                None => {
                    let classes = QueueClass::ALL.map(QueueClass::word).join(", ");
                    return wrong(format!("--class: \"{word}\" is none of {classes}"));
                }
            },
            _ => return Ok(None),
        }))
    }
}

/// A pause in JSON. Scripts rely on the order of the fields.
#[derive(Serialize)]
struct PauseJson<'a> {
    scope: &'a str,
    key: Option<String>,
    since: Timestamp,
    paused_by: &'a str,
}

#[derive(Serialize)]
struct ResumedJson<'a> {
    scope: &'a str,
    key: Option<String>,
    resumed: bool,
}

fn key(scope: &PauseScope) -> Option<String> {
    Some(scope.key()).filter(|key| !key.is_empty())
}

/// Describes a pause, such as `account 7 is paused by ana since 2026-11-25 21:04:02`, in local time.
fn describe(pause: &Pause) -> String {
    let since = pause.since.date_clock(&TimeZone::system());
    format!("{} {} paused by {} since {since}", pause.scope, is_or_are(&pause.scope, false), pause.by)
}

/// Returns the verb for a scope: "is" or "was", but "are" or "were" for a class, whose words are plural ("auto jobs").
const fn is_or_are(scope: &PauseScope, past: bool) -> &'static str {
    match (scope, past) {
        (PauseScope::Class(_), false) => "are",
        (PauseScope::Class(_), true) => "were",
        (_, false) => "is",
        (_, true) => "was",
    }
}

/// Prints on stderr the pauses for whose scope `applies` is true, so that the user learns why requested jobs do not
/// run.
pub(super) async fn report_pauses(
    store: &dyn Queries,
    applies: impl Fn(&PauseScope) -> bool,
) -> Result<(), StoreError> {
    for pause in store.pauses().await?.iter().filter(|pause| applies(&pause.scope)) {
        note(format!("{}; the paused jobs start only after `quarterdeck resume`", describe(pause)));
    }
    Ok(())
}

/// Returns a sentence for each pause that stops jobs of the document.
pub(super) fn pauses_of_row<'p>(pauses: &'p [Pause], row: &'p DocumentRow) -> impl Iterator<Item = String> + 'p {
    pauses.iter().filter(|pause| pauses_document(&pause.scope, row)).map(describe)
}

/// Returns true if a pause of `scope` stops the document's jobs. A pause of a class counts only if a job of that class
/// waits for the document now.
pub(super) fn pauses_document(scope: &PauseScope, row: &DocumentRow) -> bool {
    let has_job = row.next_attempt_at.is_some() || matches!(row.status, Status::Queued | Status::Waiting);
    scope.covers(row.account_id, &row.host, row.queue.filter(|_| has_job))
}

/// Returns true if the scope covers at least one document. For a class or everything it is always true, since later
/// jobs may be covered.
async fn has_documents(store: &dyn Queries, scope: &PauseScope) -> Result<bool, StoreError> {
    let condition = match scope {
        PauseScope::All | PauseScope::Class(_) => return Ok(true),
        PauseScope::Account(account) => FilterCondition::Account(vec![account.0]),
        PauseScope::Host(host) => FilterCondition::Host(vec![host.clone()]),
    };
    let filter = Filter { terms: vec![Term { negated: false, condition }] };
    let query = PageQuery { filter, sort: Sort::default(), position: PagePosition::Offset(0), limit: 1 };
    Ok(store.page(&query).await?.total > 0)
}

fn print(pause: &Pause, json: bool, out: &mut Output) -> io::Result<()> {
    if json {
        let (scope, since) = (pause.scope.kind(), pause.since);
        return out.json(&PauseJson { scope, key: key(&pause.scope), since, paused_by: &pause.by });
    }
    out.confirmation(describe(pause))
}

pub(super) async fn pause(context: &Context, args: &PauseArgs, out: &mut Output) -> Result<Exit, CliError> {
    let Some(scope) = args.target.scope()? else {
        let usage = "name what to pause: --all, --account N, --host HOST or --class CLASS (`resume` without options \
             lists what is paused)";
        return Err(CliError::Usage(usage.to_owned()));
    };
    let store = context.writable_store("pause").await?;
    if store.pause(&scope, &operator()).await? {
        context.announce(&*store).await?;
    } else {
        note(format!("{scope} {} already paused", is_or_are(&scope, true)));
    }
    if !has_documents(&*store, &scope).await? {
        note(format!("{scope} has no documents yet"));
    }
    for pause in store.pauses().await?.iter().filter(|pause| pause.scope == scope) {
        print(pause, args.json, out)?;
    }
    store.close().await;
    Ok(Exit::Done)
}

pub(super) async fn resume(context: &Context, args: &ResumeArgs, out: &mut Output) -> Result<Exit, CliError> {
    let Some(scope) = args.target.scope()? else {
        let store = context.readable_store().await?;
        let pauses = store.pauses().await?;
        if pauses.is_empty() {
            note("nothing is paused");
        }
        for pause in &pauses {
            print(pause, args.json, out)?;
        }
        store.close().await;
        return Ok(Exit::Done);
    };
    let store = context.writable_store("resume").await?;
    let resumed = store.resume(&scope).await?;
    if resumed {
        context.announce(&*store).await?;
    }
    if args.json {
        out.json(&ResumedJson { scope: scope.kind(), key: key(&scope), resumed })?;
    } else if resumed {
        out.confirmation(format!("{scope} resumed"))?;
    } else {
        note(format!("{scope} {} not paused", is_or_are(&scope, true)));
    }
    // Reports the remaining pauses, so that a user whose jobs still do not run learns why.
    for pause in store.pauses().await? {
        note(format!("{} {} still paused by {}", pause.scope, is_or_are(&pause.scope, false), pause.by));
    }
    store.close().await;
    Ok(Exit::Done)
}
