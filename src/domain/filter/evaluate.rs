//! Evaluation of a filter on a row. The store's SQL evaluates the same terms; a test compares the two.
//!
//! An unknown value matches no condition except `>` of a time span, which includes "never". So the negation of the
//! others holds: `-http:503` also selects documents without a failure.

use super::{Age, Comparison, Filter, FilterCondition, Term, status_of_word};
use crate::domain::content::ContentChange;
use crate::domain::document::DocumentRow;
use crate::domain::failure_cause::FailureCause;
use crate::domain::link::{ascii_host, host_of};
use crate::domain::outcome::Outcome;
use crate::domain::text_change::TextOwner;
use crate::domain::time::Timestamp;

impl Filter {
    /// Returns true if a document matches every term. A term about batches matches none, since a row does not name them,
    /// and neither does one about outcomes; [`check`](Self::check) refuses those.
    pub fn matches(&self, row: &DocumentRow, now: Timestamp) -> bool {
        self.all(|condition| match condition {
            FilterCondition::Word(word) => {
                contains(&row.name, word) || contains(&row.url, word) || has_failure_with(row, word)
            }
            FilterCondition::Status(values) => values.contains(&row.status),
            FilterCondition::Kind(values) => values.contains(&row.kind),
            FilterCondition::Faq(values) => row.faqs.as_ref().is_some_and(|faqs| values.contains(&faqs.state)),
            FilterCondition::Error(values) => row.error_code.is_some_and(|code| values.contains(&code)),
            FilterCondition::Http(values) => row.http_status.is_some_and(|status| values.contains(&status)),
            FilterCondition::Cause(values) => row.error_code.is_some_and(|code| {
                let cause = FailureCause::of(code, row.http_status, row.detail.as_deref(), &row.host);
                values.contains(&cause)
            }),
            FilterCondition::Host(values) => is_one_of_hosts(&row.host, values),
            FilterCondition::Id(values) => values.contains(&row.id.0),
            FilterCondition::Account(values) => values.contains(&row.account_id.0),
            FilterCondition::Assistant(values) => values.contains(&row.assistant_id.0),
            FilterCondition::Attempted(age) => age.of_past(row.attempted_at, now),
            FilterCondition::Synced(age) => age.of_past(row.synced_at, now),
            FilterCondition::Changed(age) => age.of_past(row.changed_at, now),
            FilterCondition::Next(age) => age.of_future(row.next_attempt_at, now),
            FilterCondition::Queue(values) => row.queue.is_some_and(|class| values.contains(&class)),
            FilterCondition::Content(values) => {
                let is_quarantined = row.quarantine_reason.is_some() && values.contains(&ContentChange::Quarantined);
                is_quarantined || row.last_content.is_some_and(|last| has_word(values, last))
            }
            FilterCondition::Batch(_)
            | FilterCondition::Result(_)
            | FilterCondition::By(_)
            | FilterCondition::Worker(_) => false,
        })
    }

    /// Returns true if an outcome matches every term; free words are searched in the outcome's detail, too. Terms about
    /// documents match no outcome; [`check`](Self::check) refuses them. `_now` is reserved for fields that will need
    /// the time.
    pub fn matches_outcome(&self, outcome: &Outcome, _now: Timestamp) -> bool {
        self.all(|condition| match condition {
            FilterCondition::Word(word) => {
                contains(&outcome.name, word)
                    || contains(&outcome.url, word)
                    || outcome.detail.as_ref().is_some_and(|detail| contains(detail, word))
                    || is_status(outcome.http_status, word)
            }
            FilterCondition::Error(values) => outcome.error_code.is_some_and(|code| values.contains(&code)),
            FilterCondition::Http(values) => outcome.http_status.is_some_and(|status| values.contains(&status)),
            FilterCondition::Host(values) => host_of(&outcome.url).is_some_and(|host| is_one_of_hosts(&host, values)),
            FilterCondition::Id(values) => values.contains(&outcome.document_id.0),
            FilterCondition::Account(values) => values.contains(&outcome.account_id.0),
            FilterCondition::Assistant(values) => values.contains(&outcome.assistant_id.0),
            FilterCondition::Queue(values) => values.contains(&outcome.queue),
            FilterCondition::Result(values) => values.contains(&outcome.result),
            FilterCondition::Content(values) => outcome.content.is_some_and(|content| has_word(values, content)),
            FilterCondition::By(values) => outcome
                .requested_by
                .as_ref()
                .is_some_and(|by| values.iter().any(|value| by.eq_ignore_ascii_case(value))),
            FilterCondition::Worker(values) => {
                outcome.worker.as_ref().is_some_and(|worker| values.iter().any(|value| **worker == *value))
            }
            FilterCondition::Status(_)
            | FilterCondition::Kind(_)
            | FilterCondition::Faq(_)
            | FilterCondition::Cause(_)
            | FilterCondition::Attempted(_)
            | FilterCondition::Synced(_)
            | FilterCondition::Changed(_)
            | FilterCondition::Next(_)
            | FilterCondition::Batch(_) => false,
        })
    }

    /// Returns true if the document of a text, which may be gone, matches every term. Other terms than those of
    /// [`Subject::Texts`](super::Subject::Texts) match none.
    pub fn matches_owner(&self, owner: &TextOwner) -> bool {
        self.all(|condition| match condition {
            FilterCondition::Word(word) => contains(&owner.name, word) || contains(&owner.url, word),
            FilterCondition::Host(values) => host_of(&owner.url).is_some_and(|host| is_one_of_hosts(&host, values)),
            FilterCondition::Id(values) => values.contains(&owner.document_id.0),
            FilterCondition::Account(values) => values.contains(&owner.account_id.0),
            FilterCondition::Assistant(values) => values.contains(&owner.assistant_id.0),
            _ => false,
        })
    }

    fn all(&self, matches: impl Fn(&FilterCondition) -> bool) -> bool {
        self.terms.iter().all(|Term { negated, condition }| matches(condition) != *negated)
    }
}

impl Age {
    fn of_past(self, at: Option<Timestamp>, now: Timestamp) -> bool {
        let edge = now.minus(self.span);
        match self.comparison {
            Comparison::Less => at.is_some_and(|at| at > edge),
            Comparison::More => at.is_none_or(|at| at < edge),
            Comparison::Never => at.is_none(),
        }
    }

    fn of_future(self, at: Option<Timestamp>, now: Timestamp) -> bool {
        let edge = now.plus(self.span);
        match self.comparison {
            Comparison::Less => at.is_some_and(|at| at < edge),
            Comparison::More => at.is_none_or(|at| at > edge),
            Comparison::Never => at.is_none(),
        }
    }
}

/// Returns true if one of `values` has the word of `content`, which two of them share.
fn has_word(values: &[ContentChange], content: ContentChange) -> bool {
    values.iter().any(|value| value.word() == content.word())
}

/// Returns true if the document's last failure contains the word.
fn has_failure_with(row: &DocumentRow, word: &str) -> bool {
    row.error_code.is_some_and(|code| {
        contains(code.word(), word)
            || row.detail.as_ref().is_some_and(|detail| contains(detail, word))
            || is_status(row.http_status, word)
    })
}

fn is_status(status: Option<u16>, word: &str) -> bool {
    status.is_some() && status == status_of_word(word)
}

fn contains(text: &str, word: &str) -> bool {
    text.to_ascii_lowercase().contains(&word.to_ascii_lowercase())
}

/// Returns true if `host` is one of `values`, which are written with or without a port.
fn is_one_of_hosts(host: &str, values: &[String]) -> bool {
    let is_port = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let name = host.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(host, |(name, _)| name);
    let is_same = |value: &str| host.eq_ignore_ascii_case(value) || name.eq_ignore_ascii_case(value);
    values.iter().any(|value| if value.is_ascii() { is_same(value) } else { is_same(&ascii_host(value)) })
}
