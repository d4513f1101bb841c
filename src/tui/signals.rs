//! The terminal's events and the process's signals as one stream.

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

/// Interval at which the process checks that its terminal still is one. A child of a leader that ignores HUP gets no signal at all.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Events that may wait for the loop.
const EVENTS: usize = 256;
/// `SIGTSTP` and `SIGCONT`, which tokio has no names for.
const TSTP: i32 = rustix::process::Signal::TSTP.as_raw();
const CONT: i32 = rustix::process::Signal::CONT.as_raw();

/// The signals that the console answers.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
    proceed: Signal,
}

impl Signals {
    /// Takes the signals over. HUP too where the parent ignores it: an orphan would spin on its dead terminal.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(TSTP))?,
            proceed: signal(SignalKind::from_raw(CONT))?,
        })
    }

    /// The signals together with the terminal's own events.
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

/// The terminal's events, read by a task of their own: on a terminal that is gone crossterm 0.29 may read for ever within
/// one poll (its issue 793), and then it must not be the loop's thread that does, or no signal would end the program.
fn terminal_events() -> BoxStream<'static, Input> {
    let (sender, receiver) = mpsc::channel(EVENTS);
    let reading = tokio::spawn(async move {
        let mut events = EventStream::new();
        while let Some(Ok(event)) = events.next().await {
            if sender.send(Input::Terminal(event)).await.is_err() {
                return;
            }
        }
        // An end of the events, or an error, is the end of the terminal.
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
