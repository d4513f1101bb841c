//! A PostgreSQL server for the tests: one per test process, started by the first test that needs it and stopped when
//! the process ends in any way; or the server that `QUARTERDECK_TEST_POSTGRES` names. Each test has one database.

use super::limit::{until, until_readable};
use super::ports;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use std::fmt::from_fn;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::OnceCell;

pub struct Server {
    /// The URL of the superuser's database, without a path after the last slash.
    base: String,
    /// A set-up database that the others are copied from.
    template: String,
    _watchdog: Option<Child>,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A database for one test.
pub struct Database {
    /// The URL as `--store` takes it.
    pub url: String,
    pub name: String,
}

/// Returns the URL that `QUARTERDECK_TEST_POSTGRES` has.
fn named() -> Option<String> {
    std::env::var("QUARTERDECK_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

/// Returns true if a server can be started or is named.
pub fn is_available() -> bool {
    named().is_some() || installed().is_some()
}

/// Returns the server of this process.
pub async fn server() -> &'static Server {
    SERVER.get_or_init(Server::start).await
}

/// Makes a set-up, empty store (`migrate --standalone`).
pub async fn store() -> Database {
    let server = server().await;
    server.create(&format!("TEMPLATE {}", server.template)).await
}

/// SQL that creates the tables of Chatwoot that a sync needs, and one assistant.
pub const CHATWOOT_TABLES: &str = "CREATE TABLE captain_assistants (id bigint PRIMARY KEY, account_id bigint NOT NULL); \
    INSERT INTO captain_assistants VALUES (3, 2); \
    CREATE TABLE captain_documents (id bigserial PRIMARY KEY, name varchar, external_link text NOT NULL, \
    content text, assistant_id bigint NOT NULL, account_id bigint NOT NULL, created_at timestamp(6) NOT NULL, \
    updated_at timestamp(6) NOT NULL, status integer DEFAULT 0 NOT NULL, metadata jsonb DEFAULT '{}', \
    sync_status integer, last_synced_at timestamp(6), last_sync_attempted_at timestamp(6)); \
    CREATE UNIQUE INDEX links ON captain_documents (assistant_id, md5(external_link));";

/// SQL that creates Chatwoot's table of answers, the FAQs of documents.
pub const CHATWOOT_ANSWERS: &str = "CREATE TABLE captain_assistant_responses (id bigserial PRIMARY KEY, \
    question varchar NOT NULL, answer text NOT NULL, assistant_id bigint NOT NULL, documentable_id bigint, \
    account_id bigint NOT NULL, created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL, \
    status integer DEFAULT 1 NOT NULL, documentable_type varchar, edited boolean DEFAULT false NOT NULL); \
    CREATE INDEX idx_cap_asst_resp_on_documentable ON captain_assistant_responses (documentable_id, documentable_type);";

/// Makes a database without any tables.
pub async fn empty() -> Database {
    server().await.create("TEMPLATE template0").await
}

pub async fn drop_database(database: Database) {
    server().await.admin(&format!("DROP DATABASE {} WITH (FORCE)", database.name)).await;
}

impl Database {
    async fn connect(&self) -> PgConnection {
        PgConnectOptions::from_str(&self.url).expect("a URL").connect().await.expect("the server answers")
    }

    pub async fn script(&self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connect().await).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    /// Returns one text.
    pub async fn text(&self, sql: &str) -> String {
        let row = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connect().await).await;
        row.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// Returns the same URL for another user.
    pub fn url_of(&self, user: &str, password: &str) -> String {
        let mut url = url::Url::parse(&self.url).expect("a URL");
        url.set_username(user).expect("a user");
        url.set_password(Some(password)).expect("a password");
        url.to_string()
    }
}

impl Server {
    async fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (base, watchdog) = match named() {
            Some(url) => (url.trim_end_matches('/').to_owned(), None),
            None => {
                let (base, watchdog) = throwaway(false);
                (base, Some(watchdog))
            }
        };
        Self::set_up(base, watchdog).await
    }

    async fn set_up(base: String, watchdog: Option<Child>) -> Self {
        let template = format!("qd_template_{}", std::process::id());
        let server = Self { base, template: template.clone(), _watchdog: watchdog };
        server.admin(&format!("CREATE DATABASE {template} TEMPLATE template0")).await;
        quarterdeck::store::migrate(&server.url(&template), true, &mut |_| {}).await.expect("a new database is set up");
        server
    }

    fn url(&self, database: &str) -> String {
        match self.base.split_once('?') {
            Some((base, parameters)) => format!("{}/{database}?{parameters}", authority(base)),
            None => format!("{}/{database}", authority(&self.base)),
        }
    }

    async fn admin(&self, sql: &str) {
        let options = PgConnectOptions::from_str(&self.url("postgres")).expect("a URL");
        let refused = Mutex::new(String::new());
        let connect = async || match options.clone().connect().await {
            Ok(conn) => Some(conn),
            Err(error) => {
                *refused.lock().expect("not poisoned") = error.to_string();
                None
            }
        };
        let what = from_fn(|f| write!(f, "PostgreSQL: {}", refused.lock().expect("not poisoned")));
        let mut conn = until(what, connect).await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.expect("the superuser may do it");
        conn.close().await.expect("it closes");
    }

    async fn create(&self, how: &str) -> Database {
        let name = format!("qd_{}_{}", std::process::id(), DATABASES.fetch_add(1, Ordering::Relaxed));
        self.admin(&format!("CREATE DATABASE {name} {how}")).await;
        Database { url: self.url(&name), name }
    }
}

/// Returns the URL up to the host and port.
fn authority(url: &str) -> &str {
    let start = url.find("//").map_or(0, |at| at + 2);
    url[start..].find('/').map_or(url, |at| &url[..start + at])
}

/// A server that a test may restart; it stops when it is dropped.
pub struct Own {
    server: Server,
    watchdog: Child,
}

impl Own {
    /// Starts a server whose commits survive a crash.
    pub async fn start() -> Self {
        let (base, watchdog) = throwaway(true);
        Self { server: Server::set_up(base, None).await, watchdog }
    }

    /// Makes a set-up, empty store on this server.
    pub async fn store(&self) -> Database {
        self.server.create(&format!("TEMPLATE {}", self.server.template)).await
    }

    /// Restarts the server as `pg_ctl -m immediate` does, which is a crash: all connections break. Returns once it
    /// responds.
    pub async fn crash(&mut self) {
        let told = self.watchdog.stdin.as_mut().expect("piped");
        told.write_all(b"restart\n").and_then(|()| told.flush()).expect("the shell listens");
        let says = self.watchdog.stdout.as_mut().expect("piped");
        until_readable("the end of a PostgreSQL server", says);
        let mut down = [0; 5];
        says.read_exact(&mut down).expect("the shell says that the server is down");
        assert_eq!(&down, b"down\n");
        self.server.admin("SELECT 1").await;
    }
}

/// Starts a server in a temporary folder; with `keeps`, commits survive its crashes. A shell watches it, restarts it on
/// a line of input, and stops it when its input closes, which happens when this process ends.
fn throwaway(keeps: bool) -> (String, Child) {
    let bin = binaries();
    let folder = tempfile::tempdir().expect("a folder").keep();
    let data = folder.join("data");
    let port = ports::free();
    let (mut shell, owner) = unprivileged();
    if let Some(owner) = owner {
        let given = Command::new("chown").arg(owner).arg(&folder).status().expect("chown runs");
        assert!(given.success(), "the folder is the server's");
    }
    let script = format!(
        "set -e; cd {folder}; export LC_ALL=C\n\
         {bin}/initdb -D {data} -U postgres -A md5 --pwfile=/dev/fd/3 -E UTF8 --no-sync 3<<EOF >log\n\
         secret\nEOF\n\
         start() {{ {bin}/postgres -D {data} -p {port} -h 127.0.0.1 -k {folder} -c fsync=off \
         -c synchronous_commit={commit} -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB \
         -c autovacuum=off -c log_min_messages=fatal >>log 2>&1 & server=$!; }}\n\
         start; while read -r word; do kill -QUIT $server; wait $server || :; echo down; start; done\n\
         kill -QUIT $server; wait $server || :; cd /; rm -rf {folder}",
        folder = folder.display(),
        data = data.display(),
        bin = bin.display(),
        commit = if keeps { "on" } else { "off" },
    );
    shell.arg("sh").arg("-c").arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut watchdog = shell.spawn().expect("a shell starts");
    // Nothing is written yet; the shell waits for a line or for the end of its input.
    watchdog.stdin.as_mut().expect("piped").flush().expect("an open pipe");
    (format!("postgres://postgres:secret@127.0.0.1:{port}"), watchdog)
}

/// Returns the path of a program that comes with the server, such as `pg_dump`.
pub fn program(name: &str) -> Option<PathBuf> {
    installed().map(|folder| folder.join(name)).filter(|path| path.exists())
}

/// Returns the folder of the newest server's programs.
fn binaries() -> PathBuf {
    installed().expect("PostgreSQL is installed (Debian: apt-get install postgresql)")
}

fn installed() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.map(|version| version.path().join("bin")).filter(|bin| bin.join("initdb").exists()).max();
    newest.or_else(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find(|bin| bin.join("initdb").exists())
    })
}

/// Returns a command that runs as another user if this one is root, because PostgreSQL refuses to run as root.
pub fn unprivileged() -> (Command, Option<&'static str>) {
    let root = std::fs::metadata("/proc/self").is_ok_and(|data| std::os::unix::fs::MetadataExt::uid(&data) == 0);
    if !root {
        return (Command::new("env"), None);
    }
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = if known.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" };
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), "--regid=nogroup", "--clear-groups", "--"]);
    (command, Some(user))
}
