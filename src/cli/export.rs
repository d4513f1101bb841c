//! `quarterdeck export`: writes texts as Markdown files into a folder, or as JSON lines into a file or to stdout.

use super::context::Context;
use super::exit::{CliError, Exit};
use super::limits::modes_of_exports;
use super::output::{Output, note, problem};
use super::progress::ProgressLine;
use super::selection::read_filter;
use crate::domain::export::{Chunk, chunks};
use crate::domain::filter::Subject;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::time::Timestamp;
use crate::export::{ExportError, ExportEvent, ExportSummary, FolderExport, JournalError, LinesFile, export};
use crate::format;
use crate::store::{Sort, Store, StoredText};
use serde::Serialize;
use std::io;
use std::path::{Path, PathBuf};

/// Documents of which facts are read at a time.
const BATCH_SIZE: usize = 500;
/// Characters of texts that are read at a time, unless one text alone has more.
const TEXT_CHARS: u64 = 400_000;
/// Failures of single files that are reported one by one.
const MAX_NOTES: u64 = 20;

/// Arguments of `export`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder, a new or replaced FILE.jsonl, or - for JSON lines on stdout
    #[arg(value_name = "DIR|-|FILE.jsonl")]
    pub target: PathBuf,
    /// Only documents that match this filter; a folder is of one filter
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Remove files of documents that are gone or no longer match (folders only)
    #[arg(long)]
    pub prune: bool,
    /// Split texts at headings into chunks of at most N characters (JSON lines only)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub chunks: Option<u32>,
    /// Print one JSON object with what was done (not with -)
    #[arg(long)]
    pub json: bool,
}

/// A text, or a chunk of it, in JSON (assets/docs/json.md).
#[derive(Serialize)]
struct TextJson<'a> {
    id: DocumentId,
    document_id: DocumentId,
    url: &'a str,
    title: &'a str,
    account_id: AccountId,
    assistant_id: AssistantId,
    version: u64,
    fingerprint: Option<&'a str>,
    added_at: Option<Timestamp>,
    changed_at: Option<Timestamp>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    chunk: Option<ChunkJson<'a>>,
    content: &'a str,
}

#[derive(Serialize)]
struct ChunkJson<'a> {
    chunk: usize,
    chunks: usize,
    headings: &'a [&'a str],
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let filter = read_filter(args.filter.as_deref().unwrap_or_default(), Subject::Documents)?;
    let is_stdout = args.target == Path::new("-");
    let is_file = names_lines(&args.target);
    let wrong = match (is_stdout, is_file) {
        (true, _) if args.json => Some("--json prints what was done; on stdout are the texts"),
        (true, _) | (_, true) if args.prune => Some("--prune removes files of a folder"),
        (false, false) if args.chunks.is_some() => Some("--chunks is for JSON lines: name FILE.jsonl or -"),
        _ => None,
    };
    if let Some(wrong) = wrong {
        return Err(CliError::Usage(wrong.to_owned()));
    }
    let store = context.readable_store().await?;
    let ids = store.matching(&filter, Sort::BY_ID, None).await?;
    let mut progress = ProgressLine::start("documents", Some(ids.len() as u64));
    let summary = if is_stdout {
        let texts = Texts { store: &*store, chunks: args.chunks };
        texts.each(&ids, &mut progress, |line| out.text(line)).await?;
        store.close().await;
        return Ok(Exit::Done);
    } else if is_file {
        let failed = |error| output_failed(&args.target, &error);
        let mut file = LinesFile::create(&args.target, modes_of_exports()).map_err(failed)?;
        let texts = Texts { store: &*store, chunks: args.chunks };
        let written = texts.each(&ids, &mut progress, |line| file.write(line)).await;
        let written = written.map_err(|error| match error {
            CliError::Io(error) => output_failed(&args.target, &error),
            other => other,
        })?;
        file.publish().map_err(failed)?;
        ExportSummary { written, ..ExportSummary::default() }
    } else {
        let how = FolderExport {
            folder: &args.target,
            modes: modes_of_exports(),
            filter: &filter.to_string(),
            prune: args.prune,
        };
        let mut noted = 0;
        let mut report = |event: ExportEvent<'_>| match event {
            ExportEvent::Passed(documents) => progress.advance(documents),
            ExportEvent::Failed(path, error) => {
                noted += 1;
                if noted <= MAX_NOTES {
                    problem(format!("{path}: {error}; nothing was written there, and no link is followed"));
                }
            }
        };
        export(&*store, &ids, how, &mut report).await.map_err(export_failed)?
    };
    drop(progress);
    store.close().await;
    print(&summary, args, out)?;
    Ok(if summary.failed > 0 { Exit::SomeFailed } else { Exit::Done })
}

fn print(summary: &ExportSummary, args: &Args, out: &mut Output) -> io::Result<()> {
    if args.json {
        return out.json(summary);
    }
    let ExportSummary { written, unchanged, removed, left, failed } = *summary;
    let what = if names_lines(&args.target) { "line" } else { "file" };
    let mut line = format!("wrote {} to {}", format::count(written, what), args.target.display());
    for (number, words) in [(unchanged, "unchanged"), (removed, "removed"), (failed, "failed")] {
        if number > 0 {
            line.push_str(&format!(", {} {words}", format::number(number)));
        }
    }
    out.confirmation(line)?;
    if left > 0 {
        note(format!(
            "{} of documents that are gone or no longer match; --prune removes them",
            format::count(left, what)
        ));
    }
    Ok(())
}

/// The texts of documents as JSON lines.
struct Texts<'a> {
    store: &'a dyn Store,
    chunks: Option<u32>,
}

impl Texts<'_> {
    /// Passes each line to `write`, and returns their number. Few texts are in memory at a time.
    async fn each(
        &self,
        ids: &[DocumentId],
        progress: &mut ProgressLine,
        mut write: impl FnMut(&str) -> io::Result<()>,
    ) -> Result<u64, CliError> {
        let mut lines = 0;
        for batch in ids.chunks(BATCH_SIZE) {
            let heads = self.store.text_heads(batch).await?;
            let (mut group, mut chars) = (Vec::new(), 0);
            for head in heads {
                let own = head.chars.unwrap_or(TEXT_CHARS);
                if chars + own > TEXT_CHARS && !group.is_empty() {
                    lines += self.write_group(&group, &mut write).await?;
                    (chars, group) = (0, Vec::new());
                }
                chars += own;
                group.push(head.owner.document_id);
            }
            lines += self.write_group(&group, &mut write).await?;
            progress.advance(batch.len() as u64);
        }
        Ok(lines)
    }

    async fn write_group(
        &self,
        group: &[DocumentId],
        write: &mut impl FnMut(&str) -> io::Result<()>,
    ) -> Result<u64, CliError> {
        let mut lines = 0;
        for stored in self.store.stored_texts(group).await? {
            let parts = self.chunks.map(|most| chunks(&stored.text, usize::try_from(most).unwrap_or(usize::MAX)));
            match parts {
                None => {
                    write(&line(&stored, &stored.text, None)?)?;
                    lines += 1;
                }
                Some(parts) => {
                    for (index, Chunk { headings, text }) in parts.iter().enumerate() {
                        let chunk = ChunkJson { chunk: index + 1, chunks: parts.len(), headings };
                        write(&line(&stored, text, Some(chunk))?)?;
                        lines += 1;
                    }
                }
            }
        }
        Ok(lines)
    }
}

/// Returns a text or a chunk as a line of JSON.
fn line(stored: &StoredText, content: &str, chunk: Option<ChunkJson<'_>>) -> io::Result<String> {
    let (head, owner) = (&stored.head, &stored.head.owner);
    let json = TextJson {
        id: owner.document_id,
        document_id: owner.document_id,
        url: &owner.url,
        title: &owner.name,
        account_id: owner.account_id,
        assistant_id: owner.assistant_id,
        version: head.version,
        fingerprint: head.fingerprint.as_deref(),
        added_at: head.added_at,
        changed_at: head.changed_at,
        chunk,
        content,
    };
    Ok(serde_json::to_string(&json)? + "\n")
}

/// Returns true for the name of a file of JSON lines.
fn names_lines(target: &Path) -> bool {
    target.extension().is_some_and(|end| end.eq_ignore_ascii_case("jsonl"))
}

fn output_failed(target: &Path, error: &io::Error) -> CliError {
    CliError::Export(format!("{}: {error}", target.display()))
}

/// Returns the error of a folder: wrong use if another folder mends it.
fn export_failed(error: ExportError) -> CliError {
    match error {
        ExportError::Read(error) => error.into(),
        ExportError::Folder(_) | ExportError::Journal(JournalError::Folder(_)) => CliError::Export(error.to_string()),
        ExportError::OtherStore | ExportError::OtherFilter(_) | ExportError::Journal(_) => {
            CliError::Usage(error.to_string())
        }
    }
}
