//! Tests the failures view and the workers view: snapshots at every size.

use super::shot;
use crate::support::facts::{NOW, ago, document, options};
use crate::support::screen::Screen;
use crate::support::seen::{failures, jobs};
use quarterdeck::domain::document::{DocumentRow, Status};
use quarterdeck::domain::id::WorkerId;
use quarterdeck::store::{WorkerHealth, WorkerSummary};
use quarterdeck::tui::Options;
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewRows;
use quarterdeck::tui::views::workers::state::lines;

fn failures_view(options: Options, width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(options, width, height);
    screen.press(&["2"]);
    screen.send(Msg::Rows(ViewRows::Failures(Ok(failures()))));
    screen
}

/// Answers the read of the documents of the cause under the cursor.
fn answer_members(screen: &mut Screen) {
    let rows = vec![
        DocumentRow { url: "https://forum.acme.example/c/self-hosting".into(), ..document(71, "", Status::Failed) },
        document(72, "Feature requests", Status::Waiting),
        document(
            73,
            "A title that is far longer than the pane below the list of causes is wide, and is cut",
            Status::Failed,
        ),
    ];
    let generation = screen.model.members.generation;
    screen.send(Msg::Members { generation, answer: Ok(rows) });
}

#[test]
fn the_failures_at_every_size() {
    for (width, height) in [(200, 60), (120, 40), (80, 24), (40, 12)] {
        let mut screen = failures_view(options(), width, height);
        screen.press(&["j"]);
        answer_members(&mut screen);
        shot(&format!("failures-{width}x{height}"), &screen);
        screen.press(&["i"]);
        shot(&format!("failures-about-{width}x{height}"), &screen);
    }
}

#[test]
fn the_failures_in_ascii() {
    let screen = failures_view(Options { ascii: true, mono: true, ..options() }, 120, 40);
    shot("failures-ascii-120x40", &screen);
}

#[test]
fn the_workers_at_every_size() {
    for (width, height) in [(200, 60), (120, 40), (80, 24), (40, 12)] {
        let mut screen = Screen::with(options(), width, height);
        screen.press(&["6"]);
        let worker = |name: &str, health| WorkerSummary {
            id: WorkerId(name.into()),
            name: name.into(),
            capacity: 16,
            running: 2,
            started_at: ago(7_200),
            heartbeat_at: NOW,
            unfetchable: Vec::new(),
            health,
        };
        let workers = vec![worker("web-1:4711", WorkerHealth::Alive), worker("web-2:4410", WorkerHealth::Late)];
        screen.send(Msg::Workers(Ok(workers.clone())));
        screen.send(Msg::Rows(ViewRows::Workers(Ok(lines(workers, &jobs())))));
        shot(&format!("workers-view-{width}x{height}"), &screen);
    }
}
