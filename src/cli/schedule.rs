//! `quarterdeck schedule`: runs one pass of the schedule now, or only prints what a pass would do and why.

use super::context::Context;
use super::crawling::{cost, firecrawl_credits, followed};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::pause::report_pauses;
use crate::chatwoot::rails_log;
use crate::domain::job::QueueClass;
use crate::domain::pause::PauseScope;
use crate::domain::plan::{AccountDecision, PlanName};
use crate::domain::schedule::{AccountPass, DueRules, Pass, ScheduleSettings, max_jitter};
use crate::format;
use crate::runner::schedule::seed;
use crate::store::{PassMode, PassRequest, PassResult, PassTrigger, Plans};
use serde::Serialize;
use std::io::{self, IsTerminal as _};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Maximum wait for another process's pass. A pass is short, and if that process dies, its lease expires after 30 s by
/// default.
const PASS_WAIT_TIMEOUT: Duration = Duration::from_secs(45);
/// Interval between two tries while another process's pass runs.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// Arguments of `schedule`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only accounts on this plan
    #[arg(long, value_name = "NAME")]
    pub plan: Option<String>,
    /// Only print what would be scheduled, and why not more
    #[arg(long)]
    pub dry_run: bool,
    /// Print one JSON object per account, then the summary
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = if args.dry_run { context.readable_store().await? } else { context.writable_store("schedule").await? };
    let terms = &context.config.schedule.terms;
    let plans = store.plans(terms).await?;
    let only = args.plan.as_deref().map(|name| resolve_plan(name, terms, &plans)).transpose()?;
    for problem in &plans.problems {
        note(problem);
    }
    if store.is_chatwoot_database() && !args.dry_run && context.config.schedule.enabled != Some(true) {
        note("Chatwoot's own scheduler may sync the same documents a second time");
    }
    let order = PassRequest {
        terms,
        only_plan: only.as_ref(),
        trigger: PassTrigger::Now,
        mode: if args.dry_run { PassMode::DryRun } else { PassMode::Enqueue },
        holder: &format!("schedule {:x}", seed()),
        lease: context.config.runner.lease,
        seed: seed(),
    };
    let until = Instant::now() + PASS_WAIT_TIMEOUT;
    let passes = loop {
        match store.schedule(&order).await? {
            PassResult::Completed(passes, _) => break passes,
            PassResult::LeaseTaken | PassResult::NotDue if Instant::now() < until => sleep(POLL_INTERVAL).await,
            PassResult::LeaseTaken | PassResult::NotDue => {
                return Err(CliError::Usage("another process is scheduling; try again in a minute".to_owned()));
            }
        }
    };
    report_pauses(&*store, |scope| !matches!(scope, PauseScope::Class(class) if *class != QueueClass::Auto)).await?;
    let form = match (args.json, io::stdout().is_terminal()) {
        (true, _) => OutputFormat::Json,
        (false, true) => OutputFormat::Text,
        (false, false) => OutputFormat::Piped,
    };
    for pass in &passes {
        print(pass, terms.rules, form, out)?;
    }
    if form == OutputFormat::Piped && !passes.is_empty() {
        note("the next version prints a sentence instead of the line for the Rails log; --json does not change");
    }
    if args.dry_run {
        let enqueued: u32 = passes.iter().flat_map(|pass| &pass.accounts).map(|account| account.enqueued).sum();
        let fetching = followed(&context.config, &*store).await?;
        if let Some(credits) = cost(&fetching, enqueued as usize).filter(|credits| *credits > 0) {
            note(format!("would cost up to {}", firecrawl_credits(credits)));
        }
    }
    context.announce(&*store).await?;
    store.close().await;
    Ok(Exit::Done)
}

/// Returns the plan with the given name. Fails if neither the settings nor an account has such a plan.
fn resolve_plan(name: &str, terms: &ScheduleSettings, plans: &Plans) -> Result<PlanName, CliError> {
    let wrong = |known: Vec<&str>| {
        let known = if known.is_empty() {
            "there are no plans".to_owned()
        } else {
            format!("known plans: {}", known.join(", "))
        };
        CliError::Usage(format!("--plan: unknown plan \"{name}\" ({known})"))
    };
    let own = plans.accounts.iter().filter_map(|account| account.name.as_ref());
    let mut known: Vec<&PlanName> = own.chain(terms.plans.plans.keys()).collect();
    known.sort();
    known.dedup();
    match PlanName::new(name).filter(|name| known.contains(&name)) {
        Some(name) => Ok(name),
        None => Err(wrong(known.into_iter().map(PlanName::as_str).collect())),
    }
}

#[derive(Serialize)]
struct AccountJson<'a> {
    account_id: i64,
    plan: Option<&'a str>,
    cadence_seconds: Option<u64>,
    documents_enqueued: u32,
    reason: Option<&'a str>,
}

/// Format of the output.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OutputFormat {
    /// One JSON object per account, then the summary.
    Json,
    /// Lines for a person on a terminal.
    Text,
    /// The lines of [`Self::Text`], but with the summary in Chatwoot's log format, for scripts that parse that format.
    Piped,
}

fn print(pass: &Pass, rules: DueRules, form: OutputFormat, out: &mut Output) -> io::Result<()> {
    let mut accounts: Vec<&AccountPass> = pass.accounts.iter().collect();
    accounts.sort_by_key(|account| account.account);
    for account in accounts {
        if form == OutputFormat::Json {
            let cadence = match account.decision {
                AccountDecision::Scheduled(cadence) => Some(cadence.interval().as_secs()),
                _ => None,
            };
            out.json(&AccountJson {
                account_id: account.account.0,
                plan: account.plan.as_ref().map(PlanName::as_str),
                cadence_seconds: cadence,
                documents_enqueued: account.enqueued,
                reason: account.decision.reason().or(account.stopped_by.map(|by| by.as_str())),
            })?;
        } else {
            out.line(describe(account, rules, pass.dry_run))?;
        }
    }
    for row in &pass.skipped {
        note(format!("document {} of account {} is not scheduled: {}", row.document, row.account, row.reason));
    }
    match form {
        OutputFormat::Json => out.json(&pass.summary()),
        OutputFormat::Text => out.confirmation(sentence(pass)),
        OutputFormat::Piped => out.line(rails_log::pass_line(pass)),
    }
}

/// Returns the summary of a pass, such as `Scheduled 12 due documents in 3 accounts.`
fn sentence(pass: &Pass) -> String {
    let verb = if pass.dry_run { "Would schedule" } else { "Scheduled" };
    let accounts = pass.accounts.iter().filter(|account| account.enqueued > 0).count() as u64;
    let enqueued: u64 = pass.accounts.iter().map(|account| u64::from(account.enqueued)).sum();
    let more = if pass.accounts.iter().any(|account| account.stopped_by.is_some()) {
        " More documents may be due."
    } else {
        ""
    };
    match (enqueued, pass.blocked_at_depth) {
        (0, Some(ready)) => format!("{verb} no documents: {} in the queue already.", jobs_are(ready)),
        (0, None) => format!("{verb} no documents.{more}"),
        _ => format!(
            "{verb} {} in {}.{more}",
            format::count(enqueued, "due document"),
            format::count(accounts, "account")
        ),
    }
}

/// Returns a number of jobs with the verb, such as `1 job is` or `10,500 jobs are`.
fn jobs_are(jobs: u64) -> String {
    format!("{} {}", format::count(jobs, "job"), if jobs == 1 { "is" } else { "are" })
}

/// Returns the result of a pass for an account, such as
/// `account 7 (business, every 1 week): would schedule 12 documents within 24 h`, with the reason if more is due.
fn describe(account: &AccountPass, rules: DueRules, dry_run: bool) -> String {
    let plan = account.plan.as_ref().map_or(String::new(), ToString::to_string);
    let (cadence, summary) = match account.decision {
        AccountDecision::Scheduled(cadence) => {
            let summary = match account.enqueued {
                0 => "nothing is due".to_owned(),
                number => {
                    let verb = if dry_run { "would schedule" } else { "scheduled" };
                    let documents = format::count(u64::from(number), "document");
                    match account.at {
                        Some(_) => format!("{verb} {documents}"),
                        None => format!("{verb} {documents} within {}", format::duration(max_jitter(rules, cadence))),
                    }
                }
            };
            let summary = match (account.enqueued, account.stopped_by) {
                (_, None) => summary,
                (0, Some(by)) => format!("documents are due, but {}", by.as_str()),
                (_, Some(by)) => format!("{summary}; more are due, but {}", by.as_str()),
            };
            (account.at.as_ref().map_or(format!(", {cadence}"), |at| format!(", at {at}")), summary)
        }
        verdict => (String::new(), verdict.reason().unwrap_or_default().to_owned()),
    };
    let plan = if plan.is_empty() { String::new() } else { format!(" ({plan}{cadence})") };
    format!("account {}{plan}: {summary}", account.account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::AccountId;
    use crate::domain::schedule::{PassLimits, StoppedBy};

    fn pass(enqueued: &[u32], stopped_by: Option<StoppedBy>, blocked_at_depth: Option<u64>, dry_run: bool) -> Pass {
        let account = |(id, enqueued): (i64, &u32)| AccountPass {
            account: AccountId(id),
            plan: None,
            decision: AccountDecision::NoPlan,
            at: None,
            enqueued: *enqueued,
            stopped_by,
        };
        let accounts = (1..).zip(enqueued).map(account).collect();
        Pass { only: None, limits: PassLimits::default(), accounts, skipped: Vec::new(), blocked_at_depth, dry_run }
    }

    #[test]
    fn a_pass_is_a_sentence_for_people() {
        let text = |enqueued: &[u32], stopped_by, blocked_at_depth, dry_run| {
            sentence(&pass(enqueued, stopped_by, blocked_at_depth, dry_run))
        };
        assert_eq!(text(&[9, 0, 3], None, None, false), "Scheduled 12 due documents in 2 accounts.");
        assert_eq!(text(&[1], None, None, true), "Would schedule 1 due document in 1 account.");
        let limited = text(&[50], Some(StoppedBy::AccountLimit), None, false);
        assert_eq!(limited, "Scheduled 50 due documents in 1 account. More documents may be due.");
        assert_eq!(text(&[0, 0], None, None, false), "Scheduled no documents.");
        let deep = text(&[0], None, Some(10_500), true);
        assert_eq!(deep, "Would schedule no documents: 10,500 jobs are in the queue already.");
    }
}
