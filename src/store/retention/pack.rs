//! Compression of earlier texts. A finish writes them as they are, since it would have to read them first; here they are
//! compressed soon after.

use super::{RemovalState, Step};
use crate::store::interface::retention::Removed;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::packed::pack;
use crate::store::sql::statement::query;
use crate::store::{Result, RetentionStep, StoreError};
use tokio::task::spawn_blocking;

/// Maximum number of texts of a step.
const TEXTS: i64 = 16;
/// Number of characters of a step's texts, of which the last may be longer.
const CHARACTERS: usize = 60_000;

/// Compresses a few texts.
pub(super) async fn step(db: &Database, state: &RemovalState, holder: &str) -> Result<RetentionStep> {
    let plain = read(db).await?;
    if plain.is_empty() {
        return Ok(RetentionStep::Done);
    }
    // Before the transaction: no writer waits for it.
    let packed = spawn_blocking(|| {
        plain.into_iter().map(|(document, version, text)| (document, version, pack(&text))).collect::<Vec<_>>()
    });
    let packed = packed.await.map_err(|error| StoreError::Unavailable(format!("a task ended: {error}")))?;
    let Some(mut step) = Step::begin(db, holder).await? else { return Ok(RetentionStep::LeaseTaken) };
    for (document, version, frame) in packed {
        let write = query(
            "UPDATE @document_versions SET packed = ?3, content = '' \
             WHERE document_id = ?1 AND version = ?2 AND packed IS NULL",
        );
        step.tx.run_quietly(write.bind(document).bind(version).bind(frame)).await?;
    }
    step.end(state, 0).await?;
    Ok(RetentionStep::More(Removed::default()))
}

/// Returns some texts that are not compressed, each with its document and version.
async fn read(db: &Database) -> Result<Vec<(i64, i64, String)>> {
    let mut reader = db.reader().await?;
    let some = query(
        "SELECT document_id, version, content_length FROM @document_versions WHERE packed IS NULL \
         ORDER BY document_id, version LIMIT ?",
    );
    let some = reader.all(some.bind(TEXTS)).await?;
    let mut texts = Vec::new();
    let mut characters = 0;
    for row in &some {
        if characters >= CHARACTERS {
            break;
        }
        characters += usize::try_from(get::<i64>(row, "content_length")?).unwrap_or(CHARACTERS);
        let (document, version): (i64, i64) = (get(row, "document_id")?, get(row, "version")?);
        let text =
            query("SELECT content FROM @document_versions WHERE document_id = ? AND version = ? AND packed IS NULL");
        let text = reader.first(text.bind(document).bind(version)).await?;
        if let Some(text) = text.map(|row: Row| get::<String>(&row, 0)).transpose()? {
            texts.push((document, version, text));
        }
    }
    Ok(texts)
}
