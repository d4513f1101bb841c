//! A run of an export: compares the documents with what was exported, in the order of ids, and writes and removes files.

use super::folder::{FileModes, Folder, FolderError};
use super::journal::{ExportHeader, ExportedFile, ExportedFiles, Journal, JournalError};
use crate::domain::cursor::TextPosition;
use crate::domain::export::{ExportPath, front_matter};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::DocumentId;
use crate::domain::text_change::TextHead;
use crate::store::{StoreError, TextStore};
use rustix::io::Errno;
use serde::Serialize;
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use thiserror::Error;

/// Documents that are compared at a time.
const BATCH_SIZE: usize = 500;
/// Characters of texts that are read at a time, unless one text alone has more.
const TEXT_CHARS: u64 = 400_000;
/// Files that are written between two flushes to the disk; a run after a kill writes so many again.
const FILES_PER_SYNC: usize = 5_000;
/// Digits of a digest that tell whether a file is up to date.
const STATE_DIGITS: usize = 20;

/// An export into a folder.
#[derive(Clone, Copy, Debug)]
pub struct FolderExport<'a> {
    pub folder: &'a Path,
    pub modes: FileModes,
    /// The filter in its printed form: a folder is of one filter.
    pub filter: &'a str,
    /// Removes the files of documents that are gone or no longer match.
    pub prune: bool,
}

/// Figures of a run; in JSON as they are (assets/docs/json.md).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ExportSummary {
    pub written: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// Files of documents that are gone or no longer match, which were not removed.
    pub left: u64,
    /// Files that could not be written or removed, each for a reason of its own.
    pub failed: u64,
}

/// Error that ends an export.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("this folder is an export of another store; name an empty folder")]
    OtherStore,
    #[error("this folder is an export with another filter ({0}); name an empty folder")]
    OtherFilter(String),
    #[error("{0}")]
    Journal(#[from] JournalError),
    #[error("{0}")]
    Folder(#[from] FolderError),
    #[error("{0}")]
    Read(#[from] StoreError),
}

/// Action of a run for a document or a file of before.
enum Step {
    Keep(ExportedFile),
    /// With the length of the text in characters.
    Write(Planned, u64),
    Remove(ExportedFile),
}

/// A file to write.
struct Planned {
    entry: ExportedFile,
    path: ExportPath,
    /// Files of the document at other paths, which are removed.
    stale: Vec<ExportedFile>,
}

struct Run<'a, F> {
    folder: Folder,
    journal: Journal,
    prune: bool,
    summary: ExportSummary,
    since_sync: usize,
    report: &'a mut F,
}

/// Step of an export.
#[derive(Debug)]
pub enum ExportEvent<'a> {
    /// So many more of the documents have been brought up to date.
    Passed(u64),
    /// The file at this path below the folder could not be written or removed.
    Failed(&'a str, &'a io::Error),
}

/// Brings the folder up to date with the texts of the documents `ids`, in ascending order. `report` is called as it
/// proceeds. A file that cannot be written or removed does not end the run, unless the disk itself fails.
pub async fn export<F: FnMut(ExportEvent<'_>) + Send>(
    store: &dyn TextStore,
    ids: &[DocumentId],
    how: FolderExport<'_>,
    report: &mut F,
) -> Result<ExportSummary, ExportError> {
    let history = store.history().await?;
    let folder = Folder::open(how.folder, how.modes)?;
    let header = match Journal::header(&folder)? {
        Some(header) if header.store != history.store.0 => return Err(ExportError::OtherStore),
        Some(header) if header.filter != how.filter => {
            let filter = if header.filter.is_empty() { "all documents".to_owned() } else { header.filter };
            return Err(ExportError::OtherFilter(filter));
        }
        Some(header) => header,
        None => {
            let header = ExportHeader::new(&history.store, how.filter);
            Journal::found(&folder, &header).map_err(|error| folder.failed(error))?;
            header
        }
    };
    let (journal, mut known) = Journal::begin(&folder, header).map_err(|error| folder.failed(error))?;
    let mut run = Run { folder, journal, prune: how.prune, summary: ExportSummary::default(), since_sync: 0, report };
    for batch in ids.chunks(BATCH_SIZE) {
        let heads = store.text_heads(batch).await?;
        let steps = run.plan(&heads, &mut known)?;
        run.carry_out(store, steps).await?;
        (run.report)(ExportEvent::Passed(batch.len() as u64));
    }
    while let Some(entry) = known.before(None).map_err(|error| run.folder.failed(error))? {
        let step = run.unmatched(entry);
        run.carry_out(store, VecDeque::from([step])).await?;
    }
    let Run { folder, journal, summary, .. } = run;
    let cursor = history.cursor(TextPosition::after(history.last));
    journal.end(&folder, &cursor).map_err(|error| folder.failed(error))?;
    Ok(summary)
}

/// Returns what a file with this front matter is recognised by.
fn state_of(front: &str) -> String {
    Fingerprint::of(front).as_str().chars().take(STATE_DIGITS).collect()
}

fn path_of(head: &TextHead) -> ExportPath {
    ExportPath::of(&head.owner.url, head.owner.document_id, head.owner.assistant_id)
}

impl<F: FnMut(ExportEvent<'_>)> Run<'_, F> {
    /// Decides about the documents of a batch, and about the files of before with ids up to theirs.
    fn plan(&mut self, heads: &[TextHead], known: &mut ExportedFiles) -> Result<VecDeque<Step>, ExportError> {
        let mut steps = VecDeque::new();
        for head in heads {
            let id = head.owner.document_id;
            while let Some(entry) = known.before(Some(id)).map_err(|error| self.folder.failed(error))? {
                steps.push_back(self.unmatched(entry));
            }
            let path = path_of(head);
            let entry = ExportedFile { id, path: path.to_string(), state: state_of(&front_matter(head)) };
            let (mut is_current, mut stale) = (false, Vec::new());
            while let Some(earlier) = known.of_document(id).map_err(|error| self.folder.failed(error))? {
                is_current |= earlier == entry;
                if earlier.path != entry.path {
                    stale.push(earlier);
                }
            }
            steps.push_back(match is_current && stale.is_empty() {
                true => {
                    self.summary.unchanged += 1;
                    Step::Keep(entry)
                }
                false => Step::Write(Planned { entry, path, stale }, head.chars.unwrap_or(TEXT_CHARS)),
            });
        }
        Ok(steps)
    }

    /// Decides about a file whose document is gone or no longer matches.
    fn unmatched(&mut self, entry: ExportedFile) -> Step {
        if self.prune {
            return Step::Remove(entry);
        }
        self.summary.left += 1;
        Step::Keep(entry)
    }

    async fn carry_out(&mut self, store: &dyn TextStore, mut steps: VecDeque<Step>) -> Result<(), ExportError> {
        let announced = steps.iter().filter_map(|step| match step {
            Step::Write(planned, _) => Some(&planned.entry),
            Step::Keep(_) | Step::Remove(_) => None,
        });
        self.journal.announce(announced).map_err(|error| self.folder.failed(error))?;
        let mut last = None;
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Keep(entry) => {
                    last = Some(entry.id);
                    self.keep(&entry)?;
                }
                Step::Remove(entry) => self.remove(entry)?,
                Step::Write(planned, chars) => {
                    let group = take_group(planned, chars, &mut steps);
                    last = group.last().map(|planned| planned.entry.id).or(last);
                    self.write_group(store, group).await?;
                }
            }
        }
        if let Some(last) = last.filter(|_| self.since_sync >= FILES_PER_SYNC) {
            self.journal.done(&self.folder, last).map_err(|error| self.folder.failed(error))?;
            self.since_sync = 0;
        }
        Ok(())
    }

    fn keep(&mut self, entry: &ExportedFile) -> Result<(), ExportError> {
        self.journal.keep(entry).map_err(|error| self.folder.failed(error).into())
    }

    /// Writes files of texts that are read together.
    async fn write_group(&mut self, store: &dyn TextStore, group: Vec<Planned>) -> Result<(), ExportError> {
        let ids: Vec<DocumentId> = group.iter().map(|planned| planned.entry.id).collect();
        let mut texts = store.stored_texts(&ids).await?.into_iter().peekable();
        for Planned { entry, path, stale } in group {
            let Some(stored) = texts.next_if(|stored| stored.head.owner.document_id == entry.id) else {
                // Removed since it was listed. Its files are those of a document that is gone for the next run.
                for earlier in &stale {
                    self.keep(earlier)?;
                }
                continue;
            };
            // It may be a later text than the one that was listed.
            let front = front_matter(&stored.head);
            let end = if stored.text.ends_with('\n') { "" } else { "\n" };
            match self.folder.write(&path, &[&front, &stored.text, end]) {
                Ok(()) => {
                    self.summary.written += 1;
                    self.since_sync += 1;
                    self.keep(&ExportedFile { state: state_of(&front), ..entry })?;
                }
                Err(error) => {
                    self.note_failure(&path, error)?;
                    // Unknown, so that the next run tries again.
                    self.keep(&ExportedFile { state: String::new(), ..entry })?;
                }
            }
            for earlier in stale {
                self.remove(earlier)?;
            }
        }
        Ok(())
    }

    /// Removes a file, unless it is by now another document's or somebody else's.
    fn remove(&mut self, entry: ExportedFile) -> Result<(), ExportError> {
        let Some(path) = entry.path() else { return Ok(()) };
        let removed = match self.folder.document_of(&path) {
            Ok(Some(document)) if document == entry.id => self.folder.remove(&path).map(|()| 1),
            Ok(_) => Ok(0),
            Err(error) => Err(error),
        };
        match removed {
            Ok(removed) => self.summary.removed += removed,
            Err(error) => {
                self.note_failure(&path, error)?;
                self.keep(&entry)?;
            }
        }
        Ok(())
    }

    /// Reports a file that cannot be written or removed. Fails if no other file could be, either.
    fn note_failure(&mut self, path: &ExportPath, error: io::Error) -> Result<(), ExportError> {
        match Errno::from_io_error(&error) {
            Some(
                Errno::LOOP
                | Errno::NAMETOOLONG
                | Errno::ISDIR
                | Errno::NOTDIR
                | Errno::ACCESS
                | Errno::PERM
                | Errno::EXIST,
            ) => {
                self.summary.failed += 1;
                (self.report)(ExportEvent::Failed(&path.to_string(), &error));
                Ok(())
            }
            _ => Err(self.folder.failed(error).into()),
        }
    }
}

/// Takes from `steps` those after `first` that write, too, as long as their texts are not too long together.
fn take_group(first: Planned, chars: u64, steps: &mut VecDeque<Step>) -> Vec<Planned> {
    let (mut group, mut total) = (vec![first], chars);
    while let Some(Step::Write(_, chars)) = steps.front()
        && total + chars <= TEXT_CHARS
    {
        total += chars;
        if let Some(Step::Write(planned, _)) = steps.pop_front() {
            group.push(planned);
        }
    }
    group
}
