//! `quarterdeck doctor`: checks everything that the program needs, and prints the problems and how to fix them. Changes
//! nothing unless an option asks for a repair.
//!
//! [`CHECKS`] lists the checks: `settings` (config file, log directory, private hosts, credentials), `machine` (certificates,
//! terminal, locale), `database` (the store, its workers and its queue, with `batches` for acts on many documents, `faq` for the outbox, `notify` for notifications, `disk` for its size, `schedule` for
//! the automatic syncs and `texts` for the texts of Chatwoot), `locks` (Redis). `unblock` continues a stopped process that keeps the store
//! locked, `compact` writes a file anew.

mod batches;
mod bundle;
mod compact;
mod database;
mod disk;
mod faq;
mod locks;
mod machine;
mod notify;
mod schedule;
mod settings;
mod sources;
mod texts;
mod unblock;

use super::console::locale;
use super::exit::{CliError, Exit};
use super::keys;
use super::output::{Output, masked, note};
use super::style::Emphasis;
use crate::config::{Config, ConfigError, DefaultPaths, Environment, Flags};
use crate::domain::finding::{CheckStatus, Finding};
use crate::domain::text::SafeLine;
use crate::format;
use crate::store::CheckDepth;
use crate::tui::glyphs::{ASCII, UNICODE};
use bundle::Bundle;
use futures_util::future::BoxFuture;
use serde::Serialize;
use std::path::PathBuf;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object per line: check, result (ok, warn, fail), says, cure
    #[arg(long)]
    pub json: bool,
    /// Check every page of the store's file and the stored status of every document; takes seconds in a large store
    #[arg(long)]
    pub full: bool,
    /// First rebuild the stored statuses and counts from the documents and their jobs; other writers wait meanwhile
    #[arg(long)]
    pub rebuild: bool,
    /// First forget which texts recur on the pages of this host (with its port unless that is the usual one); its pages
    /// are then fetched whole once, and it is learned anew
    #[arg(long, value_name = "HOST")]
    pub forget_template: Option<String>,
    /// First continue (SIGCONT) a stopped process that keeps the others from writing to an SQLite store
    #[arg(long, group = "asks")]
    pub unblock: bool,
    /// First write the file of an SQLite store anew, without the pages that nothing uses any more; no other process may use
    /// the store
    #[arg(long, group = "asks")]
    pub compact: bool,
    /// On a database of Chatwoot, fetch 20 pages and say how many of the stored texts a pass would rewrite; stores nothing
    #[arg(long)]
    pub sample: bool,
    /// Also write a text file for a bug report, which must not exist: version, settings without secrets, these findings,
    /// counts, the end of the log; no content of pages. Without FILE a name with the time in the current folder
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "")]
    pub bundle: Option<PathBuf>,
    /// Do not ask before --unblock or --compact
    #[arg(long, requires = "asks")]
    pub yes: bool,
}

/// Input of the checks: paths, environment and flags, and the settings loaded from them.
struct CheckContext {
    default_paths: DefaultPaths,
    environment: Environment,
    flags: Flags,
    config: Result<Config, ConfigError>,
    depth: CheckDepth,
    /// True if a sample of pages is fetched.
    sample: bool,
}

/// A check. One that needs the settings returns no finding if these could not be loaded.
type Check = fn(&CheckContext) -> BoxFuture<'_, Vec<Finding>>;

/// All checks, in the order in which they run and print.
const CHECKS: [Check; 10] = [
    |context| Box::pin(async { settings::file(context) }),
    |context| Box::pin(async { settings::private_hosts(context) }),
    |context| Box::pin(async { settings::credentials(context) }),
    |context| Box::pin(async { notify::settings(context) }),
    |context| Box::pin(async { settings::log_dir(context) }),
    |_| Box::pin(async { machine::certificates() }),
    |_| Box::pin(async { machine::terminal() }),
    |_| Box::pin(async { machine::character_set() }),
    |context| Box::pin(database::store(context)),
    |context| Box::pin(locks::redis(context)),
];

/// Runs every check and prints its findings. The worst finding decides the exit code.
pub(super) async fn run(args: &Args, paths: DefaultPaths, flags: Flags, out: &mut Output) -> Result<Exit, CliError> {
    let environment = Environment::read();
    let config = Config::load(&paths, &environment, &flags).and_then(keys::checked);
    let depth = if args.full { CheckDepth::Full } else { CheckDepth::Quick };
    let context = CheckContext { default_paths: paths, environment, flags, config, depth, sample: args.sample };
    if args.unblock {
        unblock::run(&context, args.yes).await?;
    }
    if args.compact {
        compact::run(&context, args.yes).await?;
    }
    if args.rebuild {
        database::rebuild(&context).await?;
    }
    if let Some(host) = &args.forget_template {
        database::forget_template(&context, host).await?;
    }
    let mut bundle = args.bundle.as_deref().map(Bundle::create).transpose()?;
    if let Some(bundle) = &mut bundle {
        bundle.begin_findings(&context);
    }
    let mut all = Vec::new();
    for check in CHECKS {
        for finding in check(&context).await {
            print(&finding, args.json, out)?;
            if let Some(bundle) = &mut bundle {
                let remedy = finding.remedy.as_ref().map_or(String::new(), |remedy| format!("; {remedy}"));
                bundle.line(format_args!("{} {}: {}{remedy}", finding.status.word(), finding.check, finding.message));
            }
            all.push(finding.status);
        }
        // Flushed before the next check starts, so that a slow or hanging check can be identified.
        out.flush()?;
    }
    if let Some(bundle) = bundle {
        bundle.finish(&context).await?;
    }
    let number = |word: &str| all.iter().filter(|verdict| verdict.word() == word).count();
    let (failed, warned) = (number(CheckStatus::Fail.word()), number(CheckStatus::Warn.word()));
    note(match (format::count(failed as u64, "error"), format::count(warned as u64, "warning")) {
        _ if failed + warned == 0 => "all is well".to_owned(),
        (_, warnings) if failed == 0 => format!("no errors; {warnings}"),
        (errors, _) if warned == 0 => errors,
        (errors, warnings) => format!("{errors}, {warnings}"),
    });
    Ok(match all.into_iter().max() {
        Some(CheckStatus::Unreachable) => Exit::Unreachable,
        Some(CheckStatus::Fail) => Exit::SomeFailed,
        _ => Exit::Done,
    })
}

/// A finding in JSON. Scripts rely on the order of the fields.
#[derive(Serialize)]
struct FindingJson<'a> {
    check: &'a str,
    result: &'a str,
    #[serde(rename = "says")]
    message: String,
    cure: Option<String>,
}

fn print(finding: &Finding, json: bool, out: &mut Output) -> Result<(), CliError> {
    let safe = |text: &String| masked(SafeLine::new(text).as_str());
    let (check, result) = (finding.check, finding.status.word());
    let (message, cure) = (safe(&finding.message), finding.remedy.as_ref().map(safe));
    if json {
        return Ok(out.json(&FindingJson { check, result, message, cure })?);
    }
    let glyphs = if locale().is_utf8() { UNICODE } else { ASCII };
    let sign = match finding.status {
        CheckStatus::Ok => glyphs.good,
        CheckStatus::Warn => glyphs.alarm,
        CheckStatus::Fail | CheckStatus::Unreachable => glyphs.failed,
    };
    let tone = match finding.status {
        CheckStatus::Ok => Emphasis::Good,
        CheckStatus::Warn => Emphasis::Waits,
        CheckStatus::Fail | CheckStatus::Unreachable => Emphasis::Bad,
    };
    let verdict = out.painted(tone, &format!("{sign} {result:<4}"));
    let cure = cure.map_or(String::new(), |cure| format!("; {cure}"));
    Ok(out.line(format_args!("{verdict}  {check:<13} {message}{cure}"))?)
}
