//! The console: a list of documents, what their outcomes were, and keys to act on them.
//!
//! ```text
//! terminal, signals -> runtime -> update (model, msg) -> effects -> perform -> store, runner
//!                         |                                            |
//!                         +------ view (model -> cells)        answers as messages
//! ```
//!
//! `model`, `update`, `view` and what they use are pure: no clock, no I/O. [`runtime`] owns the only loop, [`perform`]
//! is the only file that reaches the store and the runner.

pub mod action;
pub mod availability;
mod clipboard;
pub mod effect;
pub mod glyphs;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
mod opener;
pub mod perform;
pub mod readers;
pub mod refresh;
pub mod runtime;
pub mod say;
mod signals;
pub mod table;
mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod views;
pub mod waiting;
pub mod widgets;

pub use keymap::{keys_markdown, keys_text};
pub use terminal::{no_color, screen_size};

use crate::domain::id::{AccountId, AssistantId};
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, LockHealth};
use crate::runner::handle::Handle;
use crate::store::Store;
use jiff::tz::TimeZone;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use tokio::sync::{broadcast, watch};

/// How a console is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Keys that change something are refused.
    pub read_only: bool,
    /// What the first line says besides, `demo: waits and time-outs shortened`.
    pub note: Option<SafeLine>,
    /// Who asks, for outcomes.
    pub operator: SafeLine,
    /// The zone of times on the screen.
    pub zone: TimeZone,
    /// Signs from ASCII alone.
    pub ascii: bool,
    /// No colours. `NO_COLOR` means the same.
    pub mono: bool,
    /// Running jobs of one host at a time, to say why a job waits; 0 is no cap.
    pub per_host: u32,
    /// To whom a document belongs that is added here.
    pub default_owner: (AccountId, AssistantId),
    /// Steps of attempts in other processes, for a console without a runner; with one they are among its events.
    pub remote: Option<broadcast::Sender<Event>>,
    /// Whether those steps can be heard, for the same.
    pub hearing: Option<watch::Receiver<LockHealth>>,
}

/// How a console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// On request, and no job was running here. The runner, if there is one, was asked to end.
    Quit,
    /// The runner has finished what ran, and has ended.
    Drained,
    /// At once: what runs was asked to be released; wait for [`Handle::ended`].
    Left,
}

/// Runs the console until it is left. Must be polled by `block_on` on the main thread: the thread that draws is the one
/// whose panic restores the terminal, and it must not change.
///
/// # Errors
/// When standard output is no terminal. One that is lost later is no error but [`Exit::Left`].
pub async fn run(store: Arc<dyn Store>, runner: Option<Handle>, mut options: Options) -> io::Result<Exit> {
    options.mono |= terminal::no_color();
    // Before the screen is entered: a signal in between must find its handler.
    let signals = signals::Signals::new()?;
    let mut guard = terminal::Guard::enter()?;
    // Never dropped: it would show the cursor, which the guard does, and on a terminal that is gone it would write its
    // complaint to a standard error that is gone too, which is a panic.
    let mut screen = ManuallyDrop::new(terminal::screen()?);
    let size = screen.size()?;
    let now = store.now();
    let label = store.label();
    let model = model::Model::new(options.clone(), label, runner.is_some(), now, (size.width, size.height));
    let (performer, mut inbox) = perform::Performer::new(Arc::clone(&store), runner, options.operator);
    performer.start();
    if let Some(remote) = options.remote {
        performer.watch_remote(remote.subscribe());
    }
    if let Some(hearing) = options.hearing {
        performer.watch_hearing(hearing);
    }
    let input = signals.with_terminal();
    let ended = runtime::run(&mut *screen, input, &mut guard, &performer, &mut inbox, model, || store.now()).await;
    // The screen goes first: what is still to be written must not keep a person waiting in front of it.
    drop(guard);
    drop(inbox);
    performer.end().await;
    Ok(ended?.exit)
}
