//! Batches (acts on many documents): reads them, and gives them the orders of the person.

use super::effects::Update;
use crate::domain::batch::{BatchOrder, BatchPhase, BatchSummary};
use crate::domain::id::BatchId;
use crate::format;
use crate::tui::action::Action;
use crate::tui::command::{Command, CommandKind};
use crate::tui::effect::Effect;
use crate::tui::keymap::Key;
use crate::tui::model::Model;
use crate::tui::model::overlay::{ConfirmDialog, Overlay};
use crate::tui::model::toast::Level;
use crate::tui::msg::StoreResult;
use crate::tui::scope::KeyScope;
use crossterm::event::KeyCode;

/// Requests the batches.
pub(super) fn read(model: &mut Model, up: &mut Update) {
    if model.batches.read.request() {
        let wait = model.batches.wait(model.now);
        up.effect(Effect::LoadBatches { wait });
    }
}

/// Requests the batches if the process that acts on one may be gone.
pub(super) fn poll(model: &mut Model, up: &mut Update) {
    if model.batches.depends_on_time() {
        read(model, up);
    }
}

/// Stores the batches. An error is not shown: the document list, read at the same time, shows it.
pub(super) fn take(model: &mut Model, answer: StoreResult<Vec<BatchSummary>>, up: &mut Update) {
    if let Ok(list) = answer {
        let is_first = model.batches.read_at.is_none();
        up.redraw |= model.batches.take(model.now, list);
        if is_first {
            let key = model.key(Action::Batches);
            let left = model.batches.list.iter().filter(|batch| batch.phase() == BatchPhase::Left);
            let texts: Vec<_> = left
                .map(|batch| {
                    let (title, left) = (format::batch_title(batch), format::number(batch.counts.left()));
                    format!("batch {} ({title}) was left unfinished: {left} left; {key} lists it", batch.id)
                })
                .collect();
            texts.into_iter().for_each(|text| model.log(Level::Refused, text));
        }
    }
    if model.batches.read.finish() {
        read(model, up);
    }
}

/// Notes that a batch was made, or undoes it if the person has asked for that meanwhile.
pub(super) fn begun(model: &mut Model, batch: BatchId, up: &mut Update) {
    model.batches.beginning = model.batches.beginning.saturating_sub(1);
    model.batches.add_own(batch);
    if std::mem::take(&mut model.batches.is_undo_wanted) {
        order(batch, BatchOrder::Undo, up);
    }
    model.batches.read_at = None;
    read(model, up);
}

/// Undoes the newest batch of this console that has not begun.
pub(super) fn undo(model: &mut Model, up: &mut Update) {
    match model.batches.undoable().map(|batch| batch.id) {
        Some(batch) => order(batch, BatchOrder::Undo, up),
        None if model.batches.beginning > 0 => model.batches.is_undo_wanted = true,
        None => {}
    }
}

fn order(batch: BatchId, order: BatchOrder, up: &mut Update) {
    up.effect(Effect::RunCommand(command(batch, order)));
}

const fn command(batch: BatchId, order: BatchOrder) -> Command {
    Command { kind: CommandKind::Batch(batch, order), documents: Vec::new(), name: None, filter: None }
}

/// Opens the list of batches. The results of the last one are seen there.
pub(super) fn open(model: &mut Model, up: &mut Update) {
    let shown = model.batches.shown().map(|batch| batch.id);
    let at = model.batches.list.iter().position(|batch| Some(batch.id) == shown);
    model.overlay = Some(Overlay::Batches(at.unwrap_or(0)));
    model.batches.dismiss();
    read(model, up);
}

/// What a key means in the list of batches.
pub(super) enum ListKey {
    /// Nothing: the list does not have it, such as the key that closes it.
    Unknown,
    /// It is handled.
    Handled,
    /// The documents of this batch are wanted.
    Documents(BatchSummary),
}

/// Handles a key of the list of batches.
pub(super) fn key(model: &mut Model, key: Key, up: &mut Update) -> ListKey {
    let Some(Overlay::Batches(selected)) = model.overlay else { return ListKey::Unknown };
    let last = model.batches.list.len().saturating_sub(1);
    let selected = selected.min(last);
    let action = model.keymap().action(KeyScope::Reader, key);
    let wanted = match key.code {
        _ if action == Some(Action::Down) => {
            model.overlay = Some(Overlay::Batches((selected + 1).min(last)));
            None
        }
        _ if action == Some(Action::Up) => {
            model.overlay = Some(Overlay::Batches(selected.saturating_sub(1)));
            None
        }
        _ if model.keymap().has(Action::Batches, key) => {
            model.overlay = None;
            None
        }
        KeyCode::Char('u' | 'U') => Some(BatchOrder::Undo),
        KeyCode::Char('p') => Some(BatchOrder::Pause),
        KeyCode::Char('r') => Some(BatchOrder::Resume),
        KeyCode::Char('x') => Some(BatchOrder::Stop),
        KeyCode::Enter => match model.batches.list.get(selected).cloned() {
            Some(batch) => return ListKey::Documents(batch),
            None => None,
        },
        _ => return ListKey::Unknown,
    };
    up.redraw();
    if let (Some(wanted), Some(batch)) = (wanted, model.batches.list.get(selected).cloned()) {
        give(model, &batch, wanted, up);
    }
    ListKey::Handled
}

fn give(model: &mut Model, batch: &BatchSummary, wanted: BatchOrder, up: &mut Update) {
    if model.options.read_only {
        return model.notify(Level::Refused, "read-only: batches are left as they are");
    }
    if !batch.takes(wanted) {
        let phase = format::batch_phase(batch, model.now);
        return model.notify(Level::Refused, format!("batch {} is {phase}: no {}", batch.id, wanted.word()));
    }
    if wanted != BatchOrder::Stop || batch.phase() == BatchPhase::Waiting {
        return order(batch.id, wanted, up);
    }
    let left = format::number(batch.counts.left());
    let lines = vec![
        format!("{left} of {} are left.", format::count(batch.counts.total(), "document")),
        "Attempts that run are stopped; documents that have not begun stay as they were.".to_owned(),
        "A stopped batch cannot be resumed; p pauses one instead.".to_owned(),
    ];
    model.overlay = Some(Overlay::Confirm(ConfirmDialog {
        title: format!("stop batch {}", batch.id),
        lines,
        verb: "Stop batch",
        command: command(batch.id, BatchOrder::Stop),
        yes_focused: false,
    }));
}
