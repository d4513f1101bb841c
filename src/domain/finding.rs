//! Findings of `quarterdeck doctor`: a fact, a verdict and a remedy. Every module that it examines returns these.

/// Verdict on a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, and somebody should know.
    Warn,
    /// Does not work.
    Fail,
    /// A service does not answer.
    Unreachable,
}

impl Verdict {
    /// The word for people and scripts.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail | Self::Unreachable => "fail",
        }
    }
}

/// A fact about the installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Subject in a word.
    pub check: &'static str,
    /// Verdict on it.
    pub verdict: Verdict,
    /// The fact in plain words. May quote untrusted text: made safe and masked where it is printed.
    pub says: String,
    /// Remedy.
    pub cure: Option<String>,
}

impl Finding {
    /// As it should be.
    pub fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Ok, says: says.into(), cure: None }
    }

    /// Works, and somebody should know.
    pub fn warn(check: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Warn, says: says.into(), cure: Some(cure.into()) }
    }

    /// Does not work.
    pub fn fail(check: &'static str, says: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fail, says: says.into(), cure: Some(cure.into()) }
    }

    /// From an error's message, whose cure stands last and after a semicolon, as everywhere in this program.
    pub fn of_message(check: &'static str, verdict: Verdict, message: &str) -> Self {
        let (says, cure) = match message.rsplit_once("; ") {
            Some((says, cure)) => (says.to_owned(), Some(cure.to_owned())),
            None => (message.to_owned(), None),
        };
        Self { check, verdict, says, cure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cure_of_a_message_is_what_stands_last() {
        let found = Finding::of_message("store", Verdict::Fail, "a: b; c is so; do d");
        assert_eq!((found.says.as_str(), found.cure.as_deref()), ("a: b; c is so", Some("do d")));
        assert_eq!(Finding::of_message("store", Verdict::Fail, "a: b").cure, None);
        assert_eq!(Verdict::Unreachable.word(), Verdict::Fail.word(), "the exit code tells them apart");
    }
}
