//! Fetched texts that were not trusted: kept apart by the finish that brought them, until a person decides.

use crate::domain::content::{ContentChange, Converter, Page};
use crate::domain::document::RecentResult;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::JobState;
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::text::{SafeLine, without_nul};
use crate::domain::time::Timestamp;
use crate::store::queue::apply::{With, new_outcome};
use crate::store::sql::conn::{corrupt, get, line, time};
use crate::store::sql::rows::Document;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{Result, push_recent};

/// A text that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldContent {
    /// Why it is not trusted: completes "it …".
    pub reason: SafeLine,
    /// When it was fetched first, UTC.
    pub held_at: Timestamp,
    /// Its fingerprint, lower-case hex.
    pub fingerprint: String,
    /// The title that came with it.
    pub title: Option<SafeLine>,
    /// The text, untrusted.
    pub text: String,
}

/// What a person decides about a held text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is the page: it replaces the stored text.
    Accept,
    /// It is not: the stored text stays, and this very text is not asked about again.
    Reject,
}

impl Decision {
    /// The verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }

    /// What was done, in a word.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
        }
    }
}

/// A held text that somebody decides on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldText {
    /// Whose.
    pub document: DocumentId,
    /// The fingerprint of the text that was looked at: nothing is done when another one is held by now. `None` is whichever
    /// is held.
    pub fingerprint: Option<String>,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decided {
    /// It is done.
    Done,
    /// Nothing of the document is held, or not any more: somebody decided, or a good page came.
    NothingHeld,
    /// Another text is held than the one that was looked at.
    Replaced,
    /// The document is being synced: what comes of that may be another text.
    Syncing,
}

impl SqlStore {
    pub(in crate::store) async fn read_held(&self, document: DocumentId) -> Result<Option<HeldContent>> {
        let statement = query(
            "SELECT reason, held_at, fingerprint, title, content FROM @held_contents \
             WHERE document_id = ? AND rejected_at IS NULL",
        );
        let mut reader = self.reader().await?;
        let row = reader.first(statement.bind(document.0)).await?;
        row.map(|row| {
            Ok(HeldContent {
                reason: line(&row, "reason")?.unwrap_or_default(),
                held_at: time(&row, "held_at")?.ok_or_else(|| corrupt("held_at"))?,
                fingerprint: get(&row, "fingerprint")?,
                title: line(&row, "title")?,
                text: get(&row, "content")?,
            })
        })
        .transpose()
    }

    pub(in crate::store) async fn decide_held(
        &self,
        texts: &[HeldText],
        decision: Decision,
        by: &SafeLine,
    ) -> Result<Vec<Decided>> {
        let mut answers = Vec::with_capacity(texts.len());
        for text in texts {
            let mut tx = self.begin(Purpose::Rows).await?;
            answers.push(tx.decide(text, decision, by).await?);
            tx.commit().await?;
        }
        Ok(answers)
    }
}

impl Tx<'_> {
    /// What a good finish leaves of held texts: `page` is held now; without one, nothing waits for a person any more. A
    /// rejection is kept: the same text may come again.
    pub(in crate::store) async fn write_held(
        &mut self,
        job: JobId,
        document: &Document,
        page: Option<&Page>,
    ) -> Result<()> {
        match (page, &document.held) {
            (None, Some((_, false))) => {
                let clear = query("DELETE FROM @held_contents WHERE document_id = ? AND rejected_at IS NULL");
                self.run(clear.bind(document.id)).await?;
            }
            (Some(page), held) if held.as_ref().is_none_or(|(known, _)| *known != page.fingerprint) => {
                let keep = query(
                    "INSERT INTO @held_contents (document_id, job_id, held_at, reason, fingerprint, converter, title, content, \
                     rejected_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, NULL) ON CONFLICT (document_id) DO UPDATE SET \
                     job_id = excluded.job_id, held_at = excluded.held_at, reason = excluded.reason, \
                     fingerprint = excluded.fingerprint, converter = excluded.converter, title = excluded.title, \
                     content = excluded.content, rejected_at = NULL",
                );
                let reason = page.doubt.map(|doubt| doubt.to_string()).unwrap_or_default();
                let keep = keep
                    .bind(document.id)
                    .bind(job.0)
                    .bind(self.now.micros())
                    .bind(reason)
                    .bind(page.fingerprint.as_str())
                    .bind(page.converter.map(|converter| converter.0))
                    .bind(page.title.as_ref().map(|title| without_nul(title.to_string())))
                    .bind(without_nul(page.content.clone()));
                self.run(keep).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn decide(&mut self, text: &HeldText, decision: Decision, by: &SafeLine) -> Result<Decided> {
        let id = text.document;
        let find = query(
            "SELECT h.job_id, s.job_id AS last_job_id FROM @held_contents h JOIN @document_state s \
             ON s.document_id = h.document_id WHERE h.document_id = ? AND h.rejected_at IS NULL",
        );
        let Some(row) = self.first(find.bind(id.0)).await? else { return Ok(Decided::NothingHeld) };
        let ids = [get(&row, "job_id")?, get::<Option<i64>>(&row, "last_job_id")?];
        // With their rows locked no finish comes between, and what is read from here on stays so.
        let mut jobs = self.lock_jobs(ids.into_iter().flatten().map(JobId)).await?;
        if jobs.values().any(|row| row.job.state == JobState::Running) {
            return Ok(Decided::Syncing);
        }
        let held = query("SELECT * FROM @held_contents WHERE document_id = ? AND rejected_at IS NULL");
        let (Some(held), Some(document)) = (self.first(held.bind(id.0)).await?, self.document(id).await?) else {
            return Ok(Decided::NothingHeld);
        };
        let fingerprint: String = get(&held, "fingerprint")?;
        if text.fingerprint.as_ref().is_some_and(|seen| *seen != fingerprint) {
            return Ok(Decided::Replaced);
        }
        if decision == Decision::Reject {
            // The fingerprint is what is remembered; the text itself is of no use any more.
            let reject = query("UPDATE @held_contents SET rejected_at = ?2, content = '' WHERE document_id = ?1");
            self.run(reject.bind(id.0).bind(self.now.micros())).await?;
            return Ok(Decided::Done);
        }
        let fingerprint = Fingerprint::stored(fingerprint);
        let converter = get::<Option<i64>>(&held, "converter")?.map(Converter);
        let title = line(&held, "title")?;
        let page =
            Page::new(title.as_deref(), get(&held, "content")?, 0, 200).ok_or_else(|| corrupt("held content"))?;
        let page = Page { fingerprint, converter, ..page };
        self.note_change(&document, &page.content).await?;
        self.write_content(&document, &page, &page.fingerprint).await?;
        self.accepted(&document, &page, time(&held, "held_at")?).await?;
        let job = ids.into_iter().flatten().find_map(|id| jobs.remove(&JobId(id)));
        let mut job = job.ok_or_else(|| corrupt("held job_id"))?;
        job.requested_by = Some(by.clone());
        let mut draft = OutcomeDraft::new(OutcomeResult::Updated);
        let reason: String = get(&held, "reason")?;
        draft.detail = Some(SafeLine::new(&format!("accepted by {by}, although it {reason}")));
        draft.content = Some(ContentChange::Changed);
        let with = With { page: Some((&page, &page.fingerprint)), ..With::default() };
        let outcome = new_outcome(&job, Some(&document), &draft, &with, self.now);
        self.record(outcome);
        Ok(Decided::Done)
    }

    async fn accepted(&mut self, document: &Document, page: &Page, fetched: Option<Timestamp>) -> Result<()> {
        // What the server gave with the text was not kept, so the next fetch asks for the whole page.
        let state = query(
            "UPDATE @document_state SET recent = ?2, etag = NULL, last_modified = NULL, validated = ?3, converter = ?4, \
             fetched_whole_at = ?5 WHERE document_id = ?1",
        );
        let state = state
            .bind(document.id)
            .bind(push_recent(&document.recent, RecentResult::Updated))
            .bind(page.fingerprint.as_str())
            .bind(page.converter.map(|converter| converter.0))
            .bind(fetched.map(Timestamp::micros));
        self.run(state).await?;
        self.run(query("DELETE FROM @held_contents WHERE document_id = ?").bind(document.id)).await?;
        Ok(())
    }
}
