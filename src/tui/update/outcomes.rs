//! The outcome panel: new outcomes, scroll position, search, pin and filter.

use super::effects::Update;
use super::loads;
use super::step::target;
use crate::domain::filter::Filter;
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::tui::action::Action;
use crate::tui::availability::pin_subject;
use crate::tui::effect::Effect;
use crate::tui::model::toast::Level;
use crate::tui::model::{Focus, Model};
use crate::tui::msg::StoreResult;
use crate::tui::screen::panel_inside;
use crate::tui::views::outcomes::entry::Entry;
use crate::tui::views::outcomes::pin::{Pin, PinSubject};
use crate::tui::views::outcomes::state::{EntryLines, Older, TimeStyle, VisibleOutcomes};
use crate::tui::views::outcomes::{entry_height, text};

/// Handles new outcomes: counts and shows them, and reads the open details again if an outcome is about their document.
pub(super) fn arrived(model: &mut Model, outcomes: Vec<Outcome>, up: &mut Update) {
    up.redraw();
    for outcome in outcomes.iter().filter(|outcome| outcome.seq > model.panel.newest) {
        model.rate.count(outcome);
    }
    let opened = model.detail.as_ref().map(|detail| detail.document);
    let about_detail = outcomes.iter().any(|outcome| Some(outcome.document_id) == opened);
    model.panel.take(outcomes);
    // Outcomes that the panel dropped are read again, since the store answers now.
    if model.panel.follows() && model.panel.dropped > 0 {
        follow(model, up);
    }
    if about_detail {
        loads::detail_changed(model, up);
    }
}

/// Stores the newest outcomes in the panel, and counts those that had not arrived before.
pub(super) fn take_newest(model: &mut Model, answer: StoreResult<Vec<Outcome>>, up: &mut Update) {
    up.redraw();
    match answer {
        Ok(outcomes) => {
            for outcome in outcomes.iter().filter(|outcome| outcome.seq > model.panel.newest) {
                model.rate.count(outcome);
            }
            model.panel.take_newest(outcomes);
        }
        Err(reason) => {
            model.panel.newest_failed();
            loads::read_failed(model, "outcomes", &reason, up);
        }
    }
}

/// Stores outcomes older than `before` in the panel; after a failure, they may be requested again.
pub(super) fn take_older(model: &mut Model, before: Seq, answer: StoreResult<Vec<Outcome>>, up: &mut Update) {
    up.redraw();
    match answer {
        Ok(outcomes) => model.panel.take_older(before, outcomes),
        Err(reason) => {
            model.panel.older = Older::Unknown;
            loads::read_failed(model, "older outcomes", &reason, up);
        }
    }
}

/// Stores outcomes of `subject` if the panel is still pinned to it. After a failed read of older ones, they may be
/// requested again.
pub(super) fn take_pinned(
    model: &mut Model,
    (subject, before): (PinSubject, Option<Seq>),
    answer: StoreResult<Vec<Outcome>>,
    up: &mut Update,
) {
    up.redraw();
    match answer {
        Ok(outcomes) => model.panel.take_pinned(&subject, before, outcomes),
        Err(reason) => {
            if let Some(pin) = model.panel.pin.as_mut().filter(|pin| pin.subject == subject) {
                pin.older = Older::Unknown;
            }
            loads::read_failed(model, "the pinned outcomes", &reason, up);
        }
    }
}

/// Moves the cursor of the panel; at the last entry the panel follows new outcomes again.
pub(super) fn go(model: &mut Model, action: Action, up: &mut Update) {
    let shown: Vec<Seq> = model.panel.shown(model.now).map(Entry::seq).collect();
    let Some(last) = shown.len().checked_sub(1) else { return };
    if action == Action::Last {
        return follow(model, up);
    }
    let from = cursor_index(model, &shown).unwrap_or(last);
    // A page is as many entries as are on the screen.
    let page = entries_on_screen(model);
    let to = target(action, from, shown.len(), page);
    if to == last && to >= from {
        return follow(model, up);
    }
    move_cursor(model, to, up);
}

/// Scrolls to the bottom and follows new outcomes.
pub(super) fn follow(model: &mut Model, up: &mut Update) {
    if model.panel.follow() {
        up.effect(Effect::LoadNewestOutcomes);
    }
}

fn cursor_index(model: &Model, shown: &[Seq]) -> Option<usize> {
    let cursor = model.panel.cursor?;
    // If the filter hides the cursor's entry, takes the next shown entry.
    Some(shown.partition_point(|seq| *seq < cursor).min(shown.len().checked_sub(1)?))
}

fn entries_on_screen(model: &Model) -> usize {
    let inside = panel_inside(model);
    let mut available = usize::from(inside.height);
    let bottom = model.panel.bottom;
    model
        .panel
        .shown(model.now)
        .rev()
        .skip_while(|entry| bottom.is_some_and(|bottom| entry.seq() > bottom))
        .take_while(|entry| {
            let height = entry_height(&model.panel, entry, &model.glyphs, inside.width);
            let fits = height <= available;
            available = available.saturating_sub(height);
            fits
        })
        .count()
        .max(1)
}

/// Moves the cursor to the entry with index `to` among the shown ones. The panel then follows new outcomes no longer.
pub(super) fn move_cursor(model: &mut Model, to: usize, up: &mut Update) {
    let inside = panel_inside(model);
    let available = usize::from(inside.height).max(1);
    let shown: Vec<&Entry> = model.panel.shown(model.now).collect();
    // Measures only entries near the cursor, since wrapping their text takes time.
    let height = |index: usize| entry_height(&model.panel, shown[index], &model.glyphs, inside.width);
    let Some(last) = shown.len().checked_sub(1).filter(|last| to <= *last) else { return };
    let before = model.panel.bottom.map_or(last, |seq| shown.partition_point(|entry| entry.seq() < seq).min(last));
    let lowest = before.max(to);
    let mut bottom = to;
    let mut used = height(to);
    while bottom < lowest && used + height(bottom + 1) <= available {
        bottom += 1;
        used += height(bottom);
    }
    // At the top of the log too few earlier entries exist to fill the screen; takes later ones as well.
    if bottom < available {
        used = (0..=bottom).map(height).sum();
        while bottom < last && used + height(bottom + 1) <= available {
            bottom += 1;
            used += height(bottom);
        }
    }
    let (cursor, bottom) = (shown[to].seq(), shown[bottom].seq());
    if model.panel.cursor.is_none() {
        model.panel.newest_at_scroll = model.panel.newest;
    }
    (model.panel.cursor, model.panel.bottom) = (Some(cursor), Some(bottom));
    if let Some(oldest) = model.panel.request_older(model.now, available) {
        up.effect(match &model.panel.pin {
            Some(pin) => Effect::LoadPinnedOutcomes(pin.subject.clone(), Some(oldest)),
            None => Effect::LoadOlderOutcomes(oldest),
        });
    }
}

/// Carries out an action of the panel: hides or shows unchanged outcomes, pins or unpins the panel, or jumps to a
/// failure or a search match.
pub(super) fn act(model: &mut Model, action: Action, up: &mut Update) {
    match action {
        Action::HideUnchanged => {
            model.panel.visible = model.panel.visible.toggled(VisibleOutcomes::Changes);
            filter_changed(model, up);
        }
        Action::FollowFailures => {
            model.panel.visible = model.panel.visible.toggled(VisibleOutcomes::Failures);
            let shows = match model.panel.visible {
                VisibleOutcomes::Failures => "the outcomes show failures only",
                VisibleOutcomes::All | VisibleOutcomes::Changes => "the outcomes show all again",
            };
            model.notify(Level::Done, shows);
            follow(model, up);
        }
        Action::Pin => pin(model, up),
        Action::OneLine | Action::WholeText => {
            let other = if action == Action::OneLine { EntryLines::One } else { EntryLines::Whole };
            model.panel.lines = model.panel.lines.toggled(other);
            presentation_changed(model, up);
        }
        Action::OutcomeAges => {
            model.panel.times = match model.panel.times {
                TimeStyle::Clock => TimeStyle::Age,
                TimeStyle::Age => TimeStyle::Clock,
            };
            presentation_changed(model, up);
        }
        Action::NextFailure => {
            jump(
                model,
                JumpDirection::Below,
                |entry| entry.result().is_failure(),
                "no failure below in the outcomes",
                up,
            );
        }
        Action::PreviousFailure => {
            jump(
                model,
                JumpDirection::Above,
                |entry| entry.result().is_failure(),
                "no failure above in the outcomes",
                up,
            );
        }
        Action::SearchNext | Action::SearchPrevious => {
            let needle = model.panel.search.clone();
            let (towards, none) = if action == Action::SearchNext {
                (JumpDirection::Below, format!("\"{needle}\" is not found below"))
            } else {
                (JumpDirection::Above, format!("\"{needle}\" is not found above"))
            };
            jump(model, towards, |entry| text::matches_search(entry, &needle), &none, up);
        }
        _ => {}
    }
}

/// The direction of a jump to a matching entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JumpDirection {
    Below,
    Above,
    /// From the cursor upwards, including the cursor's own line.
    HereOrAbove,
}

/// Moves the cursor to the nearest shown entry for which `fits` is true, or shows the message `none`. While the panel
/// follows new outcomes it has no cursor, and the newest match is taken.
pub(super) fn jump(
    model: &mut Model,
    towards: JumpDirection,
    fits: impl Fn(&Entry) -> bool,
    none: &str,
    up: &mut Update,
) {
    let shown: Vec<(Seq, bool)> = model.panel.shown(model.now).map(|entry| (entry.seq(), fits(entry))).collect();
    let seqs: Vec<Seq> = shown.iter().map(|(seq, _)| *seq).collect();
    let from = cursor_index(model, &seqs);
    let found = match (towards, from) {
        (JumpDirection::Below, Some(from)) => {
            shown.iter().skip(from + 1).position(|(_, fit)| *fit).map(|n| from + 1 + n)
        }
        (JumpDirection::Above, Some(from)) => shown[..from].iter().rposition(|(_, fit)| *fit),
        (JumpDirection::HereOrAbove, Some(from)) => shown[..=from].iter().rposition(|(_, fit)| *fit),
        (_, None) => shown.iter().rposition(|(_, fit)| *fit),
    };
    match found {
        Some(to) => move_cursor(model, to, up),
        None => model.notify(Level::Refused, none),
    }
}

/// Pins the panel to the row under the cursor, or unpins a pinned panel. Either way, the panel follows new outcomes
/// again.
fn pin(model: &mut Model, up: &mut Update) {
    if model.panel.pin.take().is_none()
        && let Ok((subject, name)) = pin_subject(model)
    {
        up.effect(Effect::LoadPinnedOutcomes(subject.clone(), None));
        model.panel.pin = Some(Pin::new(subject, name));
    }
    follow(model, up);
}

/// Changes how the entries are shown. A cursor stays on its entry, at the bottom of the panel if the entries above it
/// need more lines now.
fn presentation_changed(model: &mut Model, up: &mut Update) {
    if let Some(cursor) = model.panel.cursor {
        model.panel.bottom = Some(cursor);
    }
    filter_changed(model, up);
}

/// Adjusts the cursor after a change of the filter: if its entry is hidden now, it moves to the next shown entry, or to
/// the last one if there is no next. A panel that follows new outcomes keeps following them.
pub(super) fn filter_changed(model: &mut Model, up: &mut Update) {
    let shown: Vec<Seq> = model.panel.shown(model.now).map(Entry::seq).collect();
    if model.panel.follows() {
        return;
    }
    // With no entry to show, the cursor is kept until entries are shown again.
    if let Some(to) = cursor_index(model, &shown) {
        move_cursor(model, to, up);
    }
}

/// Goes one step back: clears search or filter, unpins, follows again, ends zoom, or leaves the panel. The pin to the
/// document of open details stays.
pub(super) fn back(model: &mut Model, up: &mut Update) {
    let panel = &mut model.panel;
    if !panel.search.is_empty() {
        panel.search.clear();
    } else if !panel.filter_text.is_empty() {
        panel.filter = Filter::default();
        panel.filter_text.clear();
        filter_changed(model, up);
    } else if !panel.is_of_detail() && panel.pin.take().is_some() || !panel.follows() {
        follow(model, up);
    } else if model.zoom {
        model.zoom = false;
    } else {
        model.focus = Focus::Main;
    }
}
