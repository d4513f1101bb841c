//! Content guard: detects pages that answer 200 but are an error, a login, a challenge or a shell without text.
//!
//! The guard judges a page by its title, its text and the length of the text stored before. It judges only short texts
//! by their words: an article about logging in is longer than a login page. A wrong suspicion costs a person a
//! decision, but loses no document.

use std::fmt;

/// Reason why a fetched text is suspect and goes into quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuarantineReason {
    /// Error page sent with status 200.
    Error,
    /// Page that asks for a user name and a password.
    Login,
    /// Check against robots, such as a captcha.
    Challenge,
    /// Page that is built by scripts and reports that they are disabled.
    Scripts,
    /// Text with less than a tenth of the stored text's characters.
    Shrunk {
        /// Characters of the stored text.
        from: u64,
        /// Characters of the fetched text.
        to: u64,
    },
    /// Text with many characters that could not be read.
    Unreadable {
        /// Number of replacement and control characters.
        characters: u64,
    },
    /// Exactly the text that a person rejected.
    Rejected,
    /// Text of a page that was fetched in another way than the stored one, so that it differs whether or not the page has
    /// changed.
    FetchedOtherwise,
}

impl fmt::Display for QuarantineReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("looks like an error page"),
            Self::Login => f.write_str("looks like a login page"),
            Self::Challenge => f.write_str("looks like a bot check (captcha)"),
            Self::Scripts => f.write_str("asks for JavaScript"),
            Self::Shrunk { from, to } => {
                write!(f, "is under a tenth of the stored text ({to} of {from} characters)")
            }
            Self::Unreadable { characters } => write!(f, "has {characters} unreadable characters"),
            Self::Rejected => f.write_str("is the text that was rejected before"),
            Self::FetchedOtherwise => f.write_str("was fetched in another way than the stored text"),
        }
    }
}

/// Maximum length, in characters, of a text that is judged by its words.
const MAX_PHRASE_CHECK_CHARS: u64 = 1_500;
/// Maximum length, in characters, of a text for which a phrase about scripts, or a login title alone, is enough. In
/// longer texts a login title counts only together with a word for password.
const MAX_WORD_CHECK_CHARS: u64 = 600;
/// Factor of [`QuarantineReason::Shrunk`]: the stored text has more than this many times the characters of the fetched
/// text.
const SHRINK_FACTOR: u64 = 10;

/// Number of unreadable characters from which on a text is suspect, if they are more than one in
/// [`READABLE_PER_UNREADABLE`]. A page in a wrong encoding has fewer, and is still of use.
const MIN_UNREADABLE: u64 = 20;
/// Factor of [`QuarantineReason::Unreadable`].
const READABLE_PER_UNREADABLE: u64 = 20;
/// The same for a text that is noise. A Latin page in a wrong encoding has about half of that.
const READABLE_PER_NOISE: u64 = 10;

const CHALLENGE_PHRASES: [&str; 22] = [
    "just a moment",
    "attention required",
    "checking your browser",
    "checking if the site connection is secure",
    "needs to review the security of your connection",
    "verify you are human",
    "verify that you are human",
    "verifying you are human",
    "are you a robot",
    "are you human",
    "not a robot",
    "robot check",
    "bot verification",
    "complete the captcha",
    "solve the captcha",
    "complete the security check",
    "enter the characters you see",
    "ddos protection by",
    "ddos-guard",
    "pardon our interruption",
    "unusual traffic from your",
    "access to this page has been denied",
];

const SCRIPT_PHRASES: [&str; 17] = [
    "enable javascript",
    "javascript is disabled",
    "javascript is not enabled",
    "javascript is required",
    "javascript required",
    "requires javascript",
    "javascript to run",
    "javascript must be enabled",
    "turn on javascript",
    "turn javascript on",
    "javascript aktivieren",
    "aktivieren sie javascript",
    "activer javascript",
    "habilite javascript",
    "включите javascript",
    "启用javascript",
    "javascriptを有効",
];

const ERROR_PHRASES: [&str; 36] = [
    "page not found",
    "not found",
    "page can't be found",
    "page can’t be found",
    "page cannot be found",
    "page doesn't exist",
    "page doesn’t exist",
    "page does not exist",
    "no longer available",
    "no longer exists",
    "internal server error",
    "service unavailable",
    "bad gateway",
    "gateway timeout",
    "gateway time-out",
    "access denied",
    "forbidden",
    "something went wrong",
    "an error occurred",
    "an error has occurred",
    "unexpected error",
    "application error",
    "error establishing a database connection",
    "under maintenance",
    "down for maintenance",
    "scheduled maintenance",
    "temporarily unavailable",
    "we'll be back",
    "too many requests",
    "seite nicht gefunden",
    "page introuvable",
    "página no encontrada",
    "pagina non trovata",
    "страница не найдена",
    "页面不存在",
    "ページが見つかりません",
];

/// HTTP statuses with which the title or first line of an error page can begin.
const ERROR_STATUSES: [&str; 9] = ["400", "401", "403", "404", "410", "429", "500", "502", "503"];

const LOGIN_PHRASES: [&str; 16] = [
    "sign in",
    "signin",
    "log in",
    "login",
    "log on",
    "please sign in",
    "please log in",
    "anmelden",
    "anmeldung",
    "connexion",
    "se connecter",
    "iniciar sesión",
    "вход",
    "войти",
    "登录",
    "ログイン",
];

const PASSWORD_WORDS: [&str; 8] =
    ["password", "passwort", "mot de passe", "contraseña", "senha", "пароль", "密码", "パスワード"];

impl QuarantineReason {
    /// Returns the reason why a page is suspect by its title, its text or its length; `None` if it is not. `stored` is
    /// the length of the stored text in characters. The caller detects [`QuarantineReason::Rejected`].
    pub fn check(title: Option<&str>, content: &str, stored: Option<u64>) -> Option<Self> {
        let chars = content.chars().count() as u64;
        if chars <= MAX_PHRASE_CHECK_CHARS
            && let Some(reason) = check_phrases(title.unwrap_or_default(), content, chars)
        {
            return Some(reason);
        }
        let characters = unreadable(content);
        if characters >= MIN_UNREADABLE && characters.saturating_mul(READABLE_PER_UNREADABLE) > chars {
            return Some(Self::Unreadable { characters });
        }
        let from = stored.filter(|stored| chars.saturating_mul(SHRINK_FACTOR) < *stored)?;
        Some(Self::Shrunk { from, to: chars })
    }

    /// Returns true if so many of a text's `chars` characters could not be read that it is of no use to anybody.
    pub fn is_noise(&self, chars: u64) -> bool {
        matches!(self, Self::Unreadable { characters } if characters.saturating_mul(READABLE_PER_NOISE) > chars)
    }
}

/// Returns the number of unreadable characters.
fn unreadable(text: &str) -> u64 {
    // Nearly every text has none, which its bytes show without decoding them, many at a time.
    let bytes = text.as_bytes();
    let controls =
        bytes.iter().map(|byte| u8::from(*byte < b' ' && !byte.is_ascii_whitespace()) | u8::from(*byte == 0x7f));
    // The replacement character begins with 0xEF 0xBF; the control characters beyond ASCII are 0xC2 and one below 0xA0.
    let pairs = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let others = pairs.map(|(one, next)| {
        (u8::from(*one == 0xef) & u8::from(*next == 0xbf)) | (u8::from(*one == 0xc2) & u8::from(*next < 0xa0))
    });
    if controls.fold(0, |any, one| any | one) | others.fold(0, |any, one| any | one) == 0 {
        return 0;
    }
    text.chars().filter(|char| is_unreadable(*char)).count() as u64
}

/// Returns true for a replacement character, and for a control character other than white space.
fn is_unreadable(char: char) -> bool {
    char == char::REPLACEMENT_CHARACTER || char.is_control() && !char.is_whitespace()
}

fn check_phrases(title: &str, content: &str, chars: u64) -> Option<QuarantineReason> {
    let title = normalized(title);
    let first = content.lines().map(normalized).find(|line| !line.is_empty()).unwrap_or_default();
    let text = normalized(content);
    let contains = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let leads = |of: fn(&str) -> bool| of(&title) || of(&first);
    if contains(&title, &CHALLENGE_PHRASES) || contains(&text, &CHALLENGE_PHRASES) {
        return Some(QuarantineReason::Challenge);
    }
    if chars <= MAX_WORD_CHECK_CHARS && contains(&text, &SCRIPT_PHRASES) {
        return Some(QuarantineReason::Scripts);
    }
    if leads(is_error) {
        return Some(QuarantineReason::Error);
    }
    let wants_password = contains(&text, &PASSWORD_WORDS);
    if leads(is_login) && (chars <= MAX_WORD_CHECK_CHARS || wants_password) {
        return Some(QuarantineReason::Login);
    }
    None
}

fn is_error(line: &str) -> bool {
    let number = line.strip_prefix("error ").or_else(|| line.strip_prefix("http ")).unwrap_or(line);
    let status = ERROR_STATUSES.iter().any(|status| {
        number.strip_prefix(status).is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.is_empty()
                || rest.starts_with(['-', '–', '|', ':', '.', '!'])
                || ERROR_PHRASES.iter().any(|error| rest.contains(error))
        })
    });
    status
        || line == "error"
        || title_parts(line)
            .any(|part| ERROR_PHRASES.iter().any(|error| part.contains(error) && part.len() <= error.len() + 40))
}

fn is_login(line: &str) -> bool {
    title_parts(line).any(|part| {
        LOGIN_PHRASES.iter().any(|login| {
            part.strip_prefix(login).is_some_and(|rest| {
                rest.is_empty()
                    || rest.starts_with(" to ")
                    || rest.starts_with(" with ")
                    || rest.starts_with(" bei ")
                    || rest.starts_with(" page")
            })
        })
    })
}

/// Splits a title or a first line into its parts: usually the name of the page and the name of the site.
fn title_parts(line: &str) -> impl Iterator<Item = &str> {
    line.split(['|', '·', '—', '–', '»']).flat_map(|part| part.split(" - ")).map(str::trim)
}

/// Converts a text to lower case without Markdown marks, with one space between words.
fn normalized(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || matches!(c, '#' | '*' | '_' | '`' | '[' | ']' | '>' | '\\')) {
        if !word.is_empty() {
            if !plain.is_empty() {
                plain.push(' ');
            }
            plain.extend(word.chars().flat_map(char::to_lowercase));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn every_unreadable_character_is_counted(text in "[a-cé語\u{a0}\u{85}\u{9f}\u{0}\u{b}\u{c}\n\u{7f}\u{fffd}\u{ffbe}]{0,40}") {
            let expected = text.chars().filter(|c| is_unreadable(*c)).count() as u64;
            proptest::prop_assert_eq!(unreadable(&text), expected);
        }
    }

    #[test]
    fn pages_that_are_none() {
        let filler = "Our products are made with care. ".repeat(8);
        let cases: [(&str, &str, QuarantineReason); 25] = [
            ("404 - Acme", "# 404\n\nSorry.", QuarantineReason::Error),
            ("Acme | Page not found", "Try our search.", QuarantineReason::Error),
            ("Acme", "# Oops! Something went wrong\n\nPlease try again later.", QuarantineReason::Error),
            ("500 Internal Server Error", "# Internal Server Error", QuarantineReason::Error),
            ("Error 503", "Backend fetch failed", QuarantineReason::Error),
            ("Seite nicht gefunden – Acme", &filler, QuarantineReason::Error),
            ("", "Error establishing a database connection", QuarantineReason::Error),
            ("Acme", "# We'll be back soon!\n\nDown for maintenance.", QuarantineReason::Error),
            ("Страница не найдена", "Проверьте адрес.", QuarantineReason::Error),
            ("ページが見つかりません", "トップへ", QuarantineReason::Error),
            ("Access denied", "You do not have permission.", QuarantineReason::Error),
            ("Sign in · Acme", "Forgot it?", QuarantineReason::Login),
            ("Log in to Acme", "# Log in to Acme\n\nEmail Password", QuarantineReason::Login),
            ("Acme", "# Login\n\nUser name\n\nPassword", QuarantineReason::Login),
            ("Anmelden - Acme", "Passwort vergessen?", QuarantineReason::Login),
            ("ログイン | Acme", "パスワードを忘れた方", QuarantineReason::Login),
            ("Just a moment...", "Enable JavaScript and cookies to continue", QuarantineReason::Challenge),
            (
                "Acme",
                "# One more step\n\nPlease complete the security check to access acme.test",
                QuarantineReason::Challenge,
            ),
            ("Robot Check", "Enter the characters you see below", QuarantineReason::Challenge),
            ("Attention Required! | Cloudflare", "Sorry, you have been blocked", QuarantineReason::Challenge),
            ("Pardon Our Interruption", "As you were browsing", QuarantineReason::Challenge),
            ("Acme", "You need to **enable JavaScript** to run this app.", QuarantineReason::Scripts),
            ("Acme", "This site requires JavaScript.", QuarantineReason::Scripts),
            ("Acme", "Bitte aktivieren Sie JavaScript.", QuarantineReason::Scripts),
            ("Acme", "请启用JavaScript", QuarantineReason::Scripts),
        ];
        for (title, content, reason) in cases {
            assert_eq!(QuarantineReason::check(Some(title), content, None), Some(reason), "{title:?} {content:?}");
        }
    }

    #[test]
    fn pages_that_are_some() {
        let long = "A page about it, with all the words that it takes. ".repeat(40);
        let cases = [
            ("How to log in", "# How to log in\n\nOpen the app and enter your password."),
            ("Login troubles - Help", "# Login troubles\n\nReset your password first, then clear the cache."),
            ("Handling 404s in your router", "Return a page of your own when a route does not match."),
            ("4040 Main Street", "Our office."),
            ("Error handling", "Every call gives a result."),
            ("JavaScript basics", "Variables are declared with let."),
            ("404 Not Found", long.as_str()),
            ("Enable JavaScript in your browser", long.as_str()),
            ("Captcha settings", "Choose which forms are protected."),
            ("", "Short."),
        ];
        for (title, content) in cases {
            assert_eq!(QuarantineReason::check(Some(title), content, None), None, "{title:?}");
        }
    }

    #[test]
    fn many_unreadable_characters_are_suspect_and_a_few_are_not() {
        let text = |broken: usize| format!("{}{}", "\u{fffd}".repeat(broken), "a word ".repeat(60));
        assert_eq!(QuarantineReason::check(None, &text(19), None), None, "a name in a wrong encoding");
        assert_eq!(
            QuarantineReason::check(None, &text(40), None),
            Some(QuarantineReason::Unreadable { characters: 40 })
        );
        let long = format!("{}{}", "\u{fffd}".repeat(40), "a word ".repeat(600));
        assert_eq!(QuarantineReason::check(None, &long, None), None, "one in a hundred");
    }

    #[test]
    fn under_a_tenth_is_shrunk() {
        let text = |chars| "a".repeat(chars);
        assert_eq!(QuarantineReason::check(None, &text(10), Some(100)), None);
        assert_eq!(
            QuarantineReason::check(None, &text(9), Some(100)),
            Some(QuarantineReason::Shrunk { from: 100, to: 9 })
        );
        assert_eq!(QuarantineReason::check(None, &text(9), None), None);
        assert_eq!(QuarantineReason::check(None, &"語".repeat(2_000), Some(20_000)), None);
        assert_eq!(
            QuarantineReason::check(None, &text(1), Some(u64::MAX)),
            Some(QuarantineReason::Shrunk { from: u64::MAX, to: 1 })
        );
    }
}
