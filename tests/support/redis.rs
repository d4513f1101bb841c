//! A Redis for a test: a separate server on a free port that stores nothing on disk, or separate keys on the server
//! that `QUARTERDECK_TEST_REDIS` names.

use super::limit::{PATIENCE, until, until_blocking};
use super::ports;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::lock::{LockMode, StoreId};
use quarterdeck::lock::{DEFAULT_KEY, Redis, Role, Settings};
use redis::Commands;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Returns the id of the document of an FAQ job in Sidekiq's queue.
pub fn document_of(job: &Value) -> i64 {
    let id = job["args"][0]["arguments"][0]["_aj_globalid"].as_str().expect("a document");
    let id = id.strip_prefix("gid://chatwoot/Captain::Document/").expect("a document");
    id.parse().expect("a number")
}

/// A running server; it stops when it is dropped.
pub struct TestRedis {
    url: String,
    key: String,
    port: u16,
    password: Option<&'static str>,
    server: Option<Child>,
    folder: TempDir,
}

impl TestRedis {
    /// Uses the named server, with keys of the test's own, or starts a server.
    pub fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let Ok(url) = std::env::var("QUARTERDECK_TEST_REDIS") else { return Self::own(None) };
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let key = format!("quarterdeck-test:{}:{number}:{{id}}", std::process::id());
        let folder = tempfile::tempdir().expect("a folder");
        Self { url, key, port: 0, password: None, server: None, folder }
    }

    /// Starts a separate server, which the test may stop.
    pub fn own(password: Option<&'static str>) -> Self {
        let port = ports::free();
        let secret = password.map_or(String::new(), |password| format!(":{}@", password.replace(" ", "%20")));
        let url = format!("redis://{secret}127.0.0.1:{port}/0");
        let folder = tempfile::tempdir().expect("a folder");
        let mut redis = Self { url, key: DEFAULT_KEY.to_owned(), port, password, server: None, folder };
        redis.start_again();
        redis
    }

    /// Connects as a worker of `store`.
    pub fn join(&self, store: StoreId) -> Arc<Redis> {
        let role = Role::Worker { renew: Duration::from_secs(10) };
        Redis::start(&self.settings(LockMode::Preferred), role, store).expect("an address").expect("it is used")
    }

    /// Returns settings for this server, with time-outs so long that a slow machine does not make it unavailable.
    pub fn settings(&self, mode: LockMode) -> Settings {
        Settings {
            url: Some(self.url.clone()),
            key: self.key.clone(),
            mode,
            call_timeout: PATIENCE,
            ..Settings::default()
        }
    }

    /// Returns the key of a document's lock.
    pub fn key(&self, document: DocumentId) -> String {
        self.key.replace("{id}", &document.to_string())
    }

    /// Returns the pattern of the locks' keys, as `redis.key` takes it.
    pub fn key_pattern(&self) -> &str {
        &self.key
    }

    /// Returns the server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills the server at once; its data is lost.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("the server is there");
            server.wait().expect("the server is dead");
        }
    }

    /// Stops the process: connections stay open and get no response.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Continues the frozen process.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let server = self.server.as_ref().expect("a server of the test's own");
        let id = i32::try_from(server.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("the server is there");
    }

    /// Starts the server on the same port, without data.
    pub fn start_again(&mut self) {
        let mut server = Command::new("redis-server");
        server
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(password) = self.password {
            server.args(["--requirepass", password]);
        }
        self.server = Some(server.spawn().expect("redis-server is installed (tests/run installs it)"));
        // A port announces nothing when it starts to listen.
        until_blocking("redis-server", || self.client().get_connection_with_timeout(PATIENCE).ok());
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url.as_str()).expect("a URL")
    }

    /// Opens a connection, as another program would.
    pub fn connection(&self) -> redis::Connection {
        self.client().get_connection().expect("the server answers")
    }

    /// Notes a live process of Sidekiq that serves `queues`, or that it has ended if there are none.
    pub fn sidekiq_serves(&self, queues: &[&str]) {
        self.run("SADD", &["queues", "default"]);
        self.run("SADD", &["processes", "web-1:7:ab"]);
        self.run("DEL", &["web-1:7:ab"]);
        if !queues.is_empty() {
            let info = serde_json::json!({ "hostname": "web-1", "pid": 7, "concurrency": 10, "queues": queues });
            self.run("HSET", &["web-1:7:ab", "info", &info.to_string(), "busy", "0", "quiet", "false"]);
        }
    }

    /// Runs any command.
    pub fn run(&self, command: &str, args: &[&str]) -> redis::Value {
        redis::cmd(command).arg(args).query(&mut self.connection()).expect("the command is known")
    }

    /// Returns the entries of a list, which are JSON, the newest first.
    pub fn entries(&self, list: &str) -> Vec<Value> {
        let found = self.run("LRANGE", &[list, "0", "-1"]);
        let texts: Vec<String> = redis::from_redis_value(found).expect("a list");
        texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect()
    }

    /// Returns the value at `key`.
    pub fn get(&self, key: &str) -> Option<String> {
        self.connection().get(key).expect("the server answers")
    }

    /// Takes a document's lock as Chatwoot's worker does: seconds since 1970 with a fraction, for ten minutes.
    pub fn chatwoot_locks(&self, document: DocumentId, at: &str) -> bool {
        self.run("SET", &[&self.key(document), at, "NX", "EX", "600"]) == redis::Value::Okay
    }

    /// Deletes a lock as Chatwoot does, without checking its owner.
    pub fn chatwoot_unlocks(&self, document: DocumentId) {
        self.run("DEL", &[&self.key(document)]);
    }

    /// Waits until the value at a document's key satisfies `is`. Redis announces nothing, so the key is polled.
    #[track_caller]
    pub fn until_value(&self, document: DocumentId, is: impl Fn(Option<&str>) -> bool) -> impl Future<Output = ()> {
        let mut connection = self.connection();
        until(format!("another value of the lock of document {document}"), async move || {
            let value: Option<String> = connection.get(self.key(document)).expect("the server answers");
            is(value.as_deref()).then_some(())
        })
    }
}

impl Drop for TestRedis {
    fn drop(&mut self) {
        self.stop();
    }
}
