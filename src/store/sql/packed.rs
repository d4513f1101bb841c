//! Texts of earlier versions, compressed: a frame of Zstandard (RFC 8878), which any program for it reads.

use crate::domain::id::DocumentId;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::statement::{Statement, query};
use crate::store::{Result, StoreError};
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use std::io::Read as _;

/// Maximum size of a text in bytes, so that a damaged frame cannot fill the memory. No page is as large.
const MAX_TEXT: u64 = 1 << 30;

/// Compresses a text.
pub(in crate::store) fn pack(text: &str) -> Vec<u8> {
    compress_to_vec(text.as_bytes(), CompressionLevel::Fastest)
}

/// Returns the text of a frame. Errors: [`StoreError::Corrupt`] if it is damaged.
pub(in crate::store) fn unpack(frame: &[u8]) -> Result<String> {
    let damaged = || StoreError::Corrupt("column packed".into());
    let mut text = String::new();
    let decoder = StreamingDecoder::new(frame).map_err(|_| damaged())?;
    let read = decoder.take(MAX_TEXT).read_to_string(&mut text).map_err(|_| damaged())?;
    if read as u64 == MAX_TEXT { Err(damaged()) } else { Ok(text) }
}

/// Returns the statement that reads the row of a version for [`text_of_version`].
pub(in crate::store) fn version_row(document: DocumentId, version: u64) -> Statement {
    let statement = query("SELECT content, packed FROM @document_versions WHERE document_id = ? AND version = ?");
    statement.bind(document.0).bind(i64::try_from(version).unwrap_or(i64::MAX))
}

/// Returns the text of such a row, compressed or not.
pub(in crate::store) fn text_of_version(row: &Row) -> Result<String> {
    match get::<Option<Vec<u8>>>(row, "packed")? {
        Some(frame) => unpack(&frame),
        None => get(row, "content"),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_text_is_read_as_it_was(text in "\\PC*", times in 1..200_usize) {
            let text = text.repeat(times);
            prop_assert_eq!(unpack(&pack(&text)).unwrap(), text);
        }

        #[test]
        fn a_damaged_frame_is_an_error_and_no_panic(mut frame in prop::collection::vec(any::<u8>(), 0..200), at in 0..200_usize) {
            let _ = unpack(&frame);
            let mut good = pack(&"A text of a page. ".repeat(30));
            let at = at % good.len();
            good.truncate(at);
            prop_assert!(unpack(&good).is_err());
            frame.clear();
        }
    }

    #[test]
    fn a_text_takes_half_its_size_and_the_frame_is_that_of_the_standard() {
        let text = include_str!("../../../assets/docs/operating.md");
        let frame = pack(text);
        assert_eq!(frame[..4], [0x28, 0xb5, 0x2f, 0xfd]);
        assert!(frame.len() * 100 < text.len() * 55, "{} of {}", frame.len(), text.len());
    }
}
