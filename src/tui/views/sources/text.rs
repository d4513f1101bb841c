//! Texts of the sources view: what a source does now, and what a proposal says.

use crate::domain::source::{Proposal, ProposalKind, SourceState, SourceSummary};
use crate::domain::text::SafeLine;
use crate::format;
use crate::tui::model::Model;
use crate::tui::theme::Tone;

/// Returns the glyph that shows the state of a source, with the glyph's tone.
pub fn sign(model: &Model, source: &SourceSummary) -> (&'static str, Tone) {
    let glyphs = &model.glyphs;
    match source.state {
        SourceState::Reading => (glyphs.running, Tone::Running),
        SourceState::New | SourceState::Waiting => (glyphs.queued, Tone::Running),
        SourceState::Retrying => (glyphs.retrying, Tone::Waiting),
        SourceState::Failed => (glyphs.failed, Tone::Failed),
        SourceState::Read => (glyphs.good, Tone::Good),
    }
}

/// Returns the time since the last read; a dash before the first.
pub fn last(model: &Model, source: &SourceSummary) -> String {
    source.last.map_or_else(|| model.glyphs.none.to_owned(), |(at, _)| format::age(model.now.since(at)))
}

/// Returns the time until the next read: `now` if it waits for a worker, a dash if it is read on request only.
pub fn next(model: &Model, source: &SourceSummary) -> String {
    match source.next_at {
        None => model.glyphs.none.to_owned(),
        Some(at) if at <= model.now => "now".to_owned(),
        Some(at) => format::countdown(at.since(model.now)),
    }
}

/// Describes the last read, or what a source waits for.
pub fn state(source: &SourceSummary) -> (String, Tone) {
    let detail = || source.detail.as_ref().map(ToString::to_string).unwrap_or_default();
    match source.state {
        SourceState::Reading => ("is being read".to_owned(), Tone::Running),
        SourceState::New | SourceState::Waiting => ("waits for a worker".to_owned(), Tone::Running),
        SourceState::Retrying => (detail(), Tone::Waiting),
        SourceState::Failed => (detail(), Tone::Failed),
        SourceState::Read => (detail(), Tone::Dim),
    }
}

/// Returns the tone of a kind of proposals.
pub const fn kind_tone(kind: ProposalKind) -> Tone {
    match kind {
        ProposalKind::New => Tone::Good,
        ProposalKind::Gone => Tone::Failed,
        ProposalKind::Moved | ProposalKind::Duplicate => Tone::Waiting,
    }
}

/// Says what accepting a proposal does.
pub fn effect(proposal: &Proposal) -> String {
    let target = proposal.target.as_deref().map(SafeLine::new).unwrap_or_default();
    match proposal.kind {
        ProposalKind::New => "Accepted, the page becomes a document.".to_owned(),
        ProposalKind::Gone => "Accepted, the document is removed with its texts.".to_owned(),
        ProposalKind::Moved => format!("Accepted, {target} becomes a document in place of this one."),
        ProposalKind::Duplicate => format!("Accepted, this document is removed; {target} stays."),
    }
}
