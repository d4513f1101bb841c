//! Takes the terminal for the console and restores it when the console ends, panics or is suspended.

mod backend;

use super::events::KeyReading;
use super::model::Model;
use super::pager;
use super::plain::Narrator;
use super::runtime::Platform;
use super::{clipboard, opener};
pub use backend::ClusterBackend;
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use rustix::process::{Signal, getpid, kill_process};
use std::cell::Cell;
use std::io::{self, IsTerminal, Write, sink, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::watch;

thread_local! {
    /// True on the thread that draws. Only a panic of that thread ends the console.
    static IS_DRAWING_THREAD: Cell<bool> = const { Cell::new(false) };
}
/// The console has taken the terminal, so nothing else may write to it.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// The console writes lines: nothing but raw mode is changed in the terminal.
static PLAIN: AtomicBool = AtomicBool::new(false);
static PANIC_HOOK: Once = Once::new();

/// Returns true if `NO_COLOR` is set and not empty.
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Returns columns and rows of the terminal on standard output, if there is one.
pub fn screen_size() -> Option<(u16, u16)> {
    // If standard output is no terminal, crossterm falls back to other sources, which may be other terminals.
    if stdout().is_terminal() { crossterm::terminal::size().ok() } else { None }
}

/// The screen on standard output.
pub type Screen = Terminal<ClusterBackend<Box<dyn Write + Send>>>;

/// Returns a screen that draws on standard output; if `plain`, one of the same size that draws nowhere.
pub fn screen(plain: bool) -> io::Result<Screen> {
    Terminal::new(ClusterBackend::new(if plain { Box::new(sink()) } else { Box::new(stdout()) }))
}

/// A guard for the terminal while the console has taken it. Dropping the guard restores the terminal.
#[derive(Debug)]
pub struct TerminalGuard {
    /// True while the console reads the terminal's keys.
    reads_keys: watch::Sender<bool>,
    /// Reports the console's state in lines; `None` in a console that draws.
    narrator: Option<Narrator>,
}

impl TerminalGuard {
    /// Takes the terminal, and records that this thread is the one that draws. Fails when standard output is no
    /// terminal.
    pub fn enter(plain: bool) -> io::Result<Self> {
        if !stdout().is_terminal() {
            return Err(io::Error::other("the console needs a terminal; standard output is not one"));
        }
        if no_color() {
            // Under NO_COLOR, crossterm 0.29 writes `ESC [ ; m` for a colour, which also ends reverse video and so
            // hides the cursor row. The monochrome theme writes no colours anyway.
            crossterm::style::force_color_output(true);
        }
        IS_DRAWING_THREAD.set(true);
        PANIC_HOOK.call_once(install_hook);
        PLAIN.store(plain, Ordering::Release);
        let guard = Self { reads_keys: watch::Sender::new(true), narrator: plain.then(Narrator::default) };
        enter()?;
        Ok(guard)
    }

    /// Writes lines to the terminal of a plain console, without control characters.
    pub(super) fn write_lines(&mut self, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for line in lines {
            // In raw mode a line feed alone does not return to the first column.
            text.extend(line.chars().filter(|c| !c.is_control()).chain("\r\n".chars()));
        }
        let mut out = stdout();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Returns whether the terminal's keys are to be read, now and later.
    pub(super) fn keys(&self) -> KeyReading {
        self.reads_keys.subscribe()
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        // The error cannot be reported any more.
        let _ = leave();
        IS_DRAWING_THREAD.set(false);
    }
}

impl Platform for TerminalGuard {
    fn copy(&mut self, text: &str, label: &str) -> Result<String, String> {
        if PLAIN.load(Ordering::Acquire) {
            return Ok(format!("{label}: {text}"));
        }
        let sequence = clipboard::sequence(text, std::env::var_os("TMUX").is_some())?;
        let mut out = stdout();
        out.write_all(sequence.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())?;
        Ok(format!("copied the {label} through the terminal (OSC 52)"))
    }

    fn open(&mut self, url: &str) -> Result<String, String> {
        opener::open(url)
    }

    fn page(&mut self, text: String) -> Result<Child, String> {
        self.reads_keys.send_replace(false);
        let started = leave().map_err(|error| error.to_string()).and_then(|()| pager::start(text));
        started.inspect_err(|_| {
            self.reads_keys.send_replace(true);
            // A terminal that cannot be taken again is lost, which the next frame finds out.
            let _ = enter();
        })
    }

    fn paged(&mut self, code: Option<i32>) -> io::Result<Option<String>> {
        enter()?;
        self.reads_keys.send_replace(true);
        self.repeat();
        Ok(pager::complaint(code))
    }

    fn stop(&mut self) -> io::Result<()> {
        // STOP cannot be caught: the process stops here until it is continued.
        Ok(kill_process(getpid(), Signal::STOP)?)
    }

    fn suspend(&mut self) -> io::Result<()> {
        leave()?;
        self.stop()?;
        self.repeat();
        enter()
    }

    fn resume(&mut self) -> io::Result<()> {
        self.repeat();
        enter()
    }

    fn frame_begins(&mut self) -> io::Result<()> {
        if PLAIN.load(Ordering::Acquire) { Ok(()) } else { queue!(stdout(), BeginSynchronizedUpdate) }
    }

    fn frame_ends(&mut self) -> io::Result<()> {
        if PLAIN.load(Ordering::Acquire) { Ok(()) } else { execute!(stdout(), EndSynchronizedUpdate) }
    }

    fn report(&mut self, model: &Model, asked: bool) -> io::Result<Option<Duration>> {
        let Some(narrator) = &mut self.narrator else { return Ok(None) };
        let lines = narrator.report(model, asked);
        let next = narrator.next(model.now);
        self.write_lines(&lines)?;
        Ok(next)
    }

    fn repeat(&mut self) {
        if let Some(narrator) = &mut self.narrator {
            narrator.repeat();
        }
    }
}

fn enter() -> io::Result<()> {
    ENTERED.store(true, Ordering::Release);
    enable_raw_mode()?;
    if PLAIN.load(Ordering::Acquire) {
        return Ok(());
    }
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))
}

fn leave() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    if PLAIN.load(Ordering::Acquire) {
        return disable_raw_mode();
    }
    // Disables raw mode even if the first step fails, so that as much as possible is restored.
    let screen = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    disable_raw_mode().and(screen)
}

fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if IS_DRAWING_THREAD.get() {
            let _ = leave();
            before(info);
        } else if ENTERED.load(Ordering::Acquire) {
            // A task on another thread panicked, such as one of the runner, which goes on. Printing the panic would
            // damage the screen.
            tracing::error!(panic = %info, "a task panicked");
        } else {
            before(info);
        }
    }));
}
