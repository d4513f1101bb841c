//! Runs `tests/journey/journey.sh`: what an operator does with a documentation site, in one script, as an ordinary user
//! and with a real web server.

use crate::support::limit::within;
use crate::support::ports;
use crate::support::postgres::{self, unprivileged};
use std::path::Path;
use std::process::{Command, Stdio};
use tokio::task::spawn_blocking;

/// Returns the path of nginx, which stands beside the path of an ordinary user.
fn web_server() -> String {
    let found =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].iter().find(|path| Path::new(path).exists());
    (*found.expect("nginx is installed (Debian: apt-get install nginx-light)")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_imported_synced_exported_and_moved_by_one_script_of_an_ordinary_user() {
    let folder = tempfile::tempdir().expect("a folder");
    // The user must be able to run the program, wherever it was built.
    let program = folder.path().join("quarterdeck");
    std::fs::copy(env!("CARGO_BIN_EXE_quarterdeck"), &program).expect("a copy of the program");
    let script = folder.path().join("journey.sh");
    std::fs::write(&script, include_str!("journey/journey.sh")).expect("a copy of the script");
    let home = folder.path().join("journey");
    std::fs::create_dir(&home).expect("a folder");
    crate::support::install::allow(folder.path(), 0o755);
    let (mut command, user) = unprivileged();
    if let Some(user) = user {
        let given = Command::new("chown").arg(user).arg(&home).status().expect("chown runs");
        assert!(given.success(), "the folder is the user's");
    }
    let database = postgres::empty().await;
    command.arg("sh").arg(&script).arg(&home).arg(ports::free().to_string()).arg(&database.url);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("QUARTERDECK", &program).env("WEB_SERVER", web_server());
    command.stdin(Stdio::null());
    let run = spawn_blocking(move || command.output().expect("a shell runs"));
    let ended = within("the script", run).await.expect("it is waited for");
    let [out, err] = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(ended.status.success() && out.ends_with("done\n"), "{out}{err}");
}
