//! The store on SQLite: one connection that writes, a few that read, one task that groups finishes, one that watches
//! for other processes.
//!
//! `connect` opens and refuses; `writer` holds transactions; `apply` writes what the domain decided; `claim`, `finish`,
//! `requests`, `liveness`, `page`, `read`, `outcomes` are the methods of [`Store`] by subject; `lanes` the fair order.

mod apply;
mod claim;
mod connect;
mod error;
mod finish;
mod lanes;
mod liveness;
mod migrate;
mod outcomes;
mod page;
mod place;
mod read;
mod reader;
mod requests;
mod rows;
mod watch;
mod writer;

use super::{
    Access, Added, Beat, BulkVerb, ClaimLimits, Claimed, Clock, DocumentPage, Finish, Finished, Held, Named,
    NewDocument, Options, OutcomeQuery, PageQuery, Preview, QueueState, Recorder, Rescued, Result, Store, StoreError,
    StoredContent, StoredVersion, Targets, WorkerInfo,
};
use crate::domain::document::{Counts, DocumentRow};
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq, WorkerId};
use crate::domain::outcome::Outcome;
use crate::domain::request::{Answered, Request};
use crate::domain::retry::RetryPolicy;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use connect::Connect;
use finish::Pending;
use liveness::Liveness;
use reader::Readers;
use sqlx::{Connection, SqliteConnection};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot, watch as watched};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Finishes that may wait for the writer task; whoever comes then waits before it.
const WAITING_FINISHES: usize = 256;

/// A store in one SQLite file.
pub struct SqliteStore {
    connect: Connect,
    clock: Arc<dyn Clock>,
    recorder: Option<Recorder>,
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: Readers,
    liveness: Liveness,
    changes: watched::Sender<u64>,
    finishes: Mutex<Option<mpsc::Sender<Pending>>>,
    tasks: TaskTracker,
    /// Stops the watching task.
    stop: CancellationToken,
    /// Nothing is written any more.
    closed: CancellationToken,
}

impl SqliteStore {
    /// Opens the file at `path`, makes it when it may, and starts the store's two tasks. Errors: see
    /// [`open`](super::open).
    pub async fn open(path: &Path, options: Options) -> Result<Arc<Self>> {
        let connect = Connect::prepare(path, options.access).await?;
        let (sender, receiver) = mpsc::channel(WAITING_FINISHES);
        let store = Arc::new(Self {
            readers: Readers::of(&connect),
            connect,
            clock: options.clock,
            recorder: options.recorder,
            writer: Arc::new(Mutex::new(None)),
            liveness: Liveness::default(),
            changes: watched::Sender::new(0),
            finishes: Mutex::new(Some(sender)),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            closed: CancellationToken::new(),
        });
        if !store.is_read_only() {
            store.rederive_lanes().await?;
            store.tasks.spawn(finish::write_groups(Arc::downgrade(&store), receiver));
        }
        let watching = watch::other_processes(store.connect.clone(), store.changes.clone(), store.stop.clone());
        store.tasks.spawn(watching);
        Ok(store)
    }

    fn is_read_only(&self) -> bool {
        self.connect.access() == Access::ReadOnly
    }

    fn writable(&self) -> Result<()> {
        if self.is_read_only() { Err(StoreError::ReadOnly) } else { Ok(()) }
    }

    /// Something was committed.
    fn bump(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // The group writer ends with its sender; the watcher has to be told.
        self.stop.cancel();
    }
}

#[async_trait]
impl Store for SqliteStore {
    fn label(&self) -> SafeLine {
        let name = self.connect.path().file_name().unwrap_or_default();
        SafeLine::new(&format!("sqlite {}", name.to_string_lossy()))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn changes(&self) -> watched::Receiver<u64> {
        self.changes.subscribe()
    }

    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>> {
        self.add_documents(documents).await
    }

    async fn page(&self, query: &PageQuery) -> Result<DocumentPage> {
        self.read_page(query).await
    }

    async fn find(&self, named: &Named) -> Result<Vec<DocumentRow>> {
        self.find_documents(named).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.count_statuses().await
    }

    async fn queue(&self) -> Result<QueueState> {
        self.queue_state().await
    }

    async fn matching(&self, filter: &Filter) -> Result<Vec<DocumentId>> {
        self.matching_ids(filter).await
    }

    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        self.read_content(document).await
    }

    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        self.read_versions(document).await
    }

    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview> {
        self.preview_bulk(of, verb).await
    }

    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>> {
        self.request_syncs(documents, request).await
    }

    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>> {
        self.cancel_jobs(documents, by).await
    }

    async fn remove(&self, documents: &[DocumentId]) -> Result<u64> {
        self.remove_documents(documents).await
    }

    async fn register(&self, worker: &WorkerInfo) -> Result<()> {
        self.register_worker(worker).await
    }

    async fn unregister(&self, worker: &WorkerId) -> Result<()> {
        self.unregister_worker(worker).await
    }

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>> {
        self.claim_jobs(worker, limits).await
    }

    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        self.beat_held(worker, held, lease).await
    }

    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>> {
        self.cancel_requests(held).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished> {
        self.writable()?;
        let closed = || StoreError::Unavailable("the store is closed".into());
        let sender = self.finishes.lock().await.clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        sender.send(Pending { finish, policy: policy.clone(), answer }).await.map_err(|_| closed())?;
        drop(sender);
        answered.await.map_err(|_| closed())?
    }

    async fn release(&self, held: &[Held]) -> Result<()> {
        let mut tx = self.begin().await?;
        tx.give_back(held).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn rescue(&self) -> Result<Rescued> {
        self.rescue_jobs().await
    }

    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>> {
        self.read_outcomes(query).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        self.read_last_seq().await
    }

    async fn at_rest(&self) -> Box<dyn Send> {
        Box::new(Arc::clone(&self.writer).lock_owned().await)
    }

    async fn close(&self) {
        self.stop.cancel();
        // The writer task ends when what was sent is written.
        self.finishes.lock().await.take();
        self.tasks.close();
        self.tasks.wait().await;
        self.closed.cancel();
        self.readers.close().await;
        if let Some(conn) = self.writer.lock().await.take() {
            // What can be lost was committed; an error here loses nothing.
            let _ = conn.close().await;
        }
        self.liveness.leave();
    }
}
