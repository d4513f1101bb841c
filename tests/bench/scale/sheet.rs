//! The figures of a run: samples of one or two programs, their medians, goals and ratios, as a table and as JSON.

use super::groups::Group;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Limit of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtMost(f64),
    AtLeast(f64),
}

impl Goal {
    const fn limit(self) -> f64 {
        match self {
            Self::AtMost(limit) | Self::AtLeast(limit) => limit,
        }
    }

    /// Returns how much of the goal is used up: up to 1 if the goal is met.
    fn used(self, value: f64) -> f64 {
        match self {
            Self::AtMost(limit) => value / limit,
            Self::AtLeast(limit) => limit / value,
        }
    }
}

/// Row of the table, without its samples.
#[derive(Clone, Debug)]
pub struct Figure {
    group: Group,
    name: String,
    unit: &'static str,
    goal: Option<Goal>,
}

impl Figure {
    /// Makes a row without a goal.
    pub fn new(group: Group, name: impl Into<String>, unit: &'static str) -> Self {
        Self { group, name: name.into(), unit, goal: None }
    }

    /// Sets the greatest value that meets the goal.
    pub fn at_most(self, limit: f64) -> Self {
        Self { goal: Some(Goal::AtMost(limit)), ..self }
    }

    /// Sets the least value that meets the goal.
    pub fn at_least(self, limit: f64) -> Self {
        Self { goal: Some(Goal::AtLeast(limit)), ..self }
    }

    /// Sets the greatest value that meets the goal, if there is one.
    pub fn at_most_if(self, limit: Option<f64>) -> Self {
        Self { goal: limit.map(Goal::AtMost), ..self }
    }
}

struct Row {
    figure: Figure,
    /// The samples of each program.
    samples: Vec<Vec<f64>>,
}

impl Row {
    fn value(&self, subject: usize) -> Option<f64> {
        self.samples.get(subject).and_then(|samples| median(samples))
    }

    fn ratio(&self) -> Option<f64> {
        Some(self.value(0)? / self.value(1)?)
    }
}

/// Returns the median; of an even number of samples the lower one of the two in the middle, which is a measured value.
fn median(samples: &[f64]) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// All figures of a run, in the order in which they were first measured.
#[derive(Default)]
pub struct Sheet {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Sheet {
    /// Adds a sample of the program with this index.
    pub fn add(&mut self, subject: usize, figure: Figure, value: f64) {
        let known = self.rows.iter().position(|row| row.figure.group == figure.group && row.figure.name == figure.name);
        let index = known.unwrap_or_else(|| {
            self.rows.push(Row { figure, samples: Vec::new() });
            self.rows.len() - 1
        });
        let samples = &mut self.rows[index].samples;
        samples.resize(samples.len().max(subject + 1), Vec::new());
        samples[subject].push(value);
    }

    /// Returns the median of a figure of the program with this index.
    pub fn value(&self, group: Group, name: &str, subject: usize) -> Option<f64> {
        self.rows.iter().find(|row| row.figure.group == group && row.figure.name == name)?.value(subject)
    }

    /// Adds a line below the table: a figure that is missing, and why.
    pub fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        eprintln!("note: {note}");
        self.notes.push(note);
    }

    /// Adds a line below the table unless it is there.
    pub fn note_once(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.note(note);
        }
    }

    /// Formats the table.
    pub fn text(&self) -> String {
        let compares = self.rows.iter().any(|row| row.samples.len() > 1);
        let width = self.rows.iter().map(|row| row.figure.name.chars().count()).max().unwrap_or(0);
        let mut text = format!("{:width$} {:>12} {:<8} {:>10} {:>8}", "", "value", "", "goal", "of goal");
        text.push_str(if compares { "       before    ratio\n" } else { "\n" });
        let mut group = None;
        for row in &self.rows {
            if group != Some(row.figure.group) {
                group = Some(row.figure.group);
                let _ = writeln!(text, "{}", row.figure.group.title());
            }
            let value = row.value(0);
            let goal = row.figure.goal;
            let _ = write!(
                text,
                "{:width$} {:>12} {:<8} {:>10} {:>8}",
                row.figure.name,
                value.map_or_else(|| "-".to_owned(), number),
                row.figure.unit,
                goal.map_or_else(String::new, |goal| number(goal.limit())),
                value.zip(goal).map_or_else(String::new, |(value, goal)| format!("{:.2}", goal.used(value))),
            );
            if compares {
                let before = row.value(1).map_or_else(|| "-".to_owned(), number);
                let ratio = row.ratio().map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
                let _ = write!(text, " {before:>12} {ratio:>8}");
            }
            text.truncate(text.trim_end().len());
            text.push('\n');
        }
        for note in &self.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text
    }

    /// Returns the figures as JSON.
    pub fn json(&self) -> Value {
        let figures = self.rows.iter().map(|row| {
            let goal = row.figure.goal;
            json!({
                "group": row.figure.group.word(),
                "name": row.figure.name,
                "unit": row.figure.unit,
                "value": row.value(0),
                "samples": row.samples.first(),
                "goal": goal.map(Goal::limit),
                "goal_is": goal.map(|goal| if matches!(goal, Goal::AtMost(_)) { "at most" } else { "at least" }),
                "of_goal": row.value(0).zip(goal).map(|(value, goal)| goal.used(value)),
                "before": row.value(1),
                "before_samples": row.samples.get(1),
                "ratio": row.ratio(),
            })
        });
        json!({ "figures": figures.collect::<Vec<_>>(), "notes": self.notes })
    }
}

/// Formats a number with three significant digits, or all of its digits before the point.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        value => (2.0 - value.log10().floor()).clamp(0.0, 6.0) as usize,
    };
    format!("{value:.digits$}")
}
