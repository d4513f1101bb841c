//! Reads from a Rust source the modules that it names: declared modules and items, `use` declarations and paths in
//! expressions. Comments, literals and test modules are left out. The reader knows tokens and no grammar, so it also
//! reads a source that does not compile, as far as possible.

use std::collections::BTreeSet;

/// The source of one module; each inline module has its own.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// Inline modules, with their names.
    pub inline: Vec<(String, Source)>,
    /// Modules declared for tests alone, in files of their own.
    pub test_files: BTreeSet<String>,
    /// Functions, types, constants and macros declared here.
    pub items: BTreeSet<String>,
    pub uses: Vec<Use>,
    /// Paths of two segments or more outside of `use` declarations.
    pub paths: BTreeSet<Vec<String>>,
    /// Every identifier outside of `use` declarations.
    pub words: BTreeSet<String>,
}

/// One name that a `use` declaration brings in.
#[derive(Debug, PartialEq, Eq)]
pub struct Use {
    pub path: Vec<String>,
    /// The name in this module; `*` for a glob import.
    pub name: String,
    /// Visible outside this module: a re-export.
    pub exported: bool,
}

impl Source {
    pub fn read(text: &str) -> Self {
        let tokens = tokens(text);
        let mut source = Self::default();
        source.read_tokens(&tokens);
        source
    }

    fn read_tokens(&mut self, tokens: &[Token]) {
        let (mut at, mut depth, mut exported, mut for_tests) = (0, 0, false, false);
        while at < tokens.len() {
            let rest = &tokens[at..];
            let length = match rest {
                [Token::Mark('#'), Token::Mark('['), ..] | [Token::Mark('#'), Token::Mark('!'), ..] => {
                    let attribute = &rest[..1 + group_from(&rest[1..])];
                    for_tests |= is_for_tests(&words(attribute));
                    at += attribute.len();
                    continue;
                }
                [Token::Word(word), ..] if word == "pub" => {
                    exported = true;
                    at += if matches!(rest.get(1), Some(Token::Mark('('))) { 1 + group_from(&rest[1..]) } else { 1 };
                    continue;
                }
                [Token::Word(word), Token::Word(name), Token::Mark(';'), ..] if word == "mod" => {
                    if for_tests {
                        self.test_files.insert(name.clone());
                    }
                    3
                }
                [Token::Word(word), Token::Word(name), Token::Mark('{'), ..] if word == "mod" => {
                    let block = group_from(&rest[2..]);
                    if !for_tests {
                        let mut inline = Self::default();
                        inline.read_tokens(&rest[3..1 + block]);
                        self.inline.push((name.clone(), inline));
                    }
                    2 + block
                }
                _ if for_tests => item_length(rest),
                [Token::Word(word), ..] if word == "use" => {
                    let end = rest.iter().position(|token| *token == Token::Mark(';')).unwrap_or(rest.len());
                    read_use(&rest[1..end], &mut Vec::new(), exported, &mut self.uses);
                    end + 1
                }
                [Token::Word(word), ..] => {
                    self.words.insert(word.clone());
                    if depth == 0 {
                        self.items.extend(declared(rest));
                    }
                    let follows_path = at > 0 && tokens[at - 1] == Token::Path;
                    if !follows_path {
                        let path = path(rest);
                        if path.len() > 1 {
                            self.paths.insert(path);
                        }
                    }
                    1
                }
                [Token::Mark(mark), ..] => {
                    depth += i32::from("{([".contains(*mark)) - i32::from("})]".contains(*mark));
                    1
                }
                _ => 1,
            };
            (exported, for_tests) = (false, false);
            at += length;
        }
    }
}

/// Returns true if an attribute with these words excludes the next item from the program.
fn is_for_tests(attribute: &[&str]) -> bool {
    attribute.first() == Some(&"cfg") && attribute.contains(&"test") && !attribute.contains(&"not")
}

/// Returns the item that is declared at the start of the tokens.
fn declared(tokens: &[Token]) -> Option<String> {
    let [Token::Word(kind), rest @ ..] = tokens else { return None };
    let name = match (kind.as_str(), rest) {
        ("fn" | "struct" | "enum" | "trait" | "type" | "union" | "static", [Token::Word(name), ..]) => name,
        ("const", [Token::Word(name), ..]) if name != "fn" && name != "unsafe" => name,
        ("macro_rules", [Token::Mark('!'), Token::Word(name), ..]) => name,
        _ => return None,
    };
    Some(name.clone())
}

/// Returns the path at the start of the tokens.
fn path(tokens: &[Token]) -> Vec<String> {
    let mut path = Vec::new();
    for pair in tokens.chunks(2) {
        let Token::Word(word) = &pair[0] else { break };
        path.push(word.clone());
        if pair.get(1) != Some(&Token::Path) {
            break;
        }
    }
    path
}

/// Adds the names of one tree of a `use` declaration, whose path so far is `prefix`.
fn read_use(tokens: &[Token], prefix: &mut Vec<String>, exported: bool, uses: &mut Vec<Use>) {
    let before = prefix.len();
    let mut at = 0;
    let mut name = None;
    while at < tokens.len() {
        match &tokens[at] {
            Token::Word(word) if word == "as" => {
                name = words(&tokens[at + 1..]).first().map(|word| (*word).to_owned());
                break;
            }
            Token::Word(word) => prefix.push(word.clone()),
            Token::Mark('*') => name = Some("*".to_owned()),
            Token::Mark('{') => {
                let end = at + group_from(&tokens[at..]);
                for tree in split_at_commas(&tokens[at + 1..end - 1]) {
                    read_use(tree, prefix, exported, uses);
                }
                prefix.truncate(before);
                return;
            }
            _ => {}
        }
        at += 1;
    }
    if before > 0 && prefix.len() > before && prefix.last().is_some_and(|last| last == "self") {
        prefix.pop();
    }
    if let Some(name) = name.or_else(|| prefix.last().cloned()) {
        uses.push(Use { path: prefix.clone(), name, exported });
    }
    prefix.truncate(before);
}

/// Splits at the commas that are in no inner group.
fn split_at_commas(tokens: &[Token]) -> Vec<&[Token]> {
    let (mut parts, mut start, mut at) = (Vec::new(), 0, 0);
    while at < tokens.len() {
        match tokens[at] {
            Token::Mark(',') => {
                parts.push(&tokens[start..at]);
                at += 1;
                start = at;
            }
            Token::Mark('{') => at += group_from(&tokens[at..]),
            _ => at += 1,
        }
    }
    parts.push(&tokens[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// Returns the length of the item at the start of the tokens: to its `;`, or to the end of its block.
fn item_length(tokens: &[Token]) -> usize {
    let is_use = tokens.first() == Some(&Token::Word("use".to_owned()));
    let ends = |token: &Token| *token == Token::Mark(';') || (!is_use && *token == Token::Mark('{'));
    match tokens.iter().position(ends) {
        Some(end) if tokens[end] == Token::Mark('{') => end + group_from(&tokens[end..]),
        Some(end) => end + 1,
        None => tokens.len(),
    }
}

/// Returns the length of the bracketed group that begins among the first tokens.
fn group_from(tokens: &[Token]) -> usize {
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Mark(mark) = token {
            depth += i32::from("{([".contains(*mark)) - i32::from("})]".contains(*mark));
            if depth == 0 && "})]".contains(*mark) {
                return at + 1;
            }
        }
    }
    tokens.len()
}

fn words(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().filter_map(Token::word).collect()
}

/// A token; literals, lifetimes and comments are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    /// An identifier or a keyword.
    Word(String),
    Path,
    Mark(char),
}

impl Token {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Path | Self::Mark(_) => None,
        }
    }
}

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let next = |n: usize| chars.get(at + n).copied().unwrap_or(' ');
        match chars[at] {
            '/' if next(1) == '/' => at = end_of(&chars, at, |rest| rest[0] == '\n'),
            '/' if next(1) == '*' => at = after_comment(&chars, at),
            '"' => at = after_string(&chars, at),
            '\'' if next(1) == '\\' || next(2) == '\'' => at = after_char(&chars, at),
            // A lifetime.
            '\'' => at = end_of(&chars, at + 1, |rest| !is_word(rest[0])),
            ':' if next(1) == ':' => {
                tokens.push(Token::Path);
                at += 2;
            }
            c if is_word(c) => {
                let end = end_of(&chars, at, |rest| !is_word(rest[0]));
                let word: String = chars[at..end].iter().collect();
                let follows = chars.get(end).copied().unwrap_or(' ');
                at = match (word.as_str(), follows) {
                    ("b" | "c", '"') => after_string(&chars, end),
                    ("b", '\'') => after_char(&chars, end),
                    ("r" | "br" | "cr", '"' | '#') if is_raw_string(&chars[end..]) => after_raw_string(&chars, end),
                    ("r", '#') => end + 1,
                    _ => {
                        if !c.is_ascii_digit() {
                            tokens.push(Token::Word(word));
                        }
                        end
                    }
                };
            }
            c if c.is_whitespace() => at += 1,
            c => {
                tokens.push(Token::Mark(c));
                at += 1;
            }
        }
    }
    tokens
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the first index from `at` on where `stops` is true, or the end.
fn end_of(chars: &[char], at: usize, stops: impl Fn(&[char]) -> bool) -> usize {
    (at..chars.len()).find(|place| stops(&chars[*place..])).unwrap_or(chars.len())
}

fn after_comment(chars: &[char], at: usize) -> usize {
    let (mut at, mut depth) = (at, 0);
    while at < chars.len() {
        match chars[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Returns the index after the literal whose opening quote is at `at`.
fn after_quoted(chars: &[char], at: usize, quote: char) -> usize {
    let mut at = at + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

fn after_string(chars: &[char], at: usize) -> usize {
    after_quoted(chars, at, '"')
}

fn after_char(chars: &[char], at: usize) -> usize {
    after_quoted(chars, at, '\'')
}

fn is_raw_string(chars: &[char]) -> bool {
    chars.iter().find(|c| **c != '#') == Some(&'"')
}

fn after_raw_string(chars: &[char], at: usize) -> usize {
    let hashes = chars[at..].iter().take_while(|c| **c == '#').count();
    let closes = |rest: &[char]| rest[0] == '"' && rest.len() > hashes && rest[1..=hashes].iter().all(|c| *c == '#');
    (end_of(chars, at + hashes + 1, closes) + 1 + hashes).min(chars.len())
}

#[test]
fn comments_literals_and_lifetimes_are_no_paths() {
    let source = Source::read(
        r####"
        //! crate::a
        /* crate::b /* crate::c */ crate::d */
        fn f<'crate_>(x: &'static str) -> char {
            let _ = ("crate::e \" crate::f", r#"crate::g " crate::h"#, b"crate::i", 'x', '\'', b'"', '"');
            r#crate::real(x)
        }
        "####,
    );
    let paths: Vec<_> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::real"]);
}

#[test]
fn a_use_declaration_is_one_path_for_each_name() {
    let source = Source::read(
        "use std::fmt;
         pub(crate) use super::a::{self, b::{C, D as E}, f::*};
         fn g() { use self::h::I; }",
    );
    let uses: Vec<_> = source.uses.iter().map(|one| (one.path.join("::"), one.name.as_str(), one.exported)).collect();
    assert_eq!(
        uses,
        [
            ("std::fmt".to_owned(), "fmt", false),
            ("super::a".to_owned(), "a", true),
            ("super::a::b::C".to_owned(), "C", true),
            ("super::a::b::D".to_owned(), "E", true),
            ("super::a::f".to_owned(), "*", true),
            ("self::h::I".to_owned(), "I", false),
        ]
    );
}

#[test]
fn items_are_those_of_the_module_itself() {
    let source = Source::read(
        "pub const fn a() { fn inner() {} }
         const B: [u8; 2] = [0; 2];
         pub(super) struct C<T>(T);
         impl<T> C<T> { pub fn method() {} const D: u8 = 0; }
         macro_rules! e { () => {} }
         mod f { pub enum G {} }",
    );
    assert_eq!(source.items.iter().collect::<Vec<_>>(), ["B", "C", "a", "e"]);
    let [(name, inline)] = &source.inline[..] else { panic!("one inline module: {source:?}") };
    assert_eq!(name, "f");
    assert_eq!(inline.items.iter().collect::<Vec<_>>(), ["G"]);
}

#[test]
fn code_for_tests_alone_is_left_out() {
    let source = Source::read(
        "fn a() { crate::real() }
         #[cfg(test)] mod tests { use crate::b; fn c() { crate::d() } }
         #[cfg(test)] mod far;
         #[cfg(test)] fn e() { crate::f() }
         #[cfg(all(test, unix))] use crate::{g, h};
         #[cfg(not(test))] fn j() { crate::real_too() }
         #[cfg(unix)] fn i() { crate::also_real() }",
    );
    let paths: Vec<_> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::also_real", "crate::real", "crate::real_too"]);
    assert!(source.uses.is_empty() && source.inline.is_empty(), "{source:?}");
    assert_eq!(source.test_files.iter().collect::<Vec<_>>(), ["far"]);
}

#[test]
fn a_path_ends_where_its_names_end() {
    let source = Source::read("fn a() -> Vec<super::B> { crate::c::D::<u8>::new().e; x::<crate::F>::G }");
    let paths: Vec<_> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(paths, ["crate::F", "crate::c::D", "super::B"]);
}
