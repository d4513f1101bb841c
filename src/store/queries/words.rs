//! Words of a filter, looked up before the rest of a list. The documents that contain a rare word are read by id; a list
//! in any order would otherwise test document after document until a page is full, and all of them for each count. A
//! common word is tested that way: a page is soon full.
//!
//! PostgreSQL finds a word of three or more letters in an index of trigrams (`document_words`, in a store of our own).
//! SQLite reads an index that has the names and URLs of all documents.

use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::corrupt;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::filter::{Frequency, WordColumns, push_documents, push_words};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;

/// Maximum number of documents that are read by id.
const MAX_IDS: usize = 20_000;

/// A filter with what is known about the documents that contain its words.
pub(in crate::store) struct SearchedFilter {
    /// The words that a document must contain.
    words: Filter,
    /// The other terms.
    rest: Filter,
    containing: Containing,
    dialect: Dialect,
}

/// The documents that contain all words.
enum Containing {
    /// At most [`MAX_IDS`] documents.
    Few(Vec<i64>),
    /// More documents, or a number that is not known because another term selects few.
    Many,
}

impl SearchedFilter {
    /// Looks up the words of `filter`.
    pub(in crate::store) async fn search(reader: &mut Reader, source: StatusSource, filter: &Filter) -> Result<Self> {
        let (words, rest): (Vec<_>, Vec<_>) = filter.terms.iter().cloned().partition(is_word);
        let (words, rest) = (Filter { terms: words }, Filter { terms: rest });
        let mut containing = Containing::Many;
        if !words.terms.is_empty() && !rest.terms.iter().any(selects_few) {
            let found = reader.one(lookup(source, reader.dialect(), &words)?.query()).await?;
            let found: Option<&str> = get(&found, 0)?;
            let parse = |id: &str| id.parse().map_err(|_| corrupt("id"));
            let ids: Vec<i64> = found.iter().flat_map(|ids| ids.split(',')).map(parse).collect::<Result<_>>()?;
            if ids.len() <= MAX_IDS {
                containing = Containing::Few(ids);
            }
        }
        Ok(Self { words, rest, containing, dialect: reader.dialect() })
    }

    /// Returns true if the filter has no terms.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.words.terms.is_empty() && self.rest.terms.is_empty()
    }

    /// Returns true if few documents match, so that sorting them costs little.
    pub(in crate::store) fn matches_few(&self) -> bool {
        matches!(self.containing, Containing::Few(_)) || self.rest.terms.iter().any(selects_few)
    }

    /// Returns true if names and URLs alone decide which documents match.
    pub(in crate::store) fn has_only_words(&self) -> bool {
        self.rest.terms.iter().all(|term| matches!(term.condition, FilterCondition::Word(_)))
    }

    /// Appends ` FROM … WHERE …` for the documents of `source` that match, with the tables that `joins` needs.
    pub(in crate::store) fn push(
        &self,
        sql: &mut Sql,
        source: StatusSource,
        joins: Joins,
        now: Timestamp,
    ) -> Result<()> {
        let mut joins = Joins::of(&self.rest, source).and(joins);
        if self.tests_words() {
            joins = joins.and(Joins::DOCUMENTS);
        }
        match &self.containing {
            Containing::Few(ids) => joins.push_among(sql, source, self.dialect, ids.clone()),
            Containing::Many => joins.push(sql, source),
        }
        push_documents(sql, source, &self.rest, now)?;
        self.push_word_tests(sql)
    }

    /// Appends ` FROM … WHERE …` like [`push`](Self::push), for a statement that reads no column.
    pub(in crate::store) fn push_uncolumned(&self, sql: &mut Sql, source: StatusSource, now: Timestamp) -> Result<()> {
        if self.is_empty() || !self.has_only_words() || matches!(self.containing, Containing::Few(_)) {
            return self.push(sql, source, Joins::NONE, now);
        }
        if source == StatusSource::Stored && self.dialect == Dialect::Postgres && self.rest.terms.is_empty() {
            // A tenth of the size of the documents' own table.
            sql.push(" FROM @document_words w WHERE 1 = 1");
            return push_words(sql, &self.words, WordColumns::Words, Frequency::Common);
        }
        // Without another table SQLite reads an index that has the names and URLs, and PostgreSQL reads in parallel.
        sql.push(" FROM captain_documents d");
        push_documents(sql, source, &self.rest, now)?;
        self.push_word_tests(sql)
    }

    /// Returns true if each document is tested for the words.
    fn tests_words(&self) -> bool {
        matches!(self.containing, Containing::Many) && !self.words.terms.is_empty()
    }

    fn push_word_tests(&self, sql: &mut Sql) -> Result<()> {
        if self.tests_words() {
            push_words(sql, &self.words, WordColumns::Documents, Frequency::Common)
        } else {
            Ok(())
        }
    }
}

/// Selects the documents that contain all `words`, at most one more than are read by id: as one text, because to fetch
/// thousands of rows takes longer than to find them.
fn lookup(source: StatusSource, dialect: Dialect, words: &Filter) -> Result<Sql> {
    let mut sql = Sql::new("SELECT string_agg(CAST(q.id AS TEXT), ',') FROM (SELECT ");
    let columns = match (source, dialect) {
        (StatusSource::Stored, Dialect::Postgres) => {
            sql.push("w.document_id AS id FROM @document_words w WHERE 1 = 1");
            WordColumns::Words
        }
        _ => {
            sql.push("d.id FROM captain_documents d WHERE 1 = 1");
            WordColumns::Documents
        }
    };
    push_words(&mut sql, words, columns, Frequency::Unknown)?;
    sql.push(" LIMIT ").bind(MAX_IDS as i64 + 1).push(") q");
    Ok(sql)
}

fn is_word(term: &Term) -> bool {
    !term.negated && matches!(term.condition, FilterCondition::Word(_))
}

/// Returns true for a term whose documents an index yields, few of all.
fn selects_few(term: &Term) -> bool {
    use FilterCondition as C;
    !term.negated
        && matches!(
            term.condition,
            C::Host(_) | C::Id(_) | C::Account(_) | C::Error(_) | C::Http(_) | C::Cause(_) | C::Content(_)
        )
}
