//! An installation for the real binary: a folder with settings and a store, scripted pages, and processes that run
//! there.

use super::db;
use super::limit::{Deadline, is_announced, until_blocking, within};
use super::postgres::Database;
use super::redis::TestRedis;
use super::site::Site;
use portable_pty::CommandBuilder;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::store::{Access, AddResult, NewDocument, Store, StoreBase, open};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use std::fmt::from_fn;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tempfile::TempDir;

/// Settings with fetch time-outs as long as a test's limit: the program may be slow for other reasons, and a page that
/// the test delays keeps its slot.
pub const PATIENT_FETCH: &str =
    "fetch.connect_timeout = \"5m\"\nfetch.read_timeout = \"5m\"\nfetch.total_timeout = \"5m\"\n";
/// Interval of polls for changes outside the store.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Operator name of the processes.
pub const OPERATOR: &str = "ana";

/// An installation, as the module describes. Its fields are public for tests that need the folder.
pub struct Install {
    pub site: Site,
    folder: TempDir,
    file: PathBuf,
}

impl Install {
    /// Makes an empty installation for the pages of `site`. `settings` are lines of dotted keys.
    pub fn new(site: Site, settings: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Other users of a test need access.
        allow(folder.path(), 0o755);
        for (name, mode) in [("tmp", 0o777), ("home", 0o777)] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
            allow(&folder.path().join(name), mode);
        }
        let file = folder.path().join("q.db");
        let install = Self { site, folder, file };
        let allowed = install.site.host();
        install.write("config.toml", format!("fetch.allow_private_hosts = [{allowed:?}]\n{PATIENT_FETCH}{settings}"));
        install
    }

    /// Uses another file for the store.
    pub fn with_store(mut self, file: PathBuf) -> Self {
        self.file = file;
        self
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Returns the installation's folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Returns the environment of its processes.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        vec![
            ("HOME", path("home")),
            ("TMPDIR", path("tmp")),
            ("PATH", std::env::var("PATH").unwrap_or_default()),
            ("USER", OPERATOR.to_owned()),
            ("TERM", "xterm-256color".to_owned()),
            ("QUARTERDECK_STORE", format!("sqlite:{}", self.file.display())),
            ("QUARTERDECK_CONFIG", path("config.toml")),
        ]
    }

    pub fn start(&self, args: &[&str]) -> Process {
        self.start_with(&[], args)
    }

    /// Starts the program with additional environment variables.
    pub fn start_with(&self, env: &[(&str, &str)], args: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args).envs(env.iter().copied());
        self.spawn(command)
    }

    /// Starts any command with the installation's folder and environment.
    pub fn spawn(&self, mut command: Command) -> Process {
        let given: Vec<_> =
            command.get_envs().map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned))).collect();
        command.env_clear().envs(self.environment());
        command.envs(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Process::spawn(command)
    }

    /// Runs the program until it exits.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.start(args).ended()
    }

    /// Returns the program's command for a pseudo-terminal.
    pub fn on_terminal(&self, args: &[&str]) -> CommandBuilder {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args);
        self.place(command)
    }

    /// Gives any command for a pseudo-terminal the installation's folder and environment.
    pub fn place(&self, mut command: CommandBuilder) -> CommandBuilder {
        command.env_clear();
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// Opens the store, and creates it if it is missing.
    pub async fn store(&self) -> Arc<dyn Store> {
        open(&format!("sqlite:{}", self.file.display()), Access::Create).await.expect("the store opens")
    }

    /// Adds the pages at `paths` and requests a sync of each.
    pub async fn fill(&self, paths: &[String]) -> Vec<DocumentId> {
        let documents: Vec<_> = paths
            .iter()
            .map(|path| NewDocument {
                link: Link::parse(&self.site.url(path)).expect("a link"),
                name: Some(path.as_str().into()),
                account_id: AccountId(1),
                assistant_id: AssistantId(1),
            })
            .collect();
        let store = self.store().await;
        let added = store.add(&documents).await.expect("the store answers");
        let ids: Vec<_> = added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect();
        let request =
            Request { kind: RequestKind::Sync, class: QueueClass::Auto, by: "test".into(), scope: RequestScope::Bulk };
        store.request(&ids, &request).await.expect("the store answers");
        store.close().await;
        ids
    }

    /// Returns true if SQLite's integrity check finds no error.
    pub async fn is_sound(&self) -> bool {
        db::texts(&self.file, "pragma integrity_check").await == [Some("ok".to_owned())]
    }
}

impl Drop for Install {
    fn drop(&mut self) {
        // Permissions that a test removed must not prevent the folder's removal.
        allow(self.folder.path(), 0o755);
        if let Some(folder) = self.file.parent().filter(|folder| folder.exists()) {
            allow(folder, 0o755);
        }
    }
}

/// Returns the environment of a process that uses a database and a Redis.
pub fn environment_of<'a>(database: &'a Database, redis: &'a TestRedis) -> [(&'static str, &'a str); 2] {
    [("QUARTERDECK_STORE", database.url.as_str()), ("QUARTERDECK_REDIS", redis.url())]
}

/// Sets the mode of a file or folder; ignores the error if another user owns it.
pub fn allow(path: &Path, mode: u32) {
    let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode));
}

/// Waits until the store satisfies `is`, which is checked after each change of the store.
#[track_caller]
pub fn until(store: &dyn StoreBase, what: &str, mut is: impl AsyncFnMut() -> bool) -> impl Future<Output = ()> {
    let mut changes = store.changes();
    within(what, async move {
        loop {
            changes.mark_unchanged();
            if is().await {
                return;
            }
            // A page request changes nothing in the store, so the check also runs at this interval.
            is_announced(changes.changed(), POLL_INTERVAL).await;
        }
    })
}

/// Waits until a child process has been stopped: one that is continued before that stays stopped for ever.
#[track_caller]
pub fn until_stopped(pid: Pid) {
    let stopped = WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    until_blocking("the stop of a process", || waitid(WaitId::Pid(pid), stopped).expect("a child can be waited for"));
}

type Lines = Arc<(Mutex<Vec<String>>, Condvar)>;

/// A running program; its output is read all the time, and it is killed when it is dropped.
pub struct Process {
    child: Child,
    out: Lines,
    err: Lines,
    readers: Vec<JoinHandle<()>>,
}

/// Exit code and output of a process.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    pub out: Vec<String>,
    pub err: String,
}

impl Process {
    fn spawn(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let (out, err) = (Lines::default(), Lines::default());
        let readers =
            vec![reader(child.stdout.take().expect("piped"), &out), reader(child.stderr.take().expect("piped"), &err)];
        Self { child, out, err, readers }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it runs");
    }

    /// Stops the process, and waits until all its threads are stopped.
    pub fn stop(&self) {
        self.signal(Signal::STOP);
        until_stopped(Pid::from_child(&self.child));
    }

    /// Returns the lines that the program has written to stdout so far.
    pub fn lines(&self) -> Vec<String> {
        self.out.0.lock().expect("not poisoned").clone()
    }

    /// Waits until the program writes `text` to stderr; returns the line.
    #[track_caller]
    pub fn until_says(&self, text: &str) -> String {
        let (lines, told) = &*self.err;
        let deadline = Deadline::start();
        let mut lines = lines.lock().expect("not poisoned");
        loop {
            if let Some(line) = lines.iter().find(|line| line.contains(text)) {
                return line.clone();
            }
            let left = deadline.check(format_args!("{text:?} among {lines:?}"));
            lines = told.wait_timeout(lines, left).expect("not poisoned").0;
        }
    }

    /// Waits until the process exits.
    #[track_caller]
    pub fn ended(mut self) -> Ended {
        // Both streams are closed when the process exits; std has no wait with a deadline.
        for reader in self.readers.drain(..) {
            let what = from_fn(|f| write!(f, "the end of a process that says {:?}", self.err.0.lock()));
            until_blocking(what, || reader.is_finished().then_some(()));
        }
        let status = self.child.wait().expect("it can be waited for");
        let lines = |lines: &Lines| lines.0.lock().expect("not poisoned").clone();
        Ended { code: status.code(), signal: status.signal(), out: lines(&self.out), err: lines(&self.err).join("\n") }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn reader(from: impl Read + Send + 'static, to: &Lines) -> JoinHandle<()> {
    let to = Arc::clone(to);
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            to.0.lock().expect("not poisoned").push(line);
            to.1.notify_all();
        }
    })
}
