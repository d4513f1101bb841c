//! The console on a pseudo-terminal, over a large store: the time from a key to the new screen, and what it costs while
//! nothing happens.

use super::fill::{Filled, WORD, of_kind};
use super::groups::Group;
use super::harness::limit::lasts;
use super::pty::Terminal;
use super::sheet::Figure;
use super::subject::Run;
use portable_pty::CommandBuilder;
use std::time::{Duration, Instant};
use vt100::Screen;

/// Letters of the sort columns and their names in the title of the list.
const SORTS: [(char, &str); 8] = [
    ('s', "status"),
    ('d', "document"),
    ('u', "URL"),
    ('e', "last error"),
    ('a', "attempted"),
    ('y', "synced"),
    ('n', "next"),
    ('i', "arrival"),
];

/// Filters and their goals in milliseconds.
fn filters() -> [(String, f64); 2] {
    [("host:h7.test".to_owned(), 100.0), (WORD.to_owned(), 300.0)]
}

/// A word that is in the URL of every document, so that each letter's answer is a long list.
const COMMON: &str = "test";
/// Time between two keys of a person who types fast.
const EVERY_KEY: Duration = Duration::from_millis(100);
/// Time after the last key after which the console must do nothing any more.
const QUIET_AFTER: Duration = Duration::from_secs(1);

/// Times of typing a filter.
struct Typing {
    /// The longest time from a key until its letter was on the screen, in milliseconds.
    slowest: f64,
    /// The time from the last key until its rows were on the screen, in milliseconds.
    answer: f64,
    /// Processor time in the second that began a second after the last key, in seconds.
    busy_after: f64,
}

/// A running console of one program.
struct Session {
    terminal: Terminal,
}

impl Session {
    /// Starts a console that runs no jobs; returns it and the milliseconds until its rows are on the screen.
    fn start(program: &std::path::Path, store: &Filled) -> (Self, f64) {
        let mut command = CommandBuilder::new(program);
        command.arg("--no-runner");
        command.env_clear();
        for (name, value) in store.home.environment() {
            command.env(name, value);
        }
        let begun = Instant::now();
        let terminal = Terminal::spawn(200, 50, command);
        terminal.until("the rows", |screen| rows_are_drawn(screen, " by "));
        (Self { terminal }, millis(begun))
    }

    /// Presses keys; returns the milliseconds until the screen is as `is` tells.
    fn press(&mut self, keys: &str, what: &str, is: impl FnMut(&Screen) -> bool) -> f64 {
        let begun = Instant::now();
        self.terminal.keys(keys);
        self.terminal.until(what, is);
        millis(begun)
    }

    /// Sorts the list by a column in either direction.
    fn sort(&mut self, letter: char, column: &str, descending: bool) -> f64 {
        let (key, sign) = if descending { (letter.to_ascii_uppercase(), '↑') } else { (letter, '↓') };
        let title = format!(" by {column} {sign}");
        self.press(&format!(",{key}"), &title, |screen| rows_are_drawn(screen, &title))
    }

    /// Types a filter at ten keys a second, and removes it.
    async fn type_filter(&mut self, filter: &str) -> Typing {
        self.terminal.keys("/");
        let (mut slowest, mut answer) = (0.0_f64, 0.0);
        for length in 1..=filter.len() {
            let pressed = Instant::now();
            let (text, key) = (&filter[..length], &filter[length - 1..length]);
            let echo = self.press(key, text, |screen| prompt_has(screen, text));
            slowest = slowest.max(echo);
            if length < filter.len() {
                lasts(EVERY_KEY.saturating_sub(pressed.elapsed())).await;
                continue;
            }
            let title = format!(" match {filter} by ");
            self.terminal.until(&title, |screen| rows_are_drawn(screen, &title));
            answer = millis(pressed);
            lasts(QUIET_AFTER.saturating_sub(pressed.elapsed())).await;
        }
        let before = busy(self.terminal.pid());
        lasts(Duration::from_secs(1)).await;
        let busy_after = busy(self.terminal.pid()) - before;
        self.press("\x1b", "the whole list", |screen| {
            !screen.contents().contains(" match ") && rows_are_drawn(screen, " by ")
        });
        Typing { slowest, answer, busy_after }
    }

    /// Filters the list, and removes the filter.
    fn filter(&mut self, filter: &str) -> f64 {
        let title = format!(" match {filter} by ");
        let time = self.press(&format!("/{filter}\r"), &title, |screen| rows_are_drawn(screen, &title));
        self.press("\x1b", "the whole list", |screen| {
            !screen.contents().contains(" match ") && rows_are_drawn(screen, " by ")
        });
        time
    }
}

fn millis(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1e3
}

/// Returns true if the list has a title with this text and its rows are those of the title. While they are read, the
/// title has an ellipsis in place of their number.
fn rows_are_drawn(screen: &Screen, title: &str) -> bool {
    let text = screen.contents();
    text.lines()
        .find(|line| line.contains(" documents ") && line.contains(" by "))
        .is_some_and(|line| line.contains(title) && !line.contains("documents …") && !line.contains("sorting"))
}

/// Returns true if the line below the title of the filter's prompt has this text.
fn prompt_has(screen: &Screen, text: &str) -> bool {
    let contents = screen.contents();
    let mut lines = contents.lines().skip_while(|line| !line.contains("filter documents"));
    lines.nth(1).is_some_and(|line| line.contains(text))
}

/// Returns true if the view's table has been read.
fn view_is_drawn(screen: &Screen, name: &str) -> bool {
    let text = screen.contents();
    let title = format!(" {name} ");
    text.lines().find(|line| line.starts_with('╭') && line.contains(&title)).is_some_and(|line| {
        line.split(&title).nth(1).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Returns the processor time in seconds that the threads of a process have used.
fn busy(pid: i32) -> f64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    let times = threads.filter_map(|thread| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e9
}

/// Returns the memory of a process in MB.
fn memory(pid: i32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let kilobytes = text.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok());
    kilobytes.unwrap_or(0.0) / 1_024.0
}

/// Measures a console of every program on every store, in every round; it idles in the first round only.
pub async fn measure(run: &mut Run, filled: &[Filled]) -> Result<(), String> {
    for kind in run.stores.clone() {
        let stores = of_kind(filled, kind);
        for (turn, index) in run.turns().into_iter().enumerate() {
            let figure = |name: &str, unit| Figure::new(Group::Console, format!("{}, {name}", kind.name()), unit);
            let (mut session, time) = Session::start(&run.subjects[index].program, stores[index]);
            run.sheet.add(index, figure("start to rows", "ms").at_most(150.0), time);
            for (letter, column) in SORTS {
                // From an order that has other rows on the screen than each of the measured ones.
                session.sort('i', "arrival", true);
                let time = session.sort(letter, column, false);
                run.sheet.add(index, figure(&format!("sort by {column}"), "ms"), time);
            }
            for (filter, goal) in filters() {
                let time = session.filter(&filter);
                run.sheet.add(index, figure(&format!("filter {filter}"), "ms").at_most(goal), time);
            }
            for filter in [COMMON, WORD] {
                let typing = session.type_filter(filter).await;
                let figure = |what: &str, unit| figure(&format!("typing {filter}: {what}"), unit);
                run.sheet.add(index, figure("slowest letter", "ms").at_most(50.0), typing.slowest);
                run.sheet.add(index, figure("rows after the last key", "ms").at_most(300.0), typing.answer);
                let percent = typing.busy_after * 100.0;
                run.sheet.add(index, figure("a second later, of a core", "%").at_most(2.0), percent);
            }
            for (key, view) in [("4", "hosts"), ("5", "accounts")] {
                let time = session.press(key, view, |screen| view_is_drawn(screen, view));
                run.sheet.add(index, figure(&format!("view {key}, {view}"), "ms").at_most(200.0), time);
            }
            session.press("1", "the documents", |screen| rows_are_drawn(screen, " by "));
            let pid = session.terminal.pid();
            if turn < run.subjects.len() {
                let before = busy(pid);
                lasts(Duration::from_secs(run.options.idle)).await;
                let percent = (busy(pid) - before) / run.options.idle as f64 * 100.0;
                run.sheet.add(index, figure("idle, of a core", "%").at_most(0.2), percent);
            }
            run.sheet.add(index, figure("memory at the end", "MB").at_most(60.0), memory(pid));
            session.terminal.keys("q");
            session.terminal.ended();
        }
    }
    Ok(())
}
