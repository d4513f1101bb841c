//! Completion of a filter while it is typed, from the words of the language.

use super::field::{Field, Subject};
use super::parse::NEVER;
use crate::domain::content::ContentChange;
use crate::domain::document::{DocumentKind, Status};
use crate::domain::failure::ErrorCode;
use crate::domain::faq::FaqState;
use crate::domain::job::QueueClass;
use crate::domain::outcome::OutcomeResult;

/// Word of filters for quarantined content of documents.
const REVIEW: &str = "review";

/// Returns the filters to which `typed` can be completed: the last term gets a field with its colon, or one of the
/// field's words. `hosts` are the words of the field of hosts, the best first.
pub fn completions<'a>(typed: &str, subject: Subject, hosts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let term_at = typed.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let term_at = term_at + usize::from(typed[term_at..].starts_with('-'));
    let term = &typed[term_at..];
    let (word_at, words) = match term.split_once(':') {
        None => (term_at, fields(subject)),
        Some((name, values)) => {
            let known = Field::parse(&name.to_ascii_lowercase()).filter(|field| field.check_subject(subject).is_ok());
            let value_at = values.rfind(',').map_or(0, |at| at + 1);
            (term_at + name.len() + 1 + value_at, known.map_or_else(Vec::new, |field| values_of(field, subject, hosts)))
        }
    };
    let (before, begun) = typed.split_at(word_at);
    let fits = words.into_iter().filter(|word| word.starts_with(begun));
    fits.map(|word| format!("{before}{word}")).collect()
}

fn fields(subject: Subject) -> Vec<String> {
    let applies = Field::ALL.into_iter().filter(|field| field.check_subject(subject).is_ok());
    applies.map(|field| format!("{}:", field.word())).collect()
}

/// Returns the words of a field; for an age a few usual ones, and none for a field whose values are free.
fn values_of<'a>(field: Field, subject: Subject, hosts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let words: Vec<&str> = match field {
        Field::Status => Status::ALL.map(Status::word).to_vec(),
        Field::Kind => DocumentKind::ALL.map(DocumentKind::word).to_vec(),
        Field::Faq => FaqState::ALL.map(FaqState::word).to_vec(),
        Field::Error => ErrorCode::ALL.map(ErrorCode::word).to_vec(),
        Field::Queue => QueueClass::ALL.map(QueueClass::word).to_vec(),
        Field::Result => OutcomeResult::ALL.map(OutcomeResult::word).to_vec(),
        Field::Content if subject == Subject::Documents => vec![REVIEW],
        Field::Content => ContentChange::words().chain([REVIEW]).collect(),
        Field::Attempted | Field::Synced | Field::Changed => vec!["<1h", "<1d", ">1d", ">1w", NEVER],
        Field::Next => vec!["<10m", "<1h", "<1d", NEVER],
        Field::Http => vec!["404", "403", "429", "500", "503"],
        Field::Host => hosts.collect(),
        Field::Cause | Field::Id | Field::Account | Field::Assistant | Field::Batch => Vec::new(),
        Field::By | Field::Worker => Vec::new(),
    };
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::filter::Filter;

    fn of(typed: &str) -> Vec<String> {
        completions(typed, Subject::Documents, ["docs.test", "a.test:8080", "do.test"].into_iter())
    }

    #[test]
    fn fields_words_and_lists_are_completed() {
        assert_eq!(of("sta"), ["status:"]);
        assert_eq!(of("-sta"), ["-status:"]);
        assert_eq!(of("status:fa"), ["status:failed"]);
        assert_eq!(of("docs -status:failed,st"), ["docs -status:failed,stuck", "docs -status:failed,stale"]);
        assert_eq!(of("content:"), ["content:review"]);
        assert_eq!(of("nonsense:"), [""; 0]);
        assert_eq!(of("by:"), [""; 0], "does not apply to documents");
        assert!(of("").contains(&"host:".to_owned()) && !of("").contains(&"result:".to_owned()));
        assert_eq!(of("host:do"), ["host:docs.test", "host:do.test"], "in the given order");
        assert_eq!(of("x host:a.test:80"), ["x host:a.test:8080"]);
        assert_eq!(completions("res", Subject::Outcomes, std::iter::empty()), ["result:"]);
    }

    #[test]
    fn every_completed_word_is_read_by_the_parser() {
        for subject in [Subject::Documents, Subject::Outcomes, Subject::Texts] {
            for field in completions("", subject, std::iter::empty()) {
                for filter in completions(&field, subject, ["docs.test", "a.test:8080"].into_iter()) {
                    assert!(Filter::parse_for(&filter, subject).is_ok(), "{filter}");
                }
            }
        }
    }
}
