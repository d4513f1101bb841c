//! Faults of every kind on several real processes of one store: nothing is lost, nothing is written twice, nothing
//! waits long. Small by default; `QUARTERDECK_CHAOS=DOCUMENTS,FAULTS tests/run chaos::NAME -- --nocapture` runs the
//! full size and prints a line of figures per test. `tests/chaos/run` runs them all, as [`catalog`] lists them, and
//! prints one table. The faults F1 to F27 are listed in assets/docs/guarantees.md, "Fault tests". Limits on time are
//! checked only with `QUARTERDECK_MEASURE=1`, and by `tests/chaos/run --full` where the list says so.

#[cfg(feature = "faults")]
mod aborts;
mod catalog;
mod commits;
mod consoles;
mod disk;
mod kills;
mod listed;
mod loads;
mod locks;
mod network;
mod pauses;
mod restarts;
mod shim;
mod soak;
mod storm;
mod table;
mod tail;

use std::time::Duration;

/// Upper limit from the last fault to the end of the last job (F1).
const AFTER_THE_LAST: Duration = Duration::from_secs(60);

/// Returns the numbers of documents and faults: from the environment, else the small defaults.
fn size(documents: usize, faults: usize) -> (usize, usize) {
    let Ok(text) = std::env::var("QUARTERDECK_CHAOS") else { return (documents, faults) };
    let (documents, faults) = text.split_once(',').expect("QUARTERDECK_CHAOS is DOCUMENTS,FAULTS");
    (documents.parse().expect("a number"), faults.parse().expect("a number"))
}
