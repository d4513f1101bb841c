//! A key as the key table names it: a code, with or without Control. Shift is part of the code: a capital letter, or
//! shift-tab.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key with or without Control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub code: KeyCode,
    pub ctrl: bool,
}

impl Key {
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
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Enter => if ascii { "enter" } else { "⏎" }.to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::Delete => "del".to_owned(),
            KeyCode::Up => if ascii { "up" } else { "↑" }.to_owned(),
            KeyCode::Down => if ascii { "down" } else { "↓" }.to_owned(),
            KeyCode::Left => if ascii { "left" } else { "←" }.to_owned(),
            KeyCode::Right => if ascii { "right" } else { "→" }.to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.ctrl { format!("^{name}") } else { name }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
