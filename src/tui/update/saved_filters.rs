//! Filters of documents that are saved under a name, chosen by it, and removed.

use super::effects::Update;
use super::prompt;
use crate::domain::filter::Subject;
use crate::domain::text::SafeLine;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::overlay::{InputError, Overlay, Prompt, PromptKind};
use crate::tui::model::saved_filters::{SIGN, SavedFilters};
use crate::tui::model::toast::Level;

/// Opens the prompt for a filter with the list of the saved ones.
pub(super) fn open(model: &mut Model) {
    if model.saved_filters.is_empty() {
        return model.notify(Level::Refused, "no filter is saved; ^s saves the filter of the list");
    }
    prompt::open_filter(model, &SIGN.to_string());
    if let Some(Overlay::Prompt(prompt)) = &mut model.overlay {
        prompt.is_recalled = false;
    }
}

/// Asks for the name under which the filter of the list is saved; first accepts the filter that is being typed.
pub(super) fn ask_name(model: &mut Model, up: &mut Update) {
    match &model.overlay {
        None => {}
        Some(Overlay::Prompt(prompt)) if prompt.kind.subject() == Some(Subject::Documents) => {
            prompt::accept(model, up);
            if model.overlay.is_some() {
                return;
            }
        }
        Some(_) => return,
    }
    let text = model.documents.filter_text.trim().to_owned();
    if text.is_empty() {
        return model.notify(Level::Refused, "there is no filter to save; / filters the list");
    }
    model.overlay = Some(Overlay::Prompt(Prompt::new(PromptKind::SaveFilter(text), "")));
}

/// Saves `filter` under the typed name, or removes the one whose name is typed after a `-`, and keeps the change.
pub(super) fn save(model: &mut Model, typed: &str, filter: &str, up: &mut Update) {
    let name = typed.strip_prefix(SIGN).unwrap_or(typed);
    let done = match name.strip_prefix('-') {
        Some(name) if model.saved_filters.remove(name) => Ok(format!("removed {SIGN}{name}")),
        Some(name) => Err(format!("no filter is saved as {SIGN}{name}")),
        None => model
            .saved_filters
            .save(name, filter)
            .map(|()| format!("saved as {SIGN}{name}; {SIGN} lists the saved filters")),
    };
    match done {
        Ok(text) => {
            model.overlay = None;
            let read_only = model.options.read_only;
            let lasting = if read_only { "; until this console ends, since it is read-only" } else { "" };
            model.notify(Level::Done, text + lasting);
            if let Some(path) = model.options.state_file.clone().filter(|_| !read_only) {
                up.effect(Effect::KeepFilters(path, model.saved_filters.clone()));
            }
        }
        Err(reason) => {
            if let Some(Overlay::Prompt(prompt)) = &mut model.overlay {
                prompt.problem = Some(InputError { at: None, reason: SafeLine::new(&reason) });
            }
        }
    }
    up.redraw();
}

/// Returns the filter that the prompt's text stands for. For the beginning of several names, and of none that is saved
/// while some are offered, says so in the prompt with the keys that complete a name and take the next one, and returns
/// `None`.
pub(super) fn chosen(
    saved: &SavedFilters,
    prompt: &mut Prompt,
    text: String,
    (complete, later): (&str, &str),
) -> Option<String> {
    if prompt.kind.subject() != Some(Subject::Documents) {
        return Some(text);
    }
    if let Some(filter) = saved.named(&text) {
        return Some(filter.to_owned());
    }
    if saved.offered(&text).is_empty() {
        return Some(text);
    }
    let reason = SafeLine::new(&format!("choose a name: {complete} completes it, {later} takes the next one"));
    (prompt.problem, prompt.is_refused) = (Some(InputError { at: None, reason }), true);
    None
}

/// Puts the next of the offered names into the prompt, or the one before it. Returns false if none is offered.
pub(super) fn step(model: &mut Model, is_earlier: bool, up: &mut Update) -> bool {
    let Some(Overlay::Prompt(prompt)) = &model.overlay else { return false };
    if prompt.kind.subject() != Some(Subject::Documents) {
        return false;
    }
    let typed = prompt.input.value().trim();
    let offered = model.saved_filters.offered(typed);
    let at = offered.iter().position(|(name, _)| typed.strip_prefix(SIGN) == Some(name));
    let next = match (at, is_earlier) {
        (None, false) => 0,
        (None, true) => offered.len().saturating_sub(1),
        (Some(at), false) => (at + 1) % offered.len(),
        (Some(at), true) => (at + offered.len() - 1) % offered.len(),
    };
    let Some((name, _)) = offered.get(next) else { return false };
    let text = format!("{SIGN}{name}");
    prompt::replace(model, &text, up);
    true
}
