//! Named points at which the kill and panic tests break the program, and limits that tests on a busy machine raise.
//! Without the feature `faults` (so in every release build) a point does nothing, nothing can be armed, and a limit is
//! what its caller says.

use std::time::Duration;

#[cfg(feature = "faults")]
pub use armed::{FaultKind, arm};

/// Returns the limit `name` from the variable `QUARTERDECK_LIMIT` (`NAME:SECONDS`), or else `limit`.
#[cfg(feature = "faults")]
pub(crate) fn limit(name: &str, limit: Duration) -> Duration {
    let raised = std::env::var("QUARTERDECK_LIMIT").ok();
    let seconds = raised.as_deref().and_then(|text| text.strip_prefix(name)?.strip_prefix(':')?.parse().ok());
    seconds.map_or(limit, Duration::from_secs)
}

/// Returns `limit`: limits can be raised only with the feature `faults`.
#[cfg(not(feature = "faults"))]
pub(crate) fn limit(_name: &str, limit: Duration) -> Duration {
    limit
}

/// Carries out the first armed fault of the point `name` whose text `subject` contains; does nothing without such a
/// fault. `subject` describes what the program works on: an attempt's URL, a subscriber's name, a migration's step.
#[cfg(feature = "faults")]
pub(crate) fn point(name: &str, subject: &str) {
    armed::point(name, subject);
}

/// Does nothing: faults are compiled in only with the feature `faults`.
#[cfg(not(feature = "faults"))]
pub(crate) fn point(_name: &str, _subject: &str) {}

#[cfg(feature = "faults")]
mod armed {
    use std::sync::{LazyLock, Mutex, PoisonError};

    /// Effect of a fault on the program.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum FaultKind {
        Panic,
        /// The process aborts at once, as after a kill.
        Abort,
        /// The process is stopped, as by SIGSTOP, the first time.
        Stop,
        /// The thread does nothing for a minute, which gives a test time to look at the process.
        Sleep,
    }

    struct Fault {
        name: String,
        action: FaultKind,
        part: String,
    }

    /// The armed faults: first the one from the variable `QUARTERDECK_FAULT`, then those that tests arm. The value of
    /// the variable is `NAME:panic:PART`, or the same with `abort`, `stop` or `sleep`: NAME is the point's name, and PART
    /// is the text that the subject must contain (an empty PART fits every subject).
    static FAULTS: LazyLock<Mutex<Vec<Fault>>> = LazyLock::new(|| {
        let from_environment = std::env::var("QUARTERDECK_FAULT").ok().and_then(|text| {
            let mut words = text.splitn(3, ':');
            let (name, action) = (words.next()?.to_owned(), words.next()?);
            let action = match action {
                "abort" => FaultKind::Abort,
                "stop" => FaultKind::Stop,
                "sleep" => FaultKind::Sleep,
                _ => FaultKind::Panic,
            };
            Some(Fault { name, action, part: words.next().unwrap_or_default().to_owned() })
        });
        Mutex::new(from_environment.into_iter().collect())
    });

    /// Arms a fault at the point `name`, from now on and for every subject that contains `part`. `action` is its
    /// effect.
    pub fn arm(name: &str, action: FaultKind, part: &str) {
        let fault = Fault { name: name.to_owned(), action, part: part.to_owned() };
        FAULTS.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    }

    pub(crate) fn point(name: &str, subject: &str) {
        let action = {
            let mut faults = FAULTS.lock().unwrap_or_else(PoisonError::into_inner);
            let first = faults.iter().position(|fault| fault.name == name && subject.contains(&fault.part));
            let action = first.map(|index| (index, faults[index].action));
            if let Some((index, FaultKind::Stop)) = action {
                faults.remove(index);
            }
            action.map(|(_, action)| action)
        };
        match action {
            Some(FaultKind::Panic) => panic!("a fault at {name}"),
            Some(FaultKind::Abort) => std::process::abort(),
            Some(FaultKind::Sleep) => std::thread::sleep(std::time::Duration::from_secs(60)),
            Some(FaultKind::Stop) => {
                // A process may always send a signal to itself.
                let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                // The kernel stops this thread only a moment after the call.
                std::thread::sleep(std::time::Duration::from_secs(1));
            }
            None => {}
        }
    }
}
