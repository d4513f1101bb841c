//! `quarterdeck versions`, `diff` and `restore`: the earlier texts of a document.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::Output;
use super::selection::{find, read_name};
use crate::domain::difference::{WordChange, word_difference};
use crate::domain::id::DocumentId;
use crate::domain::text::safe_block;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::{RestoredText, Store};
use crate::tui::no_color;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::io::{self, IsTerminal as _};

/// Unchanged lines before and after each change.
const CONTEXT_LINES: usize = 3;

/// Arguments of `versions`.
#[derive(Debug, clap::Args)]
pub struct VersionsArgs {
    /// The document
    #[arg(value_name = "ID|URL")]
    pub document: String,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// The document
    #[arg(value_name = "ID|URL")]
    pub document: String,
    /// Version to compare from; without it, the newest earlier one
    #[arg(value_name = "A")]
    pub from: Option<u64>,
    /// Version to compare with; without it, the present text
    #[arg(value_name = "B")]
    pub to: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArgs {
    /// The document
    #[arg(value_name = "ID|URL")]
    pub document: String,
    /// Version to restore, as `versions` prints it
    #[arg(value_name = "VERSION")]
    pub version: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// A version in JSON (assets/docs/json.md). Every key is always present.
#[derive(Serialize)]
struct VersionLineJson<'a> {
    id: DocumentId,
    document_id: DocumentId,
    version: u64,
    current: bool,
    replaced_at: Option<Timestamp>,
    fingerprint: Option<&'a str>,
    content_length: u64,
}

/// A difference in JSON.
#[derive(Serialize)]
struct DiffJson<'a> {
    id: DocumentId,
    document_id: DocumentId,
    from: u64,
    to: u64,
    changes: Vec<WordChangeJson<'a>>,
}

#[derive(Serialize)]
struct WordChangeJson<'a> {
    kind: &'static str,
    text: Option<&'a str>,
    lines: Option<usize>,
}

/// Returns the one document that `name` refers to.
async fn one(store: &dyn Store, name: &str) -> Result<DocumentId, CliError> {
    let rows = find(store, std::slice::from_ref(&name.to_owned())).await?;
    match &rows[..] {
        [row] => Ok(row.id),
        _ => Err(CliError::Usage(format!("{name}: several assistants have this URL; name the document by its ID"))),
    }
}

pub(super) async fn versions(context: &Context, args: &VersionsArgs, out: &mut Output) -> Result<Exit, CliError> {
    read_name(&args.document)?;
    let store = context.readable_store().await?;
    let id = one(&*store, &args.document).await?;
    let zone = TimeZone::system();
    let mut lines = Vec::new();
    let heads = store.text_heads(&[id]).await?;
    if let Some(head) = heads.first() {
        let current = VersionLineJson {
            id,
            document_id: id,
            version: head.version,
            current: true,
            replaced_at: None,
            fingerprint: head.fingerprint.as_deref(),
            content_length: head.chars.unwrap_or_default(),
        };
        lines.push(current);
    }
    let earlier = store.versions(id).await?;
    lines.extend(earlier.iter().map(|version| VersionLineJson {
        id,
        document_id: id,
        version: version.version,
        current: false,
        replaced_at: Some(version.replaced_at),
        fingerprint: version.fingerprint.as_deref(),
        content_length: version.content_length,
    }));
    for line in &lines {
        if args.json {
            out.json(line)?;
            continue;
        }
        let until = line.replaced_at.map_or("current".to_owned(), |at| format!("until {}", at.date_clock(&zone)));
        let length = format::count(line.content_length, "character");
        out.line(format!("{:>7}  {until:<24}  {length}", line.version))?;
    }
    if lines.is_empty() {
        super::output::note("no text is stored");
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Returns a version's text; fails with wrong use if it is not stored.
pub(super) async fn text_of(store: &dyn Store, id: DocumentId, version: u64) -> Result<String, CliError> {
    if let Some(content) = store.content(id).await?.filter(|content| content.version == version) {
        return Ok(content.text);
    }
    let text = store.version_text(id, version).await?;
    text.ok_or_else(|| CliError::Usage(format!("{id}: version {version} is not stored; `quarterdeck versions {id}`")))
}

pub(super) async fn diff(context: &Context, args: &DiffArgs, out: &mut Output) -> Result<Exit, CliError> {
    read_name(&args.document)?;
    let store = context.readable_store().await?;
    let id = one(&*store, &args.document).await?;
    let current = store.content(id).await?.map(|content| content.version);
    let earlier = store.versions(id).await?.first().map(|version| version.version);
    let none = || CliError::Usage(format!("{id}: there is no earlier text to compare with"));
    let from = args.from.or(earlier).ok_or_else(none)?;
    let to = args.to.or(current).ok_or_else(none)?;
    let (old, new) = (text_of(&*store, id, from).await?, text_of(&*store, id, to).await?);
    store.close().await;
    let changes = word_difference(&old, &new, CONTEXT_LINES);
    if args.json {
        let changes = changes.iter().map(WordChangeJson::from).collect();
        out.json(&DiffJson { id, document_id: id, from, to, changes })?;
        return Ok(Exit::Done);
    }
    let colours = io::stdout().is_terminal() && !no_color();
    for change in &changes {
        out.text(&printed(change, colours))?;
    }
    if changes.is_empty() {
        super::output::note(format!("versions {from} and {to} have the same text"));
    }
    Ok(Exit::Done)
}

impl<'a> From<&'a WordChange> for WordChangeJson<'a> {
    fn from(change: &'a WordChange) -> Self {
        match change {
            WordChange::Same(text) => Self { kind: "same", text: Some(text), lines: None },
            WordChange::Removed(text) => Self { kind: "removed", text: Some(text), lines: None },
            WordChange::Added(text) => Self { kind: "added", text: Some(text), lines: None },
            WordChange::Skipped(lines) => Self { kind: "skipped", text: None, lines: Some(*lines) },
        }
    }
}

/// Returns a piece for the terminal: in colour, or in the marks that other tools use for words.
fn printed(change: &WordChange, colours: bool) -> String {
    let marked = |text: &str, colour: &str, (open, close): (&str, &str)| {
        let (words, end) = text.split_at(text.trim_end().len());
        let words = safe_block(words);
        let words = match colours {
            true => words.lines().map(|line| format!("\x1b[{colour}m{line}\x1b[0m")).collect::<Vec<_>>().join("\n"),
            false => format!("{open}{words}{close}"),
        };
        format!("{words}{end}")
    };
    match change {
        // A line break at the end stays.
        WordChange::Same(text) => {
            let (words, end) = text.split_at(text.trim_end().len());
            format!("{}{end}", safe_block(words))
        }
        WordChange::Removed(text) => marked(text, "31;9", ("[-", "-]")),
        WordChange::Added(text) => marked(text, "32", ("{+", "+}")),
        WordChange::Skipped(lines) => format!("({})\n", format::count(*lines as u64, "unchanged line")),
    }
}

pub(super) async fn restore(context: &Context, args: &RestoreArgs, out: &mut Output) -> Result<Exit, CliError> {
    read_name(&args.document)?;
    let store = context.writable_store("restore").await?;
    let id = one(&*store, &args.document).await?;
    let refused = |why: &str| Err(CliError::Usage(format!("{id}: {why}")));
    let version = match store.restore_text(id, args.version, &operator()).await? {
        RestoredText::Done { version } => version,
        RestoredText::Current => return refused("this is the text that is stored already"),
        RestoredText::Syncing => return refused("it is being synced; restore after the sync"),
        RestoredText::NoVersion => return refused("this version is not stored; `quarterdeck versions` lists them"),
    };
    context.announce(&*store).await?;
    store.close().await;
    if args.json {
        let done = serde_json::json!({
            "id": id, "document_id": id, "restored_version": args.version, "version": version
        });
        out.json(&done)?;
    } else {
        out.line(format!("{id}: version {} is restored, as version {version}", args.version))?;
    }
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_words_are_marked_and_never_control_the_terminal() {
        let added = WordChange::Added("new \u{1b}[2Jword \n".to_owned());
        let plain = printed(&added, false);
        assert!(plain.starts_with("{+new ") && plain.ends_with("+} \n") && !plain.contains('\u{1b}'), "{plain:?}");
        let coloured = printed(&added, true);
        assert_eq!(coloured.matches('\u{1b}').count(), 2, "{coloured:?}");
        assert_eq!(printed(&WordChange::Same("a b\n".to_owned()), true), "a b\n");
        assert_eq!(printed(&WordChange::Skipped(1), false), "(1 unchanged line)\n");
    }
}
