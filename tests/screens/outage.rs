//! Tests the console while the database does not answer: the head line says so, and nothing looks alive.

use crate::support::facts::documents;
use crate::support::screen::Screen;
use quarterdeck::runner::event::Health;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::msg::Msg;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn asks_for_the_list(screen: &mut Screen) -> bool {
    screen.asked().iter().any(|effect| matches!(effect, Effect::LoadPage { .. }))
}

fn fail_the_list(screen: &mut Screen) {
    let generation = screen.model.documents.generation;
    screen.send(Msg::Page { generation, answer: Err("the database does not answer: connection refused".into()) });
}

#[test]
fn any_failed_read_shows_that_the_database_is_away_until_it_is_back() {
    let failures: [fn() -> Msg; 6] = [
        || Msg::Counts(Err("connection refused".into())),
        || Msg::Queue(Err("connection refused".into())),
        || Msg::Pauses(Err("connection refused".into())),
        || Msg::Workers(Err("connection refused".into())),
        || Msg::NewestOutcomes(Err("connection refused".into())),
        || Msg::OutcomesUnreachable("connection refused".into()),
    ];
    for (width, height) in [(120, 40), (80, 24), (40, 12)] {
        for failed in failures {
            let mut screen = Screen::usual(width, height);
            screen.page(documents());
            screen.asked();
            screen.send(failed());
            assert!(asks_for_the_list(&mut screen), "the list is read at once");
            fail_the_list(&mut screen);
            // All reads fail, again and again.
            for second in 0..12 {
                assert!(
                    screen.text().contains(&format!("database away {second} s, again in 1 s")),
                    "{}",
                    screen.text()
                );
                screen.model.now = screen.model.now.plus(SECOND);
                failures.iter().for_each(|failed| screen.send(failed()));
                fail_the_list(&mut screen);
            }
            let told: Vec<_> = screen.model.notices.activity().map(|notice| notice.text.to_string()).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].contains("connection refused"), "{told:?}");
            screen.page(documents());
            assert!(!screen.text().contains("database away"), "{}", screen.text());
            let told: Vec<_> = screen.model.notices.activity().map(|notice| notice.text.to_string()).collect();
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told.iter().any(|text| text == "the database answers again"), "{told:?}");
        }
    }
}

#[test]
fn a_failed_list_is_read_again_within_a_second() {
    let mut screen = Screen::usual(120, 40);
    for _ in 0..20 {
        screen.asked();
        fail_the_list(&mut screen);
        let waits: Vec<_> = screen
            .asked()
            .into_iter()
            .filter_map(|effect| match effect {
                Effect::LoadPage { wait, .. } => Some(wait),
                _ => None,
            })
            .collect();
        assert!(waits.len() == 1 && waits[0] < SECOND, "{waits:?}");
    }
}

#[test]
fn countdowns_stand_still_during_an_outage() {
    let mut screen = Screen::usual(120, 40);
    let countdown = |screen: &Screen| {
        let text = screen.text();
        let row = text.lines().find(|line| line.contains(" in ") && line.contains('↻')).expect("a waiting row");
        row.split(" in ").nth(1).expect("a countdown").split_whitespace().next().expect("a time").to_owned()
    };
    let before = countdown(&screen);
    let health = Health::Unreachable {
        since: screen.model.now,
        reason: "it is locked by process 4711 (quarterdeck), which is stopped".into(),
        next_try_at: screen.model.now.plus(3 * SECOND),
    };
    screen.send(Msg::Health(health));
    assert!(screen.text().contains("database away 0 s, again in 3 s"), "{}", screen.text());
    assert!(screen.text().contains("locked by process 4711 (quarterdeck), which is stopped"), "{}", screen.text());
    screen.model.now = screen.model.now.plus(2 * SECOND);
    assert!(screen.text().contains("database away 2 s, again in 1 s"), "{}", screen.text());
    assert_eq!(countdown(&screen), before);
    screen.send(Msg::Health(Health::Fine));
    assert_ne!(countdown(&screen), before);
}
