//! The host or the account under the cursor with all that is known of it: what the columns and the pane of a small screen
//! have no room for.

use crate::domain::document::Status;
use crate::store::{AccountSeen, HostSeen};
use crate::tui::model::Model;
use crate::tui::readers::help::{reader, room};
use crate::tui::say::figures::percent;
use crate::tui::say::figures::{count, grouped};
use crate::tui::say::pause::of_group;
use crate::tui::table::state::Shown;
use crate::tui::text::{Words, words};
use crate::tui::theme::{self, Tone};
use crate::tui::views::outcomes::text::wrap;
use crate::tui::views::{accounts::text as account, hosts::text as host};
use ratatui::buffer::Buffer;

/// Cells of the name of a fact.
const LABEL: usize = 12;
/// The most lines of a sentence.
const LINES: usize = 6;

/// How many lines there are.
pub fn lines(model: &Model) -> usize {
    text(model).1.len()
}

pub(in crate::tui) fn draw(model: &Model, scroll: usize, buf: &mut Buffer) {
    let (title, text) = text(model);
    reader(model, &title, &text, scroll, buf);
}

fn text(model: &Model) -> (String, Vec<Words>) {
    let (host, account) = match model.shown {
        Shown::Hosts => (model.hosts.row(), None),
        _ => (None, model.accounts.row()),
    };
    match (host, account) {
        (Some(seen), _) => (format!("host {}", host::name(seen)), of_host(model, seen)),
        (_, Some(seen)) => (format!("account {}", account::name(seen)), of_account(model, seen)),
        // It had its row when this was opened.
        (None, None) => ("gone".to_owned(), vec![vec![words("It has no document any more.", Tone::Plain)]]),
    }
}

fn of_host(model: &Model, seen: &HostSeen) -> Vec<Words> {
    let mut text = Text::of(model);
    text.sentence(&host::standing(model, seen));
    // Else it names keys, which mean nothing while this is open.
    if host::hold(model, seen).is_some() || of_group(model, &host::scope(seen)).is_some() {
        text.sentence(&host::next(model, seen, true));
    }
    text.gap();
    text.fact("documents", &grouped(seen.documents));
    text.fact("failed", &part(seen.failed, seen.documents));
    text.fact("running", &host::busy(model, seen).0);
    text.fact("queued", &grouped(seen.ready));
    text.gap();
    text.fact("last hour", &count(seen.recent, "attempt"));
    text.fact("429 or 503", &part(seen.limited, seen.recent));
    text.fact("latency", &host::latency(model, seen));
    text.lines
}

fn of_account(model: &Model, seen: &AccountSeen) -> Vec<Words> {
    let mut text = Text::of(model);
    text.sentence(&account::standing(model, seen, true));
    text.sentence(&account::next(model, seen, true));
    text.gap();
    let plan = account::plan_in_words(seen).unwrap_or_else(|| "none: nothing is looked at by itself".to_owned());
    text.fact("plan", plan.strip_prefix("plan ").unwrap_or(&plan));
    text.fact("next due", &account::next_due(model, seen).0);
    text.fact("jobs", &account::jobs(seen));
    let (bar, share) = account::share(model, seen, BAR);
    text.lines.push(vec![
        words(format!("{:LABEL$}", "last hour"), Tone::Dim),
        words(if bar.is_empty() { bar } else { bar + " " }, Tone::Accent),
        words(share, Tone::Plain),
    ]);
    let all = count(model.accounts.last_hour(), "attempt");
    text.fact("", &format!("{} of {all}", grouped(seen.last_hour)));
    text.gap();
    text.fact("documents", &grouped(seen.counts.total()));
    for status in Status::ALL.into_iter().filter(|status| seen.counts.of(*status) > 0) {
        text.lines.push(vec![
            words(format!("  {} ", model.glyphs.status(status)), theme::status(status)),
            words(grouped(seen.counts.of(status)), Tone::Plain),
            words(format!(" {}", status.word()), Tone::Dim),
        ]);
    }
    text.lines
}

/// Cells of the bar of an account's share.
const BAR: usize = 8;

/// `6 (13%)`.
fn part(part: u64, of: u64) -> String {
    match percent(part, of) {
        0 => grouped(part),
        some => format!("{} ({some}%)", grouped(part)),
    }
}

/// Lines as wide as the reader.
struct Text {
    room: usize,
    lines: Vec<Words>,
}

impl Text {
    fn of(model: &Model) -> Self {
        Self { room: room(model.size), lines: Vec::new() }
    }

    /// A sentence in the tone of its first piece.
    fn sentence(&mut self, said: &[(String, Tone)]) {
        let tone = said.first().map_or(Tone::Plain, |(_, tone)| *tone);
        let whole: String = said.iter().map(|(text, _)| text.as_str()).collect();
        self.lines.extend(wrap(&whole, self.room, LINES).into_iter().map(|line| vec![words(line, tone)]));
    }

    fn gap(&mut self) {
        self.lines.push(Words::new());
    }

    fn fact(&mut self, label: &str, value: &str) {
        let mut label = format!("{label:LABEL$}");
        for line in wrap(value, self.room.saturating_sub(LABEL), LINES) {
            self.lines.push(vec![words(label, Tone::Dim), words(line, Tone::Plain)]);
            label = " ".repeat(LABEL);
        }
    }
}
