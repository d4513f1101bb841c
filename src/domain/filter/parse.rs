//! Parser of the filter language.
//!
//! ```text
//! filter = { term }                      terms are separated by white space and must all match
//! term   = ["-"] ( field ":" values | text )
//! values = text { "," text }             a comma means or; ages take one value
//! text   = characters up to white space; within "…" white space and commas are characters like others,
//!          \" and \\ stand for " and \
//! ```
//!
//! Letters before a colon are a field, unless `//` follows: a URL can be typed without quotes.

use super::field::{Field, Subject};
use super::span::parse_span;
use super::{Age, Comparison, Filter, FilterCondition, FilterError, Term};
use crate::domain::content::ContentChange;
use crate::domain::document::{DocumentKind, Status};
use crate::domain::failure::ErrorCode;
use crate::domain::failure_cause::FailureCause;
use crate::domain::faq::FaqState;
use crate::domain::job::QueueClass;
use crate::domain::outcome::OutcomeResult;
use crate::domain::suggest::nearest;
use crate::domain::text::SafeLine;
use std::time::Duration;

impl Filter {
    /// Reads a filter in which every field is allowed. A blank text is the filter that matches everything.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        Reader { text, at: 0, values: 0 }.filter(None)
    }

    /// Reads a filter, and refuses a field that does not apply to `subject`; the error has the field's position.
    pub fn parse_for(text: &str, subject: Subject) -> Result<Self, FilterError> {
        Reader { text, at: 0, values: 0 }.filter(Some(subject))
    }
}

/// The console's words for effects on the content, each with the stored one.
const CONTENT_WORDS: [(&str, ContentChange); 3] = [
    ("review", ContentChange::Quarantined),
    ("needs_review", ContentChange::Quarantined),
    ("first_content", ContentChange::First),
];

type IsInGroup = fn(OutcomeResult) -> bool;

/// The console's words for results that it does not distinguish. `failed` is the end of a document's job, and `gave_up`
/// the end after retries.
const RESULT_GROUPS: [(&str, IsInGroup); 3] = [
    ("failed", OutcomeResult::fails_for_good),
    ("gave_up", OutcomeResult::is_exhaustion),
    ("retrying", |result| matches!(result, OutcomeResult::TransientFailure | OutcomeResult::UnexpectedFailure)),
];

/// The value of an age for a time that does not exist.
pub(super) const NEVER: &str = "never";
/// Maximum number of terms: a database refuses much larger conditions.
const MAX_TERMS: usize = 200;
/// Maximum number of values of all terms together, for the same reason.
const MAX_VALUES: usize = 5_000;
/// Maximum number of hosts of a term: each is a condition of its own.
const MAX_HOSTS: usize = 500;

/// Returns the letters before a colon at the start of `text` if they are written like a field (known or not).
pub(super) fn field_prefix(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphabetic() || c == '_'))?;
    let is_field = end > 0 && text[end..].starts_with(':') && !text[end..].starts_with("://");
    is_field.then(|| &text[..end])
}

/// Value of a term, and its byte offset in the text.
struct Value {
    at: usize,
    text: String,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Number of values read so far.
    values: usize,
}

impl<'a> Reader<'a> {
    fn filter(mut self, subject: Option<Subject>) -> Result<Filter, FilterError> {
        let mut terms = Vec::new();
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if self.rest().is_empty() {
                return Ok(Filter { terms });
            }
            if terms.len() == MAX_TERMS {
                return error(self.at, format!("a filter has at most {MAX_TERMS} terms"));
            }
            terms.push(self.term(subject)?);
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn term(&mut self, subject: Option<Subject>) -> Result<Term, FilterError> {
        let start = self.at;
        let negated = self.rest().starts_with('-');
        self.at += usize::from(negated);
        let Some(word) = field_prefix(self.rest()) else {
            let value = self.value(false)?;
            return match value.text.is_empty() {
                true if negated && value.at == self.at => error(start, "there is nothing after this -"),
                true => error(value.at, "there is nothing between these quotes"),
                false => Ok(Term { negated, condition: FilterCondition::Word(value.text) }),
            };
        };
        let at = self.at;
        let Some(field) = Field::parse(&word.to_ascii_lowercase()) else {
            let hint = match nearest(word, Field::ALL.map(Field::word)) {
                Some(suggestion) => format!("did you mean {suggestion}?"),
                None => "put the term in quotes to look for it as text".to_owned(),
            };
            return error(at, format!("unknown field \"{word}\" ({hint})"));
        };
        if let Some(Err(message)) = subject.map(|subject| field.check_subject(subject)) {
            return error(at, message);
        }
        self.at += word.len() + 1;
        let mut values = vec![self.value(true)?];
        while self.rest().starts_with(',') {
            if field == Field::Host && values.len() == MAX_HOSTS {
                return error(self.at, format!("a term has at most {MAX_HOSTS} hosts"));
            }
            if self.values == MAX_VALUES {
                return error(self.at, format!("a filter has at most {MAX_VALUES} values"));
            }
            self.at += 1;
            values.push(self.value(true)?);
        }
        Ok(Term { negated, condition: test(field, values)? })
    }

    /// Reads a value up to white space outside quotes; with `several`, also up to a comma.
    fn value(&mut self, several: bool) -> Result<Value, FilterError> {
        self.values += 1;
        let at = self.at;
        let mut text = String::new();
        let mut quote = None;
        let mut chars = self.rest().char_indices().peekable();
        let mut end = self.text.len();
        while let Some((offset, c)) = chars.next() {
            match c {
                '"' if quote.is_some() => quote = None,
                '"' => quote = Some(at + offset),
                '\\' if quote.is_some() && chars.peek().is_some_and(|(_, next)| matches!(next, '"' | '\\')) => {
                    text.extend(chars.next().map(|(_, escaped)| escaped));
                }
                c if quote.is_none() && (c.is_whitespace() || (several && c == ',')) => {
                    end = at + offset;
                    break;
                }
                c => text.push(c),
            }
        }
        match quote {
            Some(open) => error(open, "this quote is not closed"),
            None => {
                self.at = end;
                Ok(Value { at, text })
            }
        }
    }
}

fn test(field: Field, values: Vec<Value>) -> Result<FilterCondition, FilterError> {
    Ok(match field {
        Field::Status => FilterCondition::Status(words(field, values, Status::parse, &Status::ALL.map(Status::word))?),
        Field::Kind => FilterCondition::Kind(words(
            field,
            values,
            DocumentKind::parse,
            &DocumentKind::ALL.map(DocumentKind::word),
        )?),
        Field::Faq => FilterCondition::Faq(words(field, values, FaqState::parse, &FaqState::ALL.map(FaqState::word))?),
        Field::Error => {
            FilterCondition::Error(words(field, values, ErrorCode::parse, &ErrorCode::ALL.map(ErrorCode::word))?)
        }
        Field::Queue => {
            FilterCondition::Queue(words(field, values, QueueClass::parse, &QueueClass::ALL.map(QueueClass::word))?)
        }
        Field::Result => {
            let words_of = OutcomeResult::ALL.map(OutcomeResult::word);
            let names: Vec<_> = words_of.into_iter().chain(RESULT_GROUPS.map(|(name, _)| name)).collect();
            let read = |word: &str| {
                let group = RESULT_GROUPS.iter().find(|(name, _)| *name == word).map(|(_, is_in)| *is_in);
                match group {
                    Some(is_in) => Some(OutcomeResult::ALL.into_iter().filter(|result| is_in(*result)).collect()),
                    None => OutcomeResult::parse(word).map(|result| vec![result]),
                }
            };
            let groups: Vec<Vec<OutcomeResult>> = words(field, values, read, &names)?;
            FilterCondition::Result(groups.into_iter().flatten().collect())
        }
        Field::Content => {
            let known: Vec<_> = ContentChange::words().collect();
            let read = |word: &str| {
                let shown = CONTENT_WORDS.iter().find(|(shown, _)| *shown == word).map(|(_, stored)| *stored);
                shown.or_else(|| ContentChange::parse(word))
            };
            FilterCondition::Content(words(field, values, read, &known)?)
        }
        Field::Http => FilterCondition::Http(each(field, values, "a status from 100 to 599", |text| {
            let status = digits(text)?;
            u16::try_from(status).ok().filter(|status| (100..=599).contains(status))
        })?),
        Field::Cause => {
            let wanted = "a cause as the console's failures view shows it";
            FilterCondition::Cause(each(field, values, wanted, FailureCause::parse)?)
        }
        Field::Id => FilterCondition::Id(each(field, values, "a number", digits)?),
        Field::Account => FilterCondition::Account(each(field, values, "a number", digits)?),
        Field::Assistant => FilterCondition::Assistant(each(field, values, "a number", digits)?),
        Field::Batch => FilterCondition::Batch(each(field, values, "the number of a batch", digits)?),
        Field::Host => FilterCondition::Host(each(field, values, "a host", |text| Some(text.to_ascii_lowercase()))?),
        Field::By => FilterCondition::By(each(field, values, "a name", |text| Some(text.to_owned()))?),
        Field::Worker => FilterCondition::Worker(each(field, values, "a worker", |text| Some(text.to_owned()))?),
        Field::Attempted => FilterCondition::Attempted(age(field, values)?),
        Field::Synced => FilterCondition::Synced(age(field, values)?),
        Field::Changed => FilterCondition::Changed(age(field, values)?),
        Field::Next => FilterCondition::Next(age(field, values)?),
    })
}

fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Reads every value with `read`; `wanted` describes a valid value in the error.
fn each<T>(
    field: Field,
    values: Vec<Value>,
    wanted: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, FilterError> {
    let read = |value: Value| match read(&value.text).filter(|_| !value.text.is_empty()) {
        Some(read) => Ok(read),
        None if value.text.is_empty() => error(value.at, format!("{}: needs {wanted} here", field.word())),
        None => error(value.at, format!("{}: needs {wanted}, not \"{}\"", field.word(), value.text)),
    };
    values.into_iter().map(read).collect()
}

/// Reads every value with `read`, which accepts the words in `known`.
fn words<T>(
    field: Field,
    values: Vec<Value>,
    read: impl Fn(&str) -> Option<T>,
    known: &[&'static str],
) -> Result<Vec<T>, FilterError> {
    // The screen writes the words with spaces, which are possible here in quotes.
    let read = |value: Value| match read(&value.text.to_ascii_lowercase().replace(' ', "_")) {
        Some(read) => Ok(read),
        None if value.text.is_empty() => {
            error(value.at, format!("{}: needs one of {} here", field.word(), known.join(", ")))
        }
        None => {
            let hint = match nearest(&value.text, known.iter().copied()) {
                Some(suggestion) => format!("did you mean {suggestion}?"),
                None => format!("known: {}", known.join(", ")),
            };
            error(value.at, format!("unknown {} \"{}\" ({hint})", field.word(), value.text))
        }
    };
    values.into_iter().map(read).collect()
}

/// Reads the single value of a comparison with a time span.
fn age(field: Field, mut values: Vec<Value>) -> Result<Age, FilterError> {
    let name = field.word();
    if let Some(second) = values.get(1) {
        return error(second.at, format!("{name}: takes one span of time"));
    }
    let Some(Value { at, text }) = values.pop() else {
        return error(0, format!("{name}: needs a span of time"));
    };
    if text.eq_ignore_ascii_case(NEVER) {
        return Ok(Age { comparison: Comparison::Never, span: Duration::ZERO });
    }
    let (comparison, span) = match (text.strip_prefix('<'), text.strip_prefix('>')) {
        (Some(span), _) => (Comparison::Less, span),
        (_, Some(span)) => (Comparison::More, span),
        _ => return error(at, format!("{name}: needs < or > and a span of time, such as {name}:<1h or {name}:>2d")),
    };
    match parse_span(span) {
        Some(span) => Ok(Age { comparison, span }),
        None => error(at, format!("{name}: \"{span}\" is not a span of time such as 90m, 2d or 1w")),
    }
}

/// Builds an error. The message may quote typed text and is printed on a terminal, so it is made safe here.
fn error<T>(at: usize, message: impl AsRef<str>) -> Result<T, FilterError> {
    Err(FilterError { at, message: SafeLine::new(message.as_ref()).to_string() })
}
