//! Tests of many keys at once: a key that is held down, a paste without brackets.

use super::{quiet_store, with};
use crate::support::facts::options;
use crate::support::live::Operator;
use crate::support::memory::Memory;
use crate::support::screen::key;
use crossterm::event::Event;
use futures_util::stream;
use quarterdeck::store::StoreBase as _;
use quarterdeck::tui::model::Model;
use quarterdeck::tui::perform::Performer;
use quarterdeck::tui::runtime::{Input, Platform, run};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use tokio::process::Child;

/// Counts the frames, and does nothing else.
struct Frames(Arc<AtomicUsize>);

impl Platform for Frames {
    fn copy(&mut self, _: &str, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
    fn open(&mut self, _: &str) -> Result<String, String> {
        Ok(String::new())
    }
    fn page(&mut self, _: String) -> Result<Child, String> {
        Err(String::new())
    }
    fn paged(&mut self, _: Option<i32>) -> io::Result<Option<String>> {
        Ok(None)
    }
    fn stop(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn frame_begins(&mut self) -> io::Result<()> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    fn frame_ends(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Enough keys for many frames; more would only make a failure slow.
const FLOOD: usize = 200_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_are_drawn_and_messages_handled_while_keys_come_without_a_pause() {
    let store: Arc<Memory> = quiet_store(300);
    let frames = Arc::new(AtomicUsize::new(0));
    let (performer, mut inbox) = Performer::new(store.clone(), None, options().operator, None, None);
    performer.start();
    let mut terminal = Terminal::new(TestBackend::new(120, 40)).expect("a screen in memory does not fail");
    let model = Model::new(options(), store.label(), false, store.now(), (120, 40));
    let (drawn, mut keys) = (Arc::clone(&frames), 0);
    let flood = stream::poll_fn(move |_| {
        keys += 1;
        let is_over = keys > FLOOD || drawn.load(Ordering::Relaxed) >= 4;
        Poll::Ready(Some(Input::Terminal(Event::Key(key(if is_over { "q" } else { "j" })))))
    });
    let clock = Arc::clone(&store);
    let mut platform = Frames(Arc::clone(&frames));
    let ended = run(&mut terminal, flood, &mut platform, &performer, &mut inbox, model, move || clock.now()).await;
    performer.end().await;
    let ended = ended.expect("a screen in memory does not fail");
    assert!(ended.draws >= 4, "{} frames", ended.draws);
    assert!(ended.model.documents.loaded, "the rows arrived meanwhile");
}

/// Opens the filter, types with `fill` more than it takes, and returns the number of characters that it took.
async fn taken(fill: impl Fn(&Operator)) -> usize {
    let (ended, _) = with(quiet_store(3), async |operator| {
        operator.press(&["/"]);
        fill(operator);
        operator.sees("takes no more").await;
        operator.press(&["enter"]);
        operator.settle().await;
    })
    .await;
    ended.model.documents.filter_text.len()
}

#[tokio::test(start_paused = true)]
async fn a_prompt_takes_as_many_characters_as_a_url_has() {
    assert_eq!(taken(|operator| operator.type_text(&"a".repeat(20_000))).await, 8_192);
}

#[tokio::test(start_paused = true)]
async fn a_paste_is_taken_as_far_as_the_prompt_has_room() {
    let paste = |operator: &Operator| {
        operator.type_text("a");
        operator.send(Input::Terminal(Event::Paste("b".repeat(20_000))));
    };
    assert_eq!(taken(paste).await, 8_192);
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_dropped_are_said() {
    with(quiet_store(3), async |operator| {
        operator.send(Input::Dropped(1_200));
        operator.sees("dropped 1,200 keys").await;
    })
    .await;
}
