//! The terminal console: shows documents, jobs and outcomes, and changes documents, jobs and pauses by keys.
//!
//! ```text
//! terminal, signals -> runtime -> update (model, msg) -> effects -> perform -> store, runner
//!                         |                                            |
//!                         +------ view (model -> cells)        answers as messages
//! ```
//!
//! Main dependencies between the modules; each may use only those of its own group and of the groups to its left:
//!
//! ```text
//! theme, glyphs, layout, text, widgets <- views/*/state <- model <- views/* <- views (registry) <- screen,
//! availability, readers, palette <- update, refresh, view <- plain <- runtime
//! ```
//!
//! Each view of the main area (documents, jobs, hosts, accounts), the outcome panel and the details of a document has a
//! folder in [`views`] with its state, text and drawing, behind one trait. The modules are pure (no clock, no I/O)
//! except `runtime`, `perform`, `waiting`, `terminal`, `events`, `signals`, `state_file`, `opener` and `pager`. [`runtime`] has the console's loop. Only
//! [`perform`] reads and changes the store and controls the runner; [`run`] takes just the store's name and clock.

pub mod action;
pub mod availability;
mod clipboard;
pub mod command;
pub mod describe;
pub mod effect;
mod events;
pub mod glyphs;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod msg;
mod opener;
mod options;
mod pager;
pub mod palette;
pub mod perform;
pub mod plain;
pub mod readers;
pub mod refresh;
pub mod runtime;
pub mod saved;
pub mod scope;
pub mod screen;
mod signals;
mod state_file;
pub mod table;
mod terminal;
pub mod text;
pub mod theme;
pub mod update;
pub mod view;
pub mod views;
pub mod waiting;
pub mod widgets;

pub use effect::ExitReason;
pub use keymap::{Keymap, keys_markdown, keys_text};
pub use model::saved_filters::SIGN as SAVED_SIGN;
pub use options::Options;
pub use terminal::{no_color, screen_size};

use crate::runner::handle::Handle;
use crate::store::ConsoleStore;
use std::io;
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::Arc;

/// Returns the filter of documents that a console has saved under a name in its state file; `None` without one.
pub fn saved_filter(state_file: &Path, name: &str) -> Option<String> {
    saved::named(&state_file::read(state_file)?, name)
}

/// Runs the console until the person quits, the runner ends after a drain, a signal ends the process, or the terminal
/// is lost. Must be polled by `block_on` on the main thread: a panic restores the terminal only if it happens on the
/// thread that draws, so that thread must not change.
///
/// # Errors
/// Fails when standard output is no terminal, when the terminal or the signal handlers cannot be set up, or when a
/// suspend cannot restore the terminal or take it again. A terminal that is lost otherwise is no error: the result is
/// [`ExitReason::Left`].
pub async fn run(store: Arc<dyn ConsoleStore>, runner: Option<Handle>, options: Options) -> io::Result<ExitReason> {
    // Installed before the screen is entered, so that a signal in between finds its handler.
    let signals = signals::Signals::new()?;
    let mut guard = terminal::TerminalGuard::enter(options.plain)?;
    // Never dropped: ratatui's `Drop` shows the cursor, which the guard does already. On a lost terminal that `Drop`
    // would also print to a standard error that is lost too, and so panic.
    let mut screen = ManuallyDrop::new(terminal::screen(options.plain)?);
    let size = screen.size()?;
    let now = store.now();
    let label = store.label();
    let mut model = model::Model::new(options.clone(), label, runner.is_some(), now, (size.width, size.height));
    if let Some(kept) = options.state_file.as_deref().and_then(state_file::read) {
        saved::restore(&mut model, &kept);
    }
    let (performer, mut inbox) =
        perform::Performer::new(store.clone(), runner, options.operator, options.explainer, options.chatwoot_jobs);
    performer.start();
    if let Some(remote) = options.remote_events {
        performer.watch_remote_events(remote.subscribe());
    }
    if let Some(remote_health) = options.remote_health {
        performer.watch_remote_health(remote_health);
    }
    if let Some(problems) = options.file_problems {
        performer.watch_file_problems(problems);
    }
    let input = signals.with_terminal(guard.keys());
    let ended = runtime::run(&mut *screen, input, &mut guard, &performer, &mut inbox, model, || store.now()).await;
    // Restores the terminal first: changes that are still being written must not keep the person waiting.
    drop(guard);
    drop(inbox);
    performer.end().await;
    let ended = ended?;
    // What was kept stays as it is after a console that only reads, and after one whose store a newer program has
    // migrated, which also is read-only: that program may keep more.
    if let Some(path) = options.state_file.filter(|_| !ended.model.options.read_only)
        && let Err(error) = state_file::write(&path, &saved::text(&ended.model, state_file::read(&path).as_deref()))
    {
        tracing::warn!(%error, path = %path.display(), "the console's state is not kept");
    }
    Ok(ended.exit)
}
