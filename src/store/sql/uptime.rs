//! Time since a machine's boot, which nobody sets: unlike the time of day it always advances, also during sleep, and is
//! the same for all processes of a machine.

use rustix::time::{ClockId, clock_gettime};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A time since the boot of a machine. Two of them can be compared if machine and boot are the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uptime {
    /// Identity of the machine; empty if it is unknown.
    pub machine: Arc<str>,
    /// Identity of the boot; empty if it is unknown.
    pub boot: Arc<str>,
    /// Time since that boot.
    pub time: Duration,
}

/// Machine and boot of this process.
static HERE: LazyLock<(Arc<str>, Arc<str>)> = LazyLock::new(|| {
    let read = |path| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let (machine, boot) = (read("/etc/machine-id"), read("/proc/sys/kernel/random/boot_id"));
    // The number of the machine is not to be published. Containers of one image may share it, but not their names.
    let name = rustix::system::uname();
    let digest = Sha256::digest([machine.as_bytes(), b"/", name.nodename().to_bytes()].concat());
    let identity: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (if machine.is_empty() { "".into() } else { identity.into() }, boot.into())
});

impl Uptime {
    /// Returns the time since the boot of this machine.
    pub(super) fn of_this_machine() -> Self {
        let time = clock_gettime(ClockId::Boottime);
        let seconds = Duration::from_secs(time.tv_sec.unsigned_abs());
        let (machine, boot) = HERE.clone();
        Self { machine, boot, time: seconds + Duration::from_nanos(time.tv_nsec.unsigned_abs()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_one_boot_and_its_time_advances() {
        let (first, second) = (Uptime::of_this_machine(), Uptime::of_this_machine());
        assert_eq!((&first.machine, &first.boot), (&second.machine, &second.boot));
        assert!(second.time >= first.time && first.time > Duration::ZERO);
        assert!(!first.boot.is_empty(), "Linux has one");
    }
}
