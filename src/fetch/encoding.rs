//! Content codings that the HTTP client leaves to this module: all but `gzip`, which alone it asks for, names in upper
//! case, and several codings in a row. A body in a coding that is not known here is refused by name, never
//! taken for text (RFC 9110, 8.4).

use super::errors;
use crate::domain::failure::Failure;
use brotli_decompressor::Decompressor;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};
use ruzstd::decoding::StreamingDecoder;
use std::io::{Cursor, Read};

/// Maximum number of codings in a row. One is usual; a server that compresses twice does it by mistake.
const MAX_CODINGS: usize = 3;
/// Size of the decoder's buffer for brotli, in bytes.
const BROTLI_BUFFER: usize = 4096;

/// Coding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// Named `deflate`: zlib, or the bare format that some servers send.
    Deflate,
    /// The client does not ask for it: its decoder would accept windows far beyond those of HTTP, and with them grow
    /// past every limit on memory. Some servers send it all the same.
    Brotli,
    Zstd,
}

/// Returns the value of `Content-Encoding`, if the client has left it in place; empty otherwise.
pub(super) fn value(headers: &HeaderMap) -> &[u8] {
    headers.get(CONTENT_ENCODING).map_or(&[], HeaderValue::as_bytes)
}

/// Returns the codings that the client has not removed, in the order in which the server applied them. Fails for an
/// unknown coding, and for too many.
pub(super) fn remaining(headers: &HeaderMap) -> Result<Vec<Coding>, Failure> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            codings.push(match name {
                "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                other => {
                    let named: String = other.chars().take(80).collect();
                    return Err(errors::refused(format!(
                        "the body has the content encoding {named}, which is unknown"
                    )));
                }
            });
        }
    }
    if codings.len() > MAX_CODINGS {
        return Err(errors::refused(format!("the body has {} content encodings", codings.len())));
    }
    Ok(codings)
}

/// Removes `codings`, the last one first, from a body. Fails if the bytes are not so encoded, or if there are more than
/// `most` bytes after any step.
pub(super) fn decoded(mut bytes: Vec<u8>, codings: &[Coding], most: u64) -> Result<Vec<u8>, Failure> {
    for coding in codings.iter().rev() {
        bytes = match coding {
            Coding::Gzip => read(MultiGzDecoder::new(Cursor::new(bytes)), most)?,
            // A zlib stream begins with its method, 8, in the low half of the first byte.
            Coding::Deflate if bytes.first().is_some_and(|first| first & 0x0f == 8) => {
                read(ZlibDecoder::new(Cursor::new(bytes)), most)?
            }
            Coding::Deflate => read(DeflateDecoder::new(Cursor::new(bytes)), most)?,
            Coding::Brotli if has_large_window(&bytes) => {
                return Err(errors::refused("the body is brotli with a large window, which HTTP does not have"));
            }
            Coding::Brotli => read(Decompressor::new(Cursor::new(bytes), BROTLI_BUFFER), most)?,
            Coding::Zstd => {
                let decoder = StreamingDecoder::new(Cursor::new(bytes)).map_err(|_| errors::damaged())?;
                read(decoder, most)?
            }
        };
    }
    Ok(bytes)
}

fn read(decoder: impl Read, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = decoder.take(most.saturating_add(1)).read_to_end(&mut bytes);
    if bytes.len() as u64 > most {
        return Err(errors::too_large(most));
    }
    read.map_err(|_| errors::damaged())?;
    Ok(bytes)
}

/// Returns true for a brotli stream whose window may be larger than 16 MB: an extension that begins with a window size
/// that RFC 7932, 9.1, leaves out.
fn has_large_window(stream: &[u8]) -> bool {
    stream.first().is_some_and(|first| first & 0x7f == 0b001_0001)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(values: &[&'static str]) -> Result<Vec<Coding>, Failure> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        remaining(&headers)
    }

    #[test]
    fn codings_are_read_in_any_case_and_number_and_unknown_ones_are_named() {
        assert_eq!(named(&[]).ok(), Some(Vec::new()));
        assert_eq!(named(&["identity, GZIP ,x-gzip"]).ok(), Some(vec![Coding::Gzip, Coding::Gzip]));
        assert_eq!(named(&["br", "Zstd,deflate"]).ok(), Some(vec![Coding::Brotli, Coding::Zstd, Coding::Deflate]));
        let refused = named(&["aes128gcm"]).expect_err("not a compression");
        assert!(refused.detail.contains("aes128gcm"), "{refused:?}");
        assert!(named(&["gzip, gzip, gzip, gzip"]).is_err());
    }
}
