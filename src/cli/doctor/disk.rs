//! Finding about disk use: the store, what retention will remove, and the outcome files.

use crate::config::Config;
use crate::domain::finding::Finding;
use crate::domain::retention::MIN_OUTCOME_AGE;
use crate::format;
use crate::store::{DiskUse, Queries, StoreError};
use std::path::Path;

const DISK: &str = "disk";
/// Number of unused bytes of a file from which the check warns, if it does not give them back by itself: 50 MB.
const MUCH_UNUSED: u64 = 50_000_000;
/// Number of tables that are named.
const TABLES: usize = 5;

/// Returns the findings about the disk use of the store and of the outcome files.
pub(super) async fn disk(store: &dyn Queries, config: &Config) -> Result<Vec<Finding>, StoreError> {
    let used = store.disk_use().await?;
    let mut found = vec![Finding::ok(DISK, describe(&used))];
    let old = old_outcomes(store, config, &used).await?;
    if old > 0 {
        let outcomes = format::count(old, "outcome");
        found.push(Finding::ok(DISK, format!("{outcomes} to remove by the settings of [retention]; workers do it")));
    }
    let unused = used.unused.unwrap_or_default();
    if unused >= MUCH_UNUSED && !used.shrinks_itself {
        let message = format!("{} of the store's file are unused, and are only used again", format::bytes(unused));
        found.push(Finding::warn(DISK, message, "`quarterdeck doctor --compact` gives them back"));
    }
    if let Some((files, bytes)) = log_size(&config.log.dir) {
        let (files, bytes) = (format::count(files, "outcome file"), format::bytes(bytes));
        found.push(Finding::ok(DISK, format!("{files} with {bytes} in {}", config.log.dir.display())));
    }
    Ok(found)
}

fn describe(used: &DiskUse) -> String {
    let mut message = format::disk_use(used.bytes, used.unused, used.outcomes, used.oldest_outcome_at);
    let tables: Vec<String> =
        used.tables.iter().take(TABLES).map(|(name, bytes)| format!("{name} {}", format::bytes(*bytes))).collect();
    if !tables.is_empty() {
        message.push_str(&format!("; largest tables: {}", tables.join(", ")));
    }
    message
}

/// Returns the number of outcomes that the settings do not keep.
async fn old_outcomes(store: &dyn Queries, config: &Config, used: &DiskUse) -> Result<u64, StoreError> {
    let keep = &config.runner.retention;
    let now = store.now();
    let mut old = 0;
    if let Some(age) = keep.outcomes {
        old = store.outcomes_before(now.minus(age)).await?;
    }
    if let Some(surplus) =
        keep.max_outcomes.map(|max| used.outcomes.saturating_sub(max)).filter(|surplus| *surplus > old)
    {
        old = old.max(surplus.min(store.outcomes_before(now.minus(MIN_OUTCOME_AGE)).await?));
    }
    Ok(old)
}

/// Returns the number of outcome files and their size in bytes; `None` if the folder cannot be read.
fn log_size(dir: &Path) -> Option<(u64, u64)> {
    let files = std::fs::read_dir(dir).ok()?.filter_map(Result::ok);
    let sizes = files.filter_map(|file| file.metadata().ok()).filter(|data| data.is_file()).map(|data| data.len());
    let (count, bytes) = sizes.fold((0, 0), |(count, bytes), size| (count + 1, bytes + size));
    (count > 0).then_some((count, bytes))
}
