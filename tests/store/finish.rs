//! Tests finishes: the rows they write, the worker that may write them, and the ones that are refused.

use super::support::{Backend, Scene, fetched, permanent, timeout, unexpected};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{RecentResult, Status};
use quarterdeck::domain::failure::{ErrorCode, Failure, FailureClass};
use quarterdeck::domain::id::Token;
use quarterdeck::domain::job::{AttemptEnd, JobState, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{DocumentStore, Finish, FinishResult, JobLease, JobStore, Queries, StoreBase};
use std::collections::BTreeSet;
use std::time::Duration;

async fn a_first_content_is_written_whole(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, claimed) = scene.running("https://a.test/x").await;
    let set =
        scene.either("json_set(metadata, '$.openai_file_id', 'f-1')", r#"metadata || '{"openai_file_id": "f-1"}'"#);
    scene.sql(&format!("UPDATE captain_documents SET metadata = {set}")).await;
    assert_eq!(scene.row(id).await.status, Status::Syncing);
    scene.clock.advance(Duration::from_secs(2));
    let finished = scene.finish(&claimed, fetched("A title", "Some text", ContentChange::First)).await;
    let FinishResult::Written { state: JobState::Done, outcomes, report: None } = finished else {
        panic!("{finished:?}")
    };
    assert_eq!(outcomes.len(), 1);
    assert_eq!((outcomes[0].seq.0, outcomes[0].result, outcomes[0].attempt), (1, OutcomeResult::Unchanged, 1));
    assert_eq!(outcomes[0].name.as_str(), "A title", "the log names it as the list does from now on");
    assert_eq!(outcomes, scene.outcomes().await);
    assert!(outcomes[0].stages.is_some());
    let row = scene.row(id).await;
    assert_eq!((row.status, row.name.as_str(), row.content_length), (Status::Synced, "A title", Some(9)));
    assert_eq!((row.synced_at, row.attempted_at), (Some(scene.store.now()), Some(scene.store.now())));
    assert_eq!((row.updated_at, row.recent), (scene.store.now(), vec![RecentResult::Updated]));
    let content = scene.store.content(id).await.unwrap().unwrap();
    assert_eq!((content.text.as_str(), content.version), ("Some text", 1));
    let kept = scene.either(
        "SELECT count(*) FROM captain_documents WHERE metadata ->> '$.openai_file_id' = 'f-1' \
         AND json_type(metadata, '$.sync_step') = 'null' AND json_type(metadata, '$.last_sync_error_code') = 'null'",
        "SELECT count(*) FROM captain_documents WHERE metadata ->> 'openai_file_id' = 'f-1' \
         AND metadata @> '{\"sync_step\": null, \"last_sync_error_code\": null}'",
    );
    assert_eq!(scene.number(kept).await, 1, "other keys stay, ours are null and there");
}

async fn the_same_content_changes_times_alone(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, first) = scene.running("https://a.test/x").await;
    scene.finish(&first, fetched("A", "text", ContentChange::First)).await;
    let before = scene.row(id).await;
    scene.clock.advance(Duration::from_secs(60));
    scene.ask(&[id], QueueClass::Manual).await;
    let second = scene.claim(1).await.remove(0);
    assert_eq!(second.stored.fingerprint.as_ref().map(|print| print.as_str().to_owned()), before.fingerprint);
    scene.finish(&second, fetched("Another title", "text", ContentChange::Same)).await;
    let after = scene.row(id).await;
    assert_eq!((after.name, after.updated_at), (before.name, before.updated_at));
    assert_eq!(after.synced_at, Some(scene.store.now()));
    assert_eq!(scene.store.content(id).await.unwrap().unwrap().version, 1);
}

async fn five_earlier_contents_are_kept(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, first) = scene.running("https://a.test/x").await;
    scene.finish(&first, fetched("A", "text 0", ContentChange::First)).await;
    for n in 1..=7 {
        scene.clock.advance(Duration::from_secs(1));
        scene.ask(&[id], QueueClass::Manual).await;
        let claimed = scene.claim(1).await.remove(0);
        scene.finish(&claimed, fetched("A", &format!("text {n}"), ContentChange::Changed)).await;
    }
    let versions = scene.store.versions(id).await.unwrap();
    assert_eq!(versions.iter().map(|kept| kept.version).collect::<Vec<_>>(), [7, 6, 5, 4, 3]);
    assert!(versions.iter().all(|kept| kept.fingerprint.is_some() && kept.content_length == 6));
    assert_eq!(scene.row(id).await.versions, 5);
    assert_eq!(scene.store.content(id).await.unwrap().unwrap().version, 8);
}

async fn a_late_finish_writes_nothing(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, claimed) = scene.running("https://a.test/x").await;
    let old = JobLease { token: Token(claimed.lease.token.0 - 1), ..claimed.lease };
    let finish =
        Finish { lease: old, end: fetched("A", "late", ContentChange::First), duration: Duration::ZERO, stages: None };
    let late = scene.store.finish(finish, &Default::default()).await.unwrap();
    assert_eq!(late, FinishResult::LeaseLost);
    assert!(scene.outcomes().await.is_empty());
    assert_eq!(scene.store.content(id).await.unwrap(), None);
    assert_eq!(scene.row(id).await.status, Status::Syncing);
}

/// The fence does not refuse such a finish: no attempt has ended since the claim.
async fn a_finish_whose_lease_was_given_back_writes_nothing(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, first) = scene.running("https://a.test/x").await;
    scene.store.release(&[first.lease]).await.unwrap();
    let second = scene.claim(1).await.remove(0);
    let late = scene.finish(&first, fetched("A", "late", ContentChange::First)).await;
    assert_eq!(late, FinishResult::LeaseLost);
    assert_eq!((scene.outcomes().await.len(), scene.row(id).await.status), (0, Status::Syncing));
    scene.finish(&second, fetched("A", "in time", ContentChange::First)).await;
    assert_eq!(scene.store.content(id).await.unwrap().unwrap().text, "in time");
    assert_eq!(scene.outcomes().await.len(), 1);
}

async fn a_finish_that_was_committed_is_answered_the_same_again(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (_, claimed) = scene.running("https://a.test/x").await;
    let first = scene.finish(&claimed, permanent()).await;
    let again = scene.finish(&claimed, permanent()).await;
    assert_eq!(first, again, "an answer that was lost on the way is not a loss");
    assert_eq!(scene.outcomes().await.len(), 1);
}

async fn transient_failures_wait_and_end_exhausted(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, mut claimed) = scene.running("https://a.test/x").await;
    for (number, wait) in [(1, 30), (2, 120), (3, 300)] {
        scene.finish(&claimed, timeout()).await;
        let row = scene.row(id).await;
        assert_eq!((row.status, row.error_code), (Status::Waiting, Some(ErrorCode::Timeout)));
        assert_eq!(row.next_attempt_at, Some(scene.store.now().plus(Duration::from_secs(wait))));
        let try_of = row.failure_count.unwrap();
        assert_eq!((try_of.class, try_of.failures, try_of.attempts_allowed), (FailureClass::Transient, number, 4));
        assert_eq!(scene.number("SELECT sync_status FROM captain_documents").await, 0, "stays syncing in the row");
        assert!(scene.claim(1).await.is_empty());
        scene.clock.advance(Duration::from_secs(wait));
        claimed = scene.claim(1).await.remove(0);
    }
    let FinishResult::Written { state: JobState::Failed, outcomes, .. } = scene.finish(&claimed, timeout()).await
    else {
        panic!("not ended");
    };
    assert_eq!(outcomes.iter().map(|line| line.attempt).collect::<Vec<_>>(), [4, 4]);
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempt, row.next_attempt_at), (Status::Failed, Some(4), None));
    assert_eq!(row.detail.as_deref(), Some("no answer within 20 s"));
    use RecentResult::{Failed, Retrying};
    assert_eq!(row.recent, [Retrying, Retrying, Retrying, Failed], "an exhaustion turns its failure's glyph");
    scene.ask(&[id], QueueClass::Manual).await;
    let claimed = scene.claim(1).await.remove(0);
    assert_eq!(scene.row(id).await.error_code, Some(ErrorCode::Timeout), "kept while it runs");
    scene.finish(&claimed, fetched("A", "x", ContentChange::First)).await;
    let row = scene.row(id).await;
    assert_eq!((row.error_code, row.detail), (None, None), "gone with a success");
}

async fn unexpected_failures_are_failed_in_the_row_and_report_once(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, mut claimed) = scene.running("https://a.test/x").await;
    for _ in 0..2 {
        let FinishResult::Written { report: None, .. } = scene.finish(&claimed, unexpected()).await else { panic!() };
        assert_eq!(scene.row(id).await.status, Status::Waiting);
        assert_eq!(scene.number("SELECT sync_status FROM captain_documents").await, 2);
        scene.clock.advance(Duration::from_secs(5));
        claimed = scene.claim(1).await.remove(0);
    }
    let FinishResult::Written { report: Some(report), .. } = scene.finish(&claimed, unexpected()).await else {
        panic!()
    };
    assert_eq!(report.exception_class, "panic");
    let FinishResult::Written { report: Some(again), .. } = scene.finish(&claimed, unexpected()).await else {
        panic!()
    };
    assert_eq!(again, report);
}

async fn sixty_four_finishes_at_once_are_all_written_in_dense_order(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut ids = Vec::new();
    for n in 0..64 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    let claimed = scene.claim(64).await;
    assert_eq!(claimed.len(), 64);
    let finishes = claimed.iter().map(|job| scene.finish(job, fetched("T", "text", ContentChange::First)));
    let finished = futures_util::future::join_all(finishes).await;
    for (job, finished) in claimed.iter().zip(finished) {
        let FinishResult::Written { outcomes, .. } = finished else { panic!("{finished:?}") };
        assert_eq!((outcomes.len(), outcomes[0].document_id), (1, job.document_id), "each has its own answer");
    }
    let seqs: Vec<_> = scene.outcomes().await.iter().map(|line| line.seq.0).collect();
    assert_eq!(seqs, (1..=64).collect::<Vec<_>>());
    assert_eq!(scene.outcomes().await.iter().map(|line| line.document_id).collect::<BTreeSet<_>>().len(), 64);
}

async fn refused_data_ends_that_attempt_alone(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene
        .sql(scene.either(
            "CREATE TRIGGER picky BEFORE UPDATE OF content ON captain_documents WHEN new.content = 'bad' \
             BEGIN SELECT raise(ABORT, 'bad text'); END",
            "CREATE FUNCTION picky() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN RAISE EXCEPTION 'bad text'; END $$; \
             CREATE TRIGGER picky BEFORE UPDATE OF content ON captain_documents FOR EACH ROW \
             WHEN (new.content = 'bad') EXECUTE FUNCTION picky()",
        ))
        .await;
    let mut ids = Vec::new();
    for n in 0..8 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    let claimed = scene.claim(8).await;
    let finishes = claimed.iter().map(|job| {
        let text = if job.document_id == ids[3] { "bad" } else { "good" };
        scene.finish(job, fetched("T", text, ContentChange::First))
    });
    for (job, finished) in claimed.iter().zip(futures_util::future::join_all(finishes).await) {
        let FinishResult::Written { state, outcomes, .. } = finished else { panic!("{finished:?}") };
        if job.document_id == ids[3] {
            assert_eq!((state, outcomes[0].result), (JobState::Scheduled, OutcomeResult::UnexpectedFailure));
            assert!(outcomes[0].detail.as_ref().unwrap().contains("bad text"), "{:?}", outcomes[0].detail);
        } else {
            assert_eq!((state, outcomes[0].result), (JobState::Done, OutcomeResult::Unchanged));
        }
    }
}

async fn a_document_that_is_gone_or_unfit_ends_cancelled(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (_, gone) = scene.running("https://a.test/gone").await;
    let (id, unfit) = scene.running("https://a.test/unfit").await;
    scene.sql("DELETE FROM captain_documents WHERE external_link = 'https://a.test/gone'").await;
    scene.sql("UPDATE captain_documents SET status = 0").await;
    for claimed in [gone, unfit] {
        let finished = scene.finish(&claimed, fetched("T", "x", ContentChange::First)).await;
        let FinishResult::Written { state: JobState::Cancelled, outcomes, report: None } = finished else {
            panic!("{finished:?}")
        };
        assert_eq!(outcomes[0].result, OutcomeResult::Cancelled);
        assert!(outcomes[0].url.starts_with("https://a.test/"));
    }
    scene.sql("UPDATE captain_documents SET status = 1").await;
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempted_at), (Status::Never, None), "what stood there before");
}

async fn a_cancelled_attempt_that_fails_schedules_nothing_and_one_that_succeeds_wins(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (failing, job) = scene.running("https://a.test/f").await;
    scene.store.cancel(&[failing], &"bob".into()).await.unwrap();
    assert_eq!(scene.store.cancel_requested(&[job.lease]).await.unwrap(), [job.lease]);
    assert!(scene.row(failing).await.cancel_requested);
    scene.finish(&job, timeout()).await;
    assert_eq!(scene.results().await, [OutcomeResult::TransientFailure, OutcomeResult::Cancelled]);
    assert_eq!(scene.row(failing).await.status, Status::Failed);
    let (good, job) = scene.running("https://a.test/g").await;
    scene.store.cancel(&[good], &"bob".into()).await.unwrap();
    scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    assert_eq!(scene.row(good).await.status, Status::Synced);
    let (stopped, job) = scene.running("https://a.test/s").await;
    scene.store.cancel(&[stopped], &"bob".into()).await.unwrap();
    scene.finish(&job, AttemptEnd::Stopped).await;
    let row = scene.row(stopped).await;
    assert_eq!((row.status, row.attempted_at), (Status::Never, None));
    assert_eq!(scene.outcomes().await.last().unwrap().detail.as_deref(), Some("cancelled by bob"));
}

async fn metadata_of_any_kind_is_taken_as_it_is(backend: Backend) {
    for metadata in ["NULL", "'not json'", "'[1, 2]'", "''", r#"'{"mine": {"deep": [1]}, "sync_step": "fetching"}'"#] {
        if backend == Backend::Postgres && metadata.len() < 12 && !metadata.contains('[') && metadata != "NULL" {
            // PostgreSQL stores only valid JSON.
            continue;
        }
        let scene = Scene::new(backend).await;
        let id = scene.add(1, "https://a.test/x").await;
        scene.sql(&format!("UPDATE captain_documents SET metadata = {metadata}")).await;
        assert_eq!(scene.row(id).await.status, Status::Never, "{metadata}");
        scene.ask(&[id], QueueClass::Manual).await;
        let claimed = scene.claim(1).await.remove(0);
        let finished = scene.finish(&claimed, fetched("T", "x", ContentChange::First)).await;
        assert!(matches!(finished, FinishResult::Written { state: JobState::Done, .. }), "{metadata}: {finished:?}");
        let row = scene.row(id).await;
        assert_eq!((row.sync_step, row.fingerprint.map(|print| print.len())), (None, Some(64)), "{metadata}");
        if metadata.contains("mine") {
            let kept = scene.either("metadata -> '$.mine' = '{\"deep\":[1]}'", "metadata -> 'mine' = '{\"deep\":[1]}'");
            let kept = format!("SELECT count(*) FROM captain_documents WHERE {kept}");
            assert_eq!(scene.number(&kept).await, 1);
        }
    }
}

async fn nul_is_never_stored(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, claimed) = scene.running("https://a.test/x").await;
    scene.finish(&claimed, AttemptEnd::Failed(Failure::unexpected("a\0b", "c\0d"))).await;
    scene.clock.advance(Duration::from_secs(5));
    let claimed = scene.claim(1).await.remove(0);
    let mut end = fetched("T\0itle", "text", ContentChange::First);
    if let AttemptEnd::Fetched { page, .. } = &mut end {
        page.content = "te\0xt".into();
    }
    scene.finish(&claimed, end).await;
    assert_eq!(scene.store.content(id).await.unwrap().unwrap().text, "text");
    assert_eq!(scene.outcomes().await[0].exception_class.as_deref(), Some("ab"));
    if backend == Backend::Postgres {
        // PostgreSQL cannot store one, so the text was written without it.
        return;
    }
    let nul = "SELECT count(*) FROM captain_documents, outcomes WHERE instr(captain_documents.name, char(0)) \
         OR instr(captain_documents.content, char(0)) OR instr(exception_class, char(0)) OR instr(detail, char(0))";
    assert_eq!(scene.number(nul).await, 0);
}

on_both! {
    ()
    a_first_content_is_written_whole,
    the_same_content_changes_times_alone,
    five_earlier_contents_are_kept,
    a_late_finish_writes_nothing,
    a_finish_whose_lease_was_given_back_writes_nothing,
    a_finish_that_was_committed_is_answered_the_same_again,
    transient_failures_wait_and_end_exhausted,
    unexpected_failures_are_failed_in_the_row_and_report_once,
    sixty_four_finishes_at_once_are_all_written_in_dense_order,
    refused_data_ends_that_attempt_alone,
    a_document_that_is_gone_or_unfit_ends_cancelled,
    a_cancelled_attempt_that_fails_schedules_nothing_and_one_that_succeeds_wins,
    metadata_of_any_kind_is_taken_as_it_is,
    nul_is_never_stored,
}
