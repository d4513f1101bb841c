//! A key as the key table names it: a code, with or without Control. Shift is part of the code: a capital letter, or
//! shift-tab.

use crate::domain::suggest::nearest;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with or without Control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
}

impl Key {
    /// The key that always quits, at the second time at once.
    pub const INTERRUPT: Self = Self::ctrl('c');

    /// Returns the key that types `c`.
    pub const fn char(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: false }
    }

    /// Returns the key of `c` together with Control.
    pub const fn ctrl(c: char) -> Self {
        Self { code: KeyCode::Char(c), ctrl: true }
    }

    /// Returns a key that types no character, such as Enter.
    pub const fn of(code: KeyCode) -> Self {
        Self { code, ctrl: false }
    }

    /// Converts a terminal event; `None` with Alt, Super or Meta. Some terminals report Shift with a capital letter and
    /// others do not; both give the same key.
    pub fn from_event(event: &KeyEvent) -> Option<Self> {
        if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let shift = event.modifiers.contains(KeyModifiers::SHIFT);
        let code = match event.code {
            KeyCode::Char(c) if ctrl => KeyCode::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) if shift => KeyCode::Char(c.to_ascii_uppercase()),
            KeyCode::Tab if shift => KeyCode::BackTab,
            code => code,
        };
        Some(Self { code, ctrl })
    }

    /// Returns true if the key types a character.
    pub const fn is_text(&self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.ctrl
    }

    /// Returns the key's name for people, such as `^d`, `esc` or `⏎`; ASCII only with `ascii`.
    pub fn label(&self, ascii: bool) -> String {
        let named = NAMES.iter().find(|(code, ..)| *code == self.code);
        let name = match (self.code, named) {
            (_, Some((_, name, sign))) => if ascii { *name } else { *sign }.to_owned(),
            (KeyCode::Char(c), None) => c.to_string(),
            (KeyCode::F(number), None) => format!("f{number}"),
            (other, None) => format!("{other:?}").to_lowercase(),
        };
        if self.ctrl { format!("^{name}") } else { name }
    }

    /// Reads the name of a key: a character, or a name that [`Self::label`] returns; `ctrl-` in place of `^`. The error
    /// says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_lowercase();
        let modified = |rest: &str| (!rest.is_empty()).then(|| (rest.to_owned(), true));
        let (name, ctrl) = lower
            .strip_prefix('^')
            .or_else(|| lower.strip_prefix("ctrl-"))
            .and_then(modified)
            .unwrap_or_else(|| (text.to_owned(), false));
        let code = code(&name).ok_or_else(|| unknown(text))?;
        match code {
            KeyCode::Char('i' | 'm') if ctrl => {
                let same = if name == "i" { "tab" } else { "enter" };
                Err(format!("terminals send {text} as {same}"))
            }
            KeyCode::Char(c) if ctrl && !(c.is_ascii_lowercase() || c == ' ') => {
                Err(format!("{text} is no key: ctrl goes with a letter, space or a key that has a name"))
            }
            code => Ok(Self { code, ctrl }),
        }
    }
}

/// The keys with names: the name in ASCII, and the sign or name elsewhere.
const NAMES: [(KeyCode, &str, &str); 17] = [
    (KeyCode::Char(' '), "space", "space"),
    // Sentences on the screen have backquotes around keys.
    (KeyCode::Char('`'), "backquote", "backquote"),
    (KeyCode::Enter, "enter", "⏎"),
    (KeyCode::Esc, "esc", "esc"),
    (KeyCode::Tab, "tab", "tab"),
    (KeyCode::BackTab, "shift-tab", "shift-tab"),
    (KeyCode::Backspace, "backspace", "backspace"),
    (KeyCode::Delete, "del", "del"),
    (KeyCode::Insert, "ins", "ins"),
    (KeyCode::Up, "up", "↑"),
    (KeyCode::Down, "down", "↓"),
    (KeyCode::Left, "left", "←"),
    (KeyCode::Right, "right", "→"),
    (KeyCode::PageUp, "pgup", "pgup"),
    (KeyCode::PageDown, "pgdn", "pgdn"),
    (KeyCode::Home, "home", "home"),
    (KeyCode::End, "end", "end"),
];

/// Returns the code of the key with this name, which has no modifier.
fn code(name: &str) -> Option<KeyCode> {
    let mut chars = name.chars();
    let lower = name.to_lowercase();
    if let Some((code, ..)) = NAMES.iter().find(|(_, ascii, sign)| *ascii == lower || *sign == name) {
        return Some(*code);
    }
    match (chars.next()?, chars.next()) {
        (c, None) if c.is_alphanumeric() || c.is_ascii_punctuation() => Some(KeyCode::Char(c)),
        ('f' | 'F', Some(_)) => lower[1..].parse().ok().filter(|number| (1..=12).contains(number)).map(KeyCode::F),
        _ => None,
    }
}

/// Returns the message about a name that no key has.
fn unknown(text: &str) -> String {
    let lower = text.to_lowercase();
    if lower.starts_with("alt-") || lower.starts_with("meta-") {
        return format!("{text} is no key: keys with Alt are not read");
    }
    let others = ["ctrl-", "f1"].into_iter();
    match nearest(text, NAMES.iter().map(|(_, name, _)| *name).chain(others)) {
        Some(near) => format!("{text} is no key (did you mean {near}?)"),
        None => format!("{text} is no key: a key is a character, such as S, or a name, such as ctrl-r, space or f5"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_capital_is_itself_with_and_without_shift() {
        let event = |code, modifiers| Key::from_event(&KeyEvent::new(code, modifiers));
        let capital = Some(Key::char('S'));
        assert_eq!(event(KeyCode::Char('S'), KeyModifiers::SHIFT), capital);
        assert_eq!(event(KeyCode::Char('S'), KeyModifiers::NONE), capital);
        assert_eq!(event(KeyCode::Char('s'), KeyModifiers::SHIFT), capital);
        assert_eq!(event(KeyCode::Char('C'), KeyModifiers::CONTROL), Some(Key::ctrl('c')));
        assert_eq!(event(KeyCode::Char('s'), KeyModifiers::ALT), None);
        assert_eq!(Key::ctrl('d').label(false), "^d");
    }
    fn any_code() -> impl Strategy<Value = KeyCode> {
        let typed = any::<char>().prop_filter("a key", |c| c.is_alphanumeric() || c.is_ascii_punctuation());
        let named = proptest::sample::select(NAMES.map(|(code, ..)| code).to_vec());
        prop_oneof![typed.prop_map(KeyCode::Char), named, (1..=12_u8).prop_map(KeyCode::F)]
    }

    proptest! {
        #[test]
        fn the_label_of_every_key_is_a_name_of_it(code in any_code(), ascii in any::<bool>()) {
            let key = Key::of(code);
            prop_assert_eq!(Key::parse(&key.label(ascii)), Ok(key));
            let with_ctrl = Key { code, ctrl: true };
            // A terminal sends the same for a letter and its capital with Control.
            if !matches!(code, KeyCode::Char(c) if c.is_uppercase())
                && let Ok(read) = Key::parse(&with_ctrl.label(ascii))
            {
                prop_assert_eq!(read, with_ctrl);
            }
        }

        #[test]
        fn no_text_makes_the_reader_of_names_panic(text in ".{0,12}") {
            let _ = Key::parse(&text);
        }
    }

    #[test]
    fn names_are_read_with_ctrl_and_mistakes_are_explained() {
        for (name, key) in [
            ("S", Key::char('S')),
            ("^", Key::char('^')),
            ("-", Key::char('-')),
            ("^d", Key::ctrl('d')),
            ("ctrl-D", Key::ctrl('d')),
            ("Esc", Key::of(KeyCode::Esc)),
            ("ctrl-space", Key::ctrl(' ')),
            ("shift-tab", Key::of(KeyCode::BackTab)),
            ("F12", Key::of(KeyCode::F(12))),
            ("^left", Key { code: KeyCode::Left, ctrl: true }),
        ] {
            assert_eq!(Key::parse(name), Ok(key), "{name}");
        }
        for (name, says) in [
            ("entre", "entre is no key (did you mean enter?)"),
            ("alt-x", "alt-x is no key: keys with Alt are not read"),
            ("ctrl-m", "terminals send ctrl-m as enter"),
            ("ctrl-?", "ctrl-? is no key: ctrl goes with a letter, space or a key that has a name"),
            ("f13", "f13 is no key (did you mean f1?)"),
            ("\u{1b}", "\u{1b} is no key: a key is a character, such as S, or a name, such as ctrl-r, space or f5"),
        ] {
            assert_eq!(Key::parse(name), Err(says.to_owned()));
        }
    }
}
