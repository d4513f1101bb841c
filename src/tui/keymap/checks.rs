//! Checks of the keys that the config sets.

use super::binding::Binding;
use super::key::Key;
use super::names::name;
use super::sequence::KeySequence;
use super::table::TABLE;
use crate::config::{KeyBinding, Problem};
use crate::domain::suggest::nearest;
use crate::tui::action::Action;
use crate::tui::scope::KeyScope;
use crossterm::event::KeyCode;

const ESC: Key = Key::of(KeyCode::Esc);

/// The keys that the config gives an action.
#[derive(Debug)]
pub(super) struct OwnKeys<'a> {
    setting: &'a KeyBinding,
    pub(super) binding: &'static Binding,
    pub(super) keys: Vec<KeySequence>,
}

impl OwnKeys<'_> {
    fn problem(&self, message: &str) -> Problem {
        problem(self.setting, message)
    }

    fn name(&self) -> &'static str {
        name(self.binding.action)
    }
}

fn problem(setting: &KeyBinding, message: &str) -> Problem {
    Problem { origin: setting.origin.clone(), message: format!("keys.{}: {message}", setting.action) }
}

/// Reads the actions and keys of the config, and returns the mistakes in single lines.
pub(super) fn read(settings: &[KeyBinding]) -> (Vec<OwnKeys<'_>>, Vec<Problem>) {
    let (mut own, mut problems) = (Vec::new(), Vec::new());
    for setting in settings {
        let Some(binding) = TABLE.iter().find(|binding| name(binding.action) == setting.action) else {
            let cure = match nearest(&setting.action, TABLE.iter().map(|binding| name(binding.action))) {
                Some(near) => format!("did you mean {near}?"),
                None => "`quarterdeck keys` lists all actions".to_owned(),
            };
            problems.push(problem(setting, &format!("there is no such action ({cure})")));
            continue;
        };
        if binding.action == Action::Interrupt {
            problems.push(problem(setting, "its key is always ^c"));
            continue;
        }
        let mut keys: Vec<KeySequence> = Vec::new();
        for text in &setting.keys {
            match KeySequence::parse(text).and_then(|keys| checked(binding, keys)) {
                Ok(sequence) if keys.contains(&sequence) => {}
                Ok(sequence) => keys.push(sequence),
                Err(wrong) => problems.push(problem(setting, &wrong)),
            }
        }
        own.push(OwnKeys { setting, binding, keys });
    }
    (own, problems)
}

/// Returns the keys if an action may have them wherever it works.
fn checked(binding: &Binding, sequence: KeySequence) -> Result<KeySequence, String> {
    let (keys, label) = (sequence.keys(), sequence.label(true));
    if keys.contains(&Key::INTERRUPT) {
        return Err("^c always quits, and can have no other action".to_owned());
    }
    if keys.len() > 1 && keys.contains(&ESC) {
        return Err(format!("{label}: esc leaves keys that were begun, and cannot be one of them"));
    }
    let typing = binding.scopes.list().find(|scope| scope.types_text());
    match typing.filter(|_| keys.first().is_some_and(Key::is_text)) {
        Some(scope) => {
            Err(format!("{label} is typed as text in the scope \"{}\"; use a key that types nothing", scope.word()))
        }
        None => Ok(sequence),
    }
}

/// Returns a problem for each key that the config gives two actions in one scope, and for each that is the beginning of
/// other keys.
pub(super) fn conflicts(own: &[OwnKeys<'_>]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (place, one) in own.iter().enumerate() {
        for (at, key) in one.keys.iter().enumerate() {
            let others = one.keys.iter().skip(at + 1).map(|other| (one, other, one.binding.scopes.list().next()));
            let later = own.iter().skip(place + 1).flat_map(|other| {
                let shared = one.binding.scopes.shared_with(other.binding.scopes);
                other.keys.iter().map(move |key| (other, key, shared))
            });
            for (other, other_key, shared) in others.chain(later) {
                if let Some(scope) = shared.filter(|_| key.clashes_with(other_key)) {
                    problems.push(other.problem(&clash((other, other_key), (one, key), scope)));
                }
            }
        }
    }
    problems
}

fn clash(this: (&OwnKeys<'_>, &KeySequence), earlier: (&OwnKeys<'_>, &KeySequence), scope: KeyScope) -> String {
    let (label, other) = (this.1.label(true), earlier.1.label(true));
    let (owner, scope) = (earlier.0.name(), scope.word());
    match this.1.keys().len().cmp(&earlier.1.keys().len()) {
        std::cmp::Ordering::Equal => format!("{label} is also the key of {owner}, in the scope \"{scope}\""),
        std::cmp::Ordering::Less => {
            format!("{label} is how the keys {other} of {owner} begin, in the scope \"{scope}\"")
        }
        std::cmp::Ordering::Greater => {
            format!("{label} begins with {other}, the key of {owner}, in the scope \"{scope}\"")
        }
    }
}

/// Returns a problem for each way out of the console or an overlay that has no key left.
pub(super) fn ways_out(own: &[OwnKeys<'_>], is_unbound: impl Fn(Action) -> bool) -> Vec<Problem> {
    let ways = [
        (Action::Quit, "the console could then only be interrupted with ^c"),
        (Action::Close, "help, lists and dialogs could then not be left"),
    ];
    let lost = ways.into_iter().filter(|(action, _)| is_unbound(*action));
    lost.filter_map(|(action, why)| {
        let way = name(action);
        if let Some(unbound) = own.iter().find(|own| own.binding.action == action) {
            return Some(unbound.problem(&format!("needs a key: {why}")));
        }
        let binding = super::binding(action)?;
        let key = KeySequence::one(*binding.keys.first()?);
        let label = key.label(true);
        taker(own, binding, &key)
            .map(|own| own.problem(&format!("takes {label}, the only key of {way}: {why}; set keys.{way}")))
    })
    .collect()
}

/// Returns the action of the config that needs `key`, a default key of `binding`, in one of its scopes.
pub(super) fn taker<'a>(own: &'a [OwnKeys<'a>], binding: &Binding, key: &KeySequence) -> Option<&'a OwnKeys<'a>> {
    own.iter().find(|own| {
        binding.scopes.shared_with(own.binding.scopes).is_some() && own.keys.iter().any(|other| other.clashes_with(key))
    })
}
