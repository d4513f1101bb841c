//! The rows of the key table. The help and the documentation group them by scope and keep this order within a group.

mod detail;
mod panel;
mod typing;

use super::binding::Binding;
use super::key::Key;
use crate::tui::action::Action;
use crate::tui::scope::KeyScope;
use crate::tui::scope::KeyScopes::{
    self, All, DocumentLists, DocumentRows, ExplainedRows, GroupRows, Panes, Scrollable, Views,
};
use crate::tui::views::catalog::ViewId;
use crossterm::event::KeyCode;
use std::sync::LazyLock;

const LIST: KeyScopes = KeyScopes::Only(&[KeyScope::DOCUMENTS]);
const JOBS: KeyScopes = KeyScopes::Only(&[KeyScope::JOBS]);
const FAILURES: KeyScopes = KeyScopes::Only(&[KeyScope::FAILURES]);
const DASHBOARD: KeyScopes = KeyScopes::Only(&[KeyScope::DASHBOARD]);
const SOURCES: KeyScopes = KeyScopes::Only(&[KeyScope::SOURCES]);
/// The scopes in which a document's URL and last error can be copied and its page can be opened.
const WITH_URL: KeyScopes = KeyScopes::Only(&[KeyScope::DOCUMENTS, KeyScope::OUTCOMES, KeyScope::DETAIL]);

const fn row(
    action: Action,
    keys: &'static [Key],
    word: &'static str,
    description: &'static str,
    scopes: KeyScopes,
    footer: u8,
) -> Binding {
    Binding { action, keys, word, description, scopes, dangerous: false, footer }
}

const fn danger(
    action: Action,
    keys: &'static [Key],
    word: &'static str,
    description: &'static str,
    scopes: KeyScopes,
    footer: u8,
) -> Binding {
    Binding { action, keys, word, description, scopes, dangerous: true, footer }
}

/// The whole table. The rows of the actions that show a view are in the middle, in the order of their keys.
pub static TABLE: LazyLock<Vec<Binding>> = LazyLock::new(|| {
    let show = |view: &ViewId| row(Action::ShowView(*view), view.keys(), view.word(), view.description(), Panes, 0);
    let views: Vec<Binding> = ViewId::ALL.iter().map(show).collect();
    [ROWS_BEFORE_VIEWS, &views, ROWS_AFTER_VIEWS, panel::ROWS, ROWS_AFTER_PANEL, detail::ROWS, ROWS_AFTER_DETAIL]
        .concat()
        .into_iter()
        .chain(typing::ROWS.iter().copied())
        .chain(ROWS_OF_CHOICES.iter().copied())
        .collect()
});

/// The rows before those of the actions that show a view.
const ROWS_BEFORE_VIEWS: &[Binding] = &[
    danger(
        Action::Sync,
        &[Key::char('s')],
        "sync",
        "sync the marked documents, else the one under the cursor",
        DocumentRows,
        1,
    ),
    danger(
        Action::Retry,
        &[Key::char('r')],
        "retry",
        "retry selected failed, waiting and stuck documents",
        DocumentRows,
        2,
    ),
    danger(
        Action::Cancel,
        &[Key::char('x')],
        "cancel",
        "cancel selected documents' jobs; asks before it stops a running one",
        DocumentRows,
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
        Action::Faq,
        &[Key::char('f')],
        "FAQ job",
        "start Chatwoot's FAQ job for the selected documents, after a preview",
        KeyScopes::Only(&[KeyScope::DOCUMENTS, KeyScope::JOBS, KeyScope::DETAIL]),
        0,
    ),
    danger(
        Action::FaqAll,
        &[Key::char('A')],
        "FAQ jobs",
        "start Chatwoot's FAQ jobs for all that match the filter, after a preview",
        LIST,
        0,
    ),
    danger(
        Action::Remove,
        &[Key::of(KeyCode::Delete)],
        "remove",
        "remove documents with their contents; always asks first",
        KeyScopes::Only(&[KeyScope::DOCUMENTS, KeyScope::DETAIL]),
        0,
    ),
    danger(
        Action::Purge,
        &[Key::char('D')],
        "purge",
        "drop the auto jobs that have not started; always asks first",
        LIST,
        0,
    ),
    danger(
        Action::Pause,
        &[Key::char('p')],
        "pause",
        "pause or resume the selected host or account, or those of the document; asks which",
        Panes,
        0,
    ),
    danger(Action::PauseAll, &[Key::char('P')], "pause all", "pause or resume everything; always asks first", Panes, 0),
    danger(
        Action::Undo,
        &[Key::char('U')],
        "undo",
        "undo the last act on many documents, in the five seconds before it begins",
        Panes,
        0,
    ),
    row(
        Action::Batches,
        &[Key::char('b')],
        "batches",
        "list acts on many documents: progress, undo, pause, resume, stop, what failed",
        Panes,
        0,
    ),
    danger(Action::Add, &[Key::char('a')], "add", "add a document by its URL", LIST, 8),
    row(Action::Mark, &[Key::char(' ')], "mark", "mark or unmark the row, and go down", LIST, 4),
    row(Action::MarkAll, &[Key::char('*')], "mark all", "mark all that match the filter", LIST, 0),
    row(Action::ClearMarks, &[Key::char('\\')], "no marks", "unmark all", LIST, 0),
    row(
        Action::Filter,
        &[Key::char('/')],
        "filter",
        "filter the list: words, status:failed, host:example.org",
        LIST,
        5,
    ),
    row(
        Action::Sort,
        &[Key::char(',')],
        "sort",
        "sort by a column: press its letter, as a capital to reverse",
        Views,
        9,
    ),
    row(Action::Columns, &[Key::char('C')], "columns", "choose the columns of the list and their order", LIST, 0),
    row(Action::ShowQuarantined, &[Key::char('H')], "review", "show the documents that need review, or all", Panes, 9),
    row(
        Action::Details,
        &[Key::of(KeyCode::Enter)],
        "details",
        "open the document: its attempts, content and versions",
        DocumentLists,
        6,
    ),
    row(
        Action::ShowDocuments,
        &[Key::of(KeyCode::Enter)],
        "documents",
        "show the documents of this host, account or cause in the list",
        GroupRows,
        1,
    ),
    row(
        Action::ShowRows,
        &[Key::of(KeyCode::Enter)],
        "rows",
        "show what the figure counts: documents, outcomes, jobs, hosts, workers or disk use",
        DASHBOARD,
        1,
    ),
    row(Action::About, &[Key::char('i')], "about", "everything known about this row", ExplainedRows, 3),
    danger(
        Action::RetryCause,
        &[Key::char('r')],
        "retry",
        "retry the documents of the marked causes, else of this one, after a preview",
        FAILURES,
        1,
    ),
    danger(
        Action::RetryCauses,
        &[Key::char('R')],
        "retry all",
        "retry the documents of all causes, after a preview",
        FAILURES,
        5,
    ),
    row(Action::MarkCause, &[Key::char(' ')], "mark", "mark or unmark the cause, and go down", FAILURES, 4),
    row(Action::MarkCauses, &[Key::char('*')], "mark all", "mark all causes", FAILURES, 0),
    row(Action::ClearCauses, &[Key::char('\\')], "no marks", "unmark all causes", FAILURES, 0),
    row(Action::CopyCause, &[Key::char('y')], "copy", "copy the cause with its figures as Markdown", FAILURES, 6),
    danger(
        Action::AcceptProposal,
        &[Key::char('a')],
        "accept",
        "do what the proposal says; asks before it removes a document",
        SOURCES,
        1,
    ),
    danger(
        Action::RefuseProposal,
        &[Key::char('d')],
        "refuse",
        "refuse the proposal, which never comes back",
        SOURCES,
        2,
    ),
    danger(
        Action::AcceptProposals,
        &[Key::char('A')],
        "accept all",
        "accept all listed proposals of the source; always asks first",
        SOURCES,
        5,
    ),
    danger(
        Action::RefuseProposals,
        &[Key::char('D')],
        "refuse all",
        "refuse all listed proposals of the source; always asks first",
        SOURCES,
        6,
    ),
    danger(Action::ReadSource, &[Key::char('s')], "read", "read the source now", SOURCES, 4),
    danger(
        Action::BreakLease,
        &[Key::char('B')],
        "break lease",
        "break a running job's lease; the document's id must be typed",
        JOBS,
        4,
    ),
];

/// The rows between those of the actions that show a view and those of the outcome panel.
const ROWS_AFTER_VIEWS: &[Binding] = &[
    row(
        Action::SwitchFocus,
        &[Key::of(KeyCode::Tab), Key::of(KeyCode::BackTab)],
        "other pane",
        "go to the outcomes, or back to the view",
        Panes,
        7,
    ),
    row(Action::Zoom, &[Key::char('z')], "zoom", "show only the focused pane, or both", Panes, 0),
];

/// The rows after those of the outcome panel.
const ROWS_AFTER_PANEL: &[Binding] = &[
    row(Action::CopyUrl, &[Key::char('y')], "copy URL", "copy the URL", WITH_URL, 14),
    row(Action::CopyError, &[Key::char('Y')], "copy error", "copy the last error", WITH_URL, 0),
    row(Action::Open, &[Key::char('o')], "open", "open the page in a browser", WITH_URL, 13),
];

/// The rows after those of the details.
const ROWS_AFTER_DETAIL: &[Binding] = &[
    row(Action::Down, &[Key::char('j'), Key::of(KeyCode::Down)], "down", "down", Scrollable, 0),
    row(Action::Up, &[Key::char('k'), Key::of(KeyCode::Up)], "up", "up", Scrollable, 0),
    row(Action::HalfDown, &[Key::ctrl('d')], "half down", "half a page down", Scrollable, 0),
    row(Action::HalfUp, &[Key::ctrl('u')], "half up", "half a page up", Scrollable, 0),
    row(Action::PageDown, &[Key::of(KeyCode::PageDown), Key::ctrl('f')], "page down", "a page down", Scrollable, 0),
    row(Action::PageUp, &[Key::of(KeyCode::PageUp), Key::ctrl('b')], "page up", "a page up", Scrollable, 0),
    row(Action::First, &[Key::char('g'), Key::of(KeyCode::Home)], "first", "to the first row", Scrollable, 0),
    row(
        Action::Last,
        &[Key::char('G'), Key::of(KeyCode::End)],
        "last",
        "to the last row; in the outcomes also follow new ones again",
        Scrollable,
        0,
    ),
    row(
        Action::SinceLastVisit,
        &[Key::char('\'')],
        "since last look",
        "go to the first outcome since you last looked, and count the results",
        Panes,
        0,
    ),
    row(Action::ToggleUtc, &[Key::char('t')], "UTC", "show times in UTC or in local time", Panes, 0),
    row(
        Action::Activity,
        &[Key::char('!')],
        "activity",
        "what was requested, refused or failed in this console",
        Panes,
        0,
    ),
    row(
        Action::Workers,
        &[Key::char('w')],
        "worker list",
        "list the workers (load, start time, last heartbeat) and the disk use",
        Panes,
        0,
    ),
    row(Action::Palette, &[Key::char(':'), Key::ctrl('p')], "palette", "every action by name", Panes, 15),
    row(Action::Help, &[Key::char('?')], "help", "every key with its action", Panes, 16),
    row(
        Action::Back,
        &[Key::of(KeyCode::Esc)],
        "back",
        "undo one step: search, pin, details, zoom, view or filter, as it was before; never quits",
        Panes,
        0,
    ),
    row(Action::LastPlace, &[Key::char('-')], "last place", "go to the place before, or back again", Panes, 0),
    danger(
        Action::ToggleRunner,
        &[Key::ctrl('r')],
        "runner",
        "stop or start the job runner of this console; running jobs finish",
        Panes,
        0,
    ),
    row(Action::Redraw, &[Key::ctrl('l')], "redraw", "redraw the screen", Panes, 0),
    row(Action::Suspend, &[Key::ctrl('z')], "suspend", "suspend; fg resumes", Panes, 0),
    row(Action::Quit, &[Key::char('q')], "quit", "quit; asks while this process runs jobs", Panes, 17),
    row(
        Action::Interrupt,
        &[Key::INTERRUPT],
        "quit",
        "quit; asks while this process runs jobs; press it twice to quit immediately",
        All,
        0,
    ),
    row(
        Action::Choose,
        &[Key::of(KeyCode::Enter)],
        "choose",
        "choose the focused button, or submit what was typed",
        KeyScopes::Only(&[KeyScope::Dialog, KeyScope::Prompt, KeyScope::Palette]),
        1,
    ),
];

/// The rows about the choices of overlays.
const ROWS_OF_CHOICES: &[Binding] = &[
    row(
        Action::NextChoice,
        &[Key::of(KeyCode::Tab), Key::of(KeyCode::Down), Key::of(KeyCode::Right), Key::ctrl('n')],
        "other",
        "the next choice",
        KeyScopes::Only(&[KeyScope::Dialog, KeyScope::Palette]),
        2,
    ),
    row(
        Action::PreviousChoice,
        &[Key::of(KeyCode::BackTab), Key::of(KeyCode::Up), Key::of(KeyCode::Left)],
        "previous",
        "the previous choice",
        KeyScopes::Only(&[KeyScope::Dialog, KeyScope::Palette]),
        0,
    ),
    row(
        Action::Close,
        &[Key::of(KeyCode::Esc)],
        "close",
        "close and change nothing",
        KeyScopes::Only(&[KeyScope::Reader, KeyScope::Dialog, KeyScope::Prompt, KeyScope::Palette]),
        3,
    ),
];
