//! Measured processes. A small process of its own starts the measured one: the peak memory that the kernel reports
//! for a process contains that of its parent at the time of the start, and this benchmark's own is large.

use super::subject::Subject;
use nix::sys::resource::{UsageWho, getrusage};
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// Settings of every measured process: pages on loopback may be fetched, and nothing is synced that was not requested.
pub const SETTINGS: &str = "fetch.allow_private_hosts = [\"127.0.0.0/8\"]\nschedule.enabled = false\n";

/// Costs of one process that has ended.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Usage {
    /// Seconds from its start to its end.
    pub wall: f64,
    /// Seconds of processor time, of user and system, of all threads.
    pub cpu: f64,
    /// Peak memory in MB.
    pub peak: f64,
    /// Megabytes that it handed to the kernel to write.
    pub written: f64,
    exit: Option<i32>,
}

/// Runs a program and writes its costs to a file; the part of the process in between.
pub fn measure_child(mut words: impl Iterator<Item = String>) {
    let report = words.next().unwrap();
    let begun = Instant::now();
    let mut child = Command::new(words.next().unwrap()).args(words).spawn().unwrap();
    let id = Pid::from_child(&child);
    // Its counters in /proc are final now, and there until the process is waited for.
    waitid(WaitId::Pid(id), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    let wall = begun.elapsed().as_secs_f64();
    let counters = fs::read_to_string(format!("/proc/{}/io", id.as_raw_nonzero())).unwrap_or_default();
    let written = counters.lines().find_map(|line| line.strip_prefix("wchar: ")?.trim().parse::<f64>().ok());
    let exit = child.wait().unwrap().code();
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    let usage = Usage {
        wall,
        cpu: seconds(usage.user_time()) + seconds(usage.system_time()),
        peak: usage.max_rss() as f64 / 1_024.0,
        written: written.unwrap_or(0.0) / 1e6,
        exit,
    };
    fs::write(report, serde_json::to_string(&usage).unwrap()).unwrap();
}

/// A folder with settings, and a store: in the folder, or on a server.
pub struct Home {
    folder: TempDir,
    store: String,
}

impl Home {
    /// Makes an installation whose store is a file that does not exist yet.
    pub fn on_sqlite() -> Self {
        let folder = Self::folder();
        let store = format!("sqlite:{}", folder.path().join("store.db").display());
        Self { folder, store }
    }

    /// Makes an installation with the store at a URL.
    pub fn on(store: String) -> Self {
        Self { folder: Self::folder(), store }
    }

    fn folder() -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), SETTINGS).unwrap();
        folder
    }

    /// Returns the store's file.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Returns the environment of its processes, in which nothing else is set.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let folder = self.folder.path().display().to_string();
        vec![
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("TMPDIR", folder.clone()),
            ("QUARTERDECK_CONFIG", format!("{folder}/config.toml")),
            ("QUARTERDECK_STORE", self.store.clone()),
            ("HOME", folder),
        ]
    }

    /// Runs a command until it exits with 0, and returns its costs.
    pub fn run(&self, subject: &Subject, args: &[&str]) -> Result<Usage, String> {
        self.run_to(subject, args, &[0])
    }

    /// Does the same for a command that may exit with these codes.
    pub fn run_to(&self, subject: &Subject, args: &[&str], exits: &[i32]) -> Result<Usage, String> {
        let program = subject.program.display().to_string();
        let words: Vec<&str> = [program.as_str()].into_iter().chain(args.iter().copied()).collect();
        self.measure(&words, exits)
    }

    /// Runs any command in the same way; a shell's view of it, with the program as its first word.
    pub fn measure(&self, words: &[&str], exits: &[i32]) -> Result<Usage, String> {
        let report = self.folder.path().join("usage.json");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg("child").arg(&report).args(words);
        command.env_clear().envs(self.environment());
        let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).output().unwrap();
        let failure = || format!("{}: {}", words.join(" "), String::from_utf8_lossy(&output.stderr).trim());
        let usage: Usage = read(&report).ok_or_else(failure)?;
        fs::remove_file(&report).unwrap();
        match usage.exit {
            Some(exit) if exits.contains(&exit) => Ok(usage),
            exit => Err(format!("exit {exit:?} of {}", failure())),
        }
    }
}

fn read(report: &Path) -> Option<Usage> {
    serde_json::from_str(&fs::read_to_string(report).ok()?).ok()
}
