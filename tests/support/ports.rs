//! Ports for servers that a test starts itself, and ports on which nobody listens.
//!
//! A port that the system picks for a moment (port 0) may be another test's, or the local end of any connection, before
//! the server has it. These come from below the range that the system picks from, each once per process.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// The first port of the range.
const FIRST: u16 = 10_240;
/// How many there are; the system picks from 32,768 on unless it is told otherwise.
const COUNT: u16 = 22_000;

/// A port of 127.0.0.1 that is free, and that nobody else is given.
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two test processes at a time begin far from each other.
    let begin = u16::try_from(u32::from(COUNT).wrapping_mul(std::process::id() % 97) / 97).expect("below the count");
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < COUNT, "no port is free");
        let port = FIRST + (begin + next) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
