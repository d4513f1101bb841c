//! SQL conditions that leave out the jobs that a worker must not claim, because it lacks credentials that the site rules
//! of their documents need. For a worker that has all of them, nothing is added to any statement.

use crate::domain::site_rule::Unfetchable;
use crate::store::Result;
use crate::store::queue::pauses::{CLASS_NOT_PAUSED, LANE_NOT_PAUSED, WINDOW_OPEN};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::filter::like_literal;
use crate::store::sql::statement::Sql;

/// Appends ` AND …`: the host of a row `n` is one from which the worker may fetch.
pub(super) fn push_hosts(sql: &mut Sql, unfetchable: &Unfetchable) {
    if unfetchable.hosts.is_empty() {
        return;
    }
    // The first rule that matches decides, as in `SiteRules::of`.
    sql.push(" AND CASE");
    for (host, may_fetch) in &unfetchable.hosts {
        match host.strip_prefix('*') {
            None => sql.push(" WHEN n.host = ").bind(host),
            Some(suffix) => {
                let pattern = format!("_%{}", like_literal(suffix));
                sql.push(" WHEN n.host LIKE ").bind(pattern).push(" ESCAPE '\\'")
            }
        };
        sql.push(if *may_fetch { " THEN true" } else { " THEN false" });
    }
    sql.push(" ELSE true END");
}

/// Appends ` AND …`: the document with the id `column` is one that the worker may fetch.
pub(super) fn push_documents(sql: &mut Sql, unfetchable: &Unfetchable, column: &'static str) {
    if !unfetchable.documents.is_empty() {
        let ids: Vec<i64> = unfetchable.documents.iter().map(|id| id.0).collect();
        sql.push(" AND ").push(column).push(" NOT IN (SELECT each(").bind(ids).push("))");
    }
}

/// Returns true if a job is ready or waits for its next attempt that is not paused and that the worker may claim.
pub(in crate::store) async fn has_fetchable_jobs(db: &Database, unfetchable: &Unfetchable) -> Result<bool> {
    let mut sql = Sql::default();
    sql.add_value(db.now().micros());
    sql.push(
        "SELECT EXISTS (SELECT 1 FROM @jobs n WHERE (n.state = 'ready' OR n.state = 'scheduled' \
         AND (n.attempt > 0 OR n.lock_holder IS NOT NULL)) AND ",
    );
    sql.push(CLASS_NOT_PAUSED).push(" AND ").push(LANE_NOT_PAUSED).push(" AND ").push(WINDOW_OPEN);
    push_hosts(&mut sql, unfetchable);
    push_documents(&mut sql, unfetchable, "n.document_id");
    sql.push(")");
    let mut reader = db.reader().await?;
    get(&reader.one(sql.query()).await?, 0)
}
