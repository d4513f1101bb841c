//! The graph of the modules of a crate: which module names which, with re-exports resolved, and the cycles in it.
//!
//! Every path counts that begins with `crate`, `super`, `self`, a module declared here or a name imported by `use`. A
//! path that goes through a re-export names the module that defines the item. A re-export alone is no dependency: it
//! counts only when the module uses the name it exports.

use super::source::{Source, Use};
use std::collections::{BTreeMap, BTreeSet};

/// The modules of a crate by their paths, without `crate::`; the root's path is empty.
#[derive(Debug, Default)]
pub struct Modules(BTreeMap<String, Module>);

#[derive(Debug)]
struct Module {
    source: Source,
    children: BTreeSet<String>,
}

/// Result of resolving a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Module(String),
    /// An item that a module defines.
    Item(String),
}

impl Target {
    fn module(self) -> String {
        match self {
            Self::Module(module) | Self::Item(module) => module,
        }
    }
}

/// Names that are being resolved: a name that refers to itself has no target.
type Visited = BTreeSet<(String, String)>;

impl Modules {
    /// Builds the modules from sources by their paths, such as `store::sql`.
    pub fn of(sources: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut modules = Self::default();
        for (path, text) in sources {
            modules.insert(path, Source::read(&text));
        }
        let tests: Vec<String> = modules
            .0
            .iter()
            .flat_map(|(path, module)| module.source.test_files.iter().map(move |name| below(path, name)))
            .collect();
        let is_test = |path: &str| tests.iter().any(|test| path == test || path.starts_with(&format!("{test}::")));
        modules.0.retain(|path, _| !is_test(path));
        let paths: Vec<String> = modules.0.keys().filter(|path| !path.is_empty()).cloned().collect();
        for path in paths {
            let (parent, name) = path.rsplit_once("::").unwrap_or(("", &path));
            if let Some(parent) = modules.0.get_mut(parent) {
                parent.children.insert(name.to_owned());
            }
        }
        modules
    }

    fn insert(&mut self, path: String, mut source: Source) {
        for (name, inline) in std::mem::take(&mut source.inline) {
            self.insert(below(&path, &name), inline);
        }
        self.0.insert(path, Module { source, children: BTreeSet::new() });
    }

    /// Returns each module with the modules that it depends on.
    pub fn dependencies(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.0.keys().map(|path| (path.clone(), self.dependencies_of(path))).collect()
    }

    fn dependencies_of(&self, path: &str) -> BTreeSet<String> {
        let source = &self.0[path].source;
        let counts = |one: &&Use| !one.exported || source.words.contains(&one.name);
        let used = source.uses.iter().filter(counts).map(|one| &one.path);
        let targets = used.chain(&source.paths).filter_map(|names| self.resolve(path, names, &mut Visited::new()));
        targets.map(Target::module).filter(|module| module != path).collect()
    }

    /// Resolves the path `names` in the module `from`; `None` if that is outside this crate.
    fn resolve(&self, from: &str, names: &[String], visited: &mut Visited) -> Option<Target> {
        let (first, mut rest) = names.split_first()?;
        let mut at = match first.as_str() {
            "crate" => String::new(),
            "self" => from.to_owned(),
            "super" => parent(from)?,
            _ => match self.lookup(from, first, visited)? {
                Target::Module(module) => module,
                // A type contains no modules.
                item @ Target::Item(_) => return Some(item),
            },
        };
        while let Some((name, others)) = rest.split_first() {
            if name == "super" {
                at = parent(&at)?;
            } else {
                match self.lookup(&at, name, visited) {
                    Some(Target::Module(module)) => at = module,
                    Some(item) => return Some(item),
                    // An item that a macro defines.
                    None => return Some(Target::Item(at)),
                }
            }
            rest = others;
        }
        Some(Target::Module(at))
    }

    /// Resolves `name` in the module at `path`.
    fn lookup(&self, path: &str, name: &str, visited: &mut Visited) -> Option<Target> {
        let module = self.0.get(path)?;
        if module.children.contains(name) {
            return Some(Target::Module(below(path, name)));
        }
        if module.source.items.contains(name) {
            return Some(Target::Item(path.to_owned()));
        }
        if !visited.insert((path.to_owned(), name.to_owned())) {
            return None;
        }
        if let Some(named) = module.source.uses.iter().find(|one| one.name == name) {
            return self.resolve(path, &named.path, visited);
        }
        let globs = module.source.uses.iter().filter(|one| one.name == "*");
        globs.filter_map(|glob| self.resolve(path, &glob.path, visited)).collect::<Vec<_>>().into_iter().find_map(
            |within| match within {
                Target::Module(module) => self.lookup(&module, name, visited),
                Target::Item(_) => None,
            },
        )
    }
}

/// Returns the sets of modules that all depend on each other, the largest first; modules in no cycle are left out.
pub fn cycles(dependencies: &BTreeMap<String, BTreeSet<String>>) -> Vec<BTreeSet<String>> {
    let reachable: BTreeMap<&String, BTreeSet<&String>> =
        dependencies.keys().map(|start| (start, reachable_from(start, dependencies))).collect();
    let mut cycles = BTreeSet::new();
    for (module, reached) in &reachable {
        if reached.contains(module) {
            let back = |other: &&&String| reachable[**other].contains(module);
            cycles.insert(reached.iter().filter(back).map(|other| (*other).clone()).collect::<BTreeSet<String>>());
        }
    }
    let mut cycles: Vec<_> = cycles.into_iter().collect();
    cycles.sort_by_key(|cycle| std::cmp::Reverse(cycle.len()));
    cycles
}

fn reachable_from<'a>(start: &'a String, dependencies: &'a BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut ahead = vec![start];
    while let Some(module) = ahead.pop() {
        ahead.extend(dependencies.get(module).into_iter().flatten().filter(|other| reached.insert(*other)));
    }
    reached
}

fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

fn parent(path: &str) -> Option<String> {
    if path.is_empty() { None } else { Some(path.rsplit_once("::").map_or("", |(parent, _)| parent).to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(sources: &[(&str, &str)]) -> Modules {
        Modules::of(sources.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())))
    }

    fn named_by(module: &str, sources: &[(&str, &str)]) -> Vec<String> {
        modules(sources).dependencies()[module].iter().cloned().collect()
    }

    #[test]
    fn a_path_through_a_re_export_names_the_module_that_defines_the_item() {
        let sources = [
            ("", "mod a; mod b;"),
            ("a", "mod deep; mod deeper; pub use deep::{Renamed as Thing}; pub use self::deeper::*;"),
            ("a::deep", "pub use super::deeper::Original as Renamed;"),
            ("a::deeper", "pub struct Original; pub fn free() {}"),
            ("b", "use crate::a::Thing; fn f() { super::a::free() }"),
        ];
        assert_eq!(named_by("b", &sources), ["a::deeper"]);
    }

    #[test]
    fn a_re_export_counts_for_a_module_that_uses_the_name_itself() {
        let door = ("door", "mod a; mod b; pub use a::A; pub use b::B; fn f() -> A {}");
        let sources = [("", "mod door;"), door, ("door::a", "pub struct A;"), ("door::b", "pub struct B;")];
        assert_eq!(named_by("door", &sources), ["door::a"]);
    }

    #[test]
    fn names_that_were_brought_in_lead_on() {
        let sources = [
            ("", "mod a; mod b;"),
            ("a", "pub mod deep;"),
            ("a::deep", "pub fn f() {}"),
            ("b", "use crate::a; fn g() { a::deep::f() }"),
        ];
        assert_eq!(named_by("b", &sources), ["a", "a::deep"]);
    }

    #[test]
    fn other_crates_types_of_the_same_module_and_names_that_lead_to_themselves_are_nothing() {
        let source = "use std::fmt; use round::round; enum E { V } fn f() { E::V; fmt::Error; self::g() } fn g() {}";
        assert_eq!(named_by("a", &[("", "mod a;"), ("a", source)]), [""; 0]);
    }

    #[test]
    fn super_goes_up_from_inline_modules_too() {
        let sources = [
            ("", "mod a; mod b;"),
            ("a", "mod inline { use super::super::b::B; fn f() { super::g() } } fn g() {}"),
            ("b", "pub struct B;"),
        ];
        assert_eq!(named_by("a::inline", &sources), ["a", "b"]);
    }

    #[test]
    fn files_of_tests_are_no_modules() {
        let sources = [("", "mod a;"), ("a", "#[cfg(test)] mod tests;"), ("a::tests", "use crate::a;")];
        assert_eq!(modules(&sources).dependencies().into_keys().collect::<Vec<_>>(), ["", "a"]);
    }

    #[test]
    fn a_cycle_is_all_that_depend_on_each_other() {
        let sources = [
            ("", "mod a; mod b; mod c; mod d; mod e;"),
            ("a", "use crate::b::B; pub struct A;"),
            ("b", "use crate::c::C; pub struct B;"),
            ("c", "use crate::a::A; use crate::d::D; pub struct C;"),
            ("d", "use crate::e::E; pub struct D;"),
            ("e", "use crate::d::D; pub struct E;"),
        ];
        let cycles = cycles(&modules(&sources).dependencies());
        let names: Vec<Vec<&str>> = cycles.iter().map(|cycle| cycle.iter().map(String::as_str).collect()).collect();
        assert_eq!(names, [vec!["a", "b", "c"], vec!["d", "e"]]);
    }
}
