//! Tests `config` and its verbs, and settings from the environment of the real program.

use super::place::Place;
use quarterdeck::config::TEMPLATE;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_config_file_is_written_found_and_checked() {
    let place = Place::new();
    let given = place.run(["config", "path"]).ok();
    assert!(given.ends_with("/config.toml\n"), "{given}");
    let refused = place.run(["config", "init"]);
    assert_eq!(refused.code, Some(2), "a file is there: {}", refused.err);
    assert!(refused.err.contains("config.toml exists; --force replaces it"), "{}", refused.err);
    let new = place.store().with_file_name("deeper").join("deck.toml");
    let path = new.display().to_string();
    assert_eq!(place.run(["config", "check", "--config", &path]).code, Some(2), "it is named and not there");
    assert_eq!(
        place.run(["--config", &path, "config", "init"]).ok(),
        format!("wrote {path}; it changes nothing until you edit it\n")
    );
    assert_eq!(std::fs::metadata(&new).expect("a file").permissions().mode() & 0o777, 0o600);
    assert_eq!(place.run(["config", "check", "--config", &path]).ok(), format!("{path}: no mistakes\n"));
    std::fs::write(&new, "runner.concurency = 3\n[fetch]\nmax_body = -1\n").expect("written");
    let wrong = place.run(["config", "check", "--config", &path]);
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert!(
        wrong.err.contains(&format!("{path}:1: unknown key"))
            && wrong.err.contains(&format!("{path}:3: fetch.max_body must")),
        "{}",
        wrong.err
    );
    place.run(["--config", &path, "config", "init", "--force"]).ok();
    assert!(std::fs::read_to_string(&new).expect("a file").contains("# max_body = \"40 MB\""));
    assert_eq!(place.run(["config"]).ok(), TEMPLATE);
    let unwritable = place.run(["--config", "/proc/nowhere/c.toml", "config", "init"]);
    assert_eq!(unwritable.code, Some(3), "{}", unwritable.err);
}

#[test]
fn variables_of_the_environment_set_keys() {
    let place = Place::new();
    let with = |variables: &[(&str, &str)], args: &[&str]| {
        let output = place.command(args.iter().copied()).envs(variables.iter().copied()).output().expect("runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, out, _) = with(&[("QUARTERDECK_FETCH__MAX_BODY", "\"5 MB\"")], &["config", "check"]);
    assert!(code == Some(0) && out.contains("QUARTERDECK_FETCH__MAX_BODY sets fetch.max_body\n"), "{out}");
    let (code, _, err) = with(&[("QUARTERDECK_FETCH__MAX_BODY", "5 MB")], &["list"]);
    assert!(code == Some(2) && err.contains("QUARTERDECK_FETCH__MAX_BODY: must be a TOML value"), "{err}");
    // The page is at 127.0.0.1: what the file allows, the variable takes back.
    place.run(["add", &place.url("/ok/a")]).ok();
    let (code, out, _) = with(&[("QUARTERDECK_FETCH__ALLOW_PRIVATE_HOSTS", "[]")], &["sync", "1", "--wait"]);
    assert!(code == Some(1) && out.contains("is a loopback address"), "{out}");
}
