//! Tests that verbs name the next step: where nobody works, where a page is unknown, where an address or a terminal is
//! refused, and before they act on what cannot be undone.

use super::place::Place;

#[test]
fn a_request_that_nobody_runs_says_so() {
    let place = Place::new();
    let file = place.write("pages.txt", &format!("{}\n", place.url("/ok/b")));
    let page = place.url("/ok/a");
    for args in [&["add", &page, "--sync"][..], &["import", &file, "--sync"], &["sync", "1"]] {
        let ran = place.run(args.iter().copied());
        assert!(ran.err.contains("no worker is running: start `quarterdeck work`"), "{args:?}: {}", ran.err);
        assert_eq!(ran.code, Some(0));
    }
    for args in [&["add", &page][..], &["import", &file]] {
        assert_eq!(place.run(args.iter().copied()).err, "", "{args:?}: nothing was requested");
    }
}

#[test]
fn a_sync_of_an_unknown_page_names_the_verb_that_adds_it() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    let unknown = place.url("/ok/unknown");
    for (verb, offers) in [("sync", true), ("retry", true), ("cancel", false), ("remove", false), ("show", false)] {
        let ran = place.run([verb, &unknown]);
        assert_eq!(ran.code, Some(2), "{verb}: {}", ran.err);
        assert!(ran.err.contains(&format!("{unknown}: no such document")), "{verb}: {}", ran.err);
        assert_eq!(ran.err.contains("`quarterdeck add --sync URL`"), offers, "{verb}: {}", ran.err);
    }
    let ran = place.run(["sync", "77"]);
    assert!(ran.err.contains("77: no such document\n"), "an id cannot be added: {}", ran.err);
}

#[test]
fn a_refused_address_names_the_setting() {
    let place = Place::new();
    place.write("config.toml", "");
    place.run(["add", &place.url("/ok/a")]).ok();
    let ran = place.run(["sync", "1", "--wait"]);
    assert_eq!(ran.code, Some(1));
    let said = "refused: 127.0.0.1 is a loopback address; fetch.allow_private_hosts can allow it";
    assert!(ran.out.contains(said), "{}", ran.out);
}

#[test]
fn a_purge_asks_however_few_the_jobs_are() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    place.write("config.toml", "plans.default = \"daily\"\nplans.daily.every = \"1 day\"\n");
    place.run(["schedule"]).ok();
    let refused = place.run(["purge"]);
    assert_eq!((refused.code, refused.out.as_str()), (Some(2), ""), "{}", refused.err);
    assert!(refused.err.contains("Drop 1 waiting auto job? No terminal to answer on: confirm with --yes"));
    let (code, screen) = place.answer(["purge"], "n\r");
    assert!(code == 0 && screen.contains("nothing was done"), "{screen}");
    assert_eq!(place.run(["purge", "--yes"]).ok(), "dropped 1 waiting auto job\n");
    let none = place.run(["purge"]);
    assert_eq!((none.code, none.err.as_str()), (Some(0), "no auto jobs are waiting\n"), "nothing to ask about");
}

#[test]
fn a_store_that_cannot_be_one_is_wrong_use() {
    let place = Place::new();
    for url in ["sqlite:", "nonsense", "mysql://h/d", "postgres://h:port/d", "http://h/d", " "] {
        let ran = place.run(["--store", url, "list"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{url}: {}", ran.err);
    }
}

#[test]
fn outcomes_are_printed_since_a_date_and_since_what_log_prints() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    place.run(["sync", "1"]).ok();
    place.run(["cancel", "1"]).ok();
    let log = place.run(["log"]).ok();
    let printed = log.get(..19).expect("a date and a time");
    for since in [printed, &printed[..10], "yesterday", "1h"] {
        assert_eq!(place.run(["log", "--since", since]).ok(), log, "{since}");
    }
    assert_eq!(place.run(["log", "--since", "2200-01-01"]).err, "no outcome matches\n");
    assert_eq!(place.run(["log", "--since", "soon"]).code, Some(2));
}

#[test]
fn the_version_names_the_build() {
    let version = Place::new().run(["--version"]).ok();
    let (number, build) = version.trim_end().split_once(" (").expect("a build");
    assert_eq!(number, concat!("quarterdeck ", env!("CARGO_PKG_VERSION")));
    assert!(build.ends_with(')') && build.len() > 8, "{version}");
}
