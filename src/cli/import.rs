//! `quarterdeck import FILE|-`: adds documents from a file. A line that cannot be read is reported with its number, and
//! the other lines are imported. The exit code is then 1. Documents are added when the whole file has been read.

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
use lines::{ImportFormat, ImportLine};
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
    /// A file, or - for standard input; may be gzipped
    #[arg(value_name = "FILE|-")]
    pub file: PathBuf,
    /// The file's format; detected from its name or first line when left out
    #[arg(long, value_enum)]
    pub format: Option<ImportFormat>,
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

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let is_stdin = args.file.as_os_str() == "-";
    let name = if is_stdin { "stdin".to_owned() } else { args.file.display().to_string() };
    let wrong = |error: String| CliError::Usage(format!("{name}: {error}"));
    let unreadable = |error: io::Error| CliError::Usage(format!("cannot read {name}: {error}"));
    let unpacked = if is_stdin {
        gzip::unpack(io::stdin())
    } else {
        let file = File::open(&args.file).map_err(unreadable)?;
        // Opening a folder succeeds; only reading fails.
        if file.metadata().is_ok_and(|data| data.is_dir()) {
            return Err(unreadable(io::ErrorKind::IsADirectory.into()));
        }
        gzip::unpack(file)
    }
    .map_err(wrong)?;
    let form = args.format.unwrap_or_else(|| ImportFormat::guess(&args.file, &unpacked.head));
    let lines = lines::read(form, unpacked.text, args.owner.account(), args.owner.assistant()).map_err(wrong)?;

    let store = context.writable_store("import").await?;
    args.owner.check(&*store).await?;
    let unsortable = |error: io::Error| CliError::Unsortable { folder: std::env::temp_dir(), error };
    let mut imported = Imported::default();
    let mut sorter = Sorter::default();
    let (mut documents, mut progress) = (0, ProgressLine::start("documents read", None));
    for line in lines {
        progress.advance(1);
        match line.map_err(unreadable)? {
            ImportLine::Document(document) => {
                documents += 1;
                sorter.push(*document).map_err(unsortable)?;
            }
            ImportLine::Unreadable { number, reason } => {
                imported.unreadable += 1;
                problem(format!("{name}:{number}: {reason}"));
            }
        }
    }
    drop(progress);
    let mut progress = ProgressLine::start("documents", Some(documents));
    let mut documents = sorter.finish().map_err(unsortable)?;
    loop {
        let batch: Vec<NewDocument> =
            documents.by_ref().take(BATCH_SIZE).collect::<io::Result<_>>().map_err(unsortable)?;
        if batch.is_empty() {
            break;
        }
        let added = store.add(&batch).await?;
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
