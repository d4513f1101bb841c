//! Inserts new jobs. On PostgreSQL one statement inserts many jobs, since every statement is a round trip.

use crate::domain::id::JobId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::request::Request;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::{enqueue, lanes};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::rows::documents;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use std::collections::{BTreeMap, HashMap};

/// A job that is not in the queue yet.
pub(in crate::store) struct NewJob<'a> {
    pub(in crate::store) document: &'a Document,
    pub(in crate::store) class: QueueClass,
    pub(in crate::store) state: JobState,
    pub(in crate::store) run_at: Timestamp,
    /// Virtual time (position in the fair order of accounts) of a ready job; 0 for a scheduled one.
    pub(in crate::store) vtime: i64,
    pub(in crate::store) by: &'a str,
}

/// Handling of a document that already has a live job (scheduled, ready or running).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum OnLiveJob {
    /// A live job makes the insert fail: the caller knows that there is none.
    Fail,
    /// The live job stays, and no job is inserted.
    Skip,
}

/// Inserts a ready job for each of `documents`, none of which has a live job. Returns the jobs' ids by document id.
pub(in crate::store) async fn add_ready(
    tx: &mut Tx<'_>,
    documents: &[Document],
    request: &Request,
) -> Result<HashMap<i64, JobId>> {
    let mut jobs = HashMap::with_capacity(documents.len());
    let mut lanes = BTreeMap::<LaneKey, i64>::new();
    documents::ensure_states(tx, documents).await?;
    let (class, run_at, by) = (request.class, tx.now, request.by.as_str());
    let mut new = Vec::with_capacity(documents.len());
    for document in documents {
        let vtime = lanes::next_virtual_time(tx, document.account_id, class).await?;
        let lane =
            LaneKey { account_id: document.account_id, host: document.host.clone(), class: class.code(), risky: false };
        let head = lanes.entry(lane).or_insert(vtime);
        *head = vtime.min(*head);
        new.push(NewJob { document, class, state: JobState::Ready, run_at, vtime, by });
    }
    for row in enqueue::insert(tx, &new, OnLiveJob::Fail).await? {
        jobs.insert(get(&row, 0)?, JobId(get(&row, 1)?));
    }
    enqueue::keep_latest(tx, documents.iter().map(|document| document.id).collect()).await?;
    lanes::add_all(tx, &lanes).await?;
    Ok(jobs)
}

/// Inserts jobs. Returns one row per inserted job, with document id and job id.
pub(in crate::store) async fn insert(tx: &mut Tx<'_>, jobs: &[NewJob<'_>], live: OnLiveJob) -> Result<Vec<Row>> {
    let mut inserted = Vec::with_capacity(jobs.len());
    for some in jobs.chunks(tx.dialect().rows_per_statement()) {
        let mut sql = Sql::new(
            "INSERT INTO @jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, vtime, \
             requested_at, requested_by) VALUES ",
        );
        for (index, job) in some.iter().enumerate() {
            let document = job.document;
            sql.push(if index > 0 { ", (" } else { "(" }).bind(document.id).push(", ").bind(document.account_id);
            sql.push(", ").bind(document.assistant_id).push(", ").bind(&document.url).push(", ");
            sql.bind(&document.host).push(", ").bind(job.class.code()).push(", ").bind(job.state.word());
            sql.push(", ").bind(job.run_at.micros()).push(", ").bind(job.vtime).push(", ");
            sql.bind(tx.now.micros()).push(", ").bind(job.by).push(")");
        }
        if live == OnLiveJob::Skip {
            sql.push(" ON CONFLICT (document_id) WHERE state IN ('scheduled', 'ready', 'running') DO NOTHING");
        }
        sql.push(" RETURNING document_id, id");
        inserted.extend(tx.all(sql.query()).await?);
    }
    Ok(inserted)
}

/// Stores the live job of each document in `ids` as its latest job, and deletes the document's jobs that have ended.
pub(in crate::store) async fn keep_latest(tx: &mut Tx<'_>, ids: Vec<i64>) -> Result<()> {
    // The results of earlier jobs are in the outcomes; the table keeps only the last job of a document.
    let ended = query(
        "DELETE FROM @jobs WHERE document_id IN (SELECT each(?)) \
         AND state NOT IN ('scheduled', 'ready', 'running')",
    );
    tx.run(ended.bind(ids.clone())).await?;
    let latest = query(
        "UPDATE @document_state SET job_id = (SELECT j.id FROM @jobs j \
         WHERE j.document_id = document_state.document_id AND j.state IN ('scheduled', 'ready', 'running')) \
         WHERE document_id IN (SELECT each(?))",
    );
    tx.run(latest.bind(ids)).await?;
    Ok(())
}
