//! The terminal's life: entered, given back on every way out, suspended and taken again.

use super::runtime::Outside;
use super::{clipboard, opener};
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use rustix::process::{Signal, getpid, kill_process};
use std::cell::Cell;
use std::io::{self, IsTerminal, Stdout, Write, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

thread_local! {
    /// This thread draws: its panic ends the console, and nobody else's does.
    static DRAWS: Cell<bool> = const { Cell::new(false) };
}
/// The screen is ours now, so nothing else may be written on it.
static ENTERED: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// Whether colours are unwanted: `NO_COLOR` is set and not empty.
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// A screen to draw on.
pub fn screen() -> io::Result<Terminal<CrosstermBackend<Stdout>>> {
    Terminal::new(CrosstermBackend::new(stdout()))
}

/// The terminal while it is ours. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Guard(());

impl Guard {
    /// Takes the terminal for this thread.
    pub fn enter() -> io::Result<Self> {
        if !stdout().is_terminal() {
            return Err(io::Error::other("the console needs a terminal; standard output is none"));
        }
        if no_color() {
            // crossterm 0.29 writes `ESC [ ; m` for a colour under NO_COLOR, which also takes reverse video away, and
            // with it the cursor row. Our own monochrome theme has no colours to write.
            crossterm::style::force_color_output(true);
        }
        DRAWS.set(true);
        HOOK.call_once(install_hook);
        let guard = Self(());
        enter()?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // There is nobody left to tell.
        let _ = leave();
        DRAWS.set(false);
    }
}

impl Outside for Guard {
    fn copy(&mut self, text: &str, what: &str) -> Result<String, String> {
        let sequence = clipboard::sequence(text, std::env::var_os("TMUX").is_some())?;
        let mut out = stdout();
        out.write_all(sequence.as_bytes()).and_then(|()| out.flush()).map_err(|error| error.to_string())?;
        Ok(format!("copied the {what} through the terminal (OSC 52)"))
    }

    fn open(&mut self, url: &str) -> Result<String, String> {
        opener::open(url)
    }

    fn suspend(&mut self) -> io::Result<()> {
        leave()?;
        // STOP cannot be caught: the process rests here until somebody continues it.
        kill_process(getpid(), Signal::STOP)?;
        enter()
    }

    fn resume(&mut self) -> io::Result<()> {
        enter()
    }

    fn frame_begins(&mut self) -> io::Result<()> {
        queue!(stdout(), BeginSynchronizedUpdate)
    }

    fn frame_ends(&mut self) -> io::Result<()> {
        execute!(stdout(), EndSynchronizedUpdate)
    }
}

fn enter() -> io::Result<()> {
    ENTERED.store(true, Ordering::Release);
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide, Clear(ClearType::All))
}

fn leave() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::AcqRel) {
        return Ok(());
    }
    // Both, whatever the first says: a terminal that is half given back is the worse one.
    let screen = execute!(stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    disable_raw_mode().and(screen)
}

fn install_hook() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if DRAWS.get() {
            let _ = leave();
            before(info);
        } else if ENTERED.load(Ordering::Acquire) {
            // A task of the runner: it is contained there, and the screen must stay whole.
            tracing::error!(panic = %info, "a task panicked");
        } else {
            before(info);
        }
    }));
}
