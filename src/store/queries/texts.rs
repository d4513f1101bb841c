//! Reads of texts and of their changes, for consumers outside.

use crate::domain::cursor::TextPosition;
use crate::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use crate::domain::text_change::{TextChange, TextHead, TextOwner};
use crate::store::sql::columns::{line, number, optional_number, time};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{Result, StoredText, TextChanges};

/// The columns that [`head`] reads, of `captain_documents d` and `document_state s`, and these tables.
macro_rules! heads {
    () => {
        "d.id AS document_id, d.account_id, d.assistant_id, d.name, d.external_link AS url, \
         micros(d.created_at) AS added_at, meta.content_fingerprint AS fingerprint, s.text_changed_at AS changed_at, \
         coalesce(s.content_version, 0) AS version, coalesce(s.text_seq, 0) AS seq, s.first_text_seq, s.content_length \
         FROM captain_documents d LEFT JOIN @document_state s ON s.document_id = d.id WHERE d.content IS NOT NULL"
    };
}

pub(in crate::store) async fn changes(db: &Database, of: TextChanges) -> Result<Vec<TextChange>> {
    let mut reader = db.reader().await?;
    // One snapshot: a document that is removed between two statements would be in neither of them.
    reader.enter_snapshot().await?;
    let mut found = Vec::new();
    if of.after.seq == 0 {
        found = unnumbered(&mut reader, of).await?;
    }
    if (found.len() as u64) < of.limit {
        let left = TextChanges { limit: of.limit - found.len() as u64, ..of };
        let mut numbered = numbered(&mut reader, left).await?;
        numbered.extend(gone(&mut reader, left).await?);
        // Each of the two has its first ones.
        numbered.sort_by_key(|change| change.position);
        numbered.truncate(usize::try_from(left.limit).unwrap_or(usize::MAX));
        found.extend(numbered);
    }
    reader.leave_snapshot().await?;
    Ok(found)
}

fn limit(of: TextChanges) -> i64 {
    i64::try_from(of.limit).unwrap_or(i64::MAX)
}

/// Returns texts that no outcome has written, by document.
async fn unnumbered(reader: &mut Reader, of: TextChanges) -> Result<Vec<TextChange>> {
    let statement =
        query(concat!("SELECT ", heads!(), " AND coalesce(s.text_seq, 0) = 0 AND d.id > ? ORDER BY d.id LIMIT ?"));
    changed(reader.all(statement.bind(of.after.document).bind(limit(of))).await?)
}

/// Returns texts by the number of the outcome that has written them.
async fn numbered(reader: &mut Reader, of: TextChanges) -> Result<Vec<TextChange>> {
    // `> 0` is what the index of these numbers has.
    let statement = query(concat!(
        "SELECT ",
        heads!(),
        " AND s.text_seq > 0 AND s.text_seq > ? AND s.text_seq <= ? ORDER BY s.text_seq LIMIT ?"
    ));
    changed(reader.all(statement.bind(of.after.seq).bind(of.up_to.0).bind(limit(of))).await?)
}

fn changed(rows: Vec<Row>) -> Result<Vec<TextChange>> {
    let change = |row: &Row| {
        let head = head(row)?;
        let seq = Seq(get(row, "seq")?);
        let position =
            if seq.0 > 0 { TextPosition::after(seq) } else { TextPosition::unnumbered(head.owner.document_id) };
        Ok(TextChange { position, at: head.changed_at.or(head.added_at), owner: head.owner.clone(), text: Some(head) })
    };
    rows.iter().map(change).collect()
}

/// Returns documents that were removed with their text.
async fn gone(reader: &mut Reader, of: TextChanges) -> Result<Vec<TextChange>> {
    let statement = query(
        "SELECT seq, at, document_id, account_id, assistant_id, name, url FROM @outcomes WHERE result = 'removed' \
         AND content = 'gone' AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
    );
    let change = |row: &Row| {
        Ok(TextChange {
            position: TextPosition::after(Seq(get(row, "seq")?)),
            at: time(row, "at")?,
            owner: owner(row)?,
            text: None,
        })
    };
    reader.all(statement.bind(of.after.seq).bind(of.up_to.0).bind(limit(of))).await?.iter().map(change).collect()
}

pub(in crate::store) async fn heads(db: &Database, documents: &[DocumentId]) -> Result<Vec<TextHead>> {
    let statement = query(concat!("SELECT ", heads!(), " AND d.id IN (SELECT each(?)) ORDER BY d.id"));
    let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
    db.reader().await?.all(statement.bind(ids)).await?.iter().map(head).collect()
}

pub(in crate::store) async fn stored_texts(db: &Database, documents: &[DocumentId]) -> Result<Vec<StoredText>> {
    let statement = query(concat!("SELECT d.content, ", heads!(), " AND d.id IN (SELECT each(?)) ORDER BY d.id"));
    let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
    let stored = |row: &Row| Ok(StoredText { head: head(row)?, text: get(row, "content")? });
    db.reader().await?.all(statement.bind(ids)).await?.iter().map(stored).collect()
}

fn head(row: &Row) -> Result<TextHead> {
    Ok(TextHead {
        owner: owner(row)?,
        version: number(row, "version")?,
        fingerprint: line(row, "fingerprint")?,
        chars: optional_number(row, "content_length")?,
        first: get::<Option<i64>>(row, "first_text_seq")?.map(Seq),
        added_at: time(row, "added_at")?,
        changed_at: time(row, "changed_at")?,
    })
}

fn owner(row: &Row) -> Result<TextOwner> {
    Ok(TextOwner {
        document_id: DocumentId(get(row, "document_id")?),
        account_id: AccountId(get(row, "account_id")?),
        assistant_id: AssistantId(get(row, "assistant_id")?),
        name: line(row, "name")?.unwrap_or_default(),
        url: line(row, "url")?.unwrap_or_default(),
    })
}
