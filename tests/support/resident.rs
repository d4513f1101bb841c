//! The memory of a running process, as the kernel counts it.

use std::fs;

/// Resident memory of a process in kB.
#[derive(Debug)]
pub struct ResidentMemory {
    /// The most that it has had.
    pub peak: u64,
    /// The part of what it has now that is the program's own code.
    pub code: u64,
}

impl ResidentMemory {
    /// Returns the memory of the process `pid`; `None` once it has ended.
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().strip_suffix(" kB")?.parse().ok()
        };
        Some(Self { peak: of("VmHWM:")?, code: of("RssFile:")? })
    }

    /// Returns what counts against a limit: the peak, without the program's code if that is not optimised, which makes
    /// it several times larger.
    pub fn counted(&self) -> u64 {
        if cfg!(debug_assertions) { self.peak.saturating_sub(self.code) } else { self.peak }
    }
}
