//! Runs `tests/journey/journey.sh`, what an operator does with a documentation site, and `tests/journey/nights.sh`, the
//! nights of a site that is kept in step: as an ordinary user and with a real web server.

use crate::docs::pages::page;
use crate::notifications::receiver::{Behaviour, KEY, Receiver};
use crate::support::db;
use crate::support::limit::within;
use crate::support::ports;
use crate::support::postgres::{self, unprivileged};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;
use tokio::task::spawn_blocking;

/// Returns the path of nginx, which stands beside the path of an ordinary user.
fn web_server() -> String {
    let found =
        ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].iter().find(|path| Path::new(path).exists());
    (*found.expect("nginx is installed (Debian: apt-get install nginx-light)")).to_owned()
}

/// A folder of an ordinary user, beside a script and the program that it runs.
struct Place {
    folder: TempDir,
    home: PathBuf,
    program: PathBuf,
}

impl Place {
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // The user must be able to run the program, wherever it was built.
        let program = folder.path().join("quarterdeck");
        std::fs::copy(env!("CARGO_BIN_EXE_quarterdeck"), &program).expect("a copy of the program");
        std::fs::write(folder.path().join("script.sh"), script).expect("a copy of the script");
        let home = folder.path().join("journey");
        std::fs::create_dir(&home).expect("a folder");
        crate::support::install::allow(folder.path(), 0o755);
        let place = Self { folder, home, program };
        place.give();
        place
    }

    /// Makes the user the owner of everything in the folder.
    fn give(&self) {
        if let (_, Some(user)) = unprivileged() {
            let given = Command::new("chown").arg("-R").arg(user).arg(&self.home).status().expect("chown runs");
            assert!(given.success(), "the folder is the user's");
        }
    }

    /// Writes a file of the user.
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home.join(name), text).expect("written");
        self.give();
    }

    /// Runs the script as the user, with the folder and these arguments.
    async fn run(&self, args: &[&str]) {
        let (mut command, _) = unprivileged();
        command.arg("sh").arg(self.folder.path().join("script.sh")).arg(&self.home).args(args);
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.env_clear().env("PATH", path).env("QUARTERDECK", &self.program).env("WEB_SERVER", web_server());
        command.stdin(Stdio::null());
        let run = spawn_blocking(move || command.output().expect("a shell runs"));
        let ended = within("the script", run).await.expect("it is waited for");
        let [out, err] = [&ended.stdout, &ended.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
        assert!(ended.status.success() && out.ends_with("done\n"), "{out}{err}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_imported_synced_exported_and_moved_by_one_script_of_an_ordinary_user() {
    let place = Place::new(include_str!("journey/journey.sh"));
    let database = postgres::empty().await;
    place.run(&[&ports::free().to_string(), &database.url]).await;
}

/// Moves the store's times back by a day.
async fn a_day_passes(place: &Place) {
    for change in [
        "UPDATE sources SET next_at = 1",
        "UPDATE source_pages SET missing_since = missing_since - 86400000000",
        "UPDATE captain_documents SET last_synced_at = last_synced_at - 86400000000, \
         last_sync_attempted_at = last_sync_attempted_at - 86400000000",
    ] {
        db::execute(&place.home.join("store.db"), change).await;
    }
    place.give();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_behind_a_web_server_is_kept_in_step_by_the_nightly_recipe_of_an_ordinary_user() {
    let place = Place::new(include_str!("journey/nights.sh"));
    let (receiver, port) = (Receiver::start(Behaviour::Accepts).await, ports::free().to_string());
    let text = page("sources");
    let lines = text.lines().filter(|line| line.contains("/usr/local/bin/quarterdeck"));
    let command = |line: &str| line.split_whitespace().skip(5).collect::<Vec<_>>().join(" ");
    let recipe: String = lines.map(|line| command(line) + "\n").collect();
    assert_eq!(recipe.lines().count(), 2, "{recipe}");
    place.write("recipe", &recipe.replace("/usr/local/bin/quarterdeck", &place.program.display().to_string()));
    place.write("key", KEY);
    let (host, url) = (receiver.host(), receiver.url());
    place.write(
        "config.toml",
        &format!(
            "fetch.allow_private_hosts = [\"127.0.0.1:{port}\"]\nplans.default = \"nightly\"\n\
             plans.nightly.every = \"12h\"\nnotify.allow_private_hosts = [\"{host}\"]\n\
             notify.ops.kind = \"webhook\"\nnotify.ops.url = \"{url}\"\nnotify.ops.secret_file = \"key\"\n\
             notify.ops.on = [\"content:changed,first\", \"result:removed\"]\n"
        ),
    );
    for phase in ["1", "2", "3"] {
        place.run(&[&port, phase]).await;
        a_day_passes(&place).await;
    }
    // The double has checked each signature by its own implementation.
    let site = format!("http://127.0.0.1:{port}/");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().replace(&site, "");
    let records = receiver.records();
    let told = records.values().map(|(record, _)| &record["data"]);
    let mut told: Vec<_> = told
        .map(|data| format!("{} {} {}", text(&data["url"]), text(&data["result"]), text(&data["content"])))
        .collect();
    // A first text is `unchanged` for Chatwoot.
    told.iter_mut().for_each(|told| *told = told.replace("unchanged first", "updated first"));
    told.sort();
    let first = |number: u32| format!("page{number}.html updated first");
    let mut expected: Vec<_> = [1, 2, 3, 4, 5, 6, 7].map(first).into();
    expected.extend(["page3.html updated changed".to_owned(), "page5.html removed gone".to_owned()]);
    expected.sort();
    assert_eq!(told, expected);
}
