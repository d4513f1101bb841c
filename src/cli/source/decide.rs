//! `quarterdeck source proposals`, `accept` and `refuse`.

use super::find;
use crate::cli::confirm::{CONFIRM_THRESHOLD, agreed};
use crate::cli::context::{Context, operator};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::Output;
use crate::domain::id::{DocumentId, ProposalId, SourceId};
use crate::domain::job::QueueClass;
use crate::domain::request::{Request, RequestKind, RequestScope};
use crate::domain::source::{Proposal, ProposalDecision, ProposalFilter, ProposalKind, ProposalState};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::{ProposalQuery, ProposalResult, Store};
use serde::Serialize;
use std::collections::HashSet;
use std::io;

/// Number of proposals that are read at a time.
const PAGE: u32 = 1_000;

/// Arguments of `source proposals`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// Only of this source, by name or ID
    pub name: Option<String>,
    /// Only these: kind:new,gone source:NAME, and words of the URL
    #[arg(long)]
    pub filter: Option<String>,
    /// Also those that were decided
    #[arg(long)]
    pub all: bool,
    /// Print one JSON object per proposal
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `source refuse`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Proposals by ID; `source proposals` prints them
    #[arg(required_unless_present = "filter", value_parser = clap::value_parser!(i64).range(1..))]
    pub ids: Vec<i64>,
    /// All open proposals that match: kind:new,gone source:NAME, and words of the URL
    #[arg(long, conflicts_with = "ids")]
    pub filter: Option<String>,
    /// Only print what would be decided
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object per proposal
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `source accept`.
#[derive(Debug, clap::Args)]
pub struct AcceptArgs {
    /// Proposals to accept.
    #[command(flatten)]
    pub decide: Args,
    /// Request syncs of the documents that are added
    #[arg(long)]
    pub sync: bool,
}

/// Fields of a proposal.
#[derive(Serialize)]
struct ProposalJson<'a> {
    id: i64,
    source_id: i64,
    source: &'a str,
    kind: &'static str,
    url: &'a str,
    target: Option<&'a str>,
    document_id: Option<DocumentId>,
    reason: &'a str,
    created_at: Timestamp,
    state: &'static str,
    decided_at: Option<Timestamp>,
    decided_by: Option<&'a str>,
}

impl<'a> ProposalJson<'a> {
    fn of(proposal: &'a Proposal) -> Self {
        Self {
            id: proposal.id.0,
            source_id: proposal.source.0,
            source: &proposal.source_name,
            kind: proposal.kind.word(),
            url: &proposal.url,
            target: proposal.target.as_deref(),
            document_id: proposal.document,
            reason: &proposal.reason,
            created_at: proposal.created_at,
            state: proposal.state.word(),
            decided_at: proposal.decided_at,
            decided_by: proposal.decided_by.as_deref(),
        }
    }
}

pub(super) async fn list(context: &Context, args: &ListArgs, out: &mut Output) -> Result<Exit, CliError> {
    let filter = filter(args.filter.as_deref().unwrap_or_default())?;
    let store = context.readable_store().await?;
    let source = match &args.name {
        Some(name) => Some(find(&*store, name).await?.id),
        None => None,
    };
    let state = (!args.all).then_some(ProposalState::Open);
    let shown =
        |proposal: Proposal| if filter.matches(&proposal) { print_one(args.json, "", &proposal, out) } else { Ok(()) };
    each(&*store, (state, source), shown).await?;
    store.close().await;
    Ok(Exit::Done)
}

fn filter(text: &str) -> Result<ProposalFilter, CliError> {
    ProposalFilter::parse(text).map_err(|error| CliError::Usage(format!("--filter: {error}")))
}

/// A proposal as one line.
fn line(proposal: &Proposal) -> String {
    let state = match proposal.state {
        ProposalState::Open => String::new(),
        state => format!("  {}", state.word()),
    };
    let target = proposal.target.as_ref().map(|target| format!(" -> {}", SafeLine::new(target))).unwrap_or_default();
    let (url, kind) = (SafeLine::new(&proposal.url), proposal.kind.word());
    format!("{}  {}  {kind}  {url}{target}  {}{state}", proposal.id, proposal.source_name, proposal.reason)
}

pub(super) async fn accept(context: &Context, args: &AcceptArgs, out: &mut Output) -> Result<Exit, CliError> {
    decide(context, &args.decide, (ProposalDecision::Accept, args.sync), out).await
}

pub(super) async fn refuse(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    decide(context, args, (ProposalDecision::Refuse, false), out).await
}

async fn decide(
    context: &Context,
    args: &Args,
    (decision, sync): (ProposalDecision, bool),
    out: &mut Output,
) -> Result<Exit, CliError> {
    let filter = args.filter.as_deref().map(filter).transpose()?;
    let verb = decision.word();
    let store = match args.dry_run {
        true => context.readable_store().await?,
        false => context.writable_store(&format!("source {verb}")).await?,
    };
    let wanted: HashSet<i64> = args.ids.iter().copied().collect();
    let proposals = open(&*store, |proposal| match &filter {
        Some(filter) => filter.matches(proposal),
        None => wanted.contains(&proposal.id.0),
    })
    .await?;
    if args.dry_run {
        let before = format!("would {verb} ");
        for proposal in &proposals {
            print_one(args.json, &before, proposal, out)?;
        }
        store.close().await;
        return Ok(Exit::Done);
    }
    if !proposals.is_empty() && !confirmed(args, decision, &proposals)? {
        store.close().await;
        return Ok(Exit::Done);
    }
    let ids: Vec<ProposalId> = match filter {
        Some(_) => proposals.iter().map(|proposal| proposal.id).collect(),
        None => args.ids.iter().map(|id| ProposalId(*id)).collect(),
    };
    let results = store.decide_proposals(&ids, decision, &operator()).await?;
    let exit = print(args, decision, (&ids, &results), &proposals, out)?;
    let added = |result: &ProposalResult| if let ProposalResult::Done(added) = result { *added } else { None };
    let added: Vec<_> = results.iter().filter_map(added).collect();
    if sync && !added.is_empty() {
        let (class, scope) = (QueueClass::Manual, RequestScope::Bulk);
        store.request(&added, &Request { kind: RequestKind::Sync, class, by: operator(), scope }).await?;
    }
    context.announce(&*store).await?;
    store.close().await;
    Ok(exit)
}

/// Returns the open proposals that are wanted.
async fn open(store: &dyn Store, wanted: impl Fn(&Proposal) -> bool) -> Result<Vec<Proposal>, CliError> {
    let mut found = Vec::new();
    let keep = |proposal| {
        found.extend(Some(proposal).filter(&wanted));
        Ok(())
    };
    each(store, (Some(ProposalState::Open), None), keep).await?;
    Ok(found)
}

/// Passes the proposals in a state, of a source, to `take`; `None` is any. Few are in memory at a time.
async fn each(
    store: &dyn Store,
    (state, source): (Option<ProposalState>, Option<SourceId>),
    mut take: impl FnMut(Proposal) -> io::Result<()>,
) -> Result<(), CliError> {
    let mut query = ProposalQuery { state, source, after: 0, limit: PAGE };
    loop {
        let page = store.proposals(&query).await?;
        let Some(last) = page.last() else { return Ok(()) };
        query.after = last.id.0;
        page.into_iter().try_for_each(&mut take)?;
    }
}

/// Prints a proposal as JSON, or as a line after `before`.
fn print_one(json: bool, before: &str, proposal: &Proposal, out: &mut Output) -> io::Result<()> {
    match json {
        true => out.json(&ProposalJson::of(proposal)),
        false => out.line(format!("{before}{}", line(proposal))),
    }
}

/// Asks before documents are removed, and before many proposals are decided by a filter.
fn confirmed(args: &Args, decision: ProposalDecision, proposals: &[Proposal]) -> Result<bool, CliError> {
    let number = proposals.len() as u64;
    let removed = proposals.iter().filter(|proposal| proposal.kind.removes()).count() as u64;
    let question = match decision {
        ProposalDecision::Accept if removed > 0 => {
            format!(
                "Accept {}, which removes {}?",
                format::count(number, "proposal"),
                format::count(removed, "document")
            )
        }
        _ if args.filter.is_some() && proposals.len() > CONFIRM_THRESHOLD => {
            let refused = if decision == ProposalDecision::Refuse { " They never come back." } else { "" };
            format!("{} {}?{refused}", format::capitalized(decision.word()), format::count(number, "proposal"))
        }
        _ => return Ok(true),
    };
    agreed(args.yes, &question)
}

fn print(
    args: &Args,
    decision: ProposalDecision,
    (ids, results): (&[ProposalId], &[ProposalResult]),
    proposals: &[Proposal],
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut exit = Exit::Done;
    let mut done = 0;
    for (id, result) in ids.iter().zip(results) {
        let (answer, why, added) = match result {
            ProposalResult::Done(added) => (decision.past_tense(), None, *added),
            ProposalResult::NotOpen => ("skipped", Some("there is no such proposal, or it was decided"), None),
            ProposalResult::Forbidden => ("skipped", Some("on a database of Chatwoot no documents are removed"), None),
        };
        done += u64::from(why.is_none());
        if why.is_some() {
            exit = Exit::WrongUse;
        }
        if args.json {
            let object = serde_json::json!({ "id": id, "answer": answer, "reason": why, "document_id": added });
            out.json(&object)?;
        } else if let Some(why) = why {
            out.line(format!("{id}: {answer}: {why}"))?;
        }
    }
    if !args.json && done > 0 {
        let added = proposals.iter().any(|proposal| proposal.kind == ProposalKind::New);
        let note = if added && decision == ProposalDecision::Accept {
            "; new pages are fetched by their plan, or `quarterdeck sync --filter status:never`"
        } else {
            ""
        };
        out.confirmation(format!("{} {}{note}", format::count(done, "proposal"), decision.past_tense()))?;
    } else if !args.json && ids.is_empty() {
        out.confirmation("no open proposal matches")?;
    }
    Ok(exit)
}
