//! Tests adding, requesting, cancelling, removing and previewing.

use super::support::{Backend, Scene, fetched, new, permanent, request, timeout, worker};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::{Request, RequestAnswer, RequestKind, RequestScope, SkipReason};
use quarterdeck::store::{AddResult, BulkVerb, DocumentRef, DocumentStore, JobStore, Queries, StoreBase, Targets};
use std::time::Duration;

async fn adding_the_same_again_leaves_it_alone(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    let added = scene.store.add(&[new(1, "https://a.test/x"), new(1, "https://a.test/y")]).await.unwrap();
    assert_eq!(added, [AddResult::Exists(id), AddResult::New(DocumentId(2))]);
    let both = scene.store.add(&[new(1, "https://a.test/z"), new(1, "https://a.test/z")]).await.unwrap();
    assert_eq!(both, [AddResult::New(DocumentId(3)), AddResult::Exists(DocumentId(3))]);
}

async fn requesting_never_writes_the_row(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    let row = "SELECT count(*) FROM captain_documents WHERE sync_status IS NULL AND last_sync_attempted_at IS NULL \
         AND updated_at = created_at AND metadata = '{}'";
    scene.clock.advance(Duration::from_secs(5));
    scene.ask(&[id], QueueClass::Auto).await;
    scene.ask(&[id], QueueClass::Manual).await;
    assert_eq!(scene.number(row).await, 1);
    scene.store.cancel(&[id], &"bob".into()).await.unwrap();
    assert_eq!(scene.number(row).await, 1);
}

async fn each_meeting_of_a_request_and_a_job(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    let [RequestAnswer::Queued(job)] = scene.ask(&[id], QueueClass::Auto).await[..] else { panic!("not queued") };
    assert_eq!(scene.ask(&[id], QueueClass::Auto).await, [RequestAnswer::AlreadyQueued(job)]);
    assert_eq!(scene.row(id).await.queue, Some(QueueClass::Auto));
    assert_eq!(scene.ask(&[id], QueueClass::Manual).await, [RequestAnswer::Promoted(job)]);
    assert_eq!(scene.ask(&[id], QueueClass::Manual).await, [RequestAnswer::AlreadyQueued(job)]);
    assert_eq!(scene.row(id).await.queue, Some(QueueClass::Manual));
    let claimed = scene.claim(1).await.remove(0);
    let held_by = Some("w1".into());
    for _ in 0..3 {
        assert_eq!(scene.ask(&[id], QueueClass::Manual).await, [RequestAnswer::AlreadySyncing(job, held_by.clone())]);
    }
    let bulk = Request { scope: RequestScope::Bulk, ..request(QueueClass::Manual) };
    let answers = scene.store.request(&[id], &bulk).await.unwrap();
    assert_eq!(answers[0].answer, RequestAnswer::Skipped(SkipReason::Running));
    let lines = scene.outcomes().await;
    assert_eq!(lines.len(), 1, "at most one already_syncing per attempt");
    assert_eq!((lines[0].result, lines[0].attempt), (OutcomeResult::AlreadySyncing, 1));
    assert_eq!((lines[0].requested_by.as_deref(), lines[0].worker.as_deref()), (Some("ana"), Some("w1")));
    scene.finish(&claimed, timeout()).await;
    assert_eq!(scene.ask(&[id], QueueClass::Auto).await, [RequestAnswer::AlreadyQueued(job)]);
    assert_eq!(scene.row(id).await.status, Status::Waiting, "an auto request changes nothing");
    assert_eq!(scene.ask(&[id], QueueClass::Manual).await, [RequestAnswer::RunsNow(job)]);
    let again = scene.claim(1).await.remove(0);
    assert_eq!((again.lease.job_id, again.counters.attempt, again.counters.transient), (job, 2, 1), "counters stay");
    scene.ask(&[id], QueueClass::Manual).await;
    assert_eq!(scene.results().await.iter().filter(|result| **result == OutcomeResult::AlreadySyncing).count(), 2);
}

async fn what_cannot_be_synced_says_why(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.sql("UPDATE captain_documents SET external_link = 'PDF: handbook' WHERE id = 1").await;
    scene.sql("UPDATE captain_documents SET status = 0 WHERE id = 2").await;
    ids.push(DocumentId(99));
    let retry = Request { kind: RequestKind::Retry, ..request(QueueClass::Manual) };
    let answers = scene.store.request(&ids, &retry).await.unwrap();
    let reasons: Vec<_> = answers.into_iter().map(|answered| answered.answer).collect();
    use SkipReason::{Missing, NotFailed, Pdf, Unavailable};
    let expected = [Pdf, Unavailable, NotFailed(Status::Never), NotFailed(Status::Never), Missing];
    assert_eq!(reasons, expected.map(RequestAnswer::Skipped));
    let preview = scene.store.preview(&Targets::Ids(ids), BulkVerb::Request(RequestKind::Sync)).await.unwrap();
    assert_eq!((preview.targets, preview.hosts), (vec![DocumentId(3), DocumentId(4)], 1));
    assert_eq!(preview.skipped.iter().map(|(_, count)| count).sum::<u64>(), 3);
}

async fn a_preview_is_what_the_request_then_does(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (failed, job) = scene.running("https://a.test/failed").await;
    scene.finish(&job, permanent()).await;
    let (waiting, job) = scene.running("https://b.test/waiting").await;
    scene.finish(&job, timeout()).await;
    let (running, _) = scene.running("https://c.test/running").await;
    let never = scene.add(1, "https://d.test/never").await;
    let all = Targets::Matching(Filter::default());
    for (verb, targets) in [
        (BulkVerb::Request(RequestKind::Sync), vec![failed, waiting, never]),
        (BulkVerb::Request(RequestKind::Retry), vec![failed, waiting]),
        (BulkVerb::Cancel, vec![waiting, running]),
        (BulkVerb::Remove, vec![failed, waiting, running, never]),
    ] {
        let preview = scene.store.preview(&all, verb).await.unwrap();
        assert_eq!(preview.targets, targets, "{verb:?}");
        assert_eq!(preview.hosts as usize, targets.len());
        let skipped: u64 = preview.skipped.iter().map(|(_, count)| count).sum();
        assert_eq!(skipped as usize + targets.len(), 4);
    }
}

async fn cancel_ends_what_waits_and_tells_what_runs(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (waiting, job) = scene.running("https://a.test/w").await;
    scene.finish(&job, timeout()).await;
    let (running, job) = scene.running("https://a.test/r").await;
    let ready = scene.add(1, "https://a.test/q").await;
    scene.ask(&[ready], QueueClass::Manual).await;
    let answers = scene.store.cancel(&[ready, waiting, running, running, DocumentId(50)], &"bob".into()).await.unwrap();
    let answers: Vec<_> = answers.into_iter().map(|answered| answered.answer).collect();
    assert!(matches!(answers[0], RequestAnswer::Cancelled(_)) && matches!(answers[1], RequestAnswer::Cancelled(_)));
    assert_eq!(answers[2..4], [RequestAnswer::Stopping(job.lease.job_id), RequestAnswer::Stopping(job.lease.job_id)]);
    assert_eq!(answers[4], RequestAnswer::Skipped(SkipReason::Missing));
    assert_eq!(scene.row(ready).await.status, Status::Never);
    let row = scene.row(waiting).await;
    assert_eq!((row.status, row.next_attempt_at), (Status::Failed, None), "no syncing row of ours is left");
    let again = scene.store.cancel(&[ready], &"bob".into()).await.unwrap();
    assert_eq!(again[0].answer, RequestAnswer::Skipped(SkipReason::NothingToCancel));
    let lines = scene.outcomes().await;
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[1].detail.as_deref(), Some("cancelled by bob"));
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0);
}

async fn removing_takes_all_but_outcomes(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (synced, job) = scene.running("https://a.test/s").await;
    scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    let (running, job) = scene.running("https://a.test/r").await;
    let ready = scene.add(1, "https://a.test/q").await;
    scene.ask(&[ready], QueueClass::Manual).await;
    let removed = scene.store.remove(&[synced, running, ready, DocumentId(77)], &"ana".into()).await.unwrap();
    assert_eq!(removed, 3);
    for table in ["captain_documents", "document_state", "document_versions", "jobs", "lanes"] {
        assert_eq!(scene.number(&format!("SELECT count(*) FROM {table}")).await, 0, "{table}");
    }
    use OutcomeResult::{Cancelled, Removed, Unchanged};
    assert_eq!(scene.results().await, [Unchanged, Removed, Cancelled, Removed, Cancelled, Removed]);
    let gone: Vec<_> = scene.outcomes().await.into_iter().filter(|line| line.result == Removed).collect();
    assert_eq!(gone.iter().map(|line| line.document_id).collect::<Vec<_>>(), [synced, running, ready]);
    assert_eq!((gone[0].content, gone[1].content), (Some(ContentChange::Gone), None), "only the first one had a text");
    assert_eq!((gone[0].requested_by.as_deref(), gone[0].detail.as_deref()), (Some("ana"), Some("removed by ana")));
    assert!(gone.iter().all(|line| line.job_id.0 > 0 && line.attempt == 0), "{gone:?}");
    let late = scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    assert_eq!(late, quarterdeck::store::FinishResult::LeaseLost);
    assert!(scene.store.find(&DocumentRef::Id(running)).await.unwrap().is_empty());
    let new = scene.add(1, "https://a.test/r").await;
    assert!(new > ready, "ids are not given twice");
}

async fn a_preview_estimates_from_what_the_last_jobs_took(backend: Backend) {
    let scene = Scene::new(backend).await;
    let never = scene.add(1, "https://a.test/never").await;
    let (id, mut job) = scene.running("https://a.test/slow").await;
    let targets = Targets::Ids(vec![id, never]);
    let preview = async || scene.store.preview(&targets, BulkVerb::Request(RequestKind::Sync)).await.unwrap().estimate;
    let unknown = preview().await;
    assert_eq!((unknown.duration(2), unknown.documents.get("a.test")), (None, Some(&1)), "one runs and is skipped");
    for attempt in 1..=4 {
        scene.finish(&job, timeout()).await;
        scene.clock.advance(Duration::from_secs(600));
        if attempt < 4 {
            job = scene.claim(1).await.remove(0);
        }
    }
    scene.store.register(&worker("w1")).await.unwrap();
    let known = preview().await;
    assert_eq!((known.slots, known.documents.get("a.test")), (8, Some(&2)));
    // Four attempts of 120 ms, with waits of 30 s, 2 min and 5 min.
    let time = known.duration(2).unwrap();
    assert_eq!(time, Duration::from_millis(480) + Duration::from_secs(450), "{known:?}");
}

async fn large_sets_are_asked_in_parts_and_answered_in_order(backend: Backend) {
    let scene = Scene::new(backend).await;
    let documents: Vec<_> = (0..1_203).map(|n| new(1, &format!("https://h{}.test/{n}", n % 40))).collect();
    let added = scene.store.add(&documents).await.unwrap();
    let mut ids: Vec<_> = added
        .iter()
        .map(|added| match added {
            AddResult::New(id) | AddResult::Exists(id) => *id,
        })
        .collect();
    ids.reverse();
    let answers = scene.store.request(&ids, &request(QueueClass::Manual)).await.unwrap();
    assert_eq!(answers.iter().map(|answered| answered.document_id).collect::<Vec<_>>(), ids);
    assert!(answers.iter().all(|answered| matches!(answered.answer, RequestAnswer::Queued(_))));
    assert_eq!(scene.store.queue().await.unwrap().ready, 1_203);
    let preview = scene.store.preview(&Targets::Ids(ids.clone()), BulkVerb::Cancel).await.unwrap();
    assert_eq!((preview.targets.len(), preview.hosts), (1_203, 40));
    scene.store.cancel(&ids, &"bob".into()).await.unwrap();
    assert_eq!(scene.number("SELECT count(*) FROM lanes").await, 0);
    let seqs: Vec<_> = scene.outcomes().await.iter().map(|line| line.seq.0).collect();
    assert_eq!(seqs, (1..=1_203).collect::<Vec<_>>());
}

on_both! {
    ()
    adding_the_same_again_leaves_it_alone,
    requesting_never_writes_the_row,
    each_meeting_of_a_request_and_a_job,
    what_cannot_be_synced_says_why,
    a_preview_is_what_the_request_then_does,
    cancel_ends_what_waits_and_tells_what_runs,
    removing_takes_all_but_outcomes,
    a_preview_estimates_from_what_the_last_jobs_took,
    large_sets_are_asked_in_parts_and_answered_in_order,
}
