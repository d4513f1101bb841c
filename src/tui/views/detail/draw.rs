//! The details of one document: how it stands, its attempts newest first, its text, its earlier texts.

use crate::domain::document::DocumentRow;
use crate::domain::outcome::Outcome;
use crate::domain::text::width;
use crate::domain::time::age;
use crate::tui::layout::inside;
use crate::tui::model::{Focus, Model};
use crate::tui::msg::DetailData;
use crate::tui::say::figures::{chars, count, grouped};
use crate::tui::text::{Words, words};
use crate::tui::theme::Tone;
use crate::tui::view::footer::{Place, toast};
use crate::tui::views::detail::changes;
use crate::tui::views::detail::state::{Detail, Tab};
use crate::tui::views::documents::peek;
use crate::tui::views::documents::text::clip;
use crate::tui::views::outcomes::text::{reason, sign, tone, word, wrap};
use crate::tui::widgets::canvas::{Canvas, Frame, Look, cells};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Lines above the tab's own, in a pane of `height` lines inside.
pub const fn head_lines(height: u16) -> u16 {
    if height < SMALL { 2 } else { 6 }
}

/// Below this height the head says what happened and no more.
const SMALL: u16 = 12;

pub(in crate::tui) fn draw(model: &Model, area: Rect, buf: &mut Buffer) {
    let Some(detail) = &model.detail else { return };
    if area.is_empty() {
        return;
    }
    let look = Look::of(model);
    let title = vec![words(detail.name.to_string(), Tone::Strong)];
    let aside = vec![words(format!("document {}", detail.document), Tone::Dim)];
    let border = look.theme.border(model.focus == Focus::Main);
    let foot = toast(model, area, Place::List);
    Frame { title: &title, aside: &aside, foot: &foot, border }.draw(area, buf, look);
    let inner = inside(area);
    let mut canvas = Canvas::new(buf, inner);
    let room = inner.width.saturating_sub(2);
    if detail.gone {
        canvas.text(
            1,
            0,
            room,
            "The document was removed; its outcomes stay in the log.",
            look.theme.style(Tone::Lost),
        );
        return;
    }
    let Some(data) = &detail.data else {
        canvas.text(1, 0, room, "reading", look.theme.style(Tone::Dim));
        return;
    };
    // The list's row is the fresher one.
    let row = model.documents.find(detail.document).unwrap_or(&data.row);
    let mut next = vec![words("  ", Tone::Plain)];
    next.extend(peek::next(model, row, false));
    let mut lines =
        vec![vec![words(row.url.to_string(), Tone::Plain)], peek::happened(model, row), next, facts(model, row, data)];
    if inner.height < SMALL {
        lines = vec![peek::happened(model, row)];
    }
    for (y, line) in lines.iter().enumerate() {
        canvas.words(1, y as u16, room, line, look);
    }
    tabs(model, detail, data, lines.len() as u16, &mut canvas, look);
    let head = head_lines(inner.height).min(inner.height);
    let body = Rect { y: inner.y + head, height: inner.height - head, ..inner };
    let mut canvas = Canvas::new(buf, body);
    match detail.tab {
        Tab::Attempts => attempts(model, detail, data, &mut canvas, look),
        Tab::Content => content(detail, data, &mut canvas, look),
        Tab::Changes => changes::draw(model, detail, &mut canvas, look),
        Tab::Versions => versions(model, detail, data, &mut canvas, look),
    }
}

fn facts(model: &Model, row: &DocumentRow, data: &DetailData) -> Words {
    let mut line = vec![words(format!("account {}  assistant {}", row.account_id, row.assistant_id), Tone::Dim)];
    if let Some(length) = row.content_length {
        let version = data.version.map_or(String::new(), |version| format!(", version {version}"));
        line.push(words(format!("   {}{version}", chars(length)), Tone::Plain));
    }
    if !row.recent.is_empty() {
        line.push(words("   last ", Tone::Dim));
        line.extend(peek::strip(model, row));
    }
    if let Some(by) = &row.requested_by {
        line.push(words("   by ", Tone::Dim));
        line.push(words(by.to_string(), Tone::Plain));
    }
    line
}

fn tabs(model: &Model, detail: &Detail, data: &DetailData, y: u16, canvas: &mut Canvas<'_>, look: Look) {
    let number = |tab| match tab {
        Tab::Attempts => grouped(data.outcomes.len() as u64),
        Tab::Content => grouped(data.content.len() as u64),
        Tab::Changes if data.held.is_some() => look.glyphs.held.to_owned(),
        // What has not been compared is not counted.
        Tab::Changes => {
            model.difference().map_or(String::new(), |data| grouped(data.difference.gone + data.difference.new))
        }
        Tab::Versions => grouped(data.versions.len() as u64),
    };
    let airy = |tab: Tab| format!(" {} ", [tab.word(), &number(tab)].join(" ").trim_end());
    let close = |tab: Tab| [tab.word(), &number(tab)].join(" ").trim_end().to_owned();
    let bare = |tab: Tab| tab.word().to_owned();
    let forms: [(&dyn Fn(Tab) -> String, u16); 3] = [(&airy, 1), (&close, 2), (&bare, 1)];
    let room = canvas.area.width.saturating_sub(1);
    let taken = |(label, gap): &(&dyn Fn(Tab) -> String, u16)| {
        Tab::ALL.into_iter().map(|tab| width(&label(tab)) as u16 + gap).sum::<u16>() - gap
    };
    let (label, gap) = forms.iter().find(|form| taken(form) <= room).unwrap_or(&forms[2]);
    let mut x = 1;
    for tab in Tab::ALL {
        let style = if tab == detail.tab { look.theme.cursor() } else { look.theme.style(Tone::Dim) };
        x = canvas.text(x, y, canvas.area.width.saturating_sub(x), &label(tab), style) + gap;
    }
    let body = usize::from(canvas.area.height.saturating_sub(head_lines(canvas.area.height)));
    let below = if detail.tab == Tab::Changes { changes::more_below(model, detail, body) } else { 0 };
    let said = format!("{} {} more", look.glyphs.below, grouped(below as u64));
    if below > 0 && x + width(&said) as u16 <= room {
        canvas.right(room, y, &said, look.theme.style(Tone::Dim));
    }
}

/// The attempts above, and what is known of the one under the cursor below.
fn attempts(model: &Model, detail: &Detail, data: &DetailData, canvas: &mut Canvas<'_>, look: Look) {
    let (room, height) = (canvas.area.width, canvas.area.height);
    if data.outcomes.is_empty() {
        canvas.text(1, 0, room, "It was never tried.", look.theme.style(Tone::Dim));
        return;
    }
    let about = if height >= 12 { 7 } else { 0 };
    let rows = usize::from(height.saturating_sub(1 + about)).max(1);
    let at = detail.attempt_at();
    let top = (at + 1).saturating_sub(rows);
    let wide = room >= 60;
    let dim = look.theme.style(Tone::Dim);
    let end = room.saturating_sub(1);
    canvas.text(1, 0, 8, "when", dim);
    canvas.text(6, 0, 8, "attempt", dim);
    // Without room for both the glyph is the result, and the cause says the rest.
    let (cause_at, took_end) = if wide { (30, end.saturating_sub(12)) } else { (16, end) };
    if wide {
        canvas.text(14, 0, 8, "result", dim);
    }
    canvas.text(cause_at, 0, 8, "cause", dim);
    // A cause is worth more than how long it took.
    let timed = room >= 46;
    if timed {
        canvas.right(took_end, 0, "ms", dim);
    }
    if wide {
        canvas.text(took_end + 2, 0, 10, "asked by", dim);
    }
    for (line, outcome) in data.outcomes.iter().skip(top).take(rows).enumerate() {
        let y = 1 + line as u16;
        let result = outcome.result;
        let tone = tone(outcome, result);
        let style = look.theme.style(tone);
        canvas.text(1, y, 4, &age(model.now.since(outcome.at)), dim);
        if !result.is_exhaustion() {
            canvas.right(13, y, &outcome.attempt.to_string(), dim);
        }
        canvas.text(14, y, 1, sign(&look.glyphs, outcome, result), style);
        if wide {
            canvas.text(16, y, 13, word(outcome, result), style);
        }
        let took = outcome.duration_ms.filter(|_| timed).map_or(String::new(), grouped);
        let cause_room = took_end.saturating_sub(cause_at + if timed { width(&took).max(6) as u16 + 1 } else { 0 });
        let said = if wide || outcome.error_code.is_some() {
            reason(outcome)
        } else {
            [word(outcome, result), &reason(outcome)]
                .into_iter()
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let cause = clip(&said, usize::from(cause_room), look.glyphs.more);
        canvas.text(cause_at, y, cause_room, &cause, style);
        canvas.right(took_end, y, &took, dim);
        if let (true, Some(by)) = (wide, &outcome.requested_by) {
            canvas.text(took_end + 2, y, 10, &clip(by, 10, look.glyphs.more), dim);
        }
        if top + line == at {
            canvas.text(0, y, 1, look.glyphs.bar, look.theme.border(model.focus == Focus::Main));
            if model.focus == Focus::Main {
                canvas.restyle(1, y, room.saturating_sub(1), look.theme.cursor());
            }
        }
    }
    if let (true, Some(outcome)) = (about > 0, data.outcomes.get(at)) {
        about_attempt(model, outcome, height - about + 1, canvas, look);
    }
}

/// One attempt in full.
fn about_attempt(model: &Model, outcome: &Outcome, y: u16, canvas: &mut Canvas<'_>, look: Look) {
    let room = canvas.area.width.saturating_sub(2);
    let tone = tone(outcome, outcome.result);
    let when = outcome.at.date_clock(&model.zone());
    let mut lines: Vec<Words> = vec![vec![
        words(format!("{} {}", sign(&look.glyphs, outcome, outcome.result), word(outcome, outcome.result)), tone),
        words(format!("  {when}, outcome {}", grouped(u64::try_from(outcome.seq.0).unwrap_or(0))), Tone::Dim),
    ]];
    let cause = reason(outcome);
    lines.extend(
        wrap(&cause, usize::from(room.saturating_sub(2)), 3)
            .into_iter()
            .map(|line| vec![words(format!("  {line}"), Tone::Plain)]),
    );
    let mut facts = Words::new();
    let mut fact = |label: &str, value: &str| {
        facts.push(words(format!("  {label} "), Tone::Dim));
        facts.push(words(value, Tone::Plain));
    };
    fact("queue", outcome.queue.word());
    if let Some(status) = outcome.http_status {
        fact("HTTP", &status.to_string());
    }
    if let Some(worker) = &outcome.worker {
        fact("worker", worker);
    }
    if let Some(class) = &outcome.exception_class {
        fact("exception", &crate::domain::text::SafeLine::new(class));
    }
    if let Some(at) = outcome.next_attempt_at {
        fact("next try", &at.clock(&model.zone()));
    }
    lines.push(facts);
    for (line, text) in lines.iter().enumerate() {
        canvas.words(1, y + line as u16, room, text, look);
    }
}

fn content(detail: &Detail, data: &DetailData, canvas: &mut Canvas<'_>, look: Look) {
    let room = canvas.area.width.saturating_sub(2);
    if data.content.is_empty() {
        canvas.text(1, 0, room, "Nothing is stored yet.", look.theme.style(Tone::Dim));
        return;
    }
    for (y, line) in detail.wrapped.iter().skip(detail.scroll).take(usize::from(canvas.area.height)).enumerate() {
        let tone = if line.starts_with('#') { Tone::Strong } else { Tone::Plain };
        canvas.text(1, y as u16, room, line, look.theme.style(tone));
    }
}

fn versions(model: &Model, detail: &Detail, data: &DetailData, canvas: &mut Canvas<'_>, look: Look) {
    let room = canvas.area.width.saturating_sub(2);
    if data.versions.is_empty() {
        canvas.text(1, 0, room, "No earlier content is kept.", look.theme.style(Tone::Dim));
        return;
    }
    let dim = look.theme.style(Tone::Dim);
    let height = usize::from(canvas.area.height);
    let at = detail.scroll.min(data.versions.len() - 1);
    let top = (at + 1).saturating_sub(height);
    for (y, version) in data.versions.iter().skip(top).take(height).enumerate() {
        let line = vec![
            words(format!("{:>4}", version.version), Tone::Plain),
            words(format!("  replaced {} ago", age(model.now.since(version.replaced_at))), Tone::Dim),
            words(format!("   {}", chars(version.content_length)), Tone::Plain),
        ];
        let end = canvas.words(1, y as u16, room, &line, look);
        if let Some(fingerprint) = &version.fingerprint {
            canvas.text(end + 3, y as u16, 12, fingerprint, dim);
        }
        if top + y == at {
            canvas.text(0, y as u16, 1, look.glyphs.bar, look.theme.border(model.focus == Focus::Main));
            if model.focus == Focus::Main {
                canvas.restyle(1, y as u16, canvas.area.width.saturating_sub(1), look.theme.cursor());
            }
        }
    }
    let kept = vec![words(count(data.versions.len() as u64, "version"), Tone::Dim)];
    if data.versions.len() < height {
        canvas.words(1, data.versions.len() as u16 + 1, cells(&kept), &kept, look);
    }
}
