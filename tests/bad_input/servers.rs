//! Tests servers that do not answer, refuse, or are not set up: every verb names the cause and the cure, the console
//! keeps trying, and no output contains a password.

use super::install;
use crate::support::install::Install;
use crate::support::limit::until;
use crate::support::ports;
use crate::support::postgres;
use crate::support::pty::Terminal;
use crate::support::redis::TestRedis;
use std::process::{Child, Command, Stdio};
use tokio::net::{TcpListener, TcpStream};

const SECRET: &str = "s3cret";

fn console(install: &Install, store: &str, more: &[&str]) -> Terminal {
    let mut command = install.on_terminal(&[&["--store", store], more].concat());
    command.env("TERM", "xterm-256color");
    Terminal::spawn(120, 30, command)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_waits_for_a_server_and_comes_to_life_with_it() {
    let (install, database) = (install().await, postgres::store().await);
    let (_, server) = database.url.rsplit_once('@').expect("a user");
    let (address, name) = server.split_once('/').expect("a database");
    let port = ports::free();
    let late = database.url.replace(address, &format!("127.0.0.1:{port}"));
    assert_ne!(late, database.url);
    let mut terminal = console(&install, &late, &["--no-runner"]);
    let screen = terminal.until_text("no database");
    let words = screen.contents().replace('│', " ");
    let text = words.split_whitespace().collect::<Vec<_>>().join(" ");
    for says in ["refused", "check host and port", "next try in", "q quit"] {
        assert!(text.contains(says), "no {says:?} in {text}");
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    let address = address.to_owned();
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let address = address.clone();
            tokio::spawn(async move {
                let mut there = TcpStream::connect(address).await.expect("the server runs");
                // Either side may close the connection.
                let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
            });
        }
    });
    terminal.until_text(&format!("127.0.0.1/{}", name.split('?').next().expect("a name")));
    terminal.until_text("no worker");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0, "{}", terminal.raw());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_on_a_database_that_is_not_set_up_goes_on_when_it_is() {
    let (install, database) = (install().await, postgres::empty().await);
    let mut terminal = console(&install, &database.url, &["--no-runner"]);
    terminal.until_text("quarterdeck migrate --standalone");
    let migrated = install.start_with(&[("QUARTERDECK_STORE", &database.url)], &["migrate", "--standalone"]).ended();
    assert_eq!(migrated.code, Some(0), "{}", migrated.err);
    terminal.keys("r");
    terminal.until_text("no worker");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_a_wait_is_told_the_reason_again_without_the_password() {
    let (install, database) = (install().await, postgres::store().await);
    let wrong = database.url_of("postgres", SECRET);
    for (url, cause, cure) in [
        (wrong.clone(), "password authentication failed", "QUARTERDECK_STORE"),
        (format!("{wrong}?sslmode=require"), "encrypted", "sslmode"),
    ] {
        let mut terminal = console(&install, &url, &[]);
        terminal.until_text("no database");
        terminal.keys("q");
        assert_eq!(terminal.ended(), 3, "{url}");
        let raw = terminal.raw();
        assert!(raw.contains(cause) && raw.contains(cure) && !raw.contains(SECRET), "{url}: {raw}");
        let listed = install.start_with(&[("QUARTERDECK_STORE", &url)], &["list"]).ended();
        assert_eq!(listed.code, Some(3), "{listed:?}");
        assert!(listed.err.contains(cause) && listed.err.contains(cure), "{}", listed.err);
        assert_eq!(listed.err.matches("127.0.0.1").count(), 1, "the place is named once: {}", listed.err);
        assert!(!listed.err.contains(SECRET), "{}", listed.err);
    }
}

/// Broken Redis set-ups: the URL, the cause and the cure of each.
struct Cases {
    _redis: TestRedis,
    _tls: TlsRedis,
    cases: Vec<(&'static str, String, &'static str, &'static str)>,
}

/// A Redis that speaks TLS with a self-signed certificate.
struct TlsRedis {
    server: Child,
    port: u16,
}

impl TlsRedis {
    async fn start() -> Self {
        let port = ports::free();
        let file = |name: &str| format!("{}/tests/fetch/tls/{name}", env!("CARGO_MANIFEST_DIR"));
        let mut server = Command::new("redis-server");
        server.args(["--port", "0", "--tls-port", &port.to_string(), "--save", "", "--tls-auth-clients", "no"]);
        server.args(["--tls-cert-file", &file("certificate.pem"), "--tls-key-file", &file("key.pem")]);
        server.args(["--tls-ca-cert-file", &file("certificate.pem"), "--bind", "127.0.0.1"]);
        let server = server.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("redis-server is installed");
        let mut tls = Self { server, port };
        let listens = async || {
            assert!(tls.server.try_wait().expect("a child").is_none(), "this redis-server speaks no TLS");
            TcpStream::connect(("127.0.0.1", port)).await.ok()
        };
        until("a Redis that speaks TLS", listens).await;
        tls
    }
}

impl Drop for TlsRedis {
    fn drop(&mut self) {
        // The server may have exited already.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

async fn cases() -> Cases {
    let redis = TestRedis::own(Some("right"));
    let port = redis.url().rsplit(':').next().and_then(|rest| rest.split('/').next()).expect("a port").to_owned();
    let tls = TlsRedis::start().await;
    let cases = vec![
        ("wrong password", format!("redis://:{SECRET}@127.0.0.1:{port}/0"), "password", "check user and password"),
        ("no password", format!("redis://127.0.0.1:{port}/0"), "uthentication", "check user and password"),
        ("nobody there", format!("redis://:{SECRET}@127.0.0.1:{}/0", ports::free()), "refused", ""),
        ("wrong database", format!("redis://:right@127.0.0.1:{port}/99"), "DB index", "end redis.url with"),
        ("TLS to a plain server", format!("rediss://:right@127.0.0.1:{port}/0"), "", "rediss://"),
        ("an unsigned certificate", format!("rediss://127.0.0.1:{}/0", tls.port), "certificate", "rediss://"),
        ("plain to a TLS server", format!("redis://:{SECRET}@127.0.0.1:{}/0", tls.port), "", ""),
    ];
    Cases { _redis: redis, _tls: tls, cases }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_cannot_be_used_is_named_with_its_cure() {
    let (install, cases) = (install().await, cases().await);
    for (what, url, cause, cure) in &cases.cases {
        let env = [("QUARTERDECK_REDIS", url.as_str())];
        // With mode `preferred` the work is done without Redis, and the output says so.
        let worked = install.start_with(&env, &["work", "--drain"]).ended();
        assert_eq!(worked.code, Some(0), "{what}: {worked:?}");
        assert!(worked.err.contains("DEGRADED") && worked.err.contains(cause), "{what}: {}", worked.err);
        let looked = install.start_with(&env, &["doctor", "--json"]).ended();
        let line = looked.out.iter().find(|line| line.contains("\"redis\"")).expect("a line of Redis");
        assert!(line.contains("\"fail\"") && line.contains(cause) && line.contains(cure), "{what}: {line}");
        assert_eq!(looked.code, Some(1), "{what}: {line}");
        for text in [&worked.err, line] {
            assert!(!text.contains(SECRET) && !text.contains("right"), "{what}: {text}");
        }
    }
    install.write("config.toml", "[redis]\nlock = \"required\"\n");
    for (what, url, cause, cure) in &cases.cases {
        let env = [("QUARTERDECK_REDIS", url.as_str())];
        let worked = install.start_with(&env, &["work", "--drain"]).ended();
        assert_eq!(worked.code, Some(3), "{what}: {worked:?}");
        let says = ["127.0.0.1", "required", cause, cure];
        assert!(says.iter().all(|say| worked.err.contains(say)), "{what}: {}", worked.err);
        assert_eq!(install.start_with(&env, &["doctor"]).ended().code, Some(3), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_answers_is_told_of_and_a_watching_console_sees_it_go() {
    let (install, database) = (install().await, postgres::store().await);
    let mut redis = TestRedis::own(None);
    let env = [("QUARTERDECK_STORE", database.url.as_str()), ("QUARTERDECK_REDIS", redis.url())];
    let looked = install.start_with(&env, &["doctor", "--json"]).ended();
    let line = looked.out.iter().find(|line| line.contains("\"check\":\"redis\"")).expect("a line of Redis");
    assert!(line.contains("\"ok\"") && line.contains("locks are preferred"), "{line}");
    let url = redis.url().to_owned();
    let mut terminal = console(&install, &database.url, &["--no-runner", "--redis", &url]);
    terminal.until_text("no worker");
    redis.stop();
    terminal.until_text("DEGRADED");
    redis.start_again();
    terminal.until("Redis is back", |screen| !screen.contents().contains("DEGRADED: Redis unreachable"));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}
