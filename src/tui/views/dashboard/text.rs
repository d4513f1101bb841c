//! Texts of the dashboard: names and values of the figures, and what their rows are.

use super::state::{DashboardData, Figure, Section};
use crate::domain::sample::MinuteSample;
use crate::domain::text::SafeLine;
use crate::format;
use crate::tui::action::Action;
use crate::tui::model::Model;
use crate::tui::theme::Tone;
use crate::tui::views::catalog::ViewId;
use std::time::Duration;

/// Share of attempts that are faster than the figure `95 %`.
const SLOW_SHARE: f64 = 0.95;

/// The place of the rows that a figure comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FigureRows {
    /// Documents that match a filter.
    Documents(&'static str),
    /// Documents of a host.
    Host(SafeLine),
    /// Documents by the time of their next attempt.
    NextDue,
    /// Outcomes that match a filter, in the outcome panel.
    Outcomes(&'static str),
    /// A view, sorted by the column with a letter.
    View(ViewId, Option<char>),
    /// The list of workers with the disk use.
    DiskUse,
}

/// Returns the rows that a figure comes from.
pub fn rows(figure: &Figure) -> FigureRows {
    match figure {
        Figure::Attempts => FigureRows::Documents("attempted:<1h"),
        Figure::Updated => FigureRows::Outcomes("result:updated"),
        Figure::Unchanged => FigureRows::Outcomes("result:unchanged"),
        Figure::Failed => FigureRows::Outcomes("result:failed"),
        Figure::Retrying => FigureRows::Outcomes("result:retrying"),
        Figure::Lost => FigureRows::Outcomes("result:worker_lost"),
        Figure::Median | Figure::Slow => FigureRows::View(ViewId::Hosts, Some('l')),
        Figure::Ready | Figure::Oldest => FigureRows::View(ViewId::Jobs, None),
        Figure::Running => FigureRows::View(ViewId::Workers, None),
        Figure::Host(host) => FigureRows::Host(host.clone()),
        Figure::Next(_) => FigureRows::NextDue,
        Figure::Disk => FigureRows::DiskUse,
    }
}

/// Says which rows the figure's key shows.
pub(super) fn leads_to(model: &Model, figure: &Figure) -> String {
    let key = model.key(Action::ShowRows);
    match rows(figure) {
        FigureRows::Documents(filter) => format!("`{key}` shows the documents of {filter}."),
        FigureRows::Host(_) => format!("`{key}` shows the documents of the host."),
        FigureRows::NextDue => format!("`{key}` shows the documents by their next attempt."),
        FigureRows::Outcomes(filter) => format!("`{key}` shows the outcomes of {filter}."),
        FigureRows::View(ViewId::Hosts, _) => format!("`{key}` shows the hosts, the slowest first."),
        FigureRows::View(view, _) => format!("`{key}` shows the {}.", view.word()),
        FigureRows::DiskUse => format!("`{key}` shows what takes the space."),
    }
}

/// Says what a figure means.
pub(super) const fn meaning(figure: &Figure) -> &'static str {
    match figure {
        Figure::Attempts => "Attempts that ended, whatever they came to.",
        Figure::Updated => "Attempts that brought a new text.",
        Figure::Unchanged => "Attempts that brought nothing new, or a first text.",
        Figure::Failed => "Documents that failed and are not tried again before they are due.",
        Figure::Retrying => "Attempts that failed, after which the document is tried again.",
        Figure::Lost => "Attempts whose worker died or was cut off.",
        Figure::Median => "Half of the attempts took no longer.",
        Figure::Slow => "95 of 100 attempts took no longer.",
        Figure::Ready => "Jobs that start when a slot is free.",
        Figure::Running => "Syncs that run now, in all workers.",
        Figure::Oldest => "Time that the oldest ready job has waited.",
        Figure::Host(_) => "Half of the host's attempts in the last hour took no longer.",
        Figure::Next(_) => "The time until the next attempt.",
        Figure::Disk => "Size of the store, and how it has changed in a day.",
    }
}

/// Returns the name of a section, and those of its two columns.
pub(super) const fn heading(section: Section) -> [&'static str; 3] {
    match section {
        Section::Throughput => ["throughput", "hour", "day"],
        Section::Results => ["results", "hour", "day"],
        Section::Latency => ["latency", "hour", "day"],
        Section::Queue => ["queue", "now", "day's most"],
        Section::Slowest => ["slowest hosts", "median", "attempts"],
        Section::Next => ["next due", "in", ""],
        Section::Disk => ["disk", "now", "a day"],
    }
}

/// Returns the name of a figure.
pub(super) fn name(data: &DashboardData, figure: &Figure) -> String {
    let fixed = match figure {
        Figure::Attempts => "attempts",
        Figure::Updated => "updated",
        Figure::Unchanged => "unchanged",
        Figure::Failed => "failed",
        Figure::Retrying => "retrying",
        Figure::Lost => "worker lost",
        Figure::Median => "half within",
        Figure::Slow => "95 % within",
        Figure::Ready => "ready",
        Figure::Running => "running",
        Figure::Oldest => "oldest waits",
        Figure::Disk => "store",
        Figure::Host(host) => return host.to_string(),
        Figure::Next(id) => {
            let row = data.figures.next.iter().find(|row| row.id == *id);
            return row.map_or_else(String::new, |row| {
                let name = if row.name.is_empty() { &row.url } else { &row.name };
                name.to_string()
            });
        }
    };
    fixed.to_owned()
}

/// Returns the tone of a figure's line in charts.
pub(super) const fn tone(figure: &Figure) -> Tone {
    match figure {
        Figure::Updated => Tone::Good,
        Figure::Failed => Tone::Failed,
        Figure::Retrying | Figure::Slow | Figure::Oldest => Tone::Waiting,
        Figure::Lost => Tone::Lost,
        Figure::Unchanged | Figure::Disk => Tone::Plain,
        _ => Tone::Accent,
    }
}

/// Returns the value of a figure in a slot, for charts; `None` where it is not known. Hosts and documents have the
/// attempts of all.
pub(super) fn value(figure: &Figure, sample: &MinuteSample) -> Option<f64> {
    let results = sample.results;
    Some(match figure {
        Figure::Attempts | Figure::Host(_) | Figure::Next(_) => results.attempts() as f64,
        Figure::Updated => results.updated() as f64,
        Figure::Unchanged => results.unchanged() as f64,
        Figure::Failed => results.failed() as f64,
        Figure::Retrying => results.retrying() as f64,
        Figure::Lost => results.lost() as f64,
        Figure::Median => sample.durations.quantile(0.5)?.as_secs_f64(),
        Figure::Slow => sample.durations.quantile(SLOW_SHARE)?.as_secs_f64(),
        Figure::Ready => sample.queue?.ready as f64,
        Figure::Running => sample.queue?.running as f64,
        Figure::Oldest => sample.queue?.oldest.unwrap_or_default().as_secs_f64(),
        Figure::Disk => sample.disk? as f64,
    })
}

/// Returns a value of a figure as text.
pub(super) fn in_words(figure: &Figure, value: f64) -> String {
    match figure {
        Figure::Median | Figure::Slow | Figure::Oldest => seconds(Duration::from_secs_f64(value.max(0.0))),
        Figure::Disk => format::bytes(value.max(0.0) as u64),
        _ => format::short_number(value.max(0.0).round() as u64, 7),
    }
}

/// Returns a duration with the unit that fits: `120 ms`, `2.4 s`, `12m`.
fn seconds(of: Duration) -> String {
    match of.as_millis() {
        0..1_000 => format!("{} ms", of.as_millis()),
        1_000..60_000 => format!("{:.1} s", of.as_secs_f64()),
        _ => format::age(of),
    }
}

/// Returns the two values of a figure's row.
pub(super) fn values(model: &Model, data: &DashboardData, figure: &Figure) -> [String; 2] {
    let none = || model.glyphs.none.to_owned();
    let of = |sample: &MinuteSample| value(figure, sample).map_or_else(none, |value| in_words(figure, value));
    match figure {
        Figure::Ready | Figure::Running | Figure::Oldest => {
            let now = MinuteSample { queue: Some(data.figures.queue), ..MinuteSample::default() };
            let mut most = data.day_total.clone();
            most.merge(&now);
            [of(&now), of(&most)]
        }
        Figure::Host(host) => {
            let slow = data.figures.slowest.iter().find(|slow| slow.host == *host);
            slow.map_or_else(Default::default, |slow| [seconds(slow.median), format::number(slow.attempts)])
        }
        Figure::Next(id) => {
            let row = data.figures.next.iter().find(|row| row.id == *id);
            let at = row.and_then(|row| row.next_attempt_at);
            let left = at.map_or_else(none, |at| match at <= model.now {
                true => "now".to_owned(),
                false => format::countdown(at.since(model.countdown_time())),
            });
            [left, String::new()]
        }
        Figure::Disk => {
            let first = data.day.iter().flatten().find_map(|slot| slot.disk);
            let change = first.map_or_else(none, |first| {
                let (sign, by) = match data.figures.disk.checked_sub(first) {
                    Some(more) => ("+", more),
                    None => ("-", first - data.figures.disk),
                };
                format!("{sign}{}", format::bytes(by))
            });
            [format::bytes(data.figures.disk), change]
        }
        _ => [of(&data.hour_total), of(&data.day_total)],
    }
}
