//! The limit on every wait for something outside the test: a process, a socket, a database, a terminal.
//!
//! The limit turns an endless wait into a failure that names the awaited thing. It is minutes long, so that a slow or
//! busy machine does not exceed it: no test measures time with it (`measure` does). `tests/waits.rs` checks that tests
//! have no other waits.

use quarterdeck::store::StoreBase;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::Display;
use std::os::fd::AsFd;
use std::panic::Location;
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// Upper limit of one wait.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two checks of something that announces nothing: a port, a file, another program's row.
const POLL: Duration = Duration::from_millis(5);

/// Awaits `future`, at most [`PATIENCE`].
///
/// # Panics
/// After that time, with `what` as the awaited thing. `what` is formatted only then, and may show the state at that
/// time.
#[track_caller]
pub fn within<F: Future>(what: impl Display, future: F) -> impl Future<Output = F::Output> {
    let caller = Location::caller();
    async move {
        match timeout(PATIENCE, future).await {
            Ok(output) => output,
            Err(_) => panic!("{caller}: waited {} s for {what}", PATIENCE.as_secs()),
        }
    }
}

/// Repeats `ask` until it returns a value, at most [`PATIENCE`]: for things that announce nothing.
///
/// # Panics
/// After that time, with `what` as the awaited thing.
#[track_caller]
pub fn until<T>(what: impl Display, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    within(what, async move {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            sleep(POLL).await;
        }
    })
}

/// Waits until `is` is true, at most [`PATIENCE`]. It is checked at once and after each change that `store` announces,
/// at no other time: for tests of announcements.
///
/// # Panics
/// After that time, with `what` as the awaited thing.
#[track_caller]
pub fn until_announced(
    store: &dyn StoreBase,
    what: impl Display,
    mut is: impl AsyncFnMut() -> bool,
) -> impl Future<Output = ()> {
    let mut changes = store.changes();
    within(what, async move {
        loop {
            changes.mark_unchanged();
            if is().await {
                return;
            }
            changes.changed().await.expect("the store is open");
        }
    })
}

/// Returns true if a change is announced within `moment`; `changed` awaits it. Tests may rely only on true: a busy
/// machine may announce later.
pub async fn is_announced<T, E>(changed: impl Future<Output = Result<T, E>>, moment: Duration) -> bool {
    timeout(moment, changed).await.is_ok_and(|changed| changed.is_ok())
}

/// Does the same as [`until`] for a thread without a runtime.
///
/// # Panics
/// After the limit, with `what` as the awaited thing.
#[track_caller]
pub fn until_blocking<T>(what: impl Display, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Deadline::start();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        deadline.check(&what);
        std::thread::sleep(POLL);
    }
}

/// Waits until `from` can be read without blocking, or is closed.
///
/// # Panics
/// After the limit, with `what` as the awaited thing.
#[track_caller]
pub fn until_readable(what: impl Display, from: &impl AsFd) {
    let most = Timespec { tv_sec: i64::try_from(PATIENCE.as_secs()).expect("minutes"), tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&most)).expect("a descriptor can be waited for");
    assert_eq!(ready, 1, "waited {} s for {what}", PATIENCE.as_secs());
}

/// Lets real time pass where its length matters: a fault that lasts, a lease that expires. Never use it to wait for an
/// event.
pub async fn lasts(time: Duration) {
    sleep(time).await;
}

/// The end of [`PATIENCE`], for loops that wait on a condition variable.
pub struct Deadline(Instant);

impl Deadline {
    /// Starts a limit of [`PATIENCE`].
    pub fn start() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    /// Returns the time that is left.
    ///
    /// # Panics
    /// If none is left, with `what` as the awaited thing.
    #[track_caller]
    pub fn check(&self, what: impl Display) -> Duration {
        let left = self.0.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "waited {} s for {what}", PATIENCE.as_secs());
        left
    }
}
