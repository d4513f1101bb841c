//! Tests paths that are no store, or a store that this user or this program cannot use.

use super::{READS, assert_console_refuses, assert_refused, install, verbs};
use crate::support::db;
use crate::support::install::{Ended, Install, allow};
use crate::support::pty::Terminal;
use portable_pty::CommandBuilder;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns every file below a path, with its bytes.
fn standing(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    if !path.is_dir() {
        return vec![(path.to_owned(), std::fs::read(path).expect("there"))];
    }
    let entries = std::fs::read_dir(path).expect("there").map(|entry| entry.expect("listed").path());
    entries.flat_map(|path| standing(&path)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_place_that_is_no_store_of_this_program_is_named_and_left_alone() {
    let made = install().await;
    assert_eq!(made.run(&["add", "https://example.org/kept"]).code, Some(0));
    let list = made.write("list.txt", "https://example.org/a\n").display().to_string();
    let whole = std::fs::read(made.file()).expect("a store");

    let notes = made.write("notes.db", "these are my notes, longer than a header\n");
    let folder = made.folder().join("folder.db");
    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("inside"), "kept").expect("written");
    let foreign = made.write("foreign.db", "");
    db::execute(&foreign, "create table people (name text)").await;
    let newer = made.write("newer.db", &whole);
    db::execute(&newer, "pragma user_version = 99").await;
    let mut torn = whole.clone();
    torn[4_096..].fill(0x5a);
    let damaged = made.write("damaged.db", &torn);

    let cases: [(PathBuf, [&str; 2]); 5] = [
        (notes, ["is not an SQLite database", "name another file"]),
        (folder, ["is a folder, not a store", "name a file"]),
        (foreign, ["belongs to another program", "name another file"]),
        (newer.clone(), ["newer (version 99) than this program", "use a newer quarterdeck"]),
        (damaged, ["the file is damaged", "backup"]),
    ];
    let mut place = made;
    for (path, says) in cases {
        let before = standing(&path);
        place = place.with_store(path.clone());
        let (name, what) = (path.display().to_string(), path.display());
        for verb in verbs(&list) {
            let ran = place.run(&verb);
            assert_refused(&ran, 3, &format!("{what} {verb:?}"), &[&name, says[0], says[1]]);
        }
        let terminal = Terminal::spawn(250, 24, place.on_terminal(&[]));
        assert_console_refuses(terminal, 3, &name, &[&name, says[0], says[1]]);
        assert!(standing(&path) == before, "{what} was touched");
    }
    // A store of this program's own version still has all its data.
    db::execute(&newer, &format!("pragma user_version = {}", quarterdeck::store::SCHEMA_VERSION)).await;
    let listed = place.with_store(newer).run(&["list", "--json"]);
    assert!(listed.out.len() == 1 && listed.out[0].contains("example.org/kept"), "{listed:?}");
}

/// Runs the binary as an ordinary user, because root may write everything.
struct Ordinary {
    install: Install,
    is_root: bool,
    /// A copy of the binary that this user may execute, independent of the build directory.
    program: PathBuf,
}

impl Ordinary {
    fn of(install: Install) -> Self {
        let program = install.folder().join("quarterdeck");
        let built = env!("CARGO_BIN_EXE_quarterdeck");
        if std::fs::hard_link(built, &program).is_err() {
            std::fs::copy(built, &program).expect("a copy");
        }
        Self { install, is_root: rustix::process::geteuid().is_root(), program }
    }

    fn words(&self, args: &[&str]) -> Vec<String> {
        let drop_rights = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
        let program = self.program.display().to_string();
        let before: &[&str] = if self.is_root { &drop_rights } else { &[] };
        before.iter().copied().chain([program.as_str()]).chain(args.iter().copied()).map(str::to_owned).collect()
    }

    fn run(&self, args: &[&str]) -> Ended {
        let words = self.words(args);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        self.install.spawn(command).ended()
    }

    fn console(&self) -> Terminal {
        let words = self.words(&[]);
        let mut command = CommandBuilder::new(&words[0]);
        command.args(&words[1..]);
        Terminal::spawn(250, 24, self.install.place(command))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_this_user_may_not_write_can_be_looked_at_and_nothing_else() {
    for (file_mode, folder_mode, says) in
        [(0o444, 0o777, "is not writable for this user"), (0o666, 0o555, "its folder is not writable for this user")]
    {
        let install = install().await;
        let folder = install.folder().join("store");
        std::fs::create_dir(&folder).expect("a folder");
        let install = install.with_store(folder.join("q.db"));
        assert_eq!(install.run(&["add", "https://example.org/kept"]).code, Some(0));
        let list = install.write("list.txt", "https://example.org/a\n").display().to_string();
        let before = std::fs::read(install.file()).expect("a store");
        allow(install.file(), file_mode);
        allow(&folder, folder_mode);
        let user = Ordinary::of(install);
        let name = user.install.file().display().to_string();
        for verb in verbs(&list) {
            let ran = user.run(&verb);
            if READS.contains(&verb[0]) {
                assert_eq!(ran.code, Some(0), "{verb:?}: {ran:?}");
            } else {
                assert_refused(&ran, 3, &format!("{says} {verb:?}"), &[&name, says, "--read-only"]);
            }
        }
        assert_console_refuses(user.console(), 3, says, &[&name, says, "--read-only"]);
        let listed = user.run(&["--read-only", "list", "--json"]);
        assert!(listed.code == Some(0) && listed.out[0].contains("example.org/kept"), "{listed:?}");
        assert_refused(&user.run(&["--read-only", "sync", "1"]), 2, says, &["--read-only"]);
        assert!(std::fs::read(user.install.file()).expect("a store") == before);
        assert_eq!(std::fs::read_dir(&folder).expect("there").count(), 1, "nothing was made beside it");
        allow(&folder, 0o755);
        allow(user.install.file(), 0o644);
        assert!(user.install.is_sound().await);
    }
}
