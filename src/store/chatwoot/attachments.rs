//! The tables in which Rails keeps the files that are attached to a document, by which PDFs are recognised.

use super::optional::{ATTACHMENTS, BLOBS, unreadable};
use crate::store::Result;
use crate::store::sql::database::Database;

/// Returns the reason why attached PDFs are not seen; `None` if they are.
pub(in crate::store) async fn unreadable_files(db: &Database) -> Result<Option<String>> {
    let [attachments, blobs] = unreadable(&mut db.reader().await?, [ATTACHMENTS, BLOBS]).await?;
    let attachments = attachments.map(|reason| reason.describe(ATTACHMENTS.0));
    Ok(attachments.or_else(|| blobs.map(|reason| reason.describe(BLOBS.0))))
}
