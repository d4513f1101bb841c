//! What lies over the screen: one thing at a time.

use crate::domain::filter::{Filter, FilterError};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::text::SafeLine;
use crate::domain::word_enum::variant_list;
use crate::store::{BulkVerb, Preview};
use crate::tui::command::Command;
use crate::tui::scope::Scope;
use tui_input::Input;

/// One thing over the screen.
#[derive(Debug)]
pub enum Overlay {
    /// The keys, scrolled by so many lines.
    Help(usize),
    /// What was asked for, refused or failed, scrolled by so many lines.
    Activity(usize),
    /// The workers, scrolled by so many lines.
    Workers(usize),
    /// The host or the account under the cursor, scrolled by so many lines.
    About(usize),
    /// Every action by name.
    Palette(Palette),
    /// A line to be typed.
    Prompt(Prompt),
    /// A column to be chosen by its letter.
    Sort,
    /// Something to be confirmed.
    Confirm(Confirm),
    /// One of several things to be done, or none.
    Choice(Choice),
    /// What a bulk request would do.
    Preview(Box<PreviewDialog>),
    /// How to end while jobs run.
    Quit(QuitChoice),
}

impl Overlay {
    /// Where keys are read while it is open.
    pub const fn scope(&self) -> Scope {
        match self {
            Self::Help(_) | Self::Activity(_) | Self::Workers(_) | Self::About(_) | Self::Sort => Scope::Reader,
            Self::Palette(_) => Scope::Palette,
            Self::Prompt(_) => Scope::Prompt,
            Self::Confirm(_) | Self::Choice(_) | Self::Preview(_) | Self::Quit(_) => Scope::Dialog,
        }
    }

    /// The first line on the screen of text to be read, if it is that.
    pub const fn scroll_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Help(scroll) | Self::Activity(scroll) | Self::Workers(scroll) | Self::About(scroll) => Some(scroll),
            _ => None,
        }
    }
}

/// Every action by name.
#[derive(Debug, Default)]
pub struct Palette {
    /// What is looked for.
    pub input: Input,
    /// The row that is chosen.
    pub selected: usize,
}

/// A line to be typed.
#[derive(Debug)]
pub struct Prompt {
    /// What for.
    pub kind: PromptKind,
    /// The text.
    pub input: Input,
    /// Why the text is not taken, and at which byte.
    pub problem: Option<Problem>,
}

/// Why a text is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The byte where it begins, when there is one place.
    pub at: Option<usize>,
    /// The reason.
    pub reason: SafeLine,
}

impl From<FilterError> for Problem {
    fn from(error: FilterError) -> Self {
        Self { at: Some(error.at), reason: SafeLine::new(&error.message) }
    }
}

/// What a line is typed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// The list's filter; what it was before, with its text.
    Filter(Filter, String),
    /// The panel's search; what it was before.
    Search(String),
    /// The panel's filter; what it was before, with its text.
    Outcomes(Filter, String),
    /// The URL of a new document.
    Add,
    /// The id of a document whose running job is taken from its worker.
    BreakLease {
        /// The job.
        job: JobId,
        /// Its document.
        document: DocumentId,
        /// The document's name.
        name: SafeLine,
        /// The worker.
        worker: Option<SafeLine>,
    },
}

/// Something to be confirmed. Its targets do not move while it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirm {
    /// What is asked.
    pub title: String,
    /// What will happen, in sentences.
    pub lines: Vec<String>,
    /// The word on the button.
    pub verb: &'static str,
    /// What is done on yes.
    pub command: Command,
    /// The button that has the focus; Cancel at first.
    pub yes: bool,
}

/// One of several things to be done, or none. What they are about does not move while it is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is asked.
    pub title: String,
    /// What there is to know, in lines.
    pub lines: Vec<String>,
    /// The words on the buttons after Cancel, and what each does.
    pub choices: Vec<(String, Command)>,
    /// The button that has the focus; `None` is Cancel.
    pub chosen: Option<usize>,
}

impl Choice {
    /// The focus goes to the next button, or the one before, round and round.
    pub fn step(&mut self, forward: bool) {
        let buttons = self.choices.len() + 1;
        let place = self.chosen.map_or(0, |place| place + 1);
        self.chosen = ((place + if forward { 1 } else { buttons - 1 }) % buttons).checked_sub(1);
    }
}

/// What a bulk request would do, and whether to do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewDialog {
    /// Which question this is.
    pub generation: u64,
    /// What is asked for.
    pub verb: BulkVerb,
    /// Which documents, in words.
    pub which: SafeLine,
    /// How many were named, when they were.
    pub named: Option<usize>,
    /// What the store said, once it has.
    pub answer: Option<Result<Preview, SafeLine>>,
    /// The button that has the focus; Cancel at first.
    pub yes: bool,
}

impl PreviewDialog {
    /// The documents that would be acted on.
    pub fn targets(&self) -> &[DocumentId] {
        match &self.answer {
            Some(Ok(preview)) => &preview.targets,
            _ => &[],
        }
    }
}

variant_list! {
    /// How to end while jobs run.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum QuitChoice {
        /// Do not end.
        #[default]
        Stay,
        /// Finish what runs, then end.
        Drain,
        /// Release what runs and end.
        Leave,
    }
}

impl QuitChoice {
    /// The next, or the one before.
    pub fn step(self, forward: bool) -> Self {
        let place = Self::ALL.iter().position(|choice| *choice == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(place + if forward { 1 } else { len - 1 }) % len]
    }
}
