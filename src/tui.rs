//! The console: a list of documents, what their outcomes were, and keys to act on them.
//!
//! ```text
//! terminal, signals -> runtime -> update (model, msg) -> effects -> perform -> store, runner
//!                         |                                            |
//!                         +------ view (model -> cells)        answers as messages
//! ```
//!
//! Modules, each of which names only those to its left:
//!
//! ```text
//! theme, glyphs, layout, text, widgets <- views/*/state <- model <- views/* <- views (registry) <- screen,
//! availability, readers, palette <- update, refresh, view <- runtime
//! ```
//!
//! A view of the main area (documents, jobs, hosts, accounts), the outcome panel and the details have a folder each in
//! [`views`], with state, text and drawing, behind one trait. All but `runtime`, `perform` and what touches the terminal
//! is pure: no clock, no I/O. [`runtime`] owns the only loop, [`perform`] is the only file that reaches the store and the
//! runner.

pub mod action;
pub mod availability;
mod clipboard;
pub mod command;
pub mod effect;
pub mod glyphs;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
mod opener;
mod options;
pub mod palette;
pub mod perform;
pub mod readers;
pub mod refresh;
pub mod runtime;
pub mod say;
pub mod scope;
pub mod screen;
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

pub use effect::Exit;
pub use keymap::{keys_markdown, keys_text};
pub use options::Options;
pub use terminal::{no_color, screen_size};

use crate::runner::handle::Handle;
use crate::store::ConsoleStore;
use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// Runs the console until it is left. Must be polled by `block_on` on the main thread: the thread that draws is the one
/// whose panic restores the terminal, and it must not change.
///
/// # Errors
/// When standard output is no terminal. One that is lost later is no error but [`Exit::Left`].
pub async fn run(store: Arc<dyn ConsoleStore>, runner: Option<Handle>, mut options: Options) -> io::Result<Exit> {
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
    let (performer, mut inbox) = perform::Performer::new(store.clone(), runner, options.operator);
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
