//! A time limit on every process that a test starts: reading the output of a process that hangs would never end.

use super::limit::PATIENCE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Kills the process if it still runs after [`PATIENCE`], and reports that on stderr: a test that waits for it, or
/// reads its output, continues and fails because of the missing part.
pub fn put_on(pid: Pid, what: &str) {
    // A descriptor never refers to a later process with the same number.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let what = what.to_owned();
    let limit = PATIENCE;
    let watch = move || {
        let most = Timespec { tv_sec: i64::try_from(limit.as_secs()).expect("minutes"), tv_nsec: 0 };
        if poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&most)) == Ok(0) {
            eprintln!("{what} still runs after {} s and is killed", limit.as_secs());
            // The process may have exited at this instant.
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    };
    std::thread::Builder::new().name("leash".into()).spawn(watch).expect("a thread");
}
