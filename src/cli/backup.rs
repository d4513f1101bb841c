//! `quarterdeck backup`: writes a checked copy of an SQLite store to a file while others use the store, or puts such a
//! copy in the store's place. For PostgreSQL it prints the commands of PostgreSQL's own tools.

use super::confirm::agreed;
use super::context::Context;
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::stop::StopSignals;
use crate::format;
use crate::store::{self, BackupMethod, ServerTools, StoreContents, StoreError};
use serde::Serialize;
use std::borrow::Cow;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File that the backup is written to, which must not exist yet, or restored from
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Replace the store by this backup; no other process may use the store
    #[arg(long)]
    pub restore: bool,
    /// Do not copy the present store before it is replaced
    #[arg(long, requires = "restore")]
    pub no_backup: bool,
    /// Do not ask for confirmation
    #[arg(long, requires = "restore")]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct BackupJson {
    file: String,
    restored: bool,
    schema_version: i64,
    bytes: u64,
    documents: u64,
    outcomes: u64,
    last_outcome_at: Option<String>,
    replaced_copy: Option<String>,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let store = match store::backup_method(&context.config.store.url)? {
        BackupMethod::File(path) => path,
        BackupMethod::Server(tools) => {
            note(server_message(&tools, &args.file, args.restore));
            return Ok(Exit::WrongUse);
        }
    };
    let (contents, copy) = if args.restore {
        context.ensure_writable("backup --restore")?;
        let Some(restored) = restore(&store, args).await? else { return Ok(Exit::Done) };
        restored
    } else {
        let mut stop = StopSignals::listen()?;
        refuse_existing(&args.file)?;
        let contents = tokio::select! {
            contents = store::back_up(&store, &args.file) => contents?,
            () = stop.next() => {
                note("interrupted: no backup was written");
                return Ok(Exit::Interrupted);
            }
        };
        (contents, None)
    };
    if args.json {
        out.json(&BackupJson {
            file: args.file.display().to_string(),
            restored: args.restore,
            schema_version: contents.version,
            bytes: contents.bytes,
            documents: contents.documents,
            outcomes: contents.outcomes,
            last_outcome_at: contents.last_outcome.map(|at| at.rfc3339()),
            replaced_copy: copy.map(|copy| copy.display().to_string()),
        })?;
        return Ok(Exit::Done);
    }
    let what = describe(&contents);
    if args.restore {
        out.confirmation(format!("restored {what} from {}", args.file.display()))?;
        if let Some(copy) = copy {
            out.confirmation(format!("the store from before is in {}", copy.display()))?;
        }
    } else {
        out.confirmation(format!("wrote {what} to {} and checked it", args.file.display()))?;
    }
    Ok(Exit::Done)
}

/// Refuses a file that exists: a backup never replaces another one.
fn refuse_existing(file: &Path) -> Result<(), CliError> {
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if file == Path::new("-") {
        return Err(CliError::Usage("a backup is a file, not a stream; name a new file".to_owned()));
    }
    if fs::symlink_metadata(file).is_ok() {
        return Err(CliError::Usage(format!("{} exists; name a new file", file.display())));
    }
    if !folder.is_dir() {
        return Err(CliError::Usage(format!("there is no folder {}", folder.display())));
    }
    Ok(())
}

/// Replaces the store after a question. Returns the contents and the copy of the store from before; `None` if the user
/// does not agree.
async fn restore(store: &Path, args: &Args) -> Result<Option<(StoreContents, Option<PathBuf>)>, CliError> {
    if let (Ok(file), Ok(own)) = (fs::metadata(&args.file), fs::metadata(store))
        && (file.dev(), file.ino()) == (own.dev(), own.ino())
    {
        return Err(CliError::Usage(format!("{} is the store itself", args.file.display())));
    }
    // A file that is missing, damaged or no store can be replaced in the call by another one.
    let contents = store::backup_contents(&args.file).await.map_err(|error| CliError::Usage(error.to_string()))?;
    let found = describe(&contents);
    let old = match fs::exists(store) {
        Ok(false) => None,
        _ => Some(store::backup_contents(store).await),
    };
    let question = match &old {
        None => format!("Restore {found} to {}?", store.display()),
        Some(old) => {
            let old = old.as_ref().map_or_else(|_| "a file that cannot be read".to_owned(), describe);
            format!("Replace {} ({old}) by {found}?", store.display())
        }
    };
    if !agreed(args.yes, &question)? {
        return Ok(None);
    }
    let kept = match old.filter(|_| !args.no_backup).transpose() {
        Ok(kept) => kept,
        Err(error) => {
            let advice = "move the file away, or restore with --no-backup; the store was not changed";
            return Err(StoreError::Unusable(format!("{error}; no copy of it can be made: {advice}")).into());
        }
    };
    let copy = store::restore(&args.file, store, kept.as_ref()).await?;
    Ok(Some((contents, copy)))
}

fn describe(contents: &StoreContents) -> String {
    let StoreContents { version, bytes, documents, outcomes, last_outcome } = contents;
    let last = last_outcome.map_or_else(String::new, |at| format!(", the last one of {}", at.rfc3339()));
    format!(
        "{} and {}{last} ({}, schema version {version})",
        format::count(*documents, "document"),
        format::count(*outcomes, "outcome"),
        format::bytes(*bytes),
    )
}

/// Returns what to do for a store on PostgreSQL.
fn server_message(tools: &ServerTools, file: &Path, restores: bool) -> String {
    let file = file.to_string_lossy();
    let line = |program: &str, arguments: &[String], last: String| {
        let words = arguments.iter().map(|argument| quoted(argument)).chain([quoted(&last)]);
        format!("  {program} {}", words.collect::<Vec<_>>().join(" "))
    };
    if restores {
        format!(
            "a store on PostgreSQL is restored by PostgreSQL's own tool, after every console and worker was stopped \
             (it replaces all tables of both schemas, Chatwoot's too where this is its database):\n{}",
            line("pg_restore", &tools.restore, file.into_owned())
        )
    } else {
        format!(
            "a store on PostgreSQL is backed up by PostgreSQL's own tool, both schemas at the same moment:\n{}",
            line("pg_dump", &tools.dump, format!("--file={file}"))
        )
    }
}

/// Quotes a word for a shell, if it needs that.
fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:@,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        Cow::Borrowed(word)
    } else {
        Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell_where_they_need_it() {
        assert_eq!(quoted("--dbname=knowledge"), "--dbname=knowledge");
        assert_eq!(quoted("--file=a b; rm -r ~"), "'--file=a b; rm -r ~'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
