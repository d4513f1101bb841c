//! Several real processes on one store under faults: filled, followed, killed, and checked against the invariants at
//! the end.

use super::install::{Ended, Install, Process, until};
use super::invariants::{Case, assert_invariants, witness};
use super::limit::{self, is_announced, within};
use super::measure::Stopwatch;
use super::place::{Backend, Place};
use super::site::Site;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::store::{Access, AddResult, CheckScope, NewDocument, Store, StoreError, open};
use rustix::process::Signal;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Settings with many slots for the only host, and retries that a test can wait for.
pub const EAGER: &str = "runner.per_host = 256\nrunner.concurrency = 8\n\
                         retry.transient_waits = [\"300ms\", \"300ms\", \"300ms\"]\n";
/// Settings with leases that expire while a test waits.
pub const SHORT_LEASE: &str = "runner.lease = \"1s\"\nrunner.heartbeat = \"300ms\"\n";

/// Interval of polls for a state that no outcome announces: an empty queue.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Processes and their store, as the module describes.
pub struct Fleet {
    pub place: Place,
    pub install: Install,
    pub store: Arc<dyn Store>,
    env: Vec<(&'static str, String)>,
    seen: Arc<Mutex<Vec<Outcome>>>,
    count: watch::Receiver<usize>,
    _following: AbortOnDropHandle<()>,
    killed: Vec<(u32, Timestamp)>,
    last_fault: Mutex<Option<Timestamp>>,
    clock_is_steady: bool,
    begun: Stopwatch,
}

impl Fleet {
    /// Makes an empty store on `on` for the pages of `site`.
    pub async fn new(on: Backend, site: Site, settings: &str) -> Self {
        Self::at(Place::new(on).await, Install::new(site, settings)).await
    }

    /// Makes a fleet from an existing database and installation.
    pub async fn at(place: Place, install: Install) -> Self {
        let store = open(&place.url(), Access::Create).await.expect("the store opens");
        witness(&place).await;
        let seen: Arc<Mutex<Vec<Outcome>>> = Arc::default();
        let (told, count) = watch::channel(0);
        let (mut tail, kept) = (follow(store.clone(), Seq::START), Arc::clone(&seen));
        let following = tokio::spawn(async move {
            while let Some(tailed) = tail.recv().await {
                if let TailItem::Outcomes(outcomes) = tailed {
                    let mut kept = kept.lock().expect("not poisoned");
                    kept.extend(outcomes);
                    let _ = told.send(kept.len());
                }
            }
        });
        let env = vec![("QUARTERDECK_STORE", place.url())];
        let following = AbortOnDropHandle::new(following);
        Self {
            place,
            install,
            store,
            env,
            seen,
            count,
            _following: following,
            killed: Vec::new(),
            last_fault: Mutex::default(),
            clock_is_steady: true,
            begun: Stopwatch::start(),
        }
    }

    /// Adds a variable to the environment of its processes.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.env.retain(|(known, _)| *known != name);
        self.env.push((name, value.to_owned()));
        self
    }

    /// Tells it that the test sets the clock of its processes: times of different outcomes are not compared then.
    pub fn with_steps_of_the_clock(self) -> Self {
        Self { clock_is_steady: false, ..self }
    }

    /// Returns the environment of its processes, for those that are started elsewhere.
    pub fn env(&self) -> &[(&'static str, String)] {
        &self.env
    }

    /// Adds the pages `/0`, `/1` … and requests a sync of each.
    pub async fn fill(&self, count: usize) -> Vec<DocumentId> {
        self.fill_from(0, count).await
    }

    /// Does the same for pages from `/first` on.
    pub async fn fill_from(&self, first: usize, count: usize) -> Vec<DocumentId> {
        let new = |page: usize| NewDocument {
            link: Link::parse(&self.install.site.url(&format!("/{page}"))).expect("a link"),
            name: None,
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        let documents: Vec<_> = (first..first + count).map(new).collect();
        let added = answered("the documents", async || self.store.add(&documents).await).await;
        let ids: Vec<_> = added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect();
        answered("the requests", async || self.store.request(&ids, &bulk()).await).await;
        ids
    }

    /// Starts a worker.
    pub fn work(&self) -> Process {
        self.start(&["work"])
    }

    pub fn start(&self, args: &[&str]) -> Process {
        self.start_with(&[], args)
    }

    /// Starts the program with additional variables, which replace those of the same name.
    pub fn start_with(&self, more: &[(&str, &str)], args: &[&str]) -> Process {
        let env = self.env.iter().map(|(name, value)| (*name, value.as_str()));
        self.install.start_with(&env.chain(more.iter().copied()).collect::<Vec<_>>(), args)
    }

    /// Kills a worker with kill -9.
    pub fn kill(&mut self, worker: Process) {
        let id = worker.id();
        worker.signal(Signal::KILL);
        self.killed.push((id, self.store.now()));
        self.fault_is_over();
        worker.ended();
    }

    /// Waits for the end of a worker that aborts by itself.
    #[track_caller]
    pub fn died(&mut self, worker: Process) -> Ended {
        let id = worker.id();
        let ended = worker.ended();
        self.killed.push((id, self.store.now()));
        self.fault_is_over();
        ended
    }

    /// Notes the end of a fault: the figures contain the time from the last one to the end of the last job.
    pub fn fault_is_over(&self) {
        *self.last_fault.lock().expect("not poisoned") = Some(self.store.now());
    }

    /// Waits until the log has `count` outcomes, or no job is live. The limit applies to each outcome, not to all.
    pub async fn reached(&self, count: usize) {
        let mut seen = self.count.clone();
        while *seen.borrow_and_update() < count && self.live().await != Some(0) {
            let next = async {
                // No outcome announces an empty queue.
                while !is_announced(seen.changed(), POLL_INTERVAL).await && self.live().await != Some(0) {}
            };
            within("the workers to get on", next).await;
        }
    }

    /// Waits until `count` jobs run.
    pub async fn running(&self, count: u64) {
        let running = async || self.store.queue().await.is_ok_and(|queue| queue.running == count);
        until(&*self.store, &format!("{count} running"), running).await;
    }

    /// Waits until no job is live.
    pub async fn drained(&self) {
        self.reached(usize::MAX).await;
    }

    /// Returns the number of live jobs; `None` while the store does not respond.
    pub async fn live(&self) -> Option<u64> {
        let queue = self.store.queue().await.ok()?;
        Some(queue.ready + queue.running + queue.waiting + queue.scheduled)
    }

    /// Returns the outcomes so far, in the order of the log.
    pub fn outcomes(&self) -> Vec<Outcome> {
        self.seen.lock().expect("not poisoned").clone()
    }

    /// Returns the number of outcomes so far.
    pub fn count(&self) -> usize {
        *self.count.borrow()
    }

    /// Returns, for each lost attempt, the time from its worker's death to the recorded loss, sorted.
    pub fn delays(&self) -> Vec<Duration> {
        let seen = self.seen.lock().expect("not poisoned");
        let lost = seen.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost);
        let delay = |outcome: &Outcome| {
            let worker = outcome.worker.as_ref().expect("it says whose it was").to_string();
            let killed = self.killed.iter().find(|(id, _)| worker.ends_with(&format!(":{id}")));
            killed.map(|(_, at)| outcome.at.since(*at))
        };
        let mut delays: Vec<_> = lost.filter_map(delay).collect();
        delays.sort();
        delays
    }

    /// Asserts the invariants; returns the log's outcomes.
    pub async fn check(self, name: &str, size: usize, faults: usize, longest: Duration) -> Vec<Outcome> {
        let took = self.begun.took();
        let last = self.store.last_seq().await.expect("the store answers");
        let mut seen = self.count.clone();
        let followed = seen.wait_for(|count| i64::try_from(*count).is_ok_and(|count| count >= last.0));
        let followed = within(format_args!("{name}: the end of the log, {last}"), followed).await;
        assert!(followed.is_ok(), "{name}: the log is followed to its end, {last}");
        let tail = self.outcomes();
        let name = format!("{name} {}", self.place.either("SQLite", "PostgreSQL"));
        let statuses = self.store.check_statuses(CheckScope::All).await.expect("the store answers");
        assert!(
            statuses.is_clean(),
            "{name}: stored statuses and counts are those of documents and jobs: {statuses:?}"
        );
        let last_fault = *self.last_fault.lock().expect("not poisoned");
        let last = last_fault.and_then(|at| Some(tail.last()?.at.since(at)));
        let (kills, clock_is_steady) = (self.killed.len(), self.clock_is_steady);
        let case = Case { name: &name, size, faults, kills, longest, last, took, clock_is_steady };
        assert_invariants(&self.place, &tail, &case).await;
        self.store.close().await;
        tail
    }
}

/// Repeats a call until the store answers: a fault may keep it busy. A call that was committed may be repeated.
#[track_caller]
fn answered<T>(what: &str, call: impl AsyncFn() -> Result<T, StoreError>) -> impl Future<Output = T> {
    limit::until(what.to_owned(), async move || match call().await {
        Ok(answer) => Some(answer),
        Err(StoreError::Unavailable(_)) => None,
        Err(other) => panic!("{other:?}"),
    })
}

/// Makes a request as the schedule does.
pub fn bulk() -> Request {
    Request { kind: RequestKind::Sync, class: QueueClass::Auto, by: "test".into(), scope: RequestScope::Bulk }
}

/// Returns the value that `percent` of the sorted values do not exceed.
pub fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).max(1) - 1;
    sorted.get(place).copied().unwrap_or_default()
}

/// Sends TERM to a worker, and asserts that it exits in order.
pub fn dismiss(worker: Process) -> Vec<String> {
    worker.signal(Signal::TERM);
    let ended = worker.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.out
}

/// Pseudo-random numbers that are the same at every run.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// Returns a number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("fits") % end.max(1)
    }
}
