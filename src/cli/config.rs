//! `quarterdeck config`: prints the annotated settings; `init` writes them to the config file, `check` reads the settings
//! and reports mistakes, `path` prints the path of the file.

use super::exit::{CliError, Exit};
use super::keys;
use super::output::{Output, problem};
use crate::config::{Config, DefaultPaths, Environment, Flags, TEMPLATE};
use clap::Subcommand;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

/// Arguments of `config`.
#[derive(Debug, clap::Args)]
#[command(disable_help_subcommand = true)]
pub struct Args {
    /// Without a verb of its own, `config` prints the annotated settings.
    #[command(subcommand)]
    pub action: Option<ConfigAction>,
}

/// Verbs of `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Write a config file that has every setting with its default, commented out
    Init {
        /// Replace a file that is there
        #[arg(long)]
        force: bool,
    },
    /// Read the settings and report mistakes; connects to nothing
    Check,
    /// Print the path of the config file
    Path,
}

/// Prints the annotated settings.
pub(super) fn print(out: &mut Output) -> Result<Exit, CliError> {
    out.text(TEMPLATE)?;
    Ok(Exit::Done)
}

pub(super) fn run(args: &Args, flags: &Flags, out: &mut Output) -> Result<Exit, CliError> {
    let Some(action) = &args.action else { return print(out) };
    let (paths, environment) = (DefaultPaths::find()?, Environment::read());
    let (path, _) = Config::file(&paths, &environment, flags);
    match action {
        ConfigAction::Path => out.line(path.display())?,
        ConfigAction::Init { force } => {
            write(path, *force).map_err(|error| not_written(path, &error))?;
            out.confirmation(format!("wrote {}; it changes nothing until you edit it", path.display()))?;
        }
        ConfigAction::Check => {
            let config = keys::checked(Config::load(&paths, &environment, flags)?)?;
            for warning in &config.warnings {
                problem(warning);
            }
            let file = if path.exists() { path.display().to_string() } else { "there is no config file".to_owned() };
            out.confirmation(format!("{file}: no mistakes"))?;
            for (variable, key) in environment.keys() {
                out.confirmation(format!("{variable} sets {key}"))?;
            }
        }
    }
    Ok(Exit::Done)
}

/// Returns the annotated settings with every key commented out, so that new defaults of a later version apply.
fn template() -> String {
    let line = |line: &str| match line.chars().next() {
        None | Some('#' | '[') => format!("{line}\n"),
        Some(_) => format!("# {line}\n"),
    };
    TEMPLATE.lines().map(line).collect()
}

/// Writes the file, readable by its owner alone, since it may get passwords. A file that is there is replaced as a whole
/// or not at all.
fn write(path: &Path, replace: bool) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder)?;
    }
    if !replace {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        return file.write_all(template().as_bytes());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(template().as_bytes())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn not_written(path: &Path, error: &io::Error) -> CliError {
    let path = path.display();
    match error.kind() {
        io::ErrorKind::AlreadyExists => CliError::Usage(format!("{path} exists; --force replaces it")),
        _ => CliError::Export(format!("{path} cannot be written: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_file_sets_nothing() {
        let text = template();
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with(['#', '['])), "{text}");
        assert_eq!(Config::listing(&text), [""; 0]);
        for key in ["# lock = \"preferred\"", "# concurrency = 16", "[fetch.firecrawl]"] {
            assert!(text.lines().any(|line| line == key), "{key}");
        }
    }
}
