//! Plain output: reports the state of the console in lines, for screen readers and terminals without cursor addressing.
//! A line has no control characters, no frames and no colours.

mod lines;

use super::model::Model;
use super::model::overlay::Overlay;
use super::model::toast::{Level, Notice};
use super::scope::PaneId;
use super::{view, views};
use crate::domain::id::{DocumentId, Seq};
use crate::domain::time::Timestamp;
use crate::format;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::outcomes::text::{name, reason};
use lines::{Line, read};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

/// Maximum number of rows that are reported of a list at a time.
const ROWS: usize = 10;
/// Time after a key within which changes count as the answer to the key.
const ANSWER_TIME: Duration = Duration::from_secs(2);
/// Shortest time between two reports of what no key has asked for.
const REPORT_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of new outcomes that are reported one by one; more are reported as a number.
const SINGLE_OUTCOMES: u64 = 3;

/// Returns the texts in `buf`, one for each line that has any.
pub fn text_lines(buf: &Buffer) -> Vec<String> {
    read(buf, buf.area).into_iter().map(|line| line.text).collect()
}

/// Receiver of the keys: the focused pane, the document of the details, and the kind of the open overlay.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FocusState {
    pane: PaneId,
    document: Option<DocumentId>,
    overlay: Option<Discriminant<Overlay>>,
}

/// The last state that was reported.
#[derive(Debug)]
struct Reported {
    focus: FocusState,
    lines: Vec<Line>,
    /// Number and text of the row under the cursor.
    row: Option<String>,
}

/// Reports the state of a console in lines: all of a view or dialog that opens, then only what changes.
#[derive(Debug, Default)]
pub struct Narrator {
    reported: Option<Reported>,
    /// The whole view is to be reported again.
    repeat: bool,
    asked_at: Option<Timestamp>,
    reported_at: Option<Timestamp>,
    toast: Option<Notice>,
    /// Number of the newest outcome that was reported; `None` before the first outcomes were read.
    outcome: Option<Seq>,
    outcomes_at: Option<Timestamp>,
}

impl Narrator {
    /// Makes the next [`Narrator::report`] report the whole view.
    pub const fn repeat(&mut self) {
        self.repeat = true;
    }

    /// Returns the lines that report what is new. `asked` is true if the person has pressed a key since the last call.
    pub fn report(&mut self, model: &Model, asked: bool) -> Vec<String> {
        if asked {
            self.asked_at = Some(model.now);
        }
        let mut out = Vec::new();
        self.scene(model, asked, &mut out);
        self.message(model, &mut out);
        self.outcomes(model, &mut out);
        out
    }

    /// Returns the time until more is to be reported without any change of the state; `None` if there is nothing.
    pub fn next(&self, now: Timestamp) -> Option<Duration> {
        // Outcomes or changes of the row may wait for the end of the interval.
        let since = |at: Option<Timestamp>| at.map(|at| now.since(at)).filter(|since| *since < REPORT_INTERVAL);
        let waits = [since(self.outcomes_at), since(self.reported_at)];
        waits.into_iter().flatten().map(|since| REPORT_INTERVAL.saturating_sub(since)).min()
    }

    fn scene(&mut self, model: &Model, asked: bool, out: &mut Vec<String>) {
        let (pane, over) = view::draw_apart(model);
        let focus = FocusState {
            pane: model.pane(),
            document: model.detail.as_ref().map(|detail| detail.document),
            overlay: model.overlay.as_ref().map(discriminant),
        };
        let is_over = over.is_some();
        let lines = over.map_or_else(|| pane_lines(&pane), |over| read(&over, over.area));
        let row = lines.iter().find(|line| line.selected).map(|line| line.text.clone());
        let row =
            row.map(|row| if is_over { row } else { position(model).map_or(row.clone(), |at| format!("{at}  {row}")) });
        let now = model.now;
        let is_answer = asked || self.asked_at.is_some_and(|at| now.since(at) < ANSWER_TIME);
        let first = self.reported.is_none();
        if self.repeat || first {
            out.extend(text_lines(&view::draw_head(model)));
        }
        let whole = match &self.reported {
            None => true,
            Some(reported) => {
                self.repeat || reported.focus != focus || (!is_over && reported.row.is_none() && row.is_some())
            }
        };
        // A view that an overlay has covered is known: its title and the row suffice.
        let is_back = self.reported.as_ref().is_some_and(|reported| {
            reported.focus.overlay.is_some() && focus == FocusState { overlay: None, ..reported.focus.clone() }
        });
        if let (true, false, Some(row)) = (is_back, self.repeat, &row) {
            out.extend(lines.first().map(|title| title.text.clone()));
            out.push(row.clone());
            self.reported_at = Some(now);
        } else if whole {
            out.extend(whole_lines(model, &lines, row.as_deref(), is_over));
            self.reported_at = Some(now);
        } else if let Some(reported) = &self.reported {
            let may_report = is_answer || self.reported_at.is_none_or(|at| now.since(at) >= REPORT_INTERVAL);
            if !may_report {
                return;
            }
            let news = changes(reported, &lines, row.as_deref(), is_over, asked, is_answer);
            if news.is_empty() && !is_answer {
                return;
            }
            self.reported_at = if news.is_empty() { self.reported_at } else { Some(now) };
            out.extend(news);
        }
        self.repeat = false;
        self.reported = Some(Reported { focus, lines, row });
    }

    fn message(&mut self, model: &Model, out: &mut Vec<String>) {
        let toast = model.notices.toast(model.now);
        if let Some(toast) = toast.filter(|toast| self.toast.as_ref() != Some(toast)) {
            let level = match toast.level {
                Level::Done => "done",
                Level::Refused => "note",
                Level::Failed => "failed",
            };
            out.push(format!("{level}: {}", toast.text));
        }
        self.toast = toast.cloned().or(self.toast.take());
    }

    fn outcomes(&mut self, model: &Model, out: &mut Vec<String>) {
        if !model.panel.loaded {
            return;
        }
        let newest = model.panel.newest;
        let reported = *self.outcome.get_or_insert(newest);
        let number = u64::try_from(newest.0.saturating_sub(reported.0)).unwrap_or_default();
        if number == 0 || self.outcomes_at.is_some_and(|at| model.now.since(at) < REPORT_INTERVAL) {
            return;
        }
        self.outcomes_at = Some(model.now);
        self.outcome = Some(newest);
        let entries = model.panel.entries();
        let shown = entries.iter().rev().take_while(|entry| entry.last > reported).count();
        // Outcomes that the panel hides are told by their number.
        if number > SINGLE_OUTCOMES || shown == 0 {
            let word = if number == 1 { "outcome" } else { "outcomes" };
            out.push(format!("{} new {word}", format::number(number)));
            return;
        }
        out.extend(entries.iter().skip(entries.len() - shown).map(|entry| {
            let (result, name, reason) = (entry.result().word(), name(&entry.outcome), reason(&entry.outcome));
            format!("outcome: {name}  {}  {reason}", result.replace('_', " ")).trim_end().to_owned()
        }));
    }
}

/// Returns the lines of a pane without its frame, the title first.
fn pane_lines(pane: &Buffer) -> Vec<Line> {
    let area = pane.area;
    // The scroll bar is in the right edge of the frame.
    read(pane, Rect { width: area.width.saturating_sub(1), ..area })
}

/// Returns the lines that report a whole view or overlay; of a long list, the rows around the cursor.
fn whole_lines(model: &Model, lines: &[Line], row: Option<&str>, is_over: bool) -> Vec<String> {
    let text = |line: &Line| line.text.clone();
    let Some(at) = lines.iter().position(|line| line.selected).filter(|_| !is_over) else {
        return lines.iter().map(text).collect();
    };
    // The title, and the headings of a table.
    let heads =
        if views::for_pane(model.pane()).rows(model).is_some() || model.pane() == PaneId::DOCUMENTS { 2 } else { 1 };
    let heads = heads.min(at);
    let rows = ROWS.min(usize::from(model.size.1).max(1));
    let from = at.saturating_sub(rows / 2).max(heads);
    let mut whole: Vec<String> = lines.iter().take(heads).map(text).collect();
    whole.extend(lines.iter().skip(from).take(rows).map(text));
    whole.extend(row.map(str::to_owned));
    whole
}

/// Returns the lines that report what has changed since `reported`.
fn changes(
    reported: &Reported,
    lines: &[Line],
    row: Option<&str>,
    is_over: bool,
    asked: bool,
    is_answer: bool,
) -> Vec<String> {
    let mut news = Vec::new();
    // Numbers and ages alone change all the time: they are reported only in answer to a key.
    let is_new = |old: &str, new: &str| if asked { old != new } else { without_numbers(old) != without_numbers(new) };
    if is_over || (row.is_none() && is_answer) {
        let old: Vec<&str> = reported.lines.iter().map(|line| line.text.as_str()).collect();
        let fresh = lines.iter().filter(|line| !line.selected || row.is_none());
        news.extend(fresh.filter(|line| old.iter().all(|old| is_new(old, &line.text))).map(|line| line.text.clone()));
    } else if let (Some(old), Some(new)) = (reported.lines.first(), lines.first())
        && without_numbers(&old.text) != without_numbers(&new.text)
    {
        news.push(new.text.clone());
    }
    if let Some(row) = row
        && reported.row.as_deref().is_none_or(|old| is_new(old, row))
    {
        news.push(row.to_owned());
    }
    news
}

/// Returns a text without its digits and the letters beside them, such as the unit of an age.
fn without_numbers(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.starts_with(|c: char| c.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the position of the cursor in its list, such as `3 of 20,000`; `None` in a pane without a list.
fn position(model: &Model) -> Option<String> {
    let (index, total) = match model.pane() {
        PaneId::View(ViewId::Documents) => (model.documents.cursor_index, model.documents.page.total),
        pane => {
            let rows = views::for_pane(pane).rows(model)?;
            (rows.cursor_index() as u64, rows.rows() as u64)
        }
    };
    Some(format!("{} of {}", format::number(index + 1), format::number(total)))
}
