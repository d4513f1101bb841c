//! Recognises a login page by its structure: a form with a password field and little text beside it. No words of any
//! language count, so that it works in all of them.
//!
//! A wrong suspicion costs a person a decision. So a password field in the frame of a page (a login box in its header)
//! does not count, and neither does one on a page that has a text of its own.

use super::budget::{BudgetMeter, ConvertError};
use super::dom::{name_of, with_text};
use dom_query::{Document, NodeRef};
use regex::Regex;
use std::sync::LazyLock;
use url::Url;

/// Length up to which the text beside the form is little, links included.
const LITTLE: u32 = 400;
/// The same without links, if the server redirected the request to another page.
const LITTLE_AFTER_REDIRECT: u32 = 600;
/// The same, if the redirect's target also has the requested path in its query, to lead back there after the login.
const LITTLE_WITH_WAY_BACK: u32 = 1_500;

/// A form that asks for credentials, and the text beside it. Lengths are in characters without white space; those outside
/// of the Latin, Greek and Cyrillic scripts count twice, as they say more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LoginForm {
    /// True if a password field stands outside of the frame, or a form that passes a login on (SAML).
    has_password: bool,
    /// True if a field is marked as that of a user name: the first step of a login that asks for the password later.
    has_user_name: bool,
    /// Length of the text outside of the frame and of forms with such fields.
    text: u32,
    /// Length of the part of it that is in links.
    linked: u32,
}

/// Parts of a page whose login boxes and texts do not count.
const FRAME: [&str; 5] = ["header", "nav", "footer", "aside", "dialog"];
const FRAME_ROLES: [&str; 6] = ["banner", "navigation", "contentinfo", "complementary", "dialog", "search"];
const NO_TEXT: [&str; 10] =
    ["script", "style", "template", "noscript", "svg", "iframe", "object", "select", "option", "textarea"];

/// Words without which the source of a page has no such form.
static WORDS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("(?i-u)password|username|saml").unwrap_or_else(|_| unreachable!("a pattern")));

impl LoginForm {
    /// Reads the form of a page; `None` if the page has none. `html` is the source of `document`: pages without these
    /// words, which are nearly all, are not walked.
    pub fn of(html: &str, document: &Document, clock: &mut BudgetMeter) -> Result<Option<Self>, ConvertError> {
        if !WORDS.is_match(html) {
            return Ok(None);
        }
        let body = document.body().unwrap_or_else(|| document.root());
        let mut form = Self::default();
        form.walk(body, clock)?;
        Ok((form.has_password || form.has_user_name).then_some(form))
    }

    /// Returns true if the page with this form is a login page. `requested` is the URL of the document and `url` that of
    /// the response.
    pub fn is_page(self, requested: &Url, url: &Url) -> bool {
        let unlinked = self.text.saturating_sub(self.linked);
        if !is_elsewhere(requested, url) {
            return self.has_password && self.text <= LITTLE;
        }
        let most = if leads_back(requested, url) { LITTLE_WITH_WAY_BACK } else { LITTLE_AFTER_REDIRECT };
        self.text <= LITTLE || self.has_password && unlinked <= most
    }

    /// Walks the tree without recursion. The text of a form is added only when its end shows that it is no login form.
    fn walk(&mut self, body: NodeRef<'_>, clock: &mut BudgetMeter) -> Result<(), ConvertError> {
        let mut forms: Vec<OpenForm> = Vec::new();
        let mut links = 0u32;
        let mut node = body;
        loop {
            clock.step()?;
            let name = name_of(&node);
            let skipped = NO_TEXT.contains(&&*name) || (node.id != body.id && is_frame(&node, &name));
            match &*name {
                _ if skipped => {}
                "form" => forms.push(OpenForm::default()),
                "a" => links += 1,
                "input" => self.field(&node, &mut forms),
                _ => {
                    if let Some(length) = with_text(&node, length) {
                        let text = forms
                            .last_mut()
                            .map_or((&mut self.text, &mut self.linked), |form| (&mut form.text, &mut form.linked));
                        *text.0 = text.0.saturating_add(length);
                        *text.1 = text.1.saturating_add(if links > 0 { length } else { 0 });
                    }
                }
            }
            if let Some(child) = node.first_child().filter(|_| !skipped) {
                node = child;
                continue;
            }
            let mut is_skipped = skipped;
            loop {
                if !is_skipped {
                    self.leave(&name_of(&node), &mut forms, &mut links);
                }
                is_skipped = false;
                if node.id == body.id {
                    return Ok(());
                }
                if let Some(sibling) = node.next_sibling() {
                    node = sibling;
                    break;
                }
                match node.parent() {
                    Some(parent) => node = parent,
                    None => return Ok(()),
                }
                clock.step()?;
            }
        }
    }

    fn field(&mut self, node: &NodeRef<'_>, forms: &mut [OpenForm]) {
        let value = |name: &str| node.attr(name).map(|value| value.trim().to_ascii_lowercase()).unwrap_or_default();
        let kind = value("type");
        let is_password =
            kind == "password" || kind == "hidden" && matches!(&*value("name"), "samlrequest" | "samlresponse");
        let is_user_name = kind != "hidden" && value("autocomplete").split_whitespace().any(|word| word == "username");
        self.has_password |= is_password;
        self.has_user_name |= is_user_name;
        if let Some(form) = forms.last_mut() {
            form.is_login |= is_password || is_user_name;
        }
    }

    fn leave(&mut self, name: &str, forms: &mut Vec<OpenForm>, links: &mut u32) {
        match name {
            "a" => *links = links.saturating_sub(1),
            "form" => {
                if let Some(form) = forms.pop().filter(|form| !form.is_login) {
                    let outer = forms
                        .last_mut()
                        .map_or((&mut self.text, &mut self.linked), |outer| (&mut outer.text, &mut outer.linked));
                    *outer.0 = outer.0.saturating_add(form.text);
                    *outer.1 = outer.1.saturating_add(form.linked);
                }
            }
            _ => {}
        }
    }
}

/// A form whose end has not come.
#[derive(Default)]
struct OpenForm {
    is_login: bool,
    text: u32,
    linked: u32,
}

fn is_frame(node: &NodeRef<'_>, name: &str) -> bool {
    if !node.is_element() {
        return false;
    }
    let is = |attribute: &str, words: &[&str]| {
        node.attr(attribute).is_some_and(|value| words.contains(&value.trim().to_ascii_lowercase().as_str()))
    };
    let style = node.attr("style").map(|style| style.replace(' ', "").to_ascii_lowercase()).unwrap_or_default();
    FRAME.contains(&name)
        || is("role", &FRAME_ROLES)
        || is("aria-hidden", &["true"])
        || is("aria-modal", &["true"])
        || node.has_attr("hidden")
        || style.contains("display:none")
}

fn length(text: &str) -> u32 {
    let weight = |char: char| if char < '\u{530}' { 1 } else { 2 };
    text.chars().filter(|char| !char.is_whitespace()).map(weight).fold(0u32, u32::saturating_add)
}

/// Returns true if the response comes from another page than the requested one: the paths differ in more than case and
/// slashes at the end, or the hosts in more than `www.`.
fn is_elsewhere(requested: &Url, url: &Url) -> bool {
    let path = |url: &Url| url.path().trim_end_matches('/').to_ascii_lowercase();
    let host = |url: &Url| url.host_str().map(|host| host.trim_start_matches("www.").to_owned());
    path(requested) != path(url) || host(requested) != host(url)
}

/// Returns true if a value in the query of `url` contains the path of the requested page.
fn leads_back(requested: &Url, url: &Url) -> bool {
    let path = requested.path().trim_matches('/');
    let plain =
        url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes()).map(|(name, _)| name.into_owned()).next();
    let contains = |value: &str| {
        !path.is_empty() && (value.contains(path) || plain.as_ref().is_some_and(|plain| value.contains(plain)))
    };
    url.query_pairs().any(|(_, value)| contains(&value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::budget::{Budget, TIME_LIMIT, TreeBudget};
    use crate::fetch::html::{self, Noscript};

    /// Returns true if the page that a redirect led to is a login page.
    fn is_login(page: &str, to: &str) -> bool {
        let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
        let document = html::parse(page, Noscript::Text, &clock, TreeBudget::Alone.bytes()).expect("a page");
        let form = LoginForm::of(page, &document, &mut clock).expect("in time");
        let requested = Url::parse("https://a.test/wiki/Main_Page").expect("a URL");
        form.is_some_and(|form| form.is_page(&requested, &requested.join(to).expect("a URL")))
    }

    const FORM: &str = "<form action=/session method=post><label>Name <input name=user></label>\
        <label>Parole <input type=PassWord name=pw></label><button>Ienākt</button></form>";
    const HERE: &str = "";
    const BACK: &str = "/login?next=%2Fwiki%2FMain_Page";

    fn words(count: usize) -> String {
        "<p>All of these words say something. </p>".repeat(count / 6 + 1)
    }

    #[test]
    fn pages_that_are_a_login() {
        let menu = "<header><a href=/>Acme</a></header><nav><ul><li><a href=/a>Products and services for everybody</a></ul></nav>";
        let footer = format!("<footer>{}</footer>", words(300));
        let beside = format!("<div class=promo>{}</div>", words(100));
        let two_steps = "<main><h1>Acme</h1><form><input type=email autocomplete='username webauthn'><button>Next</button></form></main>";
        let saml = "<body onload='document.forms[0].submit()'><form method=post action=https://id.test/sso>\
            <input type=hidden name=SAMLRequest value=abc><noscript><input type=submit></noscript></form></body>";
        for (page, to) in [
            (FORM.to_owned(), HERE),
            (FORM.to_owned(), BACK),
            (
                format!(
                    "<title>T</title>{menu}<main><h1>Sveiki</h1>{FORM}<p><a href=/f>Aizmirsi?</a></p></main>{footer}"
                ),
                HERE,
            ),
            (format!("<h1>ログイン</h1>{FORM}<p>パスワードを忘れた方はこちら</p>"), HERE),
            (format!("<div>{FORM}</div><input type=password>"), HERE),
            ("<p>This entry is locked:</p><form><input type=password><input type=submit></form>".to_owned(), HERE),
            (format!("{FORM}{beside}"), BACK),
            (format!("{FORM}{}", words(70)), "/account/enter"),
            (two_steps.to_owned(), "https://id.test/authorize?to=abc"),
            (saml.to_owned(), HERE),
        ] {
            assert!(is_login(&page, to), "{to} {page}");
        }
    }

    #[test]
    fn pages_that_are_none() {
        let article = format!("<main><article><h1>How the login works</h1>{}</article></main>", words(150));
        let short = "<main><h1>Opening hours</h1><p>Monday to Friday from nine to five.</p></main>";
        let two_steps = "<main><h1>News</h1><form><input type=email autocomplete=username></form></main>";
        for (page, to) in [
            // A login box in the frame of a page with little text, and of one with much.
            (format!("<header>{FORM}</header>{short}"), HERE),
            (format!("<header>{FORM}</header>{article}"), BACK),
            (format!("<div role=banner>{FORM}</div>{short}"), "/en/"),
            (format!("<aside><h2>Members</h2>{FORM}</aside>{short}"), HERE),
            (format!("<dialog>{FORM}</dialog>{short}"), HERE),
            (format!("<div hidden>{FORM}</div><div style='display: none'>{FORM}</div>{short}"), HERE),
            // A login box in the middle of a page with content of its own.
            (format!("<div class=left>{FORM}</div>{article}"), HERE),
            (format!("{}{FORM}", words(100)), HERE),
            (format!("{}{FORM}", words(150)), "/en/wiki/Main_Page"),
            (format!("<ul>{}</ul>{FORM}", "<li><a href=/t>A thread about the weather</a>".repeat(40)), HERE),
            // Pages about logins, without a field or with the words alone.
            ("<h1>Log in</h1><p>Enter your password, then choose Sign in.</p>".to_owned(), HERE),
            (format!("{article}<pre>&lt;input type=\"password\"&gt;</pre>"), HERE),
            ("<h1>Sign in</h1><pre>&lt;input type=\"password\"&gt;</pre>".to_owned(), BACK),
            ("<template><input type=password></template><p>A short page.</p>".to_owned(), HERE),
            (two_steps.to_owned(), HERE),
            (short.to_owned(), BACK),
        ] {
            assert!(!is_login(&page, to), "{to} {page}");
        }
    }

    #[test]
    fn a_deep_page_and_one_of_many_forms_are_walked_in_a_line() {
        let deep = format!("{}{FORM}", "<div>".repeat(1_000));
        assert!(is_login(&deep, HERE));
        let many = "<form><input type=password>".repeat(1_000);
        assert!(is_login(&many, HERE));
    }
}
