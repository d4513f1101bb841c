//! The source or proposal under the cursor: sentences for the peek pane, and all facts for a reader.

use super::state::SourceLine;
use super::text::{effect, kind_tone, sign, state};
use crate::domain::source::{PagePattern, Proposal, SourceSummary};
use crate::domain::text::SafeLine;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::reader_cells;
use crate::tui::model::Model;
use crate::tui::text::facts::Facts;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::Tone;
use crate::tui::views::view::Explanation;
use ratatui::layout::Rect;

/// Explains the row in as many lines as `inner`, the area inside the frame of the peek pane, has.
pub(super) fn explain(model: &Model, line: &SourceLine, inner: Rect) -> Explanation {
    let (title, mut lines) = match line {
        SourceLine::Source(source) => (source.name.to_string(), of_source(model, source)),
        SourceLine::Proposal(proposal) => (format!("proposal {}", proposal.id), of_proposal(model, proposal)),
    };
    lines.truncate(usize::from(inner.height));
    Explanation { title: vec![span(title, Tone::Strong)], lines, ..Explanation::default() }
}

fn of_source(model: &Model, source: &SourceSummary) -> Vec<Spans> {
    let (sign, tone) = sign(model, source);
    let keys = match (model.options.read_only, source.proposals) {
        (true, _) => String::new(),
        (false, 0) => format!("`{}` reads it now.", model.key(Action::ReadSource)),
        (false, _) => format!(
            "`{}` reads it now, `{}` accepts its proposals, `{}` refuses them.",
            model.key(Action::ReadSource),
            model.key(Action::AcceptProposals),
            model.key(Action::RefuseProposals)
        ),
    };
    vec![
        vec![span(format!("{sign} {}", state(source).0), tone)],
        vec![span(format!("  {}", figures(model, source)), Tone::Plain)],
        with_keys(&format!("  {keys}"), Tone::Plain),
        vec![span(format!("  {}", SafeLine::new(source.url.as_str())), Tone::Dim)],
    ]
}

/// Returns the numbers of pages and proposals, and the times of the last and the next read.
fn figures(model: &Model, source: &SourceSummary) -> String {
    let pages = source.pages.map_or_else(|| "never read whole".to_owned(), |pages| format::count(pages, "page"));
    let next = match source.next_at {
        Some(next) => format!("next {}", format::until(model.countdown_time(), next)),
        None => "next on request".to_owned(),
    };
    let last =
        source.last.map_or_else(String::new, |(at, _)| format!(", read {} ago", format::age(model.now.since(at))));
    let failing = source.failing_since.map(|since| format!(", failing for {}", format::age(model.now.since(since))));
    format!("{pages}, {} open{last}{}, {next}", format::number(source.proposals), failing.unwrap_or_default())
}

fn of_proposal(model: &Model, proposal: &Proposal) -> Vec<Spans> {
    let keys = match model.options.read_only {
        true => String::new(),
        false => format!(
            " `{}` accepts, `{}` refuses.",
            model.key(Action::AcceptProposal),
            model.key(Action::RefuseProposal)
        ),
    };
    vec![
        vec![
            span(format!("{} ", proposal.kind.word()), kind_tone(proposal.kind)),
            span(SafeLine::new(&proposal.url).to_string(), Tone::Plain),
        ],
        vec![span(format!("  {}", proposal.reason), Tone::Plain)],
        with_keys(&format!("  {}{keys}", effect(proposal)), Tone::Plain),
    ]
}

/// Returns a title and every known fact about the row.
pub(super) fn facts(model: &Model, line: &SourceLine) -> (String, Vec<Spans>) {
    let mut text = Facts::new(reader_cells(model.size));
    let title = match line {
        SourceLine::Source(source) => {
            source_facts(model, source, &mut text);
            format!("source {}", source.name)
        }
        SourceLine::Proposal(proposal) => {
            text.sentence(&[span(effect(proposal), Tone::Plain)]);
            text.gap();
            text.fact("kind", proposal.kind.word());
            text.fact("url", &SafeLine::new(&proposal.url));
            if let Some(target) = &proposal.target {
                text.fact("target", &SafeLine::new(target));
            }
            text.fact("source", &proposal.source_name);
            text.fact("reason", &proposal.reason);
            text.fact("proposed", &proposal.created_at.date_clock(&model.zone()));
            format!("proposal {}", proposal.id)
        }
    };
    (title, text.lines)
}

fn source_facts(model: &Model, source: &SourceSummary, text: &mut Facts) {
    let settings = &source.settings;
    let patterns = |patterns: &[PagePattern]| patterns.iter().map(PagePattern::as_str).collect::<Vec<_>>().join(" ");
    text.sentence(&[span(format::source_state(source, model.now), Tone::Plain)]);
    text.gap();
    text.fact("url", &SafeLine::new(source.url.as_str()));
    text.fact("owner", &format!("account {}, assistant {}", source.account, source.assistant));
    text.fact("read", &settings.times().map_or_else(|error| error, |times| times.described(settings)));
    text.fact("new pages", if settings.new.word() == "add" { "are added" } else { "are proposed" });
    for (name, value) in [("match", patterns(&settings.include)), ("exclude", patterns(&settings.exclude))] {
        if !value.is_empty() {
            text.fact(name, &value);
        }
    }
    text.gap();
    if let Some(since) = source.failing_since {
        let since = since.date_clock(&model.zone());
        text.fact("failing", &format!("since {since}: nothing is proposed, and its documents stay"));
    }
    text.fact("last read", &format::read_counts(&source.counts));
    if let Some(detail) = &source.detail {
        text.fact("found", detail);
    }
}
