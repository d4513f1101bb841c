//! `quarterdeck doctor`: looks at everything that the program needs, says what is wrong with it and what mends it, and
//! changes nothing.
//!
//! [`CHECKS`] is the list: `settings` (config file, log directory, private hosts), `machine` (certificates, terminal,
//! locale), `database` (the store, its workers and its queue), `schedule` (who keeps documents fresh), `redis` (the locks).

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

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object a line: check, result (ok, warn, fail), says, cure
    #[arg(long)]
    pub json: bool,
}

/// Objects of the checks.
struct Patient {
    places: Places,
    environment: Environment,
    flags: Flags,
    config: Result<Config, ConfigError>,
}

/// Looks at one thing; what cannot be looked at without settings finds nothing when there are none.
type Check = fn(&Patient) -> BoxFuture<'_, Vec<Finding>>;

/// Everything that is looked at, in the order in which it is told.
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

/// Runs every check.
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
        // One that takes long, or hangs, is seen to be the one.
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

/// A finding as scripts read it.
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
