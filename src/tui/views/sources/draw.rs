//! The columns of the sources view, and the texts of its frame.

use super::state::SourceLine;
use super::text::{kind_tone, last, next, sign, state};
use crate::domain::source::{Proposal, ProposalKind, SourceState, SourceSummary};
use crate::domain::text::{SafeLine, width};
use crate::format;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::table::draw::{PaneHeader, direction, foot_summary, frame, labelled_total, style_row};
use crate::tui::text::lines::{clip, tail};
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views::view::Pane;
use crate::tui::widgets::scroll_bar::ScrollBar;
use ratatui::buffer::Buffer;

/// Minimum width of the name, and of the last column, in cells.
const MIN_CELLS: (u16, u16) = (12, 8);
/// Maximum width of the name in cells.
const MAX_NAME: u16 = 30;
/// Offset of the text of a proposal, and the width of the word of its kind with a gap after it, in cells.
const PROPOSAL_CELLS: (u16, usize) = (6, 10);
/// Share of a line of a proposal that its URL takes at most if there is more to say, in percent.
const URL_PERCENT: usize = 60;

type SourceColumn = TableColumn<SourceSummary>;

static COLUMNS: Columns<SourceSummary> = Columns {
    columns: &[
        SourceColumn::left("", 1, |model, source, _| cell(sign(model, source))).gap(3),
        SourceColumn::text("source", |model, source, cells| {
            vec![span(clip(source.name.as_str(), usize::from(cells), model.glyphs.ellipsis), Tone::Strong)]
        }),
        SourceColumn::right("pages", 7, |model, source, _| {
            let none = || model.glyphs.none.to_owned();
            cell((source.pages.map_or_else(none, |pages| format::short_number(pages, 6)), Tone::Plain))
        })
        .rank(3),
        SourceColumn::right("open", 6, |model, source, _| match source.proposals {
            0 => cell((model.glyphs.none, Tone::Dim)),
            more => cell((format::short_number(more, 5), Tone::Accent)),
        })
        .rank(1),
        SourceColumn::right("read", 6, |model, source, _| cell((last(model, source), Tone::Dim))).rank(2),
        SourceColumn::right("next", 7, |model, source, _| cell((next(model, source), Tone::Dim))).rank(4),
        SourceColumn::text("now", |model, source, cells| {
            let (text, tone) = state(source);
            vec![span(clip(&text, usize::from(cells), model.glyphs.ellipsis), tone)]
        })
        .gap(2),
    ],
    margin: 1,
    min_text: MIN_CELLS.0 + MIN_CELLS.1,
    text_widths: |text| {
        let name = (text / 3).clamp(MIN_CELLS.0.min(text), MAX_NAME);
        [name, text.saturating_sub(name)]
    },
};

fn cell((text, tone): (impl Into<String>, Tone)) -> Spans {
    vec![span(text, tone)]
}

/// Draws the sources view with its frame. A proposal takes a whole line, since what counts is its URL.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let header = PaneHeader {
        name: "sources",
        totals: totals(model),
        empty_text: "No source: add a sitemap or a feed with `quarterdeck source add URL`.",
        foot: foot_summary(model, pane, in_short),
    };
    let (table, appearance) = (&model.views.sources, model.appearance());
    let Some(mut canvas) = frame(model, table, header, pane, buf) else { return };
    let placed = COLUMNS.layout(canvas.area.width);
    for column in &placed {
        column.draw_heading(0, direction(&model.views.sources, column.heading()), &mut canvas, appearance);
    }
    let rows = table.data.rows.iter().enumerate().skip(table.top);
    for ((index, row), y) in rows.zip(1..canvas.area.height) {
        match row {
            SourceLine::Source(source) => {
                for column in &placed {
                    column.draw(model, source, y, &mut canvas, appearance);
                }
            }
            SourceLine::Proposal(proposal) => {
                let cells = canvas.area.width.saturating_sub(PROPOSAL_CELLS.0 + COLUMNS.margin);
                canvas.spans(PROPOSAL_CELLS.0, y, cells, &of_proposal(model, proposal, usize::from(cells)), appearance);
            }
        }
        style_row(pane.focused, index == table.cursor_index, table.read_error.is_some(), y, &mut canvas, appearance);
    }
    let rows = u64::from(inside(pane.area).height.saturating_sub(1));
    let bar = ScrollBar { top: table.top as u64, rows, total: table.data.rows.len() as u64 };
    bar.draw(pane.area, 2, pane.focused, buf, appearance);
}

/// The line of a proposal: kind, URL without what its source has in common with it, and its target or reason.
fn of_proposal(model: &Model, proposal: &Proposal, cells: usize) -> Spans {
    let of_source = model.views.sources.data.sources().find(|source| source.id == proposal.source);
    let host = of_source.map(|source| source.url.host()).unwrap_or_default();
    let (url, ellipsis) = (short_url(&proposal.url, host), model.glyphs.ellipsis);
    let arrow = if model.glyphs.ascii { "-> " } else { "→ " };
    let target = proposal.target.as_ref().map(|target| short_url(target, host));
    let rest = target.as_ref().map_or_else(|| proposal.reason.to_string(), |target| format!("{arrow}{target}"));
    let cells = cells.saturating_sub(PROPOSAL_CELLS.1);
    let kind = span(format!("{:<1$}", proposal.kind.word(), PROPOSAL_CELLS.1), kind_tone(proposal.kind));
    // The word "new" says enough; the URL needs the room.
    if proposal.kind == ProposalKind::New && width(&url) + 2 + width(&rest) > cells {
        return vec![kind, span(tail(&url, cells, ellipsis), Tone::Plain)];
    }
    let share = (cells * URL_PERCENT / 100).max(cells.saturating_sub(width(&rest) + 2));
    // URLs of one site differ at their ends.
    let url = tail(&url, share, ellipsis);
    let left = cells.saturating_sub(width(&url) + 2);
    let rest = match target {
        Some(target) => format!("{arrow}{}", tail(&target, left.saturating_sub(width(arrow)), ellipsis)),
        None => clip(&rest, left, ellipsis),
    };
    vec![kind, span(url, Tone::Plain), span(format!("  {rest}"), Tone::Dim)]
}

/// Returns path and query of a URL on this host, else the whole URL.
fn short_url(url: &str, host: &str) -> String {
    let after = url.split_once("://").and_then(|(_, after)| after.strip_prefix(host));
    let short = after.filter(|rest| !host.is_empty() && (rest.is_empty() || rest.starts_with(['/', '?'])));
    match short {
        Some("") => "/".to_owned(),
        Some(path) => SafeLine::new(path).to_string(),
        None => SafeLine::new(url).to_string(),
    }
}

fn totals(model: &Model) -> Spans {
    let data = &model.views.sources.data;
    let number = data.sources().count() as u64;
    let mut title = vec![span(format!(" {}", format::number(number)), Tone::Plain)];
    let open: u64 = data.sources().map(|source| source.proposals).sum();
    let failed = data.sources().filter(|source| source.state == SourceState::Failed).count() as u64;
    for (number, word) in [(open, "to decide"), (failed, "failed")] {
        if number > 0 {
            title.push(span(format!(" {}", model.glyphs.dot), Tone::Dim));
            title.extend(labelled_total(number, word));
        }
    }
    title
}

fn in_short(model: &Model) -> Spans {
    match model.views.sources.row() {
        Some(SourceLine::Source(source)) => cell(state(source)),
        Some(SourceLine::Proposal(proposal)) => cell((proposal.reason.to_string(), Tone::Plain)),
        None => Spans::new(),
    }
}
