//! Tests the views beside the list, operated by keys on the real event loop.

use super::{quiet_store, with};
use crate::support::facts::options;
use crate::support::live::console;
use crate::support::memory::Memory;
use crate::support::seen::{job, jobs, ready, running};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::{DocumentId, JobId};
use quarterdeck::domain::request::RequestKind;
use quarterdeck::store::{JobBlockers, JobProgress, JobsPage};
use quarterdeck::tui::Options;
use std::sync::Arc;

fn store() -> Arc<Memory> {
    let store = quiet_store(70);
    store.with(|facts| {
        facts.jobs = jobs();
        facts.documents[30].status = Status::Syncing;
    });
    store
}

#[tokio::test(start_paused = true)]
async fn the_views_change_places_and_the_cursor_of_each_stays() {
    with(store(), async |operator| {
        operator.press(&["j", "j", "3"]);
        operator.sees("running 3").await;
        assert!(operator.cursor_line().contains("Quickstart"), "{}", operator.screen());
        operator.press(&["j", "1"]);
        operator.sees("Document 0004").await;
        assert!(operator.cursor_line().contains("Document 0002"), "{}", operator.screen());
        operator.press(&["3"]);
        operator.sees("Release notes").await;
        assert!(operator.cursor_line().contains("Release notes"), "{}", operator.screen());
        operator.press(&["esc"]);
        operator.sees("Document 0004").await;
        operator.sees_no("Release notes, spring");
        operator.press(&["tab", "tab"]);
        operator.settle().await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_cursor_follows_its_job_from_section_to_section() {
    with(store(), async |operator| {
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["j", "j", "j"]);
        operator.settle().await;
        assert!(operator.cursor_line().contains("Next in line"), "{}", operator.screen());
        operator.store.commit(|facts| {
            facts.jobs.ready.remove(0);
            facts.jobs.running.insert(0, running(40, "Next in line", 1, 29));
        });
        operator.settle().await;
        assert!(operator.cursor_line().contains("web-1:4711"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_broken_only_when_the_documents_id_was_typed() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["B", "3", "enter"]);
        operator.sees("type the document id, 31, to confirm").await;
        operator.press(&["esc"]);
        operator.settle().await;
        assert!(operator.store.with(|facts| facts.broken.is_empty()));
        operator.press(&["B", "3", "1", "enter"]);
        operator.sees("broke the lease of Quickstart for administrators").await;
        operator.sees("running 2").await;
        operator.press(&["G", "B"]);
        operator.sees("only a running one has a lease").await;
    })
    .await;
    assert_eq!(store.with(|facts| facts.broken.clone()), [(JobId(1_031), "ana".into())]);
}

/// The prompt applies to the job on which it was opened.
#[tokio::test(start_paused = true)]
async fn a_job_that_ended_meanwhile_is_not_taken_and_nor_is_its_successor() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["B"]);
        operator.settle().await;
        operator.store.commit(|facts| {
            facts.jobs.running.remove(0);
            facts.jobs.running_total -= 1;
        });
        operator.settle().await;
        operator.press(&["3", "1", "enter"]);
        operator.sees("Quickstart for administrators is no longer running").await;
        operator.sees("running 2").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_console_that_only_reads_breaks_no_lease() {
    let store = store();
    let only_reads = Options { read_only: true, ..options() };
    console(Arc::clone(&store), None, only_reads, async |operator: crate::support::live::Operator| {
        operator.settle().await;
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["B"]);
        operator.sees("read-only: break lease is off").await;
        operator
    })
    .await;
    assert!(store.with(|facts| facts.broken.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_job_is_run_now_cancelled_and_opened_by_its_document() {
    let store = store();
    with(Arc::clone(&store), async |operator| {
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["x"]);
        operator.sees("cancel Quickstart for administrators").await;
        operator.press(&["esc", "j", "j", "j", "s"]);
        operator.sees("queued Next in line").await;
        operator.press(&["enter"]);
        operator.sees("attempts").await;
        operator.sees_no("1,412");
        operator.press(&["esc"]);
        operator.sees("1,412").await;
    })
    .await;
    let asked = store.with(|facts| facts.requests.clone());
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].0.as_slice(), asked[0].1.kind), ([DocumentId(40)].as_slice(), RequestKind::Sync));
}

/// The list has seventy rows, so the job's document is not among the loaded ones.
#[tokio::test(start_paused = true)]
async fn the_host_and_the_account_of_a_job_can_be_paused() {
    let store = store();
    store.with(|facts| {
        let far = running(4_000, "Far away", 1, 29);
        facts.jobs.running.insert(0, quarterdeck::store::JobSummary { host: "far.example".into(), ..far });
    });
    with(store, async |operator| {
        operator.press(&["3"]);
        operator.sees("Far away").await;
        operator.press(&["p"]);
        operator.sees("far.example: not paused").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn jobs_are_read_on_entry_on_changes_and_while_they_run_and_never_else() {
    let store = store();
    store.with(|facts| facts.jobs = JobsPage::default());
    let reads = |operator: &crate::support::live::Operator| operator.store.with(|facts| facts.jobs_read);
    with(Arc::clone(&store), async |operator| {
        operator.wait(2_000).await;
        assert_eq!(reads(operator), 0, "nobody looks at them");
        operator.press(&["3"]);
        operator.settle().await;
        assert_eq!(reads(operator), 1);
        operator.store.commit(|facts| facts.jobs.running = vec![running(31, "Runs", 1, 60)]);
        operator.sees("Runs").await;
        let before = reads(operator);
        operator.wait(20_000).await;
        let while_it_runs = reads(operator) - before;
        assert!((3..=4).contains(&while_it_runs), "every five seconds: {while_it_runs}");
        operator.press(&["1"]);
        operator.settle().await;
        let before = reads(operator);
        operator.wait(20_000).await;
        assert_eq!(reads(operator), before);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_more_jobs_than_lines_the_cursor_stays_on_the_screen() {
    let store = store();
    store.with(|facts| {
        let many = (100..300).map(|id| ready(id, &format!("Ready {id}"), JobBlockers::default()));
        (facts.jobs.ready, facts.jobs.ready_total) = (many.collect(), 5_000);
        let over = JobProgress::Ended {
            at: crate::support::facts::ago(9),
            result: quarterdeck::domain::outcome::OutcomeResult::Updated,
            error_code: None,
            content: None,
        };
        facts.jobs.recent = vec![job(400, "The very last", over)];
    });
    with(store, async |operator| {
        operator.press(&["3"]);
        operator.sees("running 3").await;
        operator.press(&["G"]);
        operator.sees("The very last").await;
        assert!(operator.cursor_line().contains("The very last"), "{}", operator.screen());
        operator.sees("and 4,800 more").await;
        operator.resize(40, 12);
        operator.settle().await;
        assert!(operator.cursor_line().contains("The very"), "{}", operator.screen());
        operator.press(&["g"]);
        operator.settle().await;
        assert!(
            operator.screen().contains("running 3") && operator.cursor_line().contains("Quick"),
            "{}",
            operator.screen()
        );
    })
    .await;
}
