//! The console's loop, which waits for input, messages and due redraws. Input has priority, then a frame that is due,
//! then messages, then the redraw deadline that `refresh` computes. After many inputs in a row, frames and messages go
//! first. A frame is drawn at most every [`FRAME_INTERVAL`], and only when the screen is out of date.

use super::effect::{Effect, ExitReason};
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
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

/// Shortest time between two frames.
pub const FRAME_INTERVAL: Duration = Duration::from_millis(16);
/// Maximum number of messages handled in one round of the loop.
const BATCH_LIMIT: usize = 256;
/// Number of inputs in a row after which a due frame and messages go first.
const INPUT_LIMIT: usize = 64;
/// Maximum time for which a suspend waits for the store to finish its writes.
const SUSPEND_TIMEOUT: Duration = Duration::from_secs(3);

/// Input from the terminal and the operating system.
#[derive(Debug)]
pub enum Input {
    Terminal(Event),
    /// So many keys and pasted texts were dropped, since they had waited for too long.
    Dropped(usize),
    Interrupt,
    Terminate,
    Suspend,
    /// The process was continued; another program may have used the terminal meanwhile.
    Continued,
}

/// The console's access to terminal, clipboard and browser. Tests have an implementation without them.
pub trait Platform {
    /// Copies `text` to the clipboard. `label` names the text for the person, such as `URL`. Result and error are
    /// sentences for the person.
    fn copy(&mut self, text: &str, label: &str) -> Result<String, String>;
    /// Opens a page in a browser. Result and error are sentences for the person.
    fn open(&mut self, url: &str) -> Result<String, String>;
    /// Gives the terminal to the person's pager, which shows `text`. The error is a sentence for the person.
    fn page(&mut self, text: String) -> Result<Child, String>;
    /// Takes the terminal again after the pager ended with this exit code. Returns a sentence for the person if it could
    /// not be started.
    fn paged(&mut self, code: Option<i32>) -> io::Result<Option<String>>;
    /// Stops the process until it is continued, and leaves the terminal as it is.
    fn stop(&mut self) -> io::Result<()>;
    /// Restores the terminal, stops the process, and takes the terminal again once the process is continued.
    fn suspend(&mut self) -> io::Result<()>;
    /// Takes the terminal again after the process was continued.
    fn resume(&mut self) -> io::Result<()>;
    /// Begins a frame: the terminal shows later output only when the frame ends, all at once.
    fn frame_begins(&mut self) -> io::Result<()>;
    /// Ends the frame, which the terminal then shows.
    fn frame_ends(&mut self) -> io::Result<()>;
    /// Reports the state in lines, if the console does not draw. `asked` is true if the person has pressed a key since
    /// the last time. Returns the time after which more is to be reported.
    fn report(&mut self, _model: &Model, _asked: bool) -> io::Result<Option<Duration>> {
        Ok(None)
    }
    /// Makes the next [`Platform::report`] report the whole view again.
    fn repeat(&mut self) {}
}

/// The result of the console's loop.
#[derive(Debug)]
pub struct RunResult {
    pub exit: ExitReason,
    pub model: Model,
    /// Number of frames drawn.
    pub draws: u64,
}

/// The next step of the loop, decided by the handling of an input or message.
enum LoopControl {
    Continue,
    Suspend,
    End(ExitReason),
}

/// Runs the loop until an effect ends it. `clock` returns the current time by the store's clock. When the terminal
/// cannot be read or written, it is lost: the loop handles that like [`Msg::Terminate`] and ends with
/// [`ExitReason::Left`].
///
/// # Errors
/// Fails when a suspend cannot restore the terminal or take it again.
pub async fn run<B: Backend>(
    terminal: &mut Terminal<B>,
    mut input: impl Stream<Item = Input> + Unpin,
    platform: &mut impl Platform,
    performer: &Performer,
    inbox: &mut mpsc::Receiver<Msg>,
    model: Model,
    clock: impl Fn() -> Timestamp,
) -> io::Result<RunResult> {
    let mut round = LoopState {
        model,
        dirty: true,
        asked: false,
        report_again: None,
        pager: None,
        clock,
        performer,
        platform,
        terminal,
    };
    let mut draws = 0;
    let mut frame_at = Instant::now();
    let mut wake_at = frame_at;
    let mut batch = Vec::with_capacity(BATCH_LIMIT);
    let mut control = round.step(Msg::Start)?;
    let mut inputs_in_row = 0;
    loop {
        match control {
            LoopControl::Continue => {}
            LoopControl::End(exit) => return Ok(RunResult { exit, model: round.model, draws }),
            LoopControl::Suspend => {
                // The time limit ensures that the person gets to the shell even if the database does not finish a
                // write.
                let rest = timeout(SUSPEND_TIMEOUT, performer.at_rest()).await;
                round.suspend()?;
                drop(rest);
            }
        }
        let may_draw = round.dirty && round.pager.is_none();
        let others_wait = !inbox.is_empty() || (may_draw && frame_at <= Instant::now());
        let takes_input = inputs_in_row < INPUT_LIMIT || !others_wait;
        let taken = tokio::select! { biased;
            event = input.next(), if takes_input => {
                inputs_in_row += 1;
                round.input(event)
            }
            status = ended(&mut round.pager), if round.pager.is_some() => round.paged(status),
            () = sleep_until(frame_at), if may_draw => {
                (inputs_in_row, draws) = (0, draws + 1);
                let drawn = round.draw();
                frame_at = Instant::now() + FRAME_INTERVAL;
                let refresh = refresh::next(&round.model).since(round.model.now);
                wake_at = frame_at + round.report_again.map_or(refresh, |wait| wait.min(refresh));
                drawn
            }
            taken = inbox.recv_many(&mut batch, BATCH_LIMIT) => {
                inputs_in_row = 0;
                let mut control = Ok(LoopControl::Continue);
                for msg in batch.drain(..) {
                    if matches!(control, Ok(LoopControl::Continue)) {
                        control = round.step(msg);
                    }
                }
                // Cannot happen before the loop ends, since the performer owns a sender.
                if taken == 0 { Ok(LoopControl::End(ExitReason::Left)) } else { control }
            }
            () = sleep_until(wake_at), if !round.dirty => round.step(Msg::RefreshDue),
        };
        control = match taken {
            Ok(control) => control,
            Err(error) => {
                tracing::warn!(%error, "the terminal is lost");
                round.step(Msg::Terminate)?
            }
        };
    }
}

/// The state that the branches of the loop share.
struct LoopState<'a, B: Backend, O, C> {
    model: Model,
    dirty: bool,
    /// The person has pressed a key since the last frame.
    asked: bool,
    /// Time after which a console that writes lines has more to report.
    report_again: Option<Duration>,
    /// The pager that has the terminal.
    pager: Option<Child>,
    clock: C,
    performer: &'a Performer,
    platform: &'a mut O,
    terminal: &'a mut Terminal<B>,
}

impl<B: Backend, O: Platform, C: Fn() -> Timestamp> LoopState<'_, B, O, C> {
    fn input(&mut self, input: Option<Input>) -> io::Result<LoopControl> {
        match input {
            // The pager gets these signals, too, and has the terminal. A shell that sees both stopped takes it.
            Some(Input::Suspend) if self.pager.is_some() => self.platform.stop().map(|()| LoopControl::Continue),
            Some(Input::Interrupt | Input::Continued) if self.pager.is_some() => Ok(LoopControl::Continue),
            Some(Input::Terminal(Event::Key(key))) => {
                self.asked = true;
                self.step(Msg::Key(key))
            }
            Some(Input::Terminal(Event::Paste(text))) => self.step(Msg::Paste(text)),
            Some(Input::Terminal(Event::Resize(width, height))) => {
                // Redraws even if the size is unchanged: a smaller size in between may have cut the screen.
                self.redraw()?;
                self.step(Msg::Resize(width, height))
            }
            Some(Input::Terminal(_)) => Ok(LoopControl::Continue),
            Some(Input::Dropped(keys)) => self.step(Msg::KeysDropped(keys)),
            Some(Input::Interrupt) => self.step(Msg::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))),
            Some(Input::Suspend) => Ok(LoopControl::Suspend),
            Some(Input::Continued) => {
                self.platform.resume()?;
                self.redraw()?;
                Ok(LoopControl::Continue)
            }
            // The end of the input means that the terminal is lost.
            Some(Input::Terminate) | None => self.step(Msg::Terminate),
        }
    }

    fn step(&mut self, msg: Msg) -> io::Result<LoopControl> {
        let now = (self.clock)();
        let up = update(&mut self.model, now, msg);
        self.dirty |= up.redraw;
        let mut control = LoopControl::Continue;
        for effect in up.effects {
            match effect {
                Effect::End(exit) => control = LoopControl::End(exit),
                Effect::Redraw => {
                    self.platform.repeat();
                    self.redraw()?;
                }
                Effect::Suspend => control = LoopControl::Suspend,
                Effect::Copy(text, label) => {
                    let result = self.platform.copy(&text, label);
                    self.show_result(result);
                }
                Effect::Page(text) => match self.platform.page(text) {
                    Ok(pager) => self.pager = Some(pager),
                    Err(reason) => {
                        self.redraw()?;
                        self.show_result(Err(reason));
                    }
                },
                Effect::Open(url) => {
                    let result = self.platform.open(&url);
                    self.show_result(result);
                }
                effect => self.performer.perform(effect),
            }
        }
        Ok(control)
    }

    /// Shows the result of copying a text or opening a page. The message about the result causes no effects.
    fn show_result(&mut self, result: Result<String, String>) {
        let now = (self.clock)();
        self.dirty |= update(&mut self.model, now, Msg::CopiedOrOpened(result)).redraw;
    }

    /// Takes the terminal again after the pager ended with this exit code.
    fn paged(&mut self, code: Option<i32>) -> io::Result<LoopControl> {
        self.pager = None;
        let complaint = self.platform.paged(code)?;
        self.redraw()?;
        if let Some(complaint) = complaint {
            self.show_result(Err(complaint));
        }
        Ok(LoopControl::Continue)
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.platform.suspend()?;
        self.redraw()
    }

    /// Clears the screen, so that the next frame is written in full.
    fn redraw(&mut self) -> io::Result<()> {
        clear_screen(self.terminal)?;
        self.dirty = true;
        Ok(())
    }

    fn draw(&mut self) -> io::Result<LoopControl> {
        let size = self.terminal.size().map_err(io_error)?;
        if (size.width, size.height) != self.model.size {
            self.step(Msg::Resize(size.width, size.height))?;
        }
        self.model.now = self.model.now.max((self.clock)());
        let model = &self.model;
        self.platform.frame_begins()?;
        let drawn = self.terminal.draw(|frame| {
            if let Some(cursor) = view::draw(model, frame.buffer_mut()) {
                frame.set_cursor_position(cursor);
            }
        });
        drawn.map_err(io_error)?;
        self.platform.frame_ends()?;
        self.report_again = self.platform.report(&self.model, std::mem::take(&mut self.asked))?;
        self.dirty = false;
        Ok(LoopControl::Continue)
    }
}

/// Clears the screen and ratatui's memory of it, so that the next frame is written in full. `Terminal::clear` is no
/// option: it requests the cursor position from the terminal, and a lost or busy terminal never answers.
pub(super) fn clear_screen<B: Backend>(terminal: &mut Terminal<B>) -> io::Result<()> {
    terminal.backend_mut().clear_region(ClearType::All).map_err(io_error)?;
    terminal.swap_buffers();
    terminal.swap_buffers();
    Ok(())
}

/// Waits for the end of the pager, and returns its exit code; `None` after a signal. Without a pager it never ends.
async fn ended(pager: &mut Option<Child>) -> Option<i32> {
    match pager {
        Some(pager) => pager.wait().await.ok().and_then(|status| status.code()),
        None => std::future::pending().await,
    }
}

fn io_error(error: impl std::error::Error) -> io::Error {
    io::Error::other(error.to_string())
}
