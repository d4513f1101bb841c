//! Everything a key can mean, and where it means it.

use crate::domain::word_enum::word_enum;

/// Something a person can do. What its keys are and what it says stands in [`keymap`](super::keymap).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is described once, in the key table")]
pub enum Action {
    Down,
    Up,
    PageDown,
    PageUp,
    HalfDown,
    HalfUp,
    First,
    Last,
    Sync,
    Retry,
    Cancel,
    SyncAll,
    RetryAll,
    CancelAll,
    Remove,
    Purge,
    Pause,
    PauseAll,
    Add,
    Mark,
    MarkAll,
    ClearMarks,
    Filter,
    Sort,
    Details,
    ViewDocuments,
    ViewOutcomes,
    ViewJobs,
    ViewHosts,
    ViewAccounts,
    ShowDocuments,
    About,
    BreakLease,
    SwitchFocus,
    Zoom,
    CopyUrl,
    CopyError,
    Open,
    Pin,
    HideUnchanged,
    NextFailure,
    PreviousFailure,
    Search,
    SearchNext,
    SearchPrevious,
    FilterOutcomes,
    Accept,
    Reject,
    Compare,
    ShowHeld,
    NextTab,
    PreviousTab,
    ToggleUtc,
    Activity,
    Workers,
    Palette,
    Help,
    Back,
    Redraw,
    Suspend,
    Quit,
    Interrupt,
    Choose,
    OtherChoice,
    PreviousChoice,
    Close,
}

word_enum! {
    /// Where keys are read.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Scope {
        /// The list of documents has the focus.
        Documents = "documents",
        /// The jobs view has the focus.
        Jobs = "jobs",
        /// The hosts view has the focus.
        Hosts = "hosts",
        /// The accounts view has the focus.
        Accounts = "accounts",
        /// The outcome panel has the focus.
        Outcomes = "outcomes",
        /// A document's details have the focus.
        Detail = "details",
        /// Text to be read lies over the screen: help, activity, workers, a host or an account.
        Reader = "help and lists",
        /// A dialog with choices.
        Dialog = "dialogs",
        /// A line to be typed.
        Prompt = "typing",
        /// The palette.
        Palette = "palette",
    }
}

impl Scope {
    /// Whether letters are text here.
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Palette)
    }
}
