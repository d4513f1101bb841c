//! Tests the language of the code: names avoid the words that the glossary rules out, no two visible types share a
//! name, and doc comments state a fact instead of asking.

use crate::docs::pages::page;
use crate::layers::sources_below;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use syn::visit::{self, Visit};
use syn::{Attribute, Ident, Visibility};

/// Names that several visible types may share, with the reason. Any other type has a unique name.
const SHARED_NAMES: [(&str, &str); 8] = [
    ("Args", "the command line of a verb, an idiom of clap"),
    ("Error", "an idiom; the module says whose"),
    ("Key", "a key of the keyboard, of a setting, of a row: the module says which"),
    ("Kind", "an idiom; the module says of what"),
    ("Options", "an idiom; the module says of what"),
    ("Result", "an idiom; the module says whose"),
    ("Row", "a row of a database, of a table on the screen"),
    ("Settings", "each module owns its own, and the configuration fills them"),
];

/// First words of a doc comment that ask, or point at something, instead of naming the item or its effect.
const POOR_OPENERS: [&str; 9] = ["What", "Whether", "How", "Who", "When", "Where", "Which", "So", "It"];

/// The most of all doc comments that may begin with one of [`POOR_OPENERS`], in percent.
const POOR_OPENERS_PERCENT: usize = 3;

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum NameKind {
    Type,
    Function,
}

#[derive(Debug)]
struct Name {
    kind: NameKind,
    text: String,
    is_visible: bool,
    has_doc: bool,
}

/// Collects the names that a file defines, except those of its tests.
#[derive(Debug, Default)]
struct Names(Vec<Name>);

impl Names {
    fn of(code: &str) -> Self {
        let mut names = Self::default();
        names.visit_file(&syn::parse_file(code).expect("the file is Rust"));
        names
    }

    fn add(&mut self, kind: NameKind, name: &Ident, visibility: Option<&Visibility>, attributes: &[Attribute]) {
        let is_visible = visibility.is_some_and(|visibility| !matches!(visibility, Visibility::Inherited));
        let has_doc = attributes.iter().any(|attribute| attribute.path().is_ident("doc"));
        self.0.push(Name { kind, text: name.to_string(), is_visible, has_doc });
    }
}

impl<'ast> Visit<'ast> for Names {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_for_tests(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.add(NameKind::Type, &item.ident, Some(&item.vis), &item.attrs);
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        self.add(NameKind::Type, &item.ident, Some(&item.vis), &item.attrs);
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        self.add(NameKind::Type, &item.ident, Some(&item.vis), &item.attrs);
        visit::visit_item_trait(self, item);
    }

    fn visit_item_type(&mut self, item: &'ast syn::ItemType) {
        self.add(NameKind::Type, &item.ident, Some(&item.vis), &item.attrs);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            self.add(NameKind::Function, &item.sig.ident, Some(&item.vis), &item.attrs);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        if !is_for_tests(&item.attrs) {
            self.add(NameKind::Function, &item.sig.ident, Some(&item.vis), &item.attrs);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.add(NameKind::Function, &item.sig.ident, None, &item.attrs);
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Splits a name into words in lower case: `HostMemory` and `host_memory` are both `host` and `memory`.
fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for c in name.chars() {
        if c == '_' || c.is_ascii_uppercase() && words.last().is_some_and(|word| !word.ends_with(char::is_uppercase)) {
            words.push(String::new());
        }
        if c != '_' {
            words.last_mut().expect("never empty").push(c);
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).map(|word| word.to_ascii_lowercase()).collect()
}

/// Returns the words that the glossary rules out, from its table of replacements.
fn banned_words() -> BTreeSet<String> {
    let page = page("architecture");
    let table = page.split_once("| not | but |").expect("the glossary has a table of banned words").1;
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| row.split('|').nth(1).expect("two columns").split(','))
        .map(|word| word.trim().trim_matches('`').to_owned())
        .collect()
}

/// Returns the sources of the program, without files that are tests.
fn sources() -> Vec<(PathBuf, String)> {
    let is_test = |path: &Path| {
        let mut stems = path.iter().filter_map(|part| Path::new(part).file_stem());
        stems.any(|stem| stem == "tests" || stem == "fuzz")
    };
    sources_below("src").into_iter().filter(|(path, _)| !is_test(path)).collect()
}

/// Returns the first word of each doc comment.
fn openers(code: &str) -> Vec<&str> {
    let mut openers = Vec::new();
    let mut within = false;
    for line in code.lines().map(str::trim_start) {
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        if let (Some(text), false) = (doc, within) {
            openers
                .extend(text.split(|c: char| c.is_whitespace() || c == ',' || c == ':').find(|word| !word.is_empty()));
        }
        within = doc.is_some();
    }
    openers
}

#[test]
fn no_name_has_a_word_that_the_glossary_rules_out() {
    let banned = banned_words();
    assert!(banned.len() > 20, "the table was read: {banned:?}");
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for name in Names::of(&code).0 {
            if let Some(word) = words_of(&name.text).into_iter().find(|word| banned.contains(word)) {
                wrong.push(format!("{}: {} ({word})", path.display(), name.text));
            }
        }
    }
    assert!(wrong.is_empty(), "{} names:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_two_visible_types_share_a_name() {
    let mut places: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for (path, code) in sources() {
        for name in Names::of(&code).0 {
            if name.kind == NameKind::Type && name.is_visible {
                places.entry(name.text).or_default().push(path.clone());
            }
        }
    }
    assert!(places.len() > 300, "the types were read");
    places.retain(|name, files| files.len() > 1 && SHARED_NAMES.iter().all(|(shared, _)| shared != name));
    assert!(places.is_empty(), "types of one name: {places:#?}");
}

#[test]
fn visible_types_have_a_doc_comment() {
    let mut bare = Vec::new();
    for (path, code) in sources() {
        let names = Names::of(&code)
            .0
            .into_iter()
            .filter(|name| name.kind == NameKind::Type && name.is_visible && !name.has_doc);
        bare.extend(names.map(|name| format!("{}: {}", path.display(), name.text)));
    }
    assert!(bare.is_empty(), "{} without one:\n{}", bare.len(), bare.join("\n"));
}

#[test]
fn doc_comments_begin_with_what_the_item_is_or_does() {
    let (mut all, mut poor) = (0, Vec::new());
    for (path, code) in sources() {
        for opener in openers(&code) {
            all += 1;
            if POOR_OPENERS.contains(&opener) {
                poor.push(format!("{}: {opener}", path.display()));
            }
        }
    }
    assert!(all > 2_000, "the comments were read: {all}");
    assert!(
        poor.len() * 100 < all * POOR_OPENERS_PERCENT,
        "{} of {all} doc comments begin with {POOR_OPENERS:?}:\n{}",
        poor.len(),
        poor.join("\n")
    );
}

#[test]
fn names_are_split_into_their_words() {
    assert_eq!(words_of("HostMemory"), ["host", "memory"]);
    assert_eq!(words_of("look_now"), ["look", "now"]);
    assert_eq!(words_of("URLs"), ["urls"]);
    assert_eq!(words_of("x"), ["x"]);
}

#[test]
fn names_and_openers_are_found_where_they_are() {
    let code = "//! What.\n\n/// A told thing.\n/// How.\npub(crate) struct Told { x: u8 }\nimpl Told { fn tell(&self) {} }\n\
                #[cfg(test)]\nmod tests { struct Seen; fn say() {} }\n#[test]\nfn hear() {}\ntrait Deaf { fn meet(); }\n";
    let names = Names::of(code);
    let found: Vec<_> = names.0.iter().map(|name| (name.kind, name.text.as_str(), name.is_visible)).collect();
    assert_eq!(
        found,
        [
            (NameKind::Type, "Told", true),
            (NameKind::Function, "tell", false),
            (NameKind::Type, "Deaf", false),
            (NameKind::Function, "meet", false),
        ]
    );
    assert_eq!(openers(code), ["What.", "A"]);
    assert_eq!(openers("    /// Whether: it\n    x\n/// Is\n"), ["Whether", "Is"]);
}
