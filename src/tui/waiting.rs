//! Waits until a store on a server can be opened, and shows the reason of the failure meanwhile.

use super::glyphs::glyphs;
use super::runtime::{Input, Platform as _, clear_screen};
use super::theme::{Appearance, Theme};
use super::view::waiting::{ConnectionStatus, draw};
use super::{plain, signals, terminal};
use crate::domain::backoff::Backoff;
use crate::domain::text::SafeLine;
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use futures_util::StreamExt as _;
use std::future::Future;
use std::io;
use std::mem::ManuallyDrop;
use std::pin::pin;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// Time that the first try to open the store may take before the waiting screen is shown.
const SCREEN_DELAY: Duration = Duration::from_millis(300);

/// The failure of a try to open the store.
#[derive(Debug)]
pub enum OpenFailure<E> {
    /// A failure that may pass or be repaired elsewhere: it is shown, and opening is retried.
    Retryable(E),
    /// A failure that will not pass: it ends the wait.
    Fatal(E),
}

/// The result of a wait.
#[derive(Debug)]
pub enum WaitResult<T, E> {
    /// The store is open.
    Opened(T),
    /// The person quit, or the terminal was lost. Contains the last failure, if there was one.
    Quit(Option<E>),
}

/// Settings of the waiting screen.
#[derive(Clone, Copy, Debug)]
pub struct DisplayOptions {
    /// Uses only ASCII signs.
    pub ascii: bool,
    /// Uses no colours.
    pub mono: bool,
    /// Writes lines instead of drawing.
    pub plain: bool,
}

/// Retries `open` until it succeeds or returns [`OpenFailure::Fatal`], or until the person quits. `store` is the
/// store's URL to show, without secrets. The terminal is taken only when the first try fails or takes longer than
/// `SCREEN_DELAY`. Like [`run`](super::run), it must be polled on the main thread.
///
/// # Errors
/// Returns the fatal failure of `open`, or a failure to take, suspend or clear the terminal or to install the signal
/// handlers. When the terminal is lost, so that its input ends or it cannot be drawn on, the result is
/// [`WaitResult::Quit`].
pub async fn wait_for<T, E, F>(
    store: SafeLine,
    display: DisplayOptions,
    mut open: impl FnMut() -> F,
) -> Result<WaitResult<T, E>, E>
where
    E: std::fmt::Display + From<io::Error>,
    F: Future<Output = Result<T, OpenFailure<E>>>,
{
    let mut first = Box::pin(open());
    match timeout(SCREEN_DELAY, &mut first).await {
        Ok(Ok(here)) => return Ok(WaitResult::Opened(here)),
        Ok(Err(OpenFailure::Fatal(error))) => return Err(error),
        Ok(Err(OpenFailure::Retryable(error))) => {
            let shown = WaitingScreen::take(store, display)?;
            return shown.wait(None, Some(error), open).await;
        }
        Err(_) => {}
    }
    WaitingScreen::take(store, display)?.wait(Some(first), None, open).await
}

/// The waiting screen, while it has taken the terminal.
struct WaitingScreen {
    guard: terminal::TerminalGuard,
    /// Never dropped, as in [`run`](super::run).
    screen: ManuallyDrop<terminal::Screen>,
    appearance: Appearance,
    /// Status that a console which writes lines has written; `None` before the first, and to write it again.
    reported: Option<ConnectionStatus>,
    is_plain: bool,
    status: ConnectionStatus,
    backoff: Backoff,
}

impl WaitingScreen {
    fn take(store: SafeLine, display: DisplayOptions) -> io::Result<Self> {
        let guard = terminal::TerminalGuard::enter(display.plain)?;
        let screen = ManuallyDrop::new(terminal::screen(display.plain)?);
        let glyphs = glyphs(display.ascii, display.plain);
        let appearance = Appearance { glyphs, theme: Theme::new(display.mono) };
        let status = ConnectionStatus { store, reason: None, tries: 0, retry_in_secs: None };
        let (reported, is_plain) = (None, display.plain);
        Ok(Self { guard, screen, appearance, reported, is_plain, status, backoff: Backoff::of_countdown() })
    }

    async fn wait<T, E, F>(
        mut self,
        mut trying: Option<std::pin::Pin<Box<F>>>,
        mut missed: Option<E>,
        mut open: impl FnMut() -> F,
    ) -> Result<WaitResult<T, E>, E>
    where
        E: std::fmt::Display + From<io::Error>,
        F: Future<Output = Result<T, OpenFailure<E>>>,
    {
        let mut input = pin!(signals::Signals::new()?.with_terminal(self.guard.keys()));
        let mut next = Instant::now();
        if missed.is_some() {
            next = self.record_failure(missed.as_ref());
        }
        loop {
            let now = Instant::now();
            // Rounded up to whole seconds.
            self.status.retry_in_secs =
                trying.is_none().then(|| next.saturating_duration_since(now).as_millis().div_ceil(1_000) as u64);
            if self.draw().is_err() {
                return Ok(WaitResult::Quit(missed));
            }
            let second = now + next_second(next.saturating_duration_since(now));
            tokio::select! { biased;
                event = input.next() => match event.map_or(WaitAction::Quit, action) {
                    WaitAction::Quit => return Ok(WaitResult::Quit(missed)),
                    WaitAction::RetryNow if trying.is_none() => trying = Some(Box::pin(open())),
                    WaitAction::Suspend => {
                        self.guard.suspend()?;
                        clear_screen(&mut self.screen)?;
                    }
                    WaitAction::Continued => {
                        self.guard.resume()?;
                        clear_screen(&mut self.screen)?;
                    }
                    WaitAction::Redraw => {
                        self.reported = None;
                        clear_screen(&mut self.screen)?;
                    }
                    WaitAction::RetryNow | WaitAction::Nothing => {}
                },
                tried = ended(&mut trying) => {
                    trying = None;
                    match tried {
                        Ok(here) => return Ok(WaitResult::Opened(here)),
                        Err(OpenFailure::Fatal(error)) => return Err(error),
                        Err(OpenFailure::Retryable(error)) => {
                            missed = Some(error);
                            next = self.record_failure(missed.as_ref());
                        }
                    }
                }
                () = sleep_until(next.min(second)), if trying.is_none() => {
                    if Instant::now() >= next {
                        trying = Some(Box::pin(open()));
                    }
                }
            }
        }
    }

    /// Records a failed try and returns the time of the next try.
    fn record_failure(&mut self, error: Option<&impl std::fmt::Display>) -> Instant {
        let wait = self.backoff.wait();
        self.status.tries = u32::try_from(self.backoff.failures()).unwrap_or(u32::MAX);
        self.status.reason = error.map(|error| SafeLine::new(&error.to_string()));
        Instant::now() + wait
    }

    fn draw(&mut self) -> io::Result<()> {
        self.guard.frame_begins()?;
        let (status, appearance) = (&self.status, self.appearance);
        let frame = self.screen.draw(|frame| draw(status, appearance, frame.buffer_mut()))?;
        if self.is_plain {
            // The countdown alone is no news.
            let news = ConnectionStatus { retry_in_secs: status.retry_in_secs.map(|_| 0), ..status.clone() };
            if self.reported.as_ref() != Some(&news) {
                self.guard.write_lines(&plain::text_lines(frame.buffer))?;
                self.reported = Some(news);
            }
        }
        self.guard.frame_ends()
    }
}

/// Returns the time after which the countdown `left` shows the next lower number of seconds.
fn next_second(left: Duration) -> Duration {
    match left.subsec_millis() {
        0 => Duration::from_secs(1),
        millis => Duration::from_millis(u64::from(millis)),
    }
}

async fn ended<T, F: Future<Output = T>>(trying: &mut Option<std::pin::Pin<Box<F>>>) -> T {
    match trying {
        Some(trying) => trying.await,
        None => std::future::pending().await,
    }
}

/// The reaction to an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WaitAction {
    Nothing,
    RetryNow,
    Redraw,
    Suspend,
    Continued,
    Quit,
}

fn action(input: Input) -> WaitAction {
    match input {
        Input::Terminal(Event::Key(key)) => key_action(key),
        Input::Terminal(Event::Resize(..)) => WaitAction::Redraw,
        Input::Terminal(_) | Input::Dropped(_) => WaitAction::Nothing,
        Input::Interrupt | Input::Terminate => WaitAction::Quit,
        Input::Suspend => WaitAction::Suspend,
        Input::Continued => WaitAction::Continued,
    }
}

fn key_action(key: KeyEvent) -> WaitAction {
    if key.kind == KeyEventKind::Release {
        return WaitAction::Nothing;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => WaitAction::Quit,
        KeyCode::Char('z') if control => WaitAction::Suspend,
        KeyCode::Char('l') if control => WaitAction::Redraw,
        KeyCode::Char('q') if !control => WaitAction::Quit,
        KeyCode::Char('r') | KeyCode::Enter if !control => WaitAction::RetryNow,
        _ => WaitAction::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask_leave_and_suspend() {
        let of = |code, modifiers| key_action(KeyEvent::new(code, modifiers));
        let none = KeyModifiers::NONE;
        assert_eq!(of(KeyCode::Char('r'), none), WaitAction::RetryNow);
        assert_eq!(of(KeyCode::Enter, none), WaitAction::RetryNow);
        assert_eq!(of(KeyCode::Char('q'), none), WaitAction::Quit);
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), WaitAction::Quit);
        assert_eq!(of(KeyCode::Char('c'), none), WaitAction::Nothing);
        assert_eq!(of(KeyCode::Char('z'), KeyModifiers::CONTROL), WaitAction::Suspend);
        assert_eq!(action(Input::Terminate), WaitAction::Quit);
        assert_eq!(action(Input::Terminal(Event::Resize(80, 24))), WaitAction::Redraw);
    }
}
