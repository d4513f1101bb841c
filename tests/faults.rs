//! Tests real processes that die, stop, or receive signals in the middle of their work: nothing is lost, nothing is
//! written twice, and no failure is charged to another job. (`chaos` tests kill -9 at random moments.)
//!
//! Small by default; `QUARTERDECK_CHAOS=DOCUMENTS,FAULTS tests/run faults` runs the full size and prints a line of
//! figures per test.

#[cfg(feature = "faults")]
mod aborts;
#[cfg(feature = "faults")]
mod blocks;
mod pauses;
#[cfg(feature = "faults")]
mod removals;
mod shortages;
mod stops;
mod successors;
mod suspends;

use crate::support::db;
use crate::support::install::Install;

/// Returns the numbers of documents and repetitions: from the environment, else the small defaults.
fn size(documents: usize, faults: usize) -> (usize, usize) {
    let Ok(text) = std::env::var("QUARTERDECK_CHAOS") else { return (documents, faults) };
    let (documents, faults) = text.split_once(',').expect("QUARTERDECK_CHAOS is DOCUMENTS,FAULTS");
    (documents.parse().expect("a number"), faults.parse().expect("a number"))
}

/// Returns the single number that a query yields.
async fn number(install: &Install, sql: &str) -> i64 {
    db::integers(install.file(), sql).await[0].expect("a number")
}

/// Asserts the invariants after any fault: the log's numbers are dense, each attempt has one end without gaps, contents
/// were written as often as outcomes say, and the file is sound.
async fn assert_invariants(install: &Install) {
    let last = number(install, "select count(*) from outcomes").await;
    assert_eq!(number(install, "select coalesce(max(seq), 0) from outcomes").await, last, "numbers are dense");
    let ends = "from (select job_id, attempt, count(*) as ends from outcomes where result not like '%_exhausted' and \
                result not in ('already_syncing', 'cancelled') group by job_id, attempt)";
    assert_eq!(number(install, &format!("select count(*) {ends} where ends > 1")).await, 0, "one end per attempt");
    let gaps = format!(
        "select count(*) from (select job_id, count(*) as n, max(attempt) as last {ends} group by job_id) where n <> last"
    );
    assert_eq!(number(install, &gaps).await, 0, "attempts have no gaps");
    let written = "select count(*) from document_state s where content_version <> (select count(*) from outcomes o \
                   where o.document_id = s.document_id and o.content in ('first', 'changed'))";
    assert_eq!(number(install, written).await, 0, "content is written once per outcome that says so");
    assert!(install.is_sound().await);
}
