//! Prints a filter such that it parses to the same filter.

use super::parse::NEVER;
use super::span::print_span;
use super::{Age, Comparison, Filter, FilterCondition, Term};
use std::fmt::{self, Display, Formatter};

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, term) in self.terms.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            term.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("-")?;
        }
        self.condition.fmt(f)
    }
}

impl Display for FilterCondition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field() {
            write!(f, "{}:", field.word())?;
        }
        match self {
            Self::Word(word) if word_is_plain(word) => f.write_str(word),
            Self::Word(word) => quoted(f, word),
            Self::Status(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Kind(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Faq(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Error(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Http(values) => joined(f, values, |f, value| value.fmt(f)),
            Self::Cause(values) => joined(f, values, |f, value| value.fmt(f)),
            Self::Host(values) | Self::By(values) | Self::Worker(values) => joined(f, values, |f, value| {
                // A comma would separate values, and `by://` would be read as a URL.
                let plain = is_plain(value) && !value.contains(',') && !value.starts_with("//");
                if plain { f.write_str(value) } else { quoted(f, value) }
            }),
            Self::Id(values) | Self::Account(values) | Self::Assistant(values) | Self::Batch(values) => {
                joined(f, values, |f, value| value.fmt(f))
            }
            Self::Attempted(age) | Self::Synced(age) | Self::Changed(age) | Self::Next(age) => age.fmt(f),
            Self::Queue(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Content(values) => joined(f, values, |f, value| f.write_str(value.word())),
            Self::Result(values) => joined(f, values, |f, value| f.write_str(value.word())),
        }
    }
}

impl Display for Age {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let side = match self.comparison {
            Comparison::Less => '<',
            Comparison::More => '>',
            Comparison::Never => return f.write_str(NEVER),
        };
        write!(f, "{side}{}", print_span(self.span))
    }
}

fn joined<T>(
    f: &mut Formatter<'_>,
    values: &[T],
    print: impl Fn(&mut Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        print(f, value)?;
    }
    Ok(())
}

fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c == '"')
}

/// Returns true if a free word needs no quotes to be read back as a free word.
fn word_is_plain(word: &str) -> bool {
    is_plain(word) && !word.starts_with('-') && super::parse::field_prefix(word).is_none()
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
