//! Opens a page in the person's browser. The browser runs as a separate process, without a shell, and only for URLs
//! with http or https.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Opens `url` in a browser. Result and error are sentences for the person. Over SSH a browser would open on the wrong
/// machine, so nothing is opened, and the sentence tells the person to open the URL.
pub fn open(url: &str) -> Result<String, String> {
    let env = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if env("SSH_TTY").is_some() || env("SSH_CONNECTION").is_some() {
        check(url)?;
        return Ok(format!("over SSH, open the page yourself: {url}"));
    }
    let (program, arguments) = command(url, env("BROWSER"))?;
    let child = Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A process group of its own, so that signals to the console do not reach the browser.
        .process_group(0)
        .spawn();
    match child {
        Ok(mut child) => {
            // Reaps the process when it ends; the drawing thread must not wait for that.
            std::thread::spawn(move || child.wait());
            Ok(format!("opening {url}"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(format!("no browser: {} is not installed; y copies the URL", program.to_string_lossy()))
        }
        Err(error) => Err(format!("the browser did not start: {error}")),
    }
}

fn check(url: &str) -> Result<(), String> {
    if url.starts_with("https://") || url.starts_with("http://") {
        Ok(())
    } else {
        Err("only http and https pages can be opened".to_owned())
    }
}

/// Returns the program to run and its arguments. Takes the first entry of `browser` (the value of `$BROWSER`, entries
/// separated by colons), or `xdg-open` without one. The URL replaces `%s` in the entry, or else is the last argument.
fn command(url: &str, browser: Option<OsString>) -> Result<(OsString, Vec<OsString>), String> {
    check(url)?;
    let Some(browser) = browser else {
        return Ok(("xdg-open".into(), vec![url.into()]));
    };
    let browser = browser.to_string_lossy().into_owned();
    let first = browser.split(':').find(|part| !part.trim().is_empty()).unwrap_or("xdg-open");
    let mut words = first.split_whitespace();
    let program = words.next().unwrap_or("xdg-open").into();
    let mut arguments: Vec<OsString> = words.map(|word| word.replace("%s", url).into()).collect();
    if !first.contains("%s") {
        arguments.push(url.into());
    }
    Ok((program, arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_are_opened_and_never_by_a_shell() {
        assert!(command("file:///etc/passwd", None).is_err());
        assert!(command("-version", None).is_err());
        let url = "https://a.b/?x=1;rm -rf";
        assert_eq!(command(url, None), Ok(("xdg-open".into(), vec![url.into()])));
        let own = command(url, Some("firefox --new-tab %s:lynx".into()));
        assert_eq!(own, Ok(("firefox".into(), vec!["--new-tab".into(), url.into()])));
        assert_eq!(command(url, Some("lynx".into())), Ok(("lynx".into(), vec![url.into()])));
    }
}
