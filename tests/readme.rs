//! What the README says is so: its keys are the program's, its commands are understood, its picture is there.

use clap::Parser as _;
use quarterdeck::cli::Cli;
use quarterdeck::tui;
use std::path::Path;

const README: &str = include_str!("../README.md");

#[test]
fn the_keys_are_printed_from_the_table() {
    let (_, after) = README.split_once("<!-- keys:").expect("the keys begin");
    let (_, after) = after.split_once("-->\n").expect("the mark ends");
    let (keys, _) = after.split_once("<!-- end of keys -->").expect("the keys end");
    assert_eq!(keys.trim(), tui::keys_markdown().trim(), "put in what `quarterdeck keys --markdown` prints");
}

#[test]
fn every_command_is_understood() {
    let mut commands = Vec::new();
    for line in README.lines() {
        let code = line.split('#').next().unwrap_or_default().trim();
        if code.starts_with("quarterdeck") {
            commands.push(code.to_owned());
        }
        // Commands within a sentence or a table stand between back ticks.
        commands.extend(
            line.split('`').skip(1).step_by(2).filter(|code| code.starts_with("quarterdeck ")).map(str::to_owned),
        );
    }
    commands.retain(|command| !command.contains("VERB") && !command.contains('/'));
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let parsed = Cli::try_parse_from(command.split_whitespace());
        assert!(parsed.is_ok(), "{command}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
    }
}

#[test]
fn the_picture_is_there() {
    let (_, after) = README.split_once("](assets/").expect("a picture");
    let (file, _) = after.split_once(')').expect("a path");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(file).is_file(), "{file}");
}
