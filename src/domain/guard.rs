//! Content guard: detects pages that answer 200 but are an error, a login, a challenge or a shell without text.
//!
//! It judges title and text only, and only short texts by their words: an article about logging in is longer than a
//! login page. A wrong suspicion costs a person's decision, not a document.

use std::fmt;

/// Reason why a fetched text is suspect and goes into quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
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
    /// Exactly the text that a person rejected.
    Rejected,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error => f.write_str("looks like an error page"),
            Self::Login => f.write_str("looks like a login page"),
            Self::Challenge => f.write_str("looks like a check against robots"),
            Self::Scripts => f.write_str("asks for JavaScript"),
            Self::Shrunk { from, to } => {
                write!(f, "is under a tenth of the stored text ({to} of {from} characters)")
            }
            Self::Rejected => f.write_str("is the text that was rejected before"),
        }
    }
}

/// Maximum length, in characters, of a text that is judged by its words.
const SHORT: u64 = 1_500;
/// Maximum length, in characters, of a text for which a single word decides.
const VERY_SHORT: u64 = 600;
/// A text has shrunk if it has less than one part in this many of the stored text's characters.
const LEAST_PART: u64 = 10;

const CHALLENGES: [&str; 22] = [
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

const SCRIPTS: [&str; 17] = [
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

const ERRORS: [&str; 36] = [
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

/// HTTP statuses with which the title or first line of an error page begins.
const STATUSES: [&str; 9] = ["400", "401", "403", "404", "410", "429", "500", "502", "503"];

const LOGINS: [&str; 16] = [
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

const PASSWORDS: [&str; 8] =
    ["password", "passwort", "mot de passe", "contraseña", "senha", "пароль", "密码", "パスワード"];

impl Doubt {
    /// Returns the reason why a page is suspect, if it is. `stored` is the length of the stored text in characters.
    pub fn about(title: Option<&str>, content: &str, stored: Option<u64>) -> Option<Self> {
        let chars = content.chars().count() as u64;
        if chars <= SHORT
            && let Some(doubt) = by_words(title.unwrap_or_default(), content, chars)
        {
            return Some(doubt);
        }
        let from = stored.filter(|stored| chars.saturating_mul(LEAST_PART) < *stored)?;
        Some(Self::Shrunk { from, to: chars })
    }
}

fn by_words(title: &str, content: &str, chars: u64) -> Option<Doubt> {
    let title = plain(title);
    let first = content.lines().map(plain).find(|line| !line.is_empty()).unwrap_or_default();
    let text = plain(content);
    let holds = |text: &str, words: &[&str]| words.iter().any(|word| text.contains(word));
    let leads = |of: fn(&str) -> bool| of(&title) || of(&first);
    if holds(&title, &CHALLENGES) || holds(&text, &CHALLENGES) {
        return Some(Doubt::Challenge);
    }
    if chars <= VERY_SHORT && holds(&text, &SCRIPTS) {
        return Some(Doubt::Scripts);
    }
    if leads(is_error) {
        return Some(Doubt::Error);
    }
    let wants_password = holds(&text, &PASSWORDS);
    if leads(is_login) && (chars <= VERY_SHORT || wants_password) {
        return Some(Doubt::Login);
    }
    None
}

fn is_error(line: &str) -> bool {
    let number = line.strip_prefix("error ").or_else(|| line.strip_prefix("http ")).unwrap_or(line);
    let status = STATUSES.iter().any(|status| {
        number.strip_prefix(status).is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.is_empty()
                || rest.starts_with(['-', '–', '|', ':', '.', '!'])
                || ERRORS.iter().any(|error| rest.contains(error))
        })
    });
    status
        || line == "error"
        || parts(line).any(|part| ERRORS.iter().any(|error| part.contains(error) && part.len() <= error.len() + 40))
}

fn is_login(line: &str) -> bool {
    parts(line).any(|part| {
        LOGINS.iter().any(|login| {
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

/// Splits a title into its parts: usually the page's name and the site's.
fn parts(line: &str) -> impl Iterator<Item = &str> {
    line.split(['|', '·', '—', '–', '»']).flat_map(|part| part.split(" - ")).map(str::trim)
}

/// Converts a text to lower case without Markdown marks, with one space between words.
fn plain(text: &str) -> String {
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

    #[test]
    fn pages_that_are_none() {
        let filler = "Our products are made with care. ".repeat(8);
        let cases: [(&str, &str, Doubt); 25] = [
            ("404 - Acme", "# 404\n\nSorry.", Doubt::Error),
            ("Acme | Page not found", "Try our search.", Doubt::Error),
            ("Acme", "# Oops! Something went wrong\n\nPlease try again later.", Doubt::Error),
            ("500 Internal Server Error", "# Internal Server Error", Doubt::Error),
            ("Error 503", "Backend fetch failed", Doubt::Error),
            ("Seite nicht gefunden – Acme", &filler, Doubt::Error),
            ("", "Error establishing a database connection", Doubt::Error),
            ("Acme", "# We'll be back soon!\n\nDown for maintenance.", Doubt::Error),
            ("Страница не найдена", "Проверьте адрес.", Doubt::Error),
            ("ページが見つかりません", "トップへ", Doubt::Error),
            ("Access denied", "You do not have permission.", Doubt::Error),
            ("Sign in · Acme", "Forgot it?", Doubt::Login),
            ("Log in to Acme", "# Log in to Acme\n\nEmail Password", Doubt::Login),
            ("Acme", "# Login\n\nUser name\n\nPassword", Doubt::Login),
            ("Anmelden - Acme", "Passwort vergessen?", Doubt::Login),
            ("ログイン | Acme", "パスワードを忘れた方", Doubt::Login),
            ("Just a moment...", "Enable JavaScript and cookies to continue", Doubt::Challenge),
            ("Acme", "# One more step\n\nPlease complete the security check to access acme.test", Doubt::Challenge),
            ("Robot Check", "Enter the characters you see below", Doubt::Challenge),
            ("Attention Required! | Cloudflare", "Sorry, you have been blocked", Doubt::Challenge),
            ("Pardon Our Interruption", "As you were browsing", Doubt::Challenge),
            ("Acme", "You need to **enable JavaScript** to run this app.", Doubt::Scripts),
            ("Acme", "This site requires JavaScript.", Doubt::Scripts),
            ("Acme", "Bitte aktivieren Sie JavaScript.", Doubt::Scripts),
            ("Acme", "请启用JavaScript", Doubt::Scripts),
        ];
        for (title, content, doubt) in cases {
            assert_eq!(Doubt::about(Some(title), content, None), Some(doubt), "{title:?} {content:?}");
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
            assert_eq!(Doubt::about(Some(title), content, None), None, "{title:?}");
        }
    }

    #[test]
    fn under_a_tenth_is_shrunk() {
        let text = |chars| "a".repeat(chars);
        assert_eq!(Doubt::about(None, &text(10), Some(100)), None);
        assert_eq!(Doubt::about(None, &text(9), Some(100)), Some(Doubt::Shrunk { from: 100, to: 9 }));
        assert_eq!(Doubt::about(None, &text(9), None), None);
        assert_eq!(Doubt::about(None, &"語".repeat(2_000), Some(20_000)), None);
        assert_eq!(Doubt::about(None, &text(1), Some(u64::MAX)), Some(Doubt::Shrunk { from: u64::MAX, to: 1 }));
    }
}
