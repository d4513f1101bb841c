//! Tests of the table, and of keys from the config.

use super::sequence::KeySequence;
use super::*;
use crate::config::KeyBinding;
use crate::tui::scope::KeyScope;
use crate::tui::scope::PaneId;
use crate::tui::views::catalog::ViewId;
use crossterm::event::KeyCode;
use proptest::prelude::*;
use proptest::{collection, sample};

#[test]
fn no_key_means_two_things_in_one_scope() {
    for scope in KeyScope::all() {
        let mut seen = Vec::new();
        for binding in TABLE.iter().filter(|binding| binding.scopes.contains(scope)) {
            for key in binding.keys {
                assert!(!seen.contains(key), "{} twice in {scope:?}", key.label(false));
                seen.push(*key);
            }
        }
    }
}

#[test]
fn every_row_is_complete_and_its_action_is_listed_once() {
    for (place, binding) in TABLE.iter().enumerate() {
        assert!(!binding.keys.is_empty() && binding.scopes.list().next().is_some(), "{:?}", binding.action);
        assert!(!binding.word.is_empty() && !binding.description.is_empty(), "{:?}", binding.action);
        assert!(TABLE.iter().skip(place + 1).all(|other| other.action != binding.action), "{:?}", binding.action);
    }
}

#[test]
fn where_text_is_typed_no_letter_is_a_command() {
    for binding in TABLE.iter() {
        if binding.scopes.list().any(KeyScope::types_text) {
            assert!(binding.keys.iter().all(|key| !key.is_text()), "{:?}", binding.action);
        }
    }
}

#[test]
fn every_pane_has_help_palette_a_way_back_and_a_way_out() {
    let map = Keymap::default();
    for pane in PaneId::all() {
        for (key, action) in [
            (Key::char('?'), Action::Help),
            (Key::char(':'), Action::Palette),
            (Key::of(KeyCode::Esc), Action::Back),
            (Key::char('q'), Action::Quit),
            (Key::char('j'), Action::Down),
        ] {
            assert_eq!(map.lookup(KeyScope::Pane(pane), &[key]), KeyMatch::Action(action), "{pane:?}");
        }
        for view in ViewId::ALL {
            for key in view.keys() {
                let shows = KeyMatch::Action(Action::ShowView(*view));
                assert_eq!(map.lookup(KeyScope::Pane(pane), &[*key]), shows, "{pane:?}");
            }
        }
    }
}

fn line(at: usize, action: &str, keys: &[&str]) -> KeyBinding {
    let keys = keys.iter().map(|key| (*key).to_owned()).collect();
    KeyBinding { action: action.to_owned(), keys, origin: format!("config.toml:{at}") }
}

fn mistakes(lines: &[(&str, &[&str])]) -> Vec<String> {
    let lines: Vec<_> = lines.iter().enumerate().map(|(at, (action, keys))| line(at + 1, action, keys)).collect();
    Keymap::configured(&lines).err().map_or(Vec::new(), |found| found.iter().map(ToString::to_string).collect())
}

#[test]
fn own_keys_replace_those_of_the_action_and_win_over_default_keys() {
    let settings = [
        line(1, "sync", &["S"]),
        line(2, "retry", &["r", "ctrl-e"]),
        line(3, "remove", &[]),
        line(4, "quit", &["space q"]),
    ];
    let map = Keymap::configured(&settings).expect("no mistakes");
    let here = |keys: &[Key]| map.lookup(KeyScope::DOCUMENTS, keys);
    let (space, q) = (Key::char(' '), Key::char('q'));
    assert_eq!(here(&[Key::char('S')]), KeyMatch::Action(Action::Sync));
    assert_eq!(here(&[Key::char('s')]), KeyMatch::Nothing);
    assert_eq!(here(&[Key::ctrl('e')]), KeyMatch::Action(Action::Retry));
    assert_eq!(here(&[Key::of(KeyCode::Delete)]), KeyMatch::Nothing);
    // The space bar begins a chord in every pane, and so no longer marks.
    assert_eq!((here(&[space]), here(&[q])), (KeyMatch::Begun, KeyMatch::Nothing));
    assert_eq!(here(&[space, q]), KeyMatch::Action(Action::Quit));
    assert_eq!(here(&[space, space]), KeyMatch::Nothing);
    let after: Vec<_> = map.continuations(KeyScope::DOCUMENTS, &[space], true);
    assert_eq!(after.iter().map(|(key, of)| (key.as_str(), of.word)).collect::<Vec<_>>(), [("q", "quit")]);
    // Sources have another action for the letter, which shares no scope with the own one.
    let sources = map.lookup(KeyScope::SOURCES, &[Key::char('s')]);
    assert_eq!(sources, KeyMatch::Action(Action::ReadSource));
    let labels = [Action::Sync, Action::SyncAll, Action::Quit, Action::Mark, Action::Retry, Action::Remove];
    assert_eq!(labels.map(|action| map.label(action, true)), ["S", ": sync all", "space q", ": mark", "r", ": remove"]);
}

#[test]
fn an_action_without_keys_is_named_as_the_palette_finds_it() {
    let map = Keymap::configured(&[line(1, "palette", &["f5"]), line(2, "undo", &[])]).expect("no mistakes");
    assert_eq!(map.label(Action::Undo, true), "f5 undo");
    let map = Keymap::configured(&[line(1, "palette", &[]), line(2, "undo", &[])]).expect("no mistakes");
    assert_eq!((map.label(Action::Undo, true), map.label(Action::Palette, true)), ("undo".into(), "palette".into()));
}

#[test]
fn every_mistake_names_its_line_the_key_the_actions_and_the_scope() {
    let one = |lines: &[(&str, &[&str])], says: &str| assert_eq!(mistakes(lines), [says], "{lines:?}");
    one(&[("snyc", &["S"])], "config.toml:1: keys.snyc: there is no such action (did you mean sync?)");
    one(
        &[("hjkl", &["S"])],
        "config.toml:1: keys.hjkl: there is no such action (`quarterdeck keys` lists all actions)",
    );
    one(&[("sync", &["entre"])], "config.toml:1: keys.sync: entre is no key (did you mean enter?)");
    one(&[("sync", &["a b c d"])], "config.toml:1: keys.sync: a b c d has more than 3 keys");
    one(
        &[("sync", &[""])],
        "config.toml:1: keys.sync: an empty text is no key; [] is no key at all, and space is the space bar",
    );
    one(
        &[("sync", &["S"]), ("retry", &["f5", "S"])],
        "config.toml:2: keys.retry: S is also the key of sync, in the scope \"documents\"",
    );
    one(
        &[("sync", &["m"]), ("quit", &["m q"])],
        "config.toml:2: keys.quit: m q begins with m, the key of sync, in the scope \"documents\"",
    );
    one(
        &[("sync", &["m s"]), ("quit", &["m"])],
        "config.toml:2: keys.quit: m is how the keys m s of sync begin, in the scope \"documents\"",
    );
    one(
        &[("sync", &["m", "m s"])],
        "config.toml:1: keys.sync: m s begins with m, the key of sync, in the scope \"documents\"",
    );
    one(
        &[("close", &["esc", "Q"])],
        "config.toml:1: keys.close: Q is typed as text in the scope \"typing\"; use a key that types nothing",
    );
    one(
        &[("sync", &["g esc"])],
        "config.toml:1: keys.sync: g esc: esc leaves keys that were begun, and cannot be one of them",
    );
    one(&[("sync", &["^c"])], "config.toml:1: keys.sync: ^c always quits, and can have no other action");
    one(&[("interrupt", &[])], "config.toml:1: keys.interrupt: its key is always ^c");
    one(&[("quit", &[])], "config.toml:1: keys.quit: needs a key: the console could then only be interrupted with ^c");
    one(&[("close", &[])], "config.toml:1: keys.close: needs a key: help, lists and dialogs could then not be left");
    one(
        &[("sync", &["q"])],
        "config.toml:1: keys.sync: takes q, the only key of quit: the console could then only be interrupted with ^c; \
         set keys.quit",
    );
    // Two own keys are no conflict where no scope has both actions, nor is a key that is listed twice.
    assert_eq!(
        mistakes(&[("accept_proposal", &["m"]), ("add", &["m", "m"]), ("sync", &["q"]), ("quit", &["Q"])]),
        [""; 0]
    );
}

#[test]
fn the_interrupt_is_one_key_in_every_scope_whatever_the_config_has() {
    let map = Keymap::configured(&[line(1, "quit", &["f10"]), line(2, "close", &["f9"])]).expect("no mistakes");
    for scope in KeyScope::all() {
        assert_eq!(map.lookup(scope, &[Key::ctrl('c')]), KeyMatch::Action(Action::Interrupt), "{scope:?}");
    }
}

/// A few lines of actions of the table with keys of a small set, so that many of them clash.
fn any_lines() -> impl Strategy<Value = Vec<KeyBinding>> {
    let action = sample::select(TABLE.iter().map(|binding| name(binding.action)).collect::<Vec<_>>());
    let key = sample::select(vec![
        "a", "S", "q", "esc", "enter", "space", "f1", "^x", "tab", "f1 a", "^x q", "space q", "^x q f1",
    ]);
    let pair = (action, collection::vec(key, 0..3));
    collection::vec(pair, 0..5).prop_map(|lines| {
        let lines = lines.into_iter().collect::<std::collections::BTreeMap<_, _>>();
        lines.into_iter().map(|(action, keys)| line(1, action, &keys)).collect()
    })
}

proptest! {
    #[test]
    fn with_any_keys_that_are_accepted_none_has_two_actions_in_a_scope_and_there_is_a_way_out(lines in any_lines()) {
        let Ok(map) = Keymap::configured(&lines) else { return Ok(()) };
        for scope in KeyScope::all() {
            let here = map.actions().filter(|bound| bound.binding.scopes.contains(scope));
            let keys: Vec<_> = here.flat_map(|bound| &bound.keys).collect();
            for (at, one) in keys.iter().enumerate() {
                prop_assert!(keys.iter().skip(at + 1).all(|other| !one.clashes_with(other)), "{one:?} in {scope:?}");
                prop_assert!(!scope.types_text() || !one.keys()[0].is_text(), "{one:?} in {scope:?}");
            }
        }
        for action in [Action::Quit, Action::Interrupt, Action::Close] {
            prop_assert!(!map.keys(action).is_empty(), "{action:?}");
        }
        for setting in &lines {
            let own = map.actions().find(|bound| name(bound.binding.action) == setting.action).expect("it is known");
            let written: Vec<_> = setting.keys.iter().map(|key| KeySequence::parse(key).expect("a key")).collect();
            prop_assert!(own.keys.iter().all(|key| written.contains(key)) && own.keys.is_empty() == written.is_empty());
        }
    }
}
