//! Removal of outcomes, always the oldest ones. The newest outcome of a document that exists stays, in `last_outcomes`.

use super::{MAX_ROWS, RemovalState, Step};
use crate::domain::id::Seq;
use crate::domain::retention::{OutcomeBounds, Retention};
use crate::domain::time::Timestamp;
use crate::fault;
use crate::store::interface::retention::Removed;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::outcomes::columns;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{Result, RetentionStep};

/// Returns the number up to which outcomes were removed.
pub(in crate::store) async fn pruned_up_to(db: &Database) -> Result<Seq> {
    let row = db.reader().await?.one(query("SELECT pruned_up_to FROM @retention WHERE id = 1")).await?;
    Ok(Seq(get(&row, 0)?))
}

/// Removes the oldest outcomes that `keep` does not keep.
pub(super) async fn step(db: &Database, state: &RemovalState, keep: &Retention, holder: &str) -> Result<RetentionStep> {
    let Some((pruned, up_to)) = removable(db, keep, state.rows().min(MAX_ROWS)).await? else {
        return Ok(RetentionStep::Done);
    };
    let Some(mut step) = Step::begin(db, holder).await? else { return Ok(RetentionStep::LeaseTaken) };
    let outcomes = remove(&mut step.tx, pruned, up_to).await?;
    fault::point("prune", "");
    step.end(state, outcomes).await?;
    Ok(RetentionStep::More(Removed { outcomes, ..Removed::default() }))
}

/// Returns the number up to which outcomes were removed, and the one up to which at most `rows` more may be; `None` if
/// none may be.
async fn removable(db: &Database, keep: &Retention, rows: i64) -> Result<Option<(Seq, Seq)>> {
    let mut reader = db.reader().await?;
    // One statement, since an outcome and the message about it are written together.
    let read = query(
        "SELECT o.seq, o.at, r.pruned_up_to, (SELECT last FROM @outcome_seq WHERE id = 1) AS last, \
         (SELECT min(m.outcome_seq) FROM @outbox m WHERE m.outcome_seq IS NOT NULL) AS undelivered \
         FROM @retention r JOIN @outcomes o ON o.seq > r.pruned_up_to WHERE r.id = 1 ORDER BY o.seq LIMIT ?",
    );
    let found = reader.all(read.bind(rows)).await?;
    let Some(first) = found.first() else { return Ok(None) };
    let bounds = OutcomeBounds {
        last: Seq(get(first, "last")?),
        undelivered: get::<Option<i64>>(first, "undelivered")?.map(Seq),
    };
    let oldest = |row: &Row| Ok((Seq(get(row, "seq")?), Timestamp::from_micros(get(row, "at")?)));
    let oldest: Vec<(Seq, Timestamp)> = found.iter().map(oldest).collect::<Result<_>>()?;
    let pruned = Seq(get(first, "pruned_up_to")?);
    Ok(keep.removable_outcomes(&oldest, bounds, db.now()).map(|up_to| (pruned, up_to)))
}

/// Removes the outcomes after `pruned` up to `up_to`, and returns their number.
async fn remove(tx: &mut Tx<'_>, pruned: Seq, up_to: Seq) -> Result<u64> {
    let note = query("UPDATE @retention SET pruned_up_to = ?2 WHERE id = 1 AND pruned_up_to = ?1");
    if tx.run_quietly(note.bind(pruned.0).bind(up_to.0)).await? == 0 {
        // Another process has removed some since they were read.
        return Ok(0);
    }
    // Of these documents an older outcome may stand there, from a time without outcomes.
    let replaced = query(
        "DELETE FROM @last_outcomes WHERE document_id IN \
         (SELECT document_id FROM @outcomes WHERE seq > ?1 AND seq <= ?2)",
    );
    tx.run_quietly(replaced.bind(pruned.0).bind(up_to.0)).await?;
    let kept = query(concat!(
        "INSERT INTO @last_outcomes (",
        columns!(),
        ") SELECT ",
        columns!(),
        " FROM @outcomes o WHERE seq > ?1 AND seq <= ?2 \
         AND NOT EXISTS (SELECT 1 FROM @outcomes n WHERE n.document_id = o.document_id AND n.seq > o.seq) \
         AND EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = o.document_id)"
    ));
    tx.run_quietly(kept.bind(pruned.0).bind(up_to.0)).await?;
    let removed = query("DELETE FROM @outcomes WHERE seq > ?1 AND seq <= ?2");
    tx.run_quietly(removed.bind(pruned.0).bind(up_to.0)).await
}
