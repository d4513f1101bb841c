//! Fingerprint of a content, by which changes are detected.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Lower-case hex SHA-256 of a text in which each run of ASCII white space is replaced by one space and the ends are
/// trimmed. This is Chatwoot's own definition, so that each program recognises the other's fingerprints.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Computes the fingerprint of `content`.
    ///
    /// White space is the six bytes of Ruby's `\s`: neither `split_ascii_whitespace` (without the vertical tab) nor
    /// `split_whitespace` (with NBSP) uses that set. Ruby's `strip` also removes NUL at either end.
    pub fn of(content: &str) -> Self {
        let stripped = content.trim_matches(|c| is_space(c) || c == '\0');
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(collapsed(stripped.as_bytes())) {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex)
    }

    /// Wraps a stored fingerprint without validation.
    pub fn stored(hex: String) -> Self {
        Self(hex)
    }

    /// Returns the hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Returns a text without white space at its ends with each run of white space replaced by one space. Most pieces of a
/// text have only single spaces: they are recognised and copied as a whole, which takes a tenth of the time that looking
/// for each word takes.
fn collapsed(text: &[u8]) -> Vec<u8> {
    const PIECE: usize = 64;
    let mut kept = Vec::with_capacity(text.len());
    let mut was_space = false;
    for piece in text.chunks(PIECE) {
        let others = piece.iter().fold(0, |others, byte| others | u8::from(byte.wrapping_sub(b'\t') < 5));
        let pairs = piece.iter().zip(&piece[1..]);
        let doubles =
            pairs.fold(0, |doubles, (one, next)| doubles | (u8::from(*one == b' ') & u8::from(*next == b' ')));
        if others | doubles | u8::from(was_space) == 0 {
            kept.extend_from_slice(piece);
            was_space = piece.ends_with(b" ");
            continue;
        }
        for byte in piece {
            let is_space = is_space(char::from(*byte));
            if !(is_space && was_space) {
                kept.push(if is_space { b' ' } else { *byte });
            }
            was_space = is_space;
        }
    }
    kept
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_vectors() {
        let cases = [
            ("New content", "12f41b1c321df0c829ce581996566fde52af6cafe1d2a0c7466cde53e6f13cca"),
            ("  New \n\t content \r\n", "12f41b1c321df0c829ce581996566fde52af6cafe1d2a0c7466cde53e6f13cca"),
            ("New\u{a0}content", "b2c1e8589269b35bdd7d0981b558b02a2b31f65ae01abb22d482ccbfe2bf949c"),
            ("\u{a0}New content", "f7cc63a6f29e8b5bf45b996615bae87c319da70b738c16f2479a74b0fc8ab6c7"),
            ("x\x0b\x0cy", "887fcea6a80333c6c02ae7e79735f0edad8d811f0b61431495f796f4bf6a7c19"),
            ("x y", "887fcea6a80333c6c02ae7e79735f0edad8d811f0b61431495f796f4bf6a7c19"),
            ("# Title\n\nBody  text\n", "70fad3fdb708eb4311697bd50d402b24eb3e4d1e13558b012bd5d7816afcf831"),
        ];
        for (content, hex) in cases {
            assert_eq!(Fingerprint::of(content).as_str(), hex, "{content:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn white_space_is_collapsed_wherever_it_stands(text in "([a-cé語\u{a0}]{0,40}[ \t\n\u{b}\u{c}\r]{0,3}){0,12}") {
            let stripped = text.trim_matches(is_space);
            let words: Vec<_> = stripped.split(is_space).filter(|word| !word.is_empty()).collect();
            proptest::prop_assert_eq!(collapsed(stripped.as_bytes()), words.join(" ").into_bytes());
        }
    }

    #[test]
    fn nul_at_the_ends_is_stripped_and_within_is_not() {
        assert_eq!(Fingerprint::of("\0 x y\0"), Fingerprint::of("x y"));
        assert_ne!(Fingerprint::of("x\0y"), Fingerprint::of("x y"));
    }
}
