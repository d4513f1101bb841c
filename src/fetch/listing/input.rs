//! Decoding of a listing while it is read. The encoding is that of the byte order mark, else of the first two bytes
//! (UTF-16), else of the XML declaration, else UTF-8.

use crate::domain::mask::shortened;
use encoding_rs::{Decoder, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, BufRead, Cursor, Read};

/// Number of bytes at the start of the file within which the XML declaration must end.
const DECLARATION_WINDOW: usize = 512;
/// Number of bytes that are decoded at a time.
const PIECE: usize = 16 * 1024;
/// Longest piece of markup or text, in bytes of UTF-8, so that none fills the memory.
const MAX_TOKEN: u64 = 1024 * 1024;

/// Returns true if the first non-blank character is `<`, in UTF-8, UTF-16 or another encoding that extends ASCII.
pub fn is_likely_xml(bytes: &[u8]) -> bool {
    let after_mark = Encoding::for_bom(bytes).map_or(bytes, |(_, length)| &bytes[length..]);
    let mut window = after_mark.iter().take(DECLARATION_WINDOW);
    window.find(|byte| **byte != 0 && !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// A file whose head was read and is read once more.
type WithHead<R> = io::Chain<Cursor<Vec<u8>>, R>;

/// A file as UTF-8, with U+FFFD in place of invalid bytes. It counts the lines that were consumed, and fails when more
/// than [`MAX_TOKEN`] bytes are consumed without a call of [`begin_token`](Self::begin_token).
pub(super) struct DecodedInput<R> {
    file: R,
    decoder: Decoder,
    /// Bytes of the file that are not decoded.
    raw: Vec<u8>,
    /// Decoded text of which `at` bytes are consumed.
    text: Vec<u8>,
    at: usize,
    is_at_end: bool,
    newlines: u64,
    token: u64,
}

impl<R: Read> DecodedInput<R> {
    /// Begins a file. Fails when its XML declaration names an unknown encoding, or it cannot be read.
    pub fn new(mut file: R) -> Result<DecodedInput<WithHead<R>>, String> {
        let mut head = Vec::new();
        let window = DECLARATION_WINDOW as u64;
        file.by_ref().take(window).read_to_end(&mut head).map_err(|error| error.to_string())?;
        let (encoding, mark) = match Encoding::for_bom(&head) {
            Some((encoding, length)) => (encoding, length),
            None if head.starts_with(b"<\0") => (UTF_16LE, 0),
            None if head.starts_with(b"\0<") => (UTF_16BE, 0),
            None => (declared(&head)?, 0),
        };
        head.drain(..mark);
        Ok(DecodedInput {
            file: Cursor::new(head).chain(file),
            decoder: encoding.new_decoder_without_bom_handling(),
            raw: Vec::new(),
            text: Vec::new(),
            at: 0,
            is_at_end: false,
            newlines: 0,
            token: 0,
        })
    }

    /// Returns the encoding's name, for messages.
    pub fn encoding(&self) -> &'static str {
        self.decoder.encoding().name()
    }

    /// Returns the number, from 1, of the line up to which the file is consumed.
    pub fn line(&self) -> u64 {
        self.newlines + 1
    }

    /// Begins the next piece of markup or text.
    pub fn begin_token(&mut self) {
        self.token = 0;
    }

    /// Decodes the next piece of the file.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.at = 0;
        while self.text.is_empty() && !self.is_at_end {
            let read = (&mut self.file).take(PIECE as u64).read_to_end(&mut self.raw)?;
            self.is_at_end = read == 0;
            let room = self.decoder.max_utf8_buffer_length(self.raw.len()).unwrap_or(PIECE * 3);
            self.text.resize(room, 0);
            let (_, _, written, _) = self.decoder.decode_to_utf8(&self.raw, &mut self.text, self.is_at_end);
            self.text.truncate(written);
            self.raw.clear();
        }
        Ok(())
    }
}

impl<R: Read> Read for DecodedInput<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for DecodedInput<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.token > MAX_TOKEN {
            return Err(io::Error::other(format!("has an element longer than {} MB", MAX_TOKEN >> 20)));
        }
        if self.at == self.text.len() {
            self.refill()?;
        }
        Ok(&self.text[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        let end = (self.at + amount).min(self.text.len());
        self.newlines += self.text[self.at..end].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.token += (end - self.at) as u64;
        self.at = end;
    }
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
