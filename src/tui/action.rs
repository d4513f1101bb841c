//! Everything a key can mean, and where it means it.

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

/// Where keys are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The list of documents has the focus.
    Documents,
    /// The jobs view has the focus.
    Jobs,
    /// The hosts view has the focus.
    Hosts,
    /// The accounts view has the focus.
    Accounts,
    /// The outcome panel has the focus.
    Outcomes,
    /// A document's details have the focus.
    Detail,
    /// Text to be read lies over the screen: help, activity, workers, a host or an account.
    Reader,
    /// A dialog with choices.
    Dialog,
    /// A line to be typed.
    Prompt,
    /// The palette.
    Palette,
}

impl Scope {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 10] = [
        Self::Documents,
        Self::Jobs,
        Self::Hosts,
        Self::Accounts,
        Self::Outcomes,
        Self::Detail,
        Self::Reader,
        Self::Dialog,
        Self::Prompt,
        Self::Palette,
    ];

    /// The word in help and documentation.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Jobs => "jobs",
            Self::Hosts => "hosts",
            Self::Accounts => "accounts",
            Self::Outcomes => "outcomes",
            Self::Detail => "details",
            Self::Reader => "help and lists",
            Self::Dialog => "dialogs",
            Self::Prompt => "typing",
            Self::Palette => "palette",
        }
    }

    /// Whether letters are text here.
    pub const fn types_text(self) -> bool {
        matches!(self, Self::Prompt | Self::Palette)
    }
}
