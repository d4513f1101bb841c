//! Filters that a prompt offers again, and completions of the term that is typed.

use super::Model;
use super::overlay::Prompt;
use super::saved_filters::SIGN;
use crate::domain::filter::{Subject, completions};
use crate::store::HostSummary;
use std::cmp::Reverse;

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

/// Returns the texts to which the filter typed in `prompt` can be completed; none for a recalled text, for other prompts,
/// and while the text cursor is within the text.
pub fn suggestions(model: &Model, prompt: &Prompt) -> Vec<String> {
    let Some(subject) = prompt.kind.subject() else { return Vec::new() };
    let text = prompt.input.value();
    let is_at_end = prompt.input.cursor() == text.chars().count();
    if prompt.is_recalled || text.is_empty() || !is_at_end {
        return Vec::new();
    }
    let offered = if subject == Subject::Documents { model.saved_filters.offered(text) } else { Vec::new() };
    if !offered.is_empty() {
        return offered.into_iter().map(|(name, _)| format!("{SIGN}{name}")).collect();
    }
    let mut hosts: Vec<&HostSummary> = model.views.hosts.data.rows.iter().collect();
    hosts.sort_by_key(|host| Reverse(host.documents));
    let hosts = hosts.into_iter().map(|host| host.host.as_str()).filter(|host| !host.is_empty());
    completions(text, subject, hosts).into_iter().filter(|whole| whole != text).collect()
}

/// Returns true if the last term of `text` names hosts, so that they must be known to complete it.
pub fn names_hosts(text: &str) -> bool {
    let term = text.rsplit(char::is_whitespace).next().unwrap_or_default();
    term.trim_start_matches('-').split_once(':').is_some_and(|(field, _)| field.eq_ignore_ascii_case("host"))
}
