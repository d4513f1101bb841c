//! `quarterdeck accept` and `quarterdeck reject`: a person's decision on quarantined texts.

use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::Output;
use super::selection::{find, read_name};
use crate::domain::document::DocumentRow;
use crate::store::{Decision, DecisionResult, ReviewTarget};

/// Arguments of `accept` and `reject`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Documents by ID or URL; `list --filter content:review` prints them
    #[arg(value_name = "ID|URL", required = true)]
    pub documents: Vec<String>,
    /// Only if the text that needs review has this fingerprint, as `show` prints it
    #[arg(long, value_name = "HEX")]
    pub fingerprint: Option<String>,
    /// Print one JSON object per line
    #[arg(long)]
    pub json: bool,
}

pub(super) async fn run(
    context: &Context,
    args: &Args,
    decision: Decision,
    out: &mut Output,
) -> Result<Exit, CliError> {
    for name in &args.documents {
        read_name(name)?;
    }
    let store = context.writable_store(decision.verb()).await?;
    let rows = find(&*store, &args.documents).await?;
    let text = |row: &DocumentRow| ReviewTarget { document: row.id, fingerprint: args.fingerprint.clone() };
    let texts: Vec<_> = rows.iter().map(text).collect();
    let decided = store.decide(&texts, decision, &operator()).await?;
    let mut exit = Exit::Done;
    for (row, decided) in rows.iter().zip(decided) {
        let (answer, why) = match decided {
            DecisionResult::Done => (decision.past_tense(), None),
            DecisionResult::NothingQuarantined => ("skipped", Some("it does not need review")),
            DecisionResult::Replaced => ("skipped", Some("a different text of it needs review")),
            DecisionResult::Syncing => ("skipped", Some("it is being synced; decide after the sync")),
        };
        if why.is_some() {
            exit = Exit::WrongUse;
        }
        if args.json {
            out.json(&serde_json::json!({ "document_id": row.id, "id": row.id, "answer": answer, "reason": why }))?;
        } else if let Some(why) = why {
            out.line(format!("{} {}: {answer}: {why}", row.id, row.name))?;
        } else {
            out.confirmation(format!("{} {}: {answer}", row.id, row.name))?;
        }
    }
    context.announce(&*store).await?;
    store.close().await;
    Ok(exit)
}
