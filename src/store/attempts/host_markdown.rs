//! Knowledge about the Markdown that hosts offer. Read and written outside of finishes, since it is written a few times
//! per host and never again for a month.

use crate::domain::representation::{HostMarkdown, MarkdownFinding, MarkdownVerdict};
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{corrupt, number};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use std::time::Duration;

/// Age of the last comparison after which a host is forgotten: nobody fetches it any more.
const KEPT: Duration = Duration::from_secs(400 * 86_400);
const ROW: &str = "SELECT verdict, compared, compared_at, decided_at FROM @host_markdown WHERE host = ?";

/// Returns what is known of a host; `None` if nothing is.
pub(in crate::store) async fn read(db: &Database, host: &str) -> Result<Option<HostMarkdown>> {
    let mut reader = db.reader().await?;
    reader.first(query(ROW).bind(host)).await?.as_ref().map(host_markdown).transpose()
}

/// Records a finding, and returns what is known of the host now.
pub(in crate::store) async fn record(db: &Database, host: &str, finding: MarkdownFinding) -> Result<HostMarkdown> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let known = tx.first(query(ROW).bind(host)).await?.as_ref().map(host_markdown).transpose()?;
    let now = HostMarkdown::after(known, finding, tx.now);
    let upsert = query(
        "INSERT INTO @host_markdown (host, verdict, compared, compared_at, decided_at) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (host) DO UPDATE SET verdict = excluded.verdict, compared = excluded.compared, \
         compared_at = excluded.compared_at, decided_at = excluded.decided_at",
    );
    let upsert = upsert.bind(host).bind(now.verdict.word()).bind(now.compared);
    tx.run(upsert.bind(now.compared_at.micros()).bind(now.decided_at.micros())).await?;
    let forget = query("DELETE FROM @host_markdown WHERE compared_at < ?");
    tx.run(forget.bind(tx.now.minus(KEPT).micros())).await?;
    tx.commit().await?;
    Ok(now)
}

fn host_markdown(row: &Row) -> Result<HostMarkdown> {
    let verdict: String = get(row, "verdict")?;
    Ok(HostMarkdown {
        verdict: MarkdownVerdict::parse(&verdict).ok_or_else(|| corrupt("verdict"))?,
        compared: number(row, "compared")?,
        compared_at: Timestamp::from_micros(get(row, "compared_at")?),
        decided_at: Timestamp::from_micros(get(row, "decided_at")?),
    })
}
