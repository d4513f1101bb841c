//! Commands of the sources view: reads sources, and decides on proposals.

use super::effects::Update;
use crate::domain::id::ProposalId;
use crate::domain::source::{Proposal, ProposalDecision, ProposalKind};
use crate::format;
use crate::tui::action::Action;
use crate::tui::command::{Command, CommandKind};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::overlay::{ConfirmDialog, Overlay};
use crate::tui::views::sources::state::SourceLine;
use crate::tui::views::sources::text::effect;

/// Carries out an action on the row under the cursor. A decision that removes documents, or is about all proposals of a
/// source, is confirmed first.
pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) {
    let Some(line) = model.views.sources.row() else { return };
    let source = line.source();
    match action {
        Action::ReadSource => {
            let name = model.views.sources.data.sources().find(|other| other.id == source);
            let name = name.map(|source| source.name.as_str().into());
            up.effect(Effect::RunCommand(Command {
                kind: CommandKind::ReadSource(source),
                documents: Vec::new(),
                name,
                filter: None,
            }));
        }
        Action::AcceptProposal | Action::RefuseProposal => {
            let SourceLine::Proposal(proposal) = line else { return };
            let decision = decision_of(action);
            let command = command(decision, vec![proposal.id]);
            let (kind, url) = (proposal.kind, crate::domain::text::SafeLine::new(&proposal.url));
            let lines = vec![url.to_string(), effect(proposal)];
            if decision == ProposalDecision::Accept && kind.removes() {
                confirm(model, format!("accept: {}", kind.word()), lines, "Accept", command);
            } else {
                up.effect(Effect::RunCommand(command));
            }
        }
        Action::AcceptProposals | Action::RefuseProposals => {
            let decision = decision_of(action);
            let proposals: Vec<&Proposal> = model.views.sources.data.proposals_of(source).collect();
            let number = proposals.len() as u64;
            let mut lines: Vec<String> =
                ProposalKind::ALL.into_iter().filter_map(|kind| of_kind(&proposals, kind)).collect();
            lines.push(match decision {
                ProposalDecision::Accept => {
                    "New pages become documents; gone, moved and duplicate ones are removed with their texts."
                        .to_owned()
                }
                ProposalDecision::Refuse => "Refused proposals never come back.".to_owned(),
            });
            let ids = proposals.iter().map(|proposal| proposal.id).collect();
            let (word, verb) = match decision {
                ProposalDecision::Accept => ("accept", "Accept all"),
                ProposalDecision::Refuse => ("refuse", "Refuse all"),
            };
            let title = format!("{word} {}", format::count(number, "proposal"));
            confirm(model, title, lines, verb, command(decision, ids));
        }
        _ => {}
    }
}

const fn decision_of(action: Action) -> ProposalDecision {
    match action {
        Action::AcceptProposal | Action::AcceptProposals => ProposalDecision::Accept,
        _ => ProposalDecision::Refuse,
    }
}

fn of_kind(proposals: &[&Proposal], kind: ProposalKind) -> Option<String> {
    let number = proposals.iter().filter(|proposal| proposal.kind == kind).count() as u64;
    (number > 0).then(|| format!("{} {}", format::number(number), kind.word()))
}

fn command(decision: ProposalDecision, ids: Vec<ProposalId>) -> Command {
    Command { kind: CommandKind::DecideProposals(decision, ids), documents: Vec::new(), name: None, filter: None }
}

fn confirm(model: &mut Model, title: String, lines: Vec<String>, verb: &'static str, command: Command) {
    model.overlay = Some(Overlay::Confirm(ConfirmDialog { title, lines, verb, command, yes_focused: false }));
}
