//! The build script: determines what `--version` prints, such as `0.1.0 (1a2b3c4d5e 2026-11-30)`.
//!
//! The commit comes from `QUARTERDECK_COMMIT` (for packagers: the hash, and after a space the date), from
//! `assets/commit.txt`, which `git archive` fills in, from the file that `cargo package` writes, or from git. The same
//! sources yield the same text, so builds stay reproducible. Git is asked in optimised builds alone: a debug build would
//! otherwise be compiled anew at each commit.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Characters of a commit's hash that are shown.
const SHOWN: usize = 10;

fn main() {
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let is_optimised = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    println!("cargo::rerun-if-env-changed=QUARTERDECK_COMMIT");
    for file in ["assets/build.rs", "assets/commit.txt"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let named = env::var("QUARTERDECK_COMMIT").ok().filter(|commit| !commit.trim().is_empty());
    let packed = named.as_deref().and_then(shown).or_else(|| of_archive(&root)).or_else(|| of_package(&root));
    let commit = match packed {
        None if is_optimised => {
            watch_git(&root);
            of_git(&root)
        }
        None => Some("debug build".to_owned()),
        packed => packed,
    };
    let commit = commit.map(|commit| format!(" ({commit})")).unwrap_or_default();
    println!("cargo::rustc-env=QUARTERDECK_VERSION={version}{commit}");
}

/// Returns hash and date in the form that is shown; `None` if the text does not begin with a hash.
pub fn shown(text: &str) -> Option<String> {
    let mut words = text.split_whitespace();
    let hash = words.next().filter(|hash| hash.len() >= 7 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let hash = hash.get(..SHOWN).unwrap_or(hash);
    Some(words.next().map_or_else(|| hash.to_owned(), |date| format!("{hash} {date}")))
}

/// Returns the commit of a tarball that `git archive` made.
pub fn of_archive(root: &Path) -> Option<String> {
    shown(&fs::read_to_string(root.join("assets/commit.txt")).ok()?)
}

/// Returns the commit of a package that cargo made.
pub fn of_package(root: &Path) -> Option<String> {
    let info = fs::read_to_string(root.join(".cargo_vcs_info.json")).ok()?;
    let (_, rest) = info.split_once("\"sha1\"")?;
    shown(rest.split('"').nth(1)?)
}

/// Returns the commit of a checkout, with a mark if its files were changed since.
pub fn of_git(root: &Path) -> Option<String> {
    let top = git(root, &["rev-parse", "--show-toplevel"])?;
    // A tarball may have been unpacked inside of somebody's repository.
    if fs::canonicalize(top.trim()).ok()? != fs::canonicalize(root).ok()? {
        return None;
    }
    let commit = shown(&git(root, &["log", "-1", "--format=%H %cs"])?)?;
    let changes = git(root, &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.trim().is_empty() { commit } else { format!("{commit}, modified") })
}

/// Makes cargo run this script again when the checkout has another commit or other files.
fn watch_git(root: &Path) {
    for file in ["src", "assets", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={file}");
    }
    let branch = git(root, &["symbolic-ref", "--quiet", "HEAD"]).unwrap_or_default();
    for name in ["HEAD", branch.trim(), "packed-refs"].into_iter().filter(|name| !name.is_empty()) {
        let Some(path) = git(root, &["rev-parse", "--git-path", name]) else { continue };
        let path = root.join(path.trim());
        // A file that is not there would make every build run this script.
        if path.exists() {
            println!("cargo::rerun-if-changed={}", path.display());
        }
    }
}

fn git(root: &Path, args: &[&str]) -> Option<String> {
    let run = Command::new("git").arg("--no-optional-locks").args(args).current_dir(root).output().ok()?;
    run.status.success().then(|| String::from_utf8(run.stdout).ok())?
}
