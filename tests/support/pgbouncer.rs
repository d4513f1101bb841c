//! PgBouncer in transaction mode, on a free port, in front of the tests' server.

use super::limit::until;
use super::ports;
use super::postgres::unprivileged;
use std::path::Path;
use std::process::{Child, Stdio};
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A running PgBouncer; it stops when it is dropped.
pub struct PgBouncer {
    /// The URL of the database through PgBouncer.
    pub url: String,
    program: Child,
    _folder: TempDir,
}

impl PgBouncer {
    /// Starts PgBouncer in front of the database at `url`, with so few server connections that clients must share them.
    pub async fn before(url: &str) -> Self {
        let url = url::Url::parse(url).expect("a URL");
        let program = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];
        let program = program.into_iter().find(|path| Path::new(path).exists());
        let program = program.expect("PgBouncer is installed (Debian: apt-get install pgbouncer)");
        let port = ports::free();
        let folder = tempfile::tempdir().expect("a folder");
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        let users = folder.path().join("users");
        std::fs::write(&users, format!("\"{user}\" \"{password}\"\n")).expect("written");
        let settings = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = plain\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 3\n",
            url.host_str().unwrap_or("127.0.0.1"),
            url.port().unwrap_or(5432),
            users.display()
        );
        std::fs::write(&settings, text).expect("written");
        for path in [folder.path(), &users, &settings] {
            // Another user reads these files.
            let mode = if path.is_dir() { 0o755 } else { 0o644 };
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("ours");
        }
        let (mut command, _) = unprivileged();
        let program = command.arg(program).arg("-q").arg(&settings).stdin(Stdio::null()).stderr(Stdio::null());
        let program = program.stdout(Stdio::null()).spawn().expect("PgBouncer starts");
        until("PgBouncer", async || TcpStream::connect(("127.0.0.1", port)).await.ok()).await;
        let mut behind = url;
        behind.set_port(Some(port)).expect("a port");
        behind.set_query(Some("pgbouncer=true"));
        Self { url: behind.to_string(), program, _folder: folder }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        // PgBouncer has no state to save.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}
