//! `quarterdeck doctor --compact`: writes the file of an SQLite store anew, without unused pages.

use super::CheckContext;
use crate::cli::confirm::agreed;
use crate::cli::exit::CliError;
use crate::cli::output::note;
use crate::format;
use crate::store::{compact, plan_compaction, store_file};

/// Advice for a store on a server.
const ON_A_SERVER: &str = "--compact is for SQLite stores: PostgreSQL's autovacuum makes the space of removed rows free \
     for new ones by itself, and the tables stay as large as they were at most. To give the space back to the disk, run \
     `VACUUM FULL quarterdeck.outcomes` in psql, which locks the table and needs as much space again as its rows take";

/// Asks, unless `yes` is given, and compacts the store.
///
/// # Errors
/// The store is on a server or in use, `--yes` is missing and there is no terminal to ask on, or the disk is too full.
pub(super) async fn run(context: &CheckContext, yes: bool) -> Result<(), CliError> {
    // Without settings the checks say why.
    let Ok(config) = &context.config else { return Ok(()) };
    let Some(file) = store_file(&config.store.url)? else { return Err(CliError::Usage(ON_A_SERVER.to_owned())) };
    let plan = plan_compaction(&file).await?;
    let (now, then) = (format::bytes(plan.bytes), format::bytes(plan.needed));
    let question = format!(
        "Compact {} from {now} to {then} or less? It needs {then} of disk space meanwhile, and no other process may use \
         the store.",
        file.display()
    );
    if !agreed(yes, &question)? {
        return Ok(());
    }
    let bytes = compact(&file).await?;
    note(format!("{} was compacted from {now} to {}", file.display(), format::bytes(bytes)));
    Ok(())
}
