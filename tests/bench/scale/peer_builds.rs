//! Builds of the other job runners, in `tests/bench/peers`: the ones in Rust by cargo, the ones for Node by npm. What is
//! built or installed is in the folder of the builds, below `peers`.

use super::peers::Language;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Oldest Node that all of its runners accept, as major and minor version.
const OLDEST_NODE: (u32, u32) = (22, 18);
/// The Node that is used in place of an older one.
const NODE: &str = "22.23.3";

/// Beginnings of the names of variables that cargo sets for the benchmark, and for nothing that it builds.
const OF_BENCHMARK: [&str; 5] = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"];

/// Commands that start the programs with the runners, or why one is missing.
pub struct Builds(Vec<(Language, Result<Vec<String>, String>)>);

impl Builds {
    /// Builds the programs of the languages that are needed.
    pub fn make(is_needed: impl Fn(Language) -> bool) -> Self {
        let needed = [Language::Rust, Language::Node].into_iter().filter(|language| is_needed(*language));
        let build = |language| match language {
            Language::Rust => with_cargo(),
            Language::Node => with_npm(),
        };
        Self(needed.map(|language| (language, build(language))).collect())
    }

    /// Returns a line for each program that could not be built.
    pub fn notes(&self) -> Vec<String> {
        let note = |(language, build): &(Language, Result<_, String>)| {
            let what = match language {
                Language::Rust => "apalis, no awa",
                Language::Node => "graphile-worker, no pg-boss",
            };
            build.as_ref().err().map(|failure| format!("no {what}: {failure}"))
        };
        self.0.iter().filter_map(note).collect()
    }

    /// Returns true if the runners in this language can be run.
    pub fn has(&self, language: Language) -> bool {
        !self.command(language).is_empty()
    }

    /// Returns the first words of the command line; none if the runners cannot be run.
    pub fn command(&self, language: Language) -> &[String] {
        let found = self.0.iter().find(|(known, _)| *known == language);
        found.and_then(|(_, build)| build.as_deref().ok()).unwrap_or_default()
    }
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers")
}

/// Returns a folder for what is built.
fn target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers")
}

/// Builds the runners in Rust, with the profile of the measured program.
fn with_cargo() -> Result<Vec<String>, String> {
    let profile = std::env::var("QUARTERDECK_BENCH_PROFILE").unwrap_or_else(|_| "dist".to_owned());
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
    command.args(["build", "--quiet", "--locked", "--profile", &profile, "--manifest-path"]);
    command.arg(sources().join("Cargo.toml")).arg("--target-dir").arg(target());
    let is_for_benchmark = |name: &str| OF_BENCHMARK.iter().any(|start| name.starts_with(start));
    for (name, _) in std::env::vars().filter(|(name, _)| is_for_benchmark(name)) {
        command.env_remove(name);
    }
    run(&mut command)?;
    let folder = if profile == "dev" { "debug" } else { &profile };
    Ok(vec![target().join(folder).join("quarterdeck-peers").display().to_string()])
}

/// Installs the runners for Node, and a newer Node where the installed one is too old for them.
fn with_npm() -> Result<Vec<String>, String> {
    let folder = target().join("node");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    for file in ["package.json", "package-lock.json", "worker.mjs"] {
        fs::copy(sources().join("node").join(file), folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    npm(&["ci"], &folder)?;
    let installed = version_of("node").is_some_and(|version| version >= OLDEST_NODE);
    let node = if installed { PathBuf::from("node") } else { newer_node()? };
    Ok(vec![node.display().to_string(), folder.join("worker.mjs").display().to_string()])
}

/// Installs the Node of this benchmark from the registry, and returns its program.
fn newer_node() -> Result<PathBuf, String> {
    let machine = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(format!("Node is older than {OLDEST_NODE:?}, and there is no newer one for {other}")),
    };
    let (package, folder) = (format!("node-linux-{machine}"), target().join("newer-node"));
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    npm(&["install", "--no-save", &format!("{package}@{NODE}")], &folder)?;
    let program = folder.join("node_modules").join(package).join("bin/node");
    if version_of(&program).is_some_and(|version| version >= OLDEST_NODE) {
        Ok(program)
    } else {
        Err(format!("no {NODE}"))
    }
}

/// Returns the major and minor version of a program of Node.
fn version_of(program: impl AsRef<OsStr>) -> Option<(u32, u32)> {
    let output = Command::new(program).arg("--version").output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().trim_start_matches('v').to_owned();
    let mut numbers = text.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn npm(arguments: &[&str], folder: &Path) -> Result<(), String> {
    let mut command = Command::new("npm");
    command.args(arguments).args(["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]);
    run(command.arg("--loglevel=error").arg("--prefix").arg(folder))
}

/// Runs a command without output; an error has the last line of its messages.
fn run(command: &mut Command) -> Result<(), String> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    eprintln!("{messages}");
    let last = messages.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(format!("{name} {}: {}", output.status, last.trim()))
}
