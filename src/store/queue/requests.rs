//! What people and the schedule ask for: adding, syncing, cancelling, removing; in chunks, so that the writer is never
//! held long.

use crate::domain::content::MAX_TITLE_CHARS;
use crate::domain::document::{Status, StatusFacts};
use crate::domain::id::DocumentId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::request::{Answer, Answered, LiveJob, Request, RequestStep, Scope, SkipReason, Verb};
use crate::domain::text::{SafeLine, cut_chars};
use crate::domain::time::Timestamp;
use crate::store::queries::document::Candidate;
use crate::store::queue::apply::{With, new_outcome};
use crate::store::queue::lanes::LaneKey;
use crate::store::sql::conn::{corrupt, get};
use crate::store::sql::rows::{AVAILABLE, Document, JobRow};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::{Engine, SqlStore};
use crate::store::{Added, BulkVerb, NewDocument, Preview, Result, StoreError, Targets};
use std::collections::{BTreeMap, HashSet};

/// Documents in one transaction.
pub(in crate::store) const CHUNK: usize = 250;

impl SqlStore {
    pub(in crate::store) async fn add_documents(&self, documents: &[NewDocument]) -> Result<Vec<Added>> {
        // Checked here too: an empty list makes no transaction.
        self.writable()?;
        if let Engine::Postgres(postgres) = &self.engine {
            postgres.may_add()?;
        }
        let theirs = if self.is_chatwoots() { Some(self.as_chatwoots(documents).await?) } else { None };
        let documents = theirs.as_deref().unwrap_or(documents);
        let mut added = Vec::with_capacity(documents.len());
        for chunk in documents.chunks(CHUNK) {
            let mut tx = self.begin(Purpose::Rows).await?;
            for document in chunk {
                added.push(tx.add(document).await?);
            }
            tx.commit().await?;
            if chunk.len() == CHUNK {
                self.give_way().await;
            }
        }
        Ok(added)
    }

    pub(in crate::store) async fn request_syncs(
        &self,
        documents: &[DocumentId],
        request: &Request,
    ) -> Result<Vec<Answered>> {
        self.writable()?;
        let mut answers = Vec::with_capacity(documents.len());
        for chunk in documents.chunks(CHUNK) {
            let mut tx = self.begin(Purpose::Queue).await?;
            tx.lock_documents(chunk).await?;
            let chunk_answers = tx.request_all(chunk, request).await?;
            answers.extend(chunk.iter().zip(chunk_answers).map(|(id, answer)| Answered { document_id: *id, answer }));
            tx.commit().await?;
            if chunk.len() == CHUNK {
                self.give_way().await;
            }
        }
        Ok(answers)
    }

    pub(in crate::store) async fn cancel_jobs(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>> {
        self.writable()?;
        let mut answers = Vec::with_capacity(documents.len());
        for chunk in documents.chunks(CHUNK) {
            let mut tx = self.begin(Purpose::Queue).await?;
            tx.lock_documents(chunk).await?;
            for &document_id in chunk {
                let answer = tx.cancel(document_id, by).await?;
                answers.push(Answered { document_id, answer });
            }
            tx.commit().await?;
            if chunk.len() == CHUNK {
                self.give_way().await;
            }
        }
        Ok(answers)
    }

    pub(in crate::store) async fn remove_documents(&self, documents: &[DocumentId]) -> Result<u64> {
        self.writable()?;
        if let Engine::Postgres(postgres) = &self.engine {
            postgres.may_remove()?;
        }
        let mut removed = 0;
        for chunk in documents.chunks(CHUNK) {
            let mut tx = self.begin(Purpose::Queue).await?;
            tx.lock_documents(chunk).await?;
            for &document in chunk {
                removed += u64::from(tx.remove(document).await?);
            }
            tx.commit().await?;
            if chunk.len() == CHUNK {
                self.give_way().await;
            }
        }
        Ok(removed)
    }

    pub(in crate::store) async fn preview_bulk(&self, of: &Targets, verb: BulkVerb) -> Result<Preview> {
        let now = self.clock.now();
        let candidates = self.candidates(of, now).await?;
        let mut preview = Preview::default();
        let mut skipped = BTreeMap::<SkipReason, u64>::new();
        let mut hosts = HashSet::new();
        if let Targets::Ids(ids) = of {
            let asked: HashSet<_> = ids.iter().collect();
            let missing = asked.len().saturating_sub(candidates.len()) as u64;
            if missing > 0 {
                skipped.insert(SkipReason::Missing, missing);
            }
        }
        for candidate in candidates {
            match candidate.would(verb, now) {
                Ok(()) => {
                    preview.targets.push(candidate.id);
                    hosts.insert(candidate.host);
                }
                Err(reason) => *skipped.entry(reason).or_default() += 1,
            }
        }
        preview.skipped = skipped.into_iter().collect();
        preview.skipped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        preview.hosts = hosts.len() as u64;
        Ok(preview)
    }
}

impl Candidate {
    fn would(&self, verb: BulkVerb, now: Timestamp) -> std::result::Result<(), SkipReason> {
        match verb {
            BulkVerb::Request(verb) => {
                let request = Request { verb, class: QueueClass::Manual, by: SafeLine::default(), scope: Scope::Bulk };
                request.meets(self.syncable, self.facts.status(now), self.live.as_ref()).map(|_| ())
            }
            BulkVerb::Cancel if self.live.is_none() => Err(SkipReason::NothingToCancel),
            BulkVerb::Cancel | BulkVerb::Remove => Ok(()),
        }
    }
}

impl Tx<'_> {
    async fn add(&mut self, new: &NewDocument) -> Result<Added> {
        let url = new.link.as_str();
        // Looked for first: an insert that meets a conflict would use up an id.
        let found = query("SELECT id FROM captain_documents WHERE assistant_id = ? AND external_link = ?");
        let found = found.bind(new.assistant_id.0).bind(url);
        if let Some(row) = self.first(found.clone()).await? {
            return Ok(Added::Exists(DocumentId(get(&row, "id")?)));
        }
        let insert = query(
            "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, status, created_at, \
             updated_at, metadata) VALUES (?1, ?2, ?3, ?4, ?5, stamp(?6), stamp(?6), '{}') ON CONFLICT DO NOTHING RETURNING id",
        );
        let name = new.name.as_ref().map(SafeLine::as_str).filter(|name| !name.is_empty()).unwrap_or(url);
        let name = cut_chars(name, MAX_TITLE_CHARS).0;
        let insert = insert.bind(name).bind(url).bind(new.assistant_id.0).bind(new.account_id.0).bind(AVAILABLE);
        let Some(row) = self.first(insert.bind(self.now.micros())).await? else {
            // Another has added it since.
            let behind =
                || StoreError::Refused("the id drawn for a new document is taken: its sequence is behind".into());
            let row = self.first(found).await?.ok_or_else(behind)?;
            return Ok(Added::Exists(DocumentId(get(&row, "id")?)));
        };
        let id: i64 = get(&row, 0)?;
        let state = query("INSERT INTO @document_state (document_id, host) VALUES (?, ?) ON CONFLICT DO NOTHING");
        self.run(state.bind(id).bind(new.link.host())).await?;
        Ok(Added::New(DocumentId(id)))
    }

    async fn request_all(&mut self, ids: &[DocumentId], request: &Request) -> Result<Vec<Answer>> {
        let mut documents = self.documents(ids).await?;
        let mut live = self.live_jobs(ids).await?;
        let mut answers = vec![Answer::Skipped(SkipReason::Missing); ids.len()];
        let (mut new, mut places, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        for (place, id) in ids.iter().enumerate() {
            if !seen.insert(id) {
                // Asked for twice: the second time it meets what the first has made.
                self.insert_new(&mut new, &mut places, request, &mut answers).await?;
                documents.extend(self.documents(&[*id]).await?);
                live.extend(self.live_jobs(&[*id]).await?);
            }
            let Some(document) = documents.remove(id) else { continue };
            match self.request(&document, live.remove(id), request).await? {
                Some(answer) => answers[place] = answer,
                None => {
                    new.push(document);
                    places.push(place);
                }
            }
        }
        self.insert_new(&mut new, &mut places, request, &mut answers).await?;
        if request.verb == Verb::SyncWhole {
            // Whatever the request met: what runs already has begun as it was asked for.
            let whole = "UPDATE @jobs SET whole = true WHERE document_id IN (SELECT each(?)) \
                 AND state IN ('scheduled', 'ready')";
            self.run(query(whole).bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())).await?;
        }
        Ok(answers)
    }

    async fn insert_new(
        &mut self,
        new: &mut Vec<Document>,
        places: &mut Vec<usize>,
        request: &Request,
        answers: &mut [Answer],
    ) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let jobs = self.insert_jobs(new, request).await?;
        for (document, place) in new.drain(..).zip(places.drain(..)) {
            let job = jobs.get(&document.id).ok_or_else(|| corrupt("document_id"))?;
            answers[place] = Answer::Queued(*job);
        }
        Ok(())
    }

    /// What a request does to a document; `None` when it wants a new job.
    async fn request(
        &mut self,
        document: &Document,
        live: Option<JobRow>,
        request: &Request,
    ) -> Result<Option<Answer>> {
        let met = live.as_ref().map(live_job);
        let status = status(document, live.as_ref(), self.now);
        let step = match request.meets(document.syncable(), status, met.as_ref()) {
            Ok(step) => step,
            Err(reason) => return Ok(Some(Answer::Skipped(reason))),
        };
        let Some(row) = live else {
            return Ok(None);
        };
        let id = row.job.id;
        Ok(Some(match step {
            RequestStep::Promote | RequestStep::RunNow => {
                self.run_as_manual(&row, request).await?;
                if step == RequestStep::Promote { Answer::Promoted(id) } else { Answer::RunsNow(id) }
            }
            RequestStep::RecordRunning => {
                let held = row.worker_name.as_ref().map_or("a worker", |name| name.as_str());
                let draft = OutcomeDraft::new(OutcomeResult::AlreadySyncing).with_detail(format!("held by {held}"));
                let with = With { worker: row.worker_name.clone(), ..With::default() };
                let mut outcome = new_outcome(&row, Some(document), &draft, &with, self.now);
                outcome.outcome.requested_by = Some(request.by.clone());
                self.record(outcome);
                let statement = query("UPDATE @jobs SET recorded_attempt = attempt WHERE id = ?").bind(id.0);
                self.run(statement).await?;
                Answer::AlreadySyncing(id, row.worker_name)
            }
            RequestStep::Insert | RequestStep::Nothing if row.job.state == JobState::Running => {
                Answer::AlreadySyncing(id, row.worker_name)
            }
            RequestStep::Insert | RequestStep::Nothing => Answer::AlreadyQueued(id),
        }))
    }

    /// Makes a ready or waiting job one that a person asked for, ready now; its counters stay.
    async fn run_as_manual(&mut self, row: &JobRow, request: &Request) -> Result<()> {
        let vtime = self.stamp(row.account_id, QueueClass::Manual).await?;
        let statement = query(
            "UPDATE @jobs SET state = 'ready', class = 0, run_at = ?2, vtime = ?3, requested_at = ?2, requested_by = ?4 \
             WHERE id = ?1",
        );
        let statement = statement.bind(row.job.id.0).bind(self.now.micros()).bind(vtime).bind(request.by.as_str());
        self.run(statement).await?;
        if row.job.state == JobState::Ready {
            self.lane_loses(&LaneKey::of(row)).await?;
        }
        self.lane_gains(&LaneKey { class: QueueClass::Manual.code(), ..LaneKey::of(row) }, vtime).await
    }

    async fn cancel(&mut self, id: DocumentId, by: &SafeLine) -> Result<Answer> {
        let document = self.document(id).await?;
        let Some(mut row) = self.live_job(id).await? else {
            return Ok(Answer::Skipped(if document.is_some() {
                SkipReason::NothingToCancel
            } else {
                SkipReason::Missing
            }));
        };
        if row.job.state == JobState::Running {
            let statement = query(
                "UPDATE @jobs SET cancel_requested_at = ?2, cancel_requested_by = ?3 \
                 WHERE id = ?1 AND cancel_requested_at IS NULL",
            );
            self.run(statement.bind(row.job.id.0).bind(self.now.micros()).bind(by.as_str())).await?;
            return Ok(Answer::Stopping(row.job.id));
        }
        row.job.cancel_requested_by = Some(by.clone());
        let to = row.job.cancelled(None, self.now);
        self.apply(&row, document.as_ref(), &to, With::default()).await?;
        Ok(Answer::Cancelled(row.job.id))
    }

    async fn remove(&mut self, id: DocumentId) -> Result<bool> {
        let Some(document) = self.document(id).await? else { return Ok(false) };
        if let Some(row) = self.live_job(id).await? {
            // A running attempt finds its job gone and writes nothing.
            let to = row.job.cancelled(Some("the document was removed"), self.now);
            let with = With { worker: row.worker_name.clone(), ..With::default() };
            self.apply(&row, Some(&document), &to, with).await?;
        }
        for statement in [
            "DELETE FROM @jobs WHERE document_id = ?",
            "DELETE FROM @document_versions WHERE document_id = ?",
            "DELETE FROM @held_contents WHERE document_id = ?",
            "DELETE FROM @document_state WHERE document_id = ?",
            "DELETE FROM captain_documents WHERE id = ?",
        ] {
            self.run(query(statement).bind(id.0)).await?;
        }
        Ok(true)
    }
}

fn live_job(row: &JobRow) -> LiveJob {
    LiveJob {
        id: row.job.id,
        state: row.job.state,
        class: row.job.class,
        attempt: row.job.counters.attempt,
        recorded_attempt: row.recorded_attempt,
        held_by: row.worker_name.clone(),
    }
}

fn status(document: &Document, live: Option<&JobRow>, now: Timestamp) -> Status {
    let facts = StatusFacts {
        live_job: live.map(|row| StatusFacts::live(row.job.state, row.job.counters.attempt, row.lock_holder.is_some())),
        sync_status: document.sync_status,
        attempted_at: document.attempted_at,
        synced_at: document.synced_at,
        cadence: document.cadence,
    };
    facts.status(now)
}
