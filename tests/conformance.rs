//! Runs the cases of Chatwoot's own sync job and service, J1 to J11 and V1 to V6 (assets/docs/chatwoot.md, "Conformance
//! cases"), on the real runner, a real store and real HTTP. Each test notes where this program differs on purpose.

use crate::support::deck::{Deck, START};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::request::{RequestAnswer, RequestKind, RequestScope, SkipReason};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

fn seconds(of: &[u64]) -> Vec<Duration> {
    of.iter().copied().map(Duration::from_secs).collect()
}

/// Returns the delay before each retry, and moves the clock past it.
async fn waits(deck: &mut Deck, failures: usize) -> Vec<Duration> {
    let mut waits = Vec::new();
    for failure in 1..=failures {
        deck.until(failure).await;
        waits.push(deck.wait_for_next());
    }
    waits
}

async fn j1_success_sets_synced_now_and_the_new_content(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| html("A title", "Some text.")).await).await;
    let document = deck.add("/a").await;
    assert!(matches!(deck.sync(document).await, RequestAnswer::Queued(_)));
    deck.until(1).await;
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempted_at, row.synced_at), (Status::Synced, Some(START), Some(START)));
    assert_eq!((row.name.as_str(), row.error_code), ("A title", None));
    assert!(deck.content(document).await.expect("content").contains("Some text."));
}

#[cfg(feature = "faults")]
mod broken {
    use super::*;
    use quarterdeck::fault::{FaultKind, arm};

    async fn j2_an_unexpected_error_leaves_the_row_failed_between_tries(on: Backend) {
        arm("after_fetch", FaultKind::Panic, "/j2");
        let mut deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
        let document = deck.add("/j2").await;
        deck.sync(document).await;
        assert_eq!(deck.until(1).await, ["unexpected_failure"]);
        let row = deck.row(document).await;
        // The row says failed, as Chatwoot's does; the status word is `waiting`, since the time of the next attempt is
        // set.
        assert_eq!(row.status, Status::Waiting);
        assert_eq!((row.error_code, row.attempted_at), (Some(ErrorCode::SyncError), Some(START)));
        assert_eq!(deck.seen[0].exception_class.as_deref(), Some("panic"));
        assert_eq!(deck.store_row(document).await.0, Some(2), "the row itself is failed");
    }

    async fn j7_unexpected_errors_are_tried_three_times_and_reported_once(on: Backend) {
        arm("after_fetch", FaultKind::Panic, "/j7");
        let mut deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
        let document = deck.add("/j7").await;
        deck.sync(document).await;
        assert_eq!(waits(&mut deck, 2).await, seconds(&[5, 5]));
        assert_eq!(deck.until(4).await, ["unexpected_failure", "unexpected_retry_exhausted"]);
        assert_eq!(deck.row(document).await.status, Status::Failed);
        assert_eq!(deck.reports(3).await, 1);
    }

    async fn j8_counters_are_separate_and_six_attempts_are_the_most(on: Backend) {
        arm("after_fetch", FaultKind::Panic, "/j8");
        let site = Site::start(|_, hit| if hit % 2 == 1 { Reply::Status(503, vec![]) } else { html("T", "text") });
        let mut deck = Deck::start(on, site.await).await;
        let document = deck.add("/j8").await;
        deck.sync(document).await;
        assert_eq!(waits(&mut deck, 5).await, seconds(&[30, 5, 120, 5, 300]));
        assert_eq!(deck.until(7).await, ["unexpected_failure", "unexpected_retry_exhausted"]);
        let row = deck.row(document).await;
        assert_eq!((row.status, row.error_code, row.attempt), (Status::Failed, Some(ErrorCode::SyncError), Some(6)));
        assert_eq!((deck.site.hits("/j8"), deck.reports(6).await), (6, 1));
    }

    on_both! {
        (flavor = "multi_thread", worker_threads = 2)
        j2_an_unexpected_error_leaves_the_row_failed_between_tries,
        j7_unexpected_errors_are_tried_three_times_and_reported_once,
        j8_counters_are_separate_and_six_attempts_are_the_most,
    }
}

async fn j3_a_pdf_is_never_synced(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
    let document = deck.add("/a").await;
    deck.sql("update captain_documents set external_link = external_link || '.pdf'").await;
    assert_eq!(deck.sync(document).await, RequestAnswer::Skipped(SkipReason::Pdf));
    // A page that became a PDF after the request: Chatwoot returns without a log line; here the job ends with the
    // reason.
    let late = deck.add("/late").await;
    deck.sql("update captain_documents set external_link = 'PDF: handbook_2' where id = 2").await;
    let gate = deck.add("/gate").await;
    deck.sync(gate).await;
    deck.until(1).await;
    assert_eq!(deck.sync(late).await, RequestAnswer::Skipped(SkipReason::Pdf));
    assert_eq!((deck.site.hits("/a"), deck.site.hits("/late")), (0, 0));
}

async fn j4_a_request_on_a_running_document_is_recorded_once_and_runs_nothing(on: Backend) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    let mut deck = Deck::start(on, site).await;
    let document = deck.add("/slow").await;
    deck.sync(document).await;
    deck.until_hit("/slow", 1).await;
    for _ in 0..3 {
        assert!(matches!(deck.sync(document).await, RequestAnswer::AlreadySyncing(_, Some(_))));
    }
    assert_eq!(
        deck.ask(document, RequestKind::Sync, QueueClass::Manual, RequestScope::Bulk).await,
        RequestAnswer::Skipped(SkipReason::Running)
    );
    assert_eq!(deck.until(1).await, ["already_syncing"]);
    assert_eq!(deck.row(document).await.status, Status::Syncing);
    gate.add_permits(1);
    assert_eq!(deck.until(2).await, ["unchanged"]);
    assert_eq!(deck.site.hits("/slow"), 1);
    let line = deck.seen[0].json();
    assert!(line.contains(r#""result":"already_syncing""#) && line.contains(r#""requested_by":"ana""#), "{line}");
    assert!(line.contains(r#""worker":"test:1""#), "who holds it: {line}");
}

async fn j5_a_permanent_failure_is_one_attempt_without_an_exhaustion_line(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| Reply::Status(404, vec![])).await).await;
    let document = deck.add("/gone").await;
    deck.sync(document).await;
    assert_eq!(deck.until(1).await, ["permanent_failure"]);
    let row = deck.row(document).await;
    assert_eq!((row.status, row.error_code, row.http_status), (Status::Failed, Some(ErrorCode::NotFound), Some(404)));
    deck.pass(Duration::from_secs(86_400));
    deck.store.queue().await.map(|queue| assert_eq!((queue.ready, queue.waiting), (0, 0))).expect("answers");
    assert_eq!(deck.site.hits("/gone"), 1);
}

async fn j6_transient_failures_wait_30_120_300_and_the_fourth_fails_with_the_last_code(on: Backend) {
    let site = Site::start(|_, hit| if hit < 4 { Reply::Status(503, vec![]) } else { Reply::Status(504, vec![]) });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/down").await;
    deck.sync(document).await;
    assert_eq!(waits(&mut deck, 3).await, seconds(&[30, 120, 300]));
    assert_eq!(deck.until(5).await, ["transient_failure", "transient_retry_exhausted"]);
    let row = deck.row(document).await;
    assert_eq!((row.status, row.error_code, row.http_status), (Status::Failed, Some(ErrorCode::Timeout), Some(504)));
    assert_eq!(deck.seen[3].attempt, deck.seen[4].attempt, "an exhaustion shares its failure's number");
    assert_eq!(deck.reports(4).await, 0, "nothing is reported for pages that are down");
}

async fn j9_the_row_stays_syncing_between_transient_attempts(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| Reply::Status(503, vec![])).await).await;
    let document = deck.add("/down").await;
    deck.sync(document).await;
    deck.until(1).await;
    assert_eq!(deck.store_row(document).await, (Some(0), None), "syncing, and no code in the metadata");
    let row = deck.row(document).await;
    assert_eq!((row.status, row.error_code), (Status::Waiting, Some(ErrorCode::FetchFailed)));
    assert_eq!(row.next_attempt_at, Some(START.plus(Duration::from_secs(30))));
}

async fn j10_the_fields_of_a_line_stand_in_upstreams_order(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| Reply::Status(404, vec![])).await).await;
    let document = deck.add("/gone").await;
    deck.sync(document).await;
    deck.until(1).await;
    let outcome = &deck.seen[0];
    let took = outcome.duration_ms.expect("a duration");
    assert_eq!(
        quarterdeck::chatwoot::rails_log::outcome_line(outcome).expect("upstream has this result"),
        format!(
            "[Captain::Documents::PerformSyncJob] {{\"document_id\":1,\"account_id\":1,\"assistant_id\":1,\
             \"result\":\"permanent_failure\",\"error_code\":\"not_found\",\"duration_ms\":{took}}}"
        )
    );
    let line: serde_json::Value = serde_json::from_str(&outcome.json()).expect("JSON");
    let fields: Vec<_> = line.as_object().expect("an object").keys().map(String::as_str).collect();
    let order = "document_id account_id assistant_id result error_code exception_class duration_ms at seq job_id attempt \
                 queue url http_status detail content bytes next_attempt_at worker requested_by stages";
    let order: Vec<_> = order.split_whitespace().filter(|field| fields.contains(field)).collect();
    assert_eq!(fields, order);
}

async fn j11_a_deleted_document_ends_its_job(on: Backend) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    let mut deck = Deck::start(on, site).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    assert_eq!(deck.store.remove(&[document], &"ana".into()).await.expect("the store answers"), 1);
    gate.add_permits(1);
    // Chatwoot logs nothing; here the job ends `cancelled` with the reason, without a retry or a report.
    assert_eq!(deck.until(2).await, ["cancelled", "removed"]);
    assert!(deck.seen[0].detail.as_ref().is_some_and(|detail| detail.contains("document")), "{:?}", deck.seen[0]);
    let queue = deck.store.queue().await.expect("the store answers");
    assert_eq!((queue.ready, queue.running, queue.waiting, deck.reports(1).await), (0, 0, 0, 0));
}

/// The second page has another body with the same text: an identical one would not be compared by its text.
async fn v1_a_second_sync_of_the_same_page_is_unchanged(on: Backend) {
    let site = Site::start(|_, hit| html("T", if hit == 1 { "the same" } else { "the <!-- 2 -->same" }));
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    deck.pass(Duration::from_secs(60));
    deck.sync(document).await;
    assert_eq!(deck.until(2).await, ["unchanged"]);
    assert_eq!(deck.seen[1].content, Some(ContentChange::Same));
    let row = deck.row(document).await;
    assert_eq!(row.synced_at, Some(START.plus(Duration::from_secs(60))));
    assert_eq!(row.updated_at, START, "nothing changed, so `updated_at` stays");
    let jobs = deck.text("select count(*) || ',' || max(id) from jobs").await;
    assert_eq!(jobs.as_deref(), Some("1,2"), "a document's earlier jobs are not kept beside their outcomes");
}

async fn v2_the_fingerprint_is_of_the_normalised_text(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| html("T", "one two")).await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    let content = deck.content(document).await.expect("content");
    assert_eq!(deck.row(document).await.fingerprint.as_deref(), Some(Fingerprint::of(&content).as_str()));
    assert_eq!(Fingerprint::of(&content), Fingerprint::of("one two"));
}

async fn v3_the_step_is_null_at_the_end(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| html("T", "text")).await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    assert_eq!(deck.row(document).await.sync_step, None);
    let metadata = deck.text("select metadata from captain_documents where id = 1").await.expect("metadata");
    let metadata: serde_json::Value = serde_json::from_str(&metadata).expect("JSON");
    assert_eq!(metadata["sync_step"], serde_json::Value::Null);
    assert!(metadata.as_object().expect("an object").contains_key("sync_step"), "the key stays, as upstream's does");
}

async fn v4_without_a_fingerprint_content_is_written_and_the_result_is_unchanged(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, hit| html("T", &format!("text {hit}"))).await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    assert_eq!(deck.until(1).await, ["unchanged"]);
    assert_eq!(deck.seen[0].content, Some(ContentChange::First));
    assert!(deck.content(document).await.expect("content").contains("text 1"));
    deck.sync(document).await;
    assert_eq!(deck.until(2).await, ["updated"]);
    assert_eq!(deck.seen[1].content, Some(ContentChange::Changed));
}

async fn v5_a_blank_title_keeps_the_name(on: Backend) {
    let mut deck = Deck::start(on, Site::start(|_, _| html(" &nbsp; ", "text")).await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    assert_eq!(deck.row(document).await.name.as_str(), "as added");
}

async fn v6_a_change_of_white_space_alone_is_no_change(on: Backend) {
    let site = Site::start(|_, hit| match hit {
        1 => Reply::Html("<title>One</title><pre>a\n  b</pre>".into()),
        _ => Reply::Html("<title>Two</title><pre>a\n\n     b</pre>".into()),
    });
    let mut deck = Deck::start(on, site.await).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until(1).await;
    let before = deck.content(document).await;
    deck.sync(document).await;
    assert_eq!(deck.until(2).await, ["unchanged"]);
    assert_eq!(deck.content(document).await, before, "the content is not touched");
    assert_eq!(deck.row(document).await.name.as_str(), "One", "nor is the name");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    j1_success_sets_synced_now_and_the_new_content,
    j3_a_pdf_is_never_synced,
    j4_a_request_on_a_running_document_is_recorded_once_and_runs_nothing,
    j5_a_permanent_failure_is_one_attempt_without_an_exhaustion_line,
    j6_transient_failures_wait_30_120_300_and_the_fourth_fails_with_the_last_code,
    j9_the_row_stays_syncing_between_transient_attempts,
    j10_the_fields_of_a_line_stand_in_upstreams_order,
    j11_a_deleted_document_ends_its_job,
    v1_a_second_sync_of_the_same_page_is_unchanged,
    v2_the_fingerprint_is_of_the_normalised_text,
    v3_the_step_is_null_at_the_end,
    v4_without_a_fingerprint_content_is_written_and_the_result_is_unchanged,
    v5_a_blank_title_keeps_the_name,
    v6_a_change_of_white_space_alone_is_no_change,
}
