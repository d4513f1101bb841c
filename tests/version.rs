//! Tests the build script: which commit `--version` names in a checkout, in a tarball and without either.

#[expect(dead_code, reason = "cargo runs the script; the tests call its parts")]
#[path = "../assets/build.rs"]
mod script;

use std::fs;
use std::path::Path;
use std::process::Command;

const HASH: &str = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d";

fn git(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=ana", "-c", "user.email=ana@example.org"]).args(args).current_dir(folder);
    for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(variable);
    }
    let ran = command.env("GIT_COMMITTER_DATE", "2026-11-30T12:00:00Z").output().expect("git runs");
    assert!(ran.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).expect("text")
}

/// Makes a repository with one commit, which has the file of the tarball.
fn checkout() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("assets")).expect("made");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(root.join("assets/commit.txt"), dir.path().join("assets/commit.txt")).expect("copied");
    fs::copy(root.join(".gitattributes"), dir.path().join(".gitattributes")).expect("copied");
    git(dir.path(), &["init", "--quiet"]);
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "--quiet", "--message", "a"]);
    dir
}

#[test]
fn a_commit_is_a_hash_and_perhaps_a_date() {
    assert_eq!(script::shown(&format!("{HASH} 2026-11-30\n")).as_deref(), Some("1a2b3c4d5e 2026-11-30"));
    assert_eq!(script::shown("1a2b3c4").as_deref(), Some("1a2b3c4"));
    for text in ["", "main", "$Format:%H %cs$", "1a2b3"] {
        assert_eq!(script::shown(text), None, "{text}");
    }
}

#[test]
fn a_checkout_names_its_commit_and_that_files_were_changed() {
    let dir = checkout();
    let hash = git(dir.path(), &["rev-parse", "HEAD"])[..10].to_owned();
    assert_eq!(script::of_git(dir.path()), Some(format!("{hash} 2026-11-30")));
    assert_eq!(script::of_archive(dir.path()), None, "only git archive fills the file in");
    fs::write(dir.path().join("new.txt"), "not in git").expect("written");
    assert_eq!(script::of_git(dir.path()), Some(format!("{hash} 2026-11-30")));
    fs::write(dir.path().join(".gitattributes"), "").expect("written");
    assert_eq!(script::of_git(dir.path()), Some(format!("{hash} 2026-11-30, modified")));
}

#[test]
fn a_tarball_names_the_commit_without_git() {
    let dir = checkout();
    let hash = git(dir.path(), &["rev-parse", "HEAD"])[..10].to_owned();
    let tar = dir.path().join("a.tar");
    git(dir.path(), &["archive", "--output", &tar.display().to_string(), "HEAD"]);
    // Unpacked inside of another repository, whose commit it must not name.
    let unpacked = dir.path().join("unpacked");
    fs::create_dir(&unpacked).expect("made");
    assert!(Command::new("tar").arg("-xf").arg(&tar).arg("-C").arg(&unpacked).status().expect("runs").success());
    assert_eq!(script::of_archive(&unpacked), Some(format!("{hash} 2026-11-30")));
    assert_eq!(script::of_git(&unpacked), None);
}

#[test]
fn a_package_of_cargo_names_its_commit() {
    let dir = tempfile::tempdir().expect("a folder");
    assert_eq!(script::of_package(dir.path()), None);
    let info = format!("{{\n  \"git\": {{\n    \"sha1\": \"{HASH}\"\n  }},\n  \"path_in_vcs\": \"\"\n}}");
    fs::write(dir.path().join(".cargo_vcs_info.json"), info).expect("written");
    assert_eq!(script::of_package(dir.path()).as_deref(), Some("1a2b3c4d5e"));
}
