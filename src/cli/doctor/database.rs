//! Checks of the store, its workers and its queue.

use super::schedule::schedule;
use super::texts::texts;
use super::{CheckContext, batches, disk, faq, notify, sources};
use crate::cli::crawling;
use crate::cli::exit::CliError;
use crate::cli::output::note;
use crate::config::Config;
use crate::domain::document::Status;
use crate::domain::filter::Filter;
use crate::domain::finding::{CheckStatus, Finding};
use crate::domain::id::DocumentId;
use crate::domain::pause::PauseScope;
use crate::domain::text::SafeLine;
use crate::format;
use crate::store::{
    Access, CheckDepth, CheckScope, OutcomeQuery, OutcomesFrom, Queries, QueueState, Store, StoreBase, StoreError,
    WorkerHealth, WorkerSummary, examine, open,
};
use std::time::Duration;

const WORKERS: &str = "workers";
const QUEUE: &str = "queue";
const STATUSES: &str = "statuses";
/// Number of documents whose stored status is checked unless all are.
const SAMPLE_SIZE: u32 = 1_000;
/// Age of the oldest ready job above which the workers do not keep up: 10 min.
const MAX_READY_AGE: Duration = Duration::from_secs(600);
/// Maximum time by which the newest outcome may be ahead of the clock; beyond it the clock counts as set back.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Returns the findings about the store and its schema, and, if these show no problem, about the store's contents.
pub(super) async fn store(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    let url = &config.store.url;
    let mut found = examine(url, context.depth).await;
    let is_usable =
        |finding: &Finding| !matches!(finding.check, "store" | "schema") || finding.status == CheckStatus::Ok;
    if !found.iter().all(is_usable) {
        // The store is unavailable, missing or outdated, so its contents cannot be checked.
        return found;
    }
    match open(url, Access::ReadOnly).await {
        Ok(store) => {
            if let Err(error) = check_contents(&*store, config, context.depth, &mut found).await {
                found.push(store_error(&error));
            }
            match disk::disk(&*store, config).await {
                Ok(disk) => found.extend(disk),
                Err(error) => found.push(store_error(&error)),
            }
            found.extend(attachments(&*store).await);
            found.extend(faq::coverage(&*store).await);
            found.extend(crawling::finding(config, &*store).await);
            found.extend(limits(&*store).await);
            match texts(&*store, config, context.sample).await {
                Ok(texts) => found.extend(texts),
                Err(error) => found.push(store_error(&error)),
            }
            found.extend(faq::jobs(config, &*store).await);
            match faq::pending(&*store).await {
                Ok(pending) => found.extend(pending),
                Err(error) => found.push(store_error(&error)),
            }
            match sources::sources(&*store).await {
                Ok(sources) => found.extend(sources),
                Err(error) => found.push(store_error(&error)),
            }
            match batches::batches(&*store).await {
                Ok(batches) => found.extend(batches),
                Err(error) => found.push(store_error(&error)),
            }
            match notify::sinks(context, &*store).await {
                Ok(sinks) => found.extend(sinks),
                Err(error) => found.push(store_error(&error)),
            }
            store.close().await;
        }
        // One of the findings gives the reason of the error already.
        Err(_) if found.iter().any(|finding| finding.status >= CheckStatus::Fail) => {}
        Err(error) => found.push(store_error(&error)),
    }
    found
}

fn store_error(error: &StoreError) -> Finding {
    let verdict =
        if matches!(error, StoreError::Unavailable(_)) { CheckStatus::Unreachable } else { CheckStatus::Fail };
    Finding::of_message("store", verdict, &error.to_string())
}

/// Writes the stored statuses and counts anew.
pub(super) async fn rebuild(context: &CheckContext) -> Result<(), CliError> {
    // Without settings the checks say why.
    let Ok(config) = &context.config else { return Ok(()) };
    let store = open(&config.store.url, Access::Write).await?;
    let rebuilt = store.rebuild_statuses().await;
    store.close().await;
    Ok(rebuilt?)
}

/// Forgets the template of a host.
pub(super) async fn forget_template(context: &CheckContext, host: &str) -> Result<(), CliError> {
    let Ok(config) = &context.config else { return Ok(()) };
    let store = open(&config.store.url, Access::Write).await?;
    let forgotten = store.forget_template(host).await;
    store.close().await;
    let host = SafeLine::new(host);
    note(if forgotten? { format!("the template of {host} is forgotten") } else { format!("{host} has no template") });
    Ok(())
}

/// Returns a finding about the templates of hosts; `None` while no pages are sampled.
async fn templates_found(store: &dyn Store) -> Result<Option<Finding>, StoreError> {
    let counts = store.template_counts().await?;
    let hosts = format::count(counts.sampled, "host");
    let message = match counts.hosts {
        0 => format!("the pages of {hosts} are compared, and none has a template yet"),
        known => {
            let texts = format::count(counts.blocks, "text");
            format!("{} of {hosts} have a template, {texts} in all", format::number(known))
        }
    };
    Ok((counts.sampled > 0).then(|| Finding::ok("templates", message)))
}

/// Returns the finding about PDFs that are attached to documents; `None` if the store is not Chatwoot's.
async fn attachments(store: &dyn Store) -> Option<Finding> {
    const CHECK: &str = "attached PDFs";
    if !store.is_chatwoot_database() {
        return None;
    }
    Some(match store.unreadable_attachments().await {
        Ok(None) => Finding::ok(CHECK, "are seen, and not synced"),
        Ok(Some(reason)) => Finding::warn(
            CHECK,
            format!("{reason}, so a document with an ordinary link is taken for a page"),
            "GRANT SELECT ON active_storage_attachments, active_storage_blobs to this role",
        ),
        Err(error) => store_error(&error),
    })
}

/// Returns a finding about each thing that is not available on this Chatwoot database and that no other check looks at.
async fn limits(store: &dyn Store) -> Vec<Finding> {
    if !store.is_chatwoot_database() {
        return Vec::new();
    }
    match store.limits().await {
        Ok(limits) => limits.into_iter().map(|limit| Finding::ok("Chatwoot", limit)).collect(),
        Err(error) => vec![store_error(&error)],
    }
}

/// Compares stored statuses, and with a full check also the counts, with the documents and jobs.
async fn statuses_found(store: &dyn Store, documents: u64, depth: CheckDepth) -> Result<Option<Finding>, StoreError> {
    let scope = match depth {
        CheckDepth::Full => CheckScope::All,
        CheckDepth::Quick => {
            // Another part each time.
            let from = store.now().micros().unsigned_abs().checked_rem(documents).unwrap_or_default();
            CheckScope::Sample { from: DocumentId(from.cast_signed()), documents: SAMPLE_SIZE }
        }
    };
    let checked = store.check_statuses(scope).await?;
    if checked.is_clean() {
        let mut message =
            format!("stored statuses agree with the jobs, {} checked", format::count(checked.documents, "document"));
        if store.is_chatwoot_database() {
            message.push_str("; lists and counts show within 30 s what Chatwoot writes");
        }
        return Ok((checked.documents > 0).then(|| Finding::ok(STATUSES, message)));
    }
    let counts = if checked.wrong_counts > 0 {
        format!(", and {}", format::count(checked.wrong_counts, "wrong count"))
    } else {
        String::new()
    };
    if checked.wrong == 0 && checked.wrong_counts == 0 {
        let message =
            format!("{} that a word in a filter may not find", format::count(checked.wrong_words, "document"));
        return Ok(Some(Finding::warn(STATUSES, message, "`quarterdeck doctor --rebuild` corrects this")));
    }
    let message = format!(
        "{} of {} with a wrong stored status{counts}: lists show them in the wrong place",
        checked.wrong,
        format::count(checked.documents, "document"),
    );
    Ok(Some(Finding::warn(STATUSES, message, "`quarterdeck doctor --rebuild` writes them anew")))
}

async fn check_contents(
    store: &dyn Store,
    config: &Config,
    depth: CheckDepth,
    found: &mut Vec<Finding>,
) -> Result<(), StoreError> {
    let queue = store.queue().await?;
    let workers = store.workers().await?;
    found.extend(workers_found(store, &workers, &queue));
    found.push(queue_found(store, &workers, &queue));
    found.extend(pauses_found(store, &queue).await?);
    schedule(store, config, found).await?;
    let counts = store.counts().await?;
    found.extend(statuses_found(store, counts.total(), depth).await?);
    found.extend(templates_found(store).await?);
    let stuck = counts.of(Status::Stuck);
    if stuck > 0 {
        found.push(Finding::warn(
            "documents",
            format!(
                "{} stuck: marked as syncing for hours, but no worker runs a sync",
                format::count(stuck, "document")
            ),
            "`quarterdeck retry --filter status:stuck` requests new syncs",
        ));
    }
    let newest = OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::Newest, limit: 1 };
    if let Some(newest) = store.outcomes(&newest).await?.first()
        && newest.at.since(store.now()) > CLOCK_TOLERANCE
    {
        let ahead = format::age(newest.at.since(store.now()));
        found.push(Finding::warn(
            "clock",
            format!("the newest outcome is dated {ahead} in the future: the clock was set back"),
            "synchronize it with NTP; until then, automatic syncs start that much later, and retries wait up to an hour",
        ));
    }
    Ok(())
}

/// Returns a finding for each worker, and another one if no worker runs.
fn workers_found(store: &dyn StoreBase, workers: &[WorkerSummary], queue: &QueueState) -> Vec<Finding> {
    let now = store.now();
    let mut found = Vec::new();
    for worker in workers {
        let message = format!(
            "{} is {}: {} of {} slots busy, started {} ago, last heartbeat {} ago",
            worker.name,
            worker.health.word(),
            worker.running,
            worker.capacity,
            format::age(now.since(worker.started_at)),
            format::age(now.since(worker.heartbeat_at)),
        );
        found.push(match worker.health {
            WorkerHealth::Alive => Finding::ok(WORKERS, message),
            WorkerHealth::Late => Finding::warn(
                WORKERS,
                message,
                "check that process: it is stuck, suspended or cut off from the database; when it ends, other workers \
                 take over its jobs",
            ),
            WorkerHealth::Gone => Finding::warn(WORKERS, message, "the next worker or console restarts its jobs"),
        });
        for reason in &worker.unfetchable {
            found.push(Finding::warn(
                WORKERS,
                format!("{} syncs no document of {reason}", worker.name),
                "give that process the value and restart it, or run another worker that has it",
            ));
        }
    }
    if workers.iter().all(|worker| worker.health == WorkerHealth::Gone) {
        let waiting = queue.ready + queue.waiting + queue.running;
        found.push(if waiting == 0 {
            Finding::ok(WORKERS, "no worker is running and no job is waiting")
        } else {
            Finding::warn(
                WORKERS,
                format!("no worker is running, and {}", jobs_wait(waiting)),
                "run `quarterdeck work`, or the console with --runner",
            )
        });
    }
    found
}

fn queue_found(store: &dyn StoreBase, workers: &[WorkerSummary], queue: &QueueState) -> Finding {
    let mut message = format!(
        "{} ready, {} running, {} waiting for the next attempt, {} scheduled",
        format::count(queue.ready, "job"),
        format::number(queue.running),
        format::number(queue.waiting),
        format::number(queue.scheduled)
    );
    let oldest = queue.oldest_ready_at.map(|at| store.now().since(at));
    if let Some(oldest) = oldest {
        message.push_str(&format!("; the oldest has been ready for {}", format::age(oldest)));
    }
    let runs = workers.iter().any(|worker| worker.health == WorkerHealth::Alive);
    if runs && oldest.is_some_and(|oldest| oldest > MAX_READY_AGE) {
        let cure = "start more workers or raise --concurrency; if one host has most of the jobs, raise runner.per_host";
        return Finding::warn(QUEUE, message, cure);
    }
    Finding::ok(QUEUE, message)
}

/// Returns a finding for each pause: a pause ends only when a person resumes its jobs.
async fn pauses_found(store: &dyn Queries, queue: &QueueState) -> Result<Vec<Finding>, StoreError> {
    let found = store.pauses().await?.into_iter().map(|pause| {
        let ago = format::age(store.now().since(pause.since));
        let message = format!(
            "{}: paused by {} {ago} ago; {} paused in all",
            pause.scope,
            pause.by,
            format::count(queue.paused, "job")
        );
        let option = match &pause.scope {
            PauseScope::All => "--all".to_owned(),
            scope => format!("--{} {}", scope.kind(), scope.key()),
        };
        Finding::warn("pauses", message, format!("`quarterdeck resume {option}` ends the pause"))
    });
    Ok(found.collect())
}

fn jobs_wait(number: u64) -> String {
    if number == 1 { "1 job is waiting".to_owned() } else { format!("{} jobs are waiting", format::number(number)) }
}
