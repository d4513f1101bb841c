//! Words of a filter that few documents contain: their ids are read first, and everything else about the list by id.
//!
//! A list in any order would otherwise test document after document until a page is full, which for a rare word means
//! all of them, and once more for each count.

use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::store::Result;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::filter::push_words;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;

/// Maximum number of documents that are read by id. A word that more documents contain fills a page soon.
const MAX_IDS: usize = 20_000;

/// Returns the documents that contain all words of `filter`. `None` if they are many, or if the filter has a term that an
/// index serves, so that its documents need not be read beforehand.
pub(in crate::store) async fn containing(reader: &mut Reader, filter: &Filter) -> Result<Option<Vec<i64>>> {
    if !filter.terms.iter().any(is_searched) || filter.terms.iter().any(has_index) {
        return Ok(None);
    }
    let mut sql = Sql::new("SELECT d.id FROM captain_documents d");
    push_words(&mut sql, filter)?;
    sql.push(" LIMIT ").bind(MAX_IDS as i64 + 1);
    let mut ids = Vec::new();
    let take = |row: &Row| {
        ids.push(get(row, 0)?);
        Ok(())
    };
    reader.each(sql.query(), take).await?;
    Ok((ids.len() <= MAX_IDS).then_some(ids))
}

/// Returns the terms of `filter` that [`containing`] leaves to be tested.
pub(in crate::store) fn without_words(filter: &Filter) -> Filter {
    Filter { terms: filter.terms.iter().filter(|term| !is_searched(term)).cloned().collect() }
}

/// Returns true if every term is a word, so that the documents' own table is all that a count needs.
pub(in crate::store) fn are_all_words(filter: &Filter) -> bool {
    filter.terms.iter().all(|term| matches!(term.condition, FilterCondition::Word(_)))
}

fn is_searched(term: &Term) -> bool {
    !term.negated && matches!(term.condition, FilterCondition::Word(_))
}

/// Returns true for a term whose documents an index yields, few of all.
fn has_index(term: &Term) -> bool {
    use FilterCondition as C;
    !term.negated
        && matches!(term.condition, C::Host(_) | C::Id(_) | C::Account(_) | C::Error(_) | C::Http(_) | C::Content(_))
}
