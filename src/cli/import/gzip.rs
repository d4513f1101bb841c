//! Unpacks import files that are compressed with gzip, which is detected from their first bytes.

use flate2::read::MultiGzDecoder;
use std::io::{ErrorKind, Read as _};

/// Maximum size in bytes of an unpacked file: five times the limit of the sitemap protocol. Needed because a few
/// kilobytes can unpack to gigabytes.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

/// Unpacks gzip data of at most [`MAX_UNPACKED`] bytes; other data is returned unchanged. Damaged gzip data is refused
/// as a whole, because its last readable line may be a part of a URL that looks complete.
pub(super) fn unpack(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    if !bytes.starts_with(b"\x1f\x8b") {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    let most = MAX_UNPACKED as u64 + 1;
    match MultiGzDecoder::new(&bytes[..]).take(most).read_to_end(&mut unpacked) {
        Ok(_) if unpacked.len() > MAX_UNPACKED => Err(format!("unpacks to more than {} MB", MAX_UNPACKED >> 20)),
        Ok(_) => Ok(unpacked),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err("is gzip data that is cut off; nothing was imported".to_owned())
        }
        Err(error) => Err(format!("is damaged gzip data ({error}); nothing was imported")),
    }
}
