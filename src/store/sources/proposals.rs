//! Proposals: lists them and carries decisions out.

use crate::domain::id::{AccountId, AssistantId, DocumentId, ProposalId, SourceId};
use crate::domain::job::QueueClass;
use crate::domain::link::Link;
use crate::domain::request::{Request, RequestKind, RequestScope};
use crate::domain::source::{Proposal, ProposalDecision, ProposalKind, ProposalState};
use crate::domain::text::SafeLine;
use crate::store::queue::{documents, requests};
use crate::store::sql::columns::{corrupt, line, time, word};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::Sql;
use crate::store::sql::transaction::Tx;
use crate::store::{AddResult, NewDocument, ProposalQuery, ProposalResult, Result};
use std::collections::HashMap;

/// Number of proposals that are decided at a time.
const CHUNK: usize = 250;

const COLUMNS: &str = "SELECT p.id, p.source_id, s.name AS source_name, s.account_id, s.assistant_id, p.kind, p.url, \
     p.target, p.document_id, p.reason, p.created_at, p.state, p.decided_at, p.decided_by FROM @proposals p \
     JOIN @sources s ON s.id = p.source_id WHERE p.id ";

pub(in crate::store) async fn list(db: &Database, query: &ProposalQuery) -> Result<Vec<Proposal>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("> ").bind(query.after);
    match query.state {
        // A constant, so that the index of open ones is used.
        Some(ProposalState::Open) => drop(sql.push(" AND p.state = 'open'")),
        Some(state) => drop(sql.push(" AND p.state = ").bind(state.word())),
        None => {}
    }
    if let Some(source) = query.source {
        sql.push(" AND p.source_id = ").bind(source.0);
    }
    sql.push(" ORDER BY p.id LIMIT ").bind(query.limit);
    db.reader().await?.all(sql.query()).await?.iter().map(proposal).collect()
}

fn proposal(row: &Row) -> Result<Proposal> {
    Ok(Proposal {
        id: ProposalId(get(row, "id")?),
        source: SourceId(get(row, "source_id")?),
        source_name: line(row, "source_name")?.unwrap_or_default(),
        account: AccountId(get(row, "account_id")?),
        kind: word(row, "kind", ProposalKind::parse)?.ok_or_else(|| corrupt("kind"))?,
        url: get(row, "url")?,
        target: get(row, "target")?,
        document: get::<Option<i64>>(row, "document_id")?.map(DocumentId),
        reason: line(row, "reason")?.unwrap_or_default(),
        created_at: time(row, "created_at")?.ok_or_else(|| corrupt("created_at"))?,
        state: word(row, "state", ProposalState::parse)?.ok_or_else(|| corrupt("state"))?,
        decided_at: time(row, "decided_at")?,
        decided_by: line(row, "decided_by")?,
    })
}

pub(in crate::store) async fn decide(
    db: &Database,
    proposals: &[ProposalId],
    decision: ProposalDecision,
    by: &SafeLine,
) -> Result<Vec<ProposalResult>> {
    db.ensure_writable()?;
    let mut results = Vec::with_capacity(proposals.len());
    for chunk in proposals.chunks(CHUNK) {
        results.extend(decide_chunk(db, chunk, decision, by).await?);
        if chunk.len() == CHUNK {
            db.yield_to_writers().await;
        }
    }
    Ok(results)
}

async fn decide_chunk(
    db: &Database,
    ids: &[ProposalId],
    decision: ProposalDecision,
    by: &SafeLine,
) -> Result<Vec<ProposalResult>> {
    let mut sql = Sql::new(COLUMNS);
    sql.push("IN ").bind_list(ids.iter().map(|id| id.0)).push(" AND p.state = 'open' ORDER BY p.id");
    let rows = db.reader().await?.all(sql.query()).await?;
    let mut results: HashMap<ProposalId, ProposalResult> = HashMap::new();
    let mut open = Vec::new();
    for row in &rows {
        let (proposal, assistant) = (proposal(row)?, AssistantId(get(row, "assistant_id")?));
        if decision == ProposalDecision::Accept && proposal.kind.removes() && db.is_chatwoot_database() {
            results.insert(proposal.id, ProposalResult::Forbidden);
        } else {
            open.push((proposal, assistant));
        }
    }
    let added = match decision {
        ProposalDecision::Accept => accept(db, &open, by).await?,
        ProposalDecision::Refuse => HashMap::new(),
    };
    let state = match decision {
        ProposalDecision::Accept => ProposalState::Accepted,
        ProposalDecision::Refuse => ProposalState::Refused,
    };
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let mut sql = Sql::new("UPDATE @proposals SET state = ");
    sql.bind(state.word()).push(", decided_at = ").bind(tx.now.micros()).push(", decided_by = ").bind(by.as_str());
    sql.push(" WHERE state = 'open' AND id IN ").bind_list(open.iter().map(|(proposal, _)| proposal.id.0));
    sql.push(" RETURNING id");
    for row in tx.all(sql.query()).await? {
        let id = ProposalId(get(&row, "id")?);
        results.insert(id, ProposalResult::Done(added.get(&id).copied()));
    }
    tx.commit().await?;
    // An id that is in the list twice is decided once.
    Ok(ids.iter().map(|id| results.remove(id).unwrap_or(ProposalResult::NotOpen)).collect())
}

/// Does what is proposed; each part once more if it was interrupted. Returns the documents that were added.
async fn accept(
    db: &Database,
    open: &[(Proposal, AssistantId)],
    by: &SafeLine,
) -> Result<HashMap<ProposalId, DocumentId>> {
    let (mut wanted, mut new) = (Vec::new(), Vec::new());
    for (proposal, assistant) in open {
        let url = match proposal.kind {
            ProposalKind::New => Some(&proposal.url),
            ProposalKind::Moved => proposal.target.as_ref(),
            ProposalKind::Gone | ProposalKind::Duplicate => None,
        };
        // A link loses one trailing slash when it is parsed; the stored form has lost it already.
        if let Some(link) = url.and_then(|url| Link::parse(&format!("{url}/")).ok()) {
            let account_id = proposal.account;
            new.push(NewDocument { link, name: None, account_id, assistant_id: *assistant });
            wanted.push(proposal);
        }
    }
    let mut added = HashMap::new();
    let mut moved = Vec::new();
    for (proposal, result) in wanted.iter().zip(documents::add(db, &new).await?) {
        if let AddResult::New(id) = result {
            added.insert(proposal.id, id);
            if proposal.kind == ProposalKind::Moved {
                moved.push(id);
            }
        }
    }
    // The text of a page that has moved is fetched at once, since its old document goes.
    let (class, scope) = (QueueClass::Manual, RequestScope::Named);
    let request = Request { kind: RequestKind::Sync, class, by: by.clone(), scope };
    requests::request(db, &moved, &request).await?;
    let removed: Vec<_> = open.iter().filter(|(of, _)| of.kind.removes()).filter_map(|(of, _)| of.document).collect();
    if !removed.is_empty() {
        documents::remove(db, &removed, by).await?;
    }
    Ok(added)
}
