//! A test directory with its own store and settings, a small HTTP server, and functions that run the binary there.

use crate::support::install::PATIENT_FETCH;
use crate::support::leash;
use rustix::process::Pid;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Place {
    dir: tempfile::TempDir,
    pub port: u16,
    over: Arc<AtomicBool>,
}

/// Exit code and output of a run.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Returns its stdout; panics unless it exited with 0.
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{}", self.err);
        self.out
    }
}

impl Place {
    pub fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let over = Arc::new(AtomicBool::new(false));
        let place = Self { dir: tempfile::tempdir().expect("a directory"), port, over: over.clone() };
        place.write(
            "config.toml",
            &format!(
                "{PATIENT_FETCH}retry.transient_waits = [\"100ms\"]\nfetch.allow_private_hosts = [\"127.0.0.1\"]\n"
            ),
        );
        std::fs::create_dir(place.dir.path().join("tmp")).expect("made");
        thread::spawn(move || {
            let hits = Arc::new(Mutex::new(HashMap::new()));
            for connection in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let hits = hits.clone();
                thread::spawn(move || connection.map(|connection| serve(&connection, &hits)));
            }
        });
        place
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub fn store(&self) -> PathBuf {
        self.dir.path().join("q.db")
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    pub fn outcome_files(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.dir.path().join(".local/state/quarterdeck/log")).expect("there");
        let files = files.map(|file| file.expect("listed").path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
        files
            .map(|path| std::fs::read_to_string(path).expect("text"))
            .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// Returns the number of entries in the directory for temporary files.
    pub fn leftovers(&self) -> usize {
        std::fs::read_dir(self.dir.path().join("tmp")).expect("there").count()
    }

    /// Runs the binary in a terminal and types `keys` at its prompt; returns the exit code and the screen.
    pub fn answer<'a>(&self, args: impl IntoIterator<Item = &'a str>, keys: &str) -> (u32, String) {
        let pty = portable_pty::native_pty_system().openpty(portable_pty::PtySize::default()).expect("a terminal");
        let mut command = portable_pty::CommandBuilder::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args);
        command.env_clear();
        for (name, value) in self.command([""; 0]).get_envs() {
            command.env(name, value.unwrap_or_default());
        }
        let mut child = pty.slave.spawn_command(command).expect("runs");
        let pid = child.process_id().and_then(|pid| Pid::from_raw(pid.try_into().ok()?)).expect("it has started");
        leash::put_on(pid, "a program that asks at a terminal");
        drop(pty.slave);
        let mut screen = pty.master.try_clone_reader().expect("readable");
        let mut terminal = pty.master.take_writer().expect("writable");
        let (mut seen, mut piece, mut asked) = (String::new(), [0; 4_096], false);
        // Reading fails once the last user has closed the terminal.
        while let Ok(read @ 1..) = screen.read(&mut piece) {
            seen.push_str(&String::from_utf8_lossy(&piece[..read]));
            if !asked && seen.contains("[y/N]") {
                asked = true;
                terminal.write_all(keys.as_bytes()).expect("typed");
            }
        }
        (child.wait().expect("ends").exit_code(), seen)
    }

    pub fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command
            .args(args)
            .env_clear()
            .env("HOME", self.dir.path())
            .env("USER", "ana")
            .env("TMPDIR", self.dir.path().join("tmp"))
            .env("QUARTERDECK_STORE", format!("sqlite:{}", self.store().display()))
            .env("QUARTERDECK_CONFIG", self.dir.path().join("config.toml"))
            .stdin(Stdio::null());
        command
    }

    pub fn run<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        self.run_with_input(args, "")
    }

    pub fn run_with_input<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: &str) -> Ran {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = start(&mut command);
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_owned();
        // A program that does not read its input may have exited already; the exit code shows that.
        thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
        let output = child.wait_with_output().expect("ended");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Starts a program that is killed when it hangs, so that its readers continue.
pub fn start(command: &mut Command) -> Child {
    let child = command.spawn().expect("runs");
    leash::put_on(Pid::from_child(&child), &format!("{command:?}"));
    child
}

pub fn tell(child: &Child, signal: rustix::process::Signal) {
    rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).expect("it runs");
}

/// Serves `/walled/…` as a page at its first hit and as a login wall afterwards, `/ok/…` as a page, `/framed/…`
/// as a page with a menu, `/second-time/…` as
/// a page from the second hit on, and 404 for everything else.
fn serve(connection: &TcpStream, hits: &Mutex<HashMap<String, u32>>) {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    let path = lines.next().and_then(|line| line.split(' ').nth(1).map(str::to_owned)).unwrap_or_default();
    for line in lines {
        if line.is_empty() {
            break;
        }
    }
    let hit = {
        let mut hits = hits.lock().expect("no panic while held");
        let hit = hits.entry(path.clone()).or_insert(0);
        *hit += 1;
        *hit
    };
    let (status, body) = match path.split('/').nth(1) {
        Some("second-time") if hit == 1 => ("503 Service Unavailable", "later".to_owned()),
        Some("walled") if hit == 1 => (
            "200 OK",
            "<html><title>Prices</title><main><h1>Prices</h1><p>Ten euro a month, for as many people as you like.</p></main></html>"
                .to_owned(),
        ),
        Some("walled") => (
            "200 OK",
            "<html><title>Sign in</title><main><h1>Please sign in</h1><p>Your password, please.</p></main></html>".to_owned(),
        ),
        Some("framed") => (
            "200 OK",
            format!(
                "<html><title>{path}</title><nav class=menu><a href=/>All pages</a></nav>\
                 <main><h1>Hello</h1><p>This is {path}.</p></main></html>"
            ),
        ),
        Some("ok" | "second-time") => {
            ("200 OK", format!("<html><title>{path}</title><main><h1>Hello</h1><p>This is {path}.</p></main></html>"))
        }
        _ => ("404 Not Found", "nothing here".to_owned()),
    };
    let mut connection = connection;
    let _ = write!(
        connection,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}
