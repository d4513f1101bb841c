//! Tests settings: the annotated file contains the defaults, each source overrides the one before, and every error
//! names its position.

use quarterdeck::config::{Config, ConfigError, DefaultPaths, Environment, Flags, TEMPLATE};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::lock::LockMode;
use quarterdeck::domain::log_level::LogLevel;
use quarterdeck::domain::plan::{Cadence, PlanName};
use quarterdeck::domain::retention::Retention;
use quarterdeck::domain::schedule::DueRules;
use quarterdeck::domain::secret::Secret;
use std::path::{Path, PathBuf};
use std::time::Duration;

fn places() -> DefaultPaths {
    DefaultPaths {
        config_file: PathBuf::from("/nowhere/quarterdeck/config.toml"),
        store_file: PathBuf::from("/nowhere/quarterdeck/quarterdeck.db"),
        log_dir: PathBuf::from("/nowhere/quarterdeck/log"),
    }
}

fn read(text: &str) -> Result<Config, ConfigError> {
    let (environment, flags) = (Environment::default(), Flags::default());
    Config::from_parts(&places(), Path::new("c.toml"), text, &environment, &flags)
}

/// Returns the messages about `text`, line by line.
fn mistakes(text: &str) -> Vec<String> {
    match read(text) {
        Ok(config) => panic!("{text:?} was accepted: {config:?}"),
        Err(error) => error.to_string().lines().map(str::to_owned).collect(),
    }
}

/// Returns the template with its commented-out keys enabled.
fn template_in_full() -> String {
    let is_key = |line: &str| {
        line.split_once(" = ").is_some_and(|(name, _)| {
            name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.')
        })
    };
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(bare) if is_key(bare) => format!("{bare}\n"),
        _ => format!("{line}\n"),
    };
    TEMPLATE.lines().map(line).collect()
}

#[test]
fn the_annotated_file_is_the_defaults() {
    assert_eq!(read(TEMPLATE), Ok(Config::defaults(&places())));
    assert_eq!(read(""), Ok(Config::defaults(&places())));
}

/// Returns the names of the keys of a section and of its subsections.
fn keys_within(name: &str, value: &toml::Value) -> Vec<String> {
    let Some(keys) = value.as_table() else { return vec![name.to_owned()] };
    match name {
        "accounts" => return vec!["accounts.ID".to_owned()],
        "keys" => return vec!["keys.NAME".to_owned()],
        _ => {}
    }
    let within = |(key, value): (&String, &toml::Value)| match (name, value.is_table()) {
        ("plans" | "notify", true) => keys_within(&format!("{name}.NAME"), value),
        _ => keys_within(&format!("{name}.{key}"), value),
    };
    keys.iter().flat_map(within).collect()
}

#[test]
fn every_key_stands_in_the_annotated_file() {
    let full = template_in_full();
    let config = read(&full).expect("the template has no mistake");
    quarterdeck::tui::Keymap::configured(&config.keys).expect("its keys are no mistake either");
    let table: toml::Table = full.parse().expect("the template is TOML");
    let named: Vec<String> = table.iter().flat_map(|(section, keys)| keys_within(section, keys)).collect();
    let all: Vec<&str> = Config::keys().collect();
    let mut sorted = (named.clone(), all.iter().map(ToString::to_string).collect::<Vec<_>>());
    sorted.0.sort();
    // No sink has every key: there are two kinds.
    sorted.0.dedup();
    sorted.1.sort();
    assert_eq!(sorted.0, sorted.1);
    // No key accepts a date.
    let all: Vec<String> = all.iter().map(|key| key.replace("ID", "7").replace("NAME", "name")).collect();
    let wrong: String = all.iter().map(|key| format!("{key} = 2026-11-25\n")).collect();
    let said = mistakes(&wrong);
    assert_eq!(said.len(), all.len());
    for (place, (key, said)) in all.iter().zip(said).enumerate() {
        assert!(said.starts_with(&format!("c.toml:{}: {key} must be ", place + 1)), "{said}");
        assert!(said.ends_with(", not a datetime"), "{said}");
    }
}

#[test]
fn every_key_sets_its_value() {
    let config = read(
        r#"
        [store]
        url = "sqlite:/srv/q.db"
        [runner]
        enabled = false
        concurrency = 1_000
        per_host = 0x10
        per_account = 3
        lease = "1m"
        heartbeat = "500ms"
        drain = "0s"
        [retry]
        transient_waits = ["1s", "1h 30m"]
        unexpected_waits = []
        [fetch]
        connect_timeout = "1s"
        read_timeout = "2s"
        total_timeout = "4s"
        host_interval = "1500ms"
        max_body = "5 MB"
        respect_robots = true
        max_memory = "1 GB"
        max_redirects = 0
        user_agent = "me/1 (+https://example.org)"
        allow_private_hosts = ["127.0.0.1", "10.0.0.0/8", "localhost:3000", "fd00::/8", "[::1]:80"]
        dns_servers = ["192.0.2.53", "[2001:db8::53]:5353"]
        denied_ports = []
        sites = [
            { host = "App.Example.org", fetcher = "firecrawl", fallback = "direct" },
            { document = 812, fetcher = "direct" },
        ]
        [schedule]
        enabled = false
        rules = "chatwoot"
        per_account = 2
        total = 3
        queue_depth = 4
        [plans]
        default = "None"
        Gold = { every = "90s", weight = 4, max_running = 2 }
        none = {}
        [plans."my plan"]
        every = "1 week"
        [accounts]
        7 = "GOLD"
        [fetch.firecrawl]
        api_key = "fc-secret"
        url = "http://10.0.0.9:3002"
        version = 1
        [retention]
        outcomes = "forever"
        max_outcomes = "forever"
        versions = 0
        jobs = "2 days"
        [log]
        dir = "/var/log/q"
        keep_days = 7
        level = "debug"
        [errors]
        sentry_dsn = "https://k3y@sentry.example.org/7"
        [metrics]
        listen = "[::1]:9464"
        "#,
    )
    .expect("all of it is right");
    let seconds = Duration::from_secs;
    assert_eq!(config.store.url, "sqlite:/srv/q.db");
    assert!(!config.console_runs_jobs);
    assert_eq!((config.runner.slots, config.runner.per_host, config.runner.per_account), (1_000, 16, Some(3)));
    assert_eq!(
        (config.runner.lease, config.runner.heartbeat, config.runner.drain),
        (seconds(60), Duration::from_millis(500), Duration::ZERO)
    );
    assert_eq!(config.runner.policy.transient_waits, [seconds(1), seconds(5_400)]);
    assert!(config.runner.policy.unexpected_waits.is_empty());
    assert_eq!(
        (config.fetch.connect_timeout, config.fetch.read_timeout, config.fetch.total_timeout),
        (seconds(1), seconds(2), seconds(4))
    );
    assert_eq!((config.fetch.max_body, config.fetch.max_redirects), (5 * 1_048_576, 0));
    assert_eq!(config.runner.host_interval, Duration::from_millis(1_500));
    let kept = Retention { outcomes: None, max_outcomes: None, versions: 0, jobs: Some(seconds(172_800)) };
    assert_eq!(config.runner.retention, kept);
    assert!(config.fetch.respect_robots);
    assert_eq!(config.fetch.firecrawl.api_key.as_ref().map(|key| key.reveal()), Some("fc-secret"));
    assert!(!format!("{config:?}").contains("fc-secret"), "a key is never printed");
    assert_eq!(
        (config.fetch.firecrawl.url.as_str(), config.fetch.firecrawl.version),
        ("http://10.0.0.9:3002/", Some(1))
    );
    assert_eq!(config.fetch.sites.0.len(), 2);
    assert_eq!(config.fetch.sites.0[0].host.as_deref(), Some("app.example.org"));
    assert_eq!(config.fetch.max_memory, 1 << 30);
    assert_eq!(config.fetch.user_agent, "me/1 (+https://example.org)");
    assert_eq!(config.fetch.allow_private_hosts.len(), 5);
    assert_eq!(
        config.fetch.dns_servers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.0.2.53:53", "[2001:db8::53]:5353"]
    );
    assert!(config.fetch.denied_ports.is_empty());
    let terms = &config.schedule.terms;
    assert_eq!((config.schedule.enabled, terms.rules), (Some(false), DueRules::HalfCadence));
    assert_eq!((terms.per_account, terms.total, terms.queue_depth), (Some(2), Some(3), 4));
    let gold = terms.plans.of(AccountId(7));
    assert_eq!(gold.cadence.map(Cadence::interval), Some(seconds(90)));
    assert_eq!((gold.weight, gold.max_running), (Some(4), Some(2)));
    let other = terms.plans.of(AccountId(8));
    assert_eq!((other.name.as_ref().map(PlanName::as_str), other.cadence), (Some("none"), None));
    assert!(terms.plans.plans.contains_key(&PlanName::new("My Plan").expect("a name")));
    assert_eq!((config.log.dir, config.log.keep_days), (PathBuf::from("/var/log/q"), 7));
    assert_eq!(config.log.level, LogLevel::Debug);
    let sentry = config.errors.sentry.expect("a DSN");
    assert_eq!(sentry.endpoint().as_str(), "https://sentry.example.org/api/7/envelope/");
    assert_eq!(config.metrics, Some("[::1]:9464".parse().expect("an address")));
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, said) in [
        ("[runner]\nconcurency = 3", "c.toml:2: unknown key runner.concurency (did you mean runner.concurrency?)"),
        ("\n\nconcurrency = 3", "c.toml:3: unknown key concurrency (did you mean runner.concurrency?)"),
        ("[fetch]\nlease = \"30s\"", "c.toml:2: unknown key fetch.lease (did you mean runner.lease?)"),
        ("[runer]\nlease = \"30s\"", "c.toml:1: unknown section runer (did you mean runner?)"),
        ("zzz = 1", "c.toml:1: unknown key zzz (`quarterdeck config` prints all keys)"),
        ("runner = 5", "c.toml:1: runner is a section: write its keys under [runner]"),
        ("[runner]\nconcurrency = 0", "c.toml:2: runner.concurrency must be a whole number from 1 to 1024, not 0"),
        (
            "[runner]\nconcurrency = \"many\"",
            "c.toml:2: runner.concurrency must be a whole number from 1 to 1024, not \"many\"",
        ),
        ("[runner]\nenabled = 1", "c.toml:2: runner.enabled must be true or false, not 1"),
        (
            "[runner]\nlease = \"soon\"",
            "c.toml:2: runner.lease must be a span of time such as \"30s\", \"2m\" or \"1 week\", not \"soon\"",
        ),
        (
            "[runner]\nlease = 30",
            "c.toml:2: runner.lease must be a span of time such as \"30s\", \"2m\" or \"1 week\", not 30",
        ),
        ("[runner]\nlease = \"2h\"", "c.toml:2: runner.lease must be from 1s to 1h, not \"2h\""),
        (
            "[fetch]\nmax_body = \"much\"",
            "c.toml:2: fetch.max_body must be a number of bytes or a size such as \"40 MB\", not \"much\"",
        ),
        ("[fetch]\nmax_body = 3", "c.toml:2: fetch.max_body must be from 1024 bytes to 1073741824 bytes, not 3"),
        ("[retry]\ntransient_waits = \"30s\"", "c.toml:2: retry.transient_waits must be a list in [ ], not \"30s\""),
        (
            "[fetch]\nallow_private_hosts = [\"10.0.0.0/33\"]",
            "c.toml:2: fetch.allow_private_hosts must list hosts, addresses or networks such as 10.0.0.0/8, not \
             \"10.0.0.0/33\"",
        ),
        (
            "[fetch]\nallow_private_hosts = [\"http://a\"]",
            "c.toml:2: fetch.allow_private_hosts must list hosts, addresses or networks such as 10.0.0.0/8, not \
             \"http://a\"",
        ),
        (
            "[fetch]\ndns_servers = [\"dns.example.org\"]",
            "c.toml:2: fetch.dns_servers must list addresses such as 192.0.2.53 or [2001:db8::53]:5353, not \
             \"dns.example.org\"",
        ),
        (
            "[fetch]\nsites = [{ host = \"a\", fetcher = \"curl\" }]",
            "c.toml:2: fetch.sites (fetcher) must be \"direct\" or \"firecrawl\", not \"curl\"",
        ),
        (
            "[fetch]\nsites = [{ fetcher = \"direct\" }]",
            "c.toml:2: fetch.sites must list tables with either a host or a document",
        ),
        (
            "[fetch]\nsites = [\n{ host = \"a\", include = [\"div >\"] }]",
            "c.toml:2: fetch.sites (include): \"div >\" is not a CSS selector",
        ),
        (
            "[fetch]\nallow_private_hosts = [\"a:0\"]",
            "c.toml:2: fetch.allow_private_hosts must list hosts, addresses or networks such as 10.0.0.0/8, not \
             \"a:0\"",
        ),
        (
            "[fetch.firecrawl]\napi_key = \"a b\"",
            "c.toml:2: fetch.firecrawl.api_key must be a key of printable ASCII characters",
        ),
        (
            "[fetch]\ndenied_ports = [70000]",
            "c.toml:2: fetch.denied_ports must be a whole number from 1 to 65535, not 70000",
        ),
        ("[fetch]\nuser_agent = \"a\\nb\"", "c.toml:2: fetch.user_agent must be a name of printable ASCII characters"),
        (
            "[runner]\nlease = \"20s\"",
            "c.toml:2: runner.heartbeat (10s) must be shorter than half of runner.lease (20s), so that one missed \
             heartbeat does not lose the lease",
        ),
        (
            "[fetch]\nread_timeout = \"61s\"",
            "c.toml:2: fetch.read_timeout (1m 1s) must not be longer than fetch.total_timeout (1m)",
        ),
        (
            "[fetch]\ntotal_timeout = \"1s\"\nread_timeout = \"1s\"",
            "c.toml:2: fetch.connect_timeout (2s) must not be longer than fetch.total_timeout (1s)",
        ),
        ("[plans]\nfast.every = \"0s\"", "c.toml:2: plans.fast.every must be from 1m to 100years, not \"0s\""),
        ("[plans.fast]\nevery = \"59s\"", "c.toml:2: plans.fast.every must be from 1m to 100years, not \"59s\""),
        (
            "[plans.fast]\nevery = \"-1h\"",
            "c.toml:2: plans.fast.every must be a span of time such as \"30s\", \"2m\" or \"1 week\", not \"-1h\"",
        ),
        ("[plans.fast]\nweight = 0", "c.toml:2: plans.fast.weight must be a whole number from 1 to 1000, not 0"),
        ("[plans.fast]\nevry = \"1h\"", "c.toml:2: unknown key plans.fast.evry (did you mean plans.NAME.every?)"),
        ("[schedule]\ntotal = 0", "c.toml:2: schedule.total must be a whole number from 1 to 1000000000, not 0"),
        (
            "[schedule]\nper_account = \"all\"",
            "c.toml:2: schedule.per_account must be a whole number from 1 to 1000000000, not \"all\"",
        ),
        (
            "[schedule]\nrules = \"daily\"",
            "c.toml:2: schedule.rules must be \"continuous\" or \"chatwoot\", not \"daily\"",
        ),
        (
            "[accounts]\n7 = \"gold\"",
            "c.toml:2: accounts.7: there is no plan \"gold\" (no plan is set up; add a section [plans.gold])",
        ),
        (
            "plans.gold = {}\naccounts.7 = \"glod\"",
            "c.toml:2: accounts.7: there is no plan \"glod\" (did you mean \"gold\"?)",
        ),
        (
            "plans.gold = {}\nplans.default = \"x\"",
            "c.toml:2: plans.default: there is no plan \"x\" (known plans: gold)",
        ),
        ("[accounts]\nseven = \"\"", "c.toml:2: accounts.seven must name a plan from the section [plans]"),
        ("plans.gold = {}\naccounts.x = \"gold\"", "c.toml:2: accounts.x must be the number of an account"),
        ("[plans.\" \"]\nweight = 1", "c.toml:1: plans.  must be in the section of a plan, such as [plans.business]"),
    ] {
        assert_eq!(mistakes(text), [said], "{text:?}");
    }
    assert!(mistakes("[runner\nlease = 3")[0].starts_with("c.toml:1: is not TOML: "));
}

#[test]
fn all_mistakes_are_said_at_once_and_in_order() {
    let said = mistakes("[store]\nurl = 1\n[runner]\nlease = 2\n[fetch]\nnope = 3\n");
    let places: Vec<&str> = said.iter().map(|line| line.split(": ").next().expect("a place")).collect();
    assert_eq!(places, ["c.toml:2", "c.toml:4", "c.toml:6"]);
}

#[test]
fn file_then_environment_then_flags() {
    let file = "[store]\nurl = \"sqlite:file\"\n[runner]\nconcurrency = 3";
    let load = |environment: Option<&str>, flag: Option<&str>| {
        let environment = Environment { store: environment.map(str::to_owned), config: None, ..Environment::default() };
        let flags = Flags {
            store: flag.map(str::to_owned),
            concurrency: flag.map(|_| 5),
            no_runner: flag.is_some(),
            ..Flags::default()
        };
        let config = Config::from_parts(&places(), Path::new("c.toml"), file, &environment, &flags).expect("right");
        (config.store.url, config.runner.slots, config.console_runs_jobs)
    };
    assert_eq!(load(None, None), ("sqlite:file".to_owned(), 3, true));
    assert_eq!(load(Some("sqlite:env"), None), ("sqlite:env".to_owned(), 3, true));
    assert_eq!(load(Some("sqlite:env"), Some("sqlite:flag")), ("sqlite:flag".to_owned(), 5, false));
}

#[test]
fn a_wrong_flag_or_variable_is_named() {
    let wrong = |environment: Environment, flags: Flags| {
        let loaded = Config::from_parts(&places(), Path::new("c.toml"), "", &environment, &flags);
        loaded.expect_err("wrong").to_string()
    };
    let flags = Flags { concurrency: Some(0), ..Flags::default() };
    assert_eq!(wrong(Environment::default(), flags), "--concurrency: must be a whole number from 1 to 1024, not 0");
    let environment = Environment { store: Some(" ".to_owned()), config: None, ..Environment::default() };
    assert!(wrong(environment, Flags::default()).starts_with("QUARTERDECK_STORE: must be the URL of a store"));
}

#[test]
fn a_named_file_must_exist_and_the_default_one_need_not() {
    let missing = PathBuf::from("/nowhere/at/all.toml");
    assert!(Config::load(&places(), &Environment::default(), &Flags::default()).is_ok());
    let flags = Flags { config: Some(missing.clone()), ..Flags::default() };
    let environment = Environment { config: Some(missing), store: None, ..Environment::default() };
    for refused in [
        Config::load(&places(), &Environment::default(), &flags),
        Config::load(&places(), &environment, &Flags::default()),
    ] {
        let said = refused.expect_err("a missing file").to_string();
        assert!(said.starts_with("cannot read the config file /nowhere/at/all.toml: "), "{said}");
    }
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("q.toml");
    std::fs::write(&file, "[log]\nkeep_days = 3\n").expect("written");
    let environment = Environment { config: Some(file), store: None, ..Environment::default() };
    let config = Config::load(&places(), &environment, &Flags::default()).expect("read");
    assert_eq!(config.log.keep_days, 3);
}

#[test]
fn the_old_name_of_a_key_is_read_with_a_warning_and_never_beside_the_new_one() {
    let rule = "[{ host = \"a.test\", exclude = [\".ad\"] }]";
    let config = read(&format!("[fetch]\nsites = {rule}")).expect("right");
    assert_eq!((config.fetch.sites.0.len(), config.warnings.len()), (1, 0));
    for old in
        [format!("[fetch]\nsources = {rule}"), "[[fetch.sources]]\nhost = \"a.test\"\nexclude = [\".ad\"]".into()]
    {
        let old = read(&format!("\n{old}")).expect("right");
        assert_eq!(old.fetch.sites, config.fetch.sites);
        let warnings: Vec<String> = old.warnings.iter().map(ToString::to_string).collect();
        let [warning] = &warnings[..] else { panic!("{warnings:?}") };
        assert!(warning.starts_with("c.toml:"), "{warning}");
        assert!(warning.ends_with(": fetch.sources is now called fetch.sites; rename the key"), "{warning}");
    }
    assert_eq!(
        mistakes("[fetch]\nsources = [{ host = \"a\", fetcher = \"curl\" }]"),
        ["c.toml:2: fetch.sources (fetcher) must be \"direct\" or \"firecrawl\", not \"curl\""]
    );
    for (first, second, old, new) in [("sites", "sources", 3, 2), ("sources", "sites", 2, 3)] {
        let said = format!(
            "c.toml:{old}: fetch.sources is the old name of fetch.sites, which is also set (c.toml:{new}); \
             remove fetch.sources"
        );
        assert_eq!(mistakes(&format!("[fetch]\n{first} = {rule}\n{second} = []")), [said]);
    }
}

#[test]
fn secrets_of_a_site_come_from_the_environment_or_a_file_and_never_from_the_settings() {
    let rule = |keys: &str| format!("[fetch]\nsites = [{{ host = \"a.test\", {keys} }}]");
    for (keys, said) in [
        (
            "headers = { X-A = \"hush\" }",
            "(headers) X-A must be { env = \"NAME\" } or { file = \"PATH\" }: a secret is not written into this file",
        ),
        (
            "bearer = \"hush\"",
            "(bearer) must be { env = \"NAME\" } or { file = \"PATH\" }: a secret is not written into this file",
        ),
        ("bearer = { value = \"hush\" }", "(bearer) must be { env = \"NAME\" } or { file = \"PATH\" }"),
        ("bearer = { env = \"A\", file = \"hush\" }", "(bearer) must be { env = \"NAME\" } or { file = \"PATH\" }"),
        ("cookies = { a = 1 }", "(cookies) a must be { env = \"NAME\" } or { file = \"PATH\" }"),
        (
            "cookies = \"hush=1\"",
            "(cookies) must be a table such as { Name = { env = \"NAME\" } or { file = \"PATH\" } }",
        ),
        (
            "basic = { user = \"ana\", password = \"hush\" }",
            "(basic) password must be { env = \"NAME\" } or { file = \"PATH\" }: a secret is not written into this file",
        ),
        (
            "basic = { user = \"ana\" }",
            "(basic) must be a table such as { user = \"ana\", password = { env = \"NAME\" } or { file = \"PATH\" } }",
        ),
        ("headers = { Host = { env = \"A\" } }", "(headers.Host) cannot be set: the fetch itself decides this header"),
        ("headers = { cookie = { env = \"A\" } }", "(headers.cookie) cannot be set: list cookies under `cookies`"),
        (
            "headers = { authorization = { env = \"A\" } }, bearer = { env = \"A\" }",
            "(headers.authorization) sets a header that another key of the rule sets",
        ),
        (
            "bearer = { env = \"A\" }, fetcher = \"firecrawl\"",
            "headers and cookies are never sent to Firecrawl; use fetcher = \"direct\"",
        ),
        ("markdown = \"always\"", "(markdown) must be \"auto\" or \"never\", not \"always\""),
    ] {
        let said = format!("c.toml:2: fetch.sites {said}");
        assert_eq!(mistakes(&rule(keys)), [said]);
    }

    let dir = std::env::temp_dir().join(format!("quarterdeck-secrets-{}", std::process::id()));
    std::fs::create_dir_all(&dir).expect("a folder");
    let write = |name: &str, text: &[u8]| std::fs::write(dir.join(name), text).expect("a file");
    let load = |keys: &str| {
        let values = [("TOKEN", "t0ken"), ("BAD", "hush\nhush")];
        let values = values.map(|(name, value)| (name.to_owned(), Secret::new(value))).into();
        let environment = Environment { values, ..Environment::default() };
        Config::from_parts(&places(), &dir.join("c.toml"), &rule(keys), &environment, &Flags::default())
    };
    for (name, text, value) in [
        ("plain", b"s3cret".as_slice(), Ok("s3cret")),
        ("line", b"s3cret\n", Ok("s3cret")),
        ("dos", b"s3cret\r\n", Ok("s3cret")),
        ("empty", b"\n", Err("is empty")),
    ] {
        write(name, text);
        let config = load(&format!("bearer = {{ file = \"{name}\" }}")).expect("right");
        let read = config.fetch.secrets.0.values().next().expect("one source");
        assert_eq!(read.as_ref().map(Secret::reveal).map_err(String::as_str), value, "{name}");
        assert!(!format!("{config:?}").contains("s3cret"));
    }
    write("two", b"hush\nhush\n");
    for (source, named) in [("file = \"two\"", "the file two"), ("env = \"BAD\"", "the variable BAD")] {
        let error = load(&format!("headers = {{ X-A = {{ {source} }} }}")).expect_err("a line end").to_string();
        let said = format!("c.toml:2: fetch.sites (headers.X-A) {named} has a character that is not allowed there");
        assert!(error.contains(&said) && !error.contains("hush"), "{error}");
    }
    for (source, reason) in [
        ("env = \"NONE\"", "a.test: the variable NONE is not set"),
        ("file = \"/nowhere/at/all\"", "a.test: the file /nowhere/at/all cannot be read: No such file"),
    ] {
        let config = load(&format!("cookies = {{ a = {{ {source} }}, b = {{ env = \"TOKEN\" }} }}")).expect("right");
        let unfetchable = config.fetch.sites.unfetchable(&config.fetch.secrets);
        assert_eq!(unfetchable.hosts, [("a.test".to_owned(), false)]);
        assert!(unfetchable.reasons[0].starts_with(reason), "{unfetchable:?}");
    }
    std::fs::remove_dir_all(&dir).expect("our own folder");
}

#[test]
fn the_console_runs_jobs_on_a_server_only_when_somebody_says_so() {
    let enabled = |file: &str, store: &str, runner: bool, no_runner: bool| {
        let flags = Flags { store: Some(store.to_owned()), runner, no_runner, ..Flags::default() };
        let config = Config::from_parts(&places(), Path::new("c.toml"), file, &Environment::default(), &flags);
        config.expect("right").console_runs_jobs
    };
    let (file, server) = ("sqlite:a.db", "postgres://db.test/chatwoot");
    assert!(enabled("", file, false, false) && !enabled("", server, false, false));
    assert!(enabled("", server, true, false) && !enabled("", file, false, true));
    assert!(enabled("runner.enabled = true", "postgresql://db.test/x", false, false));
    assert!(!enabled("runner.enabled = true", server, false, true));
    assert!(enabled("runner.enabled = false", server, true, false), "flags are stronger");
}

#[test]
fn redis_is_named_by_file_environment_or_flag_and_never_repeated() {
    let load = |file: &str, environment: Option<&str>, flag: Option<&str>| {
        let environment = Environment { redis: environment.map(str::to_owned), ..Environment::default() };
        let flags = Flags { redis: flag.map(str::to_owned), ..Flags::default() };
        Config::from_parts(&places(), Path::new("c.toml"), file, &environment, &flags)
    };
    let redis =
        load("redis.url = \"redis://file\"\nredis.lock = \"off\"", Some("redis://env"), None).expect("right").redis;
    assert_eq!((redis.url.as_deref(), redis.mode), (Some("redis://env"), LockMode::Off));
    let redis = load("", Some("redis://env"), Some("rediss://flag")).expect("right").redis;
    assert_eq!((redis.url.as_deref(), redis.mode), (Some("rediss://flag"), LockMode::Preferred));
    let defaults = Config::defaults(&places()).redis;
    assert_eq!((defaults.url, defaults.key.as_str()), (None, quarterdeck::lock::DEFAULT_KEY));
    for (file, flag, says) in [
        ("", Some("http://:secret@db"), "--redis: must be the URL of a Redis"),
        ("redis.url = \"db:secret\"", None, "c.toml:1: redis.url must be the URL of a Redis"),
        ("redis.lock = \"prefered\"", None, "c.toml:1: redis.lock must be \"required\", \"preferred\" or \"off\""),
        ("redis.key = \"lock\"", None, "c.toml:1: redis.key must contain {id} once"),
        ("redis.lock = \"required\"", None, "c.toml:1: redis.lock is \"required\", but redis.url is not set"),
    ] {
        let said = load(file, None, flag).expect_err("wrong").to_string();
        assert!(said.starts_with(says) && !said.contains("secret"), "{said}");
    }
}

#[test]
fn a_secret_dsn_comes_from_a_file_and_is_never_repeated() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("dsn"), "https://k3y@sentry.example.org/7\n").expect("written");
    let file = dir.path().join("q.toml");
    let load = |value: &str| {
        std::fs::write(&file, format!("errors.sentry_dsn = {value}\n")).expect("written");
        let environment = Environment { config: Some(file.clone()), ..Environment::default() };
        Config::load(&places(), &environment, &Flags::default())
    };
    let config = load("{ file = \"dsn\" }").expect("read");
    assert!(config.errors.sentry.is_some() && !format!("{config:?}").contains("k3y"), "{config:?}");
    for wrong in ["\"k3y\"", "\"https://k3y@/7\"", "7"] {
        let said = load(wrong).expect_err("a mistake").to_string();
        assert!(said.contains("errors.sentry_dsn") && !said.contains("k3y"), "{said}");
    }
    for missing in ["{ file = \"none\" }", "{ env = \"NOT_SET\" }"] {
        let config = load(missing).expect("a warning");
        assert!(config.errors.sentry.is_none() && config.warnings.len() == 1, "{:?}", config.warnings);
    }
}
