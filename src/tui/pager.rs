//! Shows a text in the person's pager, which has the terminal meanwhile.

use std::env::var_os;
use std::ffi::OsString;
use std::process::Stdio;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// Used where `$PAGER` is not set.
const USUAL_PAGER: &str = "less";
/// Exit code with which a shell says that it does not find a program.
const NOT_FOUND: i32 = 127;

/// Starts the pager with `text` on its standard input. The text must be safe to print on a terminal.
///
/// A shell runs `$PAGER`, which may have options; nothing but this variable of the person's own reaches it.
///
/// # Errors
/// Returns a sentence for the person if no shell can be started.
pub(super) fn start(text: String) -> Result<Child, String> {
    let mut child = Command::new("sh")
        .arg("-c")
        .arg(pager())
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("the pager did not start: {error}"))?;
    if let Some(mut input) = child.stdin.take() {
        // A pager that ends early reads no more: that is no error.
        tokio::spawn(async move {
            let _ = input.write_all(text.as_bytes()).await;
        });
    }
    Ok(child)
}

/// Returns what to tell the person about the end of a pager; `None` if all was well.
pub(super) fn complaint(code: Option<i32>) -> Option<String> {
    (code == Some(NOT_FOUND)).then(|| format!("no pager: {} is not installed; set PAGER", pager().to_string_lossy()))
}

fn pager() -> OsString {
    var_os("PAGER").filter(|pager| !pager.is_empty()).unwrap_or_else(|| USUAL_PAGER.into())
}
