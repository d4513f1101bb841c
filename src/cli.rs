//! The command line: a file per verb or pair of verbs, and a file for each thing that several verbs share.
//!
//! Data goes to stdout, messages to stderr. [`exit`] has the exit codes, `rows` and `outcome_line` print, `selection`
//! and `confirm` determine the documents that a verb acts on, `wiring` builds runner, Redis and fetcher from the
//! settings, `context` has the settings and opens the store.

mod add;
mod backup;
mod batch;
mod cancel;
mod changes;
mod chatwoot_jobs;
pub mod completions;
mod config;
mod confirm;
mod console;
mod context;
mod copy;
mod crawling;
mod cursor;
mod decide;
mod demo;
mod diagnostics;
mod difference;
mod doctor;
pub mod examples;
pub mod exit;
mod export;
mod extract;
mod faq;
mod follow;
mod health;
mod help;
mod http;
pub mod import;
mod keys;
pub mod limits;
mod list;
mod log;
pub mod man;
#[cfg(feature = "metrics")]
mod metrics;
#[cfg(not(feature = "metrics"))]
#[path = "cli/metrics_off.rs"]
mod metrics;
mod migrate;
mod notify;
pub mod outcome_line;
pub mod output;
mod pause;
mod probe;
mod progress;
mod purge;
mod record;
mod recover;
mod remove;
mod request;
mod retry;
pub mod rows;
mod schedule;
pub mod selection;
mod show;
mod since;
mod source;
mod stdin_names;
mod stop;
pub mod style;
mod subscribers;
mod supervisor;
mod suspend;
mod sync;
pub mod table;
mod versions;
mod wait;
mod wiring;
mod work;

use crate::config::{Config, DefaultPaths, Environment, Flags};
use crate::store::Decision;
use clap::{ArgAction, FromArgMatches as _, Parser, Subcommand};
use context::{ConfigOrigin, Context};
use exit::{CliError, Exit};
use output::{Output, problem};
use std::path::PathBuf;
use style::ColorChoice;

/// A terminal operations console for document syncs, with the job runner inside. Without a verb: the console.
#[derive(Debug, Parser)]
#[command(
    name = "quarterdeck",
    version = env!("QUARTERDECK_VERSION"),
    disable_help_subcommand = true,
    after_help = AFTER_HELP
)]
pub struct Cli {
    /// Store with the documents: sqlite:PATH or postgres://USER@HOST/DATABASE [env: QUARTERDECK_STORE]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub store: Option<String>,
    /// Locks each document in this Redis while it is synced: redis://, rediss:// or redis+sentinel:// [env: QUARTERDECK_REDIS]
    #[arg(long, global = true, value_name = "URL", help_heading = "Everywhere")]
    pub redis: Option<String>,
    /// File with the settings [env: QUARTERDECK_CONFIG]; see `quarterdeck config`
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Change nothing: no runner, no writes, no new files
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub read_only: bool,
    /// Draw the console with ASCII characters only
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub ascii: bool,
    /// Print only data and problems: no confirmations, notes or progress; of `sync --wait` only failures
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub quiet: bool,
    /// Print the program's own log on stderr: -v what it does, -vv in detail (not in the console)
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Everywhere")]
    pub verbose: u8,
    /// When to use colours; NO_COLOR in the environment is respected
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN", hide_possible_values = true)]
    #[arg(help_heading = "Everywhere")]
    pub color: ColorChoice,
    /// Write lines instead of drawing: for screen readers and simple terminals [env: QUARTERDECK_PLAIN]
    #[arg(long)]
    pub plain: bool,
    /// Only watch; other processes run the jobs (the default on PostgreSQL)
    #[arg(long)]
    pub no_runner: bool,
    /// Run jobs in the console (the default on SQLite)
    #[arg(long, conflicts_with_all = ["no_runner", "read_only"])]
    pub runner: bool,
    /// Verb of the command line. Without a verb the console opens.
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 some documents failed, 2 wrong use, 3 a service is unreachable, 130 interrupted.

Filters: free words in name and URL, status:failed, error:timeout, http:503, host:example.org, id:812, account:7, \
assistant:3, attempted:<1h, synced:>2d, next:<10m, queue:auto; for `log` also result:updated and by:ana. A comma means \
or, - negates, quotes keep spaces.";

/// The verbs, with their arguments; the comments are the help text.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// The console over a throwaway store and a built-in site whose pages change, fail, hang and recover
    Demo(demo::Args),
    /// Run jobs without a screen; outcomes as JSON lines on stdout
    Work(work::Args),
    /// Add documents by URL
    Add(add::Args),
    /// Add documents from a file (one URL per line, CSV, JSON lines, a sitemap), or from the URL of a sitemap or feed
    Import(import::Args),
    /// Print documents
    List(list::Args),
    /// Print documents with their contents, attempts and versions
    Show(show::Args),
    /// Print which earlier texts of a document are stored
    Versions(versions::VersionsArgs),
    /// Print what has changed between two texts of a document, word by word
    Diff(versions::DiffArgs),
    /// Put an earlier text of a document in place of the stored one (a backup is restored by `backup --restore`)
    Restore(versions::RestoreArgs),
    /// Print a page's title and text as they would be stored, and why; stores nothing
    Extract(extract::Args),
    /// Request syncs of documents
    Sync(sync::Args),
    /// Retry documents that failed, wait for their next attempt, or are stuck
    Retry(retry::Args),
    /// Cancel queued, waiting and running syncs
    Cancel(cancel::Args),
    /// Start Chatwoot's own jobs that make the FAQs of documents anew; asks first
    Faq(faq::Args),
    /// Accept a fetched text that needs review: it replaces the stored one
    Accept(decide::Args),
    /// Reject a fetched text that needs review: the stored one stays
    Reject(decide::Args),
    /// Remove documents with their contents
    Remove(remove::Args),
    /// List acts on many documents; pause, resume or stop one
    Batch(batch::Args),
    /// Queue due documents now, as runners do continuously
    Schedule(schedule::Args),
    /// Pause everything, an account, a host or a queue class; running jobs finish
    Pause(pause::PauseArgs),
    /// Resume paused jobs; without an argument: list what is paused
    Resume(pause::ResumeArgs),
    /// Drop auto jobs that have not started; manual and retry jobs stay
    Purge(purge::Args),
    /// Print outcomes
    Log(log::Args),
    /// Print which texts are new, changed or gone since a cursor, as JSON lines
    Changes(changes::Args),
    /// Write texts as Markdown files into a folder, or as JSON lines into a file or to stdout
    Export(export::Args),
    /// Add and read sources (sitemaps, feeds, pages of links), and decide about new, gone and moved pages
    Source(source::Args),
    /// Test and list the receivers of notifications; deliver again or drop what waits for one
    Notify(notify::Args),
    /// Set up a PostgreSQL database, or upgrade a store; prints each step
    Migrate(migrate::Args),
    /// Write a checked copy of the store to a file, or restore the store from one
    Backup(backup::Args),
    /// Move a store to another database, SQLite or PostgreSQL; goes on where it was interrupted
    Copy(copy::Args),
    /// Check everything, report problems and how to fix them; changes nothing
    Doctor(doctor::Args),
    /// Print the annotated settings with their defaults; or write, check or find the config file
    Config(config::Args),
    /// Print the keys of the console
    Keys(keys::Args),
    /// Print a script with which bash, zsh or fish completes verbs, flags, filters and documents
    Completions(completions::Args),
    /// Print a manual page in roff, or write all of them into a folder
    Man(man::Args),
    /// Print the help of a verb, or a page about a topic; without either, list both
    Help(help::Args),
}

/// Reads the arguments of this process. Prints help or a mistake and ends the process where there is nothing to run.
pub fn parse() -> Cli {
    Cli::from_arg_matches(&examples::command().get_matches()).unwrap_or_else(|error| error.exit())
}

impl Verb {
    /// Returns the documents that are named one by one, among which `-` stands for standard input; `None` for a verb that
    /// takes none.
    fn names(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::Sync(sync::Args { bulk, .. })
            | Self::Retry(retry::Args { bulk, .. })
            | Self::Cancel(cancel::Args { bulk })
            | Self::Faq(faq::Args { bulk }) => Some(&mut bulk.selection.documents),
            Self::Show(args) => Some(&mut args.documents),
            Self::Remove(args) => Some(&mut args.selection.documents),
            Self::Accept(args) | Self::Reject(args) => Some(&mut args.documents),
            _ => None,
        }
    }
}

/// Runs the verb of the command line, or the console without one. Returns the exit code.
pub async fn run(mut cli: Cli) -> Result<Exit, CliError> {
    cli.color.apply();
    if cli.quiet {
        output::be_quiet();
    }
    if let Some(names) = cli.verb.as_mut().and_then(Verb::names) {
        stdin_names::expand(names)?;
    }
    let mut out = Output::stdout();
    let done = dispatch(cli, &mut out).await;
    // Output that was printed before a failure is written out, too.
    let flushed = out.flush();
    let exit = done?;
    flushed?;
    Ok(exit)
}

async fn dispatch(cli: Cli, out: &mut Output) -> Result<Exit, CliError> {
    // These verbs need no settings, and people need them most when the settings are wrong.
    match &cli.verb {
        Some(Verb::Config(config::Args { action: None })) => return config::print(out),
        Some(Verb::Keys(keys::Args { markdown: true })) => return keys::markdown(out),
        Some(Verb::Completions(args)) => return completions::run(args, out),
        Some(Verb::Man(args)) => return man::run(args, out),
        Some(Verb::Help(args)) => return help::run(args, out),
        _ => {}
    }
    for (given, flag) in [(cli.no_runner, "--no-runner"), (cli.runner, "--runner"), (cli.plain, "--plain")] {
        if given && cli.verb.is_some() {
            return Err(CliError::Usage(format!("{flag} works only for the console")));
        }
    }
    let paths = DefaultPaths::find()?;
    if let Some(Verb::Demo(args)) = &cli.verb {
        if cli.store.is_some() || cli.redis.is_some() || cli.read_only {
            return Err(CliError::Usage(
                "demo uses a throwaway store: it takes no --store, --redis or --read-only".to_owned(),
            ));
        }
        return demo::run(args, cli.ascii, out).await;
    }
    let flags = Flags {
        store: cli.store,
        redis: cli.redis,
        config: cli.config,
        concurrency: match &cli.verb {
            Some(Verb::Work(args)) => args.concurrency,
            _ => None,
        },
        no_runner: cli.no_runner,
        runner: cli.runner,
    };
    if let Some(Verb::Config(args)) = &cli.verb {
        return config::run(args, &flags, out);
    }
    if let Some(Verb::Doctor(args)) = &cli.verb {
        // People need doctor most when the settings are wrong, so it loads them itself. It writes no log.
        return doctor::run(args, paths, flags, out).await;
    }
    let config = keys::checked(Config::load(&paths, &Environment::read(), &flags)?)?;
    if let Some(Verb::Keys(_)) = &cli.verb {
        return keys::run(&config, out);
    }
    let origin = ConfigOrigin { paths, flags };
    limits::restrict_new_files(config.store.group);
    // The console has the terminal for itself.
    diagnostics::start(&config, if cli.verb.is_some() { cli.verbose } else { 0 });
    for warning in &config.warnings {
        problem(warning);
    }
    let context = Context::new(config, cli.read_only);
    let done = match cli.verb {
        None => console::run(&context, cli.ascii, cli.plain).await,
        Some(Verb::Work(args)) => work::run(&context, &args, &origin).await,
        Some(Verb::Add(args)) => add::run(&context, &args, out).await,
        Some(Verb::Import(args)) => import::run(&context, &args, out).await,
        Some(Verb::List(args)) => list::run(&context, &args, out).await,
        Some(Verb::Show(args)) => show::run(&context, &args, out).await,
        Some(Verb::Versions(args)) => versions::versions(&context, &args, out).await,
        Some(Verb::Diff(args)) => versions::diff(&context, &args, out).await,
        Some(Verb::Restore(args)) => versions::restore(&context, &args, out).await,
        Some(Verb::Extract(args)) => extract::run(&context, &args, out).await,
        Some(Verb::Sync(args)) => sync::run(&context, &args, out).await,
        Some(Verb::Retry(args)) => retry::run(&context, &args, out).await,
        Some(Verb::Cancel(args)) => cancel::run(&context, &args, out).await,
        Some(Verb::Faq(args)) => faq::run(&context, &args, out).await,
        Some(Verb::Accept(args)) => decide::run(&context, &args, Decision::Accept, out).await,
        Some(Verb::Reject(args)) => decide::run(&context, &args, Decision::Reject, out).await,
        Some(Verb::Remove(args)) => remove::run(&context, &args, out).await,
        Some(Verb::Batch(args)) => batch::run(&context, &args, out).await,
        Some(Verb::Schedule(args)) => schedule::run(&context, &args, out).await,
        Some(Verb::Pause(args)) => pause::pause(&context, &args, out).await,
        Some(Verb::Resume(args)) => pause::resume(&context, &args, out).await,
        Some(Verb::Purge(args)) => purge::run(&context, &args, out).await,
        Some(Verb::Log(args)) => log::run(&context, &args, out).await,
        Some(Verb::Changes(args)) => changes::run(&context, &args, out).await,
        Some(Verb::Export(args)) => export::run(&context, &args, out).await,
        Some(Verb::Notify(args)) => notify::run(&context, &args, out).await,
        Some(Verb::Source(args)) => source::run(&context, &args, out).await,
        Some(Verb::Migrate(args)) => migrate::run(&context, &args, out).await,
        Some(Verb::Copy(args)) => copy::run(&context, &args, out).await,
        Some(Verb::Backup(args)) => backup::run(&context, &args, out).await,
        Some(
            Verb::Demo(_)
            | Verb::Doctor(_)
            | Verb::Config(_)
            | Verb::Completions(_)
            | Verb::Man(_)
            | Verb::Keys(_)
            | Verb::Help(_),
        ) => Ok(Exit::Done),
    };
    done.map_err(|error| error.with_store_url(&context.config.store.url))
}
