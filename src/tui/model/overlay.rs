//! Overlays, drawn over the screen one at a time: dialogs, prompts (a line that the person types), readers (scrollable
//! texts) and the palette (a search of all actions).

use super::filter_history::Recall;
use crate::domain::filter::{Filter, FilterError, Subject};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::text::SafeLine;
use crate::domain::word_enum::variant_list;
use crate::format;
use crate::store::{BulkVerb, Preview};
use crate::tui::command::Command;
use crate::tui::scope::KeyScope;
use crate::tui::views::documents::marks::HiddenMarks;
use tui_input::Input;

/// The open overlay. The number in a variant is the reader's scroll position: the index of the first line shown.
#[derive(Debug)]
pub enum Overlay {
    Help(usize),
    Activity(usize),
    Workers(usize),
    /// Everything known about the host or account under the cursor.
    About(usize),
    /// The explanation of a document's text.
    Why(usize),
    /// Search of all actions by name.
    Palette(Palette),
    /// A line that the person types.
    Prompt(Prompt),
    /// The choice of the sort column, by its letter.
    Sort,
    /// The choice of the columns of the document list. The number is the index of the row under its cursor.
    Columns(usize),
    /// The list of batches. The number is the index of the row under its cursor.
    Batches(usize),
    Confirm(ConfirmDialog),
    Choice(ChoiceDialog),
    Preview(Box<PreviewDialog>),
    /// The choice of how to end the console while jobs run.
    Quit(QuitChoice),
}

impl Overlay {
    /// Returns the scope that interprets keys while this overlay is open.
    pub const fn scope(&self) -> KeyScope {
        match self {
            Self::Help(_)
            | Self::Activity(_)
            | Self::Workers(_)
            | Self::About(_)
            | Self::Why(_)
            | Self::Sort
            | Self::Columns(_)
            | Self::Batches(_) => KeyScope::Reader,
            Self::Palette(_) => KeyScope::Palette,
            Self::Prompt(_) => KeyScope::Prompt,
            Self::Confirm(_) | Self::Choice(_) | Self::Preview(_) | Self::Quit(_) => KeyScope::Dialog,
        }
    }

    /// Returns the scroll position, if this overlay is a reader.
    pub const fn scroll_mut(&mut self) -> Option<&mut usize> {
        match self {
            Self::Help(scroll)
            | Self::Activity(scroll)
            | Self::Workers(scroll)
            | Self::About(scroll)
            | Self::Why(scroll) => Some(scroll),
            _ => None,
        }
    }
}

/// Search of all actions by name.
#[derive(Debug, Default)]
pub struct Palette {
    /// The text to search for.
    pub input: Input,
    /// Index of the selected row.
    pub selected: usize,
}

/// Maximum number of characters that a person types into a line, which is that of a URL in bytes. More are not taken:
/// each key costs as much as the text is long, and a key that is held down types without an end.
const TEXT_LIMIT: usize = 8_192;

/// Returns the number of characters that a typed text may still take.
pub fn characters_left(input: &Input) -> usize {
    TEXT_LIMIT.saturating_sub(input.value().chars().count())
}

/// A line that the person types.
#[derive(Debug)]
pub struct Prompt {
    pub kind: PromptKind,
    pub input: Input,
    /// The mistake found in the text; `None` if none has been found. A URL and a confirmation are checked only when the
    /// person submits them.
    pub problem: Option<InputError>,
    /// The text was submitted with its mistake. Until then a word that can be completed is no mistake to the person.
    pub is_refused: bool,
    /// The text is that of an earlier filter and nothing was typed yet: what is typed replaces it.
    pub is_recalled: bool,
    /// Set while an earlier filter stands in place of the typed text.
    pub recall: Option<Recall>,
}

impl Prompt {
    /// Returns a prompt with the text of an earlier filter, or none.
    pub fn new(kind: PromptKind, text: &str) -> Self {
        let input = Input::new(text.to_owned());
        Self { kind, input, problem: None, is_refused: false, is_recalled: !text.is_empty(), recall: None }
    }
}

/// A mistake in typed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputError {
    /// Byte offset of the mistake in the text; `None` if the text as a whole is wrong.
    pub at: Option<usize>,
    pub reason: SafeLine,
}

impl From<FilterError> for InputError {
    fn from(error: FilterError) -> Self {
        Self { at: Some(error.at), reason: SafeLine::new(&error.message) }
    }
}

/// The purpose of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// The filter of the document list. Contains the previous filter and its text, which Escape restores.
    Filter(Filter, String),
    /// The search in the outcome panel. Contains the previous search text, which Escape restores.
    Search(String),
    /// The filter of the outcome panel. Contains the previous filter and its text, which Escape restores.
    Outcomes(Filter, String),
    Add,
    /// The name under which this filter of documents is saved.
    SaveFilter(String),
    /// The id of the document whose job's lease is to be broken, typed as a confirmation.
    BreakLease {
        job: JobId,
        document: DocumentId,
        name: SafeLine,
        /// Name of the worker that has the lease, if it is known.
        worker: Option<SafeLine>,
    },
    /// The number of documents to remove, typed as a confirmation. The documents are fixed when the prompt opens.
    Remove(Vec<DocumentId>),
}

impl PromptKind {
    /// Returns what the typed filter is about; `None` for a prompt that is no filter.
    pub const fn subject(&self) -> Option<Subject> {
        match self {
            Self::Filter(..) => Some(Subject::Documents),
            Self::Outcomes(..) => Some(Subject::Outcomes),
            Self::Search(_) | Self::Add | Self::SaveFilter(_) | Self::BreakLease { .. } | Self::Remove(_) => None,
        }
    }
}

/// A yes-or-no question about a command. The command and its documents are fixed when the dialog opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmDialog {
    pub title: String,
    /// The command's consequences, in sentences.
    pub lines: Vec<String>,
    /// Label of the button that confirms.
    pub verb: &'static str,
    pub command: Command,
    /// True if the confirming button has the focus, false if the button "Keep" has it, as at first.
    pub yes_focused: bool,
}

/// A choice between several commands, which are fixed when the dialog opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChoiceDialog {
    pub title: String,
    pub lines: Vec<String>,
    /// Label and command of each button after the first, which is "Keep" and changes nothing.
    pub choices: Vec<(String, Command)>,
    /// Index in `choices` of the focused button; `None` if the button "Keep" has the focus.
    pub focused: Option<usize>,
}

impl ChoiceDialog {
    /// Moves the focus to the next button, or if not `forward` to the previous one, with wrap-around.
    pub fn step(&mut self, forward: bool) {
        let buttons = self.choices.len() + 1;
        let index = self.focused.map_or(0, |index| index + 1);
        self.focused = ((index + if forward { 1 } else { buttons - 1 }) % buttons).checked_sub(1);
    }
}

/// The preview of a bulk request, with a button that runs the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewDialog {
    /// Identifies the request for the preview; an answer with another number is dropped.
    pub generation: u64,
    pub verb: BulkVerb,
    /// Description of the selected documents: the filter's text, `every document` for an empty filter, or the number of
    /// marked documents.
    pub selection_text: SafeLine,
    /// Number of marked documents; `None` when a filter selects the documents.
    pub marked_count: Option<usize>,
    /// How many of the marked documents were not in the list when the dialog opened.
    pub hidden_marks: HiddenMarks,
    /// The store's answer, once it has arrived.
    pub answer: Option<Result<Preview, SafeLine>>,
    /// True if each page that is fetched costs a credit of Firecrawl.
    pub costs_credits: bool,
    /// True if the confirming button has the focus, false if the button "Keep" has it, as at first.
    pub yes_focused: bool,
}

impl PreviewDialog {
    /// Returns the text of the filter that selects the documents, empty for every document; `None` if they are marked.
    pub fn filter(&self) -> Option<SafeLine> {
        let text = self.selection_text.as_str();
        self.marked_count.is_none().then(|| SafeLine::new(if text == format::EVERY_DOCUMENT { "" } else { text }))
    }

    /// Returns the documents that the request would affect; none before the answer has arrived, or if it is an error.
    pub fn targets(&self) -> &[DocumentId] {
        match &self.answer {
            Some(Ok(preview)) => &preview.targets,
            _ => &[],
        }
    }
}

variant_list! {
    /// The choice of how to end the console while jobs run.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum QuitChoice {
        /// Keep the console open.
        #[default]
        Stay,
        /// Finish the running jobs, then end.
        Drain,
        /// Put the running jobs back in the queue and end.
        Leave,
    }
}

impl QuitChoice {
    /// Returns the next choice, or if not `forward` the previous one, with wrap-around.
    pub fn step(self, forward: bool) -> Self {
        let index = Self::ALL.iter().position(|choice| *choice == self).unwrap_or(0);
        let len = Self::ALL.len();
        Self::ALL[(index + if forward { 1 } else { len - 1 }) % len]
    }
}
