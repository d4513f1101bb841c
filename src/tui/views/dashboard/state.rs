//! State of the dashboard: its figures, in sections, and the minutes that they come from.

use crate::domain::id::DocumentId;
use crate::domain::sample::{MINUTE, MinuteSample, slots, total};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::variant_list;
use crate::store::DashboardFigures;
use crate::tui::model::reads::MIN_TIMED_INTERVAL;
use crate::tui::table::state::{RowSpan, TableData, TableState};
use std::time::Duration;

/// Slots of the hour: one a minute.
pub const HOUR_SLOTS: usize = 60;
/// Slots of the day: one for 15 minutes.
pub const DAY_SLOTS: usize = 96;

/// The table behind the dashboard.
pub type DashboardTable = TableState<DashboardData>;

variant_list! {
    /// A section of the dashboard.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Section {
        Throughput,
        Results,
        Latency,
        Queue,
        Slowest,
        Next,
        Disk,
    }
}

/// A figure, which is a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Figure {
    Attempts,
    Updated,
    Unchanged,
    Failed,
    Retrying,
    Lost,
    /// The duration that half of the attempts do not exceed.
    Median,
    /// The duration that 95 % of the attempts do not exceed.
    Slow,
    Ready,
    Running,
    Oldest,
    /// The median duration of a slow host.
    Host(SafeLine),
    /// The next attempt of a document.
    Next(DocumentId),
    Disk,
}

impl Figure {
    /// Returns the section that the figure is in.
    pub const fn section(&self) -> Section {
        match self {
            Self::Attempts => Section::Throughput,
            Self::Updated | Self::Unchanged | Self::Failed | Self::Retrying | Self::Lost => Section::Results,
            Self::Median | Self::Slow => Section::Latency,
            Self::Ready | Self::Running | Self::Oldest => Section::Queue,
            Self::Host(_) => Section::Slowest,
            Self::Next(_) => Section::Next,
            Self::Disk => Section::Disk,
        }
    }
}

/// The figures, and the samples by the hour and by the day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DashboardData {
    pub figures: DashboardFigures,
    /// The minutes of the last hour, oldest first; `None` for one that is not known.
    pub hour: Vec<Option<MinuteSample>>,
    /// The quarters of an hour of the last day, oldest first; `None` for one that is not known.
    pub day: Vec<Option<MinuteSample>>,
    pub hour_total: MinuteSample,
    pub day_total: MinuteSample,
    /// The rows, in the order on the screen.
    pub rows: Vec<Figure>,
}

impl DashboardData {
    /// Groups what was read at `now`.
    pub fn new(figures: DashboardFigures, now: Timestamp) -> Self {
        let hour = slots(&figures.minutes, now, HOUR_SLOTS, MINUTE);
        let day = slots(&figures.minutes, now, DAY_SLOTS, MINUTE * 15);
        let mut rows = vec![
            Figure::Attempts,
            Figure::Updated,
            Figure::Unchanged,
            Figure::Failed,
            Figure::Retrying,
            Figure::Lost,
            Figure::Median,
            Figure::Slow,
            Figure::Ready,
            Figure::Running,
            Figure::Oldest,
        ];
        rows.extend(figures.slowest.iter().map(|slow| Figure::Host(slow.host.clone())));
        rows.extend(figures.next.iter().map(|row| Figure::Next(row.id)));
        rows.push(Figure::Disk);
        let (hour_total, day_total) = (total(&hour), total(&day));
        Self { figures, hour, day, hour_total, day_total, rows }
    }

    /// Returns the lines: a heading for each section that has rows, and the rows.
    pub fn lines(&self) -> Vec<DashboardLine<'_>> {
        let mut lines = Vec::new();
        let mut section = None;
        for (index, figure) in self.rows.iter().enumerate() {
            if section != Some(figure.section()) {
                section = Some(figure.section());
                lines.push(DashboardLine::Heading(figure.section()));
            }
            lines.push(DashboardLine::Figure(index, figure));
        }
        lines
    }
}

/// A line of the dashboard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DashboardLine<'a> {
    Heading(Section),
    /// A figure with its index.
    Figure(usize, &'a Figure),
}

impl TableData for DashboardData {
    type Key = Figure;
    // A read takes all samples of a day.
    const MIN_READ_INTERVAL: Duration = Duration::from_secs(2);

    fn keys(&self) -> Vec<Figure> {
        self.rows.clone()
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn changes_at(&self, read_at: Timestamp) -> Option<Timestamp> {
        Some(read_at.plus(MIN_TIMED_INTERVAL))
    }

    fn span(&self, index: usize) -> Option<RowSpan> {
        let lines = self.lines();
        let last = lines.iter().position(|line| matches!(line, DashboardLine::Figure(at, _) if *at == index))?;
        let is_first = last > 0 && matches!(lines[last - 1], DashboardLine::Heading(_));
        Some(RowSpan { first: last - usize::from(is_first), last, total: lines.len() })
    }
}

impl TableState<DashboardData> {
    /// Returns the figure under the cursor.
    pub fn figure(&self) -> Option<&Figure> {
        self.data.rows.get(self.cursor_index)
    }
}
