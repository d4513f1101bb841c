//! Tells Chatwoot's Sidekiq of changed documents. The store's outbox is the truth: a row is read, its job is put in the
//! queue unless that was done before, and then the row goes. Any process may do it, several at once and a second time
//! after a crash: the job's id decides in Redis.

use super::worker::Worker;
use crate::chatwoot::faq_job::{FaqSwitch, PayloadFormat, SidekiqTimes, WRAPPER, payload};
use crate::fault;
use crate::lock::{Reach, Redis};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Rows of the outbox that are read at once.
const BATCH: u32 = 100;
/// Interval at which the outbox is polled without a signal: it may hold rows of a process that died.
const LOOK: Duration = Duration::from_secs(2);
/// Interval at which a Redis without Sidekiq is checked again.
const NO_SIDEKIQ: Duration = Duration::from_secs(30);
/// The longest that the end of a runner waits for the last rows.
const LAST: Duration = Duration::from_secs(5);

/// Decides before anything runs whether changes are recorded in the outbox. While it depends on Redis they are
/// recorded: a superfluous row waits, a missing one is lost.
pub(super) fn begin(worker: &Worker) {
    worker.store.tell_faqs(is_wanted(worker));
}

fn is_wanted(worker: &Worker) -> bool {
    match worker.settings.faq.switch {
        FaqSwitch::Off => false,
        FaqSwitch::On => true,
        FaqSwitch::Auto => worker.store.is_chatwoots() && worker.redis.is_some(),
    }
}

pub(super) async fn run(worker: Arc<Worker>) {
    let Some(redis) = worker.redis.clone().filter(|_| is_wanted(&worker)) else { return };
    let ended = worker.ended.clone();
    ended.run_until_cancelled(relay(&worker, &redis)).await;
}

async fn relay(worker: &Worker, redis: &Redis) {
    let mut reach = redis.reach();
    let mut commits = worker.store.commits();
    let mut sidekiq = false;
    loop {
        if reach.wait_for(|reach| *reach == Reach::Reached).await.is_err() {
            return;
        }
        commits.mark_unchanged();
        let wait = match pass(worker, redis, &mut sidekiq).await {
            Passed::All => LOOK,
            Passed::NoSidekiq => NO_SIDEKIQ,
            // The lock's keeper finds out when it is back; a database that is away is said by the claims.
            Passed::Later => {
                sleep(LOOK).await;
                continue;
            }
        };
        tokio::select! {
            () = sleep(wait) => {}
            changed = commits.changed(), if wait == LOOK => if changed.is_err() { return },
        }
    }
}

/// Delivers what is left in the outbox when the runner ends, if Redis answers; otherwise the next runner does.
pub(super) async fn last(worker: &Worker) {
    if let Some(redis) = worker.redis.as_ref().filter(|redis| is_wanted(worker) && redis.is_reached()) {
        let _ = timeout(LAST, pass(worker, redis, &mut false)).await;
    }
}

/// Result of a pass over the outbox.
#[derive(Debug, PartialEq, Eq)]
enum Passed {
    All,
    NoSidekiq,
    Later,
}

/// `sidekiq` is whether one was seen: a Redis that was emptied since is still Chatwoot's.
async fn pass(worker: &Worker, redis: &Redis, sidekiq: &mut bool) -> Passed {
    if worker.settings.faq.switch == FaqSwitch::Auto && !*sidekiq {
        match redis.has_sidekiq().await {
            Ok(true) => {
                *sidekiq = true;
                worker.store.tell_faqs(true);
            }
            Ok(false) => {
                worker.store.tell_faqs(false);
                return Passed::NoSidekiq;
            }
            Err(_) => return Passed::Later,
        }
    }
    match tell(worker, redis).await {
        Ok(()) => Passed::All,
        Err(error) => {
            tracing::warn!(error, "Chatwoot is told later");
            Passed::Later
        }
    }
}

async fn tell(worker: &Worker, redis: &Redis) -> Result<(), String> {
    loop {
        let untold = worker.store.untold(BATCH).await.map_err(|error| error.to_string())?;
        if untold.is_empty() {
            return Ok(());
        }
        let form = form(worker, redis).await?;
        for untold in &untold {
            fault::point("before_telling", "");
            let id = uuid::Uuid::new_v4().to_string();
            let text = payload(untold, &id, &form, worker.store.now()).map_err(|error| error.to_string())?;
            redis.push_job(&form.queue, &untold.jid, &text).await.map_err(|error| error.to_string())?;
            fault::point("after_telling", "");
            worker.store.told(&untold.jid).await.map_err(|error| error.to_string())?;
            fault::point("told", "");
        }
    }
}

/// As the settings say, else as the jobs that wait there are written.
async fn form(worker: &Worker, redis: &Redis) -> Result<PayloadFormat, String> {
    let faq = &worker.settings.faq;
    let seen = redis.sidekiq_form(&faq.queue).await.map_err(|error| error.to_string())?;
    let (wrapper, times) = seen.unwrap_or_else(|| (WRAPPER.to_owned(), SidekiqTimes::Seconds));
    Ok(PayloadFormat { wrapper: faq.wrapper.clone().unwrap_or(wrapper), queue: faq.queue.clone(), times })
}
