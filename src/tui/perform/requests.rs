//! Requests to sync or retry, with who was faster.

use super::Shared;
use crate::domain::id::DocumentId;
use crate::domain::job::QueueClass;
use crate::domain::request::{Request, RequestAnswer, RequestKind, RequestScope};
use crate::format::EarlierRequest;
use crate::store::{DocumentRef, StoreError};
use crate::tui::msg::CommandResult;

impl Shared {
    /// Requests a sync or retry. If the job of the only document exists already, finds out who has requested it.
    pub(super) async fn request(
        &self,
        documents: &[DocumentId],
        kind: RequestKind,
        scope: RequestScope,
    ) -> Result<CommandResult, StoreError> {
        let request = Request { kind, class: QueueClass::Manual, by: self.operator.clone(), scope };
        let mut answers = self.store.request(documents, &request).await?;
        let is_earlier = |answer: &RequestAnswer| {
            matches!(answer, RequestAnswer::AlreadyQueued(_) | RequestAnswer::AlreadySyncing(..))
        };
        if answers.len() == 1
            && let Some(one) = answers.pop_if(|one| is_earlier(&one.answer))
        {
            let earlier = self.earlier_request(one.document_id, &one.answer).await;
            return Ok(CommandResult::Preceded(one, earlier));
        }
        Ok(CommandResult::Responses(answers))
    }

    /// Returns who has requested the document's job, if that was another person, and how long it has run. Unknown facts
    /// are left out.
    async fn earlier_request(&self, document: DocumentId, answer: &RequestAnswer) -> EarlierRequest {
        let rows = self.store.find(&DocumentRef::Id(document)).await.unwrap_or_default();
        let Some(row) = rows.into_iter().next() else { return EarlierRequest::default() };
        let runs = matches!(answer, RequestAnswer::AlreadySyncing(..));
        EarlierRequest {
            by: row.requested_by.filter(|by| *by != self.operator),
            running_for: row.attempted_at.filter(|_| runs).map(|at| self.store.now().since(at)),
        }
    }
}
