//! The rows of the key table, in the order of help and documentation.

use super::{Binding, Key};
use crate::tui::action::{Action, Scope};
use crossterm::event::KeyCode;

/// The list of documents.
const LIST: &[Scope] = &[Scope::Documents];
/// The panel.
const PANEL: &[Scope] = &[Scope::Outcomes];
/// The jobs view.
const JOBS: &[Scope] = &[Scope::Jobs];
/// Where a document's URL and error are at hand.
const READ: &[Scope] = &[Scope::Documents, Scope::Outcomes, Scope::Detail];
/// Wherever the cursor is on a document.
const ABOUT_ONE: &[Scope] = &[Scope::Documents, Scope::Jobs, Scope::Outcomes, Scope::Detail];
/// What documents are grouped by.
const GROUPS: &[Scope] = &[Scope::Hosts, Scope::Accounts];
/// Every pane.
const PANES: &[Scope] = &[Scope::Documents, Scope::Jobs, Scope::Hosts, Scope::Accounts, Scope::Outcomes, Scope::Detail];
/// Wherever something is moved through with letters.
const MOVES: &[Scope] =
    &[Scope::Documents, Scope::Jobs, Scope::Hosts, Scope::Accounts, Scope::Outcomes, Scope::Detail, Scope::Reader];

const fn row(
    action: Action,
    keys: &'static [Key],
    word: &'static str,
    says: &'static str,
    scopes: &'static [Scope],
    footer: u8,
) -> Binding {
    Binding { action, keys, word, says, scopes, dangerous: false, footer }
}

const fn danger(
    action: Action,
    keys: &'static [Key],
    word: &'static str,
    says: &'static str,
    scopes: &'static [Scope],
    footer: u8,
) -> Binding {
    Binding { action, keys, word, says, scopes, dangerous: true, footer }
}

/// The table.
pub const TABLE: &[Binding] = &[
    danger(
        Action::Sync,
        &[Key::char('s')],
        "sync",
        "sync the marked documents, else the one under the cursor",
        ABOUT_ONE,
        1,
    ),
    danger(
        Action::Retry,
        &[Key::char('r')],
        "retry",
        "retry them: failed, waiting and stuck documents only",
        ABOUT_ONE,
        2,
    ),
    danger(
        Action::Cancel,
        &[Key::char('x')],
        "cancel",
        "cancel their jobs; a running one is asked about",
        ABOUT_ONE,
        3,
    ),
    danger(Action::SyncAll, &[Key::char('S')], "sync all", "sync all that match the filter, after a preview", LIST, 0),
    danger(
        Action::RetryAll,
        &[Key::char('R')],
        "retry all",
        "retry all that match the filter, after a preview",
        LIST,
        0,
    ),
    danger(
        Action::CancelAll,
        &[Key::char('X')],
        "cancel all",
        "cancel the jobs of all that match the filter, after a preview",
        LIST,
        0,
    ),
    danger(
        Action::Remove,
        &[Key::of(KeyCode::Delete)],
        "remove",
        "remove documents with their contents; always asked about",
        &[Scope::Documents, Scope::Detail],
        0,
    ),
    danger(
        Action::Purge,
        &[Key::char('D')],
        "purge",
        "drop the auto jobs that have not started; always asked about",
        LIST,
        0,
    ),
    danger(
        Action::Pause,
        &[Key::char('p')],
        "pause",
        "pause or resume the host or the account in hand, or of the document; a choice is offered",
        PANES,
        0,
    ),
    danger(
        Action::PauseAll,
        &[Key::char('P')],
        "pause all",
        "pause everything, or let it go on; always asked about",
        PANES,
        0,
    ),
    danger(Action::Add, &[Key::char('a')], "add", "add a document by its URL", LIST, 8),
    row(Action::Mark, &[Key::char(' ')], "mark", "mark the row, or take its mark away, and go down", LIST, 4),
    row(Action::MarkAll, &[Key::char('*')], "mark all", "mark all that match the filter", LIST, 0),
    row(Action::ClearMarks, &[Key::char('\\')], "no marks", "take all marks away", LIST, 0),
    row(
        Action::Filter,
        &[Key::char('/')],
        "filter",
        "filter the list: words, status:failed, host:example.org",
        LIST,
        5,
    ),
    row(Action::Sort, &[Key::char(',')], "sort", "sort by a column: its letter follows, a capital reverses", LIST, 9),
    row(
        Action::ShowHeld,
        &[Key::char('H')],
        "held",
        "show the documents with a text that is held back, or all",
        PANES,
        9,
    ),
    row(
        Action::Details,
        &[Key::of(KeyCode::Enter)],
        "details",
        "open the document: its attempts, content and versions",
        &[Scope::Documents, Scope::Jobs, Scope::Outcomes],
        6,
    ),
    row(
        Action::ShowDocuments,
        &[Key::of(KeyCode::Enter)],
        "documents",
        "show the documents of this host or account in the list",
        GROUPS,
        1,
    ),
    row(
        Action::About,
        &[Key::char('i')],
        "about",
        "all that is known of this host or account, however small the screen",
        GROUPS,
        3,
    ),
    danger(
        Action::BreakLease,
        &[Key::char('B')],
        "break lease",
        "take a running job from its worker; the document's id must be typed",
        JOBS,
        4,
    ),
    row(Action::ViewDocuments, &[Key::char('1')], "documents", "show the list of documents", PANES, 0),
    row(Action::ViewOutcomes, &[Key::char('2')], "outcomes", "go to the outcomes", PANES, 0),
    row(Action::ViewJobs, &[Key::char('3')], "jobs", "show the jobs: running, ready, waiting, recent", PANES, 0),
    row(Action::ViewHosts, &[Key::char('4')], "hosts", "show the hosts, the worst first", PANES, 0),
    row(
        Action::ViewAccounts,
        &[Key::char('5')],
        "accounts",
        "show the accounts: plan, documents, jobs, share",
        PANES,
        0,
    ),
    row(
        Action::SwitchFocus,
        &[Key::of(KeyCode::Tab), Key::of(KeyCode::BackTab)],
        "other pane",
        "go to the other pane",
        PANES,
        7,
    ),
    row(Action::Zoom, &[Key::char('z')], "zoom", "give the focused pane the whole screen, or give it back", PANES, 0),
    row(Action::Search, &[Key::char('/')], "search", "search the outcomes; all lines stay", PANEL, 4),
    row(Action::SearchNext, &[Key::char('n')], "next", "go to the next line that was searched for", PANEL, 0),
    row(Action::SearchPrevious, &[Key::char('N')], "previous", "go to the one before", PANEL, 0),
    row(
        Action::FilterOutcomes,
        &[Key::char('f')],
        "filter",
        "filter the outcomes: words, result:updated, error:timeout",
        PANEL,
        5,
    ),
    row(Action::NextFailure, &[Key::char('e')], "next failure", "go to the next failure in the outcomes", PANES, 10),
    row(Action::PreviousFailure, &[Key::char('E')], "failure before", "go to the failure before", PANES, 0),
    row(
        Action::HideUnchanged,
        &[Key::char('u')],
        "unchanged",
        "hide or show outcomes that brought nothing new",
        PANES,
        11,
    ),
    row(Action::Pin, &[Key::char('.')], "pin", "pin the outcomes to this document, or let go", ABOUT_ONE, 12),
    row(Action::CopyUrl, &[Key::char('y')], "copy URL", "copy the URL", READ, 14),
    row(Action::CopyError, &[Key::char('Y')], "copy error", "copy the last error", READ, 0),
    row(Action::Open, &[Key::char('o')], "open", "open the page in a browser", READ, 13),
    danger(
        Action::Accept,
        &[Key::char('a')],
        "accept",
        "accept the held text in place of the stored one; always asked about",
        &[Scope::Detail],
        1,
    ),
    danger(
        Action::Reject,
        &[Key::char('d')],
        "reject",
        "reject the held text: the stored one stays, and this one is not asked about again",
        &[Scope::Detail],
        2,
    ),
    row(
        Action::Compare,
        &[Key::of(KeyCode::Enter)],
        "compare",
        "show what replaced the version under the cursor",
        &[Scope::Detail],
        3,
    ),
    row(
        Action::PreviousTab,
        &[Key::char('['), Key::of(KeyCode::Left)],
        "tab before",
        "the tab before",
        &[Scope::Detail],
        0,
    ),
    row(Action::NextTab, &[Key::char(']'), Key::of(KeyCode::Right)], "next tab", "the next tab", &[Scope::Detail], 6),
    row(Action::Down, &[Key::char('j'), Key::of(KeyCode::Down)], "down", "down", MOVES, 0),
    row(Action::Up, &[Key::char('k'), Key::of(KeyCode::Up)], "up", "up", MOVES, 0),
    row(Action::HalfDown, &[Key::ctrl('d')], "half down", "half a page down", MOVES, 0),
    row(Action::HalfUp, &[Key::ctrl('u')], "half up", "half a page up", MOVES, 0),
    row(Action::PageDown, &[Key::of(KeyCode::PageDown), Key::ctrl('f')], "page down", "a page down", MOVES, 0),
    row(Action::PageUp, &[Key::of(KeyCode::PageUp), Key::ctrl('b')], "page up", "a page up", MOVES, 0),
    row(Action::First, &[Key::char('g'), Key::of(KeyCode::Home)], "first", "to the first row", MOVES, 0),
    row(
        Action::Last,
        &[Key::char('G'), Key::of(KeyCode::End)],
        "last",
        "to the last row; outcomes follow again",
        MOVES,
        0,
    ),
    row(Action::ToggleUtc, &[Key::char('t')], "UTC", "show times in UTC, or local again", PANES, 0),
    row(
        Action::Activity,
        &[Key::char('!')],
        "activity",
        "what was asked for, refused or failed in this console",
        PANES,
        0,
    ),
    row(Action::Workers, &[Key::char('w')], "workers", "who runs the jobs: where, how busy, since when", PANES, 0),
    row(Action::Palette, &[Key::char(':'), Key::ctrl('p')], "palette", "every action by name", PANES, 15),
    row(Action::Help, &[Key::char('?')], "help", "this help", PANES, 16),
    row(
        Action::Back,
        &[Key::of(KeyCode::Esc)],
        "back",
        "one step back: a search, a pin, a filter; never quits",
        PANES,
        0,
    ),
    row(Action::Redraw, &[Key::ctrl('l')], "redraw", "draw the screen anew", PANES, 0),
    row(Action::Suspend, &[Key::ctrl('z')], "suspend", "suspend; fg comes back", PANES, 0),
    row(Action::Quit, &[Key::char('q')], "quit", "quit; asks while this process runs jobs", PANES, 17),
    row(
        Action::Interrupt,
        &[Key::ctrl('c')],
        "quit",
        "quit; while this process runs jobs it asks, and a second one ends at once",
        &Scope::ALL,
        0,
    ),
    row(
        Action::Choose,
        &[Key::of(KeyCode::Enter)],
        "choose",
        "take the focused choice, or what was typed",
        &[Scope::Dialog, Scope::Prompt, Scope::Palette],
        1,
    ),
    row(
        Action::OtherChoice,
        &[Key::of(KeyCode::Tab), Key::of(KeyCode::Down), Key::of(KeyCode::Right), Key::ctrl('n')],
        "other",
        "the next choice",
        &[Scope::Dialog, Scope::Palette],
        2,
    ),
    row(
        Action::PreviousChoice,
        &[Key::of(KeyCode::BackTab), Key::of(KeyCode::Up), Key::of(KeyCode::Left)],
        "previous",
        "the choice before",
        &[Scope::Dialog, Scope::Palette],
        0,
    ),
    row(
        Action::Close,
        &[Key::of(KeyCode::Esc)],
        "close",
        "close it; nothing happens",
        &[Scope::Reader, Scope::Dialog, Scope::Prompt, Scope::Palette],
        3,
    ),
];
