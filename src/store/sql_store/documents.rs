//! The interface for changes to documents and jobs, [`DocumentStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::{DocumentId, JobId};
use crate::domain::pause::PauseScope;
use crate::domain::request::{DocumentAnswer, Request};
use crate::domain::text::SafeLine;
use crate::store::attempts::{rescue, review};
use crate::store::queue::{documents, faqs, pauses, purge, requests};
use crate::store::{
    AddResult, Decision, DecisionResult, DocumentStore, NewDocument, RescueResult, Result, ReviewTarget,
};
use async_trait::async_trait;

#[async_trait]
impl DocumentStore for SqlStore {
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<AddResult>> {
        documents::add(&self.db, documents).await
    }

    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<DocumentAnswer>> {
        requests::request(&self.db, documents, request).await
    }

    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<DocumentAnswer>> {
        requests::cancel(&self.db, documents, by).await
    }

    async fn decide(&self, texts: &[ReviewTarget], decision: Decision, by: &SafeLine) -> Result<Vec<DecisionResult>> {
        review::decide(&self.db, texts, decision, by).await
    }

    async fn remove(&self, documents: &[DocumentId], by: &SafeLine) -> Result<u64> {
        documents::remove(&self.db, documents, by).await
    }

    async fn purge(&self, by: &SafeLine) -> Result<u64> {
        purge::purge(&self.db, by).await
    }

    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool> {
        pauses::pause(&self.db, scope, by).await
    }

    async fn resume(&self, scope: &PauseScope) -> Result<bool> {
        pauses::resume(&self.db, scope).await
    }

    async fn start_faq_jobs(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<DocumentAnswer>> {
        faqs::start(&self.db, documents, by).await
    }

    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<RescueResult>> {
        rescue::break_lease(&self.db, job, by).await
    }
}
