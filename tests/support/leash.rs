//! A limit on the life of every process that a test starts: reading the output of one that hangs would never end.

use super::limit::PATIENCE;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Kills the process when it still runs after [`PATIENCE`], and says so on stderr: whoever waits for it, or reads what
/// it writes, goes on and fails by what is missing.
pub fn put_on(pid: Pid, what: &str) {
    // By a descriptor, which never means another process that has got the number since.
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    let what = what.to_owned();
    let limit = PATIENCE;
    let watch = move || {
        let most = Timespec { tv_sec: i64::try_from(limit.as_secs()).expect("minutes"), tv_nsec: 0 };
        if poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&most)) == Ok(0) {
            eprintln!("{what} still runs after {} s and is killed", limit.as_secs());
            // It may have ended at this instant.
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    };
    std::thread::Builder::new().name("leash".into()).spawn(watch).expect("a thread");
}
