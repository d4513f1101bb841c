//! Performs effects: runs each as a future and sends its answer as a message. Together with `detail`, which reads the
//! details of a document, and `watching`, this is the only part of the console that calls the store and the runner.

mod detail;
mod watching;

use super::command::{Act, Command};
use super::effect::Effect;
use super::msg::{Answer, Done, Msg};
use super::views::catalog::{ViewId, ViewRows};
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::domain::job::QueueClass;
use crate::domain::request::Request;
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use crate::runner::handle::Handle;
use crate::store::{
    Added, ConsoleStore, Decided, HeldText, JobsQuery, NewDocument, OutcomeQuery, OutcomesFrom, SECTION_ROWS,
    StoreError,
};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Capacity of the queue of messages to the loop.
const WAITING: usize = 1_024;
/// Maximum number of outcomes in one read.
const OUTCOMES: u64 = 400;
/// Time limit for requested changes that are still being written when the console ends.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Performs effects and watches store and runner. Every result is sent as a message.
#[derive(Debug)]
pub struct Performer {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    ending: CancellationToken,
}

struct Shared {
    store: Arc<dyn ConsoleStore>,
    runner: Option<Handle>,
    operator: SafeLine,
    to: mpsc::Sender<Msg>,
    /// Duration of the last read of the document list, in microseconds.
    took: AtomicU64,
    /// Locked by a read that counts over whole tables, so that only one runs at a time.
    counting: Mutex<()>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("operator", &self.operator).finish_non_exhaustive()
    }
}

impl Performer {
    /// Returns a performer and the receiver of its messages.
    pub fn new(
        store: Arc<dyn ConsoleStore>,
        runner: Option<Handle>,
        operator: SafeLine,
    ) -> (Self, mpsc::Receiver<Msg>) {
        let (to, inbox) = mpsc::channel(WAITING);
        let shared =
            Arc::new(Shared { store, runner, operator, to, took: AtomicU64::new(0), counting: Mutex::new(()) });
        (Self { shared, tracker: TaskTracker::new(), ending: CancellationToken::new() }, inbox)
    }

    /// Waits until the store writes nothing, and keeps it so until the result is dropped.
    pub(super) async fn at_rest(&self) -> Box<dyn Send> {
        self.shared.store.at_rest().await
    }

    /// Starts to watch the store and the runner.
    pub fn start(&self) {
        let shared = &self.shared;
        self.spawn(Arc::clone(shared).changes());
        self.spawn(Arc::clone(shared).outcomes());
        self.spawn(Arc::clone(shared).states(shared.store.schema_mismatch(), Msg::Schema));
        if let Some(runner) = &shared.runner {
            self.spawn(Arc::clone(shared).events(runner.subscribe()));
            self.spawn(Arc::clone(shared).status(runner.clone()));
            self.spawn(Arc::clone(shared).states(runner.health(), Msg::Health));
            self.spawn(Arc::clone(shared).states(runner.locks(), Msg::Locks));
            self.spawn(Arc::clone(shared).end_of(runner.clone()));
        }
    }

    /// Starts to watch attempts of other processes.
    pub fn watch_remote(&self, events: broadcast::Receiver<Event>) {
        self.spawn(Arc::clone(&self.shared).events(events));
    }

    /// Starts to watch the connection that delivers events of other processes, for a console without a runner.
    pub fn watch_hearing(&self, locks: watch::Receiver<LockHealth>) {
        self.spawn(Arc::clone(&self.shared).states(locks, Msg::Locks));
    }

    /// Starts one effect; its answer is sent as a message.
    pub fn perform(&self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        match effect {
            Effect::Act(command) => {
                // Not cancelled when the console ends, since the person requested it.
                self.tracker.spawn(async move { shared.act(command).await });
            }
            Effect::Drain => shared.runner.iter().for_each(Handle::drain),
            Effect::Leave => shared.runner.iter().for_each(Handle::leave),
            effect => self.spawn(shared.read(effect)),
        }
    }

    /// Stops watching and reading, and waits for requested changes to be written.
    pub async fn end(self) {
        self.ending.cancel();
        self.tracker.close();
        // The time limit keeps a store that does not answer from blocking the process.
        let _ = timeout(LAST_WORDS, self.tracker.wait()).await;
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let ending = self.ending.clone();
        self.tracker.spawn(async move {
            ending.run_until_cancelled(future).await;
        });
    }
}

fn answer<T>(result: Result<T, StoreError>) -> Answer<T> {
    result.map_err(|error| match error {
        // The text is shown in little space, next to words that say that the database is meant.
        StoreError::Unavailable(why) => SafeLine::new(&why),
        other => SafeLine::new(&other.to_string()),
    })
}

impl Shared {
    /// Sends a message to the loop. Fails only when the loop has ended and nothing receives messages.
    async fn tell(&self, msg: Msg) {
        let _ = self.to.send(msg).await;
    }

    async fn read(self: Arc<Self>, effect: Effect) {
        let store = &self.store;
        let msg = match effect {
            Effect::LoadPage { generation, query, wait } => {
                sleep(wait).await;
                let begun = Instant::now();
                let answer = answer(store.page(&query).await);
                self.took.store(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                Msg::Page { generation, answer }
            }
            Effect::LoadSummary => Msg::Summary(answer(self.summary().await)),
            Effect::LoadView { view, wait } => {
                sleep(wait).await;
                match self.rows(view).await {
                    Some(rows) => Msg::Rows(rows),
                    None => return,
                }
            }
            Effect::LoadPauses => Msg::Pauses(answer(store.pauses().await)),
            Effect::LoadWorkers => Msg::Workers(answer(store.workers().await)),
            Effect::LoadNewest => Msg::Newest(answer(self.outcomes_from(OutcomesFrom::Newest, None).await)),
            Effect::LoadOlder(seq) => {
                Msg::Older(seq, answer(self.outcomes_from(OutcomesFrom::Before(seq), None).await))
            }
            Effect::LoadPinned(document) => {
                Msg::Pinned(document, answer(self.outcomes_from(OutcomesFrom::Newest, Some(document)).await))
            }
            Effect::LoadDetail { generation, document } => {
                Msg::Detail { generation, answer: answer(self.detail(generation, document).await) }
            }
            Effect::LoadDifference { generation, document, of } => {
                let answer = answer(self.difference(generation, document, of).await);
                Msg::Difference { generation, answer: answer.map(|data| data.map(Box::new)) }
            }
            Effect::Preview { generation, targets, verb } => {
                Msg::Preview { generation, answer: answer(store.preview(&targets, verb).await) }
            }
            Effect::MarkAll(filter) => Msg::Matching(answer(store.matching(&filter).await)),
            // The other effects read nothing; the loop or `perform` has handled them.
            _ => return,
        };
        self.tell(msg).await;
    }

    /// Reads the rows of a view other than the document list, which is read by pages.
    async fn rows(&self, view: ViewId) -> Option<ViewRows> {
        let store = &self.store;
        // Hosts and accounts are counted over whole tables: at most one of these reads runs at a time.
        Some(match view {
            ViewId::Documents => return None,
            ViewId::Jobs => ViewRows::Jobs(answer(store.jobs(&JobsQuery { limit: SECTION_ROWS }).await)),
            ViewId::Hosts => {
                let _alone = self.counting.lock().await;
                ViewRows::Hosts(answer(store.hosts().await))
            }
            ViewId::Accounts => {
                let _alone = self.counting.lock().await;
                ViewRows::Accounts(answer(store.accounts().await))
            }
        })
    }

    async fn summary(&self) -> Result<(crate::domain::document::Counts, crate::store::QueueState), StoreError> {
        Ok((self.store.counts().await?, self.store.queue().await?))
    }

    async fn outcomes_from(
        &self,
        from: OutcomesFrom,
        document: Option<DocumentId>,
    ) -> Result<Vec<crate::domain::outcome::Outcome>, StoreError> {
        let query = OutcomeQuery { filter: Filter::default(), document, from, limit: OUTCOMES };
        self.store.outcomes(&query).await
    }

    async fn act(&self, command: Command) {
        let done = match &command.act {
            Act::Request(verb, scope) => {
                let request =
                    Request { verb: *verb, class: QueueClass::Manual, by: self.operator.clone(), scope: *scope };
                self.store.request(&command.documents, &request).await.map(Done::Answered)
            }
            Act::Cancel => self.store.cancel(&command.documents, &self.operator).await.map(Done::Answered),
            Act::Remove => self.store.remove(&command.documents).await.map(Done::Removed),
            // In a Chatwoot database no account is assumed.
            Act::Add(..) if self.store.is_chatwoots() => Err(StoreError::Unusable(
                "these documents are a Chatwoot's: add with `quarterdeck add URL --assistant N`, or in Chatwoot".into(),
            )),
            Act::Purge => self.store.purge(&self.operator).await.map(Done::Purged),
            Act::BreakLease(job) => self.store.break_lease(*job, &self.operator).await.map(Done::LeaseBroken),
            Act::Pause(scope) => self.store.pause(scope, &self.operator).await.map(Done::Paused),
            Act::Resume(scope) => self.store.resume(scope).await.map(Done::Resumed),
            Act::Decide(decision, fingerprint) => {
                let text =
                    |document: &DocumentId| HeldText { document: *document, fingerprint: Some(fingerprint.clone()) };
                let texts: Vec<_> = command.documents.iter().map(text).collect();
                self.store.decide(&texts, *decision, &self.operator).await.and_then(first_decided)
            }
            Act::Add(link, account_id, assistant_id) => {
                let new = NewDocument {
                    link: link.clone(),
                    name: None,
                    account_id: *account_id,
                    assistant_id: *assistant_id,
                };
                self.store.add(&[new]).await.and_then(first_added)
            }
        };
        self.tell(Msg::Done(command, answer(done))).await;
    }
}

fn first_decided(decided: Vec<Decided>) -> Result<Done, StoreError> {
    let first = decided.first().map(|decided| Done::Decided(*decided));
    first.ok_or_else(|| StoreError::Corrupt("no answer for one document".into()))
}

fn first_added(added: Vec<Added>) -> Result<Done, StoreError> {
    added
        .first()
        .map(|added| Done::Added(*added))
        .ok_or_else(|| StoreError::Corrupt("no answer for one document".into()))
}
