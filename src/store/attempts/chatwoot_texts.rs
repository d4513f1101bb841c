//! What wrote the stored texts, and which generations of Chatwoot's converter were seen in them.

use crate::domain::chatwoot_text::Generation;
use crate::domain::id::DocumentId;
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::{Result, TextOrigins};

/// Returns the generation that was seen in the text of the newest sync; `None` if none was seen.
pub(in crate::store) async fn generation(db: &Database) -> Result<Option<Generation>> {
    let newest = query(
        "SELECT generation FROM @document_state WHERE generation_seen_at IS NOT NULL \
         ORDER BY generation_seen_at DESC LIMIT 1",
    );
    let mut reader = db.reader().await?;
    let code = reader.first(newest).await?.map(|row| get::<i64>(&row, "generation")).transpose()?;
    Ok(code.and_then(Generation::from_code))
}

/// Counts the stored texts by what wrote them.
pub(in crate::store) async fn origins(db: &Database) -> Result<TextOrigins> {
    // A text whose fingerprint has changed since the last comparison is not known any more.
    let counts = query(
        "SELECT k.origin, count(*) AS documents FROM (SELECT CASE \
         WHEN meta.content_fingerprint IS NULL THEN 'none' \
         WHEN s.validated IS NULL OR s.validated <> meta.content_fingerprint THEN 'unknown' \
         WHEN s.generation = 0 THEN 'own' ELSE 'compared' END AS origin FROM captain_documents d \
         LEFT JOIN @document_state s ON s.document_id = d.id WHERE d.content IS NOT NULL) k GROUP BY k.origin",
    );
    let mut origins = TextOrigins { generation: generation(db).await?, ..TextOrigins::default() };
    let mut reader = db.reader().await?;
    for row in reader.all(counts).await? {
        let (origin, documents): (String, i64) = (get(&row, "origin")?, get(&row, "documents")?);
        let counted = match origin.as_str() {
            "own" => &mut origins.own,
            "compared" => &mut origins.compared,
            "unknown" => &mut origins.unknown,
            _ => &mut origins.without_fingerprint,
        };
        *counted = documents.unsigned_abs();
    }
    Ok(origins)
}

/// Returns documents with a text, in an order that has nothing to do with their ids.
pub(in crate::store) async fn sample(db: &Database, most: u32) -> Result<Vec<(DocumentId, String)>> {
    // Multiplication by a large prime number (Knuth) spreads the ids.
    let some = query(
        "SELECT id, external_link FROM captain_documents WHERE status = 1 AND content IS NOT NULL \
         AND external_link NOT LIKE 'PDF:%' AND external_link NOT LIKE '%.pdf' \
         ORDER BY (id * 2654435761) % 4294967296 LIMIT ?",
    );
    let mut reader = db.reader().await?;
    let rows = reader.all(some.bind(i64::from(most))).await?;
    rows.iter().map(|row| Ok((DocumentId(get(row, "id")?), get(row, "external_link")?))).collect()
}
