//! Dialogs in the middle of a dimmed screen, with text that says what will and will not change. The first button
//! changes nothing ("Keep" or "Stay") and has the focus when a dialog opens.

use crate::domain::faq::FaqPreview;
use crate::domain::request::RequestKind;
use crate::domain::text::width as text_width;
use crate::format;
use crate::store::{BulkVerb, Preview};
use crate::tui::layout::{inside, middle};
use crate::tui::model::Model;
use crate::tui::model::overlay::{ChoiceDialog, ConfirmDialog, PreviewDialog, QuitChoice};
use crate::tui::scope::PaneId;
use crate::tui::table::order::USUAL_ORDER;
use crate::tui::text::lines::wrap;
use crate::tui::text::{Spans, span};
use crate::tui::theme::Tone;
use crate::tui::views;
use crate::tui::views::documents::column_id::picker_rows;
use crate::tui::views::documents::marks::HiddenMarks;
use crate::tui::views::documents::state::SORTS;
use crate::tui::widgets::canvas::{Canvas, clear};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Largest width of a dialog, in cells.
const MAX_WIDTH: u16 = 72;

/// Draws a yes-or-no question.
pub(super) fn confirm(model: &Model, dialog: &ConfirmDialog, body: Rect, buf: &mut Buffer) {
    let available = usize::from(MAX_WIDTH.min(body.width).saturating_sub(6));
    let lines: Vec<Spans> = dialog
        .lines
        .iter()
        .flat_map(|line| wrap(line, available, 3))
        .map(|line| vec![span(line, Tone::Plain)])
        .collect();
    let buttons = [("Keep", !dialog.yes_focused), (dialog.verb, dialog.yes_focused)];
    draw(model, &dialog.title, Tone::Waiting, &lines, &buttons, body, buf);
}

/// Draws a question with several choices.
pub(super) fn choice(model: &Model, dialog: &ChoiceDialog, body: Rect, buf: &mut Buffer) {
    let available = usize::from(MAX_WIDTH.min(body.width).saturating_sub(6));
    let mut lines: Vec<Spans> = Vec::new();
    for line in &dialog.lines {
        lines.extend(wrap(line, available, 3).into_iter().map(|line| vec![span(line, Tone::Plain)]));
        if line.is_empty() {
            lines.push(Spans::new());
        }
    }
    let mut buttons = vec![("Keep", dialog.focused.is_none())];
    buttons
        .extend(dialog.choices.iter().enumerate().map(|(at, (label, _))| (label.as_str(), dialog.focused == Some(at))));
    draw(model, &dialog.title, Tone::Waiting, &lines, &buttons, body, buf);
}

/// Draws the choice of how to quit while jobs run.
pub(super) fn quit(model: &Model, choice: QuitChoice, body: Rect, buf: &mut Buffer) {
    // The number of running jobs keeps changing while the dialog is open.
    let running = match model.runner.busy {
        0 => "No job is running in this process.".to_owned(),
        1 => "1 job runs in this process.".to_owned(),
        more => format!("{} run in this process.", format::count(u64::from(more), "job")),
    };
    let then = match choice {
        QuitChoice::Stay => "Drain finishes the running jobs, then quits; Leave requeues them now.",
        QuitChoice::Drain => "Running jobs finish, no new ones start; then the console quits.",
        QuitChoice::Leave => "Running jobs go back to the queue now, for another worker or the next start.",
    };
    let text = format!("{running} {then}");
    let available = usize::from(MAX_WIDTH.min(body.width).saturating_sub(6));
    let mut lines: Vec<Spans> =
        wrap(&text, available, 4).into_iter().map(|line| vec![span(line, Tone::Plain)]).collect();
    // Keeps the size of the dialog the same for each choice.
    lines.resize(if available < 50 { 4 } else { 2 }, Spans::new());
    let buttons = [
        ("Stay", choice == QuitChoice::Stay),
        ("Drain", choice == QuitChoice::Drain),
        ("Leave", choice == QuitChoice::Leave),
    ];
    draw(model, "quit while jobs run", Tone::Waiting, &lines, &buttons, body, buf);
}

/// Draws the columns by which the list of documents can be sorted, with the key of each.
pub(super) fn sort(model: &Model, body: Rect, buf: &mut Buffer) {
    let appearance = model.appearance();
    let orders = orders(model);
    let area = middle(body, 34, orders.len() as u16 + 3);
    clear(area, buf);
    let title = [span("sort by", Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &[], border: appearance.theme.border(true) }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    for (y, (keys, word, is_chosen)) in orders.iter().enumerate() {
        let now = if *is_chosen { " now" } else { "" };
        let line =
            vec![span(keys.clone(), Tone::Accent), span(format!("   {word}"), Tone::Plain), span(now, Tone::Dim)];
        canvas.spans(2, y as u16, inner.width.saturating_sub(3), &line, appearance);
    }
    let last = inner.height.saturating_sub(1);
    canvas.spans(2, last, inner.width.saturating_sub(3), &[span("capital: reverse", Tone::Dim)], appearance);
}

/// Draws the column picker: each column, with a mark if it is shown.
pub(super) fn columns(model: &Model, selected: usize, body: Rect, buf: &mut Buffer) {
    let appearance = model.appearance();
    let rows = picker_rows(model.documents.columns.as_deref());
    let area = middle(body, 40, rows.len() as u16 + 4);
    clear(area, buf);
    let title = [span("columns", Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &[], border: appearance.theme.border(true) }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let height = usize::from(inner.height.saturating_sub(2)).max(1);
    let top = (selected + 1).saturating_sub(height);
    for (y, (index, (id, is_shown))) in (0..height as u16).zip(rows.iter().enumerate().skip(top)) {
        let tone = if *is_shown { Tone::Plain } else { Tone::Dim };
        let line = [span(if *is_shown { "[x] " } else { "[ ] " }, Tone::Accent), span(id.word(), tone)];
        canvas.spans(2, y, inner.width.saturating_sub(3), &line, appearance);
        if index == selected {
            canvas.restyle(1, y, inner.width.saturating_sub(2), appearance.theme.cursor());
        }
    }
    let hints = ["space shows or hides, J and K move", "o: usual columns"];
    for (y, hint) in (inner.height.saturating_sub(2)..).zip(hints) {
        canvas.spans(2, y, inner.width.saturating_sub(3), &[span(hint, Tone::Dim)], appearance);
    }
}

/// Returns the orders of the active view: the keys and the name of each, and true for the present one.
fn orders(model: &Model) -> Vec<(String, &'static str, bool)> {
    let keys = |letter: char| format!("{letter} {}", letter.to_ascii_uppercase());
    let Some(rows) = views::for_pane(PaneId::View(model.active_view)).rows(model) else {
        let sorts = SORTS.iter();
        return sorts.map(|(letter, by, word)| (keys(*letter), *word, model.documents.sort.by == *by)).collect();
    };
    let order = rows.order();
    let orders = rows.orders().into_iter();
    let orders = orders.map(|(letter, word)| (keys(letter), word, order.is_some_and(|order| order.letter == letter)));
    orders.chain([(format!("{USUAL_ORDER}  "), "usual order", order.is_none())]).collect()
}

/// Draws the question before a bulk action (sync, retry, cancel or remove), with its effects once the store has found
/// the documents.
pub(super) fn preview(model: &Model, dialog: &PreviewDialog, body: Rect, buf: &mut Buffer) {
    let verb = verb(dialog.verb);
    let title = match dialog.marked_count {
        _ if dialog.verb == BulkVerb::Faq => "start Chatwoot's FAQ jobs".to_owned(),
        Some(_) => format!("{verb} every marked document"),
        None => format!("{verb} every document that matches"),
    };
    let mut lines: Vec<Spans> = Vec::new();
    let label = match dialog.marked_count {
        None => Some("filter"),
        Some(1) => Some("of"),
        Some(_) => None,
    };
    if let Some(label) = label {
        lines.push(labelled(label, dialog.selection_text.to_string()));
        lines.push(Spans::new());
    }
    let mut yes = String::new();
    match &dialog.answer {
        None => lines.push(vec![span("counting the documents", Tone::Dim)]),
        Some(Err(reason)) => lines.push(vec![span(format!("Cannot count the documents: {reason}"), Tone::Failed)]),
        Some(Ok(preview)) => {
            let number = preview.targets.len() as u64;
            let available = usize::from(MAX_WIDTH.min(body.width).saturating_sub(6));
            lines.extend(effects(model, dialog, preview, available));
            if number > 0 {
                yes = format!("{} {}", format::capitalized(verb), format::number(number));
            }
        }
    }
    let mut buttons = vec![("Keep", !dialog.yes_focused)];
    if !yes.is_empty() {
        buttons.push((&yes, dialog.yes_focused));
    }
    draw(model, &title, Tone::Waiting, &lines, &buttons, body, buf);
}

/// Formats the effects of a bulk action, one per line: the numbers of documents and, for a sync or retry, the number of
/// hosts and the estimated time.
fn effects(model: &Model, dialog: &PreviewDialog, preview: &Preview, available: usize) -> Vec<Spans> {
    let number = preview.targets.len() as u64;
    let skipped: u64 = preview.skipped.iter().map(|(_, number)| number).sum();
    let all = number + skipped;
    let column = format::number(all).len();
    let line = |number: u64, text: String, tone: Tone| {
        vec![
            span(
                format!("{:>column$} ", format::number(number)),
                if tone == Tone::Dim { Tone::Dim } else { Tone::Strong },
            ),
            span(text, tone),
        ]
    };
    let noun = if all == 1 { "document" } else { "documents" };
    let mut lines = Vec::new();
    let matches = match (dialog.marked_count, all) {
        (Some(1), _) => noun.to_owned(),
        (Some(_), _) => format!("marked {noun}"),
        (None, 1) => format!("{noun} matches"),
        (None, _) => format!("{noun} match"),
    };
    lines.push(line(all, matches, Tone::Plain));
    match dialog.hidden_marks {
        HiddenMarks::None => {}
        HiddenMarks::Unknown => {
            lines.push(vec![span("Some of them may not be in the list: the filter hides them.", Tone::Failed)]);
        }
        HiddenMarks::Some(hidden) => {
            let verb = if hidden == 1 { "is" } else { "are" };
            lines.push(line(hidden, format!("of them {verb} not in the list: the filter hides them"), Tone::Failed));
        }
    }
    lines.push(match dialog.verb {
        BulkVerb::Request(_) => {
            line(number, "will be put in the queue, ahead of automatic syncs".to_owned(), Tone::Waiting)
        }
        BulkVerb::Cancel => {
            line(number, "have a job that will be cancelled; running ones are stopped".to_owned(), Tone::Waiting)
        }
        BulkVerb::Faq => line(number, "get an FAQ job of Chatwoot's".to_owned(), Tone::Waiting),
        BulkVerb::Remove => {
            line(number, "will be removed for good, with contents and versions".to_owned(), Tone::Failed)
        }
    });
    if matches!(dialog.verb, BulkVerb::Request(_)) && dialog.costs_credits && number > 0 {
        // First, so that it is seen on a low screen.
        let credits = if number == 1 { "credit" } else { "credits" };
        lines.push(line(number, format!("{credits} of Firecrawl at most"), Tone::Waiting));
    }
    if number > 0 {
        lines.extend(preview.faqs.iter().flat_map(|faqs| faq_effects(faqs, available)));
    }
    for (reason, number) in &preview.skipped {
        lines.push(line(*number, format!("skipped: {}", format::skip_reason_short(*reason)), Tone::Dim));
    }
    if matches!(dialog.verb, BulkVerb::Request(_)) && number > 0 {
        lines.push(Spans::new());
        let hosts = format::number(preview.hosts);
        let hosts = match model.options.per_host {
            0 => hosts,
            cap => format!("{hosts}, at most {} at a time each", format::count(u64::from(cap), "job")),
        };
        lines.push(labelled("hosts", hosts));
        let takes = match preview.estimate.duration(model.options.per_host) {
            Some(time) => format::estimate(time),
            None if model.queue.workers == 0 => "duration unknown: no worker is running".to_owned(),
            None => "duration unknown".to_owned(),
        };
        lines.push(labelled("takes", takes));
    }
    if dialog.marked_count == Some(1) {
        return lines;
    }
    lines.push(Spans::new());
    let later = match dialog.marked_count {
        Some(_) => "Documents marked later are not included.",
        None => "Documents that match later are not included.",
    };
    lines.push(vec![span(later, Tone::Dim)]);
    lines
}

/// Formats what FAQ jobs do to the answers. Those that people have edited are named.
fn faq_effects(faqs: &FaqPreview, available: usize) -> Vec<Spans> {
    let tone = |line: &str| if line.starts_with(' ') { Tone::Dim } else { Tone::Plain };
    let lines = format::faq_effects(faqs).into_iter();
    lines
        .flat_map(|line| wrap(&line, available, 2).into_iter().map(move |part| vec![span(part, tone(&line))]))
        .collect()
}

fn labelled(label: &str, text: String) -> Spans {
    vec![span(format!("{label:<8}"), Tone::Dim), span(text, Tone::Plain)]
}

const fn verb(verb: BulkVerb) -> &'static str {
    match verb {
        BulkVerb::Request(RequestKind::Sync | RequestKind::SyncWhole) => "sync",
        BulkVerb::Request(RequestKind::Retry) => "retry",
        BulkVerb::Cancel => "cancel",
        BulkVerb::Remove => "remove",
        BulkVerb::Faq => "start",
    }
}

/// Draws a dialog with the given title, lines and buttons. The flag of a button is true if the button has the focus.
fn draw(
    model: &Model,
    title: &str,
    border: Tone,
    lines: &[Spans],
    buttons: &[(&str, bool)],
    body: Rect,
    buf: &mut Buffer,
) {
    let appearance = model.appearance();
    let width = MAX_WIDTH.min(body.width);
    let available = width.saturating_sub(6);
    let rows = button_rows(buttons, available);
    let below = rows.len() as u16;
    // Adds empty lines around the text if they fit.
    let spacing = u16::from(body.height > lines.len() as u16 + below + 7);
    let height = lines.len() as u16 + 3 + below + 2 * spacing;
    let area = middle(body, MAX_WIDTH, height);
    clear(area, buf);
    let title = [span(title, Tone::Strong)];
    Frame { title: &title, aside: &[], foot: &[], border: appearance.theme.style(border) }.draw(area, buf, appearance);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let buttons_y = inner.height.saturating_sub(below + spacing);
    for (index, line) in lines.iter().enumerate() {
        let y = spacing + index as u16;
        if y < buttons_y {
            canvas.spans(2, y, available, line, appearance);
        }
    }
    for (row, y) in rows.into_iter().zip(buttons_y..) {
        let mut x = 2;
        for (label, focused) in row {
            let style = if *focused { appearance.theme.cursor() } else { appearance.theme.style(Tone::Plain) };
            // The brackets show the focus on terminals without reverse video.
            let text = if *focused { format!("[ {label} ]") } else { format!("  {label}  ") };
            x = canvas.text(x, y, available, &text, style) + 2;
        }
    }
}

/// Distributes the buttons over as many lines as they need, each at most `available` cells wide unless a single button
/// is wider; no button is split.
fn button_rows<'a>(buttons: &'a [(&'a str, bool)], available: u16) -> Vec<Vec<&'a (&'a str, bool)>> {
    let mut rows: Vec<Vec<&(&str, bool)>> = vec![Vec::new()];
    let mut used = 0;
    for button in buttons {
        let cells = text_width(button.0) as u16 + 4;
        let gap = if used == 0 { 0 } else { 2 };
        if used > 0 && used + gap + cells > available {
            rows.push(Vec::new());
            used = cells;
        } else {
            used += gap + cells;
        }
        if let Some(row) = rows.last_mut() {
            row.push(button);
        }
    }
    rows
}
