//! Tests the effect of keys and messages on the state, without an event loop: dialogs, leaving, folding, footer.

use crate::support::facts::{NOW, document, failure, options, outcome, within, workers};
use crate::support::screen::Screen;
use quarterdeck::domain::document::{Status, StatusCounts};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::runner::event::{Event, LockHealth, Phase, RunnerStatus};
use quarterdeck::store::{DiskUse, SchemaMismatch, Sort, SortBy, WorkerHealth, WorkerSummary};
use quarterdeck::tui::ExitReason;
use quarterdeck::tui::effect::{CommandKind, Effect};
use quarterdeck::tui::keymap::{Keymap, keys_markdown, keys_text};
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::outcomes::pin::PinSubject;
use std::time::Duration;

fn ends(screen: &mut Screen) -> Option<ExitReason> {
    screen.asked().into_iter().find_map(|effect| match effect {
        Effect::End(exit) => Some(exit),
        _ => None,
    })
}

#[test]
fn quitting_while_jobs_run_asks_and_drains() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["q"]);
    assert!(screen.text().contains("[ Stay ]"), "staying has the focus");
    screen.press(&["enter"]);
    assert_eq!(ends(&mut screen), None);
    screen.press(&["q", "tab", "enter"]);
    assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::Drain)));
    screen.send(Msg::Status(RunnerStatus { phase: Phase::Draining, busy: 3, slots: 16 }));
    assert!(screen.text().contains("draining, 3 left"));
    assert_eq!(ends(&mut screen), None, "it waits for what runs");
    screen.send(Msg::RunnerEnded);
    assert_eq!(ends(&mut screen), Some(ExitReason::Drained));
}

#[test]
fn a_console_that_is_older_than_its_store_says_so_and_only_reads() {
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        let mut screen = Screen::usual(width, height);
        let mismatch = SchemaMismatch { store: 10, program: 9 };
        screen.send(Msg::Schema(None));
        assert!(!screen.text().contains("outdated"));
        screen.send(Msg::Schema(Some(mismatch)));
        assert!(screen.text().contains("outdated: upgrade and restart"), "{}", screen.text());
        // The end of the runner's task is not reported a second time.
        screen.send(Msg::RunnerEnded);
        assert_eq!(ends(&mut screen), None, "what is there can still be read");
        let told: Vec<_> = screen.model.notices.activity().map(|notice| notice.text.to_string()).collect();
        assert_eq!(told, [mismatch.to_string()]);
        screen.asked();
        screen.press(&["s"]);
        assert!(screen.asked().is_empty(), "nothing is asked for any more");
        // The database's own error text would be misleading.
        let generation = screen.model.documents.generation;
        screen.send(Msg::Page { generation, answer: Err("no such column: d.name".into()) });
        assert_eq!(
            screen.model.read_failure.as_ref().map(|stale| stale.reason.to_string()),
            Some(mismatch.to_string())
        );
        screen.press(&["q"]);
        assert_eq!(ends(&mut screen), Some(ExitReason::Quit), "nothing runs: there is nothing to ask");
    }
}

/// On a database of Chatwoot.
#[test]
fn counts_that_may_be_old_say_so_beside_the_total() {
    let mut counts = StatusCounts::default();
    counts.max_age = Some(Duration::from_secs(30));
    counts.set(Status::Synced, 1_088);
    counts.set(Status::Failed, 41);
    for (width, text) in
        [(200, "1,129 documents, counts up to 30 s old"), (100, "up to 30 s old"), (80, "up to 30 s old")]
    {
        let mut screen = Screen::usual(width, 40);
        assert!(!screen.text().contains("30 s old"));
        screen.send(Msg::Counts(Ok(counts)));
        assert!(screen.text().contains(text), "{}", screen.text());
        assert!(screen.text().contains("41"), "{}", screen.text());
    }
}

#[test]
fn the_first_interrupt_asks_and_the_second_ends() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["ctrl-c"]);
    assert!(screen.text().contains("quit while jobs run"));
    assert_eq!(ends(&mut screen), None);
    screen.press(&["ctrl-c"]);
    assert_eq!(ends(&mut screen), Some(ExitReason::Left));
    // With nothing running, quitting does not ask.
    let mut idle = Screen::usual(120, 40);
    idle.send(Msg::Status(RunnerStatus { phase: Phase::Running, busy: 0, slots: 16 }));
    idle.press(&["ctrl-c"]);
    assert_eq!(ends(&mut idle), Some(ExitReason::Quit));
}

/// While the database is slow, results wait to be written, and their slots are used again.
#[test]
fn never_more_slots_are_busy_than_there_are() {
    let mut screen = Screen::usual(120, 40);
    screen.send(Msg::Status(RunnerStatus { phase: Phase::Running, busy: 17, slots: 16 }));
    assert!(screen.text().contains("16/16"), "{}", screen.text());
}

#[test]
fn leaving_releases_what_runs() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["q", "tab", "tab", "enter"]);
    let asked = screen.asked();
    assert!(matches!(asked.as_slice(), [Effect::ReleaseJobs, Effect::End(ExitReason::Left)]), "{asked:?}");
}

#[test]
fn a_failure_and_its_exhaustion_are_one_entry() {
    let mut screen = Screen::usual(120, 40);
    let before = screen.model.panel.entries().len();
    let tried =
        failure(20_113, 1, "Last try", OutcomeResult::TransientFailure, ErrorCode::Timeout, "no answer in 20 s");
    let job = tried.job_id;
    let between = outcome(20_114, 2, "Between", OutcomeResult::Unchanged);
    let given_up = Outcome {
        job_id: job,
        ..failure(
            20_115,
            1,
            "Last try",
            OutcomeResult::TransientRetryExhausted,
            ErrorCode::Timeout,
            "given up after 4 attempts",
        )
    };
    screen.arrive(vec![tried, between, given_up]);
    assert_eq!(screen.model.panel.entries().len(), before + 2);
    assert!(screen.text().contains("✗ Last try") && screen.text().contains("given up after 4 attempts"));
}

#[test]
fn a_run_of_purged_jobs_is_one_counted_entry() {
    let mut screen = Screen::usual(120, 40);
    let purged = |seq| Outcome { content: None, duration_ms: None, ..outcome(seq, seq, "Old", OutcomeResult::Purged) };
    screen.arrive((20_113..20_313).map(purged).collect());
    assert!(screen.text().contains("purged 200 documents"), "{}", screen.text());
    screen.arrive(vec![outcome(20_313, 1, "After", OutcomeResult::Updated), purged(20_314)]);
    assert!(screen.text().contains("dropped from the queue"));
}

#[test]
fn unchanged_is_hidden_and_shown_again() {
    let mut screen = Screen::usual(120, 40);
    assert!(screen.text().contains("= Working hours"));
    screen.press(&["u"]);
    assert!(!screen.text().contains("= Working hours") && screen.text().contains("✓ Install the widget"));
    screen.press(&["u"]);
    assert!(screen.text().contains("= Working hours"));
}

#[test]
fn failures_alone_are_followed_by_one_key_from_any_view() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["e", "3", "F"]);
    assert!(screen.model.panel.follows(), "it was scrolled");
    let shows = |screen: &Screen| screen.model.panel.shown(screen.model.now).all(|entry| entry.result().is_failure());
    assert!(shows(&screen) && screen.text().contains("failures ● following"), "{}", screen.text());
    screen.arrive(vec![outcome(20_313, 1, "Works", OutcomeResult::Updated)]);
    screen.arrive(vec![outcome(20_314, 2, "Breaks", OutcomeResult::PermanentFailure)]);
    assert!(shows(&screen) && screen.text().contains("✗ Breaks") && !screen.text().contains("✓ Works"));
    screen.press(&["F"]);
    assert!(!shows(&screen) && screen.text().contains("✓ Works"));
}

#[test]
fn failures_are_walked_with_e_from_any_pane() {
    let mut screen = Screen::usual(120, 40);
    let at = |screen: &Screen| screen.model.panel.selected().map(|entry| entry.seq().0);
    screen.press(&["e"]);
    assert_eq!(at(&screen), Some(20_112), "from the end the newest is meant");
    screen.press(&["E"]);
    assert_eq!(at(&screen), Some(20_108));
    screen.press(&["E", "E"]);
    assert_eq!(at(&screen), Some(20_092));
    screen.press(&["e"]);
    assert_eq!(at(&screen), Some(20_106));
}

#[test]
fn the_panel_is_pinned_to_a_document_and_let_go() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["."]);
    assert!(matches!(
        screen.asked().as_slice(),
        [Effect::LoadPinnedOutcomes(PinSubject::Document(DocumentId(812)), None)]
    ));
    let own = failure(
        20_112,
        812,
        "Pricing and plans",
        OutcomeResult::PermanentFailure,
        ErrorCode::NotFound,
        "404 Not Found",
    );
    screen.send(Msg::PinnedOutcomes(PinSubject::Document(DocumentId(812)), None, Ok(vec![own])));
    assert!(
        screen.text().contains("outcomes of Pricing and plans") && !screen.text().contains("Working hours   unchanged")
    );
    screen.arrive(vec![
        outcome(20_113, 5, "Another", OutcomeResult::Updated),
        outcome(20_114, 812, "Pricing and plans", OutcomeResult::Updated),
    ]);
    assert_eq!(screen.model.panel.entries().len(), 2);
    screen.press(&["."]);
    assert!(screen.text().contains("✓ Another"));
}

#[test]
fn keys_act_on_the_outcome_under_the_cursor_when_the_panel_has_them() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["tab", "r"]);
    assert!(screen.text().contains("select an outcome first: k moves up"));
    assert!(screen.asked().is_empty());
    screen.press(&["k", "r"]);
    let asked = screen.asked();
    let acts = asked
        .iter()
        .filter(|effect| matches!(effect, Effect::RunCommand(command) if command.documents == [DocumentId(102)]));
    assert_eq!(acts.count(), 1, "{asked:?}");
}

#[test]
fn a_column_letter_sorts_and_a_capital_turns_it_round() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&[",", "a"]);
    assert_eq!(screen.model.documents.sort, Sort { by: SortBy::Attempted, descending: false });
    screen.press(&[",", "D"]);
    assert_eq!(screen.model.documents.sort, Sort { by: SortBy::Name, descending: true });
    assert!(screen.text().contains("by document ↑"));
}

#[test]
fn the_footer_has_only_keys_that_do_something() {
    let footer = |screen: &Screen| screen.text().lines().last().unwrap_or_default().to_owned();
    let mut screen = Screen::usual(120, 40);
    assert!(footer(&screen).contains("r retry") && !footer(&screen).contains("x cancel"));
    screen.page(vec![document(1, "Running", Status::Syncing)]);
    assert!(footer(&screen).contains("x cancel") && !footer(&screen).contains("r retry"), "{}", footer(&screen));
    let reading = Screen::with(quarterdeck::tui::Options { read_only: true, ..options() }, 120, 40);
    for gone in ["sync", "retry", "cancel", "a add"] {
        assert!(!footer(&reading).contains(gone), "{}", footer(&reading));
    }
    screen.press(&["a"]);
    assert_eq!(footer(&screen).trim(), "⏎ add   esc close");
}

#[test]
fn a_panic_in_a_job_is_a_toast() {
    let mut screen = Screen::usual(120, 40);
    screen.send(Msg::Runner(Event::Panicked { message: "index out of bounds".into() }));
    assert!(screen.text().contains("a background task panicked; the console continues: index out of bounds"));
}

#[test]
fn a_running_row_says_its_step_and_a_queued_one_why_it_waits() {
    let mut screen = Screen::usual(120, 40);
    assert!(screen.text().contains("fetching…") && screen.text().contains("waits for a slot"));
    screen.send(Msg::Runner(Event::Ended { document: DocumentId(31) }));
    assert!(!screen.text().contains("fetching…"));
    let mut rows = vec![document(1, "Waits", Status::Queued)];
    for id in 2..4 {
        rows.push(quarterdeck::domain::document::DocumentRow {
            holder: Some("web-2".into()),
            ..document(id, "Runs", Status::Syncing)
        });
    }
    screen.page(rows);
    assert!(screen.text().contains("host busy 2/2"), "{}", screen.text());
}

#[test]
fn a_row_whose_lock_is_held_elsewhere_says_so_and_when_it_is_looked_at() {
    let mut screen = Screen::usual(120, 40);
    screen.page(vec![quarterdeck::domain::document::DocumentRow {
        holder: Some("Chatwoot".into()),
        next_attempt_at: Some(within(5)),
        ..document(1, "Held", Status::Waiting)
    }]);
    let text = screen.text();
    assert!(text.contains("locked by another worker: Ch"), "{text}");
    assert!(text.contains("Next lock check in 0:05"), "{text}");
    assert!(!text.contains("Next attempt"), "{text}");
}

#[test]
fn a_redis_that_is_away_is_in_the_head_in_words_at_every_width() {
    let away = |since, reason: &str| LockHealth::Degraded { since, reason: reason.into() };
    for width in [120, 80, 40] {
        let mut screen = Screen::usual(width, 24);
        let head = |screen: &Screen| screen.text().lines().next().unwrap_or_default().to_owned();
        screen.send(Msg::Locks(LockHealth::Fine));
        assert!(!head(&screen).contains("redis"), "{}", head(&screen));
        screen.send(Msg::Locks(away(NOW, "127.0.0.1:6379: Connection refused")));
        assert!(head(&screen).contains("DEGRADED: Redis unreachable"), "{}", head(&screen));
        screen.send(Msg::Locks(LockHealth::Stopped { since: NOW, reason: "x".into() }));
        assert!(head(&screen).contains("Redis unreachable, syncs stopped"), "{}", head(&screen));
        screen.send(Msg::Locks(LockHealth::Fine));
        assert!(!head(&screen).contains("redis"), "{}", head(&screen));
    }
}

#[test]
fn utc_is_a_key_away_and_the_head_says_so() {
    let mut screen = Screen::usual(120, 40);
    assert!(screen.text().contains("14:02 +01"));
    screen.press(&["t"]);
    assert!(screen.text().contains("13:02 UTC") && screen.text().contains("13:02:31 ✗"));
}

#[test]
fn the_palette_runs_what_it_finds_and_says_why_it_cannot() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&[":"]).type_text("sync all").press(&["enter"]);
    assert!(screen.text().contains("sync every document that matches"));
    screen.press(&["esc", ":"]).type_text("no marks").press(&["enter"]);
    assert!(screen.text().contains("no marks: nothing is marked"), "{}", screen.text());
}

#[test]
fn one_request_never_asks_and_carries_the_document_seen() {
    let mut screen = Screen::usual(120, 40);
    screen.press(&["s"]);
    let asked = screen.asked();
    let [Effect::RunCommand(command)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(command.documents, [DocumentId(812)]);
    assert!(matches!(command.kind, CommandKind::Request(..)));
}

#[test]
fn a_clock_that_is_set_back_does_no_harm() {
    let mut screen = Screen::usual(120, 40);
    let earlier = NOW.minus(std::time::Duration::from_secs(3_600));
    quarterdeck::tui::update::update(&mut screen.model, earlier, Msg::RefreshDue);
    assert_eq!(screen.model.now, NOW);
}

#[test]
fn both_prints_of_the_keys_name_every_scope() {
    for text in [keys_text(&Keymap::default()), keys_markdown()] {
        assert!(text.contains("documents") && text.contains("outcomes") && text.contains("palette"));
    }
}

#[test]
fn the_head_keeps_what_a_person_must_know_when_it_sheds() {
    let note = "demo: waits and time-outs shortened";
    for (width, kept) in [(120, true), (80, true), (40, false)] {
        let options = quarterdeck::tui::Options { note: Some(note.into()), ..options() };
        let head = Screen::with(options, width, 24).text().lines().next().unwrap_or_default().to_owned();
        assert!(head.contains("quarterdeck") && head.contains("8/16"), "{head}");
        assert_eq!(head.contains(note), kept, "{head}");
    }
}

#[test]
fn an_empty_store_offers_to_add_and_nothing_that_needs_documents() {
    let footer = |screen: &Screen| screen.text().lines().last().unwrap_or_default().to_owned();
    for (cols, rows) in [(120, 40), (40, 12)] {
        let mut screen = Screen::with(options(), cols, rows);
        screen.page(Vec::new());
        let footer = footer(&screen);
        assert!(footer.contains("a add"), "{footer}");
        for gone in ["filter", "sort", "sync"] {
            assert!(!footer.contains(gone), "{footer}");
        }
    }
}

#[test]
fn the_number_of_the_rows_before_is_not_given_to_a_new_filter() {
    let mut screen = Screen::usual(120, 40);
    assert!(screen.text().contains("documents 1,204 by"));
    screen.press(&["/"]);
    screen.press(&["q", "enter"]);
    assert!(screen.text().contains("documents … of 1,204 match q"), "{}", screen.text());
    screen.page(vec![document(1, "Quotas", Status::Synced)]);
    assert!(screen.text().contains("documents 1 of"), "{}", screen.text());
}

#[test]
fn a_reason_that_does_not_fit_into_a_line_has_another() {
    let mut screen = Screen::usual(40, 12);
    screen.press(&["/"]);
    for key in "status:faled".chars() {
        screen.press(&[&key.to_string()]);
    }
    assert!(screen.text().contains("failed?)"), "{}", screen.text());
}

#[test]
fn a_terminal_that_is_too_small_is_told_by_how_much() {
    let screen = Screen::usual(20, 5);
    assert!(screen.text().contains("needs 40x12 cells") && screen.text().contains("has 20x5"), "{}", screen.text());
}

#[test]
fn causes_beside_a_narrow_list_keep_when_they_are_tried_again() {
    let screen = Screen::usual(80, 24);
    assert!(screen.text().contains("attempt 2, next in 2:02"), "{}", screen.text());
    assert!(screen.text().contains("updated · 5.0 kB"), "{}", screen.text());
}

#[test]
fn what_happens_next_is_said_whole_at_every_width() {
    for (cols, rows) in [(120, 40), (80, 24)] {
        let mut screen = Screen::usual(cols, rows);
        for status in [Status::Failed, Status::Waiting, Status::Queued, Status::Stuck, Status::Stale, Status::Synced] {
            screen.page(vec![quarterdeck::domain::document::DocumentRow {
                next_attempt_at: (status == Status::Waiting).then(|| NOW.plus(std::time::Duration::from_secs(80))),
                failure_count: (status == Status::Waiting).then_some(quarterdeck::domain::document::FailureCount {
                    class: quarterdeck::domain::failure::FailureClass::Transient,
                    failures: 2,
                    attempts_allowed: 4,
                }),
                ..document(1, "Page", status)
            }]);
            let text = screen.text();
            let peek: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("╭─ Page")).collect();
            assert!(peek.iter().any(|line| line.contains("now") || line.contains("ends it.")), "{status:?}\n{text}");
            let end = peek.iter().find(|line| line.contains(" now") || line.contains(" it.")).unwrap_or(&"");
            assert!(!end.split('│').nth(1).unwrap_or_default().contains('…'), "{status:?}\n{text}");
        }
    }
}

#[test]
fn a_row_whose_worker_was_killed_says_so_where_no_other_one_runs() {
    let mut screen = Screen::usual(120, 40);
    screen.model.has_runner = false;
    let row = quarterdeck::domain::document::DocumentRow {
        holder: Some("web-2:4410".into()),
        sync_step: None,
        ..document(1, "Left", Status::Syncing)
    };
    screen.page(vec![row]);
    assert!(!screen.text().contains("its worker died"));
    screen.model.queue.workers = 0;
    let text = screen.text();
    assert!(text.contains("its worker died") && text.contains("The next worker restarts it."), "{text}");
}

fn head(screen: &Screen) -> String {
    screen.text().lines().next().unwrap_or_default().to_owned()
}

/// A console that only watches, with these workers.
fn watching(width: u16, workers: Vec<WorkerSummary>) -> Screen {
    let mut screen = Screen::usual(width, 24);
    screen.model.has_runner = false;
    screen.model.queue.workers = workers.len() as u64;
    screen.send(Msg::Workers(Ok(workers)));
    screen
}

#[test]
fn the_head_says_who_works_where_there_is_room() {
    let beating = |name: &str| WorkerSummary { name: name.into(), health: WorkerHealth::Alive, ..workers().remove(1) };
    for width in [120, 80, 40] {
        let screen = watching(width, vec![beating("a:1"), beating("b:2")]);
        assert!(head(&screen).contains("● 2 workers 10/32"), "{}", head(&screen));
    }
    assert!(head(&watching(120, workers())).contains("! 2 workers 8/32 1 late"), "one of the three is gone");
    let mut screen = watching(120, Vec::new());
    assert!(head(&screen).contains("○ no worker"), "{}", head(&screen));
    // With its own runner, a console shows the other workers if there is space, and nothing if it is the only one.
    screen.model.has_runner = true;
    screen.send(Msg::Workers(Ok(vec![beating("here:1")])));
    assert!(head(&screen).contains("8/16") && !head(&screen).contains("worker"), "{}", head(&screen));
    for (width, room) in [(120, true), (40, false)] {
        screen.model.size.0 = width;
        screen.send(Msg::Workers(Ok(vec![beating("here:1"), beating("b:2")])));
        assert_eq!(head(&screen).contains("2 workers 10/32"), room, "{}", head(&screen));
        assert!(head(&screen).contains("8/16"), "{}", head(&screen));
    }
}

#[test]
fn workers_are_a_key_away_and_scroll_where_there_are_many() {
    let mut screen = Screen::usual(80, 24);
    screen.asked();
    screen.press(&["w"]);
    assert!(screen.text().contains("Reading the workers."), "{}", screen.text());
    // The workers were asked for already, and are never asked for twice at a time.
    assert!(matches!(screen.asked().as_slice(), [Effect::LoadDiskUse, Effect::LoadSinks]));
    let disk = DiskUse { bytes: 180_000_000, unused: Some(9_000_000), outcomes: 300_000, ..DiskUse::default() };
    screen.send(Msg::DiskUse(Ok(disk)));
    let used = "The store takes 180 MB, of which 9.0 MB are unused; it has";
    screen.send(Msg::Workers(Ok(Vec::new())));
    assert!(screen.text().contains("No worker:"), "{}", screen.text());
    assert!(screen.text().contains(used), "{}", screen.text());
    let many = (0..40).map(|n| WorkerSummary { name: format!("host:{n}").as_str().into(), ..workers().remove(1) });
    screen.send(Msg::Workers(Ok(many.collect())));
    assert!(screen.text().contains("40 workers, 200 of 640 slots busy"), "{}", screen.text());
    assert!(screen.text().contains("host:0 ") && !screen.text().contains("host:39"));
    screen.press(&["G"]);
    assert!(!screen.text().contains("host:0 ") && screen.text().contains("host:39"), "{}", screen.text());
    screen.send(Msg::Workers(Err("the database file was moved or removed".into())));
    screen.press(&["g"]);
    assert!(screen.text().contains("Cannot read the workers: the database file was moved"), "{}", screen.text());
    assert!(screen.text().contains("host:0 "), "what was known stays");
    screen.press(&["w"]);
    assert!(!screen.text().contains("host:0 "));
    screen.press(&[":"]).type_text("worker list").press(&["enter"]);
    assert!(screen.text().contains("host:0 "), "by its name, too");
}
