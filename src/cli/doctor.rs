//! `quarterdeck doctor`: checks everything that the program needs and prints problems with fixes. Changes nothing.
//!
//! [`CHECKS`] lists the checks: `settings` (config file, log directory, private hosts), `machine` (certificates,
//! terminal, locale), `database` (the store, its workers and its queue, with `faq` for the outbox and `schedule` for
//! the automatic syncs), `locks` (Redis).

mod database;
mod faq;
mod locks;
mod machine;
mod schedule;
mod settings;

use super::console::locale;
use super::exit::{CliError, Exit};
use super::output::{Output, masked, note};
use crate::config::{Config, ConfigError, Environment, Flags, Places};
use crate::domain::finding::{Finding, Verdict};
use crate::domain::text::SafeLine;
use crate::format;
use crate::tui::glyphs::{ASCII, UNICODE};
use futures_util::future::BoxFuture;
use serde::Serialize;

/// Arguments of `doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object a line: check, result (ok, warn, fail), says, cure
    #[arg(long)]
    pub json: bool,
}

/// Input of the checks: paths, environment and flags, and the settings loaded from them.
struct Patient {
    places: Places,
    environment: Environment,
    flags: Flags,
    config: Result<Config, ConfigError>,
}

/// One check. A check that needs settings returns no finding when they could not be loaded.
type Check = fn(&Patient) -> BoxFuture<'_, Vec<Finding>>;

/// All checks, in the order in which they run and print.
const CHECKS: [Check; 8] = [
    |patient| Box::pin(async { settings::file(patient) }),
    |patient| Box::pin(async { settings::private_hosts(patient) }),
    |patient| Box::pin(async { settings::log_dir(patient) }),
    |_| Box::pin(async { machine::certificates() }),
    |_| Box::pin(async { machine::terminal() }),
    |_| Box::pin(async { machine::character_set() }),
    |patient| Box::pin(database::store(patient)),
    |patient| Box::pin(locks::redis(patient)),
];

/// Runs every check and prints its findings; the worst of them decides the exit code.
pub(super) async fn run(args: &Args, places: Places, flags: Flags, out: &mut Output) -> Result<Exit, CliError> {
    let environment = Environment::read();
    let config = Config::load(&places, &environment, &flags);
    let patient = Patient { places, environment, flags, config };
    let mut all = Vec::new();
    for check in CHECKS {
        for finding in check(&patient).await {
            print(&finding, args.json, out)?;
            all.push(finding.verdict);
        }
        // Printed before the next check starts, so that a slow or hanging check can be identified.
        out.flush()?;
    }
    let number = |word: &str| all.iter().filter(|verdict| verdict.word() == word).count();
    let (failed, warned) = (number(Verdict::Fail.word()), number(Verdict::Warn.word()));
    note(match (format::count(failed as u64, "error"), format::count(warned as u64, "warning")) {
        _ if failed + warned == 0 => "all is well".to_owned(),
        (_, warnings) if failed == 0 => format!("nothing is wrong; {warnings}"),
        (errors, _) if warned == 0 => errors,
        (errors, warnings) => format!("{errors}, {warnings}"),
    });
    Ok(match all.into_iter().max() {
        Some(Verdict::Unreachable) => Exit::Unreachable,
        Some(Verdict::Fail) => Exit::SomeFailed,
        _ => Exit::Done,
    })
}

/// A finding in JSON; the order of the fields is the contract.
#[derive(Serialize)]
struct Line<'a> {
    check: &'a str,
    result: &'a str,
    says: String,
    cure: Option<String>,
}

fn print(finding: &Finding, json: bool, out: &mut Output) -> Result<(), CliError> {
    let safe = |text: &String| masked(SafeLine::new(text).as_str());
    let (check, result) = (finding.check, finding.verdict.word());
    let (says, cure) = (safe(&finding.says), finding.cure.as_ref().map(safe));
    if json {
        return Ok(out.json(&Line { check, result, says, cure })?);
    }
    let glyphs = if locale().is_utf8() { UNICODE } else { ASCII };
    let sign = match finding.verdict {
        Verdict::Ok => glyphs.good,
        Verdict::Warn => glyphs.alarm,
        Verdict::Fail | Verdict::Unreachable => glyphs.failed,
    };
    let cure = cure.map_or(String::new(), |cure| format!("; {cure}"));
    Ok(out.line(format_args!("{sign} {result:<4}  {check:<13} {says}{cure}"))?)
}
