//! Tests who may read what the program creates: stores and logs hold the contents of pages.

use crate::support::install::{Install, allow};
use crate::support::site::{Site, html};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs verbs with the usual mask of a shell, in folders that do not exist yet.
async fn installed(settings: &str) -> (Install, PathBuf) {
    let install = Install::new(Site::start(|path, _| html(path, "text")).await, settings);
    let folder = install.folder().join("new/deeper");
    let store = format!("sqlite:{}", folder.join("store.db").display());
    let url = install.site.url("/page");
    for verb in [&["add", &url, "--sync"][..], &["work", "--drain"]] {
        let mut command = Command::new("sh");
        command.args(["-c", "umask 022; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_quarterdeck"), "--store", &store]);
        command.args(verb).env("XDG_STATE_HOME", folder.join("state"));
        let ended = install.spawn(command).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    (install, folder)
}

/// Returns the modes of everything below a folder that must be there.
fn modes(folder: &Path) -> Vec<(PathBuf, u32)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
        let data = entry.metadata().expect("metadata");
        found.push((entry.path(), data.permissions().mode() & 0o777));
        if data.is_dir() {
            found.extend(modes(&entry.path()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_files_belong_to_their_owner_or_to_the_group_where_it_is_set() {
    for (settings, of_file, of_folder) in [("", 0o600, 0o700), ("store.group = true\n", 0o660, 0o770)] {
        let (_install, folder) = installed(settings).await;
        let found = modes(folder.parent().expect("a folder"));
        let outcomes = found.iter().any(|(path, _)| path.to_string_lossy().contains("outcomes-"));
        assert!(outcomes && found.iter().any(|(path, _)| path.ends_with("store.db")), "{found:?}");
        for (path, mode) in found {
            let expected = if path.is_dir() { of_folder } else { of_file };
            assert_eq!(mode, expected, "{} is {mode:o}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_mode_of_a_store_that_exists_stays_and_doctor_warns() {
    let (install, folder) = installed("").await;
    let file = folder.join("store.db");
    let store = format!("sqlite:{}", file.display());
    let warning = "every user of this machine may read the texts in";
    let checked = install.run(&["--store", &store, "doctor"]);
    assert!(!checked.out.iter().any(|line| line.contains(warning)), "{checked:?}");
    allow(&file, 0o644);
    install.run(&["--store", &store, "pause"]);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o644);
    let checked = install.run(&["--store", &store, "doctor"]);
    assert!(checked.out.iter().any(|line| line.contains(warning)), "{checked:?}");
}
