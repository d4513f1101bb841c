//! Runs random sequences of everything that can happen to a queue, and checks the invariants after each step.

use super::support::{
    Backend, LEASE, Scene, fetched, limits, outcomes_after, permanent, request, timeout, unexpected, worker,
};
use proptest::prelude::{Just, ProptestConfig, Strategy};
use proptest::test_runner::TestRunner;
use proptest::{collection, prop_oneof};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::store::{
    CheckScope, ClaimLimits, ClaimedJob, DocumentRef, DocumentStore, Finish, FinishResult, JobStore, MarkResult,
    MarkTiming, Queries, SqlStore, StatusStore, Store, StoreBase,
};
use std::sync::Arc;
use std::time::Duration;

mod model;

/// Documents of a sequence: two accounts, three hosts.
const DOCUMENTS: i64 = 8;

#[derive(Clone, Debug)]
enum Step {
    Ask(i64, QueueClass),
    Cancel(i64),
    Remove(i64),
    Claim(u32, MarkTiming),
    Mark(usize),
    /// Another holder has the lock of a job.
    Defer(usize, u8),
    Finish(usize, End),
    Release(usize),
    Beat,
    Rescue,
    Time(u64),
    Expire,
    Vanish(i64),
}

#[derive(Clone, Copy, Debug)]
enum End {
    New,
    Same,
    Timeout,
    Unexpected,
    Permanent,
    Stopped,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let document = || 1..=DOCUMENTS;
    let class = prop_oneof![Just(QueueClass::Manual), Just(QueueClass::Auto)];
    let marking = prop_oneof![Just(MarkTiming::AtClaim), Just(MarkTiming::AfterLock)];
    let end = prop_oneof![
        Just(End::New),
        Just(End::Same),
        Just(End::Timeout),
        Just(End::Unexpected),
        Just(End::Permanent),
        Just(End::Stopped)
    ];
    collection::vec(
        prop_oneof![
            6 => (document(), class).prop_map(|(document, class)| Step::Ask(document, class)),
            2 => document().prop_map(Step::Cancel),
            1 => document().prop_map(Step::Remove),
            5 => (1_u32..4, marking).prop_map(|(slots, marking)| Step::Claim(slots, marking)),
            3 => (0_usize..6).prop_map(Step::Mark),
            2 => (0_usize..6, 0_u8..2).prop_map(|(place, holder)| Step::Defer(place, holder)),
            5 => (0_usize..6, end).prop_map(|(place, end)| Step::Finish(place, end)),
            2 => (0_usize..6).prop_map(Step::Release),
            1 => Just(Step::Beat),
            2 => Just(Step::Rescue),
            3 => prop_oneof![Just(1_u64), Just(6), Just(31), Just(130), Just(7_300)].prop_map(Step::Time),
            1 => Just(Step::Expire),
            1 => document().prop_map(Step::Vanish),
        ],
        60,
    )
}

struct Play {
    scene: Scene,
    /// Another process, without a worker.
    rescuer: Arc<SqlStore>,
    held: Vec<ClaimedJob>,
    texts: u32,
    written: i64,
}

impl Play {
    async fn new(backend: Backend) -> Self {
        let scene = Scene::new(backend).await;
        for n in 1..=DOCUMENTS {
            scene.add(n % 2, &format!("https://h{}.test/{n}", n % 3)).await;
        }
        scene.store.register(&worker("w1")).await.unwrap();
        let rescuer = scene.another().await;
        Self { scene, rescuer, held: Vec::new(), texts: 0, written: 0 }
    }

    async fn step(&mut self, step: &Step) {
        let store = &self.scene.store;
        match step {
            Step::Ask(document, class) => {
                store.request(&[DocumentId(*document)], &request(*class)).await.unwrap();
            }
            Step::Cancel(document) => {
                store.cancel(&[DocumentId(*document)], &"bob".into()).await.unwrap();
            }
            Step::Remove(document) => {
                store.remove(&[DocumentId(*document)], &"ana".into()).await.unwrap();
            }
            Step::Claim(slots, marking) => {
                let limits = ClaimLimits { per_host: 2, per_account: Some(3), mark_timing: *marking, ..limits(*slots) };
                self.held.extend(store.claim(&worker("w1").id, limits).await.unwrap());
            }
            Step::Finish(place, end) if !self.held.is_empty() => {
                let job = self.held.remove(place % self.held.len());
                self.texts += 1;
                let end = match end {
                    End::New => fetched("T", &format!("text {}", self.texts), ContentChange::Changed),
                    End::Same => fetched("T", "same", ContentChange::Same),
                    End::Timeout => timeout(),
                    End::Unexpected => unexpected(),
                    End::Permanent => permanent(),
                    End::Stopped => AttemptEnd::Stopped,
                };
                let writes = matches!(&end, AttemptEnd::Fetched { change, .. } if change.writes());
                let finish = Finish { lease: job.lease, end, duration: Duration::from_millis(7), stages: None };
                let finished = store.finish(finish, &Default::default()).await.unwrap();
                if let FinishResult::Written { outcomes, .. } = finished {
                    let content = outcomes.iter().any(|line| line.content.is_some());
                    self.written += i64::from(writes && content);
                }
            }
            Step::Release(place) if !self.held.is_empty() => {
                let job = self.held.remove(place % self.held.len());
                store.release(&[job.lease]).await.unwrap();
            }
            Step::Mark(place) if !self.held.is_empty() => {
                let place = place % self.held.len();
                if !matches!(store.mark(self.held[place].lease).await.unwrap(), MarkResult::Marked { .. }) {
                    self.held.remove(place);
                }
            }
            Step::Defer(place, holder) if !self.held.is_empty() => {
                let job = self.held.remove(place % self.held.len());
                let holder = LockHolder { name: "Chatwoot".into(), value: format!("{holder}.5").as_str().into() };
                store.defer(job.lease, &holder, Duration::from_secs(5)).await.unwrap();
            }
            Step::Finish(..) | Step::Release(_) | Step::Mark(_) | Step::Defer(..) => {}
            Step::Beat => {
                let held: Vec<_> = self.held.iter().map(|job| job.lease).collect();
                store.heartbeat(&worker("w1").id, &held, LEASE).await.unwrap();
            }
            Step::Rescue => {
                self.rescuer.rescue().await.unwrap();
                let now = self.scene.store.now().micros();
                let dead = format!("SELECT count(*) FROM jobs WHERE state = 'running' AND lease_until < {now}");
                assert_eq!(self.scene.number(&dead).await, 0, "a running job with a dead lease");
            }
            Step::Expire => {
                store.expire_statuses().await.unwrap();
            }
            Step::Time(seconds) => self.scene.clock.advance(Duration::from_secs(*seconds)),
            Step::Vanish(document) => {
                let sql = format!("UPDATE captain_documents SET status = 1 - status WHERE id = {document}");
                self.scene.sql(&sql).await;
            }
        }
    }

    async fn check(&self) {
        let scene = &self.scene;
        assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0, "lanes are the jobs'");
        let checked = scene.store.check_statuses(CheckScope::All).await.unwrap();
        assert!(checked.is_clean(), "stored statuses and counts are those of documents and jobs: {checked:?}");
        let zero = async |what: &str, sql: &str| assert_eq!(scene.number(sql).await, 0, "{what}");
        zero(
            "two live jobs of a document",
            "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state IN ('scheduled', 'ready', 'running') \
             GROUP BY document_id HAVING count(*) > 1) AS two",
        )
        .await;
        zero(
            "a lease without a run, or a run without a lease",
            "SELECT count(*) FROM jobs WHERE (state = 'running') <> (lease_token IS NOT NULL)",
        )
        .await;
        zero(
            "an ended job that waits for a lock",
            "SELECT count(*) FROM jobs WHERE lock_holder IS NOT NULL AND state NOT IN ('scheduled', 'ready', 'running')",
        )
        .await;
        zero(
            "a fence above the clock's",
            scene.either(
                "SELECT count(*) FROM document_state, sched_clock WHERE document_state.fence > sched_clock.fence",
                "SELECT count(*) FROM document_state WHERE fence > (SELECT last_value FROM fence)",
            ),
        )
        .await;
        zero(
            "a syncing row of an ended job",
            "SELECT count(*) FROM captain_documents d JOIN document_state s ON s.document_id = d.id \
             JOIN jobs j ON j.id = s.job_id WHERE d.sync_status = 0 \
             AND j.state NOT IN ('scheduled', 'ready', 'running')",
        )
        .await;
        zero(
            "a host or an account above its cap",
            "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'running' GROUP BY host HAVING count(*) > 2 \
             UNION ALL SELECT 1 FROM jobs WHERE state = 'running' GROUP BY account_id HAVING count(*) > 3) AS above",
        )
        .await;
        zero(
            "more than one job that has lost two workers at a time",
            "SELECT count(*) / 2 FROM jobs WHERE state = 'running' AND crashes > 1",
        )
        .await;
        let outcomes = outcomes_after(&*scene.store, Seq::START).await;
        let seqs: Vec<_> = outcomes.iter().map(|line| line.seq.0).collect();
        assert_eq!(seqs, (1..=outcomes.len() as i64).collect::<Vec<_>>(), "dense and in order");
        let contents = "SELECT count(*) FROM outcomes WHERE content IN ('first', 'changed')";
        assert_eq!(scene.number(contents).await, self.written, "content was written once per outcome that says so");
    }

    async fn close(self) {
        self.rescuer.close().await;
        self.scene.store.close().await;
        self.scene.place.drop_now().await;
    }

    /// Asserts that every job ends when time passes and workers work.
    async fn settle(&mut self) {
        let scene = &self.scene;
        scene.sql("UPDATE captain_documents SET status = 1").await;
        for _ in 0..12 {
            scene.clock.advance(Duration::from_secs(301));
            self.rescuer.rescue().await.unwrap();
            for job in scene.claim(64).await {
                scene.finish(&job, permanent()).await;
            }
        }
        let live = "SELECT count(*) FROM jobs WHERE state IN ('scheduled', 'ready', 'running')";
        assert_eq!(scene.number(live).await, 0, "nothing is stuck");
    }
}

#[test]
fn what_must_always_hold_holds_after_any_sequence_on_sqlite() {
    play(Backend::Sqlite, cases(50));
}

#[test]
fn what_must_always_hold_holds_after_any_sequence_on_postgres() {
    play(Backend::Postgres, cases(10));
}

/// Runs the same steps on both databases and compares the claims, outcomes and lists.
#[test]
fn both_databases_agree_after_any_sequence() {
    run(cases(10), async |steps| {
        let mut plays = (Play::new(Backend::Sqlite).await, Play::new(Backend::Postgres).await);
        for step in steps {
            plays.0.step(step).await;
            plays.1.step(step).await;
            let held = |play: &Play| play.held.iter().map(|job| (job.lease.job_id, job.counters)).collect::<Vec<_>>();
            assert_eq!(held(&plays.0), held(&plays.1), "claimed and still held after {step:?}");
        }
        for play in [&mut plays.0, &mut plays.1] {
            play.settle().await;
        }
        assert_eq!(plays.0.scene.outcomes().await, plays.1.scene.outcomes().await);
        for document in (1..=DOCUMENTS).map(DocumentId) {
            let shown = async |play: &Play| play.scene.store.find(&DocumentRef::Id(document)).await.unwrap();
            assert_eq!(shown(&plays.0).await, shown(&plays.1).await);
            let kept = async |play: &Play| {
                let store = &play.scene.store;
                (store.content(document).await.unwrap(), store.versions(document).await.unwrap())
            };
            assert_eq!(kept(&plays.0).await, kept(&plays.1).await);
        }
        for play in [plays.0, plays.1] {
            play.close().await;
        }
    });
}

/// Number of sequences: `few` by default; `QUARTERDECK_SEQUENCES=10000` for a run over night.
fn cases(few: u32) -> u32 {
    std::env::var("QUARTERDECK_SEQUENCES").ok().and_then(|text| text.parse().ok()).unwrap_or(few)
}

fn play(backend: Backend, cases: u32) {
    run(cases, async |steps| {
        let mut play = Play::new(backend).await;
        for (place, step) in steps.iter().enumerate() {
            play.step(step).await;
            if place % 5 == 4 {
                play.check().await;
            }
        }
        play.settle().await;
        play.check().await;
        play.close().await;
    });
}

fn run(cases: u32, play: impl AsyncFn(&[Step])) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let played = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(play(&steps));
        Ok(())
    });
    played.unwrap();
}
