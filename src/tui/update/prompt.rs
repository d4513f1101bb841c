//! Prompts (lines that a person types). Filters and searches apply while they are typed, and mistakes are shown.

use super::effects::Update;
use super::outcomes::{JumpDirection, filter_changed, jump};
use super::{acts, loads, saved_filters, trail};
use crate::domain::filter::{Filter, FilterError, Subject};
use crate::domain::link::Link;
use crate::domain::text::SafeLine;
use crate::format;
use crate::tui::action::Action;
use crate::tui::command::{Command, CommandKind};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::filter_history::names_hosts;
use crate::tui::model::overlay::{InputError, Overlay, Prompt, PromptKind, characters_left};
use crate::tui::model::toast::Level;
use crate::tui::model::trail::ScreenLocation;
use crate::tui::views::outcomes::text as outcome;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest};

/// Parses a filter on documents or on outcomes. `faqs_unknown` is the reason why terms about FAQs are refused.
fn parse(text: &str, subject: Subject, faqs_unknown: Option<&SafeLine>) -> Result<Filter, FilterError> {
    let filter = Filter::parse_for(text, subject)?;
    match faqs_unknown.filter(|_| filter.is_about_faqs()) {
        None => Ok(filter),
        Some(reason) => {
            let at = text.to_ascii_lowercase().find("faq:").unwrap_or(0);
            Err(FilterError { at, message: reason.to_string() })
        }
    }
}

/// Applies an editing key to the text of the open palette or prompt. A character is not taken if the text is full.
pub(super) fn edit(model: &mut Model, event: &KeyEvent, up: &mut Update) {
    let Some(request) = request(event) else { return };
    leave_recalled(model, matches!(request, InputRequest::InsertChar(_)));
    let Some(input) = typed_text(model) else { return };
    if matches!(request, InputRequest::InsertChar(_)) && characters_left(input) == 0 {
        return up.redraw();
    }
    input.handle(request);
    changed(model, up);
}

/// Opens the prompt for the filter of the document list, with this text.
pub(super) fn open_filter(model: &mut Model, text: &str) {
    model.trail.before_filter = Some(Box::new(ScreenLocation::here(model)));
    let before = PromptKind::Filter(model.documents.filter.clone(), model.documents.filter_text.clone());
    model.overlay = Some(Overlay::Prompt(Prompt::new(before, text)));
}

/// Inserts pasted text into the open prompt or palette, as one line, as far as the text has room.
pub(super) fn paste(model: &mut Model, text: &str, up: &mut Update) {
    leave_recalled(model, true);
    let Some(input) = typed_text(model) else { return };
    let line = SafeLine::new(text);
    let (line, _) = crate::domain::text::cut_chars(&line, characters_left(input));
    for c in line.chars() {
        input.handle(InputRequest::InsertChar(c));
    }
    changed(model, up);
}

/// Ends the selection of a recalled text, which new text replaces.
fn leave_recalled(model: &mut Model, replaces: bool) {
    if let Some(Overlay::Prompt(prompt)) = &mut model.overlay
        && std::mem::take(&mut prompt.is_recalled)
        && replaces
    {
        prompt.input.reset();
    }
}

/// Returns the text that is being typed, if a prompt or the palette is open.
fn typed_text(model: &mut Model) -> Option<&mut Input> {
    match &mut model.overlay {
        Some(Overlay::Palette(palette)) => Some(&mut palette.input),
        Some(Overlay::Prompt(prompt)) => Some(&mut prompt.input),
        _ => None,
    }
}

/// Puts another text into the open prompt, and applies it.
pub(super) fn replace(model: &mut Model, text: &str, up: &mut Update) {
    if let Some(Overlay::Prompt(prompt)) = &mut model.overlay {
        prompt.input = Input::new(text.to_owned());
    }
    changed(model, up);
}

pub(super) fn changed(model: &mut Model, up: &mut Update) {
    up.redraw();
    if let Some(Overlay::Palette(palette)) = &mut model.overlay {
        palette.selected = 0;
    }
    input_changed(model, up);
}

/// Returns the editing that a key requests; `None` for another key.
pub(super) fn request(event: &KeyEvent) -> Option<InputRequest> {
    let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
    Some(match event.code {
        KeyCode::Char(c) if !ctrl && !event.modifiers.contains(KeyModifiers::ALT) => InputRequest::InsertChar(c),
        KeyCode::Char('u') => InputRequest::DeleteLine,
        KeyCode::Char('k') => InputRequest::DeleteTillEnd,
        KeyCode::Char('w') => InputRequest::DeletePrevWord,
        KeyCode::Char('a') => InputRequest::GoToStart,
        KeyCode::Char('e') => InputRequest::GoToEnd,
        KeyCode::Backspace => InputRequest::DeletePrevChar,
        KeyCode::Delete => InputRequest::DeleteNextChar,
        KeyCode::Left => InputRequest::GoToPrevChar,
        KeyCode::Right => InputRequest::GoToNextChar,
        KeyCode::Home => InputRequest::GoToStart,
        KeyCode::End => InputRequest::GoToEnd,
        _ => return None,
    })
}

/// Applies the changed text of a filter or search at once. Of an invalid filter, applies the terms before the mistake,
/// or without such terms the previous filter; the mistake is shown.
fn input_changed(model: &mut Model, up: &mut Update) {
    let faqs_unknown = model.options.faqs_unknown.clone();
    let Some(Overlay::Prompt(prompt)) = &mut model.overlay else { return };
    let text = prompt.input.value().to_owned();
    (prompt.problem, prompt.is_refused) = (None, false);
    if prompt.kind.subject().is_some() && names_hosts(&text) {
        loads::hosts_to_complete(model, up);
    }
    let Some(Overlay::Prompt(prompt)) = &mut model.overlay else { return };
    match prompt.kind.clone() {
        PromptKind::Filter(before, before_text) => {
            let typed = match model.saved_filters.named(&text) {
                Some(saved) => saved.to_owned(),
                // The beginning of a name is no filter yet.
                None if !model.saved_filters.offered(&text).is_empty() => {
                    return set_filter(model, before, before_text, up);
                }
                None => text,
            };
            let (filter, text, problem) =
                valid_prefix(&typed, Subject::Documents, faqs_unknown.as_ref(), (before, before_text));
            prompt.problem = problem;
            set_filter(model, filter, text, up);
        }
        PromptKind::Outcomes(before, before_text) => {
            let (filter, text, problem) = valid_prefix(&text, Subject::Outcomes, None, (before, before_text));
            prompt.problem = problem;
            (model.panel.filter, model.panel.filter_text) = (filter, text);
            filter_changed(model, up);
        }
        PromptKind::Search(_) => model.panel.search = text.trim().to_lowercase(),
        PromptKind::Add | PromptKind::SaveFilter(_) | PromptKind::BreakLease { .. } | PromptKind::Remove(_) => {}
    }
}

fn valid_prefix(
    text: &str,
    subject: Subject,
    faqs_unknown: Option<&SafeLine>,
    (before, before_text): (Filter, String),
) -> (Filter, String, Option<InputError>) {
    let error = match parse(text, subject, faqs_unknown) {
        Ok(filter) => return (filter, text.to_owned(), None),
        Err(error) => error,
    };
    // Drops the whole term with the mistake: the part of it before the mistake could be a valid search word.
    let good = text.get(..error.at).and_then(|start| start.rfind(char::is_whitespace)).and_then(|end| text.get(..end));
    let good = good.map(str::trim).filter(|good| !good.is_empty());
    match good.and_then(|good| parse(good, subject, faqs_unknown).ok().map(|filter| (filter, good.to_owned()))) {
        Some((filter, good)) => (filter, good, Some(error.into())),
        None => (before, before_text, Some(error.into())),
    }
}

/// Sets the filter of the document list. The rows are read anew only if the filter differs from the current one.
pub(super) fn set_filter(model: &mut Model, filter: Filter, text: String, up: &mut Update) {
    if model.documents.filter == filter {
        model.documents.filter_text = text;
    } else {
        restart_with_filter(model, filter, text, up);
    }
}

/// Sets the filter of the document list and reads the rows anew, even if the filter is unchanged.
pub(super) fn restart_with_filter(model: &mut Model, filter: Filter, text: String, up: &mut Update) {
    (model.documents.filter, model.documents.filter_text) = (filter, text);
    model.documents.filter_changed();
    model.documents.restart();
    loads::page(model, up);
}

/// Accepts the typed text: adds the document, breaks the lease, removes the documents, keeps the filter, or jumps to the nearest match of the
/// search. Text with a mistake is not accepted.
pub(super) fn accept(model: &mut Model, up: &mut Update) {
    let (complete, later) = (model.key(Action::Complete), model.key(Action::LaterFilter));
    let Some(Overlay::Prompt(prompt)) = &mut model.overlay else { return };
    let text = prompt.input.value().trim().to_owned();
    // A mistake stays on the screen until it is corrected or the prompt is closed.
    if prompt.problem.is_some() {
        prompt.is_refused = true;
        return up.redraw();
    }
    if prompt.kind == PromptKind::Add {
        return add(model, &text, up);
    }
    if let PromptKind::SaveFilter(filter) = &prompt.kind {
        let filter = filter.clone();
        return saved_filters::save(model, &text, &filter, up);
    }
    let Some(text) = saved_filters::chosen(&model.saved_filters, prompt, text, (&complete, &later)) else { return };
    if let PromptKind::BreakLease { job, document, name, .. } = prompt.kind.clone() {
        if text != document.to_string() {
            let reason = SafeLine::new(&format!("type the document id, {document}, to confirm"));
            prompt.problem = Some(InputError { at: None, reason });
            return;
        }
        model.overlay = None;
        let command =
            Command { kind: CommandKind::BreakLease(job), documents: vec![document], name: Some(name), filter: None };
        return up.effect(Effect::RunCommand(command));
    }
    if let PromptKind::Remove(documents) = &prompt.kind {
        let number = documents.len() as u64;
        if text.replace(',', "") != number.to_string() {
            let reason = SafeLine::new(&format!("type the number of documents, {number}, to remove them"));
            prompt.problem = Some(InputError { at: None, reason });
            return;
        }
        let command = Command { kind: CommandKind::Remove, documents: documents.clone(), name: None, filter: None };
        model.overlay = None;
        return acts::run(model, command, up);
    }
    let is_search = matches!(prompt.kind, PromptKind::Search(_));
    if let Some(subject) = prompt.kind.subject() {
        model.filters.remember(subject, &text);
    }
    model.overlay = None;
    if let Some(before) = model.trail.before_filter.take().filter(|before| before.list.filter != model.documents.filter)
    {
        model.trail.leave(*before);
    }
    if is_search && !text.is_empty() {
        model.panel.search = text.to_lowercase();
        let needle = model.panel.search.clone();
        let none = format!("\"{text}\" is not found");
        let lines = model.panel.shown(model.now).filter(|entry| outcome::matches_search(entry, &needle)).count() as u64;
        if lines > 0 {
            model.notify(Level::Done, format!("\"{text}\" is in {}", format::count(lines, "outcome")));
        }
        jump(model, JumpDirection::HereOrAbove, |entry| outcome::matches_search(entry, &needle), &none, up);
    }
}

fn add(model: &mut Model, text: &str, up: &mut Update) {
    match Link::parse(text) {
        Ok(link) => {
            let (account, assistant) = model.options.default_owner;
            model.overlay = None;
            up.effect(Effect::RunCommand(Command {
                kind: CommandKind::Add(link, account, assistant),
                documents: vec![],
                name: None,
                filter: None,
            }));
        }
        Err(error) => {
            if let Some(Overlay::Prompt(prompt)) = &mut model.overlay {
                prompt.problem = Some(InputError { at: None, reason: SafeLine::new(&format!("this {error}")) });
            }
        }
    }
}

/// Closes the overlay. A prompt for a filter or search restores the previous one.
pub(super) fn close(model: &mut Model, up: &mut Update) {
    let Some(Overlay::Prompt(Prompt { kind, .. })) = model.overlay.take() else { return };
    match kind {
        PromptKind::Filter(filter, text) => match model.trail.before_filter.take() {
            Some(before) => trail::restore(model, *before, up),
            None => set_filter(model, filter, text, up),
        },
        PromptKind::Outcomes(filter, text) => {
            (model.panel.filter, model.panel.filter_text) = (filter, text);
            filter_changed(model, up);
        }
        PromptKind::Search(search) => model.panel.search = search,
        PromptKind::Add | PromptKind::SaveFilter(_) | PromptKind::BreakLease { .. } | PromptKind::Remove(_) => {}
    }
}
