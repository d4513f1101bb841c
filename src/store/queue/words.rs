//! Names and URLs that words are looked for in on PostgreSQL (`document_words`, in a store of our own): a check against
//! the documents, and a repair. Triggers do everything else.

use crate::domain::id::DocumentId;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;
use crate::store::sql::transaction::Tx;
use crate::store::{CheckScope, Result};

/// Returns the number of documents whose words are missing or differ from their names and URLs; with
/// [`CheckScope::All`] also counts words of documents that do not exist.
pub(in crate::store) async fn wrong(reader: &mut Reader, scope: CheckScope) -> Result<u64> {
    if reader.dialect() == Dialect::Sqlite {
        return Ok(0);
    }
    let differs = "w.document_id IS NULL OR (w.name, w.url) IS DISTINCT FROM (fold(d.name), fold(d.external_link))";
    let mut sql = Sql::new("SELECT count(*) FROM captain_documents d ");
    match scope {
        CheckScope::All => {
            sql.push("FULL JOIN @document_words w ON w.document_id = d.id WHERE d.id IS NULL OR ").push(differs);
        }
        CheckScope::Sample { from: DocumentId(from), documents } => {
            sql.push("LEFT JOIN @document_words w ON w.document_id = d.id WHERE (").push(differs);
            sql.push(") AND d.id IN (SELECT id FROM captain_documents WHERE id >= ").bind(from);
            sql.push(" ORDER BY id LIMIT ").bind(i64::from(documents)).push(")");
        }
    }
    let wrong: i64 = get(&reader.one(sql.query()).await?, 0)?;
    Ok(wrong.unsigned_abs())
}

/// Corrects the words of all documents in one transaction, and makes the index if the server now has what it needs.
pub(in crate::store) async fn rebuild(db: &Database) -> Result<()> {
    if db.is_chatwoot_database() {
        return Ok(());
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if tx.dialect() == Dialect::Postgres {
        // Writers that have begun end first; later ones wait, and then see the corrected rows. An index of a million
        // documents takes longer than the usual time-out.
        tx.script(
            "SET LOCAL statement_timeout = 0; LOCK TABLE captain_documents IN SHARE ROW EXCLUSIVE MODE; \
             DELETE FROM quarterdeck.document_words w \
             WHERE NOT EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = w.document_id); \
             INSERT INTO quarterdeck.document_words AS w \
             SELECT id, quarterdeck.fold(name), quarterdeck.fold(external_link) FROM captain_documents \
             ON CONFLICT (document_id) DO UPDATE SET name = excluded.name, url = excluded.url \
             WHERE (w.name, w.url) IS DISTINCT FROM (excluded.name, excluded.url); \
             SELECT quarterdeck.index_words()",
        )
        .await?;
    }
    tx.commit().await?;
    Ok(())
}
