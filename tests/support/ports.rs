//! Ports for servers that a test starts, and ports on which nobody listens.
//!
//! A port that the system assigns for a moment (port 0) may go to another test, or to the local end of any connection,
//! before the server binds it. These ports are below the range that the system assigns from, each used once per
//! process.

use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port of the range.
const FIRST: u16 = 10_240;
/// Number of ports; by default the system assigns from 32,768 on.
const COUNT: u16 = 22_000;

/// Returns a free port of 127.0.0.1 that no other caller gets.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two concurrent test processes start far from each other. In PID namespaces they have the same number.
    static BEGIN: LazyLock<u16> = LazyLock::new(|| {
        let random = RandomState::new().hash_one(std::process::id());
        u16::try_from(random % u64::from(COUNT)).expect("below the count")
    });
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < COUNT, "no port is free");
        let port = FIRST + (*BEGIN + next) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
