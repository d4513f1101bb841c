//! Progress of a long verb on stderr, with rate and time left: only on a terminal, and only once the verb has taken a
//! moment. [`ProgressMeter`] is the pure part.

use super::output;
use super::style::is_dumb;
use crate::domain::text::fit;
use crate::format;
use std::collections::VecDeque;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// A verb that ends sooner shows no progress.
const FIRST_SHOWN: Duration = Duration::from_millis(500);
pub(super) const REDRAW_INTERVAL: Duration = Duration::from_millis(100);
/// The rate is that of this time, so that it follows changes but does not jump.
const RATE_WINDOW: Duration = Duration::from_secs(10);
/// Cells of the bar, without its brackets.
const BAR_CELLS: usize = 24;
/// Width for which the line is cut where the terminal's is not known.
const DEFAULT_WIDTH: usize = 80;

/// True while the last line of the terminal is a progress line.
static IS_SHOWN: AtomicBool = AtomicBool::new(false);

/// Removes the progress line, if one is shown, so that a message can take its place.
pub(super) fn clear() {
    if IS_SHOWN.swap(false, Ordering::Relaxed) {
        let _ = write!(io::stderr(), "\r\x1b[K");
    }
}

/// Shows a progress line in place of the one before, if there is a terminal and the user wants it.
pub(super) fn show(line: &str) {
    if is_visible() {
        draw(line);
    }
}

/// Returns true if stderr is a terminal that can show the line, and the user wants it.
fn is_visible() -> bool {
    io::stderr().is_terminal() && !is_dumb() && !output::is_quiet()
}

fn draw(line: &str) {
    let columns = terminal_width().unwrap_or(DEFAULT_WIDTH);
    // A line that fills the last column would wrap on some terminals.
    let _ = write!(io::stderr(), "\r\x1b[K{}", fit(line, columns.saturating_sub(1)));
    IS_SHOWN.store(true, Ordering::Relaxed);
}

/// Decides when a progress line is drawn anew. The line goes when this is dropped.
#[derive(Debug)]
pub(super) struct Redraw {
    next: Instant,
    is_visible: bool,
}

impl Redraw {
    /// Starts with a line that is due after `first`.
    pub(super) fn after(first: Duration) -> Self {
        Self { next: Instant::now() + first, is_visible: is_visible() }
    }

    /// Draws the line that `line` returns, if one is due.
    pub(super) fn draw(&mut self, line: impl FnOnce() -> String) {
        let now = Instant::now();
        if self.is_visible && now >= self.next {
            self.next = now + REDRAW_INTERVAL;
            draw(&line());
        }
    }
}

impl Drop for Redraw {
    fn drop(&mut self) {
        clear();
    }
}

/// Progress of a verb. The line goes when this is dropped.
#[derive(Debug)]
pub(super) struct ProgressLine {
    meter: ProgressMeter,
    started: Instant,
    redraw: Redraw,
}

impl ProgressLine {
    /// Starts at nothing of `total`, or of an unknown number. `what` names the things that are counted, in the plural, and
    /// perhaps what is done to them: `documents`, `lines read`.
    pub(super) fn start(what: &'static str, total: Option<u64>) -> Self {
        let meter = ProgressMeter::new(what, total);
        Self { meter, started: Instant::now(), redraw: Redraw::after(FIRST_SHOWN) }
    }

    /// Counts `by` more things as done.
    pub(super) fn advance(&mut self, by: u64) {
        self.meter.done += by;
        self.redraw.draw(|| self.meter.line(self.started.elapsed()));
    }
}

/// Returns the width of the terminal on stderr.
fn terminal_width() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(io::stderr()).ok()?;
    Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
}

/// Counts what is done, and computes rate and time left.
#[derive(Debug)]
pub(super) struct ProgressMeter {
    what: &'static str,
    total: Option<u64>,
    done: u64,
    /// Numbers done at times since the start, of the last [`RATE_WINDOW`]; the oldest first.
    samples: VecDeque<(Duration, u64)>,
}

impl ProgressMeter {
    fn new(what: &'static str, total: Option<u64>) -> Self {
        Self { what, total, done: 0, samples: VecDeque::from([(Duration::ZERO, 0)]) }
    }

    /// Returns the line at a time since the start: `[=====     ] 1,200 of 5,000 documents  340/s  12 s left`.
    fn line(&mut self, at: Duration) -> String {
        self.samples.push_back((at, self.done));
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(then, _)| *then + RATE_WINDOW < at) {
            self.samples.pop_front();
        }
        let rate = self.rate();
        let (done, what) = (format::number(self.done), self.what);
        let mut line = match self.total {
            Some(total) => format!("{} {done} of {} {what}", bar(self.done, total), format::number(total)),
            None => format!("{done} {what}"),
        };
        if rate > 0.0 {
            line.push_str(&format!("  {}", format::rate(rate)));
            if let Some(left) = self.total.and_then(|total| total.checked_sub(self.done)).filter(|left| *left > 0) {
                line.push_str(&format!("  {}", time_left(left, rate)));
            }
        }
        line
    }

    /// Returns the things that are done per second.
    fn rate(&self) -> f64 {
        match (self.samples.front(), self.samples.back()) {
            (Some((from, before)), Some((to, after))) if to > from => {
                after.saturating_sub(*before) as f64 / (*to - *from).as_secs_f64()
            }
            _ => 0.0,
        }
    }
}

/// Returns the time in which `left` things are done at `rate` a second, above 0: `12 s left`.
pub(super) fn time_left(left: u64, rate: f64) -> String {
    let seconds = (left as f64 / rate).min(1e9).ceil() as u64;
    format!("{} left", format::duration(Duration::from_secs(seconds)))
}

/// Returns a bar such as `[=====     ]`, but longer.
pub(super) fn bar(done: u64, total: u64) -> String {
    let cells = BAR_CELLS as u64;
    let filled = (done.min(total) * cells).checked_div(total).unwrap_or(cells);
    let filled = usize::try_from(filled).unwrap_or(BAR_CELLS);
    format!("[{}{}]", "=".repeat(filled), " ".repeat(BAR_CELLS - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_rate_and_time_left() {
        let mut meter = ProgressMeter::new("documents", Some(5_000));
        meter.done = 1_250;
        let line = meter.line(Duration::from_secs(5));
        assert_eq!(line, "[======                  ] 1,250 of 5,000 documents  250/s  15 s left");
        // Slower since then: the rate is that of the last seconds alone.
        for (at, done) in [(10, 1_300), (20, 1_400), (30, 1_500), (40, 1_600)] {
            meter.done = done;
            let _ = meter.line(Duration::from_secs(at));
        }
        assert!(meter.line(Duration::from_secs(40)).contains("  10/s  5 min left"), "{:?}", meter.samples);
        meter.done = 5_000;
        assert!(!meter.line(Duration::from_secs(31)).contains("left"), "nothing is left");
    }

    #[test]
    fn without_a_total_there_is_no_bar() {
        let mut meter = ProgressMeter::new("lines read", None);
        assert_eq!(meter.line(Duration::ZERO), "0 lines read");
        meter.done = 12_000;
        assert_eq!(meter.line(Duration::from_secs(2)), "12,000 lines read  6000/s");
    }

    #[test]
    fn a_bar_is_full_at_the_end_and_for_nothing() {
        assert_eq!(bar(0, 2), format!("[{}]", " ".repeat(24)));
        assert_eq!(bar(1, 2), format!("[{}{}]", "=".repeat(12), " ".repeat(12)));
        for (done, total) in [(2, 2), (3, 2), (0, 0)] {
            assert_eq!(bar(done, total), format!("[{}]", "=".repeat(24)));
        }
    }
}
