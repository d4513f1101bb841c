//! Terminal events and process signals as one stream.

use super::runtime::Input;
use crossterm::event::EventStream;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::io::{self, IsTerminal, stdout};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::task::AbortOnDropHandle;

/// Interval at which the process checks that standard output is still a terminal. A child of a session leader that
/// ignores HUP gets no signal when its terminal is lost.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Maximum number of terminal events that wait for the loop.
const EVENT_CAPACITY: usize = 256;
/// `SIGTSTP` and `SIGCONT`, for which tokio has no names.
const TSTP: i32 = rustix::process::Signal::TSTP.as_raw();
const CONT: i32 = rustix::process::Signal::CONT.as_raw();

/// Handlers of the signals that the console reacts to.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
    proceed: Signal,
}

impl Signals {
    /// Installs the handlers. HUP is handled even if the parent process ignores it: otherwise the process would run on
    /// after the loss of its terminal.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(TSTP))?,
            proceed: signal(SignalKind::from_raw(CONT))?,
        })
    }

    /// Returns one stream of the signals, the terminal's events and a check for a lost terminal.
    pub fn with_terminal(self) -> impl Stream<Item = Input> + Unpin {
        stream::select_all([
            terminal_events(),
            each(self.terminate, || Input::Terminate),
            each(self.hang_up, || Input::Terminate),
            each(self.interrupt, || Input::Interrupt),
            each(self.stop, || Input::Suspend),
            each(self.proceed, || Input::Continued),
            lost_terminal(),
        ])
    }
}

/// Returns the terminal's events, which a separate task reads: on a lost terminal crossterm 0.29 may read for ever
/// within one poll (its issue 793). On the loop's thread that would block every signal that should end the program.
fn terminal_events() -> BoxStream<'static, Input> {
    let (sender, receiver) = mpsc::channel(EVENT_CAPACITY);
    let reading = tokio::spawn(async move {
        let mut events = EventStream::new();
        while let Some(Ok(event)) = events.next().await {
            if sender.send(Input::Terminal(event)).await.is_err() {
                return;
            }
        }
        // The end of the events, or an error, means that the terminal is lost.
        let _ = sender.send(Input::Terminate).await;
    });
    let reading = AbortOnDropHandle::new(reading);
    stream::unfold((receiver, reading), |(mut receiver, reading)| async move {
        receiver.recv().await.map(|input| (input, (receiver, reading)))
    })
    .boxed()
}

fn each(signal: Signal, input: fn() -> Input) -> BoxStream<'static, Input> {
    stream::unfold(signal, move |mut signal| async move { signal.recv().await.map(|()| (input(), signal)) }).boxed()
}

fn lost_terminal() -> BoxStream<'static, Input> {
    stream::once(async {
        while stdout().is_terminal() {
            sleep(POLL_INTERVAL).await;
        }
        Input::Terminate
    })
    .boxed()
}
