//! Sorts the documents of a large import by URL, in temporary files when they are many.
//!
//! A store has several indexes that begin with the URL or the host. Rows in the order of a file go to pages all over
//! them, and each page is written again for almost every row; rows in the order of the URLs write each page once.

use super::lines::ImportedDocument;
use crate::domain::id::{AccountId, AssistantId};
use crate::domain::link::Link;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::NewDocument;
use itertools::Itertools as _;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Seek as _, Write as _};
use std::mem;

/// Maximum number of documents in memory; they take about 15 MB.
const RUN_LENGTH: usize = 50_000;
/// Number of documents up to which the order of the file is kept.
const MAX_UNSORTED: usize = 10_000;
/// Bytes that are read at once from each run. A million documents have 20 runs.
const READ_BUFFER: usize = 64 << 10;

/// Collects documents, and gives them out sorted by URL: an external merge sort whose runs are temporary files without a
/// name, which the kernel removes with the process.
pub struct Sorter {
    /// Maximum number of documents in memory.
    run_length: usize,
    documents: Vec<ImportedDocument>,
    runs: Vec<File>,
    /// Number of documents in `runs`.
    spilled: u64,
}

/// Document of a run, as a line of JSON.
#[derive(Serialize, Deserialize)]
struct Spilled {
    url: String,
    /// Position in the import: of documents with the same URL the first one counts.
    position: u64,
    name: Option<String>,
    account: i64,
    assistant: i64,
    /// In microseconds since 1970.
    modified: Option<i64>,
}

impl Default for Sorter {
    fn default() -> Self {
        Self::with_run_length(RUN_LENGTH)
    }
}

impl Sorter {
    /// Makes a sorter that keeps at most `run_length` documents in memory.
    pub fn with_run_length(run_length: usize) -> Self {
        Self { run_length, documents: Vec::new(), runs: Vec::new(), spilled: 0 }
    }

    /// Adds a document.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written.
    pub fn push(&mut self, document: ImportedDocument) -> io::Result<()> {
        if self.documents.len() == self.run_length {
            self.spill()?;
        }
        self.documents.push(document);
        Ok(())
    }

    /// Writes the documents in memory to a file of their own, sorted.
    fn spill(&mut self) -> io::Result<()> {
        let mut run = BufWriter::new(tempfile::tempfile()?);
        let mut documents: Vec<(u64, ImportedDocument)> =
            (self.spilled..).zip(mem::take(&mut self.documents)).collect();
        self.spilled += documents.len() as u64;
        // Positions grow with the index, so a stable sort keeps documents with the same URL in the order of the file.
        documents.sort_by(|(_, a), (_, b)| a.link.as_str().cmp(b.link.as_str()));
        for (position, ImportedDocument { document, modified }) in documents {
            let spilled = Spilled {
                url: document.link.as_str().to_owned(),
                position,
                name: document.name.map(|name| name.as_str().to_owned()),
                account: document.account_id.0,
                assistant: document.assistant_id.0,
                modified: modified.map(Timestamp::micros),
            };
            serde_json::to_writer(&mut run, &spilled)?;
            run.write_all(b"\n")?;
        }
        let mut run = run.into_inner().map_err(io::IntoInnerError::into_error)?;
        run.rewind()?;
        self.runs.push(run);
        Ok(())
    }

    /// Returns the documents: in the order in which they were added if they are at most 10,000, else sorted by URL.
    ///
    /// # Errors
    /// The folder for temporary files cannot be written. The iterator fails where a temporary file cannot be read.
    pub fn finish(mut self) -> io::Result<Box<dyn Iterator<Item = io::Result<ImportedDocument>> + Send>> {
        if self.runs.is_empty() {
            if self.documents.len() > MAX_UNSORTED {
                self.documents.sort_by(|a, b| a.link.as_str().cmp(b.link.as_str()));
            }
            return Ok(Box::new(self.documents.into_iter().map(Ok)));
        }
        self.spill()?;
        let merged = self.runs.into_iter().map(read_run).kmerge_by(|a, b| match (a, b) {
            (Ok(a), Ok(b)) => (&a.url, a.position) < (&b.url, b.position),
            // An error comes first: nothing after it is complete.
            (a, _) => a.is_err(),
        });
        Ok(Box::new(merged.map(|spilled| spilled?.into_document())))
    }
}

/// Reads the documents of a run.
fn read_run(file: File) -> impl Iterator<Item = io::Result<Spilled>> + Send {
    BufReader::with_capacity(READ_BUFFER, file).lines().map(|line| Ok(serde_json::from_str(&line?)?))
}

impl Spilled {
    fn into_document(self) -> io::Result<ImportedDocument> {
        // A link loses one trailing slash when it is parsed; the stored form has lost it already.
        let link = Link::parse(&format!("{}/", self.url)).map_err(io::Error::other)?;
        let document = NewDocument {
            link,
            name: self.name.as_deref().map(SafeLine::from),
            account_id: AccountId(self.account),
            assistant_id: AssistantId(self.assistant),
        };
        Ok(ImportedDocument { document, modified: self.modified.map(Timestamp::from_micros) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(n: usize) -> ImportedDocument {
        // 7919 is prime to the number of documents: every URL once, in no order.
        let page = n * 7919 % 12_007;
        let document = NewDocument {
            link: Link::parse(&format!("https://host-{}.example/{page}//?q=a/", page % 40)).expect("a link"),
            name: n.is_multiple_of(3).then(|| SafeLine::new("A \"name\"\nof two lines")),
            account_id: AccountId(1 + n as i64 % 5),
            assistant_id: AssistantId(2),
        };
        ImportedDocument { document, modified: n.is_multiple_of(2).then(|| Timestamp::from_micros(n as i64)) }
    }

    fn sorted(documents: Vec<ImportedDocument>) -> Vec<ImportedDocument> {
        let mut sorter = Sorter::with_run_length(5_000);
        documents.into_iter().for_each(|document| sorter.push(document).expect("is written"));
        sorter.finish().expect("is written").collect::<io::Result<_>>().expect("is read")
    }

    #[test]
    fn few_documents_keep_their_order() {
        let documents: Vec<_> = (0..4_000).map(document).collect();
        assert!(sorted(documents.clone()) == documents);
    }

    #[test]
    fn many_documents_come_sorted_by_url_and_unchanged() {
        for count in [5_001, 10_000, 12_007] {
            let mut documents: Vec<_> = (0..count).map(document).collect();
            let result = sorted(documents.clone());
            documents.sort_by(|a, b| a.link.as_str().cmp(b.link.as_str()));
            assert!(result == documents, "{count}");
        }
    }

    #[test]
    fn of_documents_with_the_same_url_the_first_stays_first() {
        let mut documents: Vec<_> = (0..12_007).map(document).collect();
        let mut twice = document(7);
        twice.document.name = Some(SafeLine::new("second"));
        documents.push(twice.clone());
        let result = sorted(documents);
        let found: Vec<_> = result.iter().filter(|document| document.link == twice.link).collect();
        assert!(found == [&document(7), &twice]);
    }
}
