//! Tests the console's real event loop with scripted input, a screen and a store in memory, and a clock that jumps.

mod batches;
mod bursts;
mod cursor;
mod dashboard;
mod failures;
mod groups;
mod held;
mod idle;
mod marks;
mod panel;
mod pauses;
mod places;
mod reads;
mod sources;
mod views;
mod workers;

use crate::support::facts::{NOW, ago, document, options, outcome};
use crate::support::live::{Operator, console};
use crate::support::memory::Memory;
use quarterdeck::domain::calendar::ClosedWindow;
use quarterdeck::domain::document::{DocumentRow, Status};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::tui::ExitReason;
use std::sync::Arc;
use std::time::Duration;

/// Makes a store with documents 1 to `number`, all synced long ago.
fn quiet_store(number: i64) -> Arc<Memory> {
    let days_ago = ago(9 * 86_400);
    let row = |id| DocumentRow {
        attempted_at: Some(days_ago),
        synced_at: Some(days_ago),
        next_attempt_at: None,
        ..document(id, &format!("Document {id:04}"), Status::Synced)
    };
    Arc::new(Memory::new((1..=number).map(row).collect()))
}

fn outcomes(from: i64, to: i64) -> Vec<Outcome> {
    let at =
        |seq| Outcome { at: NOW, ..outcome(seq, seq % 50 + 1, &format!("Outcome {seq:04}"), OutcomeResult::Updated) };
    (from..=to).map(at).collect()
}

async fn with(
    store: Arc<Memory>,
    script: impl AsyncFnOnce(&Operator),
) -> (quarterdeck::tui::runtime::RunResult, crate::support::live::Outer) {
    console(store, None, options(), async |operator: Operator| {
        operator.settle().await;
        script(&operator).await;
        operator
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn idle_means_no_draws() {
    let mut before = 0;
    // NOW is 31 s into its minute; the only thing that changes on the screen is the clock's minute.
    for (seconds, turns) in [(0, 0), (28, 0), (3_600, 60)] {
        let (ended, _) = with(quiet_store(40), async |operator| operator.wait(seconds * 1_000).await).await;
        if seconds == 0 {
            before = ended.draws;
            assert!(before <= 4, "{before} draws to begin with");
        }
        assert_eq!(ended.draws - before, turns, "in {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_purge_is_asked_about_and_says_how_many() {
    let store = quiet_store(3);
    store.with(|facts| facts.purgeable = 12);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["D"]);
        operator.sees("drop waiting auto jobs").await;
        operator.press(&["enter"]);
        operator.settle().await;
        assert_eq!(operator.store.with(|facts| facts.purgeable), 12, "Keep has the focus");
        operator.press(&["D", "tab", "enter"]);
        operator.sees("dropped 12 waiting auto jobs").await;
    })
    .await;
    assert_eq!(store.with(|facts| facts.purgeable), 0);
}

#[tokio::test(start_paused = true)]
async fn the_next_look_is_told() {
    let store = quiet_store(1);
    store.with(|facts| {
        let row = &mut facts.documents[0];
        row.status = Status::Failed;
        row.next_check_at = Some(NOW.plus(Duration::from_secs(6 * 86_400 + 3_600)));
    });
    with(store, async |operator| operator.sees("Next check in 6d; r retries it now.").await).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_waits_for_its_window_says_when_that_opens() {
    let store = quiet_store(1);
    store.with(|facts| {
        let row = &mut facts.documents[0];
        row.status = Status::Queued;
        row.window =
            Some(ClosedWindow { opens_at: NOW.plus(Duration::from_secs(6 * 3_600)), zone: jiff::tz::TimeZone::UTC });
    });
    with(store, async |operator| {
        operator.sees("window opens ").await;
        operator.sees("Its window opens in ").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_toast_goes_without_a_key() {
    with(quiet_store(40), async |operator| {
        operator.press(&["s"]);
        operator.sees("✓ queued Document 0001").await;
        operator.wait(3_000).await;
        operator.sees("✓ queued Document 0001").await;
        operator.wait(1_500).await;
        operator.sees_no("queued Document 0001");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dialogs_target_is_frozen() {
    let store = quiet_store(100);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["j", "del"]);
        operator.sees("remove Document 0002").await;
        operator.store.commit(|facts| {
            facts.documents[60].status = Status::Failed;
            facts.documents[61].status = Status::Failed;
        });
        operator.settle().await;
        // The button Keep has the focus: enter alone removes nothing.
        operator.press(&["enter"]);
        operator.settle().await;
        assert_eq!(operator.store.with(|facts| facts.removed.len()), 0);
        operator.press(&["del", "tab", "enter"]);
        operator.sees("removed Document 0002").await;
    })
    .await;
    assert_eq!(store.with(|facts| facts.removed.clone()), [DocumentId(2)]);
}

#[tokio::test(start_paused = true)]
async fn a_bulk_request_takes_the_documents_of_its_preview() {
    let store = quiet_store(30);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["S"]);
        operator.sees("30 documents match").await;
        operator.store.commit(|facts| facts.documents.push(document(31, "Document 0031", Status::Synced)));
        operator.settle().await;
        operator.press(&["tab", "enter"]);
        operator.sees("queued 30 documents").await;
    })
    .await;
    let asked = store.with(|facts| facts.requests.first().map(|(ids, _)| ids.len()));
    assert_eq!(asked, Some(30));
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_an_older_question_is_dropped() {
    with(quiet_store(100), async |operator| {
        // The query for the first letter takes longer than the query for the whole word.
        operator.store.with(|facts| facts.page_delays = vec![Duration::from_secs(3)]);
        operator.press(&["/"]);
        operator.type_text("0");
        operator.wait(50).await;
        operator.type_text("077");
        operator.sees("documents 1 of 100 match 0077").await;
        operator.wait(4_000).await;
        operator.sees("documents 1 of 100 match 0077").await;
        operator.sees_no("Document 0001");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_bad_filter_keeps_the_last_good_one_and_escape_takes_it_back() {
    with(quiet_store(100), async |operator| {
        operator.press(&["/"]);
        operator.type_text("0077");
        operator.sees("documents 1 of 100 match").await;
        operator.type_text(" status:nonsense");
        operator.sees("unknown status").await;
        operator.sees("Document 0077").await;
        operator.press(&["enter"]);
        operator.settle().await;
        operator.sees("unknown status").await;
        operator.press(&["esc"]);
        operator.sees("documents 100 by status").await;
        operator.sees_no("unknown status");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_a_toast_and_stays_in_the_activity_list() {
    with(quiet_store(20), async |operator| {
        operator.store.with(|facts| facts.away = Some("disk I/O error".to_owned()));
        operator.press(&["s"]);
        operator.sees("✗ sync Document 0001: disk I/O error").await;
        operator.wait(11_000).await;
        operator.sees_no("sync Document 0001:");
        operator.press(&["o"]);
        operator.sees("✗ no browser here").await;
        operator.press(&["!"]);
        operator.sees("sync Document 0001: disk I/O error").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn old_data_says_how_old_it_is_and_comes_back_by_itself() {
    with(quiet_store(20), async |operator| {
        operator.store.commit(|facts| facts.away = Some("gone".to_owned()));
        operator.sees("s old: ").await;
        operator.sees("database away 0 s, again in 1 s").await;
        operator.wait(20_000).await;
        operator.sees("Document 0001").await;
        operator.store.with(|facts| facts.away = None);
        operator.wait(1_000).await;
        operator.sees("documents 20 by status").await;
        operator.sees_no("database away");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn marks_are_documents_and_more_than_twenty_pass_a_preview() {
    let store = quiet_store(100);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["space", "space", "space"]);
        operator.sees("+ 3 marked").await;
        operator.press(&["s"]);
        operator.sees("queued 3 documents").await;
        operator.sees_no("marked");
        operator.press(&["*"]);
        operator.sees("+ 100 marked").await;
        operator.press(&["s"]);
        operator.sees("sync every marked document").await;
        operator.press(&["esc", "\\"]);
        operator.settle().await;
        operator.sees_no("+ 100 marked");
    })
    .await;
    let asked: Vec<_> = store.with(|facts| facts.requests.iter().map(|(ids, _)| ids.len()).collect());
    assert_eq!(asked, [3]);
}

#[tokio::test(start_paused = true)]
async fn one_running_job_is_asked_about_before_it_is_stopped() {
    let store = quiet_store(3);
    store.with(|facts| facts.documents[0].status = Status::Syncing);
    with(store, async |operator| {
        operator.press(&["s"]);
        operator.sees("Document 0001 has been syncing for").await;
        operator.press(&["x"]);
        operator.sees("[ Keep ]    Cancel job").await;
        operator.press(&["tab", "enter"]);
        operator.sees("cancelled Document 0001").await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_url_is_added_and_a_bad_one_says_why() {
    let store = quiet_store(3);
    with(Arc::clone(&store), async |operator| {
        operator.press(&["a"]);
        operator.type_text("example.org/help");
        operator.press(&["enter"]);
        operator.sees("this must begin with http:// or https://").await;
        for _ in 0..16 {
            operator.press(&["backspace"]);
        }
        operator.type_text("https://example.org/help");
        operator.press(&["enter"]);
        operator.sees("added https://example.org/help as document 4").await;
    })
    .await;
    assert_eq!(store.with(|facts| facts.documents.len()), 4);
}

#[tokio::test(start_paused = true)]
async fn a_console_that_only_reads_refuses_and_says_so() {
    let store = quiet_store(3);
    let reading = quarterdeck::tui::Options { read_only: true, ..options() };
    console(Arc::clone(&store), None, reading, async |operator: Operator| {
        operator.sees("read-only").await;
        for (key, word) in [("s", "sync"), ("S", "sync all"), ("a", "add"), ("del", "remove"), ("x", "cancel")] {
            operator.press(&[key]);
            operator.sees(&format!("read-only: {word} is off")).await;
        }
        operator
    })
    .await;
    assert!(store.with(|facts| facts.requests.is_empty() && facts.removed.is_empty()));
}

#[tokio::test(start_paused = true)]
async fn details_are_read_and_are_safe_for_the_terminal() {
    let store = quiet_store(3);
    store.with(|facts| facts.outcomes = outcomes(1, 3));
    with(store, async |operator| {
        operator.press(&["j", "enter"]);
        operator.sees("attempts 1").await;
        operator.press(&["]"]);
        operator.sees("# Document 2").await;
        operator.sees_no("[2J");
        operator.press(&["esc"]);
        operator.sees("documents 3 by status").await;
        assert!(operator.cursor_line().contains("Document 0002"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn copying_suspending_and_a_lost_terminal() {
    let (ended, outer) = with(quiet_store(3), async |operator| {
        operator.press(&["y", "ctrl-z", "Y"]);
        operator.sees("there is no error to copy").await;
        operator.send(quarterdeck::tui::runtime::Input::Terminate);
    })
    .await;
    assert_eq!(outer.copied, ["https://acme.example/document-0001"]);
    assert_eq!((outer.suspended, ended.exit), (1, ExitReason::Left));
}

#[tokio::test(start_paused = true)]
async fn every_size_on_the_way_is_drawn() {
    with(quiet_store(300), async |operator| {
        for (width, height) in [(40, 12), (20, 5), (1, 1), (200, 60), (80, 24)] {
            operator.resize(width, height);
            operator.press(&["j"]);
            operator.settle().await;
        }
        operator.sees("documents 300").await;
        assert!(operator.cursor_line().contains("Document 0006"), "{}", operator.screen());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn q_ends_and_escape_never_does() {
    let (ended, _) = with(quiet_store(3), async |operator| {
        operator.press(&["esc", "esc", "esc"]);
        operator.settle().await;
        operator.sees("documents 3").await;
        operator.press(&["q"]);
    })
    .await;
    assert_eq!(ended.exit, ExitReason::Quit);
}

#[tokio::test(start_paused = true)]
async fn a_terminal_that_takes_nothing_any_more_is_left() {
    let (ended, _) = with(quiet_store(3), async |operator| {
        operator.lose_terminal();
        operator.press(&["j"]);
        operator.settle().await;
    })
    .await;
    assert_eq!(ended.exit, ExitReason::Left);
}
