//! `quarterdeck add URL…`: adds documents. If one URL is invalid, none is added.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note, shortened};
use super::request::NO_WORKER;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::link::Link;
use crate::domain::request::{Request, RequestKind, RequestScope};
use crate::domain::text::SafeLine;
use crate::store::{AddResult, ChatwootStore, DocumentStore, NewDocument, StoreBase, StoreError};
use serde::Serialize;

/// Arguments of `add`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Pages, http or https
    #[arg(required = true, value_name = "URL")]
    pub urls: Vec<String>,
    /// Name until the first sync brings a title; for a single URL
    #[arg(long)]
    pub name: Option<String>,
    /// Account and assistant of the new documents.
    #[command(flatten)]
    pub owner: Owner,
    /// Request a sync immediately
    #[arg(long)]
    pub sync: bool,
    /// Print one JSON object per document: id, url, added
    #[arg(long)]
    pub json: bool,
}

/// Owners of the documents that are added.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Owner {
    /// Account of the new documents [default: 1; on a Chatwoot database the assistant's account]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub account: Option<i64>,
    /// Assistant of the new documents [default: 1; required on a Chatwoot database]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub assistant: Option<i64>,
}

impl Owner {
    /// Returns the account of documents whose input names none: `--account`, else 1. On a Chatwoot database the store
    /// takes the assistant's account instead.
    pub(super) fn account(self) -> i64 {
        self.account.unwrap_or(1)
    }

    /// Returns the assistant of documents whose input names none: `--assistant`, else 1.
    pub(super) fn assistant(self) -> i64 {
        self.assistant.unwrap_or(1)
    }

    /// Checks the owners against the store. On a Chatwoot database the assistant must be given and exist, and must
    /// belong to the account if one is given.
    pub(super) async fn check(self, store: &dyn ChatwootStore) -> Result<(), CliError> {
        if !store.is_chatwoot_database() {
            return Ok(());
        }
        let Some(assistant) = self.assistant else {
            let message = "this is a Chatwoot database: name the assistant of the new documents with --assistant N";
            return Err(CliError::Usage(message.to_owned()));
        };
        let Some(account) = store.assistant(AssistantId(assistant)).await? else {
            return Err(CliError::Usage(format!("--assistant {assistant}: Chatwoot has no assistant with this ID")));
        };
        match self.account {
            Some(named) if named != account.0 => Err(CliError::Usage(format!(
                "--account {named}: assistant {assistant} belongs to account {account}; omit --account"
            ))),
            _ => Ok(()),
        }
    }
}

#[derive(Serialize)]
struct AddedJson<'a> {
    id: DocumentId,
    url: &'a str,
    added: bool,
    document_id: DocumentId,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    if args.name.is_some() && args.urls.len() > 1 {
        return Err(CliError::Usage("--name works only with a single URL".to_owned()));
    }
    let (mut documents, mut wrong) = (Vec::new(), Vec::new());
    for url in &args.urls {
        match Link::parse(url) {
            Ok(link) => documents.push(NewDocument {
                link,
                name: args.name.as_deref().map(SafeLine::new).filter(|name| !name.is_empty()),
                account_id: AccountId(args.owner.account()),
                assistant_id: AssistantId(args.owner.assistant()),
            }),
            Err(error) => wrong.push(format!("{}: {error}", shortened(url))),
        }
    }
    if !wrong.is_empty() {
        if !documents.is_empty() {
            wrong.push("nothing was added".to_owned());
        }
        return Err(CliError::Usage(wrong.join("\n")));
    }
    let store = context.writable_store("add").await?;
    args.owner.check(&*store).await?;
    let added = store.add(&documents).await?;
    for (document, added) in documents.iter().zip(&added) {
        let (id, is_new) = match added {
            AddResult::New(id) => (*id, true),
            AddResult::Exists(id) => (*id, false),
        };
        let url = document.link.as_str();
        if args.json {
            out.json(&AddedJson { id, url, added: is_new, document_id: id })?;
        } else {
            out.confirmation(format!("{} {id} {url}", if is_new { "added" } else { "exists" }))?;
        }
    }
    if args.sync {
        request_syncs(&*store, &added).await?;
    }
    context.announce(&*store).await?;
    if args.sync {
        note_idle(&*store).await?;
    }
    store.close().await;
    Ok(Exit::Done)
}

/// Says so if no worker runs, since the requested syncs then wait.
pub(super) async fn note_idle(store: &dyn StoreBase) -> Result<(), StoreError> {
    if store.queue().await?.workers == 0 {
        note(format!("{NO_WORKER}, or run `quarterdeck work --drain` once"));
    }
    Ok(())
}

/// Requests a sync of every document in `added`, also of those that existed before.
pub(super) async fn request_syncs(store: &dyn DocumentStore, added: &[AddResult]) -> Result<(), StoreError> {
    let ids: Vec<DocumentId> = added.iter().map(|(AddResult::New(id) | AddResult::Exists(id))| *id).collect();
    let request =
        Request { kind: RequestKind::Sync, class: QueueClass::Manual, by: operator(), scope: RequestScope::Bulk };
    store.request(&ids, &request).await?;
    Ok(())
}
