//! Runs random steps on a model, on SQLite and on PostgreSQL, and asserts that results, outcomes and lists agree.
//!
//! `rules` and `ends` are the model, `steps` defines the steps. Stores are reused from one sequence to the next, with
//! new documents; after a failure each smaller sequence gets new stores, so that the printed one can be repeated.
//! `QUARTERDECK_SEQUENCES` sets the number of sequences, `QUARTERDECK_SEED` repeats those of a failure.

use super::super::support::{
    Backend, LEASE, Place, START, fetched, limits, new, open, outcomes_after, permanent, unexpected, worker,
};
use crate::support::figures::Figures;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, TestError, TestRng, TestRunner};
use quarterdeck::domain::document::DocumentRow;
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::domain::job::{AttemptEnd, JobState};
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::request::Request;
use quarterdeck::store::{
    Access, AddResult, ClaimLimits, ClaimedJob, DocumentStore, Finish, FinishResult, JobLease, JobStore, ManualClock,
    MarkResult, PagePosition, PageQuery, Queries, Sort, SortBy, SqlStore, Store, StoreBase,
};
use rules::{Caps, Model};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::time::Duration;
use steps::{DOCUMENTS, End, Line, Said, Step, Took};

mod ends;
mod rules;
mod steps;

const CAPS: Caps = Caps { account: 3, host: 2, lease: LEASE };
const AGAIN: Duration = Duration::from_secs(5);

/// One database, opened by the workers' process and by another process.
struct Side {
    place: Place,
    store: Arc<SqlStore>,
    rescuer: Arc<SqlStore>,
}

impl Side {
    async fn new(backend: Backend, clock: &Arc<ManualClock>) -> Self {
        let place = Place::in_memory(backend).await;
        let store = open(&place.url(), clock.clone(), Access::Create).await;
        let rescuer = open(&place.url(), clock.clone(), Access::Write).await;
        Self { place, store, rescuer }
    }

    async fn close(self) {
        self.rescuer.close().await;
        self.store.close().await;
        self.place.drop_now().await;
    }

    /// Runs a step; returns its result and, for claims, the jobs that later steps need.
    async fn act(&self, step: &Step, scene: &Scene) -> (Said, Vec<ClaimedJob>) {
        let store = &self.store;
        let id = |document: usize| DocumentId(scene.documents[document]);
        let said = match step {
            Step::Ask(documents, verb, class, scope) => {
                let ids: Vec<_> = documents.iter().map(|document| id(*document)).collect();
                let request = Request { kind: *verb, class: *class, by: asks(documents).into(), scope: *scope };
                let answers = store.request(&ids, &request).await.unwrap();
                Said::Asked(answers.into_iter().map(|answered| answered.answer).collect())
            }
            Step::Cancel(document) => {
                let answers = store.cancel(&[id(*document)], &"bob".into()).await.unwrap();
                Said::Asked(answers.into_iter().map(|answered| answered.answer).collect())
            }
            Step::Remove(document) => Said::Removed(store.remove(&[id(*document)], &"ana".into()).await.unwrap()),
            Step::Claim(slots, marking) => {
                let (per_host, per_account) = (CAPS.host as u32, Some(CAPS.account as u32));
                let limits = ClaimLimits { per_host, per_account, mark_timing: *marking, ..limits(*slots) };
                let claimed = store.claim(&worker(&scene.worker()).id, limits).await.unwrap();
                let took = |job: &ClaimedJob| Took {
                    job: job.lease.job_id.0,
                    token: job.lease.token.0,
                    document: job.document_id.0,
                    class: job.class,
                    counters: job.counters,
                };
                return (Said::Claimed(claimed.iter().map(took).collect()), claimed);
            }
            Step::Mark(place) => match scene.held(*place) {
                None => Said::Nothing,
                Some(held) => match store.mark(held).await.unwrap() {
                    MarkResult::Marked { fingerprint } => {
                        Said::Marked(fingerprint.map(|print| print.as_str().to_owned()))
                    }
                    MarkResult::Ended => Said::Ended,
                    MarkResult::LeaseLost => Said::Late,
                },
            },
            Step::Defer(place, value) => match scene.held(*place) {
                None => Said::Nothing,
                Some(held) => {
                    let value = hold(*value).as_str().into();
                    let holder = LockHolder { name: "Chatwoot".into(), value };
                    finished(store.defer(held, &holder, AGAIN).await.unwrap())
                }
            },
            Step::Finish(place, end) => match scene.held(*place) {
                None => Said::Nothing,
                Some(held) => self.finish(held, end).await,
            },
            Step::Again => match &scene.last {
                None => Said::Nothing,
                Some((held, end)) => self.finish(*held, end).await,
            },
            Step::Release(place) => {
                if let Some(held) = scene.held(*place) {
                    store.release(&[held]).await.unwrap();
                }
                Said::Nothing
            }
            Step::Beat => Said::Beat(store.heartbeat(&worker(&scene.worker()).id, &scene.mine(), LEASE).await.unwrap()),
            Step::Crash => {
                store.register(&worker(&scene.next_worker())).await.unwrap();
                Said::Nothing
            }
            Step::Rescue => Said::Rescued(self.rescuer.rescue().await.unwrap().reports.len()),
            Step::Time(_) => Said::Nothing,
            Step::Flip(document) => {
                let sql = format!("UPDATE captain_documents SET status = 1 - status WHERE id = {}", id(*document));
                self.place.sql(&sql).await;
                Said::Nothing
            }
            Step::Elsewhere(document) => {
                let now = self.place.at(store.now().micros());
                let sql = format!(
                    "UPDATE captain_documents SET sync_status = 1, last_synced_at = {now}, \
                     last_sync_attempted_at = {now} WHERE id = {}",
                    id(*document)
                );
                self.place.sql(&sql).await;
                Said::Nothing
            }
        };
        (said, Vec::new())
    }

    async fn finish(&self, held: JobLease, end: &End) -> Said {
        let end = match end {
            End::New(text) => fetched("T", text, quarterdeck::domain::content::ContentChange::Changed),
            End::Same => fetched("T", "same", quarterdeck::domain::content::ContentChange::Same),
            End::Timeout(wait) => {
                let failure = Failure::transient(ErrorCode::Timeout, "no answer within 20 s");
                AttemptEnd::Failed(failure.with_retry_after(Some(Duration::from_secs(*wait))))
            }
            End::Unexpected => unexpected(),
            End::Permanent => permanent(),
            End::Stopped => AttemptEnd::Stopped,
        };
        let finish = Finish { lease: held, end, duration: Duration::from_millis(7), stages: None };
        let failed = matches!(finish.end, AttemptEnd::Failed(_));
        let said = finished(self.store.finish(finish, &Default::default()).await.unwrap());
        if failed {
            // The model has no host back-off: it would delay jobs that the rules allow to run.
            self.place.sql("DELETE FROM hosts_sched").await;
        }
        said
    }

    async fn shown(&self) -> Vec<DocumentRow> {
        let sort = Sort { by: SortBy::Id, descending: false };
        let query = PageQuery { filter: Default::default(), sort, position: PagePosition::Offset(0), limit: 100 };
        self.store.page(&query).await.unwrap().rows
    }

    async fn outcomes(&self, after: i64) -> Vec<Outcome> {
        outcomes_after(&*self.store, Seq(after)).await
    }
}

fn finished(finished: FinishResult) -> Said {
    match finished {
        FinishResult::Written { state, report, .. } => Said::Finished(state, report.is_some()),
        FinishResult::LeaseLost => Said::Late,
    }
}

/// Returns the requester: one person for a single document, another for several.
fn asks(documents: &[usize]) -> &'static str {
    if documents.len() > 1 { "eve" } else { "ana" }
}

fn hold(value: u8) -> String {
    format!("{value}.5")
}

/// State of a sequence, the same for model and stores.
#[derive(Default)]
struct Scene {
    documents: Vec<i64>,
    workers: u32,
    /// Claimed jobs with their workers; workers that crashed may still finish theirs.
    held: Vec<(u32, JobLease)>,
    last: Option<(JobLease, End)>,
}

impl Scene {
    fn worker(&self) -> String {
        format!("w{}", self.workers)
    }

    fn next_worker(&self) -> String {
        format!("w{}", self.workers + 1)
    }

    fn held(&self, place: usize) -> Option<JobLease> {
        self.held.get(place % self.held.len().max(1)).map(|(_, held)| *held)
    }

    fn mine(&self) -> Vec<JobLease> {
        self.held.iter().filter(|(worker, _)| *worker == self.workers).map(|(_, held)| *held).collect()
    }

    fn drop_held(&mut self, held: JobLease) {
        self.held.retain(|(_, other)| *other != held);
    }
}

/// Both databases and the model, kept from one sequence to the next.
struct Stage {
    clock: Arc<ManualClock>,
    sqlite: Side,
    postgres: Side,
    model: Model,
    workers: u32,
    sequences: u32,
}

impl Stage {
    async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let (sqlite, postgres) = tokio::join!(Side::new(Backend::Sqlite, &clock), Side::new(Backend::Postgres, &clock));
        for side in [&sqlite, &postgres] {
            side.store.register(&worker("w1")).await.unwrap();
        }
        Self { clock, sqlite, postgres, model: Model::new(START), workers: 1, sequences: 0 }
    }

    async fn close(self) {
        tokio::join!(self.sqlite.close(), self.postgres.close());
    }

    async fn play(&mut self, steps: &[Step]) {
        self.sequences += 1;
        let mut scene = Scene { workers: self.workers, ..Scene::default() };
        let place = |n: usize| ((n % 2) as i64 + 1, format!("h{}.test", n % 3));
        let documents: Vec<_> = (0..DOCUMENTS)
            .map(|n| new(place(n).0, &format!("https://{}/{}/{n}", place(n).1, self.sequences)))
            .collect();
        let (added, other) = tokio::join!(self.sqlite.store.add(&documents), self.postgres.store.add(&documents));
        let added = added.unwrap();
        assert_eq!(added, other.unwrap(), "added");
        for (n, added) in added.into_iter().enumerate() {
            let AddResult::New(id) = added else { panic!("{added:?}") };
            scene.documents.push(id.0);
            self.model.add(id.0, place(n).0, &place(n).1);
        }
        for (n, step) in steps.iter().enumerate() {
            self.step(step, &mut scene).await;
            if n % 3 == 2 || n + 1 == steps.len() {
                self.compare().await;
            }
        }
        self.clear(&scene).await;
    }

    async fn step(&mut self, step: &Step, scene: &mut Scene) {
        if let Step::Time(seconds) = step {
            self.clock.advance(Duration::from_secs(*seconds));
            self.model.now = self.store_now();
        }
        let seq = self.model.seq;
        let ((said, claimed), (other, _)) = tokio::join!(self.sqlite.act(step, scene), self.postgres.act(step, scene));
        assert_eq!(said, other, "SQLite and PostgreSQL answer {step:?}");
        let (outcomes, others) = tokio::join!(self.sqlite.outcomes(seq), self.postgres.outcomes(seq));
        assert_eq!(outcomes, others, "SQLite and PostgreSQL record of {step:?}");
        let expected = self.model_says(step, scene, &said, &outcomes);
        assert_eq!(said, expected, "the store (left) and the model answer {step:?}");
        let lines: Vec<_> = outcomes.iter().map(Line::of).collect();
        let expected = std::mem::take(&mut self.model.lines);
        assert_eq!(lines, expected, "the store (left) and the model record of {step:?}");
        scene.held.extend(claimed.iter().map(|job| (scene.workers, job.lease)));
    }

    fn store_now(&self) -> quarterdeck::domain::time::Timestamp {
        self.sqlite.store.now()
    }

    fn model_says(&mut self, step: &Step, scene: &mut Scene, said: &Said, outcomes: &[Outcome]) -> Said {
        let model = &mut self.model;
        match step {
            Step::Ask(documents, verb, class, scope) => {
                let answer = |n: &usize| model.request(scene.documents[*n], *verb, *class, *scope, asks(documents));
                Said::Asked(documents.iter().map(answer).collect())
            }
            Step::Cancel(document) => Said::Asked(vec![model.cancel(scene.documents[*document])]),
            Step::Remove(document) => Said::Removed(model.remove(scene.documents[*document])),
            Step::Claim(slots, marking) => {
                let Said::Claimed(took) = said else { panic!("{said:?}") };
                let ended = outcomes.iter().filter(|line| line.result == OutcomeResult::Cancelled);
                let ended: Vec<_> = ended.map(|line| line.job_id.0).collect();
                model.claim(took, &ended, &name(&scene.worker()), *slots as usize, CAPS, *marking);
                said.clone()
            }
            Step::Mark(place) => scene.held(*place).map_or(Said::Nothing, |held| model.mark(held)),
            Step::Defer(place, value) => match scene.held(*place) {
                None => Said::Nothing,
                Some(held) => {
                    scene.drop_held(held);
                    model.defer(held, &hold(*value), AGAIN)
                }
            },
            Step::Finish(place, end) => match scene.held(*place) {
                None => Said::Nothing,
                Some(held) => {
                    scene.drop_held(held);
                    scene.last = Some((held, end.clone()));
                    model.finish(held, end)
                }
            },
            Step::Again => scene.last.as_ref().map_or(Said::Nothing, |(held, end)| model.finish(*held, end)),
            Step::Release(place) => {
                if let Some(held) = scene.held(*place) {
                    scene.drop_held(held);
                    model.release(held);
                }
                Said::Nothing
            }
            Step::Beat => Said::Beat(model.beat(&scene.mine(), LEASE)),
            Step::Crash => {
                scene.workers += 1;
                Said::Nothing
            }
            Step::Rescue => Said::Rescued(model.rescue()),
            Step::Time(_) => Said::Nothing,
            Step::Flip(document) => {
                if let Some(document) = model.documents.get_mut(&scene.documents[*document]) {
                    document.available = !document.available;
                }
                Said::Nothing
            }
            Step::Elsewhere(document) => {
                let now = model.now;
                if let Some(document) = model.documents.get_mut(&scene.documents[*document]) {
                    document.row.status = Some(quarterdeck::domain::document::SyncStatus::Synced);
                    (document.row.attempted, document.synced) = (Some(now), Some(now));
                }
                Said::Nothing
            }
        }
    }

    /// Compares the lists of documents.
    async fn compare(&self) {
        let (rows, others) = tokio::join!(self.sqlite.shown(), self.postgres.shown());
        assert_eq!(rows, others, "SQLite and PostgreSQL show");
        assert_eq!(rows.len(), self.model.documents.len());
        for row in rows {
            let id = row.id.0;
            let document = &self.model.documents[&id];
            let last = document.job.and_then(|job| self.model.jobs.get(&job));
            let live = last.filter(|job| job.state.is_live());
            let print = document.text.as_ref().map(|text| Fingerprint::of(text).as_str().to_owned());
            assert_eq!((id, row.status), (id, self.model.status(id)), "status");
            assert_eq!((id, row.available, row.error_code), (id, document.available, document.failure));
            assert_eq!((id, row.attempted_at, row.synced_at), (id, document.row.attempted, document.synced), "times");
            let next = live.filter(|job| job.state == JobState::Scheduled).map(|job| job.run_at);
            assert_eq!((id, row.next_attempt_at), (id, next), "next");
            let of_job = last.map(|job| (job.counters.attempt, job.class, job.asked_by.to_owned()));
            let shown = row.attempt.zip(row.queue).zip(row.requested_by.map(|by| by.to_string()));
            assert_eq!((id, shown.map(|((a, b), c)| (a, b, c))), (id, of_job), "attempt, class, who asked");
            let holder = live.and_then(|job| match &job.lease {
                _ if job.waits_for_lock => Some("Chatwoot".to_owned()),
                lease => lease.as_ref().map(|(_, _, worker)| worker.clone()),
            });
            assert_eq!((id, row.holder.map(|name| name.to_string())), (id, holder), "held by");
            assert_eq!((id, row.cancel_requested), (id, live.is_some_and(|job| job.cancel)), "asked to stop");
            let recent: String = row.recent.iter().map(|result| result.letter()).collect();
            assert_eq!((id, recent), (id, document.recent.clone()), "recent results");
            assert_eq!((id, row.fingerprint, row.updated_at), (id, print, document.updated), "content");
            assert_eq!((id, row.versions), (id, document.replaced), "earlier contents");
        }
    }

    /// Removes everything of a sequence except the log and the clocks.
    async fn clear(&mut self, scene: &Scene) {
        let ids: Vec<_> = scene.documents.iter().map(|id| DocumentId(*id)).collect();
        let by = "ana".into();
        let (one, other) = tokio::join!(self.sqlite.store.remove(&ids, &by), self.postgres.store.remove(&ids, &by));
        let removed: u64 = scene.documents.iter().map(|id| self.model.remove(*id)).sum();
        assert_eq!((one.unwrap(), other.unwrap()), (removed, removed), "removed");
        let (outcomes, others) = tokio::join!(
            self.sqlite.outcomes(self.model.seq - self.model.lines.len() as i64),
            self.postgres.outcomes(self.model.seq - self.model.lines.len() as i64)
        );
        assert_eq!(outcomes, others, "SQLite and PostgreSQL record of the removal");
        let lines: Vec<_> = outcomes.iter().map(Line::of).collect();
        assert_eq!(lines, std::mem::take(&mut self.model.lines), "the store (left) and the model record of it");
        for gone in self.workers..scene.workers {
            let gone = worker(&format!("w{gone}")).id;
            let (one, other) = tokio::join!(self.sqlite.store.unregister(&gone), self.postgres.store.unregister(&gone));
            one.and(other).unwrap();
        }
        self.workers = scene.workers;
    }
}

/// Returns a worker's name in the tests.
fn name(worker_id: &str) -> String {
    worker(worker_id).name.to_string()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().and_then(|text| text.parse().ok())
}

/// Returns a different seed at every run.
fn new_seed() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(1, |since| since.as_millis() as u64)
}

fn play(seed: u64, cases: u32) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 400, ..ProptestConfig::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let stage = std::cell::RefCell::new(None);
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let played = runner.run(&steps::steps(), |steps| {
        let mut on = stage.take().unwrap_or_else(|| runtime.block_on(Stage::new()));
        match catch_unwind(AssertUnwindSafe(|| runtime.block_on(on.play(&steps)))) {
            Ok(()) => {
                stage.replace(Some(on));
                Ok(())
            }
            Err(panic) => {
                runtime.block_on(on.close());
                resume_unwind(panic)
            }
        }
    });
    if let Some(stage) = stage.take() {
        runtime.block_on(stage.close());
    }
    match played {
        Ok(()) => {}
        Err(TestError::Fail(why, steps)) => {
            let steps: Vec<_> = steps.iter().map(|step| format!("  {step:?}")).collect();
            panic!("{why}\nQUARTERDECK_SEED={seed} plays it again; the shortest found:\n{}", steps.join("\n"));
        }
        Err(abort) => panic!("{abort}"),
    }
}

/// Runs 1,000 sequences by default, on two threads; `QUARTERDECK_SEQUENCES=10000` for a run over night.
#[test]
fn model_and_both_databases_agree_after_any_sequence() {
    let seed = number("QUARTERDECK_SEED").unwrap_or_else(new_seed);
    let cases = number("QUARTERDECK_SEQUENCES").map_or(1_000, |cases| cases as u32);
    let other = std::thread::spawn(move || play(seed + 1, cases / 2));
    play(seed, cases.div_ceil(2));
    if let Err(panic) = other.join() {
        resume_unwind(panic);
    }
    Figures { size: cases as usize, ..Figures::default() }.note();
}
