//! Tests fairness, caps, retry times and clock steps, with figures (F10, F18, F19, F20, F22). Small by default; full
//! size with `QUARTERDECK_FULL=1 cargo test --release --test main -- --nocapture store::fairness`.

use super::support::{Backend, LEASE, Scene, fetched, limits, timeout, unexpected, worker};
use crate::support::figures::Figures;
use crate::support::limit::until;
use crate::support::measure::Stopwatch;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::store::{
    Access, ClaimedJob, DocumentStore, Finish, FinishResult, JobLease, JobStore, Options, SqlStore, Store, StoreBase,
    StoreError,
};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Returns the full size if `QUARTERDECK_FULL` is set, else the small one.
fn size<T>(full: T, small: T) -> T {
    if std::env::var_os("QUARTERDECK_FULL").is_some() { full } else { small }
}

impl Scene {
    /// Adds documents of an account, spread over `hosts` hosts, and requests their syncs through the store.
    async fn queue_up(&self, account: i64, count: i64, hosts: i64) -> Vec<DocumentId> {
        /// Documents in one statement: the server ends one that takes longer than 30 s, as 80,000 do on a busy machine.
        const INSERTED: usize = 4_000;
        let first = self.number("SELECT coalesce(max(id), 0) + 1 FROM captain_documents").await;
        let zero = self.place.at(0);
        for from in (first..first + count).step_by(INSERTED) {
            let to = (from + INSERTED as i64).min(first + count) - 1;
            self.sql(&format!(
                "WITH RECURSIVE n(i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {to}) \
                 INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, created_at, \
                 updated_at) SELECT i, 'n', 'https://a{account}-' || (i % {hosts}) || '.test/' || i, 1, {account}, 1, \
                 {zero}, {zero} FROM n"
            ))
            .await;
        }
        let ids: Vec<_> = (first..first + count).map(DocumentId).collect();
        self.ask(&ids, QueueClass::Auto).await;
        ids
    }

    /// Claims jobs and finishes them successfully; returns the accounts in the order of the claim.
    async fn round(&self, slots: u32) -> Vec<i64> {
        let claimed = self.claim(slots).await;
        let finishes = claimed.iter().map(|job| self.finish(job, fetched("T", "text", ContentChange::First)));
        futures_util::future::join_all(finishes).await;
        claimed.iter().map(|job| job.account_id.0).collect()
    }
}

/// Jain's fairness index: 1 when all shares are equal, 1/n when one has all.
fn jain(shares: &[f64]) -> f64 {
    let (sum, squares): (f64, f64) = (shares.iter().sum(), shares.iter().map(|share| share * share).sum());
    sum * sum / (shares.len() as f64 * squares)
}

/// F18: one huge account does not delay the others.
async fn a_giant_keeps_nobody_waiting(backend: Backend) {
    const SMALL: i64 = 25;
    let (giant, each) = size((80_000, 100), (2_000, 12));
    let scene = Scene::new(backend).await;
    scene.queue_up(1, giant, 10).await;
    for account in 2..2 + SMALL {
        scene.queue_up(account, each, 2).await;
    }
    let mut served = BTreeMap::<i64, i64>::new();
    let (mut rounds, mut worst_first, mut index) = (0, 0, 0.0);
    let mut last = BTreeMap::<i64, usize>::new();
    let (mut place, mut worst_wait) = (0, 0);
    let begun = Stopwatch::start();
    while served.values().skip(1).sum::<i64>() < SMALL * each {
        rounds += 1;
        let accounts = scene.round(26).await;
        assert_eq!(accounts.len(), 26, "work is there, so it is claimed");
        for account in accounts {
            if *served.entry(account).and_modify(|n| *n += 1).or_insert(1) == 1 {
                worst_first = rounds;
            }
            if account > 1 {
                worst_wait = worst_wait.max(place - last.insert(account, place).unwrap_or(0));
            }
            place += 1;
        }
        if rounds == each * 9 / 10 {
            index = jain(&served.values().map(|n| *n as f64).collect::<Vec<_>>());
        }
    }
    let size = served.values().sum::<i64>() as usize;
    Figures { size, ..Figures::default() }.note();
    println!(
        "F18 {backend:?}: {giant} of one account beside {SMALL} x {each}: first claims within {worst_first} rounds of 26, \
         worst wait {worst_wait} claims, Jain index {index:.4}, all small ones done when the giant had {}; {:.1} s",
        served[&1],
        begun.took().as_secs_f64()
    );
    assert!(worst_first <= 2 && served.len() == 26);
    assert!(index >= 0.99, "{index}");
    assert!(served[&1] <= 3_000.min(each * 2), "{served:?}");
}

/// F19: over many claims each account's share follows its weight.
async fn weights_are_shares_of_many_claims(backend: Backend) {
    let claims = size(6_000, 600);
    let scene = Scene::new(backend).await;
    scene.sql("INSERT INTO accounts_sched (account_id, weight) VALUES (1, 3), (2, 2), (3, 1)").await;
    for account in 1..=3 {
        scene.queue_up(account, claims * (4 - account) / 6 + claims / 10, 2).await;
    }
    let mut served = BTreeMap::<i64, i64>::new();
    for _ in 0..claims / 20 {
        for account in scene.round(20).await {
            *served.entry(account).or_default() += 1;
        }
    }
    Figures { size: claims as usize, ..Figures::default() }.note();
    println!("F19 {backend:?}: {claims} claims at weights 3:2:1: {served:?}");
    for (account, share) in [(1, claims / 2), (2, claims / 3), (3, claims / 6)] {
        assert!((served[&account] - share).abs() * 20 <= share, "{served:?}");
    }
}

/// Repeats a call while the database is too busy for it: the claimers wait for each other, on a busy machine for long.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let answer = async || match call().await {
        Ok(answer) => Some(answer),
        Err(StoreError::Unavailable(_)) => None,
        Err(other) => panic!("{other:?}"),
    };
    until("the database to take a call", answer).await
}

/// F20: a trigger in the database checks the cap at every claim, so no moment is missed.
async fn a_cap_holds_over_workers_that_are_killed(backend: Backend) {
    const WORKERS: usize = 8;
    // Lives of each worker: half a minute on a quiet machine, ten minutes at full size.
    let lives = match backend {
        Backend::Sqlite => size(3_000, 60),
        Backend::Postgres => size(500, 10),
    };
    let chosen = std::env::var("QUARTERDECK_CHAOS").ok();
    let lives = chosen.map_or(lives, |text| text.trim_start_matches("0,").parse().expect("0,LIVES"));
    let scene = Scene::new(backend).await;
    scene.sql("INSERT INTO accounts_sched (account_id, max_running) VALUES (1, 2)").await;
    scene.sql("CREATE TABLE most_running (n BIGINT)").await;
    let look = "INSERT INTO most_running SELECT count(*) FROM jobs WHERE state = 'running' AND account_id = 1";
    let trigger = match backend {
        Backend::Sqlite => {
            format!("CREATE TRIGGER looks AFTER UPDATE OF state ON jobs WHEN NEW.state = 'running' BEGIN {look}; END")
        }
        Backend::Postgres => format!(
            "CREATE FUNCTION looks() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, \
             quarterdeck AS $$ BEGIN {look}; RETURN NULL; END $$; \
             CREATE TRIGGER looks AFTER UPDATE OF state ON jobs FOR EACH ROW WHEN (NEW.state = 'running') \
             EXECUTE FUNCTION looks()"
        ),
    };
    scene.sql(&trigger).await;
    let documents = scene.queue_up(1, 400, 20).await;
    scene.queue_up(2, 400, 20).await;
    let begun = Stopwatch::start();
    let workers = (0..WORKERS).map(|number| {
        let (clock, url, documents) = (scene.clock.clone(), scene.place.url(), documents.clone());
        async move {
            let mut done = 0_u64;
            for life in 0..lives {
                let opening = async || {
                    let options = Options { clock: clock.clone(), ..Options::new(Access::Write) };
                    SqlStore::open(&url, options).await
                };
                let store = patiently(opening).await;
                let me = worker(&format!("w{number}-{life}"));
                patiently(async || store.register(&me).await).await;
                // Each life ends in the middle of its third claim, without any release.
                for claim in 0..3 {
                    patiently(async || store.rescue().await).await;
                    let claimed = patiently(async || store.claim(&me.id, limits(4)).await).await;
                    if claim == 2 {
                        break;
                    }
                    for job in &claimed {
                        let end = fetched("T", "text", ContentChange::First);
                        let took = Duration::from_millis(1);
                        let finish = Finish { lease: job.lease, end, duration: took, stages: None };
                        let policy = RetryPolicy::default();
                        let finished = patiently(async || store.finish(finish.clone(), &policy).await).await;
                        if let FinishResult::Written { .. } = finished {
                            done += 1;
                        }
                    }
                    let request = super::support::request(QueueClass::Auto);
                    patiently(async || store.request(&documents[..20], &request).await).await;
                    clock.advance(Duration::from_secs(4));
                }
                store.close().await;
            }
            done
        }
    });
    let done: u64 = futures_util::future::join_all(workers).await.into_iter().sum();
    let most = scene.number("SELECT max(n) FROM most_running").await;
    let looks = scene.number("SELECT count(*) FROM most_running").await;
    Figures { size: done as usize, faults: WORKERS * lives, ..Figures::default() }.note();
    println!(
        "F20 {backend:?}: {WORKERS} claimers, {:.0} s, {} killed, {done} done: {most} running at most of 2 allowed, \
         {looks} looks",
        begun.took().as_secs_f64(),
        WORKERS * lives
    );
    assert_eq!(most, 2);
    assert!(done > 0 && looks > 20, "{done} {looks}");
}

/// F22: retries run at their times although every attempt has a new process.
async fn retries_come_at_their_times_across_restarts(backend: Backend) {
    let count = size(500, 20);
    let scene = Scene::new(backend).await;
    scene.queue_up(1, count, count).await;
    let second = Duration::from_secs(1);
    let mut worst = Duration::ZERO;
    // Transient failures first, then unexpected ones, which have a counter of their own.
    let waits = [(30, true), (120, true), (300, true), (5, false), (5, false)];
    for (wait, transient) in waits {
        // Each attempt runs in another process.
        let store = scene.another().await;
        let mut claimed = Vec::new();
        while claimed.len() < count as usize {
            let some = store.claim(&worker("w1").id, limits(50)).await.unwrap();
            assert!(!some.is_empty(), "{} of {count} are due", claimed.len());
            claimed.extend(some);
        }
        for job in &claimed {
            let end = if transient { timeout() } else { unexpected() };
            scene.finish(job, end).await;
        }
        store.close().await;
        let wait = Duration::from_secs(wait);
        let due = scene.number("SELECT min(run_at) FROM jobs WHERE state = 'scheduled'").await;
        let last = scene.number("SELECT max(run_at) FROM jobs WHERE state = 'scheduled'").await;
        let now = scene.store.now().micros();
        for at in [due, last] {
            let away = Duration::from_micros((at - now).unsigned_abs());
            worst = worst.max(away.abs_diff(wait));
        }
        scene.clock.advance(wait - second);
        assert!(scene.claim(8).await.is_empty(), "a second early");
        scene.clock.advance(second);
    }
    Figures { size: count as usize, faults: waits.len(), ..Figures::default() }.note();
    println!("F22 {backend:?}: {count} documents, 30/120/300 s and 5 s over restarts: at most {worst:?} away");
    assert!(worst <= second);
}

/// F10: a worker with jobs sends a heartbeat after the clock's step, before any rescue compares its lease with the
/// clock.
async fn steps_of_the_clock_lose_no_job_and_run_none_twice(backend: Backend) {
    enum Step {
        Forward,
        Back,
        Sleep,
    }
    for step in [Step::Forward, Step::Back, Step::Sleep] {
        let scene = Scene::new(backend).await;
        let documents = scene.queue_up(1, 20, 20).await;
        let other = scene.another().await;
        for (store, name) in [(&scene.store, "w1"), (&other, "w2")] {
            store.register(&worker(name)).await.unwrap();
        }
        // Both workers have claimed before, as workers do.
        other.claim(&worker("w2").id, limits(0)).await.unwrap();
        let mut held: Vec<ClaimedJob> = scene.claim(8).await;
        // One attempt fails, and its retry is due after the step.
        scene.finish(&held.remove(0), timeout()).await;
        let hour = Duration::from_secs(3_600);
        match step {
            Step::Forward => scene.clock.advance(hour),
            Step::Back => {
                let back = scene.store.now().minus(hour);
                scene.clock.set(back);
            }
            Step::Sleep => scene.clock.advance(2 * hour),
        }
        assert_eq!(other.rescue().await.unwrap().outcomes, [], "nobody is judged by a clock that was set");
        let mine: Vec<JobLease> = held.iter().map(|job| job.lease).collect();
        let beats = scene.store.heartbeat(&worker("w1").id, &mine, LEASE).await.unwrap();
        assert!(beats.iter().all(|beat| *beat == quarterdeck::store::LeaseStatus::Renewed), "{beats:?}");
        let mut seen: BTreeSet<_> = held.iter().map(|job| job.document_id).collect();
        let more = other.claim(&worker("w2").id, limits(64)).await.unwrap();
        assert!(more.iter().all(|job| seen.insert(job.document_id)), "nothing runs twice");
        for job in held.iter().chain(&more) {
            let end = scene.finish(job, fetched("T", "text", ContentChange::First)).await;
            assert!(matches!(end, FinishResult::Written { state: JobState::Done, .. }), "{end:?}");
        }
        // A waiting job runs at its time, in whichever direction the clock was set.
        scene.clock.advance(hour + Duration::from_secs(31));
        for job in scene.claim(64).await {
            assert!(seen.insert(job.document_id), "once");
            scene.finish(&job, fetched("T", "text", ContentChange::First)).await;
        }
        assert_eq!(seen, documents.iter().copied().collect());
        let updated = scene.results().await.iter().filter(|result| **result == OutcomeResult::Updated).count();
        let all = scene.outcomes().await.len();
        let done = scene.number("SELECT count(*) FROM jobs WHERE state = 'done'").await;
        assert_eq!((all, done), (21, 20), "one failure, and every document once ({updated} updated)");
        assert!(scene.store.queue().await.unwrap().ready == 0);
        assert_eq!(scene.row(documents[0]).await.account_id, AccountId(1));
    }
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_giant_keeps_nobody_waiting,
    weights_are_shares_of_many_claims,
    a_cap_holds_over_workers_that_are_killed,
    retries_come_at_their_times_across_restarts,
    steps_of_the_clock_lose_no_job_and_run_none_twice,
}
