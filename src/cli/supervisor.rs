//! Messages to the supervisor that started a worker, in systemd's notification protocol (sd_notify(3)): that it is
//! ready, reloads and stops, its status for people, and signs of life for the watchdog.

use super::output::masked;
use crate::domain::text::SafeLine;
use crate::runner::event::{Health, Phase};
use crate::runner::handle::Handle;
use rustix::time::{ClockId, clock_gettime};
use std::env;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Longest interval between two looks at the runner.
const MAX_INTERVAL: Duration = Duration::from_secs(1);
/// Signs of life within one period of the watchdog: one that is late does not kill the process.
const SIGNS_PER_PERIOD: u32 = 3;

/// The supervisor, or none. Clones talk to the same one.
#[derive(Clone, Default)]
pub(super) struct Supervisor {
    channel: Option<Arc<NotifySocket>>,
    /// Period of the watchdog; `None` if it is off.
    watchdog: Option<Duration>,
    stopping: Arc<AtomicBool>,
}

struct NotifySocket {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Supervisor {
    /// Returns the supervisor that the variables `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` name.
    pub(super) fn of_environment() -> Self {
        let Some(channel) = NotifySocket::of_environment() else { return Self::default() };
        let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let is_other = number("WATCHDOG_PID").is_some_and(|pid| pid != u64::from(std::process::id()));
        let period = number("WATCHDOG_USEC").filter(|period| *period > 0 && !is_other).map(Duration::from_micros);
        Self { channel: Some(Arc::new(channel)), watchdog: period, stopping: Arc::default() }
    }

    /// Reports that the worker is ready once it is registered, then its status when that changes, and signs of life while
    /// its loops come round; until it is dropped.
    pub(super) async fn watch(self, runner: Handle) {
        if self.channel.is_none() {
            return;
        }
        let between_signs = self.watchdog.map_or(MAX_INTERVAL, |period| period / SIGNS_PER_PERIOD);
        let mut ticks = interval(between_signs.clamp(Duration::from_millis(1), MAX_INTERVAL));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let progress = runner.progress();
        let (mut is_ready, mut last_status) = (false, String::new());
        loop {
            ticks.tick().await;
            if !is_ready && progress.is_registered() {
                is_ready = true;
                self.send("READY=1");
            }
            if matches!(runner.status().borrow().phase, Phase::Draining | Phase::Stopped) {
                self.stopping();
            }
            let status = status(&runner);
            if status != last_status {
                self.send(&format!("STATUS={status}"));
                last_status = status;
            }
            if self.watchdog.is_some() && progress.stall().is_none() {
                self.send("WATCHDOG=1");
            }
        }
    }

    /// Reports that the worker reads its settings again.
    pub(super) fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// Reports that the settings have been read again.
    pub(super) fn reloaded(&self) {
        self.send("READY=1");
    }

    /// Reports, once, that the worker stops.
    pub(super) fn stopping(&self) {
        if !self.stopping.swap(true, Ordering::Relaxed) {
            self.send("STOPPING=1");
        }
    }

    /// Sends a message; one that cannot be sent is not missed: the supervisor acts on its absence.
    fn send(&self, message: &str) {
        if let Some(channel) = &self.channel
            && let Err(error) = channel.socket.send_to_addr(message.as_bytes(), &channel.address)
        {
            tracing::debug!(%error, "the supervisor cannot be notified");
        }
    }
}

impl NotifySocket {
    fn of_environment() -> Option<Self> {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty())?;
        let opened = Self::open(name.as_bytes());
        opened.inspect_err(|error| tracing::warn!(%error, "NOTIFY_SOCKET cannot be used")).ok()
    }

    /// Opens a socket to the address `name`: a path, or `@` and an abstract name.
    fn open(name: &[u8]) -> io::Result<Self> {
        let address = match name {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
            [b'/', ..] => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(name))?,
            _ => return Err(io::Error::new(io::ErrorKind::Unsupported, "neither a path nor an abstract name")),
        };
        let socket = UnixDatagram::unbound()?;
        // A supervisor that does not read must not stop the worker.
        socket.set_nonblocking(true)?;
        Ok(Self { socket, address })
    }
}

/// Returns the state of the worker in a line for people.
fn status(runner: &Handle) -> String {
    let now = *runner.status().borrow();
    let work = match now.phase {
        Phase::Running => format!("{} of {} slots busy", now.busy, now.slots),
        Phase::Off => format!("held; jobs still running: {}", now.busy),
        Phase::Draining => format!("ends; jobs still running: {}", now.busy),
        Phase::Stopped => "ended".to_owned(),
    };
    match &*runner.health().borrow() {
        Health::Fine => work,
        Health::Unreachable { reason, .. } => {
            // A line feed would begin another message of the protocol.
            format!("{work}; {}", SafeLine::new(&masked(reason)))
        }
    }
}
