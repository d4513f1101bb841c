//! Runs commands: changes that a person requested.

use super::{Shared, answer};
use crate::domain::id::DocumentId;
use crate::store::{AddResult, DecisionResult, NewDocument, ReviewTarget, StoreError};
use crate::tui::command::{Command, CommandKind};
use crate::tui::msg::{CommandResult, Msg};

impl Shared {
    /// Runs a command other than one that makes a batch or orders one, and sends its result.
    pub(super) async fn run_command(&self, command: Command) {
        let done = match &command.kind {
            CommandKind::Request(kind, scope) => self.request(&command.documents, *kind, *scope).await,
            CommandKind::Cancel => {
                self.store.cancel(&command.documents, &self.operator).await.map(CommandResult::Responses)
            }
            CommandKind::Faq => {
                self.store.start_faq_jobs(&command.documents, &self.operator).await.map(CommandResult::Responses)
            }
            CommandKind::Remove => {
                self.store.remove(&command.documents, &self.operator).await.map(CommandResult::Removed)
            }
            // The console's default account and assistant mean nothing in a Chatwoot database.
            CommandKind::Add(..) if self.store.is_chatwoot_database() => Err(StoreError::Unusable(
                "this is a Chatwoot database: add with `quarterdeck add URL --assistant N`, or in Chatwoot".into(),
            )),
            CommandKind::DecideProposals(decision, ids) => {
                self.store.decide_proposals(ids, *decision, &self.operator).await.map(CommandResult::Proposals)
            }
            CommandKind::ReadSource(source) => {
                let requested = self.store.request_reads(&[*source], false, &self.operator).await;
                requested.map(CommandResult::ReadsRequested)
            }
            CommandKind::Restore(version) => self.restore(&command.documents, *version).await,
            // The performer gives batches their orders itself.
            CommandKind::Batch(..) => return,
            CommandKind::Purge => self.store.purge(&self.operator).await.map(CommandResult::Purged),
            CommandKind::BreakLease(job) => {
                self.store.break_lease(*job, &self.operator).await.map(CommandResult::LeaseBroken)
            }
            CommandKind::Pause(scope) => self.store.pause(scope, &self.operator).await.map(CommandResult::Paused),
            CommandKind::Resume(scope) => self.store.resume(scope).await.map(CommandResult::Resumed),
            CommandKind::Decide(decision, fingerprint) => {
                let text = |document: &DocumentId| ReviewTarget {
                    document: *document,
                    fingerprint: Some(fingerprint.clone()),
                };
                let texts: Vec<_> = command.documents.iter().map(text).collect();
                self.store.decide(&texts, *decision, &self.operator).await.and_then(first_decided)
            }
            CommandKind::Add(link, account_id, assistant_id) => {
                let new = NewDocument {
                    link: link.clone(),
                    name: None,
                    account_id: *account_id,
                    assistant_id: *assistant_id,
                };
                self.store.add(&[new]).await.and_then(first_added)
            }
        };
        self.send(Msg::CommandDone(command, answer(done))).await;
    }
}

fn first_decided(decided: Vec<DecisionResult>) -> Result<CommandResult, StoreError> {
    let first = decided.first().map(|decided| CommandResult::Decided(*decided));
    first.ok_or_else(|| StoreError::Corrupt("no answer for the document".into()))
}

fn first_added(added: Vec<AddResult>) -> Result<CommandResult, StoreError> {
    added
        .first()
        .map(|added| CommandResult::Added(*added))
        .ok_or_else(|| StoreError::Corrupt("no answer for the document".into()))
}
