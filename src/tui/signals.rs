//! Terminal events and process signals as one stream.

use super::events::{KeyReading, terminal_events};
use super::runtime::Input;
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::io::{self, IsTerminal, stdout};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

/// Interval at which the process checks that standard output is still a terminal. A child of a session leader that
/// ignores HUP gets no signal when its terminal is lost.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
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

    /// Returns one stream of the signals, the terminal's events while `keys` are read, and a check for a lost terminal.
    pub fn with_terminal(self, keys: KeyReading) -> impl Stream<Item = Input> + Unpin {
        stream::select_all([
            terminal_events(keys),
            each(self.terminate, || Input::Terminate),
            each(self.hang_up, || Input::Terminate),
            each(self.interrupt, || Input::Interrupt),
            each(self.stop, || Input::Suspend),
            each(self.proceed, || Input::Continued),
            lost_terminal(),
        ])
    }
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
