//! Check of the batches: which were left unfinished or wait paused.

use crate::domain::batch::BatchPhase;
use crate::domain::finding::Finding;
use crate::format;
use crate::store::{Store, StoreError};

const CHECK: &str = "batches";

/// Returns a finding for each batch on which somebody has to decide.
pub(super) async fn batches(store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    for batch in store.batches(0).await? {
        let is = match batch.phase() {
            BatchPhase::Left => "was left unfinished",
            BatchPhase::Paused => "is paused",
            _ => continue,
        };
        let (id, title, left) = (batch.id, format::batch_title(&batch), format::number(batch.counts.left()));
        let text = format!("batch {id} of {} ({title}) {is}: {left} left", batch.created_by);
        let cure = format!("`quarterdeck batch resume {id}` goes on, `quarterdeck batch stop {id}` leaves the rest");
        found.push(Finding::warn(CHECK, text, cure));
    }
    Ok(found)
}
