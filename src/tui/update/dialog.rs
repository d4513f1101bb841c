//! Dialogs and the palette: moves the focus and carries out the chosen button.

use super::effects::Update;
use super::{acts, prompt};
use crate::domain::request::RequestScope as Named;
use crate::store::{BulkVerb, Preview};
use crate::tui::action::Action;
use crate::tui::command::Command;
use crate::tui::effect::{Effect, ExitReason};
use crate::tui::model::overlay::{Overlay, QuitChoice};
use crate::tui::model::toast::Level;
use crate::tui::model::{Model, ShutdownState};
use crate::tui::msg::StoreResult;
use crate::tui::palette;
use crate::tui::views::catalog::ViewId;

/// Moves the focus, or carries out the focused choice. If that is an available action of the palette, returns the
/// action for the caller to carry out; otherwise `None`.
pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) -> Option<Action> {
    let overlay = model.overlay.take()?;
    let choose = action == Action::Choose;
    let forward = action == Action::NextChoice;
    model.overlay = match overlay {
        Overlay::Confirm(mut dialog) => {
            if choose {
                if dialog.yes_focused {
                    acts::run(model, dialog.command, up);
                }
                None
            } else {
                dialog.yes_focused = !dialog.yes_focused;
                Some(Overlay::Confirm(dialog))
            }
        }
        Overlay::Choice(mut dialog) => {
            if choose {
                if let Some((_, command)) = dialog.focused.and_then(|index| dialog.choices.get(index)) {
                    up.effect(Effect::RunCommand(command.clone()));
                }
                None
            } else {
                dialog.step(forward);
                Some(Overlay::Choice(dialog))
            }
        }
        Overlay::Preview(mut dialog) => {
            if choose {
                if dialog.yes_focused && dialog.verb == BulkVerb::Remove && dialog.targets().len() > 1 {
                    acts::remove(model, dialog.targets().to_vec());
                    return None;
                }
                if dialog.yes_focused && !dialog.targets().is_empty() {
                    let command = Command {
                        kind: acts::command_kind(dialog.verb, Named::Bulk),
                        documents: dialog.targets().to_vec(),
                        name: None,
                        filter: dialog.filter(),
                    };
                    acts::run(model, command, up);
                    // A second retry should not repeat this one unasked.
                    if model.active_view == ViewId::Failures {
                        model.views.marked_causes.clear();
                    }
                }
                None
            } else {
                // With no document to act on, "Keep" is the only button.
                dialog.yes_focused = !dialog.yes_focused && !dialog.targets().is_empty();
                Some(Overlay::Preview(dialog))
            }
        }
        Overlay::Quit(choice) => {
            if choose {
                leave(model, choice, up);
                None
            } else {
                Some(Overlay::Quit(choice.step(forward)))
            }
        }
        Overlay::Palette(mut palette) => {
            let rows = palette::rows(model, palette.input.value());
            if choose {
                let row = rows.get(palette.selected)?;
                if let Some(reason) = &row.refused {
                    model.notify(Level::Refused, format!("{}: {reason}", row.bound.binding.word));
                    return None;
                }
                return Some(row.bound.binding.action);
            }
            let len = rows.len().max(1);
            palette.selected = (palette.selected + if forward { 1 } else { len - 1 }) % len;
            Some(Overlay::Palette(palette))
        }
        Overlay::Prompt(_) => {
            model.overlay = Some(overlay);
            prompt::accept(model, up);
            return None;
        }
        other => Some(other),
    };
    None
}

fn leave(model: &mut Model, choice: QuitChoice, up: &mut Update) {
    match choice {
        QuitChoice::Stay => {}
        QuitChoice::Drain => {
            model.shutdown = ShutdownState::Draining;
            up.effect(Effect::Drain);
            let key = model.key(Action::Quit);
            let text = format!("draining: running jobs finish, then the console quits; {key} shows the ways to quit");
            model.notify(Level::Done, text);
        }
        QuitChoice::Leave => {
            up.effect(Effect::ReleaseJobs);
            up.effect(Effect::End(ExitReason::Left));
        }
    }
}

/// Stores the answer to a preview request, and whether a fetch costs credits, in the preview dialog, if the same dialog is
/// still open.
pub(super) fn take_preview(
    model: &mut Model,
    generation: u64,
    (answer, costs_credits): (StoreResult<Preview>, bool),
    up: &mut Update,
) {
    if let Some(Overlay::Preview(dialog)) = &mut model.overlay
        && dialog.generation == generation
    {
        dialog.answer = Some(answer);
        dialog.costs_credits = costs_credits;
        up.redraw();
    }
}
