//! The real binary in a real pseudo-terminal: keys in, a parsed screen out. Waits for screen contents, never for time.

use super::limit::Deadline;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use std::fmt::from_fn;
use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

struct Seen {
    parser: vt100::Parser,
    raw: Vec<u8>,
    closed: bool,
    /// Asks the reader to close the terminal.
    hanging_up: bool,
}

impl Seen {
    /// Returns true if the last frame has begun and not ended: a person would never see the screen in that state.
    fn within_a_frame(&self) -> bool {
        let last = |mark: &[u8]| self.raw.windows(mark.len()).rposition(|bytes| bytes == mark);
        last(b"\x1b[?2026h") > last(b"\x1b[?2026l")
    }
}

/// A program on its own pseudo-terminal.
pub struct Terminal {
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    reading: Option<JoinHandle<()>>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

fn cells(n: u16) -> NonZero<u16> {
    NonZero::new(n).expect("a terminal has cells")
}

impl Terminal {
    /// Starts `quarterdeck` with `args` and environment `env` at `cols` x `rows`.
    pub fn start(cols: u16, rows: u16, env: &[(&str, &str)], args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(args);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        for (name, value) in env {
            command.env(name, value);
        }
        Self::spawn(cols, rows, command)
    }

    /// Starts any command.
    pub fn spawn(cols: u16, rows: u16, mut command: CommandBuilder) -> Self {
        // A console on a busy machine would drop the keys of a test that does not press them again.
        if command.get_env("QUARTERDECK_LIMIT").is_none() {
            command.env("QUARTERDECK_LIMIT", "key_age:3600");
        }
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let writer = pair.master.take_writer().expect("a writer");
        let parser = vt100::Parser::new(cells(rows), cells(cols), 0);
        let seen =
            Arc::new((Mutex::new(Seen { parser, raw: Vec::new(), closed: false, hanging_up: false }), Condvar::new()));
        let shared = Arc::clone(&seen);
        let reading = thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = reader.read(&mut buffer).unwrap_or(0);
                let (seen, told) = &*shared;
                let Ok(mut seen) = seen.lock() else { return };
                if read == 0 || seen.hanging_up {
                    seen.closed = true;
                    told.notify_all();
                    return;
                }
                seen.raw.extend_from_slice(&buffer[..read]);
                seen.parser.process(&buffer[..read]);
                told.notify_all();
            }
        });
        Self { master: Some(pair.master), writer: Some(writer), reading: Some(reading), child, seen }
    }

    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("the terminal is open");
        writer.write_all(keys.as_bytes()).expect("the program reads its keys");
        writer.flush().expect("the program reads its keys");
    }

    /// Writes to the same terminal, as another program would.
    pub fn scribble(&self, text: &str) {
        self.seen.0.lock().expect("the reader is not poisoned").parser.process(text.as_bytes());
    }

    /// Changes the terminal's size.
    pub fn resize(&mut self, cols: u16, rows: u16) {
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        // Before the program receives the signal, so that its next output is parsed at the new size.
        let mut seen = self.seen.0.lock().expect("the reader is not poisoned");
        seen.parser.screen_mut().set_size(cells(rows), cells(cols));
        self.master.as_ref().expect("the terminal is open").resize(size).expect("a pty can be resized");
    }

    /// Waits until the screen satisfies `what`, and returns it.
    #[track_caller]
    pub fn until(&self, what: &str, mut is: impl FnMut(&vt100::Screen) -> bool) -> vt100::Screen {
        let deadline = Deadline::start();
        let (seen, told) = &*self.seen;
        let mut seen = seen.lock().expect("the reader is not poisoned");
        loop {
            if !seen.within_a_frame() && is(seen.parser.screen()) {
                return seen.parser.screen().clone();
            }
            assert!(!seen.closed, "the program has ended without {what} on:\n{}", seen.parser.screen().contents());
            let left = deadline.check(from_fn(|f| write!(f, "{what} on:\n{}", seen.parser.screen().contents())));
            seen = told.wait_timeout(seen, left).expect("the reader is not poisoned").0;
        }
    }

    /// Presses `keys` until the screen satisfies `what`, since a program that is busy drops keys. They must do no harm
    /// when they are pressed once more.
    #[track_caller]
    pub fn press_until(&mut self, keys: &str, what: &str, is: impl Fn(&vt100::Screen) -> bool) {
        let deadline = Deadline::start();
        loop {
            self.keys(keys);
            let (seen, told) = &*self.seen;
            let seen = seen.lock().expect("the reader is not poisoned");
            let open = |seen: &mut Seen| !is(seen.parser.screen()) && !seen.closed;
            let seen =
                told.wait_timeout_while(seen, Duration::from_secs(3), open).expect("the reader is not poisoned").0;
            if is(seen.parser.screen()) {
                return;
            }
            let screen = seen.parser.screen().contents();
            assert!(!seen.closed, "the program has ended without {what} on:\n{screen}");
            deadline.check(from_fn(|f| write!(f, "{what} on:\n{screen}")));
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub fn until_text(&self, text: &str) -> vt100::Screen {
        self.until(text, |screen| screen.contents().contains(text))
    }

    /// Returns everything that was written to the terminal.
    pub fn raw(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().expect("the reader is not poisoned").raw).into_owned()
    }

    /// Returns the process id.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.process_id().expect("the program has started")).expect("a process id")
    }

    /// Closes the terminal, as a closed window does. The program must draw now and then: its next output wakes the
    /// reader, which keeps the terminal open too.
    pub fn hang_up(&mut self) {
        self.seen.0.lock().expect("the reader is not poisoned").hanging_up = true;
        self.reading.take().expect("not hung up yet").join().expect("the reader ends");
        self.writer = None;
        self.master = None;
    }

    /// Waits for the end of the program and of its output; returns its exit code.
    #[track_caller]
    pub fn ended(&mut self) -> u32 {
        let deadline = Deadline::start();
        {
            let (seen, told) = &*self.seen;
            let mut seen = seen.lock().expect("the reader is not poisoned");
            while !seen.closed {
                let left = deadline.check(from_fn(|f| write!(f, "its end:\n{}", seen.parser.screen().contents())));
                seen = told.wait_timeout(seen, left).expect("the reader is not poisoned").0;
            }
        }
        self.child.wait().expect("the program can be waited for").exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A failed assertion must not leave a program running.
        let _ = self.child.kill();
    }
}
