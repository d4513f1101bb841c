//! Chatwoot's assistants. A new document belongs to one assistant and to that assistant's account.

use super::optional::{ASSISTANTS, unreadable};
use crate::domain::id::{AccountId, AssistantId};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::{NewDocument, Result, StoreError};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Returns copies of `documents`, each with the account of its assistant, as Chatwoot would add them. Fails with
/// [`StoreError::Unusable`] if an assistant does not exist.
pub(in crate::store) async fn with_accounts(db: &Database, documents: &[NewDocument]) -> Result<Vec<NewDocument>> {
    let mut accounts = BTreeMap::new();
    for document in documents {
        let id = document.assistant_id;
        if let Entry::Vacant(entry) = accounts.entry(id) {
            let none = || StoreError::Unusable(format!("Chatwoot has no assistant {id}"));
            entry.insert(account(db, id).await?.ok_or_else(none)?);
        }
    }
    let with =
        |document: &NewDocument| NewDocument { account_id: accounts[&document.assistant_id], ..document.clone() };
    Ok(documents.iter().map(with).collect())
}

/// Returns the account of an assistant; `None` if there is no such assistant. Fails with [`StoreError::Unusable`] if
/// Chatwoot's table `captain_assistants` cannot be read.
pub(in crate::store) async fn account(db: &Database, assistant: AssistantId) -> Result<Option<AccountId>> {
    let mut reader = db.reader().await?;
    if let [Some(reason)] = unreadable(&mut reader, [ASSISTANTS]).await? {
        let message = format!("documents cannot be added: {}", reason.describe(ASSISTANTS.0));
        return Err(StoreError::Unusable(message));
    }
    let statement = query("SELECT account_id FROM captain_assistants WHERE id = ?").bind(assistant.0);
    let rows = reader.all(statement).await?;
    rows.first().map(|row| Ok(AccountId(get(row, 0)?))).transpose()
}
