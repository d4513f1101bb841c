//! Reads of contents: the stored text, its earlier versions, and a quarantined text that waits for review.

use crate::domain::content::StoredBaseline;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::{corrupt, line, number, time};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::packed::{text_of_version, version_row};
use crate::store::sql::rows::documents;
use crate::store::sql::statement::query;
use crate::store::{QuarantinedContent, Result, StoredContent, StoredVersion};

pub(in crate::store) async fn content(db: &Database, document: DocumentId) -> Result<Option<StoredContent>> {
    let statement = query(
        "SELECT d.content, coalesce(s.content_version, 0) AS version FROM captain_documents d \
         LEFT JOIN @document_state s ON s.document_id = d.id WHERE d.id = ? AND d.content IS NOT NULL",
    );
    let mut reader = db.reader().await?;
    let row = reader.first(statement.bind(document.0)).await?;
    row.map(|row| Ok(StoredContent { text: get(&row, "content")?, version: number(&row, "version")? })).transpose()
}

pub(in crate::store) async fn versions(db: &Database, document: DocumentId) -> Result<Vec<StoredVersion>> {
    let statement = query(
        "SELECT version, replaced_at, fingerprint, content_length FROM @document_versions \
         WHERE document_id = ? ORDER BY version DESC",
    );
    let mut reader = db.reader().await?;
    let rows = reader.all(statement.bind(document.0)).await?;
    rows.iter()
        .map(|row| {
            Ok(StoredVersion {
                version: number(row, "version")?,
                replaced_at: Timestamp::from_micros(get(row, "replaced_at")?),
                fingerprint: get(row, "fingerprint")?,
                content_length: number(row, "content_length")?,
            })
        })
        .collect()
}

pub(in crate::store) async fn version_text(
    db: &Database,
    document: DocumentId,
    version: u64,
) -> Result<Option<String>> {
    let mut reader = db.reader().await?;
    reader.first(version_row(document, version)).await?.as_ref().map(text_of_version).transpose()
}

pub(in crate::store) async fn quarantined_content(
    db: &Database,
    document: DocumentId,
) -> Result<Option<QuarantinedContent>> {
    let statement = query(
        "SELECT reason, held_at, fingerprint, title, content FROM @held_contents \
         WHERE document_id = ? AND rejected_at IS NULL",
    );
    let mut reader = db.reader().await?;
    let row = reader.first(statement.bind(document.0)).await?;
    row.map(|row| {
        Ok(QuarantinedContent {
            reason: line(&row, "reason")?.unwrap_or_default(),
            quarantined_at: time(&row, "held_at")?.ok_or_else(|| corrupt("held_at"))?,
            fingerprint: get(&row, "fingerprint")?,
            title: line(&row, "title")?,
            text: get(&row, "content")?,
        })
    })
    .transpose()
}

/// Returns the stored values that a page fetched now would be compared with; `None` if there is no such document.
pub(in crate::store) async fn stored(db: &Database, document: DocumentId) -> Result<Option<StoredBaseline>> {
    documents::stored(&mut db.reader().await?, document).await
}
