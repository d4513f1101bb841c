//! `quarterdeck man`: manual pages of the program and of its verbs, made from the same table as the help.

use super::examples;
use super::exit::{CliError, Exit};
use super::output::Output;
use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Text at the foot of each page.
const SOURCE: &str = concat!("quarterdeck ", env!("CARGO_PKG_VERSION"));
/// Text at the head of each page.
const MANUAL: &str = "Quarterdeck";

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Page of this verb; without one, of the program
    #[arg(value_name = "VERB")]
    pub verb: Option<String>,
    /// Write all pages as files into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "verb")]
    pub dir: Option<PathBuf>,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let pages = pages();
    if let Some(dir) = &args.dir {
        write(&pages, dir).map_err(|error| CliError::Export(format!("{}: {error}", dir.display())))?;
        out.confirmation(format!("wrote {} pages to {}", pages.len(), dir.display()))?;
        return Ok(Exit::Done);
    }
    let name = args.verb.as_ref().map_or_else(|| "quarterdeck".to_owned(), |verb| format!("quarterdeck-{verb}"));
    let Some(page) = pages.iter().find(|page| page.name == name) else {
        let verb = args.verb.as_deref().unwrap_or_default();
        return Err(super::help::unknown(verb));
    };
    out.text(&page.text)?;
    Ok(Exit::Done)
}

fn write(pages: &[ManualPage], dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    pages.iter().try_for_each(|page| fs::write(dir.join(format!("{}.1", page.name)), &page.text))
}

/// A page of the manual.
#[derive(Debug)]
pub struct ManualPage {
    /// The name by which `man` finds it: `quarterdeck-sync`.
    pub name: String,
    /// Text in roff.
    pub text: String,
}

/// Returns the page of the program, then those of its verbs.
pub fn pages() -> Vec<ManualPage> {
    let mut cli = examples::command().disable_version_flag(true);
    cli.build();
    let mut pages = Vec::new();
    add(&cli, "quarterdeck", &mut pages);
    pages
}

fn add(command: &Command, name: &str, pages: &mut Vec<ManualPage>) {
    if command.is_hide_set() {
        return;
    }
    pages.push(ManualPage { name: name.to_owned(), text: page(command.clone()) });
    for verb in command.get_subcommands() {
        add(verb, &format!("{name}-{}", verb.get_name()), pages);
    }
}

fn page(command: Command) -> String {
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let has_verbs = command.get_subcommands().next().is_some();
    let man = Man::new(command).source(SOURCE).manual(MANUAL);
    let mut text = Vec::new();
    // Writing into memory does not fail.
    let _ = man.render_title(&mut text);
    let _ = man.render_name_section(&mut text);
    let _ = man.render_synopsis_section(&mut text);
    let _ = man.render_description_section(&mut text);
    let _ = man.render_options_section(&mut text);
    if has_verbs {
        let _ = man.render_subcommands_section(&mut text);
    }
    let mut roff = Roff::new();
    for paragraph in after.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
        let (title, body) = paragraph.split_once(':').unwrap_or((paragraph, ""));
        roff.control("SH", [title.to_uppercase().as_str()]);
        if title == "Examples" {
            // Lines stay lines.
            roff.control("nf", []);
            for line in body.trim_start_matches('\n').lines() {
                roff.text([roman(line)]);
            }
            roff.control("fi", []);
        } else {
            roff.text([roman(body.trim())]);
        }
    }
    roff.control("SH", ["SEE ALSO"]);
    roff.text([roman("`quarterdeck help` lists the verbs and the pages of the documentation.")]);
    let _ = roff.to_writer(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}
