//! `quarterdeck migrate`: sets up a PostgreSQL database, or upgrades a store of either kind. It prints its steps and
//! carries them out without asking. While workers of an older program run, it waits until they end.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note, problem};
use super::stop::StopSignals;
use crate::store::{self, MigrationStep, OlderWorker, UpgradeOptions};
use std::time::Duration;
use tokio::time::sleep;

/// Interval at which the list of older workers is read while the verb waits for their end.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Arguments of `migrate`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only print what would be done
    #[arg(long)]
    pub dry_run: bool,
    /// Also create the tables captain_documents and accounts if missing: for a database without Chatwoot
    #[arg(long)]
    pub standalone: bool,
    /// Do not wait for workers of an older version; they notice the migration and stop, and newer ones take their jobs
    #[arg(long)]
    pub force: bool,
    /// Do not copy an SQLite store before it is changed
    #[arg(long)]
    pub no_backup: bool,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let url = &context.config.store.url;
    let is_server = context.config.store.is_server();
    if args.standalone && !is_server {
        return Err(CliError::Usage("--standalone is for PostgreSQL: --store postgres://...".to_owned()));
    }
    if args.no_backup && is_server {
        return Err(CliError::Usage("--no-backup is for SQLite: no copy of a PostgreSQL database is made".to_owned()));
    }
    if !args.dry_run {
        context.ensure_writable("migrate")?;
    }
    let mut plan = store::plan(url, args.standalone).await?;
    if args.no_backup {
        plan.retain(|step| *step != MigrationStep::Copy);
    }
    for step in &plan {
        out.line(step)?;
    }
    if args.dry_run {
        let missing = store::missing_rights(url, &plan).await?;
        for right in &missing {
            out.line(format!("missing: {right}"))?;
        }
        if !missing.is_empty() {
            problem("this role lacks rights (assets/docs/chatwoot.md, \"Rights\"): nothing would be done");
            return Ok(Exit::SomeFailed);
        }
    }
    if plan.is_empty() {
        out.confirmation("nothing to do: the store is up to date")?;
        return Ok(Exit::Done);
    }
    // Printed before the work starts, also through a pipe.
    out.flush()?;
    if args.dry_run {
        let older = store::older_workers(url).await?;
        if !older.is_empty() {
            note(format!("workers of an older version are running: {}", OlderWorker::names(&older)));
        }
        return Ok(Exit::Done);
    }
    let mut stop = StopSignals::listen()?;
    let waiting = async { if args.force { Ok(()) } else { wait_for_older_workers(url).await } };
    tokio::select! {
        waited = waiting => waited?,
        () = stop.next() => {
            problem("interrupted: the store was not changed");
            return Ok(Exit::Interrupted);
        }
    }
    let how = UpgradeOptions { standalone: args.standalone, backup: !args.no_backup, force: args.force };
    let upgraded = tokio::select! {
        upgraded = store::upgrade(url, how) => upgraded?,
        // The database rolls back the current step, as after a kill.
        () = stop.next() => {
            problem("interrupted: the current step was undone; `quarterdeck migrate` continues from there");
            return Ok(Exit::Interrupted);
        }
    };
    if let Some(copy) = upgraded.and_then(|upgraded| upgraded.copy) {
        out.confirmation(format!("copied to {}", copy.display()))?;
    }
    out.confirmation("done")?;
    Ok(Exit::Done)
}

/// Waits until no worker of an older version runs. Has no lock on the store meanwhile.
async fn wait_for_older_workers(url: &str) -> Result<(), CliError> {
    let mut named = Vec::new();
    loop {
        let older = store::older_workers(url).await?;
        if older.is_empty() {
            return Ok(());
        }
        if older != named {
            note(waiting_message(&older));
            named = older;
        }
        sleep(POLL_INTERVAL).await;
    }
}

fn waiting_message(older: &[OlderWorker]) -> String {
    let mut message = format!(
        "waiting for these workers to end: {}; stop them, press Ctrl-C (nothing has changed yet), or use --force \
         not to wait",
        OlderWorker::names(older)
    );
    if older.iter().any(|worker| worker.version.is_none()) {
        message.push_str(" (workers without a version do not notice a migration: they continue)");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_waited_for_is_named_with_what_force_would_do() {
        let worker = |name: &str, version| OlderWorker { name: name.into(), version };
        let message = waiting_message(&[worker("box:12", Some(9)), worker("box:13", Some(10))]);
        assert!(
            message.starts_with("waiting for these workers to end: box:12 (version 9), box:13 (version 10); stop them"),
            "{message}"
        );
        assert!(message.ends_with("or use --force not to wait"), "{message}");
        assert!(waiting_message(&[worker("box:12", None)]).ends_with("do not notice a migration: they continue)"));
    }
}
