//! Import files that are packed: gzip, told by their first bytes.

use flate2::read::MultiGzDecoder;
use std::io::{ErrorKind, Read as _};

/// Largest size of an unpacked file: five times what the sitemap protocol allows. A few kilobytes can unpack to
/// gigabytes.
const MAX_UNPACKED: usize = 256 * 1024 * 1024;

/// The file as it was before it was packed; one that is not packed stays as it is. A damaged one is refused whole, since its last
/// line may be half of a URL that looks like one.
pub(super) fn unpacked(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
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
