//! Chatwoot's own jobs in the jobs view: one row each, and the heading of their section.

use super::draw::MIDDLE_COLUMN_MIN_WIDTH;
use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobState, ChatwootJobs};
use crate::domain::text::width;
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::model::Model;
use crate::tui::table::columns::{Columns, TableColumn};
use crate::tui::text::lines::clip;
use crate::tui::text::{Spans, span};
use crate::tui::theme::{Appearance, Tone};
use crate::tui::widgets::canvas::Canvas;

type JobColumn = TableColumn<ChatwootJob>;

/// The same columns as those of the store's jobs; the queue is in the column before the last.
static COLUMNS: Columns<ChatwootJob> = Columns {
    columns: &[
        JobColumn::left("", 1, |model, job, _| {
            let (glyph, tone) = sign(model, job);
            vec![span(glyph, tone)]
        })
        .gap(3),
        JobColumn::text("", |model, job, cells| {
            vec![span(clip(&name(job), usize::from(cells), model.glyphs.ellipsis), Tone::Plain)]
        }),
        JobColumn::text("", |model, job, _| detail(model, job)),
        JobColumn::right("", 9, |model, job, cells| {
            let queue = clip(&job.queue, usize::from(cells).saturating_sub(1), model.glyphs.ellipsis);
            vec![span(queue, Tone::Dim)]
        })
        .within(MIDDLE_COLUMN_MIN_WIDTH..u16::MAX),
        JobColumn::right("", 9, last_cell),
    ],
    margin: 1,
    min_text: 0,
    // The job says more than the name of its document.
    text_widths: |text| {
        let name = if text < 40 { text * 9 / 20 } else { text * 7 / 20 };
        [name, text - name]
    },
};

fn sign(model: &Model, job: &ChatwootJob) -> (&'static str, Tone) {
    match job.state {
        ChatwootJobState::Running => (model.glyphs.running, Tone::Running),
        ChatwootJobState::Queued => (model.glyphs.queued, Tone::Running),
        ChatwootJobState::Retrying => (model.glyphs.retrying, Tone::Waiting),
        ChatwootJobState::Scheduled => (model.glyphs.stale, Tone::Dim),
    }
}

fn name(job: &ChatwootJob) -> String {
    match (&job.name, job.document) {
        (Some(name), _) => name.to_string(),
        (None, Some(document)) => format!("document {document}"),
        (None, None) => "a page without a document".to_owned(),
    }
}

fn detail(model: &Model, job: &ChatwootJob) -> Spans {
    let tone = if job.state == ChatwootJobState::Retrying { Tone::Waiting } else { Tone::Plain };
    let mut text = vec![span(format::chatwoot_job(job), tone)];
    let error = job.error.as_ref().map(|error| format!(": {error}"));
    text.extend(error.map(|error| span(error, tone)));
    let account = job.account.map(|account| format!(" {} account {account}", model.glyphs.dot));
    text.extend(account.map(|account| span(account, Tone::Dim)));
    text
}

fn last_cell(model: &Model, job: &ChatwootJob, _: u16) -> Spans {
    let tone = if job.state == ChatwootJobState::Retrying { Tone::Waiting } else { Tone::Dim };
    let now = match job.state {
        ChatwootJobState::Running | ChatwootJobState::Queued => model.now,
        ChatwootJobState::Retrying | ChatwootJobState::Scheduled => model.countdown_time(),
    };
    vec![span(format::chatwoot_job_time(job, now).unwrap_or_else(|| model.glyphs.none.to_owned()), tone)]
}

/// Draws one job in line `y`.
pub(super) fn draw(model: &Model, job: &ChatwootJob, y: u16, canvas: &mut Canvas<'_>, appearance: Appearance) {
    COLUMNS.layout(canvas.area.width).iter().for_each(|column| column.draw(model, job, y, canvas, appearance));
}

/// Draws the heading: how many jobs there are, whether all entries were read, when Chatwoot's scheduler runs, and what
/// cannot be read.
pub(super) fn draw_heading(
    model: &Model,
    jobs: &ChatwootJobs,
    y: u16,
    canvas: &mut Canvas<'_>,
    appearance: Appearance,
) {
    let available = canvas.area.width;
    let right: &[&str] = if available >= MIDDLE_COLUMN_MIN_WIDTH { &["queue", "time"] } else { &["time"] };
    let columns = COLUMNS.layout(available);
    let mut end = available.saturating_sub(1);
    for (column, word) in columns.iter().rev().filter(|column| column.is_right()).zip(right.iter().rev()) {
        canvas.right(column.end(), y, word, appearance.theme.style(Tone::Dim));
        end = column.end().saturating_sub(width(word) as u16 + 2);
    }
    let mut x = canvas.text(1, y, end, "Chatwoot", appearance.theme.style(Tone::Strong));
    let number = format!(" {}", format::number(jobs.jobs.len() as u64));
    x = canvas.text(x, y, end.saturating_sub(x), &number, appearance.theme.style(Tone::Plain));
    if let Some(problem) = &jobs.problem {
        canvas.text(x, y, end.saturating_sub(x), &format!("  {problem}"), appearance.theme.style(Tone::Waiting));
        return;
    }
    let mut facts = Vec::new();
    if jobs.is_cut() {
        let (examined, total) = (format::number(jobs.examined), format::number(jobs.total));
        facts.push(format!("first {examined} of {total} entries"));
    }
    facts.extend(jobs.next_schedule.map(|at| format!("its scheduler {}", format::until(model.countdown_time(), at))));
    for fact in facts {
        let text = format!("  {fact}");
        // A fact that does not fit would mislead when it is cut.
        if width(&text) <= usize::from(end.saturating_sub(x)) {
            x = canvas.text(x, y, end.saturating_sub(x), &text, appearance.theme.style(Tone::Dim));
        }
    }
}

/// Returns the next time at which the text of a job's time changes.
pub fn changes_at(job: &ChatwootJob, now: Timestamp) -> Option<Timestamp> {
    let at = job.at?;
    match job.state {
        ChatwootJobState::Running | ChatwootJobState::Queued => Some(format::age_changes_at(at, now)),
        ChatwootJobState::Retrying | ChatwootJobState::Scheduled => format::countdown_changes_at(at, now),
    }
}
