//! Shadow rows: the rows of `document_status` for documents that are Chatwoot's. Triggers on our own tables refresh them
//! with each write of ours; passes find what Chatwoot has written. Lists, orders and counts read them while a pass was
//! complete not long ago; else statuses are computed. Decisions never read them.

use crate::domain::filter::Filter;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::chatwoot::faqs;
use crate::store::sql::columns::optional_number;
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::documents::StatusSource;
use crate::store::sql::reader::Reader;
use crate::store::sql::rows::documents::host;
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::topics::Written;
use crate::store::sql::transaction::Tx;
use serde_json::{Value, json};
use std::time::Duration;

/// Age up to which a shadow row may lack what Chatwoot has written, while passes run.
pub(in crate::store) const MAX_AGE: Duration = Duration::from_secs(30);
/// Time between the starts of two passes: so much less than [`MAX_AGE`] that a pass over 100,000 documents is complete in
/// time.
const INTERVAL: Duration = Duration::from_secs(25);
/// Age of the last complete pass above which nobody reads shadow rows: no runner makes passes.
const EXPIRY: Duration = Duration::from_secs(90);
/// Time after which another process may take over a pass that has not moved on.
const LEASE: Duration = Duration::from_secs(30);
/// Number of documents per transaction.
const BATCH_SIZE: i64 = 2_000;
/// Number of ids of answers before the highest one that are looked at again: a transaction that began earlier may commit
/// later.
const LATE_ANSWERS: i64 = 200;
/// Maximum number of documents with new answers; if there are more, the answers of all documents are read.
const MAX_RECENT: i64 = 20_000;

/// Condition for a pass that is due. Times far ahead come from a clock that was wrong, and count as none.
macro_rules! due {
    () => {
        "id = 1 AND (lease_until IS NULL OR lease_until NOT BETWEEN ?1 AND ?2) \
         AND (started_at IS NULL OR started_at NOT BETWEEN ?3 AND ?2)"
    };
}

/// Returns the table from which lists read the status and the times of documents. Call it within the snapshot of the list.
pub(in crate::store) async fn source(db: &Database, reader: &mut Reader) -> Result<StatusSource> {
    if !db.is_chatwoot_database() {
        return Ok(StatusSource::Stored);
    }
    let is_recent = last_pass(reader).await?.is_some_and(|at| is_within(at, EXPIRY, db.now()));
    Ok(if is_recent { StatusSource::Shadow } else { StatusSource::Computed })
}

/// Returns the table like [`source`] for a list of the documents that match `filter`. Fails if it is about FAQs and these
/// are not known.
pub(in crate::store) async fn source_for(db: &Database, reader: &mut Reader, filter: &Filter) -> Result<StatusSource> {
    let source = source(db, reader).await?;
    if !filter.is_about_faqs() {
        return Ok(source);
    }
    faqs::ensure_readable(db, reader).await?;
    let row = reader.one(query("SELECT faqs_read_at FROM @shadow_passes WHERE id = 1")).await?;
    let read_at = get::<Option<i64>>(&row, 0)?.map(Timestamp::from_micros);
    let is_recent = read_at.is_some_and(|at| is_within(at, EXPIRY, db.now()));
    Ok(if is_recent { source } else { StatusSource::Computed })
}

/// Returns the start of the last complete pass.
pub(in crate::store) async fn last_pass(reader: &mut Reader) -> Result<Option<Timestamp>> {
    let row = reader.one(query("SELECT read_at FROM @shadow_passes WHERE id = 1")).await?;
    Ok(get::<Option<i64>>(&row, 0)?.map(Timestamp::from_micros))
}

/// Returns true if `at` is at most `span` before or after `now`: a time far ahead comes from a clock that was wrong.
fn is_within(at: Timestamp, span: Duration, now: Timestamp) -> bool {
    u128::from(at.micros().abs_diff(now.micros())) <= span.as_micros()
}

/// Reads all documents of Chatwoot again if a pass is due and no other process makes one. Writes the shadow rows that
/// differ, and returns their number.
pub(in crate::store) async fn pass(db: &Database) -> Result<u64> {
    if !db.is_chatwoot_database() {
        return Ok(0);
    }
    db.ensure_writable()?;
    let Some(started) = begin(db).await? else { return Ok(0) };
    let mut answers = AnswersRead::begin(db).await?;
    let mut written = 0;
    let (mut past, mut renewed) = (i64::MIN, started);
    loop {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let now = tx.now;
        // Rarely: a pass that finds no difference leaves the server nothing to write to its disk.
        if now.since(renewed) > LEASE / 3 {
            let renew = query("UPDATE @shadow_passes SET lease_until = ? WHERE id = 1 AND started_at = ?");
            if tx.run_quietly(renew.bind(now.plus(LEASE).micros()).bind(started.micros())).await? == 0 {
                // Another process has taken over.
                return Ok(written);
            }
            renewed = now;
        }
        let batch = query("SELECT last_id, written FROM @read_shadows(?, ?, ?)");
        let row = tx.one(batch.bind(past).bind(BATCH_SIZE).bind(now.micros())).await?;
        let some = get::<i64>(&row, "written")?.unsigned_abs();
        if some > 0 {
            tx.note(Written::to("document_status"));
            written += some;
        }
        let last: Option<i64> = optional_number(&row, "last_id")?;
        if let Some(last) = last {
            note_hosts(&mut tx, past, last).await?;
        }
        if let Some(read) = &answers
            && !read.batch(&mut tx, past, last).await?
        {
            answers = None;
        }
        if last.is_none() {
            let end = "UPDATE @shadow_passes SET read_at = started_at, lease_until = NULL, last_answer = ?2, \
                       faqs_read_at = CASE WHEN ?2 IS NOT NULL THEN started_at END WHERE id = 1 AND started_at = ?1";
            let last_answer = answers.as_ref().map(|read| read.last);
            tx.run_quietly(query(end).bind(started.micros()).bind(last_answer)).await?;
        }
        tx.commit().await?;
        match last {
            Some(last) => past = last,
            None => return Ok(written),
        }
    }
}

/// The answers that a pass reads.
struct AnswersRead {
    /// Highest id of an answer when the pass began.
    last: i64,
    /// Documents that have new answers since the last pass; `None` if the answers of all are read.
    recent: Option<Vec<i64>>,
}

impl AnswersRead {
    /// Begins to read the answers; `None` if they cannot be read.
    async fn begin(db: &Database) -> Result<Option<Self>> {
        let mut reader = db.reader().await?;
        if faqs::unreadable(&mut reader).await?.is_some() {
            return Ok(None);
        }
        let row =
            reader.one(query("SELECT @last_answer() AS last, last_answer FROM @shadow_passes WHERE id = 1")).await?;
        let Some(last) = get::<Option<i64>>(&row, "last")? else { return Ok(None) };
        let Some(since) = get::<Option<i64>>(&row, "last_answer")? else {
            return Ok(Some(Self { last, recent: None }));
        };
        let documents = query("SELECT d FROM @answered_since(?) d LIMIT ?");
        let documents = documents.bind(since.saturating_sub(LATE_ANSWERS)).bind(MAX_RECENT + 1);
        let recent = reader.all(documents).await?;
        let recent: Vec<i64> = recent.iter().map(|row| get(row, 0)).collect::<Result<_>>()?;
        Ok(Some(Self { last, recent: (recent.len() as i64 <= MAX_RECENT).then_some(recent) }))
    }

    /// Writes what is known of the FAQs of the documents after the id `past` up to `last`. Returns false if the answers
    /// cannot be read any more.
    async fn batch(&self, tx: &mut Tx<'_>, past: i64, last: Option<i64>) -> Result<bool> {
        let read = query("SELECT @read_faqs(?1, ?2, CASE WHEN ?4 THEN NULL ELSE ?3 END) AS written");
        let (recent, all) = (self.recent.clone().unwrap_or_default(), self.recent.is_none());
        let row = tx.one(read.bind(past).bind(last).bind(recent).bind(all)).await?;
        let written = get::<Option<i64>>(&row, "written")?;
        if written.is_some_and(|rows| rows > 0) {
            tx.note(Written::to("document_status"));
        }
        Ok(written.is_some())
    }
}

/// Gives a row of `document_state` with its host to each document after the id `past` up to `last` that has none: what is
/// filtered and counted by host has to know the documents that were never requested, too.
pub(super) async fn note_hosts(tx: &mut Tx<'_>, past: i64, last: i64) -> Result<()> {
    let without = query(
        "SELECT d.id, d.external_link FROM captain_documents d LEFT JOIN (SELECT document_id FROM @document_state \
         WHERE document_id > ?1 AND document_id <= ?2) s ON s.document_id = d.id \
         WHERE d.id > ?1 AND d.id <= ?2 AND s.document_id IS NULL ORDER BY d.id",
    );
    let rows = tx.all(without.bind(past).bind(last)).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let state = |row: &Row| Ok(json!({ "id": get::<i64>(row, 0)?, "host": host(get(row, 1)?) }));
    let states = Value::Array(rows.iter().map(state).collect::<Result<_>>()?).to_string();
    let keep = query(
        "INSERT INTO @document_state (document_id, host) SELECT CAST(k.value ->> 'id' AS BIGINT), k.value ->> 'host' \
         FROM elements(?1) k WHERE true ON CONFLICT DO NOTHING",
    );
    tx.run(keep.bind(states)).await?;
    Ok(())
}

/// Takes the lease of a pass; returns its start, or `None` if no pass is due.
async fn begin(db: &Database) -> Result<Option<Timestamp>> {
    let look = at_times(query(concat!("SELECT EXISTS (SELECT 1 FROM @shadow_passes WHERE ", due!(), ")")), db.now());
    if !get::<bool>(&db.reader().await?.one(look).await?, 0)? {
        return Ok(None);
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let now = tx.now;
    let take = query(concat!("UPDATE @shadow_passes SET started_at = ?1, lease_until = ?2 WHERE ", due!()));
    let taken = tx.run_quietly(at_times(take, now)).await?;
    tx.commit().await?;
    Ok((taken > 0).then_some(now))
}

/// Binds the time `now`, the end of a lease that begins then, and the earliest start of a pass that makes another one not due.
fn at_times(statement: Statement, now: Timestamp) -> Statement {
    let recent = now.minus(INTERVAL).micros() + 1;
    statement.bind(now.micros()).bind(now.plus(LEASE).micros()).bind(recent)
}

/// Refreshes the shadow rows of `documents` after a write to Chatwoot's table that comes after the writes to ours.
pub(in crate::store) async fn refresh(tx: &mut Tx<'_>, documents: Vec<i64>) -> Result<()> {
    if tx.is_on_chatwoot_database() {
        tx.all(query("SELECT 1 FROM @refresh_status(?)").bind(documents)).await?;
    }
    Ok(())
}
