//! robots.txt by RFC 9309: decides which paths of a host this program may fetch.
//!
//! This module parses the file and matches paths; `download` fetches the file, `cache` caches the rules. robots.txt is
//! ignored by default: a page that a person has added is fetched for that person, not crawled.

mod cache;
mod download;

pub(super) use cache::Robots;
pub(super) use download::obey;

/// Maximum number of bytes of a robots.txt that are read; the rest is ignored (RFC 9309, 2.5, requires at least this
/// much).
pub(super) const MAX_FILE: usize = 500 * 1024;

/// Rules of one robots.txt for one robot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Rules {
    AllowAll,
    /// The longest matching rule decides.
    Listed(Vec<Rule>),
}

/// An `Allow` or `Disallow` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    allow: bool,
    /// Path pattern of the rule, normalised so that all spellings of a path are equal.
    path: String,
}

impl Rules {
    /// Parses the file `text` and returns the rules for the robot `name`: those of all groups that name the robot, else
    /// those of the groups for all robots.
    pub fn read(text: &str, name: &str) -> Self {
        let (mut ours, mut wildcard) = (None::<Vec<Rule>>, Vec::new());
        // Consecutive `user-agent` lines begin one group.
        let (mut is_ours, mut is_everybodys, mut in_rules) = (false, false, true);
        for line in text.trim_start_matches('\u{feff}').lines().flat_map(|line| line.split('\r')) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "user-agent" {
                if in_rules {
                    (is_ours, is_everybodys, in_rules) = (false, false, false);
                }
                is_everybodys |= value == "*";
                if product(value).eq_ignore_ascii_case(name) && !name.is_empty() {
                    is_ours = true;
                    ours.get_or_insert_default();
                }
                continue;
            }
            let allow = match key.as_str() {
                "allow" => true,
                "disallow" => false,
                // Other records (sitemap, crawl-delay) are not in the standard and end no group.
                _ => continue,
            };
            in_rules = true;
            if value.is_empty() {
                continue;
            }
            let rule = Rule { allow, path: normalized(value) };
            if is_ours {
                ours.get_or_insert_default().push(rule.clone());
            }
            if is_everybodys {
                wildcard.push(rule);
            }
        }
        Self::Listed(ours.unwrap_or(wildcard))
    }

    /// Returns true if `path`, with its query, may be fetched. The longest matching rule decides; of two rules of equal
    /// length, the allowing rule. A path that no rule matches, and `/robots.txt` itself, are allowed.
    pub fn allow(&self, path: &str) -> bool {
        let rules = match self {
            Self::AllowAll => return true,
            Self::Listed(rules) => rules,
        };
        let path = normalized(path);
        if path == "/robots.txt" {
            return true;
        }
        let fitting = rules.iter().filter(|rule| path_matches(&rule.path, &path));
        fitting.max_by_key(|rule| (rule.path.len(), rule.allow)).is_none_or(|rule| rule.allow)
    }
}

/// Returns the product name at the beginning of a user agent: letters, `_` and `-`.
pub(super) fn product(agent: &str) -> &str {
    let end = agent.find(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-'))).unwrap_or(agent.len());
    &agent[..end]
}

/// Normalises a path: decodes characters that need no encoding, encodes non-ASCII characters, and writes escapes in
/// upper case. An encoded slash stays encoded, since it does not separate path segments.
fn normalized(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = String::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%').then(|| bytes.get(at + 1..at + 3)).flatten();
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        at += if escaped.is_some() { 3 } else { 1 };
        match escaped {
            Some(plain) if plain.is_ascii_alphanumeric() || matches!(plain, b'-' | b'.' | b'_' | b'~') => {
                out.push(char::from(plain));
            }
            Some(kept) => out.push_str(&format!("%{kept:02X}")),
            None if byte.is_ascii() => out.push(char::from(byte)),
            None => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns true if a rule matches the beginning of a path: `*` matches anything, `$` at the end of the rule matches the
/// end of the path. One pass with backtracking only to the last `*`, so no file makes this slow.
fn path_matches(rule: &str, path: &str) -> bool {
    let (rule, to_the_end) = match rule.strip_suffix('$') {
        Some(rule) => (rule.as_bytes(), true),
        None => (rule.as_bytes(), false),
    };
    let path = path.as_bytes();
    let (mut r, mut p) = (0, 0);
    let mut star = None;
    loop {
        if r == rule.len() && (!to_the_end || p == path.len()) {
            return true;
        }
        match rule.get(r) {
            Some(b'*') => {
                star = Some((r, p));
                r += 1;
                continue;
            }
            Some(byte) if path.get(p) == Some(byte) => {
                (r, p) = (r + 1, p + 1);
                continue;
            }
            _ => {}
        }
        match star {
            Some((at, from)) if from < path.len() => {
                star = Some((at, from + 1));
                (r, p) = (at + 1, from + 1);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_that_names_us_counts_else_the_one_for_all() {
        let text = "User-agent: *\nDisallow: /a\n\nuser-agent : QuarterDeck/1.0\nuser-agent: other\nDisallow: /b # so\r\n\
                    Sitemap: https://e.org/s.xml\nUSER-AGENT: quarterdeck\nallow: /b/c\n";
        let ours = Rules::read(text, "quarterdeck");
        assert_eq!((ours.allow("/a"), ours.allow("/b"), ours.allow("/b/c/d")), (true, false, true));
        let others = Rules::read(text, "somebody");
        assert_eq!((others.allow("/a/x"), others.allow("/b")), (false, true));
        // A group for us without a rule allows everything, whatever applies to all robots.
        let empty = Rules::read("User-agent: *\nDisallow: /\nUser-agent: quarterdeck\nDisallow:\n", "quarterdeck");
        assert!(empty.allow("/x"));
        assert!(Rules::read("", "quarterdeck").allow("/x"));
        assert!(Rules::read("<html>not found</html>", "quarterdeck").allow("/x"));
        let with_mark = Rules::read("\u{feff}User-agent: *\nDisallow: /x", "q");
        assert!(!with_mark.allow("/x"));
        assert_eq!(product("quarterdeck/0.1 (+https://e.org)"), "quarterdeck");
    }

    #[test]
    fn the_longest_rule_counts_and_of_two_as_long_the_kinder() {
        let rules = Rules::read("User-agent: *\nDisallow: /\nAllow: /docs\nDisallow: /docs/old\nAllow: /docs/old", "q");
        assert_eq!((rules.allow("/x"), rules.allow("/docs/a"), rules.allow("/docs/old/b")), (false, true, true));
        assert!(rules.allow("/robots.txt"));
    }

    #[test]
    fn stars_ends_and_spellings() {
        for (rule, path, expected) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/Fish", false),
            ("/fish*", "/fish", true),
            ("/*.php", "/folder/any.php.file.html", true),
            ("/*.php", "/windows.PHP", false),
            ("/*.php$", "/filename.php", true),
            ("/*.php$", "/filename.php?parameters", false),
            ("/fish*.php", "/fishheads/catfish.php?parameters", true),
            ("/*a*b*c$", "/xaxbxc", true),
            ("/*a*b*c$", "/xaxbxcx", false),
            ("/$", "/", true),
            ("/$", "/a", false),
            ("*", "/", true),
            ("/a%3cd.html", "/a%3Cd.html", true),
            ("/~joe", "/%7ejoe/x", true),
            ("/a/b", "/a%2Fb", false),
            ("/foo/bar/ツ", "/foo/bar/%E3%83%84", true),
            ("/100%", "/100%", true),
        ] {
            assert_eq!(path_matches(&normalized(rule), &normalized(path)), expected, "{rule} {path}");
        }
        let slow = format!("{}b", "*a".repeat(2_000));
        assert!(!path_matches(&slow, &"a".repeat(20_000)));
    }
}
