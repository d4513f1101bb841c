//! A Redis with a replica and three sentinels, which fail over when the master dies.

use super::limit::{PATIENCE, until_blocking};
use super::ports;
use quarterdeck::domain::secret::Secret;
use quarterdeck::lock::{SentinelSettings, Settings};
use redis::{Client, FromRedisValue, TlsCertificates};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Password of the servers, with a character that a URL must encode.
pub const PASSWORD: &str = "correct horse";
/// Password of the sentinels.
pub const SENTINEL_PASSWORD: &str = "battery staple";
/// Name of the master.
const MASTER: &str = "deck";
/// Index of the first master among the servers.
pub const FIRST: usize = 0;

/// Two servers and three sentinels; they stop when it is dropped.
pub struct Sentinels {
    servers: [Server; 2],
    sentinels: Vec<Server>,
    _folder: TempDir,
}

struct Server {
    port: u16,
    password: &'static str,
    tls: bool,
    process: Option<Child>,
}

/// The authority of the tests' certificates.
const AUTHORITY: &[u8] = include_bytes!("../fetch/tls/authority.pem");
/// Files of a server's own certificate and its key.
const OWN: [(&str, &[u8]); 3] = [
    ("authority.pem", AUTHORITY),
    ("good.pem", include_bytes!("../fetch/tls/good.pem")),
    ("key.pem", include_bytes!("../fetch/tls/key.pem")),
];

impl Server {
    /// Starts a server with a file of settings, which it may rewrite.
    fn start(folder: &Path, tls: bool, password: &'static str, settings: &str, args: &[&str]) -> Self {
        let port = ports::free();
        let place = folder.join(port.to_string());
        std::fs::create_dir(&place).expect("a folder");
        let file = place.join("redis.conf");
        let here = place.display();
        let listen = if tls {
            for (name, pem) in OWN {
                std::fs::write(place.join(name), pem).expect("written");
            }
            format!(
                "port 0\ntls-port {port}\ntls-replication yes\ntls-auth-clients no\ntls-cert-file {here}/good.pem\n\
                 tls-key-file {here}/key.pem\ntls-ca-cert-file {here}/authority.pem\n"
            )
        } else {
            format!("port {port}\n")
        };
        let text = format!("{listen}bind 127.0.0.1\ndir {here}\nsave \"\"\nrequirepass \"{password}\"\n{settings}");
        std::fs::write(&file, text).expect("written");
        let mut server = Self { port, password, tls, process: None };
        server.run(&file, args);
        server
    }

    fn run(&mut self, file: &Path, args: &[&str]) {
        let mut command = Command::new("redis-server");
        command.arg(file).args(args).stdout(Stdio::null()).stderr(Stdio::null());
        self.process = Some(command.spawn().expect("redis-server is installed (tests/run installs it)"));
        until_blocking("redis-server", || self.connection());
    }

    fn connection(&self) -> Option<redis::Connection> {
        let password = self.password.replace(' ', "%20");
        let url = |scheme: &str| format!("{scheme}://:{password}@127.0.0.1:{}/", self.port);
        let trusted = TlsCertificates { client_tls: None, root_cert: Some(AUTHORITY.to_vec()) };
        let client = if self.tls {
            Client::build_with_tls(url("rediss"), trusted).expect("a URL")
        } else {
            Client::open(url("redis")).expect("a URL")
        };
        client.get_connection_with_timeout(PATIENCE).ok()
    }

    /// Returns the answer to a command, which is sent again if the connection is lost: a server closes its connections
    /// when it becomes a replica.
    fn ask<T: FromRedisValue>(&self, args: &[&str]) -> T {
        until_blocking("an answer of redis-server", || {
            match redis::cmd(args[0]).arg(&args[1..]).query(&mut self.connection()?) {
                Err(error) if error.is_io_error() => None,
                answer => Some(answer.expect("the command is known")),
            }
        })
    }

    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the server is there");
            process.wait().expect("the server is dead");
        }
    }
}

impl Sentinels {
    /// Starts them, and waits until the replica has the master's data and the sentinels know each other.
    pub fn start() -> Self {
        Self::start_with(false)
    }

    /// Does the same with TLS between all of them.
    pub fn start_with_tls() -> Self {
        Self::start_with(true)
    }

    fn start_with(tls: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let auth = format!("masterauth \"{PASSWORD}\"\n");
        let master = Server::start(folder.path(), tls, PASSWORD, &auth, &[]);
        let first = master.port;
        let replica = format!("{auth}replicaof 127.0.0.1 {first}\n");
        let replica = Server::start(folder.path(), tls, PASSWORD, &replica, &[]);
        until_blocking("a replica", || {
            replica.ask::<String>(&["INFO", "replication"]).contains("master_link_status:up").then_some(())
        });
        // Not shorter: a busy machine must not count as a dead master.
        let settings = format!(
            "sentinel monitor {MASTER} 127.0.0.1 {first} 2\nsentinel auth-pass {MASTER} \"{PASSWORD}\"\n\
             sentinel down-after-milliseconds {MASTER} 2000\nsentinel failover-timeout {MASTER} 6000\n\
             sentinel sentinel-pass \"{SENTINEL_PASSWORD}\"\n"
        );
        let sentinels: Vec<Server> =
            (0..3).map(|_| Server::start(folder.path(), tls, SENTINEL_PASSWORD, &settings, &["--sentinel"])).collect();
        for sentinel in &sentinels {
            until_blocking("sentinels that know each other", || {
                let known: std::collections::HashMap<String, String> = sentinel.ask(&["SENTINEL", "MASTER", MASTER]);
                (known["num-slaves"] == "1" && known["num-other-sentinels"] == "2").then_some(())
            });
        }
        Self { servers: [master, replica], sentinels, _folder: folder }
    }

    /// Returns the addresses of the sentinels.
    pub fn nodes(&self) -> Vec<String> {
        self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect()
    }

    /// Returns the URL that has everything.
    pub fn url(&self) -> String {
        let encoded = |text: &str| text.replace(' ', "%20");
        let (password, own) = (encoded(PASSWORD), encoded(SENTINEL_PASSWORD));
        format!("redis+sentinel://:{password}@{}/{MASTER}/0?sentinel_password={own}", self.nodes().join(","))
    }

    /// Writes the certificate of the authority to `folder`, and returns the file.
    pub fn authority(&self, folder: &Path) -> PathBuf {
        let file = folder.join("redis-ca.pem");
        std::fs::write(&file, AUTHORITY).expect("written");
        file
    }

    /// Returns the settings as Chatwoot's variables have them.
    pub fn settings(&self) -> Settings {
        let sentinel = SentinelSettings {
            nodes: self.nodes(),
            master: Some(MASTER.to_owned()),
            user: None,
            password: Some(Secret::new(SENTINEL_PASSWORD)),
        };
        let url = format!("redis://:{}@ignored/0", PASSWORD.replace(' ', "%20"));
        Settings { url: Some(url), sentinel, call_timeout: PATIENCE, ..Settings::default() }
    }

    /// Runs a command on one of the servers.
    pub fn ask<T: FromRedisValue>(&self, server: usize, args: &[&str]) -> T {
        self.servers[server].ask(args)
    }

    /// Returns the server that the first sentinel takes for the master.
    pub fn master(&self) -> usize {
        let (_, port): (String, u16) = self.sentinels[0].ask(&["SENTINEL", "get-master-addr-by-name", MASTER]);
        self.servers.iter().position(|server| server.port == port).expect("one of the servers")
    }

    /// Cuts the replication: what is written from now on is lost when the master dies.
    pub fn cut_replication(&self) {
        let (master, replica) = (self.master(), 1 - self.master());
        let _: redis::Value = self.ask(replica, &["CONFIG", "SET", "masterauth", "wrong"]);
        let _: redis::Value = self.ask(master, &["CLIENT", "KILL", "TYPE", "replica"]);
    }

    /// Kills the master, and waits until the sentinels have made the replica the master.
    pub fn fail_over(&mut self) {
        let before = self.master();
        self.servers[before].kill();
        until_blocking("a failover", || (self.master() != before).then_some(()));
        until_blocking("a new master", || {
            self.ask::<String>(1 - before, &["INFO", "replication"]).contains("role:master").then_some(())
        });
    }

    /// Makes the replica the master while both live; the old master becomes a replica.
    pub fn hand_over(&self) {
        let before = self.master();
        let _: redis::Value = self.sentinels[0].ask(&["SENTINEL", "FAILOVER", MASTER]);
        until_blocking("a failover", || (self.master() != before).then_some(()));
        until_blocking("a replica", || {
            self.ask::<String>(before, &["INFO", "replication"]).contains("role:slave").then_some(())
        });
    }

    /// Kills one of the sentinels.
    pub fn kill_sentinel(&mut self, index: usize) {
        self.sentinels[index].kill();
    }
}

impl Drop for Sentinels {
    fn drop(&mut self) {
        self.servers.iter_mut().chain(&mut self.sentinels).for_each(Server::kill);
    }
}
