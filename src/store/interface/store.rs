//! The store as its users see it, whichever database is underneath.

use crate::domain::content::Stored;
use crate::domain::document::{Counts, DocumentRow};
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq, WorkerId};
use crate::domain::lock::{LockHolder, StoreId};
use crate::domain::outcome::Outcome;
use crate::domain::pause::{Pause, PauseScope};
use crate::domain::request::{Answered, Request};
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Terms;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;

use crate::store::interface::console::*;
use crate::store::interface::documents::*;
use crate::store::interface::jobs::*;
use crate::store::interface::outbox::OutboxStore;
use crate::store::interface::schedule::*;
use crate::store::{Result, SchemaMismatch, Upgraded};

/// The store of one database.
#[async_trait]
pub trait Store: OutboxStore + Send + Sync + 'static {
    /// What to call it on the screen, without secrets: `sqlite knowledge.db`.
    fn label(&self) -> SafeLine;

    /// The store's clock, UTC.
    fn now(&self) -> Timestamp;

    /// Changes its value when something was committed, by this process or another: look again. Coalesced.
    fn changes(&self) -> watch::Receiver<u64>;

    /// Changes its value when this process has committed a change. Coalesced. Never because of another process: what is
    /// told to others must not come back as news.
    fn commits(&self) -> watch::Receiver<u64>;

    /// Somebody says that another process has committed: those who wait for [`Store::changes`] look.
    fn hint(&self);

    /// Set, and never reset, when a migration by another process is seen: every write answers [`StoreError::Schema`](crate::store::StoreError::Schema) from
    /// then on, and what is read may not be understood.
    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>>;

    /// Returns what opening the store has done to it; `None` when it was up to date, or new.
    fn upgraded(&self) -> Option<Upgraded> {
        None
    }

    /// Who this store is to other programs: made with its schema, never changed.
    async fn id(&self) -> Result<StoreId>;

    /// Adds documents, `available` and never synced; one answer each, in order.
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>>;

    /// A window of the sorted, filtered list.
    async fn page(&self, query: &PageQuery) -> Result<DocumentPage>;

    /// The documents that a name stands for: one for an id, one per assistant for a URL.
    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>>;

    /// How many documents stand at each status.
    async fn counts(&self) -> Result<Counts>;

    /// The queue in figures.
    async fn queue(&self) -> Result<QueueState>;

    /// The ids of all that match, in id order.
    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>>;

    /// What a page of it that is fetched now would be compared with; `None` when there is no such document.
    async fn stored(&self, document: DocumentId) -> Result<Option<Stored>>;

    /// The stored text; `None` when there is no document or no text.
    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>>;

    /// The kept earlier contents, newest first.
    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>>;

    /// The text of a kept earlier content; `None` when it is not kept.
    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>>;

    /// What `verb` would do to the documents of `of`: all that match, or the named ones.
    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview>;

    /// Asks for syncs; one answer each, in order. Large sets are several transactions.
    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>>;

    /// Cancels live jobs; one answer each, in order. Large sets are several transactions.
    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>>;

    /// The text of a document that waits for a person; a rejected one does not.
    async fn held_content(&self, document: DocumentId) -> Result<Option<HeldContent>>;

    /// Decides on held texts: accepted ones are written as a change, recorded as an `updated` outcome; one answer each, in order.
    async fn decide(&self, texts: &[HeldText], decision: Decision, by: &SafeLine) -> Result<Vec<Decided>>;

    /// Removes documents with their contents and jobs; a running attempt ends `cancelled`. Outcomes stay. How many were
    /// there.
    async fn remove(&self, documents: &[DocumentId]) -> Result<u64>;

    /// Whether the documents are Chatwoot's own, whose scheduler may run beside this program.
    fn is_chatwoots(&self) -> bool {
        false
    }

    /// What the plans of the accounts are now, by the settings or by Chatwoot.
    async fn plans(&self, terms: &Terms) -> Result<Plans>;

    /// One pass of the schedule: due documents become jobs of class `auto` that wait for their drawn time. Several
    /// transactions under a lease; no document is written.
    async fn schedule(&self, order: &PassOrder<'_>) -> Result<PassAnswer>;

    /// How many jobs a purge would drop.
    async fn purgeable(&self) -> Result<u64>;

    /// Drops the jobs of class `auto` that have not started, with an outcome each; how many. Several transactions.
    async fn purge(&self, by: &SafeLine) -> Result<u64>;

    /// Nothing of `scope` is claimed any more; what runs goes on. Whether it was not paused before: an older pause keeps
    /// its time and name.
    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool>;

    /// Ends the pause of exactly `scope`; whether there was one.
    async fn resume(&self, scope: &PauseScope) -> Result<bool>;

    /// What is paused, everything first, then accounts, hosts and classes in order.
    async fn pauses(&self) -> Result<Vec<Pause>>;

    /// Makes this process known as a worker and alive.
    async fn register(&self, worker: &WorkerInfo) -> Result<()>;

    /// The worker is leaving in order; whatever it still holds is released.
    async fn unregister(&self, worker: &WorkerId) -> Result<()>;

    /// The workers that are known, the longest serving first; one that left in order is not among them.
    async fn workers(&self) -> Result<Vec<WorkerSeen>>;

    /// Makes due jobs ready and claims some, in the order of class and virtual time. The claim marks the rows
    /// `syncing` unless the limits say that this comes apart; jobs whose document is gone, a PDF or unavailable end `cancelled` on the way. At most one job with a
    /// lost worker behind it runs per worker.
    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>>;

    /// Marks the row of a job that was claimed without it, if the job still runs under this token: remembers what stood
    /// there before its first try, `syncing`, step and code null, attempted now. The fence is not raised. Looks again
    /// whether there is something to sync: the document may be gone, unavailable, or synced by somebody else since.
    /// Several marks are grouped. Answers once committed.
    async fn mark(&self, held: Held) -> Result<Marked>;

    /// The document's lock is somebody else's: the job waits and is looked at again after `again`, number and counters
    /// as before the claim, the row untouched. One `already_syncing` per job and hold. [`Finished::Late`] when the
    /// token does not stand.
    async fn defer(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished>;

    /// Lengthens the leases of what is really held, and the worker's own heartbeat; one answer each, in order.
    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>>;

    /// Which of the held jobs somebody asked to stop.
    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>>;

    /// Ends an attempt: job, document, outcomes in one transaction, several finishes grouped. Answers once committed.
    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished>;

    /// Gives held jobs back: number and counters as before the claim, nothing recorded.
    async fn release(&self, held: &[Held]) -> Result<()>;

    /// Makes jobs of dead workers (process death, or a lease that ran out) ready again and records the loss.
    async fn rescue(&self) -> Result<Rescued>;

    /// The account of one of Chatwoot's assistants; `None` when there is no such assistant. For a Chatwoot's alone.
    async fn assistant(&self, _assistant: AssistantId) -> Result<Option<AccountId>> {
        Ok(None)
    }

    /// Takes a running job from its worker, on a person's word, as [`Store::rescue`] does from a dead one: the fence and
    /// the token keep the worker from writing. `None` when the job does not run.
    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<Rescued>>;

    /// The jobs in sections, the first rows of each: the cost does not grow with the number of jobs beyond the counts.
    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage>;

    /// The accounts that have documents, in id order; the first ones when there are too many to show.
    async fn accounts(&self) -> Result<Seen<AccountSeen>>;

    /// The hosts that have documents, by name; those with the most documents when there are too many to show.
    async fn hosts(&self) -> Result<Seen<HostSeen>>;

    /// Outcomes, oldest first.
    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>>;

    /// The last outcome's number; [`Seq::START`] when there is none.
    async fn last_seq(&self) -> Result<Seq>;

    /// Waits until this process is in the middle of no write, and keeps it so until the answer is dropped: a process
    /// that is suspended while it holds the lock of an embedded database would stop every other one.
    async fn at_rest(&self) -> Box<dyn Send> {
        Box::new(())
    }

    /// Writes what is pending and closes.
    async fn close(&self);
}
