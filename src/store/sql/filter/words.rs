//! Conditions for the words of a filter, in names, URLs and last failures. Every value is bound.

use super::check_length;
use crate::domain::filter::{Filter, FilterCondition, Term, status_of_word};
use crate::store::Result;
use crate::store::sql::statement::Sql;

/// The columns that words are looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum WordColumns {
    /// Names and URLs of documents `d`.
    Documents,
    /// Names, URLs and last failures of documents `d` with their state `s`.
    DocumentsWithFailures,
    /// Of rows `w` of `document_words`, which are in lower case.
    Words,
    /// Of outcomes `o`.
    Outcomes,
}

/// How many documents contain the words of a statement, which no database can tell from their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Frequency {
    /// Left to the database's estimate.
    Unknown,
    /// So many that reading documents in the order of a list is soon done.
    Common,
}

/// Appends ` AND …` for the documents that contain all `words`, and for those with an id of `others`, which is compared
/// with the column `id`. Words that are negated must not be contained. Fails for words that are too long.
pub(in crate::store) fn push_words(
    sql: &mut Sql,
    words: &Filter,
    columns: WordColumns,
    frequency: Frequency,
    (id, others): (&'static str, &[i64]),
) -> Result<()> {
    // PostgreSQL assumes that nearly every row satisfies an inequality.
    let (before, after) = match frequency {
        Frequency::Common => (" AND CASE WHEN ", " THEN 1 ELSE 0 END <> 0"),
        Frequency::Unknown => (" AND (", ")"),
    };
    if others.is_empty() {
        for term in &words.terms {
            sql.push(before);
            push_word_term(sql, columns, term);
            sql.push(after);
        }
    } else {
        sql.push(before).push(id).push(" IN (SELECT each(").bind(others.to_vec()).push(")) OR 1 = 1");
        for term in &words.terms {
            sql.push(" AND (");
            push_word_term(sql, columns, term);
            sql.push(")");
        }
        sql.push(after);
    }
    check_length(sql, words)
}

/// Appends a condition for documents with the state `s` whose last failure contains one of `words`. Fails for words that
/// are too long.
pub(in crate::store) fn push_failures_with(sql: &mut Sql, words: &Filter) -> Result<()> {
    sql.push("s.error_code IS NOT NULL AND (1 = 0");
    for term in &words.terms {
        if let FilterCondition::Word(word) = &term.condition {
            sql.push(" OR ");
            push_word_of_failure(sql, word);
        }
    }
    sql.push(")");
    check_length(sql, words)
}

fn push_word_term(sql: &mut Sql, columns: WordColumns, term: &Term) {
    let FilterCondition::Word(word) = &term.condition else { return };
    if term.negated {
        // No name is no name with the word.
        sql.push("CASE WHEN ");
        push_word(sql, columns, word);
        sql.push(" THEN 0 ELSE 1 END = 1");
    } else {
        push_word(sql, columns, word);
    }
}

pub(super) fn push_word(sql: &mut Sql, columns: WordColumns, word: &str) {
    let (name, url) = match columns {
        WordColumns::Documents | WordColumns::DocumentsWithFailures => {
            ("ignoring_case(d.name)", "ignoring_case(d.external_link)")
        }
        WordColumns::Words => ("w.name", "w.url"),
        WordColumns::Outcomes => ("ignoring_case(o.name)", "ignoring_case(o.url)"),
    };
    push_like(sql, name, word);
    sql.push(" OR ");
    push_like(sql, url, word);
    match columns {
        WordColumns::DocumentsWithFailures => {
            sql.push(" OR s.error_code IS NOT NULL AND (");
            push_word_of_failure(sql, word);
            sql.push(")");
        }
        WordColumns::Outcomes => push_status_word(sql, "o.http_status", word),
        WordColumns::Documents | WordColumns::Words => {}
    }
}

/// Appends a condition for a document with the state `s` whose last failure contains the word. SQLite has an index with
/// these expressions, all but the status.
fn push_word_of_failure(sql: &mut Sql, word: &str) {
    push_like(sql, "s.error_code", word);
    sql.push(" OR ");
    push_like(sql, "ignoring_case(coalesce(s.detail, ''))", word);
    push_status_word(sql, "s.http_status", word);
}

/// Appends ` OR …` for rows with the HTTP status that the word is, if it is one.
fn push_status_word(sql: &mut Sql, column: &'static str, word: &str) {
    if let Some(status) = status_of_word(word) {
        sql.push(" OR ").push(column).push(" = ").bind(i64::from(status));
    }
}

fn push_like(sql: &mut Sql, text: &'static str, word: &str) {
    let pattern = format!("%{}%", like_literal(&word.to_ascii_lowercase()));
    sql.push(text).push(" LIKE ").bind(pattern).push(" ESCAPE '\\'");
}

/// Escapes the characters of `text` that have a meaning in a LIKE pattern.
pub(in crate::store) fn like_literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\\' | '%' | '_') {
            literal.push('\\');
        }
        literal.push(c);
    }
    literal
}
