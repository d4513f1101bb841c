//! The loop: the only place that waits for several things. Keys come first, then the frame that is due, then news; a
//! frame is drawn at most every [`FRAME`], and only when the state says that the screen is out of date.

use super::effect::{Effect, Exit};
use super::model::Model;
use super::msg::Msg;
use super::perform::Performer;
use super::update::update;
use super::{refresh, view};
use crate::domain::time::Timestamp;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use futures_util::{Stream, StreamExt};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType};
use std::io;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// The shortest time between two frames.
pub const FRAME: Duration = Duration::from_millis(16);
/// Messages that are taken at a time.
const BATCH: usize = 256;
/// How long a suspend waits for the store to come to rest.
const REST: Duration = Duration::from_secs(3);

/// What comes from the terminal and the system.
#[derive(Debug)]
pub enum Input {
    /// A key, a paste, a new size.
    Terminal(Event),
    /// The process was interrupted.
    Interrupt,
    /// The process is to end.
    Terminate,
    /// The process is to be suspended.
    Suspend,
    /// The process was continued; somebody else may have used the terminal.
    Continued,
}

/// What a console does outside of store and runner.
pub trait Outside {
    /// Puts text on the clipboard; the word says what it is. What to tell the person.
    fn copy(&mut self, text: &str, what: &str) -> Result<String, String>;
    /// Opens a page. What to tell the person.
    fn open(&mut self, url: &str) -> Result<String, String>;
    /// Gives the terminal back, stops the process, and takes the terminal again when it was continued.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()>;
    /// What is written from here on is one frame, to be shown when it is whole.
    fn frame_begins(&mut self) -> io::Result<()>;
    /// The frame is whole.
    fn frame_ends(&mut self) -> io::Result<()>;
}

/// How a loop ended.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub exit: Exit,
    /// The last state.
    pub model: Model,
    /// Frames that were drawn.
    pub draws: u64,
}

/// What a round leaves to be done by the loop itself.
enum Turn {
    Go,
    /// The process is to be suspended.
    Suspend,
    End(Exit),
}

/// Runs until an effect ends it. `clock` is the store's. A terminal that does not take what is drawn is lost: that ends
/// it too, in order, with [`Exit::Left`].
///
/// # Errors
/// When not even that can be done.
pub async fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    mut input: impl Stream<Item = Input> + Unpin,
    outside: &mut impl Outside,
    performer: &Performer,
    inbox: &mut mpsc::Receiver<Msg>,
    model: Model,
    clock: impl Fn() -> Timestamp,
) -> io::Result<Ended> {
    let mut round = Round { model, dirty: true, clock, performer, outside, terminal };
    let mut draws = 0;
    let mut frame_at = Instant::now();
    let mut wake_at = frame_at;
    let mut batch = Vec::with_capacity(BATCH);
    let mut turn = round.step(Msg::Start)?;
    loop {
        match turn {
            Turn::Go => {}
            Turn::End(exit) => return Ok(Ended { exit, model: round.model, draws }),
            Turn::Suspend => {
                // A database that does not come to rest must not keep the person from the shell.
                let rest = timeout(REST, performer.at_rest()).await;
                round.suspend()?;
                drop(rest);
            }
        }
        let taken = tokio::select! { biased;
            event = input.next() => round.input(event),
            () = sleep_until(frame_at), if round.dirty => {
                draws += 1;
                let drawn = round.draw();
                frame_at = Instant::now() + FRAME;
                wake_at = frame_at + refresh::next(&round.model).since(round.model.now);
                drawn
            }
            taken = inbox.recv_many(&mut batch, BATCH) => {
                let mut turn = Ok(Turn::Go);
                for msg in batch.drain(..) {
                    if matches!(turn, Ok(Turn::Go)) {
                        turn = round.step(msg);
                    }
                }
                // The performer holds a sender, so this cannot be before the loop's own end.
                if taken == 0 { Ok(Turn::End(Exit::Left)) } else { turn }
            }
            () = sleep_until(wake_at), if !round.dirty => round.step(Msg::Wake),
        };
        turn = match taken {
            Ok(turn) => turn,
            Err(error) => {
                tracing::warn!(%error, "the terminal is lost");
                round.step(Msg::Terminate)?
            }
        };
    }
}

/// The parts of a loop that its branches share.
struct Round<'a, B: Backend, O, C> {
    model: Model,
    dirty: bool,
    clock: C,
    performer: &'a Performer,
    outside: &'a mut O,
    terminal: &'a mut Terminal<B>,
}

impl<B: Backend, O: Outside, C: Fn() -> Timestamp> Round<'_, B, O, C> {
    fn input(&mut self, input: Option<Input>) -> io::Result<Turn> {
        match input {
            Some(Input::Terminal(Event::Key(key))) => self.step(Msg::Key(key)),
            Some(Input::Terminal(Event::Paste(text))) => self.step(Msg::Paste(text)),
            Some(Input::Terminal(Event::Resize(width, height))) => {
                // Also when the size is the one before: it may have been another in between, and cut the screen.
                self.redraw()?;
                self.step(Msg::Resize(width, height))
            }
            Some(Input::Terminal(_)) => Ok(Turn::Go),
            Some(Input::Interrupt) => self.step(Msg::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))),
            Some(Input::Suspend) => Ok(Turn::Suspend),
            Some(Input::Continued) => {
                self.outside.resume()?;
                self.redraw()?;
                Ok(Turn::Go)
            }
            // No input ever again means that the terminal is gone.
            Some(Input::Terminate) | None => self.step(Msg::Terminate),
        }
    }

    fn step(&mut self, msg: Msg) -> io::Result<Turn> {
        let now = (self.clock)();
        let up = update(&mut self.model, now, msg);
        self.dirty |= up.redraw;
        let mut turn = Turn::Go;
        for effect in up.effects {
            match effect {
                Effect::End(exit) => turn = Turn::End(exit),
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => turn = Turn::Suspend,
                Effect::Copy(text, what) => {
                    let told = self.outside.copy(&text, what);
                    self.told(told);
                }
                Effect::Open(url) => {
                    let told = self.outside.open(&url);
                    self.told(told);
                }
                effect => self.performer.perform(effect),
            }
        }
        Ok(turn)
    }

    /// Tells what clipboard or browser said; that has no effects of its own.
    fn told(&mut self, told: Result<String, String>) {
        let now = (self.clock)();
        self.dirty |= update(&mut self.model, now, Msg::Told(told)).redraw;
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.outside.suspend()?;
        self.redraw()
    }

    /// The next frame is written whole.
    fn redraw(&mut self) -> io::Result<()> {
        wipe(self.terminal)?;
        self.dirty = true;
        Ok(())
    }

    fn draw(&mut self) -> io::Result<Turn> {
        let size = self.terminal.size().map_err(failed)?;
        if (size.width, size.height) != self.model.size {
            self.step(Msg::Resize(size.width, size.height))?;
        }
        self.model.now = self.model.now.max((self.clock)());
        let model = &self.model;
        self.outside.frame_begins()?;
        let drawn = self.terminal.draw(|frame| {
            if let Some(cursor) = view::draw(model, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        });
        drawn.map_err(failed)?;
        self.outside.frame_ends()?;
        self.dirty = false;
        Ok(Turn::Go)
    }
}

/// Wipes the screen and forgets what was on it, so that the next frame is written whole. Not `Terminal::clear`, which
/// asks the terminal where its cursor is, and one that is gone or busy never answers.
pub(super) fn wipe<B: Backend>(terminal: &mut Terminal<B>) -> io::Result<()> {
    terminal.backend_mut().clear_region(ClearType::All).map_err(failed)?;
    terminal.swap_buffers();
    terminal.swap_buffers();
    Ok(())
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
