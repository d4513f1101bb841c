//! Pauses: accounts, hosts, queue classes or everything that a person stopped for now. Their jobs are not claimed; a
//! job that is already running continues to its end.

use super::id::AccountId;
use super::job::QueueClass;
use super::text::SafeLine;
use super::time::Timestamp;
use std::fmt;

/// Scope of a pause.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PauseScope {
    All,
    Account(AccountId),
    /// Jobs of a host, which is written as in a job: lower case, with the port if it is not the scheme's default.
    Host(String),
    Class(QueueClass),
}

impl PauseScope {
    /// Returns the store's word for the kind of scope.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Account(_) => "account",
            Self::Host(_) => "host",
            Self::Class(_) => "class",
        }
    }

    /// Returns the store's key within the kind; empty for [`PauseScope::All`].
    pub fn key(&self) -> String {
        match self {
            Self::All => String::new(),
            Self::Account(id) => id.0.to_string(),
            Self::Host(host) => host.clone(),
            Self::Class(class) => class.word().to_owned(),
        }
    }

    /// Returns true if the pause stops a job of this account, host and class. Without a class, no pause of a class
    /// applies.
    pub fn covers(&self, account: AccountId, host: &str, class: Option<QueueClass>) -> bool {
        match self {
            Self::All => true,
            Self::Account(id) => *id == account,
            Self::Host(name) => name == host,
            Self::Class(of) => Some(*of) == class,
        }
    }

    /// Reads kind and key as [`kind`](Self::kind) and [`key`](Self::key) write them; `None` if they are invalid.
    pub fn parse(kind: &str, key: &str) -> Option<Self> {
        match kind {
            "all" if key.is_empty() => Some(Self::All),
            "account" => key.parse().ok().map(|id| Self::Account(AccountId(id))),
            "host" if !key.is_empty() => Some(Self::Host(key.to_lowercase())),
            "class" => QueueClass::parse(key).map(Self::Class),
            _ => None,
        }
    }
}

/// Formats the scope for people: `everything`, `account 7`, `host example.org`, `auto jobs`.
impl fmt::Display for PauseScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("everything"),
            Self::Class(class) => write!(f, "{} jobs", class.word()),
            _ => write!(f, "{} {}", self.kind(), self.key()),
        }
    }
}

/// Active pause, with its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    pub scope: PauseScope,
    /// Start of the pause, UTC.
    pub since: Timestamp,
    /// Name of the person who paused the scope.
    pub by: SafeLine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_covers_its_own_and_nothing_else() {
        let covers = |scope: PauseScope| scope.covers(AccountId(7), "a.test", Some(QueueClass::Auto));
        assert!(covers(PauseScope::All) && covers(PauseScope::Account(AccountId(7))));
        assert!(covers(PauseScope::Host("a.test".into())) && covers(PauseScope::Class(QueueClass::Auto)));
        assert!(!covers(PauseScope::Account(AccountId(8))) && !covers(PauseScope::Host("b.test".into())));
        assert!(!covers(PauseScope::Class(QueueClass::Manual)));
    }

    #[test]
    fn a_scope_is_read_as_it_is_written_and_nonsense_is_none() {
        let host = PauseScope::Host("a.test:8080".into());
        for scope in [PauseScope::All, PauseScope::Account(AccountId(7)), host, PauseScope::Class(QueueClass::Auto)] {
            assert_eq!(PauseScope::parse(scope.kind(), &scope.key()), Some(scope));
        }
        for (kind, key) in [("all", "x"), ("account", "x"), ("account", ""), ("host", ""), ("class", "x"), ("", "")] {
            assert_eq!(PauseScope::parse(kind, key), None, "{kind} {key}");
        }
        assert_eq!(PauseScope::Account(AccountId(7)).to_string(), "account 7");
    }
}
