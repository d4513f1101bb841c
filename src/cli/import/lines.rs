//! Parses import files: one URL a line, CSV with a header, JSON lines, or a sitemap. Documents and unreadable lines come
//! in the order of the file, one after the other, so that a large file need not fit into memory.

use super::sitemap;
use crate::cli::output::shortened;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::link::Link;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::fetch::is_likely_xml;
use crate::store::NewDocument;
use clap::ValueEnum;
use serde_json::Value;
use std::io::{self, BufRead, Read};
use std::ops::Deref;
use std::path::Path;

/// Format of an import file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ImportFormat {
    /// One URL per line; blank lines and lines that begin with # are ignored
    List,
    /// With a header: url, and optionally name, account_id, assistant_id
    Csv,
    /// One JSON object per line with the names of csv as keys, or the output of `list --json`
    Jsonl,
    /// An XML sitemap (sitemaps.org), RSS or Atom: the URL of each entry
    Sitemap,
}

/// Document of an import, with the date that a sitemap or a feed has for its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedDocument {
    pub document: NewDocument,
    /// Last change of the page as the listing has it.
    pub modified: Option<Timestamp>,
}

impl From<NewDocument> for ImportedDocument {
    fn from(document: NewDocument) -> Self {
        Self { document, modified: None }
    }
}

impl Deref for ImportedDocument {
    type Target = NewDocument;

    fn deref(&self) -> &NewDocument {
        &self.document
    }
}

/// Result of parsing a line of the file, or an entry of a sitemap; blank lines and comments have no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImportLine {
    Document(Box<ImportedDocument>),
    Unreadable {
        /// Line number in the file, from 1.
        number: u64,
        /// Reason in plain language.
        reason: String,
    },
}

const COLUMNS: [&str; 4] = ["url", "name", "account_id", "assistant_id"];

impl ImportFormat {
    /// Guesses the format from the file's extension (after removing .gz), else from the first line that is not blank.
    pub fn guess(path: &Path, bytes: &[u8]) -> Self {
        let ending = |path: &Path| path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let ending = if ending(path) == "gz" { ending(&path.with_extension("")) } else { ending(path) };
        match ending.as_str() {
            "csv" => return Self::Csv,
            "jsonl" | "ndjson" | "json" => return Self::Jsonl,
            "xml" => return Self::Sitemap,
            _ if is_likely_xml(bytes) => return Self::Sitemap,
            _ => {}
        }
        let mut lines = without_bom(bytes).split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let first = lines.find(|line| !line.is_empty()).unwrap_or_default();
        let is_header = |line: &[u8]| {
            let unquoted = |cell: &[u8]| String::from_utf8_lossy(cell).trim_matches(['"', ' ']).to_ascii_lowercase();
            line.split(|byte| *byte == b',').any(|cell| unquoted(cell) == "url")
        };
        match first.first() {
            Some(b'{') => Self::Jsonl,
            _ if is_header(first) => Self::Csv,
            _ => Self::List,
        }
    }
}

/// Maximum length of a line in bytes. A URL or a name is far shorter.
const MAX_LINE: u64 = 1_000_000;

/// The documents and unreadable lines of a file; an error means that the file itself could not be read on.
pub struct ImportLines {
    parser: Parser,
    /// Account and assistant of lines that name none.
    owner: (i64, i64),
}

enum Parser {
    List(LineReader),
    Jsonl(LineReader),
    Csv {
        reader: csv::Reader<LineReader>,
        positions: [Option<usize>; 4],
    },
    /// A sitemap is parsed as a whole.
    Sitemap(std::vec::IntoIter<ImportLine>),
}

/// Parses `text` in the format `form`. Lines that name no owner belong to `account` and `assistant`.
///
/// # Errors
/// Nothing can be read at all, as in a CSV file without a `url` column or in XML that is no sitemap.
pub fn read(
    form: ImportFormat,
    text: Box<dyn BufRead + Send>,
    account: i64,
    assistant: i64,
) -> Result<ImportLines, String> {
    let owner = (account, assistant);
    let parser = match form {
        ImportFormat::List => Parser::List(LineReader::new(text)?),
        ImportFormat::Jsonl => Parser::Jsonl(LineReader::new(text)?),
        ImportFormat::Csv => csv_parser(LineReader::new(text)?)?,
        ImportFormat::Sitemap => Parser::Sitemap(sitemap::read(text, owner)?.into_iter()),
    };
    Ok(ImportLines { parser, owner })
}

impl Iterator for ImportLines {
    type Item = io::Result<ImportLine>;

    fn next(&mut self) -> Option<Self::Item> {
        let owner = self.owner;
        match &mut self.parser {
            Parser::List(lines) => lines.next_line(|text| match text.starts_with('#') {
                true => None,
                false => Some(Fields::url_only(text.to_owned()).into_document(owner)),
            }),
            Parser::Jsonl(lines) => {
                lines.next_line(|text| Some(json(text).and_then(|fields| fields.into_document(owner))))
            }
            Parser::Csv { reader, positions } => next_record(reader, *positions, owner),
            Parser::Sitemap(lines) => lines.next().map(Ok),
        }
    }
}

/// A reader of lines, without a byte-order mark at the start.
struct LineReader {
    text: Box<dyn BufRead + Send>,
    number: u64,
}

impl LineReader {
    fn new(mut text: Box<dyn BufRead + Send>) -> Result<Self, String> {
        if text.fill_buf().map_err(|error| error.to_string())?.starts_with(BYTE_ORDER_MARK) {
            text.consume(BYTE_ORDER_MARK.len());
        }
        Ok(Self { text, number: 0 })
    }

    /// Parses the next line with `read`. Blank lines are skipped, and so are those for which `read` returns `None`.
    fn next_line(
        &mut self,
        read: impl Fn(&str) -> Option<Result<NewDocument, String>>,
    ) -> Option<io::Result<ImportLine>> {
        loop {
            let mut line = Vec::new();
            match (&mut self.text).take(MAX_LINE + 1).read_until(b'\n', &mut line) {
                Ok(0) => return None,
                Ok(_) => self.number += 1,
                Err(error) => return Some(Err(error)),
            }
            let number = self.number;
            if line.len() as u64 > MAX_LINE {
                if let Err(error) = self.skip_line() {
                    return Some(Err(error));
                }
                return Some(Ok(ImportLine::Unreadable { number, reason: "is longer than 1 MB".to_owned() }));
            }
            match std::str::from_utf8(line.trim_ascii()) {
                Ok("") => {}
                Ok(text) => {
                    if let Some(read) = read(text) {
                        return Some(Ok(import_line(number, read)));
                    }
                }
                Err(_) => {
                    return Some(Ok(ImportLine::Unreadable { number, reason: "is not UTF-8 text".to_owned() }));
                }
            }
        }
    }

    /// Skips the rest of a line that has been read in part.
    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.text.fill_buf()?;
            let (length, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (buffer.len(), buffer.is_empty()),
            };
            self.text.consume(length);
            if ended {
                return Ok(());
            }
        }
    }
}

impl Read for LineReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.text.read(buffer)
    }
}

/// The cells of a line or entry, as text; `None` for a missing cell.
#[derive(Default)]
pub(super) struct Fields {
    url: Option<String>,
    name: Option<String>,
    account_id: Option<String>,
    assistant_id: Option<String>,
}

impl Fields {
    /// Returns fields of which only the URL is filled.
    pub(super) fn url_only(url: String) -> Self {
        Self { url: Some(url), ..Self::default() }
    }

    /// Returns the document, owned by the given account and assistant unless the cells name others; the error is in
    /// plain language.
    pub(super) fn into_document(self, (account, assistant): (i64, i64)) -> Result<NewDocument, String> {
        let filled = |cell: Option<String>| cell.filter(|text| !text.trim().is_empty());
        let url = filled(self.url).ok_or("has no url")?;
        let link = Link::parse(&url).map_err(|error| format!("{}: {error}", shortened(&url)))?;
        let owner = |name: &str, cell: Option<String>, default: i64| match filled(cell) {
            None => Ok(default),
            Some(text) => match text.trim().parse::<i64>() {
                Ok(id) if id > 0 => Ok(id),
                _ => Err(format!("{name} must be a number from 1, not {}", shortened(&text))),
            },
        };
        Ok(NewDocument {
            link,
            name: self.name.as_deref().map(SafeLine::new).filter(|name| !name.is_empty()),
            account_id: AccountId(owner("account_id", self.account_id, account)?),
            assistant_id: AssistantId(owner("assistant_id", self.assistant_id, assistant)?),
        })
    }
}

pub(super) fn import_line(number: u64, read: Result<NewDocument, String>) -> ImportLine {
    match read {
        Ok(document) => ImportLine::Document(Box::new(document.into())),
        Err(reason) => ImportLine::Unreadable { number, reason },
    }
}

fn json(text: &str) -> Result<Fields, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("is not JSON: {}", without_position(&error)))?;
    let Value::Object(mut object) = value else {
        return Err("is not a JSON object".to_owned());
    };
    let mut cell = |name: &str| match object.remove(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(format!("{name} is neither text nor a number")),
    };
    let [url, name, account_id, assistant_id] = COLUMNS.map(&mut cell);
    Ok(Fields { url: url?, name: name?, account_id: account_id?, assistant_id: assistant_id? })
}

/// Returns the error's message without its position: each line is parsed alone, so the position would always be "line
/// 1".
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn csv_parser(text: LineReader) -> Result<Parser, String> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text);
    let header = reader.byte_headers().map_err(|error| error.to_string())?.clone();
    let position = |name: &str| header.iter().position(|cell| cell.eq_ignore_ascii_case(name.as_bytes()));
    let positions = COLUMNS.map(position);
    if positions[0].is_none() {
        return Err("the first line must be a header with a column url".to_owned());
    }
    Ok(Parser::Csv { reader, positions })
}

fn next_record(
    reader: &mut csv::Reader<LineReader>,
    positions: [Option<usize>; 4],
    owner: (i64, i64),
) -> Option<io::Result<ImportLine>> {
    let mut record = csv::ByteRecord::new();
    match reader.read_byte_record(&mut record) {
        Ok(false) => None,
        Ok(true) => {
            let number = record.position().map_or(0, csv::Position::line);
            let read = record_fields(&record, positions).and_then(|fields| fields.into_document(owner));
            Some(Ok(import_line(number, read)))
        }
        // Only reading can fail: any number of cells is allowed.
        Err(error) => Some(Err(error.into())),
    }
}

fn record_fields(record: &csv::ByteRecord, positions: [Option<usize>; 4]) -> Result<Fields, String> {
    let cell = |position: Option<usize>| match position.and_then(|position| record.get(position)) {
        None => Ok(None),
        Some(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.to_owned())),
            Err(_) => Err("is not UTF-8 text".to_owned()),
        },
    };
    let [url, name, account_id, assistant_id] = positions.map(cell);
    Ok(Fields { url: url?, name: name?, account_id: account_id?, assistant_id: assistant_id? })
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}
