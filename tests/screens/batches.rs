//! Tests the line about a batch and the list of batches: every phase, at every size.

use super::{SIZES, shot};
use crate::support::facts::{NOW, ago};
use crate::support::screen::Screen;
use quarterdeck::domain::batch::{BatchAct, BatchCounts, BatchOrigin, BatchSelection, BatchState, BatchSummary};
use quarterdeck::domain::id::{BatchId, DocumentId};
use quarterdeck::domain::request::{RequestKind, RequestScope};
use quarterdeck::tui::command::{Command, CommandKind};
use quarterdeck::tui::msg::{CommandResult, Msg};
use std::time::Duration;

fn batch(id: i64, state: BatchState, counts: BatchCounts) -> BatchSummary {
    BatchSummary {
        id: BatchId(id),
        act: BatchAct::Sync,
        origin: BatchOrigin::Console,
        selection: BatchSelection::Filter,
        filter: Some("host:docs.example.org status:stale".into()),
        created_at: ago(90),
        created_by: "ana".into(),
        begins_at: ago(85),
        state,
        holder: Some("vm:7".into()),
        ended_at: None,
        counts,
    }
}

/// One batch of each phase, the newest first.
fn batches() -> Vec<BatchSummary> {
    let working = BatchCounts { queued: 1_157, running: 16, retrying: 4, done: 792, failed: 31, ..Default::default() };
    let ended = BatchCounts { done: 1_969, failed: 31, skipped: 2, ..BatchCounts::default() };
    vec![
        BatchSummary {
            begins_at: NOW.plus(Duration::from_secs(4)),
            created_at: ago(1),
            ..batch(12, BatchState::Waiting, BatchCounts { waiting: 2_000, ..BatchCounts::default() })
        },
        batch(11, BatchState::Acting, working),
        BatchSummary {
            act: BatchAct::Remove,
            selection: BatchSelection::Marked,
            filter: None,
            holder: None,
            created_by: "bob".into(),
            ..batch(10, BatchState::Acting, BatchCounts { waiting: 210, done: 190, ..BatchCounts::default() })
        },
        batch(9, BatchState::Paused, BatchCounts { waiting: 40, done: 2, ..BatchCounts::default() }),
        BatchSummary { ended_at: Some(ago(40)), ..batch(8, BatchState::Done, ended) },
        BatchSummary {
            ended_at: Some(ago(40)),
            act: BatchAct::Cancel,
            filter: Some("".into()),
            ..batch(7, BatchState::Stopped, BatchCounts { waiting: 7, done: 3, ..BatchCounts::default() })
        },
    ]
}

/// A console that has made the batch `own` and sees `list`.
fn screen(own: i64, list: Vec<BatchSummary>, (width, height): (u16, u16)) -> Screen {
    let mut screen = Screen::usual(width, height);
    let command = Command {
        kind: CommandKind::Request(RequestKind::Sync, RequestScope::Bulk),
        documents: vec![DocumentId(1), DocumentId(2)],
        name: None,
        filter: None,
    };
    screen.send(Msg::CommandDone(command, Ok(CommandResult::BatchBegun(BatchId(own)))));
    screen.send(Msg::Batches(Ok(list)));
    screen
}

#[test]
fn the_line_and_the_list_at_three_sizes() {
    for (width, height) in SIZES {
        let mut screen = screen(12, batches(), (width, height));
        shot(&format!("batch-line-{width}x{height}"), &screen);
        screen.press(&["b", "j"]);
        shot(&format!("batches-{width}x{height}"), &screen);
    }
    let mut none = screen(12, Vec::new(), (80, 24));
    none.press(&["b"]);
    shot("batches-none-80x24", &none);
}

#[test]
fn each_phase_has_its_words_and_keys() {
    let all = batches();
    for (index, words, keys) in [
        (0, "batch 12 sync 2,000 documents begins in 0:04", "U undo"),
        (1, "batch 11 sync 823 of 2,000, 31 failed", "b batches"),
        (2, "batch 10 remove of bob left unfinished, 210 left", "b batches"),
        (3, "batch 9 sync paused, 40 left", "b batches"),
        (4, "batch 8 1,969 synced, 31 failed, 2 skipped", "b ⏎ shows the failed"),
        (5, "batch 7 stopped: 3 cancelled, 7 not begun", "b batches"),
    ] {
        let one = all[index].clone();
        let shown = screen(one.id.0, vec![one], (120, 40)).text();
        let line = shown.lines().find(|line| line.contains(" batch ")).unwrap_or_else(|| panic!("no line on\n{shown}"));
        assert!(line.contains(words) && line.trim_end().ends_with(keys), "{words}, {keys}: {line}");
    }
}

#[test]
fn the_rate_is_that_of_the_batch_and_the_line_goes_when_its_results_were_seen() {
    let working = |done, now: u64| {
        let counts = BatchCounts { queued: 1_000 - done, done, ..BatchCounts::default() };
        (now, vec![batch(3, BatchState::Acting, counts)])
    };
    let mut screen = screen(3, working(100, 0).1, (120, 40));
    screen.model.now = NOW.plus(Duration::from_secs(10));
    screen.send(Msg::Batches(Ok(working(300, 10).1)));
    assert!(screen.text().contains("sync 300 of 1,000, 20/s, about 35 s left"), "{}", screen.text());
    let ended = batch(3, BatchState::Done, BatchCounts { done: 1_000, ..BatchCounts::default() });
    screen.send(Msg::Batches(Ok(vec![ended])));
    assert!(screen.text().contains("✓ batch 3 1,000 synced"), "{}", screen.text());
    screen.press(&["b", "esc"]);
    assert!(!screen.text().contains("batch 3"), "{}", screen.text());
}
