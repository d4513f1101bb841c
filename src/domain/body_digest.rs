//! Digest of a response body, by which a page that has not changed is recognised without being converted.

use super::content::ConverterVersion;
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Everything besides the body's bytes that the text of a page depends on.
#[derive(Clone, Copy, Debug)]
pub struct ConversionInputs<'a> {
    /// Version of the converter and the site rules.
    pub converter: ConverterVersion,
    /// Value of the `Content-Type` header, by which the body is decoded; empty without the header.
    pub content_type: &'a [u8],
    /// Value of the `Content-Encoding` header, if the body is hashed before it is decompressed; else empty.
    pub encoding: &'a [u8],
    /// URL of the response, after redirects: relative links of the page depend on it.
    pub url: &'a str,
}

/// Lower-case hex SHA-256 of a response body, decompressed but not decoded, and of its [`ConversionInputs`]. Equal
/// digests mean that the conversion would return the same text, so that no other value needs to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyDigest(String);

impl BodyDigest {
    /// Wraps a stored digest without validation.
    pub fn stored(hex: String) -> Self {
        Self(hex)
    }

    /// Returns the hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Computation of a [`BodyDigest`] while the body arrives.
#[derive(Clone, Debug)]
pub struct BodyHasher(Sha256);

impl BodyHasher {
    /// Starts the digest of a body that is converted with `inputs`.
    pub fn new(inputs: &ConversionInputs<'_>) -> Self {
        let ConversionInputs { converter, content_type, encoding, url } = inputs;
        let mut hash = Sha256::new();
        for input in [&converter.0.to_le_bytes(), *content_type, *encoding, url.as_bytes()] {
            // With its length before it, no input can continue in the next one.
            hash.update((input.len() as u64).to_le_bytes());
            hash.update(input);
        }
        Self(hash)
    }

    /// Adds the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// Returns the digest of the body.
    pub fn finish(self) -> BodyDigest {
        let mut hex = String::with_capacity(64);
        for byte in self.0.finalize() {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        BodyDigest(hex)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUTS: ConversionInputs<'_> = ConversionInputs {
        converter: ConverterVersion(3),
        content_type: b"text/html",
        encoding: b"",
        url: "https://a.test/",
    };

    fn digest(inputs: ConversionInputs<'_>, pieces: &[&str]) -> BodyDigest {
        let mut hasher = BodyHasher::new(&inputs);
        pieces.iter().for_each(|piece| hasher.update(piece.as_bytes()));
        hasher.finish()
    }

    #[test]
    fn the_pieces_in_which_a_body_arrives_do_not_matter() {
        let whole = digest(INPUTS, &["<p>words"]);
        assert_eq!((whole.as_str().len(), &whole), (64, &digest(INPUTS, &["<p>", "", "words"])));
        assert_ne!(whole, digest(INPUTS, &["<p>words "]));
    }

    #[test]
    fn every_input_counts_and_none_continues_in_the_next() {
        let all = [
            INPUTS,
            ConversionInputs { converter: ConverterVersion(4), ..INPUTS },
            ConversionInputs { converter: ConverterVersion::new(3, "exclude=.ad\n"), ..INPUTS },
            ConversionInputs { content_type: b"text/plain", ..INPUTS },
            ConversionInputs { url: "https://a.test/b/", ..INPUTS },
            ConversionInputs { content_type: b"text/htmlhttps://a.test/", url: "", ..INPUTS },
            ConversionInputs { url: "https://a.test/body", ..INPUTS },
        ];
        for (index, inputs) in all.iter().enumerate() {
            for other in &all[..index] {
                assert_ne!(digest(*inputs, &["body"]), digest(*other, &["body"]), "{inputs:?} {other:?}");
            }
        }
        let url = ConversionInputs { url: "https://a.test/body", ..INPUTS };
        assert_ne!(digest(INPUTS, &["body"]), digest(url, &[]));
    }
}
