//! The console's loop, the only place that waits for several things. Keys have priority, then the frame that is due,
//! then messages. A frame is drawn at most every [`FRAME`], and only when the screen is out of date.

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

/// Shortest time between two frames.
pub const FRAME: Duration = Duration::from_millis(16);
/// Maximum number of messages handled in one round of the loop.
const BATCH: usize = 256;
/// Time limit of a suspend for the store to finish its writes.
const REST: Duration = Duration::from_secs(3);

/// Input from the terminal and the operating system.
#[derive(Debug)]
pub enum Input {
    Terminal(Event),
    Interrupt,
    Terminate,
    Suspend,
    /// The process was continued; another program may have used the terminal meanwhile.
    Continued,
}

/// The console's access to terminal, clipboard and browser; tests have their own.
pub trait Outside {
    /// Copies text to the clipboard. `what` names the text, such as `URL`. Both results are a sentence for the person.
    fn copy(&mut self, text: &str, what: &str) -> Result<String, String>;
    /// Opens a page in a browser. Both results are a sentence for the person.
    fn open(&mut self, url: &str) -> Result<String, String>;
    /// Restores the terminal, stops the process, and takes the terminal again once the process is continued.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again, after a continue.
    fn resume(&mut self) -> io::Result<()>;
    /// Begins a frame: the terminal shows what is written from here on only once the frame is complete.
    fn frame_begins(&mut self) -> io::Result<()>;
    /// Ends the frame.
    fn frame_ends(&mut self) -> io::Result<()>;
}

/// The result of a loop.
#[derive(Debug)]
pub struct Ended {
    pub exit: Exit,
    pub model: Model,
    /// Number of frames drawn.
    pub draws: u64,
}

/// The next step of the loop, as a handled input or message decides it.
enum Turn {
    Go,
    Suspend,
    End(Exit),
}

/// Runs the loop until an effect ends it. `clock` is the store's. A terminal that cannot be written is lost: this ends
/// the loop with [`Exit::Left`] after the usual steps.
///
/// # Errors
/// Fails when those steps fail as well.
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
                // The time limit keeps a database that does not finish from keeping the person from the shell.
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
                // Cannot happen before the loop ends, since the performer owns a sender.
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

/// The state that the branches of the loop share.
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
                // Redraws even if the size is unchanged: a smaller size in between may have cut the screen.
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
            // The end of the input means that the terminal is lost.
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

    /// Shows the result of copying or opening; this causes no effects.
    fn told(&mut self, told: Result<String, String>) {
        let now = (self.clock)();
        self.dirty |= update(&mut self.model, now, Msg::Told(told)).redraw;
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.outside.suspend()?;
        self.redraw()
    }

    /// Clears the screen, so that the next frame is written in full.
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

/// Clears the screen and ratatui's memory of it, so that the next frame is written in full. `Terminal::clear` is no
/// option: it asks the terminal for its cursor position, which a lost or busy terminal never answers.
pub(super) fn wipe<B: Backend>(terminal: &mut Terminal<B>) -> io::Result<()> {
    terminal.backend_mut().clear_region(ClearType::All).map_err(failed)?;
    terminal.swap_buffers();
    terminal.swap_buffers();
    Ok(())
}

fn failed(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
