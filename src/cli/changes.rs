//! `quarterdeck changes`: prints what has become of the texts since a cursor, one JSON object per document, and with `-f`
//! goes on with later changes.

use super::context::Context;
use super::cursor::After;
use super::exit::{CliError, Exit};
use super::follow::follow_outcomes;
use super::output::{Output, note};
use super::selection::read_filter;
use super::stop::StopSignals;
use crate::domain::content::ContentChange;
use crate::domain::cursor::{Cursor, History, TextPosition};
use crate::domain::filter::{Filter, Subject};
use crate::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use crate::domain::text_change::{TextChange, TextChangeKind};
use crate::domain::time::Timestamp;
use crate::store::{Store, TextChanges};
use serde::Serialize;
use std::sync::Arc;

/// Maximum number of changes read by one query.
const BATCH: u64 = 500;

/// Arguments of `changes`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only changes after this cursor, the last one that you have; without it, every text
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<After>,
    /// Go on with later changes until Ctrl-C
    #[arg(short, long)]
    pub follow: bool,
    /// Only documents that match this filter: words, host, id, account, assistant
    #[arg(long, allow_hyphen_values = true)]
    pub filter: Option<String>,
    /// Print one JSON object per line, which is the only form
    #[arg(long)]
    pub json: bool,
}

/// A change in JSON (assets/docs/json.md). Every key is always present.
#[derive(Serialize)]
struct ChangeJson<'a> {
    id: DocumentId,
    document_id: DocumentId,
    kind: TextChangeKind,
    url: &'a str,
    name: &'a str,
    account_id: AccountId,
    assistant_id: AssistantId,
    version: Option<u64>,
    fingerprint: Option<&'a str>,
    content_length: Option<u64>,
    at: Option<Timestamp>,
    cursor: Cursor,
}

/// The reading of changes from one position on.
struct Feed<'a> {
    store: &'a dyn Store,
    filter: Filter,
    history: History,
    position: TextPosition,
}

impl Feed<'_> {
    /// Prints the changes up to the outcome `last`, and moves the position there.
    async fn print_up_to(&mut self, last: Seq, out: &mut Output) -> Result<u64, CliError> {
        let since = self.position;
        let mut printed = 0;
        loop {
            let range = TextChanges { after: self.position, up_to: last, limit: BATCH };
            let changes = self.store.text_changes(range).await?;
            for change in changes.iter().filter(|change| self.filter.matches_owner(&change.owner)) {
                self.print(change, since, out)?;
                printed += 1;
            }
            match changes.last() {
                Some(newest) if changes.len() as u64 == BATCH => self.position = newest.position,
                _ => break,
            }
        }
        self.position = self.position.max(TextPosition::after(last));
        Ok(printed)
    }

    fn print(&self, change: &TextChange, since: TextPosition, out: &mut Output) -> Result<(), CliError> {
        let owner = &change.owner;
        let text = change.text.as_ref();
        let json = ChangeJson {
            id: owner.document_id,
            document_id: owner.document_id,
            kind: change.kind(since),
            url: &owner.url,
            name: &owner.name,
            account_id: owner.account_id,
            assistant_id: owner.assistant_id,
            version: text.map(|text| text.version),
            fingerprint: text.and_then(|text| text.fingerprint.as_deref()),
            content_length: text.and_then(|text| text.chars),
            at: change.at,
            cursor: self.history.cursor(change.position),
        };
        Ok(out.json(&json)?)
    }
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let filter = read_filter(args.filter.as_deref().unwrap_or_default(), Subject::Texts)?;
    let store = context.readable_store().await?;
    let history = store.history().await?;
    let position = match &args.after {
        Some(after) => after.position(&history)?,
        None => TextPosition::default(),
    };
    let last = history.last;
    let mut feed = Feed { store: &*store, filter, history, position };
    let printed = feed.print_up_to(last, out).await?;
    if args.follow {
        // From here on a signal to end is the ordinary end of the verb.
        let mut stop = StopSignals::listen()?;
        out.flush()?;
        follow_from(&store, &mut feed, last, &mut stop, out).await?;
    } else if printed == 0 {
        note(if args.after.is_some() { "nothing has changed since" } else { "no document has a text" });
    }
    store.close().await;
    Ok(Exit::Done)
}

async fn follow_from(
    store: &Arc<dyn Store>,
    feed: &mut Feed<'_>,
    last: Seq,
    stop: &mut StopSignals,
    out: &mut Output,
) -> Result<(), CliError> {
    follow_outcomes(store.clone(), last, stop, async |outcomes| {
        let Some(newest) = outcomes.last() else { return Ok(()) };
        // On a database of Chatwoot any sync may find a text that is not its own.
        let is_about_texts = |content| content != ContentChange::Quarantined;
        if outcomes.iter().filter_map(|outcome| outcome.content).any(is_about_texts) {
            feed.print_up_to(newest.seq, out).await?;
            out.flush()?;
        }
        Ok(())
    })
    .await
}
