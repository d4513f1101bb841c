//! Tests settings from the environment: every key has its variable, which overrides the file and is overridden by flags.

use quarterdeck::config::{Config, ConfigError, DefaultPaths, Environment, Flags};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::secret::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn environment(variables: &[(&str, &str)]) -> Environment {
    let values = variables.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value)));
    Environment { values: values.collect(), ..Environment::default() }
}

fn load(file: &str, environment: &Environment) -> Result<Config, ConfigError> {
    let paths = DefaultPaths {
        config_file: PathBuf::from("/nowhere/config.toml"),
        store_file: PathBuf::from("/nowhere/quarterdeck.db"),
        log_dir: PathBuf::from("/nowhere/log"),
    };
    Config::from_parts(&paths, Path::new("c.toml"), file, environment, &Flags::default())
}

fn read(variables: &[(&str, &str)]) -> Config {
    load("", &environment(variables)).expect("valid settings")
}

/// Returns the messages about the variables, line by line.
fn mistakes(variables: &[(&str, &str)]) -> Vec<String> {
    let error = load("", &environment(variables)).expect_err("a mistake").to_string();
    error.lines().map(str::to_owned).collect()
}

fn variable_of(key: &str) -> String {
    format!("QUARTERDECK_{}", key.replace("ID", "7").replace('.', "__").to_uppercase())
}

#[test]
fn every_key_has_its_variable() {
    // Sinks, which start programs, come from the file alone.
    let (sinks, keys): (Vec<&str>, Vec<&str>) = Config::keys().partition(|key| key.starts_with("notify.NAME."));
    assert!(keys.len() > 50, "the keys were found");
    for key in keys {
        let variable = variable_of(key);
        // No key accepts a date.
        let said = mistakes(&[(&variable, "2026-11-25")]);
        let must = format!("{variable}: must be ");
        assert!(said.len() == 1 && said[0].starts_with(&must), "{key}: {said:?}");
    }
    assert_eq!(sinks.len(), 7);
    for key in sinks {
        let said = mistakes(&[(&variable_of(key), "\"/bin/sh\"")]);
        assert!(said.len() == 1 && said[0].contains("unknown key"), "{key}: {said:?}");
    }
}

#[test]
fn a_variable_overrides_the_file_and_a_flag_overrides_both() {
    let file = "runner.concurrency = 2\nfetch.max_redirects = 4\n";
    let set = environment(&[("QUARTERDECK_RUNNER__CONCURRENCY", "5"), ("QUARTERDECK_FETCH__MAX_BODY", "\"5 MB\"")]);
    let config = load(file, &set).expect("valid");
    assert_eq!((config.runner.slots, config.fetch.max_redirects, config.fetch.max_body), (5, 4, 5 << 20));
    let paths = DefaultPaths { config_file: "/c".into(), store_file: "/s".into(), log_dir: "/l".into() };
    let flags = Flags { concurrency: Some(7), ..Flags::default() };
    let config = Config::from_parts(&paths, Path::new("c.toml"), file, &set, &flags).expect("valid");
    assert_eq!(config.runner.slots, 7);
}

#[test]
fn values_are_toml_and_plans_and_accounts_have_variables() {
    let config = read(&[
        ("QUARTERDECK_FETCH__ALLOW_PRIVATE_HOSTS", "[\"10.0.0.0/8\", \"localhost\"]"),
        ("QUARTERDECK_PLANS__DAILY__EVERY", "\"1 day\""),
        ("QUARTERDECK_ACCOUNTS__7", "\"daily\""),
        ("QUARTERDECK_RETRY__TRANSIENT_WAITS", "[\"1s\"]"),
        ("QUARTERDECK_FETCH__SITES", "[{ host = \"a.example.org\", extract = \"body\" }]"),
    ]);
    assert_eq!(config.fetch.allow_private_hosts.len(), 2);
    assert_eq!(config.runner.policy.transient_waits, [Duration::from_secs(1)]);
    assert_eq!(config.fetch.sites.0.len(), 1);
    let plans = &config.schedule.terms.plans;
    assert_eq!(plans.accounts.get(&AccountId(7)).map(|plan| plan.as_str()), Some("daily"));
    // The file may name a plan that a variable makes, but not one that nobody makes.
    let daily = environment(&[("QUARTERDECK_PLANS__DAILY__EVERY", "\"1 day\"")]);
    assert!(load("plans.default = \"daily\"\n", &daily).is_ok());
    assert_eq!(
        mistakes(&[("QUARTERDECK_ACCOUNTS__7", "\"weekly\""), ("QUARTERDECK_PLANS__DEFAULT", "\"monthly\"")]),
        [
            "QUARTERDECK_ACCOUNTS__7: there is no plan \"weekly\"",
            "QUARTERDECK_PLANS__DEFAULT: there is no plan \"monthly\"",
        ]
    );
}

#[test]
fn a_text_needs_quotes_and_no_message_repeats_a_secret() {
    assert_eq!(
        mistakes(&[("QUARTERDECK_LOG__LEVEL", "debug")]),
        [
            "QUARTERDECK_LOG__LEVEL: must be a TOML value; a text needs quotes of its own: QUARTERDECK_LOG__LEVEL='\"text\"'"
        ]
    );
    for (name, value) in [
        ("QUARTERDECK_FETCH__FIRECRAWL__API_KEY", "31337"),
        ("QUARTERDECK_FETCH__FIRECRAWL__API_KEY", "hunter31337"),
        ("QUARTERDECK_REDIS__SENTINEL_PASSWORD", "31337"),
        ("QUARTERDECK_REDIS__URL", "http://31337@h"),
        ("QUARTERDECK_STORE__URL", "1\nrunner.slots = 31337"),
    ] {
        let said = mistakes(&[(name, value)]);
        assert!(said.len() == 1 && !said[0].contains("31337"), "{said:?}");
    }
}

#[test]
fn only_names_with_two_underscores_are_looked_at_and_unknown_ones_are_mistakes() {
    let config = read(&[("QUARTERDECK_FETCH", "x"), ("QUARTERDECK_LIMIT", "y"), ("OTHER__NAME", "z")]);
    assert_eq!(config.fetch, read(&[]).fetch);
    let said = mistakes(&[
        ("QUARTERDECK_FETCH__MAX_BDY", "1"),
        ("QUARTERDECK_RUNNER", "1"),
        ("QUARTERDECK_RUNNER__concurrency", "1"),
        ("QUARTERDECK___", "1"),
    ]);
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(
        said.iter()
            .any(|line| line == "QUARTERDECK_FETCH__MAX_BDY: unknown key fetch.max_bdy (did you mean fetch.max_body?)"),
        "{said:?}"
    );
}

#[test]
fn a_file_has_the_text_of_a_value() {
    let dir = tempfile::tempdir().expect("a folder");
    let secret = dir.path().join("key");
    std::fs::write(&secret, "fc-31337\n").expect("written");
    let path = secret.display().to_string();
    let config = read(&[("QUARTERDECK_FETCH__FIRECRAWL__API_KEY_FILE", &path)]);
    assert_eq!(config.fetch.firecrawl.api_key.as_ref().map(Secret::reveal), Some("fc-31337"));
    assert!(!format!("{config:?}").contains("31337"));
    // A key whose own name ends like that is the key.
    let config = read(&[("QUARTERDECK_REDIS__CA_FILE", &format!("\"{path}\""))]);
    assert_eq!(config.redis.ca_file, Some(secret.clone()));
    let both = mistakes(&[
        ("QUARTERDECK_FETCH__FIRECRAWL__API_KEY", "\"a\""),
        ("QUARTERDECK_FETCH__FIRECRAWL__API_KEY_FILE", &path),
    ]);
    assert_eq!(
        both,
        [
            "QUARTERDECK_FETCH__FIRECRAWL__API_KEY: QUARTERDECK_FETCH__FIRECRAWL__API_KEY_FILE is set, too; remove one of them"
        ]
    );
    let missing = mistakes(&[("QUARTERDECK_STORE__URL_FILE", "/nowhere/url")]);
    assert!(missing[0].starts_with("QUARTERDECK_STORE__URL_FILE: cannot be read: "), "{missing:?}");
    std::fs::write(&secret, "ftp://31337\n").expect("written");
    let said = mistakes(&[("QUARTERDECK_REDIS__URL_FILE", &path)]);
    assert!(said.len() == 1 && !said[0].contains("31337"), "{said:?}");
}

#[test]
fn the_short_name_and_the_long_one_exclude_each_other() {
    let set = Environment {
        store: Some("sqlite:/a.db".to_owned()),
        ..environment(&[("QUARTERDECK_STORE__URL", "\"sqlite:/b.db\"")])
    };
    let error = load("", &set).expect_err("both").to_string();
    assert_eq!(error, "QUARTERDECK_STORE__URL: QUARTERDECK_STORE is set, too; remove one of them");
    assert_eq!(read(&[("QUARTERDECK_STORE__URL", "\"sqlite:/b.db\"")]).store.url, "sqlite:/b.db");
}

#[test]
fn the_keys_that_need_a_restart_are_on_the_page() {
    let page = include_str!("../assets/docs/operating.md").split_whitespace().collect::<Vec<_>>().join(" ");
    let (_, rest) = page.split_once("Only a restart changes ").expect("the sentence");
    let sentence = rest.split(". ").next().expect("its end");
    let named: Vec<&str> = sentence.split('`').skip(1).step_by(2).collect();
    let sections: Vec<&str> = named.iter().filter_map(|name| name.strip_prefix('[')?.strip_suffix(']')).collect();
    let is_named = |key: &str| {
        named.contains(&key) || sections.iter().any(|section| key.split('.').next().is_some_and(|own| own == *section))
    };
    let fixed: Vec<&str> = Config::keys_of_start().collect();
    let wrong: Vec<&str> = Config::keys().filter(|key| fixed.contains(key) != is_named(key)).collect();
    assert!(wrong.is_empty(), "{wrong:?} in: {sentence}");
}
