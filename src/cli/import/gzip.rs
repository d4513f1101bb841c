//! Unpacks import files that are compressed with gzip, which is detected from their first bytes.

use flate2::read::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};

/// Maximum size in bytes of an unpacked file: five times the limit of the sitemap protocol. Needed because a few
/// kilobytes can unpack to gigabytes.
const MAX_UNPACKED: u64 = 256 * 1024 * 1024;
/// Number of bytes that are read to see what a file is.
const HEAD_SIZE: u64 = 64 * 1024;

/// The text of an import file.
pub(super) struct Unpacked {
    /// The first bytes, at most [`HEAD_SIZE`]; `text` yields them, too.
    pub(super) head: Vec<u8>,
    pub(super) text: Box<dyn BufRead + Send>,
}

/// Returns the text of a file: gzip data of at most [`MAX_UNPACKED`] bytes unpacked, other data unchanged. Damaged gzip
/// data is refused as a whole, because its last readable line may be a part of a URL that looks complete.
pub(super) fn unpack(file: impl Read + Send + 'static) -> Result<Unpacked, String> {
    let (head, file) = read_head(file).map_err(|error| error.to_string())?;
    if !head.starts_with(b"\x1f\x8b") {
        return Ok(Unpacked { head, text: Box::new(BufReader::new(file)) });
    }
    let mut packed = Vec::new();
    BufReader::new(file).read_to_end(&mut packed).map_err(|error| error.to_string())?;
    // Unpacked twice instead of kept: the text may be large.
    check(&packed)?;
    let (head, text) = read_head(MultiGzDecoder::new(Cursor::new(packed))).map_err(|error| error.to_string())?;
    Ok(Unpacked { head, text: Box::new(BufReader::new(text)) })
}

fn read_head<R: Read>(mut file: R) -> io::Result<(Vec<u8>, impl Read + use<R>)> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD_SIZE).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(file)))
}

fn check(packed: &[u8]) -> Result<(), String> {
    match io::copy(&mut MultiGzDecoder::new(packed).take(MAX_UNPACKED + 1), &mut io::sink()) {
        Ok(bytes) if bytes > MAX_UNPACKED => Err(format!("unpacks to more than {} MB", MAX_UNPACKED >> 20)),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
            Err("is gzip data that is cut off; nothing was imported".to_owned())
        }
        Err(error) => Err(format!("is damaged gzip data ({error}); nothing was imported")),
    }
}
