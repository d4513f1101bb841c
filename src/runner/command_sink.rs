//! Delivery of notifications to commands: a program of this machine gets each record on its standard input.
//!
//! The program and its arguments come from the config file alone. There is no shell, and no variable of this process's
//! environment, which may have secrets, is passed on.

use crate::domain::notification::SinkReceiver;
use crate::domain::outbox::DeliveryError;
use crate::domain::time::Timestamp;
use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

/// Longest time of one delivery; shorter than [`LEASE`](CommandSink::LEASE).
const TIMEOUT: Duration = Duration::from_secs(20);
/// Only variable of the program's environment, so that scripts find the usual commands.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Number of bytes of what the program writes to stderr that are kept.
const MAX_STDERR: usize = 4_096;
/// Wait for the rest of stderr after the program has ended; a process that it has started may keep it open.
const STDERR_WAIT: Duration = Duration::from_millis(200);

/// Receiver that is a program, started for each record.
pub struct CommandSink {
    /// Path of the program, and its arguments.
    argv: Vec<String>,
}

impl CommandSink {
    /// Creates the receiver. `argv` begins with the path of the program.
    pub fn new(argv: Vec<String>) -> Self {
        Self { argv }
    }

    fn command(&self) -> Option<Command> {
        let (program, arguments) = self.argv.split_first()?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", PATH)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // What it starts ends with it, and a signal from the terminal reaches neither.
            .process_group(0)
            .kill_on_drop(true);
        Some(command)
    }

    async fn run(&self, body: String) -> Result<(), DeliveryError> {
        let Some(mut command) = self.command() else { return Err(DeliveryError::refused("argv is empty")) };
        let mut child = command.spawn().map_err(DeliveryError::unavailable)?;
        let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let done = timeout(TIMEOUT, feed(&mut child, body)).await;
        match done {
            Ok(Ok((status, _))) if status.success() => Ok(()),
            Ok(Ok((status, said))) if said.trim().is_empty() => Err(DeliveryError::refused(status)),
            Ok(Ok((status, said))) => Err(DeliveryError::refused(format!("{status}: {said}"))),
            Ok(Err(error)) => Err(DeliveryError::unavailable(error)),
            Err(_) => {
                // An error means that it has just ended.
                let _ = group.map(|group| kill_process_group(group, Signal::KILL));
                let _ = child.wait().await;
                Err(DeliveryError::refused(format!("did not end within {} s, and was killed", TIMEOUT.as_secs())))
            }
        }
    }
}

/// Writes the record, and waits for the end of the program. Returns its status, and the beginning of its stderr.
async fn feed(child: &mut Child, body: String) -> std::io::Result<(ExitStatus, String)> {
    let stdin = child.stdin.take();
    let writing = AbortOnDropHandle::new(tokio::spawn(async move {
        if let Some(mut stdin) = stdin {
            // A program need not read what it does not want.
            let _ = stdin.write_all(body.as_bytes()).await;
            let _ = stdin.write_all(b"\n").await;
        }
    }));
    let mut reading = AbortOnDropHandle::new(tokio::spawn(beginning(child.stderr.take())));
    let status = child.wait().await?;
    drop(writing);
    let said = timeout(STDERR_WAIT, &mut reading).await;
    Ok((status, said.ok().and_then(Result::ok).unwrap_or_default()))
}

/// Reads stderr to its end and returns its beginning.
async fn beginning(stderr: Option<ChildStderr>) -> String {
    let mut kept = Vec::new();
    if let Some(mut stderr) = stderr {
        let mut buffer = [0; 1_024];
        while let Ok(read @ 1..) = stderr.read(&mut buffer).await {
            let wanted = read.min(MAX_STDERR - kept.len());
            kept.extend_from_slice(&buffer[..wanted]);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[async_trait]
impl SinkReceiver for CommandSink {
    const LEASE: Duration = Duration::from_secs(30);

    async fn receive(&self, record: String, _: &str, _: Timestamp) -> Result<(), DeliveryError> {
        self.run(record).await
    }
}
