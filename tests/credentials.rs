//! Tests pages behind a login with the real program: who syncs them, and what is said where credentials are missing.

use crate::support::install::{Ended, Install};
use crate::support::site::{Site, html};

/// Makes an installation with one site, whose host the settings name.
async fn install(settings: impl Fn(&str) -> String) -> Install {
    let site = Site::start(|path, _| html("T", &format!("the page {path}, with some words on it"))).await;
    let settings = settings(&site.host());
    Install::new(site, &settings)
}

fn bearer(host: &str) -> String {
    format!("fetch.sites = [{{ host = \"{host}\", bearer = {{ env = \"WIKI_TOKEN\" }} }}]\n")
}

fn run_with(install: &Install, env: &[(&str, &str)], args: &[&str]) -> Ended {
    install.start_with(env, args).ended()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_without_the_value_leaves_the_document_and_one_with_it_syncs_it() {
    let install = install(bearer).await;
    let url = install.site.url("/page");
    assert_eq!(install.run(&["add", &url, "--sync"]).code, Some(0));
    let missing = format!("{}: the variable WIKI_TOKEN is not set", install.site.host());

    let drained = install.run(&["work", "--drain"]);
    assert_eq!((drained.code, drained.out.len()), (Some(0), 0), "{drained:?}");
    assert!(drained.err.contains(&format!("this process syncs no document of {missing}")), "{drained:?}");
    for named in
        [["1", "--wait"].as_slice(), &["--all", "--wait", "--yes"], &["--filter", "status:queued", "--wait", "--yes"]]
    {
        let waited = install.run(&[&["sync"], named].concat());
        assert_eq!(waited.code, Some(1), "{waited:?}");
        assert_eq!(waited.out.last().map(String::as_str), Some("0 documents synced, 0 failed, 1 still queued"));
        assert!(waited.err.contains("stays queued") && waited.err.contains("WIKI_TOKEN is not set"), "{waited:?}");
    }
    let probed = install.run(&["show", "1", "--probe"]);
    assert!(probed.out.join("\n").contains("not fetched: the variable WIKI_TOKEN is not set"), "{probed:?}");
    let checked = install.run(&["doctor"]);
    assert!(checked.out.iter().any(|line| line.contains("credentials") && line.contains(&missing)), "{checked:?}");
    assert_eq!(install.site.hits("/page"), 0);

    let env = [("WIKI_TOKEN", "hush-hush")];
    let synced = run_with(&install, &env, &["sync", "1", "--wait"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
    let head = install.site.head("/page");
    assert!(head.contains("authorization: bearer hush-hush\r\n"), "{head}");
    let checked = run_with(&install, &env, &["doctor"]);
    assert!(checked.out.iter().any(|line| line.contains("this process has all credentials")), "{checked:?}");

    let probed = run_with(&install, &env, &["show", "1", "--probe"]);
    let shown = run_with(&install, &env, &["show", "1", "--json"]);
    let logged = run_with(&install, &env, &["log", "--json"]);
    for ended in [&synced, &checked, &probed, &shown, &logged] {
        assert!(!format!("{ended:?}").contains("hush"), "{ended:?}");
    }
    let stored = std::fs::read(install.file()).expect("the store");
    assert!(!stored.windows(4).any(|bytes| bytes == b"hush"), "the value is in the store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_no_header_can_have_ends_the_program_at_its_start() {
    let install = install(bearer).await;
    let ended = run_with(&install, &[("WIKI_TOKEN", "hush\r\nEvil: 1")], &["work", "--drain"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("fetch.sites (bearer) the variable WIKI_TOKEN has a character"), "{ended:?}");
    assert!(!ended.err.contains("hush"), "{ended:?}");
}
