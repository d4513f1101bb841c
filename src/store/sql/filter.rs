//! Translation of a filter into SQL: one for documents (page, matching ids, preview), one for outcomes. Every value is
//! bound.

mod words;

pub(in crate::store) use words::{Frequency, WordColumns, like_literal, push_failures_with, push_words};

use crate::domain::content::ContentChange;
use crate::domain::faq::NEEDS_CHATWOOT;
use crate::domain::filter::{Age, Comparison, Filter, FilterCondition, Term};
use crate::domain::link::{ascii_host, unicode_host};
use crate::domain::time::Timestamp;
use crate::store::sql::documents::StatusSource;
use crate::store::sql::statement::Sql;
use crate::store::sql::status::push_has_status;
use crate::store::{Result, StoreError};
use words::push_word;

/// Appends ` WHERE …` for the documents of `source`. Fails for terms that do not apply to documents, and for filters that
/// are too long.
pub(in crate::store) fn push_documents(
    sql: &mut Sql,
    source: StatusSource,
    filter: &Filter,
    now: Timestamp,
) -> Result<()> {
    push(sql, filter, |sql, test| document_test(sql, source, test, now))
}

/// Appends ` WHERE …` for outcomes `o`. Fails for terms that do not apply to outcomes, and for filters that are too
/// long.
pub(in crate::store) fn push_outcomes(sql: &mut Sql, filter: &Filter, now: Timestamp) -> Result<()> {
    push(sql, filter, |sql, test| outcome_test(sql, test, now))
}

/// Maximum number of values that a filtered statement may bind; both databases allow more.
const MAX_VALUES: usize = 30_000;
/// Maximum length of a search word in bytes; longer than the names and URLs that are searched.
const MAX_WORD_BYTES: usize = 10_000;

fn push(
    sql: &mut Sql,
    filter: &Filter,
    mut push_test: impl FnMut(&mut Sql, &FilterCondition) -> Result<()>,
) -> Result<()> {
    sql.push(" WHERE 1 = 1");
    for term in &filter.terms {
        // A test that is not negated is written as it is, so that an index can serve it. A negated one is a CASE, which
        // turns an unknown result (NULL) into false before it is negated: `-error:timeout` also matches documents
        // without an error. PostgreSQL assumes that nearly every row satisfies an inequality.
        sql.push(if term.negated { " AND CASE WHEN " } else { " AND (" });
        push_test(sql, &term.condition)?;
        sql.push(if term.negated { " THEN 1 ELSE 0 END <> 1" } else { ")" });
    }
    check_length(sql, filter)
}

fn check_length(sql: &Sql, filter: &Filter) -> Result<()> {
    let long_word = |term: &Term| matches!(&term.condition, FilterCondition::Word(word) if word.len() > MAX_WORD_BYTES);
    if sql.values() > MAX_VALUES || filter.terms.iter().any(long_word) {
        return Err(StoreError::Refused("the filter is too long".into()));
    }
    Ok(())
}

fn document_test(sql: &mut Sql, source: StatusSource, test: &FilterCondition, now: Timestamp) -> Result<()> {
    match test {
        FilterCondition::Word(word) => push_word(sql, WordColumns::DocumentsWithFailures, word),
        FilterCondition::Status(statuses) => push_has_status(sql, source, statuses, now),
        FilterCondition::Error(codes) => {
            sql.push("s.error_code IN ").bind_list(codes.iter().map(|code| code.word()));
        }
        FilterCondition::Http(statuses) => {
            sql.push("s.http_status IN ").bind_list(statuses.iter().map(|status| i64::from(*status)));
        }
        FilterCondition::Cause(causes) => {
            sql.push("s.failure_cluster IN ").bind_list(causes.iter().map(|cause| cause.0));
        }
        FilterCondition::Kind(kinds) => {
            sql.push(
                "CASE WHEN link_is_pdf OR among_pdfs THEN 'pdf' WHEN d.status <> 1 THEN 'crawling' ELSE 'web' END IN ",
            );
            sql.bind_list(kinds.iter().map(|kind| kind.word()));
        }
        FilterCondition::Faq(states) => {
            match source {
                StatusSource::Stored => {
                    return Err(StoreError::Forbidden(NEEDS_CHATWOOT.into()));
                }
                StatusSource::Shadow => sql.push("f.state"),
                StatusSource::Computed => sql.push(
                    "@faq_state(f.faqs, f.newest_at, CASE WHEN s.validated = meta.content_fingerprint THEN s.text_at END)",
                ),
            };
            sql.push(" IN ").bind_list(states.iter().map(|state| state.code()));
        }
        FilterCondition::Host(hosts) if source == StatusSource::Shadow => push_hosts(sql, "s.host", hosts),
        FilterCondition::Host(hosts) if source == StatusSource::Computed => push_hosts_of_links(sql, hosts),
        FilterCondition::Host(hosts) => {
            // PostgreSQL's index of hosts has another order than the range below, so the names come from a small table.
            sql.push("s.host among(SELECT hc.host FROM @host_counts hc WHERE ");
            push_hosts(sql, "hc.host", hosts);
            sql.push("))");
        }
        FilterCondition::Id(ids) => {
            sql.push(source.id()).push(" IN ").bind_list(ids.iter().copied());
        }
        FilterCondition::Account(ids) => {
            sql.push(source.pick("m.account_id IN ", "d.account_id IN ")).bind_list(ids.iter().copied());
        }
        FilterCondition::Assistant(ids) => {
            sql.push(source.pick("m.assistant_id IN ", "d.assistant_id IN ")).bind_list(ids.iter().copied());
        }
        FilterCondition::Batch(ids) => {
            sql.push(source.id()).push(
                " IN (SELECT m.document_id FROM @batch_members m JOIN @batches b ON b.id = m.batch_id \
                 WHERE (m.state BETWEEN 1 AND 4 OR m.state = 0 AND b.ended_at IS NULL) AND m.batch_id IN ",
            );
            sql.bind_list(ids.iter().copied()).push(")");
        }
        FilterCondition::Attempted(age) => push_age(sql, source.attempted_at(), *age, now),
        FilterCondition::Synced(age) => push_age(sql, source.synced_at(), *age, now),
        FilterCondition::Changed(age) => push_age(sql, "s.text_changed_at", *age, now),
        FilterCondition::Next(age) => {
            let at = now.plus(age.span).micros();
            let next = source.next_at();
            match age.comparison {
                Comparison::Less => sql.push(next).push(" < ").bind(at),
                Comparison::More => sql.push(next).push(" IS NULL OR ").push(next).push(" > ").bind(at),
                Comparison::Never => sql.push(next).push(" IS NULL"),
            };
        }
        FilterCondition::Queue(classes) => {
            sql.push("j.class IN ").bind_list(classes.iter().map(|class| class.code()));
        }
        FilterCondition::Content(words) => {
            let others: Vec<_> = words.iter().filter(|word| **word != ContentChange::Quarantined).collect();
            if others.len() < words.len() {
                sql.push(source.id()).push(" IN (SELECT document_id FROM @held_contents WHERE rejected_at IS NULL)");
            }
            if !others.is_empty() {
                sql.push(if others.len() < words.len() { " OR s.last_content IN " } else { "s.last_content IN " });
                sql.bind_list(others.into_iter().map(|content| content.word()));
            }
        }
        FilterCondition::Result(_) | FilterCondition::By(_) | FilterCondition::Worker(_) => {
            return meaningless("`result:`, `by:` and `worker:` apply to outcomes, not to documents");
        }
    }
    Ok(())
}

fn outcome_test(sql: &mut Sql, test: &FilterCondition, now: Timestamp) -> Result<()> {
    match test {
        FilterCondition::Word(word) => push_word(sql, WordColumns::Outcomes, word),
        FilterCondition::Error(codes) => {
            sql.push("o.error_code IN ").bind_list(codes.iter().map(|code| code.word()));
        }
        FilterCondition::Http(statuses) => {
            sql.push("o.http_status IN ").bind_list(statuses.iter().map(|status| i64::from(*status)));
        }
        FilterCondition::Host(hosts) => push_hosts(sql, "o.host", hosts),
        FilterCondition::Id(ids) => {
            sql.push("o.document_id IN ").bind_list(ids.iter().copied());
        }
        FilterCondition::Account(ids) => {
            sql.push("o.account_id IN ").bind_list(ids.iter().copied());
        }
        FilterCondition::Assistant(ids) => {
            sql.push("o.assistant_id IN ").bind_list(ids.iter().copied());
        }
        FilterCondition::Attempted(age) => push_age(sql, "o.at", *age, now),
        FilterCondition::Queue(classes) => {
            sql.push("o.queue IN ").bind_list(classes.iter().map(|class| class.code()));
        }
        FilterCondition::Result(results) => {
            sql.push("o.result IN ").bind_list(results.iter().map(|result| result.word()));
        }
        FilterCondition::Content(words) => {
            sql.push("o.content IN ").bind_list(words.iter().map(|content| content.word()));
        }
        FilterCondition::By(names) => {
            sql.push("fold(o.requested_by) IN ").bind_list(names.iter().map(|name| name.to_ascii_lowercase()));
        }
        FilterCondition::Worker(names) => {
            sql.push("o.worker IN ").bind_list(names.iter().map(String::as_str));
        }
        FilterCondition::Status(_)
        | FilterCondition::Kind(_)
        | FilterCondition::Faq(_)
        | FilterCondition::Cause(_)
        | FilterCondition::Batch(_)
        | FilterCondition::Synced(_)
        | FilterCondition::Changed(_)
        | FilterCondition::Next(_) => {
            return meaningless(
                "`status:`, `kind:`, `faq:`, `cause:`, `batch:`, `synced:`, `changed:` and `next:` apply to documents, not \
                 to outcomes",
            );
        }
    }
    Ok(())
}

/// Returns an expression for the host of a document of Chatwoot, empty without one. Needs the join `s`. A pass gives a row
/// of `document_state` to each document that gets a shadow row; without one the host is that of the link.
pub(in crate::store) const fn host_of_guest(source: StatusSource) -> &'static str {
    source.pick("coalesce(s.host, '')", "coalesce(s.host, host_of(d.external_link), '')")
}

/// Appends a condition for documents of Chatwoot on one of these hosts, with any port where none is named. The host is
/// computed once for each document.
fn push_hosts_of_links(sql: &mut Sql, hosts: &[String]) {
    let pattern = |host: String| format!("{}:%", like_literal(&host));
    push_host_like(sql, "LIKE", hosts.iter().map(|host| pattern(ascii_host(host))));
    // Chatwoot stores a link as it was written, and `host_of` in SQL knows no Punycode.
    let others: Vec<_> = hosts.iter().filter_map(|host| unicode_host(host)).map(pattern).collect();
    if !others.is_empty() {
        sql.push(" OR ");
        push_host_like(sql, "ILIKE", others);
    }
}

fn push_host_like(sql: &mut Sql, operator: &'static str, patterns: impl IntoIterator<Item = String>) {
    sql.push("(").push(host_of_guest(StatusSource::Computed)).push(" || ':') ").push(operator);
    sql.push(" ANY(ARRAY(SELECT k.value #>> '{}' FROM elements(");
    sql.bind(serde_json::Value::from_iter(patterns).to_string()).push(") k))");
}

fn meaningless(message: &str) -> Result<()> {
    Err(StoreError::Refused(message.into()))
}

fn push_hosts(sql: &mut Sql, column: &'static str, hosts: &[String]) {
    let hosts: Vec<_> = hosts.iter().map(|host| ascii_host(host)).collect();
    sql.push(column).push(" IN ").bind_list(hosts.iter().map(String::as_str));
    for host in &hosts {
        // A host without a port also names its ports: all that begins with `host:`, as a range.
        // `;` is the character after `:`.
        sql.push(" OR ").push(column).push(" COLLATE bytes >= ").bind(format!("{host}:"));
        sql.push(" AND ").push(column).push(" COLLATE bytes < ").bind(format!("{host};"));
    }
}

fn push_age(sql: &mut Sql, column: &'static str, age: Age, now: Timestamp) {
    let at = now.minus(age.span).micros();
    match age.comparison {
        Comparison::Less => sql.push(column).push(" > ").bind(at),
        Comparison::More => sql.push(column).push(" IS NULL OR ").push(column).push(" < ").bind(at),
        Comparison::Never => sql.push(column).push(" IS NULL"),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_is_in_the_text() {
        let word = "x' OR 1=1 --%_";
        let filter = Filter {
            terms: vec![
                Term { negated: true, condition: FilterCondition::Word(word.into()) },
                Term { negated: false, condition: FilterCondition::Host(vec![word.into()]) },
            ],
        };
        let mut sql = Sql::default();
        push_documents(&mut sql, StatusSource::Stored, &filter, Timestamp::from_micros(0))
            .expect("documents have both");
        assert!(!sql.text().contains("1=1"), "{}", sql.text());
        assert_eq!(like_literal("50%_\\"), "50\\%\\_\\\\");
    }
}
