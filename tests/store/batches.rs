//! Tests batches in the store: what they do to jobs, what an undo, a pause and a stop leave, what counts, and who goes on
//! when the process that made one is gone.

use super::retention::{DAY, remove_all};
use super::support::*;
use quarterdeck::domain::batch::{
    BatchAct, BatchCounts, BatchOrder, BatchOrigin, BatchPhase, BatchSelection, BatchState, BatchSummary, GRACE,
};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{BatchId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::{RequestAnswer, SkipReason};
use quarterdeck::domain::retention::Retention;
use quarterdeck::store::{
    AddResult, BatchOrdered, BatchStep, BatchStore, DocumentStore, JobStore, NewBatch, Queries, Sort, SqlStore,
    StoreBase,
};
use std::time::Duration;

fn new_batch(act: BatchAct, grace: Duration) -> NewBatch {
    NewBatch {
        act,
        origin: BatchOrigin::Console,
        selection: BatchSelection::Filter,
        filter: Some("host:a.test".into()),
        by: "ana".into(),
        holder: "vm:1".into(),
        grace,
    }
}

async fn begin(store: &SqlStore, act: BatchAct, documents: &[DocumentId]) -> BatchId {
    store.begin_batch(&new_batch(act, Duration::ZERO), documents).await.unwrap()
}

/// Acts on all members; returns the answers, and the number of steps that acted.
async fn carry_out(store: &SqlStore, batch: BatchId, holder: &str) -> (Vec<RequestAnswer>, u32) {
    let (mut all, mut steps) = (Vec::new(), 0);
    loop {
        match store.advance_batch(batch, holder).await.unwrap() {
            BatchStep::Acted { answers, .. } => all.extend(answers.into_iter().map(|one| one.answer)),
            BatchStep::Done => return (all, steps),
            other => panic!("{other:?}"),
        }
        steps += 1;
    }
}

async fn order(store: &SqlStore, batch: BatchId, order: BatchOrder) -> BatchOrdered {
    store.order_batch(batch, order, &"bob".into(), "vm:2").await.unwrap()
}

async fn summary(store: &SqlStore, batch: BatchId) -> BatchSummary {
    store.finish_batches().await.unwrap();
    store.batch(batch).await.unwrap().unwrap()
}

async fn counts(store: &SqlStore, batch: BatchId) -> BatchCounts {
    summary(store, batch).await.counts
}

async fn add(scene: &Scene, documents: usize) -> Vec<DocumentId> {
    let new: Vec<_> = (0..documents).map(|n| new(1, &format!("https://h{}.test/{n}", n % 7))).collect();
    let added = scene.store.add(&new).await.unwrap();
    let id = |added: &AddResult| match added {
        AddResult::New(id) | AddResult::Exists(id) => *id,
    };
    added.iter().map(id).collect()
}

async fn matching(scene: &Scene, filter: &str) -> Vec<DocumentId> {
    scene.store.matching(&Filter::parse(filter).unwrap(), Sort::BY_ID, None).await.unwrap()
}

/// The lanes are what the jobs say.
async fn assert_lanes(scene: &Scene) {
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0, "wrong lanes");
}

async fn a_batch_acts_after_its_grace_and_counts_what_became_of_its_members(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 600).await;
    let batch = scene.store.begin_batch(&new_batch(BatchAct::Sync, GRACE), &ids).await.unwrap();
    let begins_at = START.plus(GRACE);
    assert_eq!(scene.store.advance_batch(batch, "vm:1").await.unwrap(), BatchStep::Wait(begins_at));
    let waiting = summary(&scene.store, batch).await;
    assert_eq!((waiting.phase(), waiting.counts.waiting), (BatchPhase::Waiting, 600));
    assert_eq!((waiting.created_by.as_str(), waiting.filter.as_deref()), ("ana", Some("host:a.test")));
    assert_eq!(scene.number("SELECT count(*) FROM jobs").await, 0, "nothing is done before");
    scene.clock.advance(GRACE);
    let (answers, steps) = carry_out(&scene.store, batch, "vm:1").await;
    assert!(answers.len() == 600 && answers.iter().all(|answer| matches!(answer, RequestAnswer::Queued(_))));
    assert_eq!(steps, 3, "250 to a transaction");
    assert_eq!(counts(&scene.store, batch).await, BatchCounts { queued: 600, ..BatchCounts::default() });
    let claimed = scene.claim(5).await;
    assert_eq!(claimed.len(), 5);
    scene.finish(&claimed[0], fetched("T", "x", ContentChange::First)).await;
    scene.finish(&claimed[1], permanent()).await;
    scene.finish(&claimed[2], timeout()).await;
    let expected = BatchCounts { queued: 595, running: 2, retrying: 1, done: 1, failed: 1, ..BatchCounts::default() };
    assert_eq!(counts(&scene.store, batch).await, expected);
    assert_eq!(matching(&scene, "batch:1 status:failed").await, [claimed[1].document_id]);
    assert_eq!(matching(&scene, "batch:1").await.len(), 600);
    assert_eq!(matching(&scene, "-batch:1").await, []);
    // A document that is synced again has another job; its member keeps its result.
    for done in [&claimed[0], &claimed[1]] {
        scene.ask(&[done.document_id], QueueClass::Manual).await;
    }
    assert_eq!(counts(&scene.store, batch).await, expected, "the jobs of two are gone");
}

async fn the_end_is_noted_with_the_counts(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 3).await;
    let batch = begin(&scene.store, BatchAct::Sync, &ids).await;
    carry_out(&scene.store, batch, "vm:1").await;
    let claimed = scene.claim(9).await;
    scene.clock.advance(Duration::from_secs(9));
    for (claimed, end) in claimed.iter().zip([permanent(), fetched("T", "x", ContentChange::First), permanent()]) {
        assert_eq!(summary(&scene.store, batch).await.ended_at, None);
        scene.finish(claimed, end).await;
    }
    let ended_at = START.plus(Duration::from_secs(9));
    scene.clock.advance(Duration::from_secs(60));
    let ended = summary(&scene.store, batch).await;
    assert_eq!((ended.state, ended.ended_at), (BatchState::Done, Some(ended_at)), "not when somebody looked");
    assert_eq!(ended.counts, BatchCounts { done: 1, failed: 2, ..BatchCounts::default() });
    assert_eq!(order(&scene.store, batch, BatchOrder::Stop).await, BatchOrdered::Refused(BatchState::Done));
    assert_eq!(order(&scene.store, BatchId(99), BatchOrder::Stop).await, BatchOrdered::Missing);
    // What comes later changes nothing of it.
    scene.ask(&ids, QueueClass::Manual).await;
    assert_eq!(summary(&scene.store, batch).await, ended);
    assert_eq!(scene.store.batches(1).await.unwrap(), [ended]);
    assert_eq!(scene.store.batches(0).await.unwrap(), []);
}

async fn an_undo_leaves_everything_as_it_was(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (failing, claimed) = scene.running("https://a.test/w").await;
    scene.finish(&claimed, timeout()).await;
    let others = add(&scene, 3).await;
    scene.ask(&others[..1], QueueClass::Auto).await;
    let ids: Vec<_> = std::iter::once(failing).chain(others).collect();
    let jobs = "SELECT coalesce(sum(id * 7 + run_at % 1000000007 + class), 0) FROM jobs";
    let before = (scene.number(jobs).await, scene.results().await);
    for act in [BatchAct::Retry, BatchAct::Cancel, BatchAct::Remove] {
        let batch = scene.store.begin_batch(&new_batch(act, GRACE), &ids).await.unwrap();
        assert_eq!(order(&scene.store, batch, BatchOrder::Undo).await, BatchOrdered::Now(BatchState::Undone));
        scene.clock.advance(GRACE);
        let halted = scene.store.advance_batch(batch, "vm:1").await.unwrap();
        assert_eq!(halted, BatchStep::Halted(Some(BatchState::Undone)));
        let undone = summary(&scene.store, batch).await;
        assert_eq!((undone.state, undone.counts.waiting), (BatchState::Undone, ids.len() as u64));
        assert_eq!((scene.number(jobs).await, scene.results().await), before, "{act:?}");
        assert_eq!(matching(&scene, &format!("batch:{batch}")).await, [], "it has acted on nothing");
    }
    let late = begin(&scene.store, BatchAct::Sync, &ids).await;
    scene.store.advance_batch(late, "vm:1").await.unwrap();
    assert_eq!(order(&scene.store, late, BatchOrder::Undo).await, BatchOrdered::Refused(BatchState::Acting));
}

async fn a_pause_gives_back_what_has_not_begun(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (waits, claimed) = scene.running("https://a.test/waits").await;
    scene.finish(&claimed, timeout()).await;
    let next_at = scene.row(waits).await.next_attempt_at.unwrap();
    let others = add(&scene, 5).await;
    scene.ask(&others[..1], QueueClass::Auto).await;
    let ids: Vec<_> = std::iter::once(waits).chain(others.iter().copied()).collect();
    let batch = begin(&scene.store, BatchAct::Sync, &ids).await;
    let (answers, _) = carry_out(&scene.store, batch, "vm:1").await;
    assert!(matches!(answers[..2], [RequestAnswer::RunsNow(_), RequestAnswer::Promoted(_)]), "{answers:?}");
    assert_eq!(scene.row(waits).await.status, Status::Queued);
    let claimed = scene.claim(1).await.remove(0);
    assert_eq!(order(&scene.store, batch, BatchOrder::Pause).await, BatchOrdered::Now(BatchState::Paused));
    let paused = summary(&scene.store, batch).await;
    assert_eq!((paused.phase(), paused.counts.waiting, paused.counts.running), (BatchPhase::Paused, 5, 1));
    assert_eq!(scene.store.advance_batch(batch, "vm:1").await.unwrap(), BatchStep::Halted(Some(BatchState::Paused)));
    // One has its wait for the next attempt again, and one its automatic job; the others were never requested.
    if claimed.document_id != waits {
        let row = scene.row(waits).await;
        assert_eq!((row.status, row.next_attempt_at), (Status::Waiting, Some(next_at)));
    }
    let left = scene.number("SELECT count(*) FROM jobs").await;
    let given_back = [waits, others[0]].iter().filter(|id| **id != claimed.document_id).count() as i64;
    assert_eq!(left, given_back + 1, "and the one that runs");
    assert_lanes(&scene).await;
    scene.finish(&claimed, fetched("T", "x", ContentChange::First)).await;
    let automatic = scene.claim(9).await;
    assert!(automatic.iter().all(|job| job.class == QueueClass::Auto), "only what others asked for: {automatic:?}");
    for job in &automatic {
        scene.finish(job, fetched("T", "x", ContentChange::First)).await;
    }
    assert_eq!(order(&scene.store, batch, BatchOrder::Resume).await, BatchOrdered::Now(BatchState::Acting));
    carry_out(&scene.store, batch, "vm:2").await;
    let claimed = scene.claim(9).await;
    assert_eq!(claimed.len(), 5);
    for job in &claimed {
        scene.finish(job, fetched("T", "y", ContentChange::Changed)).await;
    }
    let ended = summary(&scene.store, batch).await;
    assert_eq!((ended.state, ended.counts.done), (BatchState::Done, 6));
    assert_lanes(&scene).await;
}

async fn a_stop_cancels_what_has_begun_and_leaves_the_rest(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 700).await;
    let batch = begin(&scene.store, BatchAct::Sync, &ids).await;
    for _ in 0..2 {
        scene.store.advance_batch(batch, "vm:1").await.unwrap();
    }
    let claimed = scene.claim(3).await;
    scene.finish(&claimed[0], fetched("T", "x", ContentChange::First)).await;
    scene.finish(&claimed[1], timeout()).await;
    assert_eq!(order(&scene.store, batch, BatchOrder::Stop).await, BatchOrdered::Now(BatchState::Stopped));
    let stopping = summary(&scene.store, batch).await;
    let counts = BatchCounts { waiting: 697, running: 1, done: 1, cancelled: 1, ..BatchCounts::default() };
    assert_eq!((stopping.phase(), stopping.counts, stopping.ended_at), (BatchPhase::Stopping, counts, None));
    let leases: Vec<_> = claimed.iter().map(|job| job.lease).collect();
    assert_eq!(scene.store.cancel_requested(&leases).await.unwrap(), [claimed[2].lease], "the worker is told");
    scene.finish(&claimed[2], quarterdeck::domain::job::AttemptEnd::Stopped).await;
    let ended = summary(&scene.store, batch).await;
    let counts = BatchCounts { running: 0, cancelled: 2, ..counts };
    assert_eq!((ended.phase(), ended.counts), (BatchPhase::Ended(BatchState::Stopped), counts));
    assert!(ended.ended_at.is_some());
    assert_eq!(scene.number("SELECT count(*) FROM lanes").await, 0);
    use OutcomeResult::{Cancelled, TransientFailure, Unchanged};
    assert_eq!(scene.results().await, [Unchanged, TransientFailure, Cancelled, Cancelled], "none for what never began");
    assert_eq!(scene.store.queue().await.unwrap().ready, 0);
    assert_eq!(matching(&scene, &format!("batch:{batch}")).await.len(), 3, "on which it has acted");
}

async fn another_process_goes_on_where_one_died(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 600).await;
    let batch = begin(&scene.store, BatchAct::Remove, &ids).await;
    let BatchStep::Acted { removed, .. } = scene.store.advance_batch(batch, "vm:1").await.unwrap() else {
        panic!("nothing was removed")
    };
    assert_eq!(removed, 250);
    let other = scene.another().await;
    assert_eq!(order(&other, batch, BatchOrder::Resume).await, BatchOrdered::Refused(BatchState::Acting), "it is held");
    let halted = other.advance_batch(batch, "vm:2").await.unwrap();
    assert_eq!(halted, BatchStep::Halted(Some(BatchState::Acting)));
    scene.clock.advance(Duration::from_secs(31));
    let left = other.batch(batch).await.unwrap().unwrap();
    assert_eq!((left.phase(), left.counts.waiting, left.counts.done), (BatchPhase::Left, 350, 250));
    assert_eq!(order(&other, batch, BatchOrder::Resume).await, BatchOrdered::Now(BatchState::Acting));
    let late = scene.store.advance_batch(batch, "vm:1").await.unwrap();
    assert_eq!(late, BatchStep::Halted(Some(BatchState::Acting)), "the first one has lost it");
    carry_out(&other, batch, "vm:2").await;
    let ended = summary(&other, batch).await;
    assert_eq!((ended.state, ended.counts.done), (BatchState::Done, 600));
    assert_eq!(scene.number("SELECT count(*) FROM captain_documents").await, 0);
    assert_eq!(scene.results().await.len(), 600, "each was removed once");
}

async fn a_stop_whose_process_died_at_it_is_given_again(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 3).await;
    let batch = begin(&scene.store, BatchAct::Sync, &ids).await;
    carry_out(&scene.store, batch, "vm:1").await;
    scene.sql("UPDATE batches SET state = 'stopped', holder = NULL").await;
    assert_eq!(counts(&scene.store, batch).await.queued, 3, "nothing of it was done");
    let other = scene.another().await;
    assert_eq!(order(&other, batch, BatchOrder::Stop).await, BatchOrdered::Now(BatchState::Stopped));
    assert_eq!(scene.number("SELECT count(*) FROM jobs").await, 0);
    assert_eq!(summary(&other, batch).await.phase(), BatchPhase::Ended(BatchState::Stopped));
    assert_eq!(
        order(&other, batch, BatchOrder::Stop).await,
        BatchOrdered::Refused(BatchState::Stopped),
        "it has ended"
    );
}

async fn a_batch_that_died_while_it_gathered_only_stops(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 2).await;
    let batch = begin(&scene.store, BatchAct::Sync, &ids).await;
    scene.sql("UPDATE batches SET state = 'gathering', held_until = 1").await;
    assert_eq!(order(&scene.store, batch, BatchOrder::Resume).await, BatchOrdered::Refused(BatchState::Gathering));
    assert_eq!(order(&scene.store, batch, BatchOrder::Stop).await, BatchOrdered::Now(BatchState::Undone));
    assert_eq!(scene.number("SELECT count(*) FROM jobs").await, 0);
}

async fn a_later_batch_takes_jobs_over(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 4).await;
    let first = begin(&scene.store, BatchAct::Sync, &ids).await;
    carry_out(&scene.store, first, "vm:1").await;
    let running = scene.claim(1).await.remove(0);
    let second = begin(&scene.store, BatchAct::Sync, &ids).await;
    let (answers, _) = carry_out(&scene.store, second, "vm:1").await;
    let skipped = answers.iter().filter(|answer| **answer == RequestAnswer::Skipped(SkipReason::Running)).count();
    assert_eq!(skipped, 1, "{answers:?}");
    let expected = BatchCounts { running: 1, moved: 3, ..BatchCounts::default() };
    assert_eq!(counts(&scene.store, first).await, expected);
    let expected = BatchCounts { queued: 3, skipped: 1, ..BatchCounts::default() };
    assert_eq!(counts(&scene.store, second).await, expected);
    scene.finish(&running, permanent()).await;
    assert_eq!(summary(&scene.store, first).await.state, BatchState::Done);
    // A stop of the second leaves the jobs to whoever asked before.
    order(&scene.store, second, BatchOrder::Stop).await;
    assert_eq!(scene.claim(9).await.len(), 3);
    assert_lanes(&scene).await;
}

async fn a_cancel_ends_the_jobs_of_its_members(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 3).await;
    scene.ask(&ids[..2], QueueClass::Manual).await;
    let batch = begin(&scene.store, BatchAct::Cancel, &ids).await;
    let (answers, _) = carry_out(&scene.store, batch, "vm:1").await;
    let cancelled = answers.iter().filter(|answer| matches!(answer, RequestAnswer::Cancelled(_))).count();
    assert_eq!(cancelled, 2, "{answers:?}");
    let ended = summary(&scene.store, batch).await;
    assert_eq!((ended.state, ended.counts.done, ended.counts.skipped), (BatchState::Done, 2, 1));
}

async fn old_batches_are_removed_with_their_members(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ids = add(&scene, 1_200).await;
    let old = begin(&scene.store, BatchAct::Cancel, &ids).await;
    carry_out(&scene.store, old, "vm:1").await;
    let open = begin(&scene.store, BatchAct::Sync, &ids).await;
    carry_out(&scene.store, open, "vm:1").await;
    let keep = Retention { outcomes: None, max_outcomes: None, jobs: Some(30 * DAY), ..Retention::default() };
    remove_all(&*scene.store, &keep).await;
    assert_eq!(scene.store.batches(9).await.unwrap().len(), 2);
    scene.clock.advance(31 * DAY);
    remove_all(&*scene.store, &keep).await;
    let kept = scene.store.batches(9).await.unwrap();
    assert_eq!(kept.iter().map(|batch| batch.id).collect::<Vec<_>>(), [open], "it has not ended");
    assert_eq!(scene.number("SELECT count(*) FROM batch_members").await, 1_200);
    // Whatever their age, ended ones have a limited number of members.
    order(&scene.store, open, BatchOrder::Stop).await;
    scene.sql("UPDATE batches SET total = 600000").await;
    let last = begin(&scene.store, BatchAct::Cancel, &ids).await;
    carry_out(&scene.store, last, "vm:1").await;
    scene.store.finish_batches().await.unwrap();
    scene.sql(&format!("UPDATE batches SET total = 600000 WHERE id = {last}")).await;
    let middle = begin(&scene.store, BatchAct::Cancel, &ids).await;
    carry_out(&scene.store, middle, "vm:1").await;
    scene.clock.advance(DAY);
    let keep = Retention { jobs: None, ..keep };
    remove_all(&*scene.store, &keep).await;
    let kept = scene.store.batches(9).await.unwrap();
    assert_eq!(kept.iter().map(|batch| batch.id).collect::<Vec<_>>(), [middle, last]);
}

on_both! {
    ()
    a_batch_acts_after_its_grace_and_counts_what_became_of_its_members,
    the_end_is_noted_with_the_counts,
    an_undo_leaves_everything_as_it_was,
    a_pause_gives_back_what_has_not_begun,
    a_stop_cancels_what_has_begun_and_leaves_the_rest,
    another_process_goes_on_where_one_died,
    a_batch_that_died_while_it_gathered_only_stops,
    a_stop_whose_process_died_at_it_is_given_again,
    a_later_batch_takes_jobs_over,
    a_cancel_ends_the_jobs_of_its_members,
    old_batches_are_removed_with_their_members,
}
