//! Search for the due documents of accounts, at most `limit` for each account. Every branch of a query reads an index
//! that Chatwoot's own table also has, and stops at the limit. The cost therefore depends on the number of documents
//! found, not on the number stored. By this program's own rules, accounts with the same cadence share a query, so an
//! account with nothing due costs index lookups and no round trip.

use crate::domain::id::{AccountId, DocumentId};
use crate::domain::plan::Cadence;
use crate::domain::schedule::{DueRules, FOREIGN_SYNC_TIMEOUT, MAX_DOUBLINGS};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;
use std::collections::HashMap;
use std::time::Duration;

/// Parameters of a search for due documents.
#[derive(Clone, Debug)]
pub(in crate::store) struct DueQuery {
    pub(in crate::store) accounts: Vec<AccountId>,
    /// The cadence of all `accounts`.
    pub(in crate::store) cadence: Cadence,
    pub(in crate::store) rules: DueRules,
    /// Last time at which the documents of a plan with times were due; `None` for a plan with an interval.
    pub(in crate::store) fired: Option<Timestamp>,
    /// Under the continuous rules, a `syncing` row without a job is due only once it is older than this; until then it
    /// counts as another program's work. Chatwoot's rules use [`FOREIGN_SYNC_TIMEOUT`] instead.
    pub(in crate::store) foreign_sync_timeout: Duration,
    pub(in crate::store) now: Timestamp,
    /// Maximum number of documents per account.
    pub(in crate::store) limit: u32,
}

/// A due document. Sorted as by Chatwoot's scheduler: documents without an attempt first, then by the time of the last
/// attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct DueDocument {
    attempted: Option<i64>,
    pub(in crate::store) id: DocumentId,
    pub(in crate::store) link: String,
}

/// Returns the due documents of each account that has any: those without an attempt first, then by the time of the last
/// attempt.
pub(in crate::store) async fn documents(
    reader: &mut Reader,
    due_query: &DueQuery,
) -> Result<HashMap<AccountId, Vec<DueDocument>>> {
    let mut found = HashMap::<AccountId, Vec<DueDocument>>::new();
    let statements = match due_query.rules {
        DueRules::HalfCadence => due_query
            .accounts
            .iter()
            .map(|account| chatwoot_query(reader.dialect(), due_query, *account))
            .collect::<Vec<_>>(),
        DueRules::Continuous => vec![continuous_query(reader.dialect(), due_query)],
    };
    for sql in statements {
        for row in reader.all(sql.query()).await? {
            let due = DueDocument {
                attempted: get(&row, "attempted")?,
                id: DocumentId(get(&row, "id")?),
                link: get(&row, "external_link")?,
            };
            found.entry(AccountId(get(&row, "account_id")?)).or_default().push(due);
        }
    }
    for due in found.values_mut() {
        due.sort_unstable();
        due.truncate(usize::try_from(due_query.limit).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// Returns the condition that excludes documents that cannot be synced: PDFs, by Chatwoot's own test of the link (case
/// matters) and by attached files, and documents that are not available.
const fn syncable_condition(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            " AND d.status = 1 AND d.external_link NOT GLOB 'PDF:*' AND d.external_link NOT GLOB '*.pdf'"
        }
        Dialect::Postgres => {
            " AND d.status = 1 AND d.external_link NOT LIKE 'PDF:%' AND d.external_link NOT LIKE '%.pdf' \
             AND NOT among_pdfs"
        }
    }
}

/// SQL condition for documents that have no live job and whose link is not marked as invalid. It uses subqueries, which
/// look up one row each. The database would plan a join once, while there are no jobs yet, and would later read all
/// jobs.
const WITHOUT_JOB: &str = " AND (SELECT l.id FROM @jobs l WHERE l.document_id = d.id \
     AND l.state IN ('scheduled', 'ready', 'running') LIMIT 1) IS NULL \
     AND (SELECT u.unfit_link FROM @document_state u WHERE u.document_id = d.id) IS DISTINCT FROM d.external_link";
const COLUMNS: &str = "SELECT d.id AS id, d.account_id AS account_id, micros(d.last_sync_attempted_at) AS attempted, \
     d.external_link FROM captain_documents d";

/// Returns the query for one account by the rules of Chatwoot's own scheduler, without documents that have a live job
/// or a link marked as invalid.
fn chatwoot_query(dialect: Dialect, due_query: &DueQuery, account: AccountId) -> Sql {
    let before = due_query.rules.synced_before(due_query.cadence, due_query.now).micros();
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE d.account_id = ").bind(account.0);
    sql.push(" AND ((d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 2 AND d.last_sync_attempted_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 0 AND d.last_sync_attempted_at < stamp(");
    sql.bind(due_query.now.minus(FOREIGN_SYNC_TIMEOUT).micros())
        .push(")))")
        .push(syncable_condition(dialect))
        .push(WITHOUT_JOB);
    sql.push(" ORDER BY d.last_sync_attempted_at ASC NULLS FIRST, d.id LIMIT ").bind(i64::from(due_query.limit));
    sql
}

/// Appends a common table expression `pair` with the pairs of account and assistant, found by one index lookup each.
fn push_pairs(sql: &mut Sql, accounts: &[AccountId]) {
    sql.push("WITH RECURSIVE named(id) AS (SELECT each(");
    sql.bind(accounts.iter().map(|account| account.0).collect::<Vec<_>>()).push(
        ")), pair(account_id, assistant_id) AS (SELECT id, (SELECT min(assistant_id) FROM captain_documents \
          WHERE account_id = named.id) FROM named \
         UNION ALL SELECT account_id, (SELECT min(d.assistant_id) FROM captain_documents d \
          WHERE d.account_id = pair.account_id AND d.assistant_id > pair.assistant_id) \
         FROM pair WHERE assistant_id IS NOT NULL) ",
    );
}

/// Returns, for each account, the earliest `last_synced_at` of its synced documents that is not before `from`. The
/// document with that time is due next. Accounts without such a document are left out.
pub(in crate::store) async fn next_synced(
    reader: &mut Reader,
    accounts: &[AccountId],
    from: Timestamp,
) -> Result<HashMap<AccountId, Timestamp>> {
    let text = "SELECT p.account_id, min((SELECT micros(min(d.last_synced_at)) FROM captain_documents d \
         WHERE d.account_id = p.account_id AND d.assistant_id = p.assistant_id AND d.sync_status = 1 \
         AND d.last_synced_at >= stamp(";
    earliest(reader, accounts, text, from).await
}

/// Returns, for each account, the earliest `last_sync_attempted_at` of its documents that are being synced, as far as
/// it is not before `from`. Accounts without such a document are left out.
pub(in crate::store) async fn next_attempted(
    reader: &mut Reader,
    accounts: &[AccountId],
    from: Timestamp,
) -> Result<HashMap<AccountId, Timestamp>> {
    let text = "SELECT p.account_id, min((SELECT micros(min(d.last_sync_attempted_at)) FROM captain_documents d \
         WHERE d.account_id = p.account_id AND d.assistant_id = p.assistant_id AND d.sync_status = 0 \
         AND d.last_sync_attempted_at >= stamp(";
    earliest(reader, accounts, text, from).await
}

/// Returns the earliest time of each account by the statement `text`, which ends where the value of `from` follows.
async fn earliest(
    reader: &mut Reader,
    accounts: &[AccountId],
    text: &'static str,
    from: Timestamp,
) -> Result<HashMap<AccountId, Timestamp>> {
    let mut sql = Sql::new("");
    push_pairs(&mut sql, accounts);
    sql.push(text).bind(from.micros()).push("))) FROM pair p GROUP BY p.account_id");
    let mut next = HashMap::new();
    for row in reader.all(sql.query()).await? {
        if let Some(at) = get::<Option<i64>>(&row, 1)? {
            next.insert(AccountId(get(&row, 0)?), Timestamp::from_micros(at));
        }
    }
    Ok(next)
}

/// Returns the query by this program's own rules: for each assistant of the accounts, one branch per state of the row.
fn continuous_query(dialect: Dialect, due_query: &DueQuery) -> Sql {
    let (now, (first, farthest)) = (due_query.now, due_query.rules.recheck_bounds(due_query.cadence));
    let tolerance = due_query.rules.recheck_tolerance(due_query.cadence);
    // With times, failed documents are due at them as well.
    let recheck_at = due_query.fired.map_or(now, |fired| fired.plus(tolerance));
    let mut sql = Sql::new("");
    push_pairs(&mut sql, &due_query.accounts);
    // The query has one list of ids per pair. Only for this form do both databases look up the rows one by one, however
    // long they estimate the list to be.
    let (open, close) = match dialect {
        Dialect::Sqlite => ("IN (", ")"),
        Dialect::Postgres => ("= ANY(ARRAY(", "))"),
    };
    sql.push(COLUMNS).push(" JOIN pair p ON d.id ").push(open);
    let mut is_first = true;
    let mut branch = |condition: &dyn Fn(&mut Sql), name: &'static str| {
        if !std::mem::take(&mut is_first) {
            sql.push(" UNION ALL ");
        }
        sql.push("SELECT id FROM (SELECT d.id AS id FROM captain_documents d");
        if name == "failed" {
            sql.push(" LEFT JOIN @document_state s ON s.document_id = d.id");
        }
        sql.push(" WHERE d.account_id = p.account_id AND d.assistant_id = p.assistant_id");
        condition(&mut sql);
        sql.push(syncable_condition(dialect)).push(WITHOUT_JOB).push(" ORDER BY d.last_synced_at LIMIT ");
        sql.bind(i64::from(due_query.limit)).push(") AS ").push(name);
    };
    branch(
        &|sql| {
            let before = due_query.fired.unwrap_or(due_query.rules.synced_before(due_query.cadence, now)).micros();
            sql.push(" AND d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before).push(")");
        },
        "synced",
    );
    // Documents that were synced at an unknown time.
    branch(
        &|sql| {
            sql.push(" AND d.sync_status = 1 AND d.last_synced_at IS NULL");
        },
        "timeless",
    );
    branch(
        &|sql| {
            sql.push(" AND d.sync_status IS NULL");
        },
        "never",
    );
    branch(
        &|sql| {
            let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
            let most = i64::from(MAX_DOUBLINGS);
            sql.push(
                " AND d.sync_status = 2 AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(",
            );
            sql.bind(recheck_at.minus(farthest).micros()).push(") OR micros(d.last_sync_attempted_at) < ");
            sql.bind(recheck_at.micros()).push(" - ").bind(micros(first));
            sql.push(" * (CAST(1 AS BIGINT) << CAST(CASE WHEN s.failures > ").bind(most).push(" THEN ").bind(most);
            sql.push(" WHEN s.failures > 0 THEN s.failures - 1 ELSE 0 END AS INTEGER)))");
            if let Some(fired) = due_query.fired {
                sql.push(" AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(");
                sql.bind(fired.micros()).push("))");
            }
        },
        "failed",
    );
    branch(
        &|sql| {
            let before = now.minus(due_query.foreign_sync_timeout).micros();
            sql.push(
                " AND d.sync_status = 0 AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(",
            );
            sql.bind(before).push("))");
        },
        "syncing",
    );
    sql.push(close);
    sql
}
