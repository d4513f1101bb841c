//! The clipboard through the terminal (OSC 52): the only way that reaches the person's own machine over SSH.

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

/// The longest text; terminals drop longer sequences without a word.
const LONGEST: usize = 74_994;

/// What to write to the terminal for `text`. Inside tmux also wrapped, so that it passes through where that is allowed.
pub fn sequence(text: &str, in_tmux: bool) -> Result<String, String> {
    if text.len() > LONGEST {
        return Err(format!("too long to copy through the terminal: {} bytes, at most {LONGEST}", text.len()));
    }
    let mut plain = String::new();
    CopyToClipboard::to_clipboard_from(text).write_ansi(&mut plain).map_err(|error| error.to_string())?;
    if !in_tmux {
        return Ok(plain);
    }
    Ok(format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_as_osc_52_and_through_tmux() {
        let plain = sequence("https://a.b", false).expect("short");
        assert!(plain.starts_with("\x1b]52;c;aHR0cHM6Ly9hLmI="), "{plain:?}");
        let wrapped = sequence("x", true).expect("short");
        assert!(wrapped.contains("\x1bPtmux;\x1b\x1b]52;c;eA=="), "{wrapped:?}");
        assert!(wrapped.ends_with("\x1b\\"));
    }

    #[test]
    fn too_long_is_refused_and_said() {
        assert!(sequence(&"x".repeat(LONGEST), false).is_ok());
        assert!(sequence(&"x".repeat(LONGEST + 1), false).is_err_and(|error| error.contains("too long")));
    }
}
