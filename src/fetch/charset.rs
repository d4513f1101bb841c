//! Decoding of bodies. The encoding is taken from the byte order mark, else the header, else `<meta>`, else it is UTF-8
//! if the bytes are valid, else a guess.

use crate::domain::text::safe_block;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Number of bytes at the beginning of a page that are searched for `<meta>`, as in browsers.
const META_WINDOW: usize = 1024;
/// Maximum number of bytes, from the first that is not ASCII, that a guess of the encoding reads; more would cost time
/// and not change the guess.
const GUESS_WINDOW: usize = 64 * 1024;

/// Kind of text, which decides if a `<meta>` element may name the encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    Html,
    /// Plain text or Markdown.
    None,
}

/// Decodes `bytes`. `header` is the charset of `Content-Type`. Invalid sequences become U+FFFD.
pub(super) fn decode<'b>(bytes: &'b [u8], header: Option<&str>, markup: Markup) -> Cow<'b, str> {
    let encoding = header
        .and_then(|label| Encoding::for_label(label.trim().as_bytes()))
        .or_else(|| if markup == Markup::Html { meta(bytes, META_WINDOW) } else { None })
        .unwrap_or_else(|| guess(bytes));
    // `decode` gives a byte order mark precedence over `encoding`.
    encoding.decode(bytes).0
}

fn guess(bytes: &[u8]) -> &'static Encoding {
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    // Detection starts at the first byte that is not ASCII: the head of a page says nothing about its encoding.
    let from = bytes.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
    let window = &bytes[from..bytes.len().min(from + GUESS_WINDOW)];
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(window, true);
    detector.guess(None, Utf8Detection::Allow)
}

/// Returns the encoding that a `<meta charset>` or `<meta http-equiv … content="…; charset=…">` near the beginning of a
/// page names.
fn meta(bytes: &[u8], window: usize) -> Option<&'static Encoding> {
    let head = bytes[..bytes.len().min(window)].to_ascii_lowercase();
    let mut rest = &head[..];
    while let Some(start) = find(rest, b"<") {
        rest = &rest[start..];
        if let Some(comment) = rest.strip_prefix(b"<!--") {
            rest = &comment[find(comment, b"-->")?..];
            continue;
        }
        let end = find(rest, b">").unwrap_or(rest.len());
        if rest.starts_with(b"<meta")
            && let Some(encoding) = charset_in(&rest[..end])
        {
            return Some(encoding);
        }
        rest = &rest[1..];
    }
    None
}

fn charset_in(tag: &[u8]) -> Option<&'static Encoding> {
    let after = &tag[find(tag, b"charset")? + b"charset".len()..];
    let value = after.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let value = value.strip_prefix(b"\"").or_else(|| value.strip_prefix(b"'")).unwrap_or(value);
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b';' | b'/' | b'>');
    let label = &value[..value.iter().position(ends).unwrap_or(value.len())];
    let encoding = Encoding::for_label(label)?;
    // A page whose ASCII was readable is not UTF-16, whatever it claims. These corrections are those of the HTML
    // standard.
    if encoding == UTF_16LE || encoding == UTF_16BE {
        Some(UTF_8)
    } else if encoding == encoding_rs::X_USER_DEFINED {
        Some(WINDOWS_1252)
    } else {
        Some(encoding)
    }
}

fn find(within: &[u8], needle: &[u8]) -> Option<usize> {
    within.windows(needle.len()).position(|window| window == needle)
}

/// Decodes a page by Chatwoot's rule: the encoding that the page itself names, anywhere in it, else UTF-8 if the bytes are
/// valid, else ISO 8859-1. A header is not looked at.
pub(super) fn decode_as_chatwoot(bytes: &[u8]) -> Cow<'_, str> {
    let named = || prolog(bytes).or_else(|| meta(bytes, bytes.len()));
    match Encoding::for_bom(bytes).map(|(encoding, _)| encoding).or_else(named) {
        Some(encoding) if encoding != WINDOWS_1252 => encoding.decode(bytes).0,
        Some(_) if !names_latin1(bytes) => WINDOWS_1252.decode(bytes).0,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8.decode(bytes).0,
        // The HTML standard reads ISO 8859-1 as windows-1252, libxml2 does not.
        _ => encoding_rs::mem::decode_latin1(bytes),
    }
}

/// Returns true if the page names ISO 8859-1, not windows-1252.
fn names_latin1(bytes: &[u8]) -> bool {
    let lower = bytes[..bytes.len().min(64 * META_WINDOW)].to_ascii_lowercase();
    find(&lower, b"windows-1252").is_none() && find(&lower, b"cp1252").is_none()
}

/// Returns the encoding that the declaration of XML at the beginning of a page names.
fn prolog(bytes: &[u8]) -> Option<&'static Encoding> {
    let rest = bytes.strip_prefix(b"<?xml")?;
    let tag = &rest[..find(rest, b">")?];
    let value = tag[find(tag, b"encoding")? + b"encoding".len()..].trim_ascii_start().strip_prefix(b"=")?;
    let value = value.trim_ascii_start();
    let quote = value.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let value = &value[1..];
    Encoding::for_label(&value[..value.iter().position(|byte| byte == quote)?])
}

/// Prepares plain text for storage: removes unsafe characters and makes every line end a line feed.
pub(super) fn plain(text: &str) -> String {
    safe_block(&text.replace("\r\n", "\n").replace('\r', "\n"))
}
