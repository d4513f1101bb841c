//! Reads the details of a document and compares its texts.

use super::Shared;
use crate::domain::chatwoot_job::ChatwootJob;
use crate::domain::difference::Difference;
use crate::domain::document::{DocumentRow, Status};
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::id::DocumentId;
use crate::domain::text::safe_block;
use crate::format;
use crate::store::{
    DocumentRef, OutcomesFrom, PagePosition, PageQuery, QuarantinedContent, RestoredText, Sort, StoreError,
};
use crate::tui::msg::CommandResult;
use crate::tui::views::detail::difference::{Compared, DifferenceData, QuarantinedText};
use crate::tui::views::detail::state::{DetailData, HostPages};
use std::time::Duration;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// Maximum number of unchanged lines shown before and after each change of a difference.
const CONTEXT_LINES: usize = 2;
/// Longest wait of the details for Chatwoot's jobs.
const CHATWOOT_TIMEOUT: Duration = Duration::from_millis(500);

impl Shared {
    /// Reads the details of a document; `None` when the document does not exist any more. `reading`, the number of this
    /// read, is stored in the result.
    pub(super) async fn detail(
        &self,
        read_id: u64,
        document: DocumentId,
    ) -> Result<Option<Box<DetailData>>, StoreError> {
        let Some(row) = self.store.find(&DocumentRef::Id(document)).await?.into_iter().next() else {
            return Ok(None);
        };
        let mut outcomes = self.outcomes_from(OutcomesFrom::Newest, Some(document)).await?;
        outcomes.reverse();
        let stored = self.store.content(document).await?;
        let versions = self.store.versions(document).await?;
        let chatwoot_jobs = self.chatwoot_jobs_of(document).await;
        let host_pages = self.host_pages(&row).await;
        let record = format::document_record(&row);
        let version = stored.as_ref().map(|stored| stored.version);
        let quarantined = match &row.quarantine_reason {
            Some(_) => self.store.quarantined_content(document).await?.map(without_text),
            None => None,
        };
        let lines = move || -> Vec<String> {
            stored.map_or(Vec::new(), |stored| safe_block(&stored.text).lines().map(str::to_owned).collect())
        };
        let content = off_the_loop(lines).await?;
        Ok(Some(Box::new(DetailData {
            row,
            outcomes,
            content,
            version,
            versions,
            quarantined,
            chatwoot_jobs,
            host_pages,
            record,
            read_id,
        })))
    }

    /// Counts the other documents of the host. The details do without them if they cannot be counted.
    async fn host_pages(&self, row: &DocumentRow) -> Option<HostPages> {
        if row.host.is_empty() {
            return None;
        }
        let term = |negated, condition| Term { negated, condition };
        let of_host = vec![
            term(false, FilterCondition::Host(vec![row.host.to_string()])),
            term(true, FilterCondition::Id(vec![row.id.0])),
        ];
        let failing = FilterCondition::Status(vec![Status::Failed, Status::Waiting, Status::Stuck]);
        let failing = [of_host.clone(), vec![term(false, failing)]].concat();
        Some(HostPages { documents: self.count(of_host).await?, failing: self.count(failing).await? })
    }

    async fn count(&self, terms: Vec<Term>) -> Option<u64> {
        let (filter, position) = (Filter { terms }, PagePosition::Offset(0));
        let page = self.store.page(&PageQuery { filter, sort: Sort::BY_ID, position, limit: 1 }).await;
        page.ok().map(|page| page.total)
    }

    /// Puts an earlier text in place of the stored one.
    pub(super) async fn restore(&self, documents: &[DocumentId], version: u64) -> Result<CommandResult, StoreError> {
        let Some(document) = documents.first() else {
            return Ok(CommandResult::TextRestored(RestoredText::NoVersion));
        };
        self.store.restore_text(*document, version, &self.operator).await.map(CommandResult::TextRestored)
    }

    /// Reads Chatwoot's jobs for a document. The rest of the details waits for them only for a moment.
    async fn chatwoot_jobs_of(&self, document: DocumentId) -> Vec<ChatwootJob> {
        let Some(reader) = &self.chatwoot_jobs else { return Vec::new() };
        let jobs = timeout(CHATWOOT_TIMEOUT, reader.current()).await.unwrap_or_else(|_| reader.latest());
        jobs.of(document).cloned().collect()
    }

    /// Compares the two texts that `of` names; `None` when one of them has changed or does not exist any more.
    /// `reading`, the number of this read, is stored in the result.
    pub(super) async fn difference(
        &self,
        read_id: u64,
        document: DocumentId,
        compared: Compared,
    ) -> Result<Option<DifferenceData>, StoreError> {
        let stored = self.store.content(document).await?;
        let number = stored.as_ref().map_or(0, |stored| stored.version);
        let stored = stored.map(|stored| stored.text);
        let (old, new) = match &compared {
            Compared::Quarantined { fingerprint, stored: version } => {
                let quarantined = self.store.quarantined_content(document).await?;
                let quarantined =
                    quarantined.filter(|quarantined| quarantined.fingerprint == *fingerprint && number == *version);
                (stored, quarantined.map(|quarantined| quarantined.text))
            }
            Compared::Versions { old, new } => {
                let new = if *new == number { stored } else { self.store.version_text(document, *new).await? };
                (self.store.version_text(document, *old).await?, new)
            }
        };
        let Some((old, new)) = old.zip(new) else { return Ok(None) };
        let compare = move || {
            let chars = (old.chars().count() as u64, new.chars().count() as u64);
            (Difference::of(&safe_block(&old), &safe_block(&new), CONTEXT_LINES), chars)
        };
        let (difference, chars) = off_the_loop(compare).await?;
        Ok(Some(DifferenceData { document, compared, difference, chars, read_id }))
    }
}

/// Runs work on a long text on a blocking thread, so that neither the drawing thread nor other tasks wait.
async fn off_the_loop<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    spawn_blocking(work).await.map_err(|error| StoreError::Corrupt(format!("a text cannot be read: {error}")))
}

fn without_text(quarantined: QuarantinedContent) -> QuarantinedText {
    QuarantinedText {
        reason: quarantined.reason,
        quarantined_at: quarantined.quarantined_at,
        fingerprint: quarantined.fingerprint,
        title: quarantined.title,
    }
}
