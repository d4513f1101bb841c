//! List of what an export has written, in two files in its folder.
//!
//! The *index* has a line for each document, in the order of ids, and is replaced at the end of a run. The *journal* has
//! the lines of the present run: each before its file is written, and from time to time the id up to which all files are
//! on the disk. The next run after a kill adds the journal to the index; files of which it is not known whether they
//! were written are then written again. Both are read line by line, so their size costs no memory.

use super::folder::{Folder, FolderError};
use crate::domain::cursor::Cursor;
use crate::domain::export::ExportPath;
use crate::domain::id::DocumentId;
use crate::domain::lock::StoreId;
use crate::fault;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use thiserror::Error;

const INDEX: &str = ".quarterdeck-export";
const JOURNAL: &str = ".quarterdeck-export.journal";
const UNFINISHED_INDEX: &str = ".quarterdeck-export.new";
/// Form of the files; another one is refused.
const FORM: u32 = 1;

/// First line of the index: what was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportHeader {
    quarterdeck_export: u32,
    /// Id of the store.
    pub store: String,
    /// Number of runs that have ended.
    run: u64,
    /// Position in the store's history at the start of the last run; empty before its end.
    pub cursor: String,
    pub filter: String,
}

impl ExportHeader {
    /// Returns the header of an export that has not begun.
    pub(super) fn new(store: &StoreId, filter: &str) -> Self {
        Self {
            quarterdeck_export: FORM,
            store: store.0.clone(),
            run: 0,
            cursor: String::new(),
            filter: filter.to_owned(),
        }
    }
}

/// A file of the export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ExportedFile {
    pub(super) id: DocumentId,
    pub(super) path: String,
    /// Digest of the front matter in the file; empty if that is not known.
    pub(super) state: String,
}

impl ExportedFile {
    /// Returns the path, unless somebody has put another one there.
    pub(super) fn path(&self) -> Option<ExportPath> {
        ExportPath::parse(&self.path).ok()
    }
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum JournalLine {
    /// First line: the run that the journal is of.
    Run {
        run: u64,
    },
    /// All files up to this document are on the disk.
    Done {
        done: DocumentId,
    },
    File(ExportedFile),
}

/// Error of the files of an export.
#[derive(Debug, Error)]
pub enum JournalError {
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("there are other files in this folder, and it is no export; name an empty folder")]
    NotAnExport,
    #[error("the file {INDEX} in this folder cannot be read; name an empty folder")]
    Unreadable,
}

/// Reads entries in the order of ids.
pub(super) struct ExportedFiles {
    lines: Option<io::Lines<BufReader<File>>>,
    next: Option<ExportedFile>,
}

impl ExportedFiles {
    fn none() -> Self {
        Self { lines: None, next: None }
    }

    /// Reads the entries of a file whose first line was read.
    fn of(lines: io::Lines<BufReader<File>>) -> io::Result<Self> {
        let mut entries = Self { lines: Some(lines), next: None };
        entries.advance()?;
        Ok(entries)
    }

    fn advance(&mut self) -> io::Result<()> {
        self.next = None;
        let Some(lines) = &mut self.lines else { return Ok(()) };
        for line in lines {
            // The last line of a process that was killed may be cut off.
            if let Ok(entry) = serde_json::from_str(&line?) {
                self.next = Some(entry);
                break;
            }
        }
        Ok(())
    }

    /// Takes the next entry if its document comes before `id`, or with `None` any.
    pub(super) fn before(&mut self, id: Option<DocumentId>) -> io::Result<Option<ExportedFile>> {
        if self.next.as_ref().is_none_or(|entry| id.is_some_and(|id| entry.id >= id)) {
            return Ok(None);
        }
        let entry = self.next.take();
        self.advance()?;
        Ok(entry)
    }

    /// Takes the entry of this document; those before it must have been taken.
    pub(super) fn of_document(&mut self, id: DocumentId) -> io::Result<Option<ExportedFile>> {
        if self.next.as_ref().is_none_or(|entry| entry.id != id) {
            return Ok(None);
        }
        let entry = self.next.take();
        self.advance()?;
        Ok(entry)
    }
}

/// The files of an export in a run: the entries of before, and those of now.
pub(super) struct Journal {
    header: ExportHeader,
    journal: BufWriter<File>,
    index: BufWriter<File>,
}

impl Journal {
    /// Reads the header of the export in a folder. Returns `None` if there is none and the folder is empty.
    pub(super) fn header(folder: &Folder) -> Result<Option<ExportHeader>, JournalError> {
        let Some(file) = folder.read(INDEX).map_err(|error| folder.failed(error))? else {
            let has_others = folder.has_visible_entries().map_err(|error| folder.failed(error))?;
            return if has_others { Err(JournalError::NotAnExport) } else { Ok(None) };
        };
        let first = BufReader::new(file).lines().next().transpose().map_err(|error| folder.failed(error))?;
        let header: Option<ExportHeader> = first.and_then(|line| serde_json::from_str(&line).ok());
        header.filter(|header| header.quarterdeck_export == FORM).map(Some).ok_or(JournalError::Unreadable)
    }

    /// Makes an empty folder an export.
    pub(super) fn found(folder: &Folder, header: &ExportHeader) -> io::Result<()> {
        write_index(folder, header, |_| Ok(()))
    }

    /// Begins a run: adds the journal of a run that was killed to the index. Returns the entries of before.
    pub(super) fn begin(folder: &Folder, mut header: ExportHeader) -> io::Result<(Self, ExportedFiles)> {
        let killed = interrupted(folder, &header)?;
        if let Some(mut added) = killed {
            let mut known = index(folder)?;
            write_index(folder, &header, |to| {
                while let Some(entry) = added.before(None)? {
                    while let Some(earlier) = known.before(Some(entry.id))? {
                        line(to, &earlier)?;
                    }
                    // A document whose path has changed leaves its earlier file: two lines, of which one is removed.
                    if let Some(earlier) = known.of_document(entry.id)?.filter(|earlier| earlier.path != entry.path) {
                        line(to, &ExportedFile { state: String::new(), ..earlier })?;
                    }
                    line(to, &entry)?;
                }
                while let Some(earlier) = known.before(None)? {
                    line(to, &earlier)?;
                }
                Ok(())
            })?;
        }
        let known = index(folder)?;
        header.run += 1;
        let mut journal = BufWriter::new(folder.create(JOURNAL)?);
        line(&mut journal, &JournalLine::Run { run: header.run })?;
        journal.flush()?;
        let index = BufWriter::new(folder.create(UNFINISHED_INDEX)?);
        Ok((Self { header, journal, index }, known))
    }

    /// Notes that the files of these entries are about to be written.
    pub(super) fn announce<'a>(&mut self, entries: impl Iterator<Item = &'a ExportedFile>) -> io::Result<()> {
        for entry in entries {
            line(&mut self.journal, entry)?;
        }
        self.journal.flush()
    }

    /// Notes that all files up to this document are on the disk.
    pub(super) fn done(&mut self, folder: &Folder, document: DocumentId) -> io::Result<()> {
        folder.sync()?;
        line(&mut self.journal, &JournalLine::Done { done: document })?;
        self.journal.flush()
    }

    /// Adds an entry to the index of this run.
    pub(super) fn keep(&mut self, entry: &ExportedFile) -> io::Result<()> {
        line(&mut self.index, entry)
    }

    /// Ends the run: from now on the index is the one of this run.
    pub(super) fn end(mut self, folder: &Folder, cursor: &Cursor) -> io::Result<()> {
        self.header.cursor = cursor.to_string();
        self.index.flush()?;
        drop(self.index);
        // The header comes first, so the entries are copied after it.
        let entries = folder.read(UNFINISHED_INDEX)?.ok_or(io::ErrorKind::NotFound)?;
        write_index(folder, &self.header, |to| io::copy(&mut BufReader::new(entries), to).map(drop))?;
        fault::point("export_indexed", "");
        folder.unlink(UNFINISHED_INDEX)?;
        folder.unlink(JOURNAL)
    }
}

fn line(to: &mut impl io::Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *to, value)?;
    to.write_all(b"\n")
}

fn index(folder: &Folder) -> io::Result<ExportedFiles> {
    let Some(file) = folder.read(INDEX)? else { return Ok(ExportedFiles::none()) };
    let mut lines = BufReader::new(file).lines();
    lines.next().transpose()?;
    ExportedFiles::of(lines)
}

/// Replaces the index at once by a header and what `entries` writes.
fn write_index(
    folder: &Folder,
    header: &ExportHeader,
    entries: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    const NEW: &str = ".quarterdeck-export.tmp";
    let mut file = BufWriter::new(folder.create(NEW)?);
    line(&mut file, header)?;
    entries(&mut file)?;
    file.flush()?;
    fault::point("export_index", "");
    folder.sync()?;
    folder.rename(NEW, INDEX)
}

/// Returns the entries of a run that was killed; `None` without one. The state of those after the last one that is known
/// to be done is not known.
fn interrupted(folder: &Folder, header: &ExportHeader) -> io::Result<Option<ExportedFiles>> {
    let Some(file) = folder.read(JOURNAL)? else { return Ok(None) };
    let mut lines = BufReader::new(file).lines();
    match lines.next().transpose()?.map(|line| serde_json::from_str(&line)) {
        // The journal of a run that has ended, and was killed before it removed it, says nothing new.
        Some(Ok(JournalLine::Run { run })) if run == header.run + 1 => {}
        _ => return Ok(None),
    }
    let mut done = DocumentId(0);
    for line in lines {
        if let Ok(JournalLine::Done { done: up_to }) = serde_json::from_str(&line?) {
            done = up_to;
        }
    }
    let Some(file) = folder.read(JOURNAL)? else { return Ok(None) };
    let mut known = BufWriter::new(folder.create(UNFINISHED_INDEX)?);
    for read in BufReader::new(file).lines() {
        if let Ok(JournalLine::File(entry)) = serde_json::from_str(&read?) {
            let state = if entry.id <= done { entry.state } else { String::new() };
            line(&mut known, &ExportedFile { state, ..entry })?;
        }
    }
    known.flush()?;
    folder.read(UNFINISHED_INDEX)?.map(|file| ExportedFiles::of(BufReader::new(file).lines())).transpose()
}
