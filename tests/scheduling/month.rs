//! Simulates a month: the schedule, four workers and their restarts on a manual clock. Attempts are real claims and
//! finishes in a real store; only the pages are invented. The four days before it are simulated too, since in a store
//! without any history no document waits for its drawn time; new documents come when the month begins.
//!
//! At full size, with figures and a plot:
//! `cargo test --release --test main month -- --ignored --nocapture` (the plot goes to `target/month.svg`).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use crate::store::support::{Backend, Place, fetched, open, permanent, timeout, worker};
use crate::support::measure::Stopwatch;
use futures_util::future::join_all;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId};
use quarterdeck::domain::link::Link;
use quarterdeck::domain::plan::{Cadence, Plan, PlanName};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::domain::schedule::{DueRules, ScheduleSettings, draw_jitter, max_jitter};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, ClaimLimits, ClaimedJob, DocumentStore, Finish, JobStore, ManualClock, MarkTiming, NewDocument, PassMode,
    PassRequest, PassResult, PassTrigger, ScheduleStore, SqlStore, Store, WorkerInfo,
};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

const WORKERS: usize = 4;
const SLOTS: u32 = 32;
const CAP: u32 = 3;
/// Hours before the month: the longest jitter.
const BEFORE: usize = 96;
const MONTH: usize = 720;
const SLACK: Duration = Duration::from_secs(600);
/// Number of documents from which on figures are printed and random variation is not tolerated.
const WHOLE: i64 = 10_000;
/// One document in this many is new when the month begins.
const NEW: i64 = 50;
/// One document in `GONE` is gone for good; one in `SHAKY` has a transient failure at every attempt.
const GONE: i64 = 100;
const SHAKY: i64 = 90;

/// Number of documents, and the scale of time.
struct Size {
    accounts: i64,
    documents: i64,
    /// Length of an hour of the month on the store's clock.
    hour: Duration,
    step: Duration,
    /// Steps after which a worker is killed in the middle of its work.
    restart: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_month() {
    // An hour takes two minutes: plans of 48 minutes, 5.6 hours and a day.
    let size = Size {
        accounts: 12,
        documents: 360,
        hour: Duration::from_secs(120),
        step: Duration::from_secs(120),
        restart: 60,
    };
    Month::begin(&size).await.run(&size).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: the figures at full size"]
async fn the_whole_month() {
    let size = Size {
        accounts: 200,
        documents: 20_000,
        hour: Duration::from_secs(3_600),
        step: Duration::from_secs(180),
        restart: 900,
    };
    Month::begin(&size).await.run(&size).await;
}

impl Size {
    /// Number of documents that exist before the month begins.
    fn known(&self) -> i64 {
        self.documents - self.documents / NEW
    }
}

fn document(size: &Size, n: i64) -> NewDocument {
    NewDocument {
        link: Link::parse(&format!("https://h{}.test/{n}", n % (size.documents / 20))).unwrap(),
        name: None,
        account_id: AccountId(1 + n % size.accounts),
        assistant_id: AssistantId(1 + n % 2),
    }
}

struct Runner {
    store: Arc<SqlStore>,
    info: WorkerInfo,
}

struct Month {
    place: Place,
    clock: Arc<ManualClock>,
    runners: Vec<Runner>,
    terms: ScheduleSettings,
    begun: Timestamp,
    /// The last success of each document, or its arrival.
    fresh: HashMap<i64, (i64, Timestamp, bool)>,
    /// Attempts in each hour, without those that follow a failure or a kill.
    hours: Vec<u64>,
    looks_at_gone: HashMap<i64, u32>,
    latest: Duration,
    attempts: u64,
    killed: u64,
    most_in_pass: u32,
}

impl Month {
    async fn begin(size: &Size) -> Self {
        let place = Place::in_memory(Backend::Sqlite).await;
        let begun = Timestamp::parse_rfc3339("2026-06-01T00:00:00Z").unwrap();
        let clock = Arc::new(ManualClock::at(begun));
        let store = open(&place.url(), clock.clone(), Access::Create).await;
        let mut terms = ScheduleSettings { per_account: Some(50), total: Some(1_000), ..ScheduleSettings::default() };
        for (name, hours) in [("enterprise", 24), ("business", 168), ("startups", 720)] {
            let every = Cadence::new(size.hour * hours);
            terms.plans.plans.insert(PlanName::new(name).unwrap(), Plan { cadence: every, ..Plan::default() });
        }
        let names = ["enterprise", "business", "startups"].map(|name| PlanName::new(name).unwrap());
        for account in 1..=size.accounts {
            terms.plans.accounts.insert(AccountId(account), names[account as usize % 3].clone());
        }
        let known = size.known();
        store.add(&(0..known).map(|n| document(size, n)).collect::<Vec<_>>()).await.unwrap();
        // A running system: each document was synced at some time within its cadence.
        let mut fresh = HashMap::new();
        let mut sql = String::from("BEGIN;");
        for id in 1..=known {
            let account = 1 + (id - 1) % size.accounts;
            let cadence = terms.plans.of(AccountId(account)).cadence.unwrap();
            let ago = draw_jitter(3, DocumentId(id), cadence.interval());
            let at = begun.minus(ago);
            fresh.insert(id, (account, at, false));
            let at = at.micros();
            write!(
                sql,
                "UPDATE captain_documents SET sync_status = 1, last_synced_at = {at}, last_sync_attempted_at = {at} \
                 WHERE id = {id};"
            )
            .unwrap();
        }
        sql.push_str("COMMIT;");
        place.sql(&sql).await;
        store.close().await;
        let mut month = Self {
            place,
            clock,
            runners: Vec::new(),
            terms,
            begun,
            fresh,
            hours: vec![0; BEFORE + MONTH + 1],
            looks_at_gone: HashMap::new(),
            latest: Duration::ZERO,
            attempts: 0,
            killed: 0,
            most_in_pass: 0,
        };
        for n in 0..WORKERS {
            let runner = month.runner(&format!("w{n}-0")).await;
            month.runners.push(runner);
        }
        month
    }

    async fn runner(&self, id: &str) -> Runner {
        let store = open(&self.place.url(), self.clock.clone(), Access::Write).await;
        let info = worker(id);
        store.register(&info).await.unwrap();
        Runner { store, info }
    }

    async fn run(mut self, size: &Size) {
        let per_day = (size.hour * 24).as_secs() / size.step.as_secs();
        let before = per_day * BEFORE as u64 / 24;
        let begun = Stopwatch::start();
        for step in 0..before + per_day * MONTH as u64 / 24 {
            if step == before {
                self.newcomers(size).await;
            }
            self.pass(step).await;
            let kill = (step % size.restart == size.restart - 1).then_some((step / size.restart) as usize % WORKERS);
            self.work(size, step, kill).await;
            self.clock.advance(size.step);
            if size.documents >= WHOLE && (step + 1) % per_day == 0 {
                let (day, took) = ((step + 1) / per_day, begun.took().as_secs());
                println!("day {day}, {} before the month: {} attempts, {took} s", BEFORE / 24, self.attempts);
            }
        }
        self.judge(size);
    }

    /// Begins the month, and adds documents that were never synced.
    async fn newcomers(&mut self, size: &Size) {
        let new: Vec<_> = (size.known()..size.documents).map(|n| document(size, n)).collect();
        self.runners[0].store.add(&new).await.unwrap();
        let now = self.clock.now_here();
        let new = new.iter().zip(size.known() + 1..);
        self.fresh.extend(new.map(|(document, id)| (id, (document.account_id.0, now, true))));
    }

    /// All runners start a pass; only one of them makes it.
    async fn pass(&mut self, step: u64) {
        let mut made = 0;
        for turn in 0..2 {
            let runner = &self.runners[(step as usize + turn) % WORKERS];
            let order = PassRequest {
                terms: &self.terms,
                only_plan: None,
                trigger: PassTrigger::Interval(Duration::from_secs(15)),
                mode: PassMode::Enqueue,
                holder: &runner.info.id.0,
                lease: Duration::from_secs(30),
                seed: step,
            };
            if let PassResult::Completed(passes, _) = ScheduleStore::schedule(&*runner.store, &order).await.unwrap() {
                made += passes.len();
                for pass in passes {
                    self.most_in_pass = self.most_in_pass.max(pass.enqueued());
                    assert!(pass.enqueued() <= 1_000 && pass.accounts.iter().all(|account| account.enqueued <= 50));
                }
            }
        }
        assert_eq!(made, 1, "one pass, whoever makes it");
    }

    /// All runners run the due jobs until none is left; one runner may be killed while it has jobs.
    async fn work(&mut self, size: &Size, step: u64, mut kill: Option<usize>) {
        let limits = ClaimLimits {
            slots: SLOTS,
            lease: Duration::from_secs(30),
            per_host: CAP,
            per_account: Some(CAP),
            host_interval: Duration::ZERO,
            mark_timing: MarkTiming::AtClaim,
        };
        loop {
            let mut taken: Vec<Vec<ClaimedJob>> = Vec::new();
            for runner in &self.runners {
                taken.push(runner.store.claim(&runner.info.id, limits).await.unwrap());
            }
            if taken.iter().all(Vec::is_empty) {
                return;
            }
            let (mut accounts, mut hosts) = (HashMap::new(), HashMap::new());
            for job in taken.iter().flatten() {
                *accounts.entry(job.account_id).or_insert(0) += 1;
                *hosts.entry(Link::parse(&job.url).unwrap().host().to_owned()).or_insert(0) += 1;
            }
            let most = accounts.values().chain(hosts.values()).max().copied().unwrap_or(0);
            assert!(most <= CAP, "{most} at a time");
            for (place, jobs) in taken.into_iter().enumerate() {
                if kill == Some(place) && !jobs.is_empty() {
                    kill = None;
                    self.killed += jobs.len() as u64;
                    // Its store is closed with its process; the other runners take over its jobs.
                    self.runners[place] = self.runner(&format!("w{place}-{step}")).await;
                    let next = &self.runners[(place + 1) % WORKERS];
                    next.store.rescue().await.unwrap();
                    continue;
                }
                self.finish(size, place, jobs).await;
            }
        }
    }

    async fn finish(&mut self, size: &Size, place: usize, jobs: Vec<ClaimedJob>) {
        let store = &self.runners[place].store;
        let policy = RetryPolicy::default();
        let ends = jobs.iter().map(|job| match job.document_id.0 {
            id if id % GONE == 0 => permanent(),
            id if id % SHAKY == 0 && job.counters.attempt == 1 => timeout(),
            _ => fetched("T", "text", ContentChange::Same),
        });
        let finishes = jobs.iter().zip(ends).map(|(job, end)| {
            store.finish(Finish { lease: job.lease, end, duration: Duration::from_millis(300), stages: None }, &policy)
        });
        for finished in join_all(finishes).await {
            finished.unwrap();
        }
        let now = self.clock.now_here();
        let hour = (now.since(self.begun).as_secs() / size.hour.as_secs()) as usize;
        for job in jobs {
            self.attempts += 1;
            let id = job.document_id.0;
            if job.counters.attempt == 1 {
                self.hours[hour] += 1;
            }
            if id % GONE == 0 {
                *self.looks_at_gone.entry(id).or_default() += 1;
            } else if id % SHAKY != 0 || job.counters.attempt > 1 {
                self.arrived(id, now);
            }
        }
    }

    /// Records a success, and asserts that it is not later than promised.
    fn arrived(&mut self, id: i64, now: Timestamp) {
        let late = self.lateness(id, now);
        self.latest = self.latest.max(late);
        assert!(late <= SLACK, "document {id} is {late:?} later than its cadence and its jitter");
        let (_, at, is_new) = self.fresh.get_mut(&id).unwrap();
        (*at, *is_new) = (now, false);
    }

    /// Returns the time beyond cadence and jitter by which a document would be late if it were synced now.
    fn lateness(&self, id: i64, now: Timestamp) -> Duration {
        let (account, at, is_new) = self.fresh[&id];
        let cadence = self.terms.plans.of(AccountId(account)).cadence.unwrap();
        let wait = if is_new { Duration::ZERO } else { cadence.interval() };
        now.since(at).saturating_sub(wait + max_jitter(DueRules::Continuous, cadence))
    }

    fn judge(&self, size: &Size) {
        let now = self.clock.now_here();
        for id in self.fresh.keys().filter(|id| *id % GONE != 0) {
            assert!(self.lateness(*id, now) <= SLACK, "document {id} was forgotten");
        }
        assert!(self.killed > 0, "workers were killed with their hands full");
        let most_looks = self.looks_at_gone.values().max().copied().unwrap_or(0);
        println!(
            "{} attempts, {} of them lost with killed workers; latest {:?} after cadence and jitter; at most {} in a \
             pass; at most {most_looks} looks at a page that is gone",
            self.attempts + self.killed,
            self.killed,
            self.latest,
            self.most_in_pass
        );
        let hours = &self.hours[BEFORE..BEFORE + MONTH];
        if size.documents >= WHOLE {
            println!("{}", plot(hours));
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/target/month.svg"), svg(hours)).unwrap();
        }
        for (name, window) in [("4 hours", 4), ("1 day", 24), ("4 days", 96)] {
            let mut worst = 0.0_f64;
            for window in hours.chunks_exact(window) {
                let mean = window.iter().sum::<u64>() as f64 / window.len() as f64;
                let peak = window.iter().max().copied().unwrap_or(0) as f64;
                // With few documents an hour varies by chance; at full size no variation is tolerated.
                let by_chance = if size.documents < WHOLE { 3.0 * mean.sqrt() } else { 0.0 };
                worst = worst.max((peak - by_chance) / mean);
            }
            println!("peak hour over the mean within {name}: {worst:.2}");
            assert!(worst <= 1.5, "the load is spread: {worst:.2} within {name}");
        }
        if size.documents >= WHOLE {
            // One attempt after 1, 2, 4, 8, 16 days and the rest of the month, each with its jitter.
            assert!(most_looks <= 7, "{most_looks}");
        }
    }
}

trait Here {
    fn now_here(&self) -> Timestamp;
}

impl Here for ManualClock {
    fn now_here(&self) -> Timestamp {
        quarterdeck::store::Clock::now(self)
    }
}

/// Plots one character per six hours.
fn plot(hours: &[u64]) -> String {
    let sums: Vec<u64> = hours.chunks(6).map(|six| six.iter().sum()).collect();
    let most = sums.iter().max().copied().unwrap_or(1).max(1);
    sums.iter().map(|sum| ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][(sum * 7 / most) as usize]).collect()
}

fn svg(hours: &[u64]) -> String {
    let most = hours.iter().max().copied().unwrap_or(1).max(1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 760 150\" font-family=\"sans-serif\" font-size=\"10\">\
         <text x=\"20\" y=\"12\">syncs an hour over a month, at most {most}</text>"
    );
    for (hour, count) in hours.iter().enumerate() {
        let height = count * 110 / most;
        let (x, y) = (20 + hour, 130 - height);
        write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"1\" height=\"{height}\" fill=\"#3b7ea1\"/>").unwrap();
    }
    for day in (0..=30).step_by(5) {
        write!(svg, "<text x=\"{}\" y=\"144\">day {day}</text>", 20 + day * 24).unwrap();
    }
    svg + "</svg>\n"
}
