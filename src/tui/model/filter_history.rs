//! Filters that a prompt offers again, and completions of the term that is typed.

use super::overlay::Prompt;
use super::saved_filters::{SIGN, SavedFilters};
use crate::domain::filter::{Subject, completions};

/// Maximum number of filters that are remembered of each kind.
const MAX_REMEMBERED: usize = 50;

/// Filters that the person has used in this console, the latest last.
#[derive(Debug, Default)]
pub struct FilterHistory {
    documents: Vec<String>,
    outcomes: Vec<String>,
}

impl FilterHistory {
    /// Returns the filters of a kind, the latest last.
    pub fn of(&self, subject: Subject) -> &[String] {
        if subject == Subject::Documents { &self.documents } else { &self.outcomes }
    }

    /// Remembers a filter as the latest one of its kind.
    pub fn remember(&mut self, subject: Subject, text: &str) {
        let filters = if subject == Subject::Documents { &mut self.documents } else { &mut self.outcomes };
        if text.is_empty() {
            return;
        }
        filters.retain(|filter| filter != text);
        filters.push(text.to_owned());
        if filters.len() > MAX_REMEMBERED {
            filters.remove(0);
        }
    }
}

/// Position among the remembered filters.
#[derive(Debug)]
pub struct Recall {
    pub at: usize,
    /// The text before the first step back.
    pub typed: String,
}

/// Returns the texts to which the typed filter can be completed; none for a recalled text, for other prompts, and while
/// the text cursor is within the text.
pub fn suggestions(prompt: &Prompt, saved: &SavedFilters) -> Vec<String> {
    let Some(subject) = prompt.kind.subject() else { return Vec::new() };
    let text = prompt.input.value();
    let is_at_end = prompt.input.cursor() == text.chars().count();
    if prompt.is_recalled || text.is_empty() || !is_at_end {
        return Vec::new();
    }
    let offered = if subject == Subject::Documents { saved.offered(text) } else { Vec::new() };
    if !offered.is_empty() {
        return offered.into_iter().map(|(name, _)| format!("{SIGN}{name}")).collect();
    }
    completions(text, subject).into_iter().filter(|whole| whole != text).collect()
}
