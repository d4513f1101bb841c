//! Draws a prompt in the last lines of the body: the typed text, and below it the mistake in the text or a hint.

use crate::domain::filter::Subject;
use crate::domain::text::width;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::{Areas, inside};
use crate::tui::model::Model;
use crate::tui::model::filter_history::suggestions;
use crate::tui::model::overlay::{Prompt, PromptKind, characters_left};
use crate::tui::model::saved_filters::SIGN;
use crate::tui::text::lines::{clip, skip_cells, wrap};
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::widgets::canvas::{Canvas, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

/// Draws the prompt. Returns the position of the text cursor.
pub(super) fn draw(model: &Model, prompt: &Prompt, areas: Areas, buf: &mut Buffer) -> Option<Position> {
    let appearance = model.appearance();
    let in_panel = matches!(prompt.kind, PromptKind::Search(_) | PromptKind::Outcomes(..));
    // A prompt about outcomes is drawn in the outcome panel, if the panel is wide enough to read the prompt. Any prompt
    // is drawn there while the main area is not shown.
    let home = if in_panel && areas.panel.width >= 36 || areas.main.is_empty() {
        areas.panel
    } else {
        Rect { height: areas.main.height + areas.peek.height, ..areas.main }
    };
    let wide = usize::from(home.width.saturating_sub(4));
    let saved = saved(model, prompt, wide, usize::from(home.height.saturating_sub(4)));
    let offered = match saved.as_slice() {
        [] => offer(model, prompt, wide),
        _ => Some(format!("its name, or {} for the next one", model.key(Action::LaterFilter))),
    };
    let offered = offered.filter(|_| !prompt.is_refused);
    let problem = prompt.problem.as_ref().filter(|_| offered.is_none());
    let lines = problem.map_or(Vec::new(), |problem| wrap(&problem.reason, wide, 3));
    // The prompt grows with the lines that describe the mistake, and with the saved filters.
    let height = (3 + lines.len().max(1) as u16 + saved.len() as u16).min(home.height);
    let area = Rect { y: home.bottom().saturating_sub(height), height, ..home };
    clear(area, buf);
    let (lease, removal, naming);
    let (title, hint) = match &prompt.kind {
        PromptKind::Filter(..) if model.options.faqs_unknown.is_none() => {
            ("filter documents", "words, status:failed, faq:none, error:timeout, host:a.org, synced:>2d, -word")
        }
        PromptKind::Filter(..) => {
            ("filter documents", "words, status:failed, error:timeout, host:a.org, synced:>2d, -word")
        }
        PromptKind::Outcomes(..) => ("filter outcomes", "words, result:updated, error:timeout"),
        PromptKind::Search(_) => {
            let (next, previous) = (model.key(Action::SearchNext), model.key(Action::SearchPrevious));
            naming = format!("{next}: next match, {previous}: previous");
            ("search outcomes", naming.as_str())
        }
        PromptKind::SaveFilter(filter) => {
            naming = format!("save the filter {filter}");
            (naming.as_str(), "its name; -NAME removes a saved filter")
        }
        PromptKind::Add => ("add a document", "the URL of a page, http:// or https://"),
        PromptKind::BreakLease { document, name, worker, .. } => {
            let from = worker.as_deref().unwrap_or("its worker");
            lease = (format!("break the lease of {name}"), format!("type {document} to take the job from {from}"));
            (lease.0.as_str(), lease.1.as_str())
        }
        PromptKind::Remove(documents) => {
            let number = documents.len();
            let title = format!("remove {} with contents and versions", format::count(number as u64, "document"));
            removal =
                (title, format!("type {number} to remove them for good; {} keeps them", model.key(Action::Close)));
            (removal.0.as_str(), removal.1.as_str())
        }
    };
    let hint = match &offered {
        _ if characters_left(&prompt.input) == 0 => "the text is full and takes no more",
        Some(offered) => offered,
        None => hint,
    };
    let title = [span(title, Tone::Strong)];
    let border = appearance.theme.style(if problem.is_some() { Tone::Failed } else { Tone::Accent });
    Frame { title: &title, aside: &[], foot: &[], border }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let available = inner.width.saturating_sub(2);
    let scroll = prompt.input.visual_scroll(usize::from(available.saturating_sub(1)));
    let text = skip_cells(prompt.input.value(), scroll);
    let style = if prompt.is_recalled { appearance.theme.cursor() } else { appearance.theme.style(Tone::Plain) };
    canvas.text(1, 0, available, text, style);
    match problem {
        Some(problem) => {
            if let Some(at) = problem.at {
                let before = prompt.input.value().get(..at).unwrap_or_default();
                let x = (width(before)).saturating_sub(scroll) as u16;
                let found = appearance.theme.style(Tone::Failed).add_modifier(ratatui::style::Modifier::UNDERLINED);
                canvas.style(1 + x, 0, available.saturating_sub(x).max(1), found);
            }
            for (y, line) in (1..).zip(&lines) {
                canvas.spans(1, y, available, &[span(line.clone(), Tone::Failed)], appearance);
            }
        }
        None => {
            canvas.spans(1, 1, available, &[span(hint, Tone::Dim)], appearance);
        }
    }
    for (y, (is_chosen, line)) in (1 + lines.len().max(1) as u16..).zip(&saved) {
        canvas.spans(1, y, available, line, appearance);
        if *is_chosen {
            canvas.restyle(0, y, inner.width, appearance.theme.cursor());
        }
    }
    let x = (prompt.input.visual_cursor().saturating_sub(scroll) as u16).min(available);
    Some(Position::new(inner.x + 1 + x, inner.y))
}

/// Maximum number of saved filters in view.
const MAX_SAVED: usize = 10;

/// Returns a line for each saved filter that the prompt offers, as many as fit, and whether it is the one that stands in
/// the prompt.
fn saved(model: &Model, prompt: &Prompt, cells: usize, height: usize) -> Vec<(bool, Spans)> {
    if prompt.kind.subject() != Some(Subject::Documents) {
        return Vec::new();
    }
    let typed = prompt.input.value().trim();
    let offered = model.saved_filters.offered(typed);
    let chosen = offered.iter().position(|(name, _)| typed.strip_prefix(SIGN) == Some(name));
    let rows = height.min(MAX_SAVED);
    let top = (chosen.unwrap_or(0) + 1).saturating_sub(rows);
    let names = offered.iter().map(|(name, _)| width(name)).max().unwrap_or(0).min(cells / 2);
    let line = |(at, (name, text)): (usize, &(&str, &str))| {
        let name = clip(name, names, model.glyphs.ellipsis);
        let gap = " ".repeat(names.saturating_sub(width(&name)) + 2);
        let text = clip(text, cells.saturating_sub(names + 3), model.glyphs.ellipsis);
        (chosen == Some(at), vec![span(format!("{SIGN}{name}{gap}"), Tone::Accent), span(text, Tone::Plain)])
    };
    offered.iter().enumerate().skip(top).take(rows).map(line).collect()
}

/// Returns what Tab can complete the last term to, as far as it fits into `cells`; `None` without anything.
fn offer(model: &Model, prompt: &Prompt, cells: usize) -> Option<String> {
    let found = suggestions(model, prompt);
    let mut line = format!("{}:", model.key(Action::Complete));
    for whole in &found {
        let term = whole.rsplit(char::is_whitespace).next().unwrap_or_default();
        let word = match term.split_once(':') {
            Some((_, values)) if !values.is_empty() => values.rsplit(',').next().unwrap_or_default(),
            _ => term,
        };
        if width(&line) + 1 + width(word) > cells {
            break;
        }
        line.push(' ');
        line.push_str(word);
    }
    (!found.is_empty()).then_some(line)
}
