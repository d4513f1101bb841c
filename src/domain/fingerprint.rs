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
        // Hashed at once: an update for each word costs more than the hash itself.
        let mut collapsed = Vec::with_capacity(stripped.len());
        for word in stripped.as_bytes().split(|byte| is_space(char::from(*byte))).filter(|word| !word.is_empty()) {
            if !collapsed.is_empty() {
                collapsed.push(b' ');
            }
            collapsed.extend_from_slice(word);
        }
        let mut hex = String::with_capacity(64);
        for byte in Sha256::digest(&collapsed) {
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

    #[test]
    fn nul_at_the_ends_is_stripped_and_within_is_not() {
        assert_eq!(Fingerprint::of("\0 x y\0"), Fingerprint::of("x y"));
        assert_ne!(Fingerprint::of("x\0y"), Fingerprint::of("x y"));
    }
}
