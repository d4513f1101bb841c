//! Behaviour of a page, decided by its index alone. A fixed sequence of behaviours keeps their shares the same for any
//! number of documents. A *hit* is a counted request for a page.

use encoding_rs::{Encoding, SHIFT_JIS, WINDOWS_1252};

/// Number of hits after which the behaviour of a page that fails for a time (or shows a cookie wall) repeats, so that a
/// console that stays open always has activity. The number exceeds the four attempts of a job in the demo, so that one
/// job never gets two failure periods.
const RELAPSE_PERIOD: u64 = 10;
/// Number of documents after which the sequence of behaviours repeats. The first 40 documents have every word of
/// [`Behaviour::WORDS`].
const CYCLE: usize = 60;

/// Behaviour of a page of the demo site, by which it answers each hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Behaviour {
    /// The same text at every hit.
    Steady,
    /// Another text at every hit.
    Changing,
    /// The same words at every hit, with other white space between them.
    Spacing,
    /// Responds with status 404.
    NotFound,
    /// Responds with status 410.
    Gone,
    /// Responds with status 403.
    Forbidden,
    /// Responds with status 200 and a page whose body has no text.
    Empty,
    /// Responds with status 500 at the first `failures` of every ten hits, else with the page.
    ServerError {
        /// Number of failing hits before the page is sent, 1 to 3.
        failures: u32,
    },
    /// Responds with status 503 and `Retry-After: 1` at the first `failures` of every ten hits, else with the page.
    Unavailable {
        /// Number of failing hits before the page is sent, 1 to 3.
        failures: u32,
    },
    /// Accepts the request and never responds, at the first `failures` of every ten hits; else responds with the page.
    Silent {
        /// Number of hits without a response before the page is sent; `None` if the page is never sent.
        failures: Option<u32>,
    },
    /// Responds, but sends the body so slowly that it exceeds the demo's total time-out, at the first `failures` of
    /// every ten hits.
    Drip {
        /// Number of slow hits before the page is sent at normal speed; `None` if all hits are slow.
        failures: Option<u32>,
    },
    /// Three redirects, then a page.
    Redirects(Hops),
    /// `Content-Type` and `<meta charset>` name different charsets.
    WrongCharset(Charset),
    /// More than two megabytes of HTML.
    Huge,
    /// Responds with the page at the first and the last of every ten hits, and at the eight between with a wall that
    /// asks for consent to cookies, with status 200.
    CookieWall,
}

/// Hosts of a chain of redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hops {
    /// Relative `Location`s on one host.
    SameHost,
    /// Absolute `Location`s, each on the next host.
    AcrossHosts,
}

/// Actual encoding of a page that declares two different charsets, and the declaration that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Charset {
    /// windows-1252; the header is right, the meta element names UTF-8.
    WesternMetaLies,
    /// windows-1252; the meta element is right, the header names ISO-8859-2.
    WesternHeaderLies,
    /// Shift_JIS; the header is right, the meta element names UTF-8.
    JapaneseMetaLies,
}

impl Charset {
    /// Returns the actual encoding of the body.
    pub fn encoding(self) -> &'static Encoding {
        match self {
            Self::WesternMetaLies | Self::WesternHeaderLies => WINDOWS_1252,
            Self::JapaneseMetaLies => SHIFT_JIS,
        }
    }

    /// Returns the label in `<meta charset>`.
    pub const fn meta(self) -> &'static str {
        match self {
            Self::WesternMetaLies | Self::JapaneseMetaLies => "utf-8",
            Self::WesternHeaderLies => "windows-1252",
        }
    }

    /// Returns the whole value of `Content-Type`.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::WesternMetaLies => "text/html; charset=windows-1252",
            Self::WesternHeaderLies => "text/html; charset=ISO-8859-2",
            Self::JapaneseMetaLies => "text/html; charset=Shift_JIS",
        }
    }
}

/// Defines a word per behaviour, and `WORDS` with all words. A behaviour without a word does not compile.
macro_rules! words {
    ($($behaviour:pat => $word:literal),+ $(,)?) => {
        /// All words, for tests that require each behaviour.
        pub const WORDS: [&'static str; [$($word),+].len()] = [$($word),+];

        /// Returns the behaviour's word, for tests and summaries.
        pub const fn word(self) -> &'static str {
            match self {
                $($behaviour => $word),+
            }
        }
    };
}

impl Behaviour {
    words! {
        Self::Steady => "steady",
        Self::Changing => "changing",
        Self::Spacing => "spacing",
        Self::NotFound => "not_found",
        Self::Gone => "gone",
        Self::Forbidden => "forbidden",
        Self::Empty => "empty",
        Self::ServerError { .. } => "server_error",
        Self::Unavailable { .. } => "unavailable",
        Self::Silent { failures: None } => "silent",
        Self::Silent { failures: Some(_) } => "silent_recovers",
        Self::Drip { .. } => "drip",
        Self::Redirects(Hops::SameHost) => "redirects",
        Self::Redirects(Hops::AcrossHosts) => "redirects_across",
        Self::WrongCharset(_) => "wrong_charset",
        Self::Huge => "huge",
        Self::CookieWall => "cookie_wall",
    }

    /// Returns the behaviour of the document with this `index`, from 0.
    ///
    /// Six of 60 documents end failed, in every second cycle seven. Only one or two of these time out, since each job
    /// of such a document costs four time-outs.
    pub(super) const fn of_index(index: usize) -> Self {
        let cycle = index / CYCLE;
        let odd = cycle % 2 == 1;
        match index % CYCLE {
            5 | 50 => Self::NotFound,
            14 => Self::Forbidden,
            22 => Self::Empty,
            30 => Self::Silent { failures: None },
            37 => Self::Gone,
            8 => Self::ServerError { failures: one_to_three(cycle) },
            26 => Self::Unavailable { failures: one_to_three(cycle + 1) },
            44 => Self::ServerError { failures: one_to_three(cycle + 2) },
            19 => Self::Silent { failures: Some(1) },
            33 => Self::Drip { failures: if odd { None } else { Some(1) } },
            11 => Self::Redirects(Hops::SameHost),
            24 => Self::Redirects(Hops::AcrossHosts),
            16 if odd => Self::WrongCharset(Charset::WesternHeaderLies),
            16 => Self::WrongCharset(Charset::WesternMetaLies),
            28 => Self::WrongCharset(Charset::JapaneseMetaLies),
            20 => Self::Huge,
            13 => Self::CookieWall,
            3 | 41 | 55 => Self::Spacing,
            1 | 6 | 9 | 12 | 15 | 18 | 23 | 27 | 31 | 35 | 39 | 43 | 48 | 52 | 57 => Self::Changing,
            _ => Self::Steady,
        }
    }

    /// Returns true if a job of at most four attempts ends failed at whichever hit it begins.
    pub const fn ends_failed(&self) -> bool {
        matches!(
            self,
            Self::NotFound
                | Self::Gone
                | Self::Forbidden
                | Self::Empty
                | Self::Silent { failures: None }
                | Self::Drip { failures: None }
        )
    }

    /// Returns true if a cookie wall replaces the page at `hit`, from 1: for eight hits of ten, long enough for a
    /// person to inspect it.
    pub(super) fn is_walled(self, hit: u64) -> bool {
        self == Self::CookieWall && (1..=8).contains(&(hit.saturating_sub(1) % RELAPSE_PERIOD))
    }

    /// Returns true if a page whose behaviour has `failures` fails at `hit`, from 1. False for other behaviours, even
    /// if they always fail.
    pub(super) fn fails_at(self, hit: u64) -> bool {
        let failures = match self {
            Self::ServerError { failures } | Self::Unavailable { failures } => failures,
            Self::Silent { failures } | Self::Drip { failures } => match failures {
                Some(failures) => failures,
                None => return true,
            },
            _ => return false,
        };
        hit.saturating_sub(1) % RELAPSE_PERIOD < u64::from(failures)
    }
}

const fn one_to_three(cycle: usize) -> u32 {
    match cycle % 3 {
        0 => 1,
        1 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_behaviour_is_among_the_first_forty() {
        for word in Behaviour::WORDS {
            assert!((0..40).any(|index| Behaviour::of_index(index).word() == word), "{word}");
        }
    }

    #[test]
    fn the_shares_hold_for_any_number_of_documents() {
        let mut failing = 0_usize;
        let mut unanswered = 0_usize;
        for index in 0..10_000 {
            let behaviour = Behaviour::of_index(index);
            failing += usize::from(behaviour.ends_failed());
            unanswered += usize::from(matches!(
                behaviour,
                Behaviour::Silent { failures: None } | Behaviour::Drip { failures: None }
            ));
            let documents = index + 1;
            if documents >= 60 {
                assert!((70..=130).contains(&(failing * 1_000 / documents)), "{failing} of {documents}");
                assert!(unanswered * 1_000 / documents <= 35, "{unanswered} of {documents}");
            }
        }
    }

    #[test]
    fn four_attempts_are_enough_wherever_a_job_begins() {
        for index in 0..CYCLE * 6 {
            let behaviour = Behaviour::of_index(index);
            for start in 1..=30 {
                let bad = (start..start + 4).all(|hit| behaviour.fails_at(hit));
                let never =
                    matches!(behaviour, Behaviour::Silent { failures: None } | Behaviour::Drip { failures: None });
                assert_eq!(bad, never, "{behaviour:?} from hit {start}");
            }
        }
        assert!(Behaviour::ServerError { failures: 2 }.fails_at(2));
        assert!(!Behaviour::ServerError { failures: 2 }.fails_at(3));
    }
}
