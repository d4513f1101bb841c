//! Recognition of a body by its bytes, whatever type the server has sent (WHATWG, *MIME Sniffing*): the format of binary
//! data, and the kind of a body without a type.

use super::head::Kind;
use std::fmt;

/// Number of bytes at the start of a body by which binary data is recognised (WHATWG, *MIME Sniffing*, 7.2).
const SNIFFED_BYTES: usize = 1445;
/// Offset at which the first block of a tar archive says that it is one.
const TAR_MARK: usize = 257;

/// Format of a body that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryFormat {
    /// A known format, by the words for it in a sentence, such as `a PDF file`.
    Known(&'static str),
    /// Bytes that no text contains, and no signature of a known format.
    Unknown,
}

impl fmt::Display for BinaryFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Known(name) => name,
            Self::Unknown => "binary data",
        })
    }
}

/// Formats by the first bytes of a body, with the words for them. The formats of WHATWG, *MIME Sniffing*, 6 and 7.1, and
/// others that servers send in place of a page.
const SIGNATURES: [(&[u8], &str); 33] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF87a", "a GIF image"),
    (b"GIF89a", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"\x00\x00\x01\x00", "an icon"),
    (b"\x00\x00\x02\x00", "an icon"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"PK\x05\x06", "a ZIP archive"),
    (b"\x1f\x8b\x08", "gzip data"),
    (b"\x28\xb5\x2f\xfd", "zstd data"),
    (b"\xfd7zXZ\x00", "xz data"),
    (b"BZh", "bzip2 data"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office file"),
    (b"OggS\x00", "Ogg audio or video"),
    (b"ID3", "MP3 audio"),
    (b"fLaC", "FLAC audio"),
    (b"MThd\x00\x00\x00\x06", "MIDI audio"),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska video"),
    (b"FLV\x01", "an FLV video"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
    (b"OTTO", "a font"),
    (b"ttcf", "a font"),
    (b"\x00\x01\x00\x00", "a font"),
    (b"\x00asm", "WebAssembly"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
];

/// Returns the format of a body that is not text: it begins like a PDF or PostScript file, or it neither begins like
/// HTML nor has an encoding with zero bytes, and contains bytes that no text contains. `charset` is that of its
/// `Content-Type`.
pub(super) fn binary_format(body: &[u8], charset: Option<&str>) -> Option<BinaryFormat> {
    let head = &body[..body.len().min(SNIFFED_BYTES)];
    if head.starts_with(b"%PDF-") {
        return Some(BinaryFormat::Known("a PDF file"));
    }
    if head.starts_with(b"%!PS-Adobe-") {
        return Some(BinaryFormat::Known("a PostScript file"));
    }
    let is_wide = charset.is_some_and(|name| name.to_ascii_lowercase().starts_with("utf-16"))
        || head.starts_with(b"\xfe\xff")
        || head.starts_with(b"\xff\xfe");
    let is_markup = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start().starts_with(b"<");
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    // A text may begin with the letters of a signature, so these bytes decide, and the signature only names the format.
    if is_wide || is_markup || !head.iter().any(is_binary) {
        return None;
    }
    Some(known_format(head).map_or(BinaryFormat::Unknown, BinaryFormat::Known))
}

/// Returns the words for the format that the first bytes of binary data name.
fn known_format(head: &[u8]) -> Option<&'static str> {
    let is_at = |offset: usize, mark: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(mark));
    let container = match head.get(8..12) {
        Some(b"WEBP") if is_at(0, b"RIFF") => Some("a WebP image"),
        Some(b"WAVE") if is_at(0, b"RIFF") => Some("WAVE audio"),
        Some(b"AVI ") if is_at(0, b"RIFF") => Some("an AVI video"),
        Some(b"AIFF" | b"AIFC") if is_at(0, b"FORM") => Some("AIFF audio"),
        Some(b"avif" | b"avis") if is_at(4, b"ftyp") => Some("an AVIF image"),
        Some(b"heic" | b"heix" | b"mif1") if is_at(4, b"ftyp") => Some("a HEIC image"),
        Some(b"M4A ") if is_at(4, b"ftyp") => Some("MP4 audio"),
        Some(_) if is_at(4, b"ftyp") => Some("an MP4 video"),
        _ => None,
    };
    let is_tar = || is_at(TAR_MARK, b"ustar").then_some("a tar archive");
    let signature = || SIGNATURES.iter().find(|(mark, _)| is_at(0, mark)).map(|(_, name)| *name);
    container.or_else(signature).or_else(is_tar)
}

/// Guesses the kind of a body whose type the server did not send: HTML if the body is blank or begins with `<`, else
/// text.
pub(super) fn sniffed(body: &[u8]) -> Kind {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii_start();
    match body.first() {
        None | Some(b'<') => Kind::Html,
        Some(_) => Kind::Text,
    }
}

/// Returns true if a text that is called Markdown is an HTML page: it begins with a doctype or the element `html`.
pub(super) fn is_html_page(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    ["<!doctype html", "<html"]
        .iter()
        .any(|start| text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(body: &[u8]) -> Option<String> {
        binary_format(body, None).map(|format| format.to_string())
    }

    #[test]
    fn formats_are_named_by_their_first_bytes() {
        let tar = [&[0; TAR_MARK][..], b"ustar\x0000"].concat();
        let files: [(&[u8], &str); 15] = [
            (b"%PDF-1.7\n1 0 obj", "a PDF file"),
            (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG image"),
            (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "a JPEG image"),
            (b"GIF89a\x01\x00\x01\x00", "a GIF image"),
            (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "a WebP image"),
            (b"RIFF\x24\x00\x00\x00WAVEfmt ", "WAVE audio"),
            (b"PK\x03\x04\x14\x00", "a ZIP archive"),
            (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip data"),
            (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00", "an MP4 video"),
            (b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00", "an AVIF image"),
            (b"\x1a\x45\xdf\xa3\x01\x00", "a WebM or Matroska video"),
            (b"wOF2\x00\x01\x00\x00", "a font"),
            (b"\x7fELF\x02\x01\x01\x00", "a program"),
            (&tar, "a tar archive"),
            (b"\x01\x02\x03 nothing known", "binary data"),
        ];
        for (body, name) in files {
            assert_eq!(named(body).as_deref(), Some(name), "{body:?}");
        }
    }

    #[test]
    fn a_text_that_begins_with_the_letters_of_a_format_is_a_text() {
        for text in ["BMW and others", "GIF89a is a format", "ID3 tags", "OTTO", "MZ", "RIFF raff", "wOFF", "<p>\u{1}"]
        {
            assert_eq!(named(text.as_bytes()), None, "{text}");
        }
        let wide: Vec<u8> = "BM".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(binary_format(&wide, Some("UTF-16LE")), None);
        assert_eq!(named(&[b"\xff\xfe", wide.as_slice()].concat()), None);
    }
}
