//! Signatures of webhooks, as the Standard Webhooks specification defines them: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use std::fmt;

/// Start of a key that is written in Base64.
const PREFIX: &str = "whsec_";
/// Shortest key in bytes; the specification demands at least 24.
const MIN_BYTES: usize = 24;

/// Key that signs the records of a sink. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// Reads a key: `whsec_` and Base64, or the bytes of the text itself. The error does not repeat it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bytes = match text.strip_prefix(PREFIX) {
            Some(encoded) => STANDARD.decode(encoded).map_err(|_| format!("has no Base64 after {PREFIX}"))?,
            None => text.as_bytes().to_vec(),
        };
        if bytes.len() < MIN_BYTES {
            return Err(format!("has a key of less than {MIN_BYTES} bytes"));
        }
        Ok(Self(bytes))
    }

    /// Returns the value of the header `webhook-signature` for a message; `timestamp` is in seconds since 1970.
    pub fn sign(&self, id: &str, timestamp: i64, body: &str) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            unreachable!("HMAC takes a key of any length")
        };
        for part in [id, ".", &timestamp.to_string(), ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the reference implementation of Standard Webhooks.
    #[test]
    fn a_signature_is_that_of_the_reference_implementation() {
        let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a key");
        let signed = key.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert!(!format!("{key:?}").contains("MfKQ"));
    }

    #[test]
    fn short_and_broken_keys_are_refused_without_being_repeated() {
        for text in ["", "short", "whsec_", "whsec_%%%", "whsec_c2hvcnQ="] {
            let error = SigningKey::parse(text).expect_err(text);
            assert!(!error.contains("short"), "{error}");
        }
        assert!(SigningKey::parse(&"x".repeat(24)).is_ok());
    }
}
