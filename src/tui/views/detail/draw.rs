//! Drawing of the details: the head with the document's state, the tabs, and the content of the active tab.

use super::attempts;
use super::changes;
use super::state::{Detail, DetailData, HostPages, Tab};
use crate::domain::document::{DocumentRow, Status};
use crate::domain::faq::FaqState;
use crate::domain::text::width;
use crate::format;
use crate::tui::action::Action;
use crate::tui::layout::inside;
use crate::tui::model::Model;
use crate::tui::table::draw::style_row;
use crate::tui::text::{Spans, span, with_keys};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::views::documents::peek;
use crate::tui::views::view::Pane;
use crate::tui::widgets::canvas::{Canvas, cells};
use crate::tui::widgets::frame::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Returns the number of lines of the head, above the content of the tab, in a pane with `height` lines inside its
/// frame.
pub fn head_lines(model: &Model, height: u16) -> u16 {
    if height < FULL_HEAD_MIN_HEIGHT { 2 } else { 6 + (faqs(model).len() + host_pages(model).len()) as u16 }
}

/// Smallest height inside the pane's frame, in lines, at which the head is shown in full. In a lower pane the head has
/// only the current status and the tabs.
const FULL_HEAD_MIN_HEIGHT: u16 = 12;

/// Draws the details with their frame, or a message if the document was removed or is still being read.
pub(super) fn draw(model: &Model, pane: &Pane, buf: &mut Buffer) {
    let Some(detail) = &model.detail else { return };
    if pane.area.is_empty() {
        return;
    }
    let appearance = model.appearance();
    let mut title = pane.crumbs.clone();
    title.push(span(detail.name.to_string(), Tone::Strong));
    let aside = vec![span(format!("document {}", detail.document), Tone::Dim)];
    Frame { title: &title, aside: &aside, foot: &pane.toast, border: appearance.theme.border(pane.focused) }
        .draw(pane.area, buf, appearance);
    let inner = inside(pane.area);
    let mut canvas = Canvas::new(buf, inner);
    let available = inner.width.saturating_sub(2);
    if detail.gone {
        canvas.text(
            1,
            0,
            available,
            "The document was removed; its outcomes stay in the log.",
            appearance.theme.style(Tone::Lost),
        );
        return;
    }
    let Some(data) = &detail.data else {
        canvas.text(1, 0, available, "reading", appearance.theme.style(Tone::Dim));
        return;
    };
    // The document's row in the list of documents is read more often than the row in the details.
    let row = model.documents.find(detail.document).unwrap_or(&data.row);
    let mut next = vec![span("  ", Tone::Plain)];
    next.extend(peek::next(model, row, false));
    let mut lines = vec![
        vec![span(row.url.to_string(), Tone::Plain)],
        peek::status_line(model, row),
        next,
        chatwoot_note(model, data).unwrap_or_else(|| facts(model, row, data)),
    ];
    lines.extend(faqs(model));
    lines.extend(host_pages(model));
    if inner.height < FULL_HEAD_MIN_HEIGHT {
        let warning = chatwoot_note(model, data).filter(|_| data.chatwoot_jobs[0].will_write());
        lines = vec![warning.unwrap_or_else(|| peek::status_line(model, row))];
    }
    for (y, line) in lines.iter().enumerate() {
        canvas.spans(1, y as u16, available, line, appearance);
    }
    tabs(model, detail, data, lines.len() as u16, &mut canvas, appearance);
    let head = head_lines(model, inner.height).min(inner.height);
    let body = Rect { y: inner.y + head, height: inner.height - head, ..inner };
    match detail.tab {
        Tab::Content if !data.content.is_empty() => return text(&detail.wrapped, detail.scroll, body, buf, appearance),
        Tab::Record => return text(&detail.wrapped_record, detail.scroll, body, buf, appearance),
        _ => {}
    }
    let mut canvas = Canvas::new(buf, body);
    match detail.tab {
        Tab::Attempts => attempts::draw(model, detail, data, pane.focused, &mut canvas, appearance),
        Tab::Content => {
            canvas.text(1, 0, available, "Nothing is stored yet.", appearance.theme.style(Tone::Dim));
        }
        Tab::Changes => changes::draw(model, detail, &mut canvas, appearance),
        Tab::Versions => versions(model, data, detail.scroll, pane.focused, &mut canvas, appearance),
        Tab::Record => {}
    }
}

/// Returns the line about Chatwoot's next job for the document, if there is one.
fn chatwoot_note(model: &Model, data: &DetailData) -> Option<Spans> {
    let job = data.chatwoot_jobs.first()?;
    let more = match data.chatwoot_jobs.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let note = format!("{} {}{more}", model.glyphs.alarm, format::chatwoot_job_note(job, model.countdown_time()));
    Some(vec![span(note, if job.will_write() { Tone::Waiting } else { Tone::Dim })])
}

fn facts(model: &Model, row: &DocumentRow, data: &DetailData) -> Spans {
    let mut line = vec![span(format!("account {}  assistant {}", row.account_id, row.assistant_id), Tone::Dim)];
    if let Some(length) = row.content_length {
        let version = data.version.map_or(String::new(), |version| format!(", version {version}"));
        line.push(span(format!("   {}{version}", format::chars(length)), Tone::Plain));
    }
    if !row.recent.is_empty() {
        line.push(span("   last ", Tone::Dim));
        line.extend(peek::results_strip(model, row));
    }
    if let Some(by) = &row.requested_by {
        line.push(span("   by ", Tone::Dim));
        line.push(span(by.to_string(), Tone::Plain));
    }
    line
}

/// Returns the lines about the document's FAQs and their job; none if they are not known.
fn faqs(model: &Model) -> Vec<Spans> {
    let Some(known) = model.detail_row().and_then(|row| row.faqs.as_ref()) else { return Vec::new() };
    let needs_job = matches!(known.state, FaqState::None | FaqState::Stale);
    let tone = if needs_job { Tone::Waiting } else { Tone::Plain };
    let facts = format::faqs(known, model.now).into_iter().zip([("FAQs ", tone), ("FAQ ", Tone::Waiting)]);
    facts.map(|(fact, (label, tone))| vec![span(label, Tone::Dim), span(fact, tone)]).collect()
}

/// Returns the line about the other documents of the host, with the key that lists them; none if they are not known.
fn host_pages(model: &Model) -> Vec<Spans> {
    let Some(data) = model.detail.as_ref().and_then(|detail| detail.data.as_deref()) else { return Vec::new() };
    let Some(pages) = data.host_pages else { return Vec::new() };
    let row = model.detail_row().unwrap_or(&data.row);
    vec![with_keys(&host_sentence(pages, is_failing(row), &model.key(Action::HostPages)), Tone::Dim)]
}

/// Returns true if the document failed, waits for a retry, or is stuck.
const fn is_failing(row: &DocumentRow) -> bool {
    matches!(row.status, Status::Failed | Status::Waiting | Status::Stuck)
}

fn host_sentence(pages: HostPages, is_failing: bool, key: &str) -> String {
    let too = if is_failing { ", too" } else { "" };
    let others = format::number(pages.documents);
    match (pages.documents, pages.failing) {
        (0, _) => "Its host has no other page.".to_owned(),
        (1, 0) => format!("Its host's other page does not fail. `{key}` lists both."),
        (1, _) => format!("Its host's other page fails{too}. `{key}` lists both."),
        (_, 0) => format!("Its host's {others} other pages: none fails. `{key}` lists them."),
        (all, failing) if all == failing => {
            format!("Its host's {others} other pages: all fail{too}. `{key}` lists them.")
        }
        (_, 1) => format!("Its host's {others} other pages: one fails{too}. `{key}` lists them."),
        (_, failing) => {
            format!("Its host's {others} other pages: {} fail{too}. `{key}` lists them.", format::number(failing))
        }
    }
}

fn tabs(model: &Model, detail: &Detail, data: &DetailData, y: u16, canvas: &mut Canvas<'_>, appearance: Appearance) {
    let number = |tab| match tab {
        Tab::Attempts => format::number(data.outcomes.len() as u64),
        Tab::Content => format::number(data.content.len() as u64),
        Tab::Changes if data.quarantined.is_some() => appearance.glyphs.quarantined.to_owned(),
        // There is no number before the result of the comparison has arrived.
        Tab::Changes => model
            .difference()
            .map_or(String::new(), |data| format::number(data.difference.removed + data.difference.added)),
        Tab::Versions => format::number(data.versions.len() as u64),
        Tab::Record => String::new(),
    };
    let padded = |tab: Tab| format!(" {} ", [tab.word(), &number(tab)].join(" ").trim_end());
    let close = |tab: Tab| [tab.word(), &number(tab)].join(" ").trim_end().to_owned();
    let bare = |tab: Tab| tab.word().to_owned();
    let forms: [(&dyn Fn(Tab) -> String, u16); 3] = [(&padded, 1), (&close, 2), (&bare, 1)];
    let available = canvas.area.width.saturating_sub(1);
    let taken = |(label, gap): &(&dyn Fn(Tab) -> String, u16)| {
        Tab::ALL.into_iter().map(|tab| width(&label(tab)) as u16 + gap).sum::<u16>() - gap
    };
    let (label, gap) = forms.iter().find(|form| taken(form) <= available).unwrap_or(&forms[2]);
    let mut x = 1;
    for tab in Tab::ALL {
        let style = if tab == detail.tab { appearance.theme.cursor() } else { appearance.theme.style(Tone::Dim) };
        x = canvas.text(x, y, canvas.area.width.saturating_sub(x), &label(tab), style) + gap;
    }
    let body = usize::from(canvas.area.height.saturating_sub(head_lines(model, canvas.area.height)));
    let below = if detail.tab == Tab::Changes {
        changes::more_below(model, detail, usize::from(available).saturating_sub(1), body)
    } else {
        0
    };
    let text = format!("{} {} more", appearance.glyphs.below, format::number(below as u64));
    if below > 0 && x + width(&text) as u16 <= available {
        canvas.right(available, y, &text, appearance.theme.style(Tone::Dim));
    }
}

/// Draws a text that is already wrapped to the width of the pane.
fn text(wrapped: &[String], scroll: usize, body: Rect, buf: &mut Buffer, appearance: Appearance) {
    let area = Rect { x: body.x + 1, width: body.width.saturating_sub(2), ..body };
    let mut canvas = Canvas::new(buf, area);
    for (y, line) in (0..area.height).zip(wrapped.iter().skip(scroll)) {
        let tone = if line.starts_with('#') { Tone::Strong } else { Tone::Plain };
        canvas.text(0, y, area.width, line, appearance.theme.style(tone));
    }
}

fn versions(
    model: &Model,
    data: &DetailData,
    scroll: usize,
    focused: bool,
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let available = canvas.area.width.saturating_sub(2);
    if data.versions.is_empty() {
        canvas.text(1, 0, available, "No earlier version is kept.", appearance.theme.style(Tone::Dim));
        return;
    }
    let dim = appearance.theme.style(Tone::Dim);
    let height = usize::from(canvas.area.height);
    let at = scroll.min(data.versions.len() - 1);
    let top = (at + 1).saturating_sub(height);
    for (y, version) in data.versions.iter().skip(top).take(height).enumerate() {
        let line = vec![
            span(format!("{:>4}", version.version), Tone::Plain),
            span(format!("  replaced {} ago", format::age(model.now.since(version.replaced_at))), Tone::Dim),
            span(format!("   {}", format::chars(version.content_length)), Tone::Plain),
        ];
        let end = canvas.spans(1, y as u16, available, &line, appearance);
        if let Some(fingerprint) = &version.fingerprint {
            canvas.text(end + 3, y as u16, 12, fingerprint, dim);
        }
        style_row(focused, top + y == at, false, y as u16, canvas, appearance);
    }
    let kept = vec![span(format::count(data.versions.len() as u64, "version"), Tone::Dim)];
    if data.versions.len() < height {
        canvas.spans(1, data.versions.len() as u16 + 1, cells(&kept), &kept, appearance);
    }
}
