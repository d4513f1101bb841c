//! Decodes an XML file. Determines the encoding from the byte order mark, else from the first two bytes (UTF-16), else
//! from the XML declaration, else assumes UTF-8.

use crate::cli::output::shortened;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::borrow::Cow;

/// Number of bytes at the start of the file within which the XML declaration must end.
const DECLARATION_WINDOW: usize = 512;

/// A file's text, with U+FFFD in place of invalid bytes.
pub(super) struct Decoded<'b> {
    pub text: Cow<'b, str>,
    /// The encoding's name, for messages.
    pub encoding: &'static str,
}

/// Returns true if the first non-blank character is `<`, in UTF-8, UTF-16 or another encoding that extends ASCII.
pub(in super::super) fn is_likely_xml(bytes: &[u8]) -> bool {
    let after_mark = Encoding::for_bom(bytes).map_or(bytes, |(_, length)| &bytes[length..]);
    let mut window = after_mark.iter().take(DECLARATION_WINDOW);
    window.find(|byte| **byte != 0 && !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Decodes the file. Fails when its XML declaration names an unknown encoding.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, String> {
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => (encoding, &bytes[length..]),
        None if bytes.starts_with(b"<\0") => (UTF_16LE, bytes),
        None if bytes.starts_with(b"\0<") => (UTF_16BE, bytes),
        None => (declared(bytes)?, bytes),
    };
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    Ok(Decoded { text, encoding: encoding.name() })
}

fn declared(bytes: &[u8]) -> Result<&'static Encoding, String> {
    let head = bytes[..bytes.len().min(DECLARATION_WINDOW)].trim_ascii_start();
    let label = label(head).unwrap_or_default();
    if label.is_empty() {
        return Ok(UTF_8);
    }
    match Encoding::for_label_no_replacement(label) {
        // A declaration that is readable as ASCII is not UTF-16, whatever encoding it names.
        Some(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => Ok(UTF_8),
        Some(encoding) => Ok(encoding),
        None => Err(format!("has an unknown encoding, {}", shortened(&String::from_utf8_lossy(label)))),
    }
}

/// Returns the value of `encoding="…"` in the XML declaration with which `head` begins; `None` without such a
/// declaration or value.
fn label(head: &[u8]) -> Option<&[u8]> {
    let declaration = head.strip_prefix(b"<?xml")?;
    let declaration = &declaration[..find(declaration, b"?>")?];
    let after = &declaration[find(declaration, b"encoding")? + b"encoding".len()..];
    let value = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, value) = value.split_first().filter(|(quote, _)| matches!(quote, b'"' | b'\''))?;
    value.get(..value.iter().position(|byte| byte == quote)?)
}

fn find(within: &[u8], needle: &[u8]) -> Option<usize> {
    within.windows(needle.len()).position(|window| window == needle)
}
