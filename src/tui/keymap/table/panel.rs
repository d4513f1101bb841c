//! The rows of the outcome panel.

use super::row;
use crate::tui::action::Action;
use crate::tui::keymap::binding::Binding;
use crate::tui::keymap::key::Key;
use crate::tui::scope::KeyScope;
use crate::tui::scope::KeyScopes::{self, Panes, PinnedRows};

const PANEL: KeyScopes = KeyScopes::Only(&[KeyScope::OUTCOMES]);

/// The scopes with a text that a pager can show.
const PAGED: KeyScopes = KeyScopes::Only(&[KeyScope::OUTCOMES, KeyScope::DETAIL]);

/// Those that work in the panel alone, and those that work on it from every pane.
pub(super) const ROWS: &[Binding] = &[
    row(Action::Search, &[Key::char('/')], "search", "search the outcomes without hiding lines", PANEL, 4),
    row(Action::SearchNext, &[Key::char('n')], "next", "go to the next match", PANEL, 0),
    row(Action::SearchPrevious, &[Key::char('N')], "previous", "go to the previous match", PANEL, 0),
    row(
        Action::FilterOutcomes,
        &[Key::char('f')],
        "filter",
        "filter the outcomes: words, result:updated, error:timeout",
        PANEL,
        5,
    ),
    row(Action::NextFailure, &[Key::char('e')], "next failure", "go to the next failure in the outcomes", Panes, 10),
    row(
        Action::PreviousFailure,
        &[Key::char('E')],
        "previous failure",
        "go to the previous failure in the outcomes",
        Panes,
        0,
    ),
    row(Action::HideUnchanged, &[Key::char('u')], "unchanged", "hide or show unchanged outcomes", Panes, 11),
    row(
        Action::FollowFailures,
        &[Key::char('F')],
        "failures",
        "follow failures only in the outcomes, or all outcomes again",
        Panes,
        0,
    ),
    row(
        Action::Pin,
        &[Key::char('.')],
        "pin",
        "pin the outcomes to this document, cause, host, account or worker, or unpin",
        PinnedRows,
        12,
    ),
    row(
        Action::OneLine,
        &[Key::char('l')],
        "one line",
        "show each outcome in one line, or with its cause below",
        PANEL,
        0,
    ),
    row(
        Action::WholeText,
        &[Key::char('W')],
        "whole text",
        "show names and causes in full, or two lines of them",
        PANEL,
        0,
    ),
    row(
        Action::OutcomeAges,
        &[Key::char('T')],
        "ages",
        "show how long ago the outcomes were, or their times",
        PANEL,
        0,
    ),
    row(
        Action::SaveOutcomes,
        &[Key::char('>')],
        "save",
        "save the outcomes that are shown to a new file in the working directory",
        PANEL,
        0,
    ),
    row(Action::Pager, &[Key::char('L')], "pager", "show the outcomes, or the text of the tab, in $PAGER", PAGED, 0),
    row(Action::CopyOutcomes, &[Key::char('M')], "report", "copy the outcomes that are shown as Markdown", PANEL, 0),
];
