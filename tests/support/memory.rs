//! A store in memory for tests of the console: documents and outcomes that a test sets, requests that it can read, and
//! tokio's clock. It implements the interfaces that a console uses, and runs no jobs.

pub use super::memory_batches::Batch;
use async_trait::async_trait;
use quarterdeck::domain::content::StoredBaseline;
use quarterdeck::domain::document::{DocumentRow, Status, StatusCounts};
use quarterdeck::domain::faq::{FaqBacklog, NEEDS_CHATWOOT};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{DocumentId, JobId, ProposalId, Seq, SourceId};
use quarterdeck::domain::notification::SinkStatus;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::pause::{Pause, PauseScope};
use quarterdeck::domain::request::{DocumentAnswer, Request, RequestAnswer};
use quarterdeck::domain::source::{Proposal, ProposalDecision, SourceSummary};
use quarterdeck::domain::text::SafeLine;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::domain::topic::TopicSet;
use quarterdeck::store::{
    AccountSummary, AddResult, BulkVerb, ChangeSender, Changes, DashboardFigures, Decision, DecisionResult, DiskUse,
    DocumentPage, DocumentRef, DocumentStore, FailureSummary, HostSummary, JobsPage, JobsQuery, Listing, NewDocument,
    OutcomeQuery, OutcomesFrom, PagePosition, PageQuery, Preview, QuarantinedContent, Queries, QueueState,
    RescueResult, Result, ReviewTarget, SchemaMismatch, Sort, SortBy, StoreBase, StoreError, StoredContent,
    StoredVersion, Targets, WorkerSummary,
};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

/// Data that a test sets and reads.
#[derive(Debug, Default)]
pub struct Facts {
    pub documents: Vec<DocumentRow>,
    pub outcomes: Vec<Outcome>,
    /// Requests so far, with their documents.
    pub requests: Vec<(Vec<DocumentId>, Request)>,
    pub removed: Vec<DocumentId>,
    /// Stored texts that differ from the default one.
    pub contents: HashMap<DocumentId, String>,
    /// Quarantined texts.
    pub held: HashMap<DocumentId, QuarantinedContent>,
    /// Decisions so far.
    pub decisions: Vec<(ReviewTarget, Decision)>,
    /// Number of jobs that a purge drops.
    pub purgeable: u64,
    pub pauses: Vec<Pause>,
    /// Durations of the next queries of the list.
    pub page_delays: Vec<Duration>,
    /// Number of queries of the list.
    pub pages: usize,
    /// Number of those that were not dropped before their end.
    pub pages_completed: usize,
    /// Number of queries of the counts, of the queue's figures, and of the pauses.
    pub counts_read: usize,
    pub queue_read: usize,
    pub pauses_read: usize,
    /// Number of queries of the next change of a status.
    pub deadlines_read: usize,
    pub next_status_change: Option<Timestamp>,
    /// The next time at which the queue's figures change.
    pub next_due_at: Option<Timestamp>,
    pub workers: Vec<WorkerSummary>,
    pub disk: DiskUse,
    pub dashboard: DashboardFigures,
    /// Number of queries of the dashboard.
    pub dashboards_read: usize,
    /// Number of queries of the disk use.
    pub disk_read: usize,
    /// Number of queries of the workers.
    pub workers_read: usize,
    pub jobs: JobsPage,
    pub accounts: Listing<AccountSummary>,
    pub hosts: Listing<HostSummary>,
    pub failures: Listing<FailureSummary>,
    /// Number of queries of the jobs view.
    pub jobs_read: usize,
    /// Number of queries of hosts and accounts.
    pub counted: usize,
    /// Duration of a query of hosts or accounts.
    pub counting_takes: Duration,
    /// Running queries of hosts and accounts: now, and the maximum so far.
    pub counting: (usize, usize),
    pub sources: Vec<SourceSummary>,
    pub proposals: Vec<Proposal>,
    /// Decisions on proposals so far.
    pub proposals_decided: Vec<(Vec<ProposalId>, ProposalDecision)>,
    pub batches: Vec<Batch>,
    /// Sources whose reads were requested.
    pub reads_requested: Vec<SourceId>,
    /// Leases that a person broke, with the person's name.
    pub broken: Vec<(JobId, SafeLine)>,
    /// If set, the store is unavailable for this reason.
    pub away: Option<String>,
}

#[derive(Debug)]
pub struct Memory {
    facts: Mutex<Facts>,
    changes: ChangeSender,
    mismatches: watch::Sender<Option<SchemaMismatch>>,
    begun: Instant,
}

impl Memory {
    pub fn new(documents: Vec<DocumentRow>) -> Self {
        let facts = Facts { documents, ..Facts::default() };
        Self {
            facts: Mutex::new(facts),
            changes: ChangeSender::default(),
            mismatches: watch::Sender::new(None),
            begun: Instant::now(),
        }
    }

    /// Reads or changes the facts without an announcement.
    pub fn with<T>(&self, look: impl FnOnce(&mut Facts) -> T) -> T {
        look(&mut self.facts.lock().expect("no test panics while it holds the facts"))
    }

    /// Changes the facts and announces it, as a commit does that changes data of every topic.
    pub fn commit(&self, change: impl FnOnce(&mut Facts)) {
        self.commit_of(TopicSet::ALL, change);
    }

    /// Changes the facts and announces it, as a commit does that changes data of these topics.
    pub fn commit_of(&self, topics: TopicSet, change: impl FnOnce(&mut Facts)) {
        self.with(change);
        self.changes.publish(topics);
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&mut Facts) -> T) -> Result<T> {
        self.with(|facts| match &facts.away {
            Some(reason) => Err(StoreError::Unavailable(reason.clone())),
            None => Ok(look(facts)),
        })
    }

    /// Takes as long as counting over whole tables does.
    async fn count_over(&self) {
        let takes = self.with(|facts| {
            facts.counted += 1;
            let under_way = facts.counting.0 + 1;
            facts.counting = (under_way, facts.counting.1.max(under_way));
            facts.counting_takes
        });
        let _running = Counting(self);
        sleep(takes).await;
    }

    fn sorted(&self, filter: &Filter, sort: Sort) -> Result<Vec<DocumentRow>> {
        let now = self.now();
        self.read(|facts| {
            let mut rows: Vec<_> = facts.documents.iter().filter(|row| filter.matches(row, now)).cloned().collect();
            match sort.by {
                SortBy::Name => rows.sort_by_key(|row| (row.name.to_lowercase(), row.id)),
                SortBy::Id => rows.sort_by_key(|row| row.id),
                _ => rows.sort_by_key(|row| (row.status, row.id)),
            }
            if sort.descending {
                rows.reverse();
            }
            rows
        })
    }
}

/// A running query of hosts or accounts, which may be dropped before its end.
struct Counting<'a>(&'a Memory);

impl Drop for Counting<'_> {
    fn drop(&mut self) {
        self.0.with(|facts| facts.counting.0 -= 1);
    }
}

#[async_trait]
impl StoreBase for Memory {
    fn label(&self) -> SafeLine {
        "memory of a test".into()
    }

    fn now(&self) -> Timestamp {
        super::facts::NOW.plus(self.begun.elapsed())
    }

    fn changes(&self) -> Changes {
        self.changes.subscribe()
    }

    fn schema_mismatch(&self) -> watch::Receiver<Option<SchemaMismatch>> {
        self.mismatches.subscribe()
    }

    async fn queue(&self) -> Result<QueueState> {
        self.read(|facts| {
            facts.queue_read += 1;
            let at = |status| facts.documents.iter().filter(|row| row.status == status).count() as u64;
            QueueState {
                ready: at(Status::Queued),
                running: at(Status::Syncing),
                workers: 1,
                next_due_at: facts.next_due_at,
                ..QueueState::default()
            }
        })
    }
}

#[async_trait]
impl DocumentStore for Memory {
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<AddResult>> {
        self.read(|facts| {
            documents
                .iter()
                .map(|new| {
                    if let Some(known) = facts.documents.iter().find(|row| row.url.as_str() == new.link.as_str()) {
                        return AddResult::Exists(known.id);
                    }
                    let id = facts.documents.iter().map(|row| row.id.0).max().unwrap_or(0) + 1;
                    let mut row = super::facts::document(id, new.link.as_str(), Status::Never);
                    row.url = new.link.as_str().into();
                    facts.documents.push(row);
                    AddResult::New(DocumentId(id))
                })
                .collect()
        })
    }

    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<DocumentAnswer>> {
        let answers = self.read(|facts| {
            facts.requests.push((documents.to_vec(), request.clone()));
            documents
                .iter()
                .map(|id| {
                    let running = facts.documents.iter().any(|row| row.id == *id && row.status == Status::Syncing);
                    let answer = if running {
                        RequestAnswer::AlreadySyncing(JobId(id.0), Some("web-2".into()))
                    } else {
                        RequestAnswer::Queued(JobId(id.0))
                    };
                    DocumentAnswer { document_id: *id, answer }
                })
                .collect()
        })?;
        self.commit(|_| {});
        Ok(answers)
    }

    async fn cancel(&self, documents: &[DocumentId], _by: &SafeLine) -> Result<Vec<DocumentAnswer>> {
        self.read(|_| {
            let cancelled =
                |id: &DocumentId| DocumentAnswer { document_id: *id, answer: RequestAnswer::Cancelled(JobId(id.0)) };
            documents.iter().map(cancelled).collect()
        })
    }

    async fn start_faq_jobs(&self, documents: &[DocumentId], _by: &SafeLine) -> Result<Vec<DocumentAnswer>> {
        let noted = |id: &DocumentId| DocumentAnswer { document_id: *id, answer: RequestAnswer::FaqNoted };
        self.read(|_| documents.iter().map(noted).collect())
    }

    async fn decide(&self, texts: &[ReviewTarget], decision: Decision, _: &SafeLine) -> Result<Vec<DecisionResult>> {
        let decided = self.read(|facts| {
            let mut decided = Vec::new();
            for text in texts {
                facts.decisions.push((text.clone(), decision));
                let held = facts.held.get(&text.document).map(|held| held.fingerprint.clone());
                decided.push(match (held, &text.fingerprint) {
                    (None, _) => DecisionResult::NothingQuarantined,
                    (Some(held), Some(seen)) if held != *seen => DecisionResult::Replaced,
                    _ => {
                        let held = facts.held.remove(&text.document);
                        if let Some(row) = facts.documents.iter_mut().find(|row| row.id == text.document) {
                            row.quarantine_reason = None;
                        }
                        if let (Some(held), Decision::Accept) = (held, decision) {
                            facts.contents.insert(text.document, held.text);
                        }
                        DecisionResult::Done
                    }
                });
            }
            decided
        })?;
        self.commit(|_| {});
        Ok(decided)
    }

    async fn remove(&self, documents: &[DocumentId], _by: &SafeLine) -> Result<u64> {
        let removed = self.read(|facts| {
            facts.removed.extend(documents);
            facts.documents.retain(|row| !documents.contains(&row.id));
            documents.len() as u64
        })?;
        self.commit(|_| {});
        Ok(removed)
    }

    async fn purge(&self, _by: &SafeLine) -> Result<u64> {
        self.read(|facts| std::mem::take(&mut facts.purgeable))
    }

    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool> {
        let since = self.now();
        let new = self.read(|facts| {
            let new = !facts.pauses.iter().any(|pause| pause.scope == *scope);
            if new {
                facts.pauses.push(Pause { scope: scope.clone(), since, by: by.clone() });
            }
            new
        })?;
        self.commit(|_| {});
        Ok(new)
    }

    async fn resume(&self, scope: &PauseScope) -> Result<bool> {
        let ended = self.read(|facts| {
            let before = facts.pauses.len();
            facts.pauses.retain(|pause| pause.scope != *scope);
            facts.pauses.len() < before
        })?;
        self.commit(|_| {});
        Ok(ended)
    }

    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<RescueResult>> {
        let broken = self.read(|facts| {
            let running = facts.jobs.running.iter().any(|seen| seen.job == job);
            facts.broken.push((job, by.clone()));
            facts.jobs.running.retain(|seen| seen.job != job);
            facts.jobs.running_total -= u64::from(running);
            running.then(RescueResult::default)
        })?;
        self.commit(|_| {});
        Ok(broken)
    }
}

fn by_status(rows: &[DocumentRow]) -> StatusCounts {
    let mut counts = StatusCounts::default();
    for row in rows {
        counts.add(row.status, 1);
        counts.quarantined += u64::from(row.quarantine_reason.is_some());
    }
    counts
}

#[async_trait]
impl Queries for Memory {
    async fn find(&self, named: &DocumentRef) -> Result<Vec<DocumentRow>> {
        self.read(|facts| {
            let fits = |row: &&DocumentRow| match named {
                DocumentRef::Id(id) => row.id == *id,
                DocumentRef::Url(link) => row.url.as_str() == link.as_str(),
            };
            facts.documents.iter().filter(fits).cloned().collect()
        })
    }

    async fn page(&self, query: &PageQuery) -> Result<DocumentPage> {
        let (delay, rows) = {
            let delay = self.with(|facts| {
                facts.pages += 1;
                if facts.page_delays.is_empty() { Duration::ZERO } else { facts.page_delays.remove(0) }
            });
            (delay, self.sorted(&query.filter, query.sort))
        };
        sleep(delay).await;
        self.with(|facts| facts.pages_completed += 1);
        let rows = rows?;
        let total = rows.len() as u64;
        let matching = (!query.filter.terms.is_empty()).then(|| by_status(&rows));
        let last = total.saturating_sub(query.limit);
        let offset = match query.position {
            PagePosition::Offset(offset) => offset,
            PagePosition::Document { document, rows_above: above, fallback_offset: else_at } => rows
                .iter()
                .position(|row| row.id == document)
                .map_or(else_at, |place| (place as u64).saturating_sub(above)),
        }
        .min(last);
        let rows = rows.into_iter().skip(offset as usize).take(query.limit as usize).collect();
        Ok(DocumentPage { rows, offset, total, matching })
    }

    async fn matching(&self, filter: &Filter, sort: Sort, limit: Option<u64>) -> Result<Vec<DocumentId>> {
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX);
        Ok(self.sorted(filter, sort)?.into_iter().map(|row| row.id).take(limit).collect())
    }

    async fn rows(&self, ids: &[DocumentId]) -> Result<Vec<DocumentRow>> {
        self.read(|facts| {
            ids.iter().filter_map(|id| facts.documents.iter().find(|row| row.id == *id)).cloned().collect()
        })
    }

    async fn counts(&self) -> Result<StatusCounts> {
        self.read(|facts| {
            facts.counts_read += 1;
            by_status(&facts.documents)
        })
    }

    async fn next_status_change(&self) -> Result<Option<Timestamp>> {
        self.read(|facts| {
            facts.deadlines_read += 1;
            facts.next_status_change
        })
    }

    async fn stored(&self, document: DocumentId) -> Result<Option<StoredBaseline>> {
        let stored = self.content(document).await?;
        Ok(stored.map(|stored| StoredBaseline {
            fingerprint: Some(Fingerprint::of(&stored.text)),
            chars: Some(stored.text.chars().count() as u64),
            ..StoredBaseline::default()
        }))
    }

    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        self.read(|facts| {
            let usual = || format!("# Document {document}\x1b[2J\n\nIts text.");
            let text = facts.contents.get(&document).cloned().unwrap_or_else(usual);
            Some(StoredContent { text, version: 1 })
        })
    }

    async fn versions(&self, _document: DocumentId) -> Result<Vec<StoredVersion>> {
        self.read(|_| Vec::new())
    }

    async fn version_text(&self, _document: DocumentId, _version: u64) -> Result<Option<String>> {
        self.read(|_| None)
    }

    async fn quarantined_content(&self, document: DocumentId) -> Result<Option<QuarantinedContent>> {
        self.read(|facts| facts.held.get(&document).cloned())
    }

    async fn preview(&self, of: &Targets, _verb: BulkVerb) -> Result<Preview> {
        let targets = match of {
            Targets::Ids(ids) => ids.clone(),
            Targets::Matching(filter) => self.matching(filter, Sort::BY_ID, None).await?,
        };
        Ok(Preview { targets, skipped: Vec::new(), hosts: 1, ..Preview::default() })
    }

    async fn faq_backlog(&self) -> Result<Option<FaqBacklog>> {
        self.read(|_| None)
    }

    async fn unreadable_faqs(&self) -> Result<Option<String>> {
        self.read(|_| Some(NEEDS_CHATWOOT.to_owned()))
    }

    async fn purgeable(&self) -> Result<u64> {
        self.read(|facts| facts.purgeable)
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        self.read(|facts| {
            facts.pauses_read += 1;
            facts.pauses.sort_by_key(|pause| pause.scope.clone());
            facts.pauses.clone()
        })
    }

    async fn workers(&self) -> Result<Vec<WorkerSummary>> {
        self.read(|facts| {
            facts.workers_read += 1;
            facts.workers.clone()
        })
    }

    async fn jobs(&self, _query: &JobsQuery) -> Result<JobsPage> {
        self.read(|facts| {
            facts.jobs_read += 1;
            facts.jobs.clone()
        })
    }

    async fn accounts(&self) -> Result<Listing<AccountSummary>> {
        self.count_over().await;
        self.read(|facts| facts.accounts.clone())
    }

    async fn hosts(&self) -> Result<Listing<HostSummary>> {
        self.count_over().await;
        self.read(|facts| facts.hosts.clone())
    }

    async fn failures(&self) -> Result<Listing<FailureSummary>> {
        self.count_over().await;
        self.read(|facts| facts.failures.clone())
    }

    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>> {
        let limit = query.limit as usize;
        self.read(|facts| {
            let of = |outcome: &&Outcome| {
                query.document.is_none_or(|document| document == outcome.document_id)
                    && query.filter.matches_outcome(outcome, Timestamp::from_micros(0))
            };
            let all: Vec<Outcome> = facts.outcomes.iter().filter(of).cloned().collect();
            match query.from {
                OutcomesFrom::After(seq) => all.into_iter().filter(|outcome| outcome.seq > seq).take(limit).collect(),
                OutcomesFrom::Before(seq) => {
                    let before: Vec<_> = all.into_iter().filter(|outcome| outcome.seq < seq).collect();
                    before[before.len().saturating_sub(limit)..].to_vec()
                }
                OutcomesFrom::Newest => all[all.len().saturating_sub(limit)..].to_vec(),
            }
        })
    }

    async fn last_seq(&self) -> Result<Seq> {
        self.read(|facts| facts.outcomes.last().map_or(Seq::START, |outcome| outcome.seq))
    }

    async fn pruned_up_to(&self) -> Result<Seq> {
        Ok(Seq::START)
    }

    async fn sinks(&self) -> Result<Vec<SinkStatus>> {
        Ok(Vec::new())
    }

    async fn dashboard(&self) -> Result<DashboardFigures> {
        self.read(|facts| {
            facts.dashboards_read += 1;
            facts.dashboard.clone()
        })
    }

    async fn disk_use(&self) -> Result<DiskUse> {
        self.read(|facts| {
            facts.disk_read += 1;
            facts.disk.clone()
        })
    }

    async fn outcomes_before(&self, before: Timestamp) -> Result<u64> {
        self.read(|facts| facts.outcomes.iter().filter(|outcome| outcome.at < before).count() as u64)
    }
}
