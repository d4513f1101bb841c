//! Performs the effects that concern the store or the runner, and sends their results as messages. Together with
//! `batches`, `commands`, `detail`, which reads the details of a document, `explaining`, `requests`, `saving` and
//! `watching`, this is the only part of the console that reads and changes the store and controls the runner.

mod batches;
mod commands;
mod detail;
mod explaining;
mod requests;
mod saving;
mod watching;

use super::command::CommandKind;
use super::effect::{Effect, ReadKind};
use super::msg::{Msg, StoreResult};
use super::views::catalog::{ViewId, ViewRows};
use super::views::dashboard::state::DashboardData;
use super::views::jobs::state::JobsData;
use super::views::sources::{self, state::SourceLine};
use super::views::workers::state::{self as workers, WorkerLine};
use crate::domain::chatwoot_job::ChatwootJobReader;
use crate::domain::document::DocumentRow;
use crate::domain::extraction::PageExplainer;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::domain::source::ProposalState;
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use crate::runner::handle::Handle;
use crate::store::{
    BulkVerb, ConsoleStore, JobsQuery, Listing, MAX_SECTION_ROWS, OutcomeQuery, OutcomesFrom, ProposalQuery, Sort,
    SortBy, StoreError,
};
use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, broadcast, mpsc, watch};
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Maximum number of messages that wait for the loop.
const INBOX_CAPACITY: usize = 1_024;
/// Maximum number of outcomes read by one query.
const OUTCOME_LIMIT: u64 = 400;
/// Time limit for requested changes that are still being written when the console ends.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Performs the effects that concern the store or the runner, and watches both. Every result is sent as a message.
#[derive(Debug)]
pub struct Performer {
    shared: Arc<Shared>,
    tracker: TaskTracker,
    ending: CancellationToken,
    /// The newest read of each kind, which may have ended.
    newest_reads: std::sync::Mutex<HashMap<ReadKind, AbortHandle>>,
}

struct Shared {
    store: Arc<dyn ConsoleStore>,
    runner: Option<Handle>,
    operator: SafeLine,
    /// Name under which this process acts on batches.
    holder: SafeLine,
    /// Fetches pages to explain their text; `None` in a console that fetches none.
    explainer: Option<Arc<dyn PageExplainer>>,
    /// Reads Chatwoot's own jobs; `None` without its database and its Redis.
    chatwoot_jobs: Option<Arc<dyn ChatwootJobReader>>,
    messages: mpsc::Sender<Msg>,
    /// Duration of the last read of the document list, in microseconds.
    page_read_micros: AtomicU64,
    /// Locked by each read of the hosts or the accounts, which count over whole tables, so that at most one of these
    /// reads runs at a time.
    full_count_lock: Mutex<()>,
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
        explainer: Option<Arc<dyn PageExplainer>>,
        chatwoot_jobs: Option<Arc<dyn ChatwootJobReader>>,
    ) -> (Self, mpsc::Receiver<Msg>) {
        let (messages, inbox) = mpsc::channel(INBOX_CAPACITY);
        let holder = batches::holder(&operator, store.now().micros());
        let shared = Arc::new(Shared {
            store,
            runner,
            operator,
            holder,
            explainer,
            chatwoot_jobs,
            messages,
            page_read_micros: AtomicU64::new(0),
            full_count_lock: Mutex::new(()),
        });
        let performer = Self {
            shared,
            tracker: TaskTracker::new(),
            ending: CancellationToken::new(),
            newest_reads: std::sync::Mutex::default(),
        };
        (performer, inbox)
    }

    /// Waits until the store has no write in progress, and delays further writes until the result is dropped.
    pub(super) async fn at_rest(&self) -> Box<dyn Send> {
        self.shared.store.quiesce().await
    }

    /// Starts to watch the store and the runner.
    pub fn start(&self) {
        let shared = &self.shared;
        self.spawn(Arc::clone(shared).watch_changes(shared.store.changes()));
        self.spawn(Arc::clone(shared).poll());
        self.spawn(Arc::clone(shared).watch_outcomes());
        self.spawn(Arc::clone(shared).watch_state(shared.store.schema_mismatch(), Msg::Schema));
        if let Some(runner) = &shared.runner {
            self.spawn(Arc::clone(shared).watch_events(runner.subscribe()));
            self.spawn(Arc::clone(shared).watch_status(runner.clone()));
            self.spawn(Arc::clone(shared).watch_state(runner.health(), Msg::Health));
            self.spawn(Arc::clone(shared).watch_state(runner.locks(), Msg::Locks));
            self.spawn(Arc::clone(shared).watch_end(runner.clone()));
        }
    }

    /// Starts to watch the events of attempts in other processes.
    pub fn watch_remote_events(&self, events: broadcast::Receiver<Event>) {
        self.spawn(Arc::clone(&self.shared).watch_events(events));
    }

    /// Starts to watch whether the outcome files can be written.
    pub fn watch_file_problems(&self, problems: watch::Receiver<Option<SafeLine>>) {
        self.spawn(Arc::clone(&self.shared).watch_file_problems(problems));
    }

    /// Starts to watch the connection that delivers events of other processes, for a console without a runner.
    pub fn watch_remote_health(&self, locks: watch::Receiver<LockHealth>) {
        self.spawn(Arc::clone(&self.shared).watch_state(locks, Msg::Locks));
    }

    /// Starts one effect. Its answer, if it has one, is sent as a message. A read stops the earlier read of the same
    /// kind, whose answer the console would drop; the earlier read then has no answer.
    pub fn perform(&self, effect: Effect) {
        let shared = Arc::clone(&self.shared);
        match effect {
            // Commands are not cancelled when the console ends, since the person requested them.
            Effect::RunCommand(command) if command.makes_batch() => {
                self.tracker.spawn(shared.run_batch(command, self.ending.clone()));
            }
            Effect::RunCommand(command) => {
                let ending = self.ending.clone();
                self.tracker.spawn(async move {
                    match command.kind {
                        CommandKind::Batch(batch, order) => shared.order_batch(command, (batch, order), ending).await,
                        _ => shared.run_command(command).await,
                    }
                });
            }
            Effect::Save(file) => {
                self.tracker.spawn(async move { shared.save(file).await });
            }
            Effect::KeepFilters(path, filters) => {
                self.tracker.spawn(async move { shared.keep_filters(path, filters).await });
            }
            Effect::SwitchRunnerOff(is_off) => shared.runner.iter().for_each(|runner| runner.switch_off(is_off)),
            Effect::Drain => shared.runner.iter().for_each(Handle::drain),
            Effect::ReleaseJobs => shared.runner.iter().for_each(Handle::leave),
            effect => {
                let Some(kind) = effect.read_kind() else { return };
                let mut newest_reads = self.newest_reads.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(earlier) = newest_reads.remove(&kind) {
                    earlier.abort();
                }
                newest_reads.insert(kind, self.spawn(shared.read(effect)).abort_handle());
            }
        }
    }

    /// Stops watching and reading, and waits until requested changes are written, at most `SHUTDOWN_TIMEOUT`.
    pub async fn end(self) {
        self.ending.cancel();
        self.tracker.close();
        // The time limit keeps a store that does not answer from blocking the process.
        let _ = timeout(SHUTDOWN_TIMEOUT, self.tracker.wait()).await;
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let ending = self.ending.clone();
        self.tracker.spawn(async move {
            ending.run_until_cancelled(future).await;
        })
    }
}

fn answer<T>(result: Result<T, StoreError>) -> StoreResult<T> {
    result.map_err(|error| match error {
        // The reason alone, since it is shown in little space and next to words that name the database.
        StoreError::Unavailable(why) => SafeLine::new(&why),
        other => SafeLine::new(&other.to_string()),
    })
}

impl Shared {
    /// Sends a message to the loop. An error is ignored: it means that the loop has ended.
    async fn send(&self, msg: Msg) {
        let _ = self.messages.send(msg).await;
    }

    async fn read(self: Arc<Self>, effect: Effect) {
        let store = &self.store;
        let msg = match effect {
            Effect::LoadPage { generation, query, wait } => {
                sleep(wait).await;
                let begun = Instant::now();
                let answer = answer(store.page(&query).await);
                self.page_read_micros
                    .store(u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
                Msg::Page { generation, answer }
            }
            Effect::LoadMembers { generation, filter, limit } => {
                Msg::Members { generation, answer: answer(self.members(&filter, limit).await) }
            }
            Effect::LoadCounts => Msg::Counts(answer(store.counts().await)),
            Effect::LoadQueue => Msg::Queue(answer(store.queue().await)),
            Effect::LoadStatusDeadline => Msg::StatusDeadline(answer(store.next_status_change().await)),
            Effect::LoadView { view, wait } => {
                sleep(wait).await;
                match self.rows(view).await {
                    Some(rows) => Msg::Rows(rows),
                    None => return,
                }
            }
            Effect::LoadPauses => Msg::Pauses(answer(store.pauses().await)),
            Effect::LoadBatches { wait } => {
                sleep(wait).await;
                Msg::Batches(answer(self.batches().await))
            }
            Effect::LoadWorkers => Msg::Workers(answer(store.workers().await)),
            Effect::LoadDiskUse => Msg::DiskUse(answer(store.disk_use().await)),
            Effect::LoadSinks => Msg::Sinks(answer(store.sinks().await)),
            Effect::LoadFaqBacklog => Msg::FaqBacklog(answer(store.faq_backlog().await)),
            Effect::LoadNewestOutcomes => {
                Msg::NewestOutcomes(answer(self.outcomes_from(OutcomesFrom::Newest, None).await))
            }
            Effect::LoadOlderOutcomes(seq) => {
                Msg::OlderOutcomes(seq, answer(self.outcomes_from(OutcomesFrom::Before(seq), None).await))
            }
            Effect::LoadPinnedOutcomes(subject, before) => {
                let from = before.map_or(OutcomesFrom::Newest, OutcomesFrom::Before);
                let (filter, document) = subject.query();
                let query = OutcomeQuery { filter, document, from, limit: OUTCOME_LIMIT };
                Msg::PinnedOutcomes(subject, before, answer(store.outcomes(&query).await))
            }
            Effect::LoadDetail { generation, document } => {
                Msg::Detail { generation, answer: answer(self.detail(generation, document).await) }
            }
            Effect::LoadDifference { generation, document, of } => {
                let answer = answer(self.difference(generation, document, of).await);
                Msg::Difference { generation, answer: answer.map(|data| data.map(Box::new)) }
            }
            Effect::Explain { generation, document, url } => self.explain(generation, document, &url).await,
            Effect::Preview { generation, targets, verb } => {
                let costs_credits = match &self.explainer {
                    Some(explainer) if matches!(verb, BulkVerb::Request(_)) => explainer.costs_credits().await,
                    _ => false,
                };
                Msg::Preview { generation, answer: answer(store.preview(&targets, verb).await), costs_credits }
            }
            Effect::MarkAll(filter) => {
                let answer = answer(store.matching(&filter, Sort::BY_ID, None).await);
                Msg::MatchingIds(filter, answer)
            }
            Effect::LoadListedMarks { filter, marks } => {
                let asked = filter.among(&marks);
                let answer = answer(store.matching(&asked, Sort::BY_ID, None).await);
                Msg::ListedMarks { filter, asked: marks, answer }
            }
            // The other effects read nothing.
            _ => return,
        };
        self.send(msg).await;
    }

    /// Reads the documents that match, those that were attempted last first. Unlike a page, they are not counted.
    async fn members(&self, filter: &Filter, limit: u64) -> Result<Vec<DocumentRow>, StoreError> {
        let by_attempt = Sort { by: SortBy::Attempted, descending: false };
        let ids = self.store.matching(filter, by_attempt, Some(limit)).await?;
        self.store.rows(&ids).await
    }

    /// Reads the rows of a view; `None` for the document list, which is read page by page.
    async fn rows(&self, view: ViewId) -> Option<ViewRows> {
        let store = &self.store;
        // Hosts and accounts are counted over whole tables: at most one of these reads runs at a time.
        Some(match view {
            ViewId::Documents => return None,
            ViewId::Failures => {
                let _guard = self.full_count_lock.lock().await;
                ViewRows::Failures(answer(store.failures().await))
            }
            ViewId::Jobs => {
                let page = answer(store.jobs(&JobsQuery { limit: MAX_SECTION_ROWS }).await);
                // Those of the last read: Redis may be slow, and the jobs of this store do not wait for it.
                let chatwoot = self.chatwoot_jobs.as_ref().map(|reader| reader.latest());
                ViewRows::Jobs(page.map(|page| JobsData { page, chatwoot }))
            }
            ViewId::Hosts => {
                let _guard = self.full_count_lock.lock().await;
                ViewRows::Hosts(answer(store.hosts().await))
            }
            ViewId::Accounts => {
                let _guard = self.full_count_lock.lock().await;
                ViewRows::Accounts(answer(store.accounts().await))
            }
            ViewId::Sources => ViewRows::Sources(answer(self.source_lines().await)),
            ViewId::Dashboard => {
                let _guard = self.full_count_lock.lock().await;
                let figures = answer(store.dashboard().await);
                ViewRows::Dashboard(figures.map(|figures| Box::new(DashboardData::new(figures, store.now()))))
            }
            ViewId::Workers => ViewRows::Workers(answer(self.worker_lines().await)),
        })
    }

    async fn source_lines(&self) -> Result<Listing<SourceLine>, StoreError> {
        let mut read = Vec::new();
        for source in self.store.sources().await? {
            let (state, limit) = (Some(ProposalState::Open), sources::state::MAX_LISTED);
            let query = ProposalQuery { state, source: Some(source.id), after: 0, limit };
            let proposals = match source.proposals {
                0 => Vec::new(),
                _ => self.store.proposals(&query).await?,
            };
            read.push((source, proposals));
        }
        Ok(sources::state::lines(read))
    }

    async fn worker_lines(&self) -> Result<Listing<WorkerLine>, StoreError> {
        let workers = self.store.workers().await?;
        let jobs = self.store.jobs(&JobsQuery { limit: MAX_SECTION_ROWS }).await?;
        Ok(workers::lines(workers, &jobs))
    }

    async fn outcomes_from(
        &self,
        from: OutcomesFrom,
        document: Option<DocumentId>,
    ) -> Result<Vec<crate::domain::outcome::Outcome>, StoreError> {
        let query = OutcomeQuery { filter: Filter::default(), document, from, limit: OUTCOME_LIMIT };
        self.store.outcomes(&query).await
    }
}
