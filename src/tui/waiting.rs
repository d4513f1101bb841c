//! Waits until a store on a server can be opened: shows the failure meanwhile, then makes way for the console.

use super::glyphs::{ASCII, UNICODE};
use super::runtime::{Input, Outside as _, wipe};
use super::theme::{Look, Theme};
use super::view::waiting::{Waiting, draw};
use super::{signals, terminal};
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

/// Time that a server has to answer before the waiting screen is shown.
const AT_ONCE: Duration = Duration::from_millis(300);

/// The failure of a try to open the store.
#[derive(Debug)]
pub enum Missed<E> {
    /// May pass, or be repaired elsewhere: shown and retried.
    Waits(E),
    /// Will not pass: ends the wait.
    Ends(E),
}

/// The result of a wait.
#[derive(Debug)]
pub enum Waited<T, E> {
    /// The store is open.
    Here(T),
    /// The person quit, or the terminal was lost; holds the last failure, if there was one.
    Left(Option<E>),
}

/// Settings of the waiting screen.
#[derive(Clone, Copy, Debug)]
pub struct Looks {
    /// Uses only ASCII signs.
    pub ascii: bool,
    /// Uses no colours.
    pub mono: bool,
}

/// Retries `open` until it succeeds, the person quits, or it fails for good. `store` is the URL to show, without
/// secrets. The screen is taken only when the first try fails or takes longer. Must be polled on the thread that draws;
/// see [`run`](super::run).
///
/// # Errors
/// Returns the failure that ends the wait. A terminal that is lost is no error but [`Waited::Left`].
pub async fn wait_for<T, E, F>(store: SafeLine, looks: Looks, mut open: impl FnMut() -> F) -> Result<Waited<T, E>, E>
where
    E: std::fmt::Display + From<io::Error>,
    F: Future<Output = Result<T, Missed<E>>>,
{
    let mut first = Box::pin(open());
    match timeout(AT_ONCE, &mut first).await {
        Ok(Ok(here)) => return Ok(Waited::Here(here)),
        Ok(Err(Missed::Ends(error))) => return Err(error),
        Ok(Err(Missed::Waits(error))) => {
            let shown = Shown::take(store, looks)?;
            return shown.wait(None, Some(error), open).await;
        }
        Err(_) => {}
    }
    Shown::take(store, looks)?.wait(Some(first), None, open).await
}

/// The waiting screen, while it has taken the terminal.
struct Shown {
    guard: terminal::Guard,
    /// Never dropped, as in [`run`](super::run).
    screen: ManuallyDrop<ratatui::Terminal<ratatui::backend::CrosstermBackend<io::Stdout>>>,
    look: Look,
    waiting: Waiting,
    backoff: Backoff,
}

impl Shown {
    fn take(store: SafeLine, looks: Looks) -> io::Result<Self> {
        let guard = terminal::Guard::enter()?;
        let screen = ManuallyDrop::new(terminal::screen()?);
        let glyphs = if looks.ascii { ASCII } else { UNICODE };
        let look = Look { glyphs, theme: Theme::new(looks.mono || terminal::no_color()) };
        let waiting = Waiting { store, reason: None, tries: 0, again: None };
        Ok(Self { guard, screen, look, waiting, backoff: Backoff::of_countdown() })
    }

    async fn wait<T, E, F>(
        mut self,
        mut trying: Option<std::pin::Pin<Box<F>>>,
        mut missed: Option<E>,
        mut open: impl FnMut() -> F,
    ) -> Result<Waited<T, E>, E>
    where
        E: std::fmt::Display + From<io::Error>,
        F: Future<Output = Result<T, Missed<E>>>,
    {
        let mut input = pin!(signals::Signals::new()?.with_terminal());
        let mut next = Instant::now();
        if missed.is_some() {
            next = self.missed(missed.as_ref());
        }
        loop {
            let now = Instant::now();
            // Whole seconds, including the current one.
            self.waiting.again =
                trying.is_none().then(|| next.saturating_duration_since(now).as_millis().div_ceil(1_000) as u64);
            if self.draw().is_err() {
                return Ok(Waited::Left(missed));
            }
            let second = now + next_second(next.saturating_duration_since(now));
            tokio::select! { biased;
                event = input.next() => match event.map_or(Turn::Leave, turn) {
                    Turn::Leave => return Ok(Waited::Left(missed)),
                    Turn::AskNow if trying.is_none() => trying = Some(Box::pin(open())),
                    Turn::Suspend => {
                        self.guard.suspend()?;
                        wipe(&mut self.screen)?;
                    }
                    Turn::Continued => {
                        self.guard.resume()?;
                        wipe(&mut self.screen)?;
                    }
                    Turn::Anew => wipe(&mut self.screen)?,
                    Turn::AskNow | Turn::Go => {}
                },
                tried = ended(&mut trying) => {
                    trying = None;
                    match tried {
                        Ok(here) => return Ok(Waited::Here(here)),
                        Err(Missed::Ends(error)) => return Err(error),
                        Err(Missed::Waits(error)) => {
                            missed = Some(error);
                            next = self.missed(missed.as_ref());
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

    /// Records a failed try and returns the time of the next one.
    fn missed(&mut self, error: Option<&impl std::fmt::Display>) -> Instant {
        let wait = self.backoff.wait();
        self.waiting.tries = u32::try_from(self.backoff.failures()).unwrap_or(u32::MAX);
        self.waiting.reason = error.map(|error| SafeLine::new(&error.to_string()));
        Instant::now() + wait
    }

    fn draw(&mut self) -> io::Result<()> {
        self.guard.frame_begins()?;
        let (waiting, look) = (&self.waiting, self.look);
        self.screen.draw(|frame| draw(waiting, look, frame.buffer_mut()))?;
        self.guard.frame_ends()
    }
}

/// Returns the time until the number of whole seconds within `left` changes.
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
enum Turn {
    Go,
    AskNow,
    Anew,
    Suspend,
    Continued,
    Leave,
}

fn turn(input: Input) -> Turn {
    match input {
        Input::Terminal(Event::Key(key)) => of_key(key),
        Input::Terminal(Event::Resize(..)) => Turn::Anew,
        Input::Terminal(_) => Turn::Go,
        Input::Interrupt | Input::Terminate => Turn::Leave,
        Input::Suspend => Turn::Suspend,
        Input::Continued => Turn::Continued,
    }
}

fn of_key(key: KeyEvent) -> Turn {
    if key.kind == KeyEventKind::Release {
        return Turn::Go;
    }
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Char('c') if control => Turn::Leave,
        KeyCode::Char('z') if control => Turn::Suspend,
        KeyCode::Char('l') if control => Turn::Anew,
        KeyCode::Char('q') if !control => Turn::Leave,
        KeyCode::Char('r') | KeyCode::Enter if !control => Turn::AskNow,
        _ => Turn::Go,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask_leave_and_suspend() {
        let of = |code, modifiers| of_key(KeyEvent::new(code, modifiers));
        let none = KeyModifiers::NONE;
        assert_eq!(of(KeyCode::Char('r'), none), Turn::AskNow);
        assert_eq!(of(KeyCode::Enter, none), Turn::AskNow);
        assert_eq!(of(KeyCode::Char('q'), none), Turn::Leave);
        assert_eq!(of(KeyCode::Char('c'), KeyModifiers::CONTROL), Turn::Leave);
        assert_eq!(of(KeyCode::Char('c'), none), Turn::Go);
        assert_eq!(of(KeyCode::Char('z'), KeyModifiers::CONTROL), Turn::Suspend);
        assert_eq!(turn(Input::Terminate), Turn::Leave);
        assert_eq!(turn(Input::Terminal(Event::Resize(80, 24))), Turn::Anew);
    }
}
