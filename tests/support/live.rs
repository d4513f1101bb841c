//! The console's real event loop with scripted input and a screen in memory, on tokio's paused clock.

use super::memory::Memory;
use super::screen::{key, lines};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use quarterdeck::runner::handle::Handle;
use quarterdeck::store::StoreBase;
use quarterdeck::tui::Options;
use quarterdeck::tui::model::Model;
use quarterdeck::tui::perform::Performer;
use quarterdeck::tui::runtime::{Input, Platform, RunResult, run};
use ratatui::Terminal;
use ratatui::backend::{Backend, ClearType, TestBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Child;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// A screen that the loop draws on and the test reads. The program must not query the cursor's position: a terminal
/// that is busy or gone does not respond.
#[derive(Clone)]
struct Shared {
    backend: Arc<Mutex<TestBackend>>,
    lost: Arc<AtomicBool>,
}

impl Shared {
    fn with<T>(&self, look: impl FnOnce(&mut TestBackend) -> T) -> T {
        look(&mut self.backend.lock().expect("no test panics while it draws"))
    }

    fn write(&self, write: impl FnOnce(&mut TestBackend) -> Result<(), Infallible>) -> io::Result<()> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(io::Error::other("the terminal is gone"));
        }
        self.with(write).map_err(|never| match never {})
    }
}

impl Backend for Shared {
    type Error = io::Error;
    fn draw<'a, I: Iterator<Item = (u16, u16, &'a Cell)>>(&mut self, content: I) -> io::Result<()> {
        self.write(|backend| backend.draw(content))
    }
    fn hide_cursor(&mut self) -> io::Result<()> {
        self.write(Backend::hide_cursor)
    }
    fn show_cursor(&mut self) -> io::Result<()> {
        self.write(Backend::show_cursor)
    }
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        panic!("the terminal was asked where its cursor is");
    }
    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.write(|backend| backend.set_cursor_position(position))
    }
    fn clear(&mut self) -> io::Result<()> {
        self.write(Backend::clear)
    }
    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.write(|backend| backend.clear_region(clear_type))
    }
    fn size(&self) -> io::Result<Size> {
        self.with(|backend| backend.size()).map_err(|never| match never {})
    }
    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.with(Backend::window_size).map_err(|never| match never {})
    }
    fn flush(&mut self) -> io::Result<()> {
        self.write(Backend::flush)
    }
}

/// Records the console's actions outside its screen.
#[derive(Debug, Default)]
pub struct Outer {
    pub copied: Vec<String>,
    pub opened: Vec<String>,
    pub paged: Vec<String>,
    pub suspended: usize,
}

impl Platform for Outer {
    fn copy(&mut self, text: &str, what: &str) -> Result<String, String> {
        self.copied.push(text.to_owned());
        Ok(format!("copied the {what}"))
    }
    fn open(&mut self, url: &str) -> Result<String, String> {
        self.opened.push(url.to_owned());
        Err("no browser here".to_owned())
    }
    fn page(&mut self, text: String) -> Result<Child, String> {
        self.paged.push(text);
        Err("no pager here".to_owned())
    }
    fn paged(&mut self, _: Option<i32>) -> std::io::Result<Option<String>> {
        Ok(None)
    }
    fn stop(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn suspend(&mut self) -> std::io::Result<()> {
        self.suspended += 1;
        Ok(())
    }
    fn resume(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    fn frame_begins(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn frame_ends(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Operates the console and reads its screen for a test.
pub struct Operator {
    input: mpsc::UnboundedSender<Input>,
    screen: Shared,
    pub store: Arc<Memory>,
}

impl Operator {
    /// Presses keys without a pause.
    pub fn press(&self, keys: &[&str]) {
        for name in keys {
            self.send(Input::Terminal(Event::Key(key(name))));
        }
    }

    /// Types text without a pause.
    pub fn type_text(&self, text: &str) {
        for c in text.chars() {
            self.send(Input::Terminal(Event::Key(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE))));
        }
    }

    pub fn send(&self, input: Input) {
        self.input.send(input).expect("the console is still there");
    }

    /// Lets the console finish its work; the clock skips the waits.
    pub async fn settle(&self) {
        self.wait(500).await;
    }

    /// Lets this many milliseconds pass.
    pub async fn wait(&self, millis: u64) {
        sleep(Duration::from_millis(millis)).await;
    }

    pub fn resize(&self, width: u16, height: u16) {
        self.screen.with(|backend| backend.resize(width, height));
        self.send(Input::Terminal(Event::Resize(width, height)));
    }

    /// Makes every later write to the terminal fail.
    pub fn lose_terminal(&self) {
        self.screen.lost.store(true, Ordering::Relaxed);
    }

    /// Returns the text of the screen.
    pub fn screen(&self) -> String {
        self.screen.with(|backend| lines(backend.buffer()).join("\n"))
    }

    pub async fn sees(&self, text: &str) {
        for _ in 0..2_000 {
            if self.screen().contains(text) {
                return;
            }
            self.wait(10).await;
        }
        panic!("no {text:?} on\n{}", self.screen());
    }

    /// Waits until the cursor is on a line that satisfies `is`.
    pub async fn sees_cursor(&self, is: impl Fn(&str) -> bool) {
        for _ in 0..2_000 {
            if is(&self.cursor_line()) {
                return;
            }
            self.wait(10).await;
        }
        panic!("the cursor is on {:?} of\n{}", self.cursor_line(), self.screen());
    }

    /// Fails if the screen shows `text`.
    pub fn sees_no(&self, text: &str) {
        assert!(!self.screen().contains(text), "{text:?} is on\n{}", self.screen());
    }

    /// Returns the line that begins with the cursor's bar.
    pub fn cursor_line(&self) -> String {
        let screen = self.screen();
        screen
            .lines()
            .find(|line| line.starts_with("│▌"))
            .unwrap_or_else(|| panic!("no cursor on\n{screen}"))
            .to_owned()
    }
}

/// Runs a console at 120x40 over `store` while `script` operates it, and ends it after the script.
pub async fn console<F: Future<Output = Operator>>(
    store: Arc<Memory>,
    runner: Option<Handle>,
    options: Options,
    script: impl FnOnce(Operator) -> F,
) -> (RunResult, Outer) {
    let backend = Arc::new(Mutex::new(TestBackend::new(120, 40)));
    let screen = Shared { backend, lost: Arc::default() };
    let mut terminal = Terminal::new(screen.clone()).expect("a screen in memory does not fail");
    let (input, mut events) = mpsc::unbounded_channel();
    let events = Box::pin(futures_util::stream::poll_fn(move |context| events.poll_recv(context)));
    let model = Model::new(options.clone(), store.label(), runner.is_some(), store.now(), (120, 40));
    let (performer, mut inbox) =
        Performer::new(store.clone(), runner, options.operator, options.explainer, options.chatwoot_jobs);
    performer.start();
    let mut outer = Outer::default();
    let operator = Operator { input, screen, store: Arc::clone(&store) };
    // The script returns the operator only to drop it: its end is the end of the input.
    let script = async { drop(script(operator).await) };
    let clock = Arc::clone(&store);
    let looped = run(&mut terminal, events, &mut outer, &performer, &mut inbox, model, move || clock.now());
    let (ended, ()) = tokio::join!(looped, script);
    drop(inbox);
    performer.end().await;
    (ended.expect("a screen in memory does not fail"), outer)
}
