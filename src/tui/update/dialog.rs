//! Dialogs and the palette: which choice has the focus, and what it does.

use super::{Update, acts, keys, prompt, tell};
use crate::domain::request::Scope as Named;
use crate::store::Preview;
use crate::tui::Exit;
use crate::tui::action::Action;
use crate::tui::availability as able;
use crate::tui::effect::{Command, Effect};
use crate::tui::keymap::{Binding, TABLE};
use crate::tui::model::overlay::{Overlay, QuitChoice};
use crate::tui::model::toast::Level;
use crate::tui::model::{Leaving, Model};
use crate::tui::msg::Answer;

pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) {
    let Some(overlay) = model.overlay.take() else { return };
    let choose = action == Action::Choose;
    let forward = action == Action::OtherChoice;
    model.overlay = match overlay {
        Overlay::Confirm(mut dialog) => {
            if choose {
                if dialog.yes {
                    up.effect(Effect::Act(dialog.command));
                }
                None
            } else {
                dialog.yes = !dialog.yes;
                Some(Overlay::Confirm(dialog))
            }
        }
        Overlay::Choice(mut dialog) => {
            if choose {
                if let Some((_, command)) = dialog.chosen.and_then(|place| dialog.choices.get(place)) {
                    up.effect(Effect::Act(command.clone()));
                }
                None
            } else {
                dialog.step(forward);
                Some(Overlay::Choice(dialog))
            }
        }
        Overlay::Preview(mut dialog) => {
            if choose {
                if dialog.yes && !dialog.targets().is_empty() {
                    let command = Command {
                        act: acts::act_of(dialog.verb, Named::Bulk),
                        documents: dialog.targets().to_vec(),
                        name: None,
                    };
                    up.effect(Effect::Act(command));
                }
                None
            } else {
                // With nothing to act on there is one button.
                dialog.yes = !dialog.yes && !dialog.targets().is_empty();
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
            let rows = rows(model, palette.input.value());
            if choose {
                if let Some(row) = rows.get(palette.selected) {
                    run(model, row, up);
                }
                // What ran may have opened another overlay.
                return;
            }
            let len = rows.len().max(1);
            palette.selected = (palette.selected + if forward { 1 } else { len - 1 }) % len;
            Some(Overlay::Palette(palette))
        }
        Overlay::Prompt(_) => {
            model.overlay = Some(overlay);
            return prompt::accept(model, up);
        }
        other => Some(other),
    };
}

fn leave(model: &mut Model, choice: QuitChoice, up: &mut Update) {
    match choice {
        QuitChoice::Stay => {}
        QuitChoice::Drain => {
            model.leaving = Leaving::Draining;
            up.effect(Effect::Drain);
            tell(model, Level::Done, "finishing what runs, then this ends; q asks again");
        }
        QuitChoice::Leave => {
            up.effect(Effect::Leave);
            up.effect(Effect::End(Exit::Left));
        }
    }
}

pub(super) fn take_preview(model: &mut Model, generation: u64, answer: Answer<Preview>, up: &mut Update) {
    if let Some(Overlay::Preview(dialog)) = &mut model.overlay
        && dialog.generation == generation
    {
        dialog.answer = Some(answer);
        up.redraw();
    }
}

/// A row of the palette.
#[derive(Clone, Debug)]
pub struct Row {
    /// The action with its keys.
    pub binding: &'static Binding,
    /// Why it cannot be done now.
    pub refused: Option<String>,
}

/// The palette's rows that fit what is looked for: those in which it stands as it is first.
pub fn rows(model: &Model, looked_for: &str) -> Vec<Row> {
    let needle = looked_for.trim().to_lowercase();
    let pane = keys::pane(model);
    let mut rows: Vec<(u8, Row)> = TABLE
        .iter()
        .filter(|binding| binding.scopes.iter().any(|scope| !scope.types_text()))
        .filter(|binding| !matches!(binding.action, Action::Palette | Action::Choose | Action::OtherChoice))
        .filter(|binding| !matches!(binding.action, Action::PreviousChoice | Action::Close))
        .filter_map(|binding| {
            let rank = rank(binding, &needle)?;
            let refused = if binding.scopes.contains(&pane) {
                able::able(model, binding.action).err()
            } else {
                binding.scopes.first().map(|scope| format!("works in {}", scope.word()))
            };
            Some((rank, Row { binding, refused }))
        })
        .collect();
    rows.sort_by_key(|(rank, _)| *rank);
    rows.into_iter().map(|(_, row)| row).collect()
}

fn rank(binding: &Binding, needle: &str) -> Option<u8> {
    let (word, says) = (binding.word.to_lowercase(), binding.says.to_lowercase());
    match () {
        () if word.starts_with(needle) => Some(0),
        () if word.contains(needle) => Some(1),
        () if says.contains(needle) => Some(2),
        () if is_subsequence(needle, &word) => Some(3),
        () if is_subsequence(needle, &says) => Some(4),
        () => None,
    }
}

/// Whether the letters of `needle` stand in `text` in their order.
fn is_subsequence(needle: &str, text: &str) -> bool {
    let mut rest = text.chars();
    needle.chars().all(|wanted| rest.any(|c| c == wanted))
}

fn run(model: &mut Model, row: &Row, up: &mut Update) {
    match &row.refused {
        Some(reason) => tell(model, Level::Refused, format!("{}: {reason}", row.binding.word)),
        None => keys::act(model, row.binding.action, up),
    }
}

#[cfg(test)]
mod tests {
    use super::is_subsequence;

    #[test]
    fn letters_in_order_are_enough() {
        assert!(is_subsequence("rtal", "retry all") && is_subsequence("", "x"));
        assert!(!is_subsequence("la", "retry al"));
    }
}
