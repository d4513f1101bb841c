//! Tests the effect of each request, cancel and failure on a document, on the real runner and a real store: one test
//! for each rule that needs no other database and no Redis. Each test notes where this program differs from Chatwoot.
//! (Status words and transitions alone are tested as tables in `domain` and in `transitions`, cases J and V in
//! `conformance`.)

use crate::support::deck::{Deck, START, fetcher, parts, settings};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass::{Auto, Manual, Retry};
use quarterdeck::domain::request::RequestKind::Sync;
use quarterdeck::domain::request::{RequestAnswer, RequestKind, RequestScope, SkipReason};
use quarterdeck::runner::{self, Mode};
use quarterdeck::store::{AddResult, BulkVerb, NewDocument, Targets};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Starts a deck whose pages wait for a permit each. While no runner slot is free, jobs stay ready.
async fn gated(on: Backend) -> (Deck, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    (Deck::start(on, site).await, gate)
}

/// Fills the host's two slots, so that the next requests stay ready.
async fn fill_host(deck: &Deck) -> [DocumentId; 2] {
    let filling = [deck.add("/fill-1").await, deck.add("/fill-2").await];
    for (place, document) in (1..).zip(filling) {
        deck.sync(document).await;
        deck.until_hit(&format!("/fill-{place}"), 1).await;
    }
    filling
}

async fn document_row(deck: &Deck, document: DocumentId) -> Option<String> {
    let row = deck.place.either(
        "json_array(sync_status, last_synced_at, last_sync_attempted_at, updated_at, \
         json_extract(metadata, '$.sync_step'), json_extract(metadata, '$.last_sync_error_code'))",
        "jsonb_build_array(sync_status, last_synced_at, last_sync_attempted_at, updated_at, \
         metadata -> 'sync_step', metadata -> 'last_sync_error_code')",
    );
    deck.text(&format!("select {row} from captain_documents where id = {document}")).await
}

async fn a_request_without_a_live_job_is_a_new_manual_job_and_writes_no_document(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    fill_host(&deck).await;
    let document = deck.add("/a").await;
    let before = document_row(&deck, document).await;
    assert!(matches!(deck.sync(document).await, RequestAnswer::Queued(_)));
    assert_eq!(document_row(&deck, document).await, before, "requesting never writes the row");
    let row = deck.row(document).await;
    assert_eq!((row.status, row.queue, row.attempt), (Status::Queued, Some(Manual), Some(0)));
    gate.add_permits(3);
    deck.until(3).await;
}

async fn a_request_on_a_ready_job_makes_it_manual_without_an_outcome(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    fill_host(&deck).await;
    let document = deck.add("/a").await;
    assert!(matches!(deck.ask(document, Sync, Auto, RequestScope::Bulk).await, RequestAnswer::Queued(_)));
    assert_eq!(deck.row(document).await.queue, Some(Auto));
    assert!(matches!(deck.sync(document).await, RequestAnswer::Promoted(_)));
    assert_eq!(deck.row(document).await.queue, Some(Manual));
    assert!(matches!(deck.sync(document).await, RequestAnswer::AlreadyQueued(_)));
    gate.add_permits(3);
    deck.until(3).await;
    assert_eq!(deck.site.hits("/a"), 1);
}

async fn a_request_on_a_waiting_job_runs_it_now_with_its_counters_and_against_retry_after(on: Backend) {
    let site = Site::start(|_, _| Reply::Status(503, vec![("retry-after", "900".into())])).await;
    let mut deck = Deck::start(on, site).await;
    let document = deck.add("/busy").await;
    deck.ask(document, Sync, Auto, RequestScope::Bulk).await;
    deck.until(1).await;
    let row = deck.row(document).await;
    assert_eq!((row.status, row.queue), (Status::Waiting, Some(Retry)), "later tries of an auto job are retries");
    assert_eq!(row.next_attempt_at, Some(START.plus(Duration::from_secs(900))), "Retry-After lengthens the wait");
    assert!(matches!(deck.sync(document).await, RequestAnswer::RunsNow(_)));
    deck.until(2).await;
    let row = deck.row(document).await;
    assert_eq!((row.queue, row.attempt), (Some(Manual), Some(2)), "manual now, and the second attempt");
    assert_eq!(row.failure_count.map(|tried| (tried.failures, tried.attempts_allowed)), Some((2, 4)));
}

async fn an_auto_request_on_a_live_job_changes_nothing(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let [running, _] = fill_host(&deck).await;
    let ready = deck.add("/a").await;
    deck.sync(ready).await;
    for document in [running, ready] {
        let before = deck.row(document).await;
        deck.ask(document, Sync, Auto, RequestScope::Bulk).await;
        assert_eq!(deck.row(document).await, before);
    }
    gate.add_permits(3);
    deck.until(3).await;
}

async fn retry_takes_failed_waiting_and_stuck_documents_alone(on: Backend) {
    let site = Site::start(|path, _| match path {
        "/gone" => Reply::Status(404, vec![]),
        "/down" => Reply::Status(503, vec![]),
        _ => html("T", "text"),
    });
    let mut deck = Deck::start(on, site.await).await;
    let (good, gone, down) = (deck.add("/good").await, deck.add("/gone").await, deck.add("/down").await);
    let (never, stuck) = (deck.add("/never").await, deck.add("/stuck").await);
    for document in [good, gone, down] {
        deck.sync(document).await;
    }
    deck.until(3).await;
    let long_ago = deck.place.at(5);
    deck.sql(&format!(
        "update captain_documents set sync_status = 0, last_sync_attempted_at = {long_ago} where id = {stuck}"
    ))
    .await;
    let skipped = |status| RequestAnswer::Skipped(SkipReason::NotFailed(status));
    let ask = async |document| deck.ask(document, RequestKind::Retry, Manual, RequestScope::Named).await;
    assert_eq!(ask(good).await, skipped(Status::Synced));
    assert_eq!(ask(never).await, skipped(Status::Never));
    assert!(matches!(ask(gone).await, RequestAnswer::Queued(_)));
    assert!(matches!(ask(down).await, RequestAnswer::RunsNow(_)));
    assert!(matches!(ask(stuck).await, RequestAnswer::Queued(_)));
    deck.until(6).await;
}

async fn a_cancel_of_a_ready_or_waiting_job_ends_it_and_puts_the_row_right(on: Backend) {
    let site = Site::start(|path, hit| match (path, hit) {
        ("/down", _) | ("/later-down", 2..) => Reply::Status(503, vec![]),
        _ => html("T", "text"),
    });
    let mut deck = Deck::start(on, site.await).await;
    let (down, later) = (deck.add("/down").await, deck.add("/later-down").await);
    deck.sync(down).await;
    deck.sync(later).await;
    deck.until(2).await;
    deck.sync(later).await;
    deck.until(3).await;
    for (place, document) in (4..).zip([down, later]) {
        assert!(matches!(deck.cancel(document).await, RequestAnswer::Cancelled(_)));
        assert_eq!(deck.until(place).await, ["cancelled"]);
        // An attempt of the job failed, so the row says failed with that code.
        let row = deck.row(document).await;
        assert_eq!((row.status, row.error_code), (Status::Failed, Some(ErrorCode::FetchFailed)));
        assert_eq!(deck.store_row(document).await, (Some(2), Some("fetch_failed".into())));
    }
    assert_eq!(deck.cancel(down).await, RequestAnswer::Skipped(SkipReason::NothingToCancel));
}

async fn a_cancel_of_an_untried_ready_job_leaves_the_row_alone(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    fill_host(&deck).await;
    let document = deck.add("/a").await;
    let before = document_row(&deck, document).await;
    deck.sync(document).await;
    deck.cancel(document).await;
    assert_eq!(deck.until(1).await, ["cancelled"]);
    assert_eq!(document_row(&deck, document).await, before);
    assert_eq!(deck.row(document).await.status, Status::Never);
    gate.add_permits(2);
    deck.until(3).await;
    assert_eq!(deck.site.hits("/a"), 0);
}

async fn a_cancel_of_a_running_job_tells_the_attempt_and_restores_the_row(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let document = deck.add("/a").await;
    gate.add_permits(1);
    deck.sync(document).await;
    deck.until(1).await;
    let before = document_row(&deck, document).await;
    deck.pass(Duration::from_secs(60));
    deck.sync(document).await;
    deck.until_hit("/a", 2).await;
    assert!(matches!(deck.cancel(document).await, RequestAnswer::Stopping(_)));
    assert_eq!(deck.until(2).await, ["cancelled"]);
    assert_eq!(deck.seen[1].detail.as_deref(), Some("cancelled by ana"));
    assert_eq!(document_row(&deck, document).await, before, "no `syncing` row of ours is left behind");
}

async fn the_row_of_a_running_attempt_is_syncing_without_step_and_code(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let document = deck.add("/a").await;
    let updated_at = deck.row(document).await.updated_at;
    deck.pass(Duration::from_secs(5));
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempted_at), (Status::Syncing, Some(START.plus(Duration::from_secs(5)))));
    assert_eq!((row.sync_step, row.updated_at), (None, updated_at), "`updated_at` is for content and name alone");
    assert_eq!(row.holder.as_deref(), Some("test:1"));
    assert_eq!(deck.store_row(document).await, (Some(0), None));
    gate.add_permits(1);
    deck.until(1).await;
}

async fn the_last_failure_is_kept_while_a_retry_runs_and_until_a_success(on: Backend) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, hit| match hit {
        1 => Reply::Status(404, vec![]),
        _ => Reply::When(Arc::clone(&held), Box::new(html("T", "text"))),
    });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    deck.ask(document, RequestKind::Retry, Manual, RequestScope::Named).await;
    deck.until_hit("/a", 2).await;
    let row = deck.row(document).await;
    assert_eq!((row.status, row.error_code, row.http_status), (Status::Syncing, Some(ErrorCode::NotFound), Some(404)));
    gate.add_permits(1);
    deck.until(2).await;
    let row = deck.row(document).await;
    assert_eq!((row.error_code, row.http_status, row.detail), (None, None, None));
}

async fn a_retry_whose_document_was_synced_elsewhere_ends_without_a_fetch(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| Reply::Status(503, vec![])).await).await;
    let document = deck.add("/a").await;
    deck.ask(document, Sync, Auto, RequestScope::Bulk).await;
    deck.until(1).await;
    let later = deck.place.at(START.plus(Duration::from_secs(10)).micros());
    deck.sql(&format!("update captain_documents set sync_status = 1, last_synced_at = {later}")).await;
    deck.wait_for_next();
    assert_eq!(deck.until(2).await, ["cancelled"]);
    assert!(deck.seen[1].detail.as_ref().is_some_and(|detail| detail.contains("synced elsewhere")));
    assert_eq!((deck.site.hits("/a"), deck.store_row(document).await.0), (1, Some(1)), "and the newer success stays");
}

async fn a_busy_database_is_never_a_documents_failure(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    let other = deck.place.block().await;
    gate.add_permits(1);
    let mut health = deck.runner.health();
    health
        .wait_for(|health| matches!(health, runner::event::Health::Unreachable { .. }))
        .await
        .expect("the runner says so");
    other.end().await;
    assert_eq!(deck.until(1).await, ["unchanged"], "the kept result is written when it can be");
    assert_eq!(deck.site.hits("/a"), 1, "and the page is not fetched again");
}

async fn data_that_the_database_refuses_ends_that_attempt_alone_as_unexpected(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let (bad, good) = (deck.add("/bad").await, deck.add("/good").await);
    let picky = deck.place.either(
        "create trigger no before update of content on captain_documents when new.id = BAD \
         begin select raise(abort, 'no room for this text'); end",
        "create function no() returns trigger language plpgsql as \
         $$ begin raise exception 'no room for this text'; end $$; \
         create trigger no before update of content on captain_documents for each row when (new.id = BAD) \
         execute function no()",
    );
    deck.sql(&picky.replace("BAD", &bad.to_string())).await;
    deck.sync(bad).await;
    deck.sync(good).await;
    deck.until_hit("/bad", 1).await;
    deck.until_hit("/good", 1).await;
    gate.add_permits(2);
    let mut results = deck.until(2).await;
    results.sort_unstable();
    assert_eq!(results, ["unchanged", "unexpected_failure"]);
    assert_eq!((deck.row(good).await.status, deck.row(bad).await.status), (Status::Synced, Status::Waiting));
    assert_eq!(deck.row(bad).await.error_code, Some(ErrorCode::SyncError));
}

async fn a_document_that_cannot_be_synced_any_more_ends_its_job_at_the_claim(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    fill_host(&deck).await;
    let (gone, pdf, hidden) = (deck.add("/gone").await, deck.add("/pdf").await, deck.add("/hidden").await);
    for document in [gone, pdf, hidden] {
        deck.sync(document).await;
    }
    deck.sql(&format!("delete from captain_documents where id = {gone}")).await;
    deck.sql(&format!("update captain_documents set external_link = 'PDF: x_1' where id = {pdf}")).await;
    deck.sql(&format!("update captain_documents set status = 0 where id = {hidden}")).await;
    gate.add_permits(2);
    let results = deck.until(5).await;
    assert_eq!(results.iter().filter(|result| **result == "cancelled").count(), 3, "{results:?}");
    let details: Vec<_> = deck.seen.iter().filter_map(|outcome| outcome.detail.as_deref()).collect();
    assert_eq!(details.len(), 3, "each says why: {details:?}");
    assert_eq!(
        (deck.site.hits("/gone"), deck.site.hits("/pdf"), deck.site.hits("/hidden"), deck.reports(2).await),
        (0, 0, 0, 0)
    );
}

async fn a_document_that_turned_unavailable_while_it_ran_is_not_written(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    deck.sql("update captain_documents set status = 0").await;
    gate.add_permits(1);
    assert_eq!(deck.until(1).await, ["cancelled"]);
    assert_eq!(deck.content(document).await, None);
}

async fn what_cannot_be_synced_is_a_reason_by_name_and_a_count_by_filter(on: Backend) {
    let deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
    let (pdf, hidden, fine) = (deck.add("/pdf").await, deck.add("/hidden").await, deck.add("/fine").await);
    deck.sql(&format!("update captain_documents set external_link = 'PDF: x_1' where id = {pdf}")).await;
    deck.sql(&format!("update captain_documents set status = 0 where id = {hidden}")).await;
    assert_eq!(deck.sync(pdf).await, RequestAnswer::Skipped(SkipReason::Pdf));
    assert_eq!(deck.sync(hidden).await, RequestAnswer::Skipped(SkipReason::Unavailable));
    assert_eq!(deck.sync(DocumentId(99)).await, RequestAnswer::Skipped(SkipReason::Missing));
    let all = Targets::Matching(Filter::default());
    let preview = deck.store.preview(&all, BulkVerb::Request(Sync)).await.expect("the store answers");
    let mut skipped = preview.skipped;
    skipped.sort();
    assert_eq!((preview.targets, preview.hosts), (vec![fine], 1));
    assert_eq!(skipped, [(SkipReason::Pdf, 1), (SkipReason::Unavailable, 1)]);
    let queue = deck.store.queue().await.expect("the store answers");
    assert_eq!(queue.ready + queue.running, 0, "no job was made");
}

async fn a_document_that_exists_is_said_so_and_left_alone(on: Backend) {
    let deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
    let document = deck.add("/a").await;
    let before = document_row(&deck, document).await;
    let again = NewDocument {
        link: quarterdeck::domain::link::Link::parse(&deck.site.url("/a/")).expect("a link"),
        name: Some("another name".into()),
        account_id: quarterdeck::domain::id::AccountId(1),
        assistant_id: quarterdeck::domain::id::AssistantId(1),
    };
    assert_eq!(deck.store.add(&[again]).await.expect("the store answers"), [AddResult::Exists(document)]);
    assert_eq!(document_row(&deck, document).await, before);
    assert_eq!(deck.row(document).await.status, Status::Never, "available, and never synced");
}

async fn leaving_gives_number_and_counters_back_and_records_nothing(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let document = deck.add("/a").await;
    let before = document_row(&deck, document).await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    deck.runner.leave();
    deck.runner.ended().await;
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempt, row.holder), (Status::Queued, Some(0), None));
    assert_eq!(document_row(&deck, document).await, before);
    // The next worker runs it: the first outcome is attempt 1.
    let next = runner::start(parts(&deck.store, fetcher(&deck.site), None), settings(), Mode::OnDemand);
    gate.add_permits(2);
    assert_eq!(deck.until(1).await, ["unchanged"]);
    assert_eq!(deck.seen[0].attempt, 1);
    next.leave();
    next.ended().await;
}

async fn a_drain_finishes_what_runs_and_claims_nothing_more(on: Backend) {
    let (mut deck, gate) = gated(on).await;
    let filling = fill_host(&deck).await;
    let ready = deck.add("/a").await;
    deck.sync(ready).await;
    deck.runner.drain();
    gate.add_permits(3);
    deck.runner.ended().await;
    assert_eq!(deck.until(2).await, ["unchanged", "unchanged"]);
    assert_eq!(deck.row(ready).await.status, Status::Queued);
    for document in filling {
        assert_eq!(deck.row(document).await.status, Status::Synced);
    }
    assert_eq!(deck.site.hits("/a"), 0);
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_request_without_a_live_job_is_a_new_manual_job_and_writes_no_document,
    a_request_on_a_ready_job_makes_it_manual_without_an_outcome,
    a_request_on_a_waiting_job_runs_it_now_with_its_counters_and_against_retry_after,
    an_auto_request_on_a_live_job_changes_nothing,
    retry_takes_failed_waiting_and_stuck_documents_alone,
    a_cancel_of_a_ready_or_waiting_job_ends_it_and_puts_the_row_right,
    a_cancel_of_an_untried_ready_job_leaves_the_row_alone,
    a_cancel_of_a_running_job_tells_the_attempt_and_restores_the_row,
    the_row_of_a_running_attempt_is_syncing_without_step_and_code,
    the_last_failure_is_kept_while_a_retry_runs_and_until_a_success,
    a_retry_whose_document_was_synced_elsewhere_ends_without_a_fetch,
    a_busy_database_is_never_a_documents_failure,
    data_that_the_database_refuses_ends_that_attempt_alone_as_unexpected,
    a_document_that_cannot_be_synced_any_more_ends_its_job_at_the_claim,
    a_document_that_turned_unavailable_while_it_ran_is_not_written,
    what_cannot_be_synced_is_a_reason_by_name_and_a_count_by_filter,
    a_document_that_exists_is_said_so_and_left_alone,
    leaving_gives_number_and_counters_back_and_records_nothing,
    a_drain_finishes_what_runs_and_claims_nothing_more,
}
