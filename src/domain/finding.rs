//! Findings of `quarterdeck doctor`: a fact, its verdict and a remedy. Every module that the command examines returns
//! these.

/// Verdict on a fact, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckStatus {
    /// The fact is as it should be.
    Ok,
    /// The subject works, but deserves attention.
    Warn,
    /// The subject does not work.
    Fail,
    /// A service does not respond.
    Unreachable,
}

impl CheckStatus {
    /// Returns the word for people and scripts; an unreachable service is also a `fail`, and only the exit code
    /// distinguishes the two.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail | Self::Unreachable => "fail",
        }
    }
}

/// Fact about the installation, with its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Subject of the check, in a word or two.
    pub check: &'static str,
    pub status: CheckStatus,
    /// Fact in plain words. It may quote untrusted text, which the printer makes safe and masks.
    pub message: String,
    /// Action that resolves the problem; `None` without a problem or a known action.
    pub remedy: Option<String>,
}

impl Finding {
    /// Creates a finding with the verdict [`CheckStatus::Ok`].
    pub fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, status: CheckStatus::Ok, message: message.into(), remedy: None }
    }

    /// Creates a finding with the verdict [`CheckStatus::Warn`] and a remedy.
    pub fn warn(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, status: CheckStatus::Warn, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// Creates a finding with the verdict [`CheckStatus::Fail`] and a remedy.
    pub fn fail(check: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, status: CheckStatus::Fail, message: message.into(), remedy: Some(remedy.into()) }
    }

    /// Creates a finding from an error message of this program, which ends in a semicolon and the remedy if there is
    /// one.
    pub fn of_message(check: &'static str, status: CheckStatus, message: &str) -> Self {
        let (text, remedy) = match message.rsplit_once("; ") {
            Some((text, remedy)) => (text.to_owned(), Some(remedy.to_owned())),
            None => (message.to_owned(), None),
        };
        Self { check, status, message: text, remedy }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_of_a_message_is_what_stands_last() {
        let found = Finding::of_message("store", CheckStatus::Fail, "a: b; c is so; do d");
        assert_eq!((found.message.as_str(), found.remedy.as_deref()), ("a: b; c is so", Some("do d")));
        assert_eq!(Finding::of_message("store", CheckStatus::Fail, "a: b").remedy, None);
        assert_eq!(CheckStatus::Unreachable.word(), CheckStatus::Fail.word(), "the exit code tells them apart");
    }
}
