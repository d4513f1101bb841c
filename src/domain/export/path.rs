//! Paths of exported files: those of the URLs, as far as every file system can have them.
//!
//! A path is a function of the document alone, so that an export needs no memory of other documents, and two documents
//! never have the same one. A *plain* URL keeps its own words: lower-case letters, digits and `-_.` in short names. Any
//! other gets a name made of its letters and digits, followed by `~` and the document's id; no plain name has a `~`.
//! Names of folders never end in `.md`, and those of files always do, so neither takes the other's place.

use crate::domain::id::{AssistantId, DocumentId};
use std::fmt;
use thiserror::Error;
use url::Url;

/// Longest name of a folder, and of a file without its ending, in bytes.
const MAX_NAME: usize = 80;
/// Longest path in bytes, without the name of the file. Windows allows 260 for all, with the folder of the export.
const MAX_FOLDERS: usize = 110;
const ENDING: &str = ".md";
/// The assistant whose documents need no folder of their own: without Chatwoot, every document is its.
const ONLY_ASSISTANT: AssistantId = AssistantId(1);

/// Path of a file below the folder of an export: names of folders, then that of the file. Each is a name that is neither
/// special nor hidden on any file system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportPath(Vec<String>);

/// Error for a text that is no path of an exported file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is no path of an exported file")]
pub struct InvalidPath;

impl ExportPath {
    /// Returns the path of a document.
    pub fn of(url: &str, document: DocumentId, assistant: AssistantId) -> Self {
        let mut names = Vec::new();
        let mut is_plain = true;
        if assistant != ONLY_ASSISTANT {
            names.push(format!("assistant-{assistant}"));
        }
        let mut stem = "page".to_owned();
        match Url::parse(url).ok().filter(|url| url.has_host()) {
            Some(parsed) => {
                // Two texts of one URL are two documents; at most one of them has the form in which it is stored.
                let stored = parsed.as_str();
                is_plain &= stored.strip_suffix('/').unwrap_or(stored) == url;
                // A port follows a `_`.
                is_plain &= parsed.host_str().is_some_and(|host| !host.contains('_'));
                names.push(folder_name(kept(&host_name(&parsed), &mut is_plain), &mut is_plain));
                let mut parts: Vec<&str> = parsed.path().split('/').skip(1).collect();
                let last = parts.pop().unwrap_or_default();
                for part in parts {
                    let name = folder_name(kept(part, &mut is_plain), &mut is_plain);
                    if names.iter().map(|name: &String| name.len() + 1).sum::<usize>() + name.len() > MAX_FOLDERS {
                        is_plain = false;
                        break;
                    }
                    names.push(name);
                }
                // The page of a folder, for which no other page may be taken.
                is_plain &= last != "index";
                stem = if last.is_empty() { "index".to_owned() } else { kept(last, &mut is_plain) };
                is_plain &= !(last.is_empty() && parsed.path() != "/");
                if let Some(query) = parsed.query() {
                    is_plain = false;
                    stem = cut(&format!("{stem}_{}", kept(query, &mut is_plain)));
                }
                is_plain &= parsed.fragment().is_none();
            }
            // The name of an attached file of Chatwoot, or what somebody has written into the database.
            None => {
                names.push("_".to_owned());
                is_plain = false;
                stem = cut(&format!("{stem}_{}", kept(url, &mut is_plain)));
            }
        }
        names.push(if is_plain { format!("{stem}{ENDING}") } else { format!("{stem}~{document}{ENDING}") });
        Self(names)
    }

    /// Reads a path that was printed. The text may come from a file that somebody has changed, so every name is checked.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let names: Vec<String> = text.split('/').map(str::to_owned).collect();
        let is_file = names.len() > 1 && names.last().is_some_and(|name| name.ends_with(ENDING));
        let is_safe = |name: &String| {
            let special = name.is_empty() || name.starts_with('.') || name.len() > 255;
            !special && name.chars().all(|c| c.is_alphanumeric() || "-_.~".contains(c))
        };
        if is_file && names.iter().all(is_safe) { Ok(Self(names)) } else { Err(InvalidPath) }
    }

    /// Returns the names of the folders, the outermost first.
    pub fn folders(&self) -> &[String] {
        self.0.split_last().map_or(&[], |(_, folders)| folders)
    }

    /// Returns the name of the file.
    pub fn file(&self) -> &str {
        self.0.last().map_or("", String::as_str)
    }
}

impl fmt::Display for ExportPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("/"))
    }
}

/// Returns the host with its port where that is not the usual one of https. No two origins have the same.
fn host_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match (url.scheme(), url.port()) {
        ("https", None) => host.to_owned(),
        ("https", Some(port)) => format!("{host}_{port}s"),
        (_, port) => format!("{host}_{}", port.unwrap_or(80)),
    }
}

/// Returns a name made of `part`, a piece of a URL. Sets `is_plain` to false unless it is `part` itself.
fn kept(part: &str, is_plain: &mut bool) -> String {
    let decoded = percent_decoded(part);
    let mut name = String::with_capacity(decoded.len());
    for c in decoded.chars() {
        name.push(if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' });
    }
    let mut name = cut(&name);
    // A hidden name, `.`, `..`, and what Windows cuts off.
    if name.starts_with('.') {
        name.replace_range(..1, "_");
    }
    while name.ends_with('.') {
        name.pop();
        name.push('_');
    }
    if name.is_empty() || is_reserved(&name) || name.starts_with("assistant-") {
        name.insert(0, '_');
    }
    let is_lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte);
    *is_plain &= name == part && part.bytes().all(is_lower);
    name
}

/// Returns a name that is not one of a file.
fn folder_name(name: String, is_plain: &mut bool) -> String {
    if !name.to_lowercase().ends_with(ENDING) {
        return name;
    }
    *is_plain = false;
    format!("{name}_")
}

/// Cuts a name off on a character boundary.
fn cut(name: &str) -> String {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// Returns true for names that are devices on Windows, with any ending.
fn is_reserved(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = |kind: &str| {
        stem.strip_prefix(kind).is_some_and(|number| {
            // Superscript digits count, too.
            matches!(number, "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "¹" | "²" | "³")
        })
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul" | "conin$" | "conout$") || numbered("com") || numbered("lpt")
}

/// Replaces percent encodings; what is then not UTF-8 becomes U+FFFD.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digit = |index: usize| after.get(index).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'_'));
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn path(url: &str) -> String {
        ExportPath::of(url, DocumentId(7), AssistantId(1)).to_string()
    }

    #[test]
    fn plain_urls_keep_their_words_and_others_get_the_id() {
        for (url, expected) in [
            ("https://example.org", "example.org/index"),
            ("https://example.org/guide/install", "example.org/guide/install"),
            ("https://example.org/a.html", "example.org/a.html"),
            ("https://example.org:8443/a", "example.org_8443s/a"),
            ("http://example.org/a", "example.org_80/a"),
            ("http://127.0.0.1:8080/a", "127.0.0.1_8080/a"),
            ("https://example.org/index", "example.org/index~7"),
            ("https://example.org/About", "example.org/About~7"),
            ("https://example.org/API/v1", "example.org/API/v1~7"),
            ("https://example.org/a%2Emd/b", "example.org/a%_/b~7"),
            ("https://example.org/a?page=2&x=%2F..%2F", "example.org/a_page_2_x__.._~7"),
            ("https://example.org/%C3%BCber", "example.org/über~7"),
            ("https://example.org/a%00b%1b%e2%80%ae", "example.org/a_b__~7"),
            ("https://example.org/%2e%2e/%2e%2e%2fetc%2fpasswd", "example.org/_._etc_passwd~7"),
            ("https://example.org/con/NUL.txt", "example.org/_con/_NUL.txt~7"),
            ("https://example.org/a./b%20", "example.org/a_/b_~7"),
            ("https://example.org/", "example.org/index~7"),
            ("HTTPS://example.org/a", "example.org/a~7"),
            ("https://example.org//a", "example.org/_/a~7"),
            ("https://[::1]/a", "___1_/a~7"),
            ("https://assistant-7/a", "_assistant-7/a~7"),
            ("https://con/a", "_con/a~7"),
            ("PDF: hand/book.pdf", "_/page_PDF__hand_book.pdf~7"),
            ("", "_/page__~7"),
        ] {
            let expected = expected.replace('%', ENDING);
            assert_eq!(path(url), format!("{expected}{ENDING}"), "{url}");
        }
        let other = ExportPath::of("https://example.org/a", DocumentId(7), AssistantId(3));
        assert_eq!(other.to_string(), format!("assistant-3/example.org/a{ENDING}"));
    }

    #[test]
    fn long_urls_are_cut() {
        let long = path(&format!("https://example.org/{}/{}", vec!["folder"; 60].join("/"), "ü".repeat(400)));
        assert!(long.len() < 250 && long.ends_with(&format!("~7{ENDING}")), "{long}");
    }

    #[test]
    fn only_paths_of_exported_files_are_read() {
        let wrong = ["", "a#", "../a#", "a/../b#", "/etc/a#", "a//b#", "a/.git#", ".a/b#", "a/b", "a/b\n#", "a\\b/c#"];
        for wrong in wrong.map(|path| path.replace('#', ENDING)) {
            assert_eq!(ExportPath::parse(&wrong), Err(InvalidPath), "{wrong}");
        }
    }

    /// URLs that are made to collide: the same letters in both cases, encodings, endings.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[aA]{1,2}",
            Just("%61".to_owned()),
            Just("index".to_owned()),
            Just(format!("a{ENDING}")),
            Just(format!("A{}", ENDING.to_uppercase())),
            Just("con".to_owned()),
            Just("..".to_owned()),
            Just("a~1".to_owned()),
            Just("a.".to_owned()),
            Just(String::new()),
            "[ -~]{0,5}",
            "\\PC{0,3}",
        ];
        let host =
            prop_oneof![Just("a"), Just("a.test"), Just("assistant-2"), Just("a:80"), Just("a:443"), Just("[::1]")];
        (host, any::<bool>(), proptest::collection::vec(piece, 0..5)).prop_map(|(host, secure, pieces)| {
            let scheme = if secure { "https" } else { "http" };
            format!("{scheme}://{host}/{}", pieces.join("/"))
        })
    }

    proptest! {
        #[test]
        fn no_two_documents_have_the_same_path_on_any_file_system(
            urls in proptest::collection::vec((hostile(), 1..3_i64), 1..40)
        ) {
            // A store has each URL once per assistant, in its stored form.
            let mut stored = BTreeMap::new();
            for (url, assistant) in urls {
                if let Ok(link) = crate::domain::link::Link::parse(&url) {
                    let next = stored.len() as i64 + 1;
                    stored.entry((link.as_str().to_owned(), assistant)).or_insert(next);
                }
            }
            let mut names = BTreeMap::new();
            for ((url, assistant), id) in &stored {
                let path = ExportPath::of(url, DocumentId(*id), AssistantId(*assistant));
                let folded = path.to_string().to_lowercase();
                for (at, _) in folded.match_indices('/') {
                    let before = names.insert(folded[..at].to_owned(), None);
                    prop_assert!(before.is_none_or(|file: Option<String>| file.is_none()), "a folder and a file: {folded}");
                }
                let before = names.insert(folded.clone(), Some(url.clone()));
                prop_assert!(before.is_none(), "{url} and {before:?} are {folded}");
            }
        }

        #[test]
        fn a_path_stays_below_its_folder_and_is_read_back(url in prop_oneof![hostile(), "\\PC{0,400}"], id in 1..i64::MAX) {
            let path = ExportPath::of(&url, DocumentId(id), AssistantId(1));
            prop_assert_eq!(ExportPath::parse(&path.to_string()), Ok(path.clone()));
            prop_assert!(path.to_string().len() < 260);
            for name in path.folders().iter().map(String::as_str).chain([path.file()]) {
                prop_assert!(!name.is_empty() && !name.starts_with('.') && !name.ends_with(['.', ' ']), "{name}");
                prop_assert!(!is_reserved(name) && name.len() < 120, "{name}");
                prop_assert!(!name.contains(|c: char| c.is_control() || "/\\:*?\"<>|".contains(c)), "{name}");
            }
        }
    }
}
