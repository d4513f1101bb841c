//! Tests what the screen says about keys of the config.

use super::{SIZES, shot};
use crate::support::facts::options;
use crate::support::screen::Screen;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use quarterdeck::config::KeyBinding;
use quarterdeck::tui::action::Action;
use quarterdeck::tui::effect::Effect;
use quarterdeck::tui::keymap::{TABLE, name};
use quarterdeck::tui::msg::Msg;
use quarterdeck::tui::views::catalog::ViewId;
use quarterdeck::tui::{Keymap, Options};

fn keymap(lines: &[(&str, &[&str])]) -> Keymap {
    let line = |(action, keys): &(&str, &[&str])| KeyBinding {
        action: (*action).to_owned(),
        keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        origin: "config.toml:1".to_owned(),
    };
    Keymap::configured(&lines.iter().map(line).collect::<Vec<_>>()).expect("no mistakes")
}

fn own(lines: &[(&str, &[&str])], width: u16, height: u16) -> Screen {
    Screen::with(Options { keymap: keymap(lines), ..options() }, width, height)
}

const OWN: &[(&str, &[&str])] = &[
    ("sync", &["S"]),
    ("retry", &["f5", "m r"]),
    ("cancel", &["m x"]),
    ("undo", &[]),
    ("down", &["n"]),
    ("help", &["f1"]),
    ("quit", &["space q"]),
];

#[test]
fn footer_help_and_texts_name_own_keys() {
    for (width, height) in SIZES {
        let mut screen = own(OWN, width, height);
        shot(&format!("own-keys-{width}x{height}"), &screen);
        screen.press(&["m"]);
        shot(&format!("own-keys-begun-{width}x{height}"), &screen);
        screen.press(&["esc"]);
        screen.press(&["f1"]);
        shot(&format!("own-keys-help-{width}x{height}"), &screen);
    }
}

#[test]
fn keys_that_were_begun_are_left_with_the_scope() {
    let mut screen = own(OWN, 120, 40);
    screen.press(&["space"]);
    assert!(screen.text().contains("esc leave"));
    screen.press(&["f1"]);
    assert!(screen.text().contains("space f1 has no action; f1 lists the keys"), "{}", screen.text());
    screen.press(&["f1"]);
    screen.press(&["space", "q"]);
    assert!(!screen.asked().iter().any(|effect| matches!(effect, Effect::End(_))), "the help has no such keys");
    screen.press(&["f1"]);
    assert!(screen.model.overlay.is_none(), "the key that opens the help closes it");
    screen.press(&["m", "x"]);
    assert!(screen.asked().iter().any(|effect| matches!(effect, Effect::RunCommand(_))), "m x cancels");
}

/// Returns two letters after ctrl-x for each action, in the order of the table.
fn chains() -> impl Iterator<Item = (&'static str, String)> {
    let letter = |at: usize| char::from(b'a' + u8::try_from(at).expect("few actions"));
    TABLE
        .iter()
        .enumerate()
        .map(move |(at, row)| (name(row.action), format!("ctrl-x {} {}", letter(at / 26), letter(at % 26))))
}

#[test]
fn every_action_but_the_interrupt_takes_other_keys_and_no_sentence_keeps_the_old_one() {
    let lines: Vec<(&str, String)> = chains().filter(|(action, _)| *action != "interrupt").collect();
    let lines: Vec<(&str, [&str; 1])> = lines.iter().map(|(action, keys)| (*action, [keys.as_str()])).collect();
    let lines: Vec<(&str, &[&str])> = lines.iter().map(|(action, keys)| (*action, keys.as_slice())).collect();
    let mut screen = own(&lines, 200, 60);
    let press = |screen: &mut Screen, action: Action| {
        let (_, keys) = chains().find(|(known, _)| *known == name(action)).expect("every action has keys");
        screen.send(Msg::Key(KeyEvent::new(KeyCode::Char('x'), KeyModifiers::CONTROL)));
        screen.press(&keys.split(' ').skip(1).collect::<Vec<_>>());
    };
    let mut seen = screen.text();
    for _ in 0..30 {
        press(&mut screen, Action::Down);
        seen.push_str(&screen.text());
    }
    for view in ViewId::ALL {
        press(&mut screen, Action::ShowView(*view));
        assert_eq!(screen.model.active_view, *view);
        seen.push_str(&screen.text());
    }
    press(&mut screen, Action::ShowView(ViewId::Documents));
    for action in [Action::Help, Action::Workers, Action::Filter, Action::Palette, Action::Quit] {
        press(&mut screen, action);
        assert!(screen.model.overlay.is_some(), "{action:?} opens");
        seen.push_str(&screen.text());
        press(&mut screen, Action::Close);
        assert!(screen.model.overlay.is_none(), "{action:?} is closed");
    }
    let old = [
        "s syncs",
        "r retries",
        "x stops",
        "x ends",
        "x gives",
        "p pauses",
        "h lists",
        " ⏎ ",
        "s reads",
        "j scrolls",
        "/ searches",
        "? help",
        ": palette",
        "q quit",
        "esc ",
        "tab:",
    ];
    let kept: Vec<_> = old.iter().filter(|old| seen.contains(**old)).collect();
    assert!(kept.is_empty(), "{kept:?}");
    assert!(seen.contains("^x a a syncs it now"), "the sentences were there");
}
