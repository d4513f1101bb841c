//! Faults of every kind on several real processes of one store: nothing is lost, nothing written twice, nothing waits
//! long. Small here; `QUARTERDECK_CHAOS=DOCUMENTS,FAULTS tests/run chaos::NAME -- --nocapture` for the full sizes, a
//! line of figures each. The faults have numbers, F1 to F22: assets/docs/guarantees.md, "Fault tests". Times are
//! figures, too: they count with `QUARTERDECK_MEASURE=1` alone.

mod commits;
mod consoles;
mod kills;
mod locks;
mod pauses;
mod restarts;
mod storm;

use std::time::Duration;

/// How long the last of the work may take after the last fault (F1).
const AFTER_THE_LAST: Duration = Duration::from_secs(60);

/// Documents and faults: those of the environment, else small ones.
fn size(documents: usize, faults: usize) -> (usize, usize) {
    let Ok(text) = std::env::var("QUARTERDECK_CHAOS") else { return (documents, faults) };
    let (documents, faults) = text.split_once(',').expect("QUARTERDECK_CHAOS is DOCUMENTS,FAULTS");
    (documents.parse().expect("a number"), faults.parse().expect("a number"))
}
