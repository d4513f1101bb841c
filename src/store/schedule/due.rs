//! Which documents of accounts are due, the first `limit` of each. Every branch walks an index that Chatwoot's table
//! has, too, and stops at its limit, so a pass costs what it finds and not what is stored; and accounts with the same
//! cadence are asked for together, so that accounts with nothing due cost a look into the index and no round trip.

use crate::domain::id::{AccountId, DocumentId};
use crate::domain::plan::Cadence;
use crate::domain::schedule::{DOUBLINGS, DueRules, LEFT_TO_OTHERS};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::get;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;
use std::collections::HashMap;
use std::time::Duration;

/// What is looked for.
#[derive(Clone, Debug)]
pub(in crate::store) struct Look {
    pub(in crate::store) accounts: Vec<AccountId>,
    /// Of all of them.
    pub(in crate::store) cadence: Cadence,
    pub(in crate::store) rules: DueRules,
    /// A `syncing` row without a job of ours is somebody else's for so long.
    pub(in crate::store) left_to_others: Duration,
    pub(in crate::store) now: Timestamp,
    /// Documents of each account.
    pub(in crate::store) limit: u32,
}

/// A document that is due. Ordered as Chatwoot's scheduler orders them: never attempted first, then the oldest attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct Due {
    attempted: Option<i64>,
    pub(in crate::store) id: DocumentId,
    pub(in crate::store) link: String,
}

/// The documents of each account that has any, those first that wait longest for an attempt.
pub(in crate::store) async fn documents(reader: &mut Reader, look: &Look) -> Result<HashMap<AccountId, Vec<Due>>> {
    let mut found = HashMap::<AccountId, Vec<Due>>::new();
    let statements = match look.rules {
        DueRules::HalfCadence => {
            look.accounts.iter().map(|account| chatwoots(reader.dialect(), look, *account)).collect::<Vec<_>>()
        }
        DueRules::Continuous => vec![continuous(reader.dialect(), look)],
    };
    for sql in statements {
        for row in reader.all(sql.query()).await? {
            let due = Due {
                attempted: get(&row, "attempted")?,
                id: DocumentId(get(&row, "id")?),
                link: get(&row, "external_link")?,
            };
            found.entry(AccountId(get(&row, "account_id")?)).or_default().push(due);
        }
    }
    for due in found.values_mut() {
        due.sort_unstable();
        due.truncate(usize::try_from(look.limit).unwrap_or(usize::MAX));
    }
    Ok(found)
}

/// What is not to be looked at: PDFs by upstream's test of the link (case counts), what is not available.
const fn fit(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => {
            " AND d.status = 1 AND d.external_link NOT GLOB 'PDF:*' AND d.external_link NOT GLOB '*.pdf'"
        }
        Dialect::Postgres => {
            " AND d.status = 1 AND d.external_link NOT LIKE 'PDF:%' AND d.external_link NOT LIKE '%.pdf'"
        }
    }
}

/// What has no job, and no link that is no page's address and was said to be so. Written so that each row is looked up
/// by itself: a join is planned once, when there are no jobs yet, and would go through all of them when there are many.
const FREE: &str = " AND (SELECT l.id FROM @jobs l WHERE l.document_id = d.id \
     AND l.state IN ('scheduled', 'ready', 'running') LIMIT 1) IS NULL \
     AND (SELECT u.unfit_link FROM @document_state u WHERE u.document_id = d.id) IS DISTINCT FROM d.external_link";
const COLUMNS: &str = "SELECT d.id AS id, d.account_id AS account_id, micros(d.last_sync_attempted_at) AS attempted, \
     d.external_link FROM captain_documents d";

/// Upstream's own query.
fn chatwoots(dialect: Dialect, look: &Look, account: AccountId) -> Sql {
    let before = look.rules.synced_before(look.cadence, look.now).micros();
    let mut sql = Sql::new(COLUMNS);
    sql.push(" WHERE d.account_id = ").bind(account.0);
    sql.push(" AND ((d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 2 AND d.last_sync_attempted_at < stamp(").bind(before);
    sql.push(")) OR (d.sync_status = 0 AND d.last_sync_attempted_at < stamp(");
    sql.bind(look.now.minus(LEFT_TO_OTHERS).micros()).push(")))").push(fit(dialect)).push(FREE);
    sql.push(" ORDER BY d.last_sync_attempted_at ASC NULLS FIRST, d.id LIMIT ").bind(i64::from(look.limit));
    sql
}

/// The assistants `p` of the accounts: one step through the index for each.
fn pairs(sql: &mut Sql, accounts: &[AccountId]) {
    sql.push("WITH RECURSIVE named(id) AS (SELECT each(");
    sql.bind(accounts.iter().map(|account| account.0).collect::<Vec<_>>()).push(
        ")), pair(account_id, assistant_id) AS (SELECT id, (SELECT min(assistant_id) FROM captain_documents \
          WHERE account_id = named.id) FROM named \
         UNION ALL SELECT account_id, (SELECT min(d.assistant_id) FROM captain_documents d \
          WHERE d.account_id = pair.account_id AND d.assistant_id > pair.assistant_id) \
         FROM pair WHERE assistant_id IS NOT NULL) ",
    );
}

/// The first success of each account's documents that is not before `from`: what is due next.
pub(in crate::store) async fn next_synced(
    reader: &mut Reader,
    accounts: &[AccountId],
    from: Timestamp,
) -> Result<HashMap<AccountId, Timestamp>> {
    let mut sql = Sql::new("");
    pairs(&mut sql, accounts);
    sql.push(
        "SELECT p.account_id, min((SELECT micros(min(d.last_synced_at)) FROM captain_documents d \
         WHERE d.account_id = p.account_id AND d.assistant_id = p.assistant_id AND d.sync_status = 1 \
         AND d.last_synced_at >= stamp(",
    );
    sql.bind(from.micros()).push("))) FROM pair p GROUP BY p.account_id");
    let mut next = HashMap::new();
    for row in reader.all(sql.query()).await? {
        if let Some(at) = get::<Option<i64>>(&row, 1)? {
            next.insert(AccountId(get(&row, 0)?), Timestamp::from_micros(at));
        }
    }
    Ok(next)
}

/// Ours: under each assistant of the accounts one branch for each state of the row.
fn continuous(dialect: Dialect, look: &Look) -> Sql {
    let (now, (first, farthest)) = (look.now, look.rules.distances(look.cadence));
    let mut sql = Sql::new("");
    pairs(&mut sql, &look.accounts);
    // A list for each pair: the one form that both databases look up row by row, whatever they think of its length.
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
        sql.push(fit(dialect)).push(FREE).push(" ORDER BY d.last_synced_at LIMIT ");
        sql.bind(i64::from(look.limit)).push(") AS ").push(name);
    };
    branch(
        &|sql| {
            let before = look.rules.synced_before(look.cadence, now).micros();
            sql.push(" AND d.sync_status = 1 AND d.last_synced_at < stamp(").bind(before).push(")");
        },
        "synced",
    );
    // Synced at a time that nobody knows.
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
            let most = i64::from(DOUBLINGS);
            sql.push(
                " AND d.sync_status = 2 AND (d.last_sync_attempted_at IS NULL OR d.last_sync_attempted_at < stamp(",
            );
            sql.bind(now.minus(farthest).micros()).push(") OR micros(d.last_sync_attempted_at) < ");
            sql.bind(now.micros()).push(" - ").bind(micros(first));
            sql.push(" * (CAST(1 AS BIGINT) << CAST(CASE WHEN s.failures > ").bind(most).push(" THEN ").bind(most);
            sql.push(" WHEN s.failures > 0 THEN s.failures - 1 ELSE 0 END AS INTEGER)))");
        },
        "failed",
    );
    branch(
        &|sql| {
            let before = now.minus(look.left_to_others).micros();
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
