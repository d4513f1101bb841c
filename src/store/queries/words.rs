//! Words of a filter, looked up before the rest of a list. The documents that contain a rare word are read by id; a list
//! in any order would otherwise test document after document until a page is full, and all of them for each count. A
//! common word is tested that way: a page is soon full.
//!
//! PostgreSQL finds a word of three or more letters in an index of trigrams (`document_words`, in a store of our own).
//! SQLite reads an index that has the names and URLs of all documents. The documents whose last failure contains a word
//! are found among those that failed, which an index yields.

use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::corrupt;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::filter::{Frequency, WordColumns, push_documents, push_failures_with, push_words};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;

/// Maximum number of documents that are read by id.
const MAX_IDS: usize = 20_000;
/// Maximum number of failed documents that are known by id. PostgreSQL hashes as many within its usual memory; with more,
/// each document's failure is tested.
const MAX_FAILED: usize = 60_000;

/// A filter with what is known about the documents that contain its words.
pub(in crate::store) struct SearchedFilter {
    /// The words that a document must contain, if they have been looked up.
    words: Filter,
    /// The words that it must not contain, if the failures with them have been looked up.
    without: Filter,
    /// The other terms, and the words that are tested document by document.
    rest: Filter,
    containing: Containing,
    /// Documents whose last failure contains one of `without`.
    excepted: Vec<i64>,
    dialect: Dialect,
}

/// The documents that contain all words.
enum Containing {
    /// At most [`MAX_IDS`] documents.
    Few(Vec<i64>),
    /// More documents, all known.
    Listed(Vec<i64>),
    /// Those whose names and URLs contain all words, which are tested, and these, whose failures contain one of them.
    Tested(Vec<i64>),
}

impl SearchedFilter {
    /// Looks up the words of `filter`.
    pub(in crate::store) async fn search(reader: &mut Reader, source: StatusSource, filter: &Filter) -> Result<Self> {
        let (words, rest): (Vec<_>, Vec<_>) = filter.terms.iter().cloned().partition(is_word);
        let (mut without, mut rest): (Vec<_>, Vec<_>) =
            rest.into_iter().partition(|term| matches!(term.condition, FilterCondition::Word(_)));
        let mut words = Filter { terms: words };
        let (mut containing, mut excepted) = (Containing::Tested(Vec::new()), Vec::new());
        let dialect = reader.dialect();
        if rest.iter().any(selects_few) {
            rest.append(&mut words.terms);
            rest.append(&mut without);
        }
        if !words.terms.is_empty() {
            let failed = ids(reader, failures_with(&words, Wanted::EveryWord)?).await?;
            if failed.len() > MAX_FAILED {
                rest.append(&mut words.terms);
            } else {
                let named = ids(reader, lookup(source, dialect, &words)?).await?;
                containing = Containing::of(named, failed);
            }
        }
        let mut without = Filter { terms: without };
        if !without.terms.is_empty() {
            excepted = ids(reader, failures_with(&without, Wanted::AnyWord)?).await?;
            if excepted.len() > MAX_FAILED {
                excepted.clear();
                rest.append(&mut without.terms);
            }
        }
        Ok(Self { words, without, rest: Filter { terms: rest }, containing, excepted, dialect })
    }

    /// Returns true if the filter has no terms.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.words.terms.is_empty() && self.without.terms.is_empty() && self.rest.terms.is_empty()
    }

    /// Returns true if few documents match, so that sorting them costs little.
    pub(in crate::store) fn matches_few(&self) -> bool {
        matches!(self.containing, Containing::Few(_)) || self.rest.terms.iter().any(selects_few)
    }

    /// Returns true if names, URLs and ids decide which documents match.
    pub(in crate::store) fn has_only_words(&self) -> bool {
        self.rest.terms.is_empty()
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
        if self.tests_names() {
            joins = joins.and(Joins::DOCUMENTS);
        }
        match &self.containing {
            Containing::Few(ids) => joins.push_among(sql, source, self.dialect, ids.clone()),
            Containing::Listed(_) | Containing::Tested(_) => joins.push(sql, source),
        }
        push_documents(sql, source, &self.rest, now)?;
        self.push_word_tests(sql, WordColumns::Documents, source.id())
    }

    /// Appends ` FROM … WHERE …` like [`push`](Self::push), for a statement that reads no column.
    pub(in crate::store) fn push_uncolumned(&self, sql: &mut Sql, source: StatusSource, now: Timestamp) -> Result<()> {
        if self.is_empty() || !self.has_only_words() {
            return self.push(sql, source, Joins::NONE, now);
        }
        if let Containing::Few(ids) | Containing::Listed(ids) = &self.containing {
            let joins = if self.without.terms.is_empty() { Joins::NONE } else { Joins::DOCUMENTS };
            joins.push_among(sql, source, self.dialect, ids.clone());
            sql.push(" WHERE 1 = 1");
            return self.push_without(sql, WordColumns::Documents, source.id());
        }
        let has_word_table = source == StatusSource::Stored && self.dialect == Dialect::Postgres;
        let (columns, id) = if has_word_table {
            // A tenth of the size of the documents' own table.
            sql.push(" FROM @document_words w WHERE 1 = 1");
            (WordColumns::Words, "w.document_id")
        } else {
            // Without another table SQLite reads an index that has the names and URLs, and PostgreSQL reads in parallel.
            sql.push(" FROM captain_documents d WHERE 1 = 1");
            (WordColumns::Documents, "d.id")
        };
        self.push_word_tests(sql, columns, id)
    }

    /// Returns true if the names and URLs of documents are tested for words.
    fn tests_names(&self) -> bool {
        let is_tested = matches!(self.containing, Containing::Tested(_)) && !self.words.terms.is_empty();
        is_tested || !self.without.terms.is_empty()
    }

    /// Appends ` AND …` with what is left to test of the words, in `columns`. `id` is the column of the document's id.
    fn push_word_tests(&self, sql: &mut Sql, columns: WordColumns, id: &'static str) -> Result<()> {
        match &self.containing {
            Containing::Few(_) => {}
            Containing::Listed(ids) => {
                sql.push(" AND ").push(id).push(" IN (SELECT each(").bind(ids.clone()).push("))");
            }
            Containing::Tested(_) if self.words.terms.is_empty() => {}
            Containing::Tested(failed) => {
                push_words(sql, &self.words, columns, Frequency::Common, (id, failed))?;
            }
        }
        self.push_without(sql, columns, id)
    }

    fn push_without(&self, sql: &mut Sql, columns: WordColumns, id: &'static str) -> Result<()> {
        if !self.without.terms.is_empty() {
            push_words(sql, &self.without, columns, Frequency::Common, (id, &[]))?;
        }
        if !self.excepted.is_empty() {
            sql.push(" AND ").push(id).push(" NOT IN (SELECT each(").bind(self.excepted.clone()).push("))");
        }
        Ok(())
    }
}

impl Containing {
    /// Combines the documents whose names or URLs contain all words, or the first of them, with those that contain some
    /// of the words in their failures.
    fn of(mut named: Vec<i64>, failed: Vec<i64>) -> Self {
        if named.len() > MAX_IDS {
            return Self::Tested(failed);
        }
        named.extend(failed);
        named.sort_unstable();
        named.dedup();
        if named.len() <= MAX_IDS { Self::Few(named) } else { Self::Listed(named) }
    }
}

/// Reads the ids that a statement of one text yields.
async fn ids(reader: &mut Reader, statement: Sql) -> Result<Vec<i64>> {
    let found = reader.one(statement.query()).await?;
    let found: Option<&str> = get(&found, 0)?;
    found.iter().flat_map(|ids| ids.split(',')).map(|id| id.parse().map_err(|_| corrupt("id"))).collect()
}

/// Selects the documents that contain all `words` in name or URL, at most one more than are read by id: as one text,
/// because to fetch thousands of rows takes longer than to find them.
fn lookup(source: StatusSource, dialect: Dialect, words: &Filter) -> Result<Sql> {
    let mut sql = Sql::new("SELECT string_agg(CAST(q.id AS TEXT), ',') FROM (SELECT ");
    let (columns, id) = match (source, dialect) {
        (StatusSource::Stored, Dialect::Postgres) => {
            sql.push("w.document_id AS id FROM @document_words w WHERE 1 = 1");
            (WordColumns::Words, "w.document_id")
        }
        _ => {
            sql.push("d.id FROM captain_documents d WHERE 1 = 1");
            (WordColumns::Documents, "d.id")
        }
    };
    push_words(&mut sql, words, columns, Frequency::Unknown, (id, &[]))?;
    sql.push(" LIMIT ").bind(MAX_IDS as i64 + 1).push(") q");
    Ok(sql)
}

/// The words that a document with a failure contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// Every word is in its failure, its name or its URL.
    EveryWord,
    /// One of the words is in its failure.
    AnyWord,
}

/// Selects the documents whose last failure contains one of `words`, at most one more than are known by id, as one text.
fn failures_with(words: &Filter, wanted: Wanted) -> Result<Sql> {
    let mut sql = Sql::new("SELECT string_agg(CAST(q.id AS TEXT), ',') FROM (SELECT s.document_id AS id");
    sql.push(" FROM @document_state s");
    let tests_names = wanted == Wanted::EveryWord && words.terms.len() > 1;
    // A cross join keeps the order on SQLite: the failed documents first.
    sql.push(if tests_names { " CROSS JOIN captain_documents d WHERE d.id = s.document_id AND " } else { " WHERE " });
    push_failures_with(&mut sql, words)?;
    if tests_names {
        push_words(&mut sql, words, WordColumns::DocumentsWithFailures, Frequency::Unknown, ("d.id", &[]))?;
    }
    sql.push(" LIMIT ").bind(MAX_FAILED as i64 + 1).push(") q");
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
