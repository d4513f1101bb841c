//! `quarterdeck import FILE|URL|-`: adds documents from a file, or from a listing that is fetched. A line that cannot be
//! read is reported with its number, and the other lines are imported. The exit code is then 1. Documents are added when
//! the whole file has been read.

mod fetched;
#[cfg(test)]
mod fuzz;
mod gzip;
pub mod lines;
mod sitemap;
mod sorted;

use super::add::{Owner, note_idle, request_syncs};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, problem};
use super::progress::ProgressLine;
use crate::store::{AddResult, NewDocument};
use lines::{ImportFormat, ImportLine, ImportLines, ImportedDocument};
use serde::Serialize;
use sorted::Sorter;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// Maximum number of documents that are added, and with `--sync` requested, at once.
const BATCH_SIZE: usize = 10_000;

/// Arguments of `import`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A file, or - for standard input; may be gzipped. Or the URL of a sitemap, an index of sitemaps, RSS, Atom, a page of
    /// links or llms.txt
    #[arg(value_name = "FILE|URL|-")]
    pub file: PathBuf,
    /// The file's format; detected from its name or first line when left out
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
    /// Of a URL: only pages that match, as of `source add` (several times: any of them)
    #[arg(long = "match", value_name = "PATTERN")]
    pub include: Vec<String>,
    /// Account and assistant of the documents whose lines name none.
    #[command(flatten)]
    pub owner: Owner,
    /// Request syncs immediately
    #[arg(long)]
    pub sync: bool,
    /// Print the result as one JSON object: added, existed, unreadable
    #[arg(long)]
    pub json: bool,
}

#[derive(Default, Serialize)]
struct Imported {
    added: u64,
    existed: u64,
    unreadable: u64,
}

/// Source of the documents.
enum ImportInput<'a> {
    /// URL of a listing.
    Listing(&'a str),
    /// Opened file, with its name.
    File(String, Box<ImportLines>),
}

impl<'a> ImportInput<'a> {
    fn of(args: &'a Args) -> Result<Self, CliError> {
        match args.file.to_str().filter(|name| name.starts_with("http://") || name.starts_with("https://")) {
            Some(url) => Ok(Self::Listing(url)),
            None => open(args).map(|(name, lines)| Self::File(name, Box::new(lines))),
        }
    }
}

/// Documents of a file or a listing, and the number of entries that are none.
struct Collected {
    sorter: Sorter,
    documents: u64,
    unreadable: u64,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let input = ImportInput::of(args)?;
    let store = context.writable_store("import").await?;
    args.owner.check(&*store).await?;
    let collected = match input {
        ImportInput::Listing(url) => fetched::collect(context, url, args).await?,
        ImportInput::File(name, lines) => collect(&name, *lines)?,
    };
    let Collected { sorter, documents, unreadable } = collected;
    let mut imported = Imported { unreadable, ..Imported::default() };
    let mut progress = ProgressLine::start("documents", Some(documents));
    let mut documents = sorter.finish().map_err(unsortable)?;
    loop {
        let batch: Vec<ImportedDocument> =
            documents.by_ref().take(BATCH_SIZE).collect::<io::Result<_>>().map_err(unsortable)?;
        if batch.is_empty() {
            break;
        }
        let dates: Vec<_> = batch.iter().map(|document| document.modified).collect();
        let batch: Vec<NewDocument> = batch.into_iter().map(|document| document.document).collect();
        let added = store.add(&batch).await?;
        let dated =
            added.iter().zip(dates).filter_map(|(AddResult::New(id) | AddResult::Exists(id), at)| Some((*id, at?)));
        store.note_modified(&dated.collect::<Vec<_>>()).await?;
        for added in &added {
            match added {
                AddResult::New(_) => imported.added += 1,
                AddResult::Exists(_) => imported.existed += 1,
            }
        }
        if args.sync {
            request_syncs(&*store, &added).await?;
        }
        progress.advance(added.len() as u64);
    }
    drop(progress);
    context.announce(&*store).await?;
    if args.sync && imported.added + imported.existed > 0 {
        note_idle(&*store).await?;
    }
    store.close().await;
    if args.json {
        out.json(&imported)?;
    } else {
        let Imported { added, existed, unreadable } = imported;
        let lines = if unreadable == 1 { "line" } else { "lines" };
        let documents = if added == 1 { "document" } else { "documents" };
        out.confirmation(format!(
            "{added} {documents} added, {existed} existed already, {unreadable} {lines} unreadable"
        ))?;
    }
    Ok(if imported.unreadable > 0 { Exit::SomeFailed } else { Exit::Done })
}

/// Opens the file of the arguments, and returns its name with its lines.
fn open(args: &Args) -> Result<(String, ImportLines), CliError> {
    if !args.include.is_empty() {
        return Err(CliError::Usage("--match is for URLs".to_owned()));
    }
    let is_stdin = args.file.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { args.file.display().to_string() };
    let wrong = |error: String| CliError::Usage(format!("{name}: {error}"));
    let unpacked = if is_stdin {
        gzip::unpack(io::stdin())
    } else {
        let file = File::open(&args.file).map_err(|error| unreadable(&name, error))?;
        // Opening a folder succeeds; only reading fails.
        if file.metadata().is_ok_and(|data| data.is_dir()) {
            return Err(unreadable(&name, io::ErrorKind::IsADirectory.into()));
        }
        gzip::unpack(file)
    }
    .map_err(wrong)?;
    let form = args.format.unwrap_or_else(|| ImportFormat::guess(&args.file, &unpacked.head));
    let lines = lines::read(form, unpacked.text, args.owner.account(), args.owner.assistant()).map_err(wrong)?;
    Ok((name, lines))
}

/// Reads all lines of the file `name`.
fn collect(name: &str, lines: ImportLines) -> Result<Collected, CliError> {
    let mut collected = Collected { sorter: Sorter::default(), documents: 0, unreadable: 0 };
    let mut progress = ProgressLine::start("documents read", None);
    for line in lines {
        progress.advance(1);
        match line.map_err(|error| unreadable(name, error))? {
            ImportLine::Document(document) => {
                collected.documents += 1;
                collected.sorter.push(*document).map_err(unsortable)?;
            }
            ImportLine::Unreadable { number, reason } => {
                collected.unreadable += 1;
                problem(format!("{name}:{number}: {reason}"));
            }
        }
    }
    Ok(collected)
}

fn unreadable(name: &str, error: io::Error) -> CliError {
    CliError::Usage(format!("cannot read {name}: {error}"))
}

fn unsortable(error: io::Error) -> CliError {
    CliError::Unsortable { folder: std::env::temp_dir(), error }
}
