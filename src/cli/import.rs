//! `quarterdeck import FILE|-`: adds documents from a file. A line that cannot be read is reported with its number, and
//! the other lines are imported. The exit code is then 1.

#[cfg(test)]
mod fuzz;
mod gzip;
pub mod lines;
mod sitemap;

use super::add::{Owner, request_syncs};
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use crate::store::AddResult;
use lines::{ImportFormat, ImportLine};
use serde::Serialize;
use std::io::{self, Read as _};
use std::path::PathBuf;

/// Maximum number of documents added to the store in one call.
const BATCH: usize = 1_000;

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
    let mut bytes = Vec::new();
    let read = if is_stdin {
        io::stdin().lock().read_to_end(&mut bytes).map(|_| ())
    } else {
        std::fs::read(&args.file).map(|read| bytes = read)
    };
    read.map_err(|error| CliError::Usage(format!("cannot read {name}: {error}")))?;

    let bytes = gzip::unpack(bytes).map_err(|error| CliError::Usage(format!("{name}: {error}")))?;
    let form = args.format.unwrap_or_else(|| ImportFormat::guess(&args.file, &bytes));
    let lines = lines::read(form, &bytes, args.owner.account(), args.owner.assistant())
        .map_err(|error| CliError::Usage(format!("{name}: {error}")))?;

    let store = context.writable_store("import").await?;
    args.owner.check(&*store).await?;
    let mut imported = Imported::default();
    let mut documents = Vec::new();
    for line in lines {
        match line {
            ImportLine::Document(document) => documents.push(*document),
            ImportLine::Unreadable { number, reason } => {
                imported.unreadable += 1;
                note(format!("{name}:{number}: {reason}"));
            }
        }
    }
    for batch in documents.chunks(BATCH) {
        let added = store.add(batch).await?;
        for added in &added {
            match added {
                AddResult::New(_) => imported.added += 1,
                AddResult::Exists(_) => imported.existed += 1,
            }
        }
        if args.sync {
            request_syncs(&*store, &added).await?;
        }
    }
    context.announce(&*store).await?;
    store.close().await;
    if args.json {
        out.json(&imported)?;
    } else {
        let Imported { added, existed, unreadable } = imported;
        let lines = if unreadable == 1 { "line" } else { "lines" };
        let documents = if added == 1 { "document" } else { "documents" };
        out.line(format!("{added} {documents} added, {existed} existed already, {unreadable} {lines} unreadable"))?;
    }
    Ok(if imported.unreadable > 0 { Exit::SomeFailed } else { Exit::Done })
}
