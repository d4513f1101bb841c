//! Clipboard access through the terminal (OSC 52), which also works over SSH.

use crossterm::Command;
use crossterm::clipboard::CopyToClipboard;

/// Maximum length in bytes of a text to copy; some terminals silently drop longer ones.
pub const MAX_BYTES: usize = 74_994;

/// Returns the escape sequence that copies `text`; the error is a sentence for the person. With `in_tmux` the sequence
/// is repeated in tmux's pass-through form, so that the outer terminal gets it if tmux's configuration allows that.
pub fn sequence(text: &str, in_tmux: bool) -> Result<String, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("too long to copy through the terminal: {} bytes, at most {MAX_BYTES}", text.len()));
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
        assert!(sequence(&"x".repeat(MAX_BYTES), false).is_ok());
        assert!(sequence(&"x".repeat(MAX_BYTES + 1), false).is_err_and(|error| error.contains("too long")));
    }
}
