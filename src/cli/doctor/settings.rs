//! Checks of the config file, the log directory, the private hosts and the credentials of sites.

use super::CheckContext;
use crate::cli::output::masked;
use crate::config::{Config, ConfigError};
use crate::domain::finding::{CheckStatus, Finding};
use rustix::fs::{Access, Mode, OFlags, access};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

const CONFIG: &str = "config";
const LOG: &str = "log";
const CREDENTIALS: &str = "credentials";

/// Returns the findings about the config file: its mistakes, its keys under old names, and a password in it that other
/// users may read.
pub(super) fn file(context: &CheckContext) -> Vec<Finding> {
    let (path, _) = Config::file(&context.default_paths, &context.environment, &context.flags);
    let location = path.display();
    let cure = "`quarterdeck config` prints every key with its default";
    match &context.config {
        Err(ConfigError::Invalid { problems }) => {
            let mut found: Vec<_> =
                problems.iter().map(|problem| Finding::fail(CONFIG, problem.to_string(), cure)).collect();
            found.push(store_not_checked());
            found
        }
        Err(error) => {
            vec![Finding::fail(CONFIG, error.to_string(), "name an existing file, or none"), store_not_checked()]
        }
        Ok(config) => match std::fs::read_to_string(path) {
            Ok(text) => {
                let mut found = vec![Finding::ok(CONFIG, format!("{location}: every key is understood"))];
                let warnings = config.warnings.iter();
                found.extend(
                    warnings.map(|warning| Finding::of_message(CONFIG, CheckStatus::Warn, &warning.to_string())),
                );
                found.extend(readable_secret(path, &text));
                found
            }
            Err(_) => vec![Finding::ok(CONFIG, format!("{location}: there is no such file, so the defaults apply"))],
        },
    }
}

/// Returns a warning that the store was not checked: without valid settings its URL is unknown.
fn store_not_checked() -> Finding {
    Finding::warn("store", "not checked while the settings cannot be read", "fix the settings, then run doctor again")
}

/// Returns a warning if the file contains a password and other users of the machine may read it.
fn readable_secret(path: &Path, text: &str) -> Option<Finding> {
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    if mode & 0o077 == 0 || masked(text) == text {
        return None;
    }
    let location = path.display();
    let message = format!("{location} contains a password, and other users may read it");
    Some(Finding::warn(CONFIG, message, format!("chmod 600 {location}")))
}

/// Returns a warning if pages of hosts with private addresses may be fetched, else a finding that only public ones may.
pub(super) fn private_hosts(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    let hosts = &config.fetch.allow_private_hosts;
    if hosts.is_empty() {
        return vec![Finding::ok("addresses", "pages are fetched only from public addresses")];
    }
    let hosts: Vec<String> = hosts.iter().map(ToString::to_string).collect();
    let message = format!("anyone who may add documents can read pages from {}", hosts.join(", "));
    vec![Finding::warn("addresses", message, "remove hosts that no document needs from fetch.allow_private_hosts")]
}

/// Returns a finding for each site rule with credentials: whether this process has their values. Nothing without such a
/// rule.
pub(super) fn credentials(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    let rules = config.fetch.sites.0.iter().filter(|rule| !rule.credentials.is_empty());
    let found = rules.map(|rule| match rule.problem(&config.fetch.secrets) {
        None => {
            Finding::ok(CREDENTIALS, format!("{}: this process has all credentials of fetch.sites", rule.subject()))
        }
        Some(problem) => Finding::warn(
            CREDENTIALS,
            format!("{}: {problem}, so a worker with this environment syncs none of its documents", rule.subject()),
            "give it the value, and restart the worker; or run one elsewhere that has it",
        ),
    });
    found.collect()
}

/// Checks that the outcome files can be written to the log directory.
pub(super) fn log_dir(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    let dir = &config.log.dir;
    let location = dir.display();
    let fail =
        |message: String, cure: &str| Finding::fail(LOG, format!("{location}: {message}"), format!("{cure} (log.dir)"));
    vec![match std::fs::metadata(dir) {
        Ok(data) if !data.is_dir() => fail("is a file, not a folder".into(), "name a folder"),
        Ok(_) if !may_write(dir) => {
            fail("this user may not write there".into(), "grant it write access, or name another folder")
        }
        Ok(_) => match has_space(dir) {
            Ok(()) => Finding::ok(LOG, format!("outcomes are written to files in {location}")),
            Err(error) => fail(format!("cannot be written: {error}"), "free some space, or name another folder"),
        },
        // The directory and its parents are created with the first outcome.
        Err(error) if error.kind() == ErrorKind::NotFound => match dir.ancestors().find(|parent| parent.exists()) {
            Some(parent) if parent.is_dir() && may_write(parent) => match has_space(parent) {
                Ok(()) => Finding::ok(LOG, format!("{location} is created with the first outcome")),
                Err(error) => fail(format!("cannot be created: {error}"), "free some space, or name another folder"),
            },
            Some(parent) => fail(format!("cannot be created in {}", parent.display()), "name another folder"),
            None => fail("cannot be created here".into(), "name another folder"),
        },
        Err(error) => Finding::of_message(
            LOG,
            CheckStatus::Fail,
            &format!("{location}: {error}; name a folder that this user may use (log.dir)"),
        ),
    }]
}

fn may_write(dir: &Path) -> bool {
    access(dir, Access::WRITE_OK | Access::EXEC_OK).is_ok()
}

/// Number of bytes that are written as a test: some outcomes.
const TEST_BYTES: usize = 4_096;

/// Checks that something can be written to a folder; leaves nothing behind.
fn has_space(dir: &Path) -> io::Result<()> {
    let flags = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
    match rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR) {
        // The file has no name, and is gone with its descriptor.
        Ok(file) => File::from(file).write_all(&[b' '; TEST_BYTES]),
        // The file system has no such files.
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => {
            let disk = rustix::fs::statvfs(dir)?;
            if disk.f_bavail == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        }
        Err(error) => Err(error.into()),
    }
}
