//! Key handling: finds the action of a key in the current scope and carries it out, or shows why it is unavailable.

use super::batches::ListKey;
use super::effects::Update;
use super::{
    acts, batches, changes, columns, dashboard, dialog, exports, figures, help, last_visit, loads, marks, moves,
    outcomes, pauses, prompt, recall, saved_filters, sources, trail, views,
};
use crate::domain::filter::Filter;
use crate::runner::event::Phase;
use crate::store::Sort;
use crate::tui::action::Action;
use crate::tui::availability::available;
use crate::tui::effect::{Effect, ExitReason};
use crate::tui::keymap::{Binding, Key, KeyMatch, TABLE, label};
use crate::tui::model::overlay::{Overlay, Palette, Prompt, PromptKind, QuitChoice};
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model, ShutdownState};
use crate::tui::scope::{KeyScope, PaneId};
use crate::tui::screen::list_rows;
use crate::tui::table::order::{ChosenOrder, USUAL_ORDER};
use crate::tui::views as registry;
use crate::tui::views::catalog::ViewId;
use crate::tui::views::documents::state::SORTS;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind};

/// Handles a key event: carries out its action, edits the typed text, chooses a sort column, closes a reader, or shows
/// where the key has an action.
pub(super) fn key(model: &mut Model, event: &KeyEvent, up: &mut Update) {
    if event.kind == KeyEventKind::Release {
        return;
    }
    let Some(key) = Key::from_event(event) else { return };
    last_visit::note_key(model);
    if let Some(before) = model.begun.take().filter(|(scope, _)| *scope == model.scope()) {
        return go_on(model, before.1, key, up);
    }
    if matches!(model.overlay, Some(Overlay::Sort)) && key.is_text() {
        return sort(model, key, up);
    }
    if columns::key(model, key, up) || help::key(model, event, key, up) {
        return;
    }
    match batches::key(model, key, up) {
        ListKey::Unknown => {}
        ListKey::Handled => return,
        ListKey::Documents(batch) => return views::show_batch(model, &batch, up),
    }
    let scope = model.scope();
    match model.keymap().lookup(scope, &[key]) {
        KeyMatch::Action(action) => act(model, action, up),
        KeyMatch::Begun => {
            model.begun = Some((scope, vec![key]));
            up.redraw();
        }
        KeyMatch::Nothing if scope.types_text() => prompt::edit(model, event, up),
        KeyMatch::Nothing if scope == KeyScope::Reader && closes_reader(model, key) => {
            model.overlay = None;
            up.redraw();
        }
        KeyMatch::Nothing if matches!(scope, KeyScope::Pane(_)) => {
            if let Some(reason) = elsewhere(model, scope, key) {
                model.notify(Level::Refused, reason);
                up.redraw();
            }
        }
        KeyMatch::Nothing => {}
    }
}

/// Handles the key after the keys `before`, which begin the keys of an action. Escape leaves them; a key that continues
/// nothing leaves them and says so.
fn go_on(model: &mut Model, before: Vec<Key>, key: Key, up: &mut Update) {
    up.redraw();
    let scope = model.scope();
    let keys = [before, vec![key]].concat();
    if key == Key::INTERRUPT {
        return act(model, Action::Interrupt, up);
    }
    match model.keymap().lookup(scope, &keys) {
        KeyMatch::Action(action) => act(model, action, up),
        KeyMatch::Begun => model.begun = Some((scope, keys)),
        KeyMatch::Nothing if key == Key::of(KeyCode::Esc) => {}
        KeyMatch::Nothing => {
            let keys = label(&keys, model.glyphs.ascii);
            model.notify(Level::Refused, format!("{keys} has no action; {} lists the keys", model.key(Action::Help)));
        }
    }
}

/// Returns true for the keys that close a reader besides that of [`Action::Close`]: those that quit, and those that open
/// help, activity, workers and explanations.
fn closes_reader(model: &Model, key: Key) -> bool {
    let actions = [Action::Quit, Action::Help, Action::Activity, Action::Workers, Action::About, Action::Why];
    actions.into_iter().any(|action| model.keymap().has(action, key))
}

/// Returns where a key that has no action in the focused pane has one, or that the config has taken its action from it;
/// `None` for a key that types nothing and never had one.
fn elsewhere(model: &Model, scope: KeyScope, key: Key) -> Option<String> {
    let label = key.label(model.glyphs.ascii);
    let help = model.key(Action::Help);
    let by_default = |binding: &&Binding| binding.scopes.contains(scope) && binding.keys.contains(&key);
    if let Some(binding) = TABLE.iter().find(by_default) {
        let word = binding.word;
        return Some(match model.keymap().keys(binding.action).first() {
            Some(now) => format!("{label} has no action: your key of {word} is {}", now.label(model.glyphs.ascii)),
            None => format!("{label} has no action: your config leaves {word} without a key"),
        });
    }
    if !key.is_text() {
        return None;
    }
    let there = model.keymap().actions().find_map(|bound| {
        let pane = bound.binding.scopes.list().find(|scope| matches!(scope, KeyScope::Pane(_)))?;
        bound.has(key).then(|| format!("{label} works in {}: {}", pane.word(), bound.binding.word))
    });
    Some(there.unwrap_or_else(|| format!("{label} has no action; {help} lists the keys")))
}

/// Carries out an action in the open overlay, else in the focused pane, or shows why it is unavailable there.
pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) {
    up.redraw();
    if model.overlay.is_none() {
        registry::for_pane(model.pane()).follow_row(model);
        if let Err(reason) = available(model, action) {
            return model.notify(Level::Refused, reason);
        }
    }
    match action {
        Action::Down
        | Action::Up
        | Action::PageDown
        | Action::PageUp
        | Action::HalfDown
        | Action::HalfUp
        | Action::First
        | Action::Last => moves::go(model, action, up),
        Action::Sync
        | Action::Retry
        | Action::Cancel
        | Action::Remove
        | Action::SyncAll
        | Action::RetryAll
        | Action::CancelAll
        | Action::Faq
        | Action::FaqAll => acts::act(model, action, up),
        Action::Mark | Action::MarkAll | Action::ClearMarks => marks::mark(model, action, up),
        Action::CopyUrl | Action::CopyError | Action::Open => acts::copy_or_open(model, action, up),
        Action::Purge => acts::purge(model),
        Action::Undo => batches::undo(model, up),
        Action::Batches => batches::open(model, up),
        Action::Pause => pauses::choose(model),
        Action::PauseAll => pauses::choose_all(model),
        Action::Add => open_prompt(model, PromptKind::Add, ""),
        Action::Filter => {
            let text = model.documents.filter_text.clone();
            prompt::open_filter(model, &text);
        }
        Action::SaveFilter => saved_filters::ask_name(model, up),
        Action::SavedFilters => saved_filters::open(model),
        Action::FilterOutcomes => {
            let before = PromptKind::Outcomes(model.panel.filter.clone(), model.panel.filter_text.clone());
            let text = model.panel.filter_text.clone();
            open_prompt(model, before, &text);
        }
        Action::Search => open_prompt(model, PromptKind::Search(model.panel.search.clone()), ""),
        Action::Columns => model.overlay = Some(Overlay::Columns(0)),
        Action::Sort => model.overlay = Some(Overlay::Sort),
        Action::Details => loads::open_detail(model, up),
        Action::ShowView(view) => views::go_to(model, view, up),
        Action::ShowDocuments => views::show_documents(model, up),
        Action::ShowRows => dashboard::show_rows(model, up),
        Action::About => model.overlay = Some(Overlay::About(0)),
        Action::Why => loads::explain(model, up),
        Action::RetryCause | Action::RetryCauses => acts::retry_causes(model, action, up),
        Action::MarkCause | Action::MarkCauses | Action::ClearCauses => marks::mark_causes(model, action),
        Action::CopyCause => views::copy_cause(model, up),
        Action::BreakLease => views::break_lease(model),
        Action::AcceptProposal
        | Action::RefuseProposal
        | Action::AcceptProposals
        | Action::RefuseProposals
        | Action::ReadSource => sources::act(model, action, up),
        Action::SwitchFocus => {
            model.focus = if model.focus == Focus::Main { Focus::Outcomes } else { Focus::Main };
        }
        Action::Zoom => model.zoom = !model.zoom,
        Action::SaveOutcomes | Action::CopyOutcomes => exports::act(model, action, up),
        Action::Pager => exports::page(model, up),
        Action::Pin
        | Action::OneLine
        | Action::WholeText
        | Action::OutcomeAges
        | Action::HideUnchanged
        | Action::FollowFailures
        | Action::NextFailure
        | Action::PreviousFailure
        | Action::SearchNext
        | Action::SearchPrevious => outcomes::act(model, action, up),
        Action::NextTab | Action::PreviousTab => {
            if let Some(detail) = &mut model.detail {
                detail.tab = detail.tab.step(action == Action::NextTab);
                (detail.scroll, detail.version) = (0, None);
                // Forgets a failed comparison, so that it is repeated when the tab of changes is shown again.
                detail.comparing = detail.comparing.take().filter(|_| detail.compare_error.take().is_none());
            }
        }
        Action::Accept | Action::Reject => changes::decide(model, action),
        Action::Compare => changes::compare_version(model),
        Action::Restore => changes::restore_version(model),
        Action::HostPages => views::show_host_pages(model, up),
        Action::ShowQuarantined => changes::show_quarantined(model, up),
        Action::ToggleUtc => model.utc = !model.utc,
        Action::Activity => model.overlay = Some(Overlay::Activity(0)),
        Action::Workers => {
            model.overlay = Some(Overlay::Workers(0));
            figures::poll_workers(model, up);
            up.effect(Effect::LoadDiskUse);
            up.effect(Effect::LoadSinks);
        }
        Action::Palette => model.overlay = Some(Overlay::Palette(Palette::default())),
        Action::Help => help::open(model),
        Action::SearchHelp => help::search(model),
        Action::SinceLastVisit => last_visit::show(model, up),
        Action::Back => back(model, up),
        Action::LastPlace => trail::last(model, up),
        Action::ToggleRunner => toggle_runner(model, up),
        Action::Redraw => up.effect(Effect::Redraw),
        Action::Suspend => up.effect(Effect::Suspend),
        Action::Quit => quit(model, up),
        Action::Interrupt => interrupt(model, up),
        Action::Choose | Action::NextChoice | Action::PreviousChoice => {
            if let Some(chosen) = dialog::act(model, action, up) {
                act(model, chosen, up);
            }
        }
        Action::Complete => recall::complete(model, up),
        Action::EarlierFilter | Action::LaterFilter => recall::step(model, action == Action::EarlierFilter, up),
        Action::Close => prompt::close(model, up),
    }
}

fn open_prompt(model: &mut Model, kind: PromptKind, text: &str) {
    model.overlay = Some(Overlay::Prompt(Prompt::new(kind, text)));
}

fn sort(model: &mut Model, key: Key, up: &mut Update) {
    model.overlay = None;
    up.redraw();
    let KeyCode::Char(letter) = key.code else { return };
    let (letter, descending) = (letter.to_ascii_lowercase(), letter.is_ascii_uppercase());
    let unknown = format!("no column has the letter {letter}");
    if let Some(rows) = registry::for_pane(PaneId::View(model.active_view)).rows_mut(model) {
        let is_known = rows.orders().iter().any(|(known, _)| *known == letter);
        if !is_known && letter != USUAL_ORDER {
            return model.notify(Level::Refused, unknown);
        }
        rows.set_order(is_known.then_some(ChosenOrder { letter, descending }));
        return loads::active_view(model, up);
    }
    let Some((_, by, _)) = SORTS.iter().find(|(known, ..)| *known == letter) else {
        return model.notify(Level::Refused, unknown);
    };
    model.documents.sort = Sort { by: *by, descending };
    model.documents.restart();
    loads::page(model, up);
}

/// Goes one step back: leaves the details, else ends zoom, unpins the outcomes, goes back along the way to this place,
/// shows the document list or clears its filter. In the outcome panel, does what [`outcomes::back`] does. Never quits.
fn back(model: &mut Model, up: &mut Update) {
    if model.pane() == PaneId::Outcomes {
        return outcomes::back(model, up);
    }
    if model.detail.is_some() {
        if !trail::back(model, up) {
            model.detail = None;
            model.documents.show_cursor(list_rows(model));
        }
        return;
    }
    if model.zoom {
        model.zoom = false;
    } else if model.panel.pin.is_some() {
        outcomes::act(model, Action::Pin, up);
    } else if trail::back(model, up) {
        // The place before is shown.
    } else if model.active_view != ViewId::Documents {
        views::show(model, ViewId::Documents, up);
    } else if !model.documents.filter_text.is_empty() {
        model.documents.filter = Filter::default();
        model.documents.filter_text.clear();
        model.documents.filter_changed();
        model.documents.restart();
        loads::page(model, up);
    }
}

/// Makes the runner of this console start no more jobs, or start jobs again.
fn toggle_runner(model: &mut Model, up: &mut Update) {
    let stops = model.runner.phase != Phase::Off;
    up.effect(Effect::SwitchRunnerOff(stops));
    let text = match stops {
        true => {
            let key = model.key(Action::ToggleRunner);
            format!("no more jobs start here, running ones finish; {key} starts again")
        }
        false => "this console starts jobs again".to_owned(),
    };
    model.notify(Level::Done, text);
}

/// Quits. If this process has running jobs, opens the choice of how to end instead.
pub(super) fn quit(model: &mut Model, up: &mut Update) {
    if model.has_runner && model.runner.busy > 0 {
        model.overlay = Some(Overlay::Quit(QuitChoice::Stay));
    } else if model.shutdown == ShutdownState::Draining {
        up.effect(Effect::ReleaseJobs);
        up.effect(Effect::End(ExitReason::Left));
    } else {
        up.effect(Effect::ReleaseJobs);
        up.effect(Effect::End(ExitReason::Quit));
    }
}

fn interrupt(model: &mut Model, up: &mut Update) {
    if matches!(model.overlay, Some(Overlay::Quit(_))) || model.shutdown == ShutdownState::Draining {
        up.effect(Effect::ReleaseJobs);
        up.effect(Effect::End(ExitReason::Left));
    } else {
        quit(model, up);
    }
}
