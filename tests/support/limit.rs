//! The limit on every wait for something outside the test: a process, a socket, a database, a terminal.
//!
//! A limit turns a wait that would never end into a failure that says what was waited for. It is minutes, so that a
//! machine that is slow or busy with something else does not reach it: no test measures time with it (`measure` does).
//! Tests have no waits of their own: `tests/waits.rs` holds that.

use quarterdeck::store::StoreBase;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::fmt::Display;
use std::os::fd::AsFd;
use std::panic::Location;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

/// Upper limit of one wait.
pub const PATIENCE: Duration = Duration::from_secs(300);
/// Pause between two questions to something that announces nothing: a port, a file, another program's row.
const POLL: Duration = Duration::from_millis(5);

/// Awaits `future`, at most [`PATIENCE`].
///
/// # Panics
/// When that is over, with `what` was waited for. It is formatted only then, and may show what had come until then.
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

/// Asks again and again until `ask` has an answer, at most [`PATIENCE`]: for what announces nothing.
///
/// # Panics
/// When that is over, with `what` was waited for.
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

/// Waits until `is` holds, at most [`PATIENCE`]; asked at once and after each change that `store` announces, at no
/// other time: for tests of what is announced.
///
/// # Panics
/// When that is over, with `what` was waited for.
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

/// Whether a change is announced within `moment`. Only that one is may be relied upon: a busy machine may be later with
/// it.
pub async fn is_announced<T>(changes: &mut watch::Receiver<T>, moment: Duration) -> bool {
    timeout(moment, changes.changed()).await.is_ok_and(|changed| changed.is_ok())
}

/// As [`until`] for a thread without a runtime.
///
/// # Panics
/// When the limit is over, with `what` was waited for.
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
/// When the limit is over, with `what` was waited for.
#[track_caller]
pub fn until_readable(what: impl Display, from: &impl AsFd) {
    let most = Timespec { tv_sec: i64::try_from(PATIENCE.as_secs()).expect("minutes"), tv_nsec: 0 };
    let ready = poll(&mut [PollFd::new(from, PollFlags::IN)], Some(&most)).expect("a descriptor can be waited for");
    assert_eq!(ready, 1, "waited {} s for {what}", PATIENCE.as_secs());
}

/// Lets real time pass because its length is the subject: a fault that lasts, a lease that runs out. Never to wait for
/// something to happen.
pub async fn lasts(time: Duration) {
    sleep(time).await;
}

/// The end of [`PATIENCE`], for loops that wait on a condition variable.
pub struct Deadline(Instant);

impl Deadline {
    /// [`PATIENCE`] from now.
    pub fn start() -> Self {
        Self(Instant::now() + PATIENCE)
    }

    /// The time that is left.
    ///
    /// # Panics
    /// When none is, with `what` was waited for.
    #[track_caller]
    pub fn check(&self, what: impl Display) -> Duration {
        let left = self.0.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "waited {} s for {what}", PATIENCE.as_secs());
        left
    }
}
