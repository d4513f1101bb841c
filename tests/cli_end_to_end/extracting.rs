//! Tests `extract`: it prints what would be stored and why, of a URL, a document, a file or standard input, and stores
//! nothing.

use super::json_lines;
use super::place::Place;
use crate::support::install::Install;
use crate::support::site::{Reply, Site};
use serde_json::Value;

const STORY: &str = "The harbour was closed for six hours on Tuesday after a crane leaned over the main quay, the port \
                     authority said. Nobody was hurt, and four ships waited outside the mole until midnight.";

fn framed() -> String {
    format!(
        "<title>Crane</title><nav class=menu><a href=/a>News</a></nav><main><h1>Crane</h1><p>{STORY}</p>\
         <p>See <a href='/more'>more</a>, it says there what happened next and who paid for all of it.</p>\
         <p class=rating>Rate it!</p></main>"
    )
}

fn one(out: &str) -> Value {
    json_lines(out).remove(0)
}

#[test]
fn a_url_is_fetched_without_a_store_and_nothing_is_made() {
    let place = Place::new();
    let url = place.url("/framed/a");
    let ran = place.run(["extract", &url, "--why"]);
    assert!(ran.err.contains("no store is used: ") && ran.err.contains("page type "), "{}", ran.err);
    let out = ran.ok();
    assert!(out.starts_with("/framed/a\n\n# Hello\n\nThis is /framed/a.\n\nLeft out, in page order\n"), "{out}");
    assert!(out.contains("\n      8  100 %        0 %  navigation           nav.menu  All pages\n"), "{out}");
    assert!(!place.store().exists(), "no store was made");
    let missing = place.run(["extract", &place.url("/missing"), "--json"]);
    let object = one(&missing.out);
    assert_eq!((missing.code, missing.err.contains("not found: 404 Not Found")), (Some(1), true), "{}", missing.err);
    assert_eq!((object["error_code"].as_str(), object["content"].as_str()), (Some("not_found"), None), "{object}");
}

#[test]
fn a_document_is_fetched_anew_as_a_sync_would_and_stays_as_it_is() {
    let place = Place::new();
    let url = place.url("/framed/a");
    place.run(["add", &url]).ok();
    place.run(["sync", "1", "--wait"]).ok();
    let stored = one(&place.run(["show", "1", "--json"]).ok());
    let store = format!("sqlite:{}", place.store().display());
    for name in ["1", url.as_str()] {
        let ran = place.run(["extract", name, "--json"]);
        assert!(ran.err.contains("nothing is stored") && ran.err.contains(&store), "{}", ran.err);
        let extracted = one(&ran.ok());
        assert_eq!((extracted["document_id"].as_i64(), extracted["store"].as_str()), (Some(1), Some(store.as_str())));
        for field in ["content", "fingerprint", "content_length", "url"] {
            assert_eq!(extracted[field], stored[field], "{field} of {name}");
        }
    }
    assert_eq!(one(&place.run(["show", "1", "--json"]).ok()), stored, "nothing was written");
    let ran = place.run(["extract", "7"]);
    assert_eq!((ran.code, ran.err.contains("7: no such document")), (Some(2), true), "{}", ran.err);
    let away = place.run(["extract", "1", "--store", "sqlite:/nowhere/q.db"]);
    assert_eq!((away.code, away.out.as_str()), (Some(3), ""), "{}", away.err);
}

#[test]
fn the_rules_of_the_settings_apply_and_flags_replace_them_for_one_call() {
    let place = Place::new();
    let url = place.url("/framed/a");
    place.run(["add", &url]).ok();
    let settings = |rule: &str| format!("fetch.allow_private_hosts = [\"127.0.0.1\"]\nfetch.sites = [{{ {rule} }}]\n");
    place.write("config.toml", &settings("document = 1, exclude = [\"h1\"]"));
    let text = |args: &[&str]| {
        let args = [&["extract"], args, &["--json"]].concat();
        one(&place.run(args).ok())["content"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(text(&[&url]), "This is /framed/a.\n", "the rule of the document with this URL");
    assert_eq!(text(&["1", "--exclude", "p"]), "# Hello\n", "the flag replaces the rule's key");
    assert_eq!(text(&["1", "--include", "p"]), "This is /framed/a.\n", "the other keys stay");
    let tried = one(&place.run(["extract", "1", "--exclude", ".gone", "--why", "--json"]).ok());
    assert_eq!(tried["note"].as_str(), Some("no element of the page matches .gone"));
    let fingerprint =
        |flags: &[&str]| one(&place.run([&["extract", "1", "--json"], flags].concat()).ok())["fingerprint"].to_string();
    assert_ne!(fingerprint(&[]), fingerprint(&["--ignore", "This.*"]), "ignored text is not in the fingerprint");
}

#[test]
fn html_from_a_file_or_standard_input_is_converted_like_a_page() {
    let place = Place::new();
    let file = place.write("page.html", &framed());
    let out = place.run(["extract", &file, "--url", "https://docs.example.org/a/b", "--why"]).ok();
    assert!(out.contains("[more](https://docs.example.org/more)"), "{out}");
    assert!(out.contains("navigation           nav.menu"), "{out}");
    let piped = place.run_with_input(["extract", "-", "--exclude", ".rating", "--why"], &framed()).ok();
    let (kept, left_out) = piped.split_once("Left out").expect("both parts");
    assert!(kept.contains("See more, it says") && !kept.contains("Rate it!"), "{piped}");
    assert!(left_out.contains("site rule            p.rating  Rate it!"), "{piped}");
    let rule = "[[fetch.sites]]\nhost = \"docs.example.org\"\ninclude = [\"h1\"]\n";
    place.write("config.toml", rule);
    assert_eq!(place.run(["extract", &file, "--url", "https://docs.example.org/"]).ok(), "Crane\n\n# Crane\n");
    place.write("config.toml", "fetch.max_body = \"100 KB\"\n");
    let long = place.write("long.html", &format!("<p>{}", "words ".repeat(20_000)));
    let ran = place.run(["extract", &long]);
    assert_eq!((ran.code, ran.err.contains("the body is over 100 KB")), (Some(1), true), "{}", ran.err);
    let endless = place.run(["extract", "/dev/zero"]);
    assert_eq!((endless.code, endless.out.as_str()), (Some(1), ""), "{}", endless.err);
}

#[test]
fn what_can_be_mended_in_the_call_is_wrong_use() {
    let place = Place::new();
    let file = place.write("page.html", &framed());
    for args in [
        &["extract", "nowhere.html"][..],
        &["extract", "ftp://example.org/"],
        &["extract", &file, "--url", "mailto:a@example.org"],
        &["extract", "https://example.org/", "--url", "https://example.org/"],
        &["extract", &file, "--include", "div >"],
        &["extract", &file, "--ignore", "(a"],
        &["extract"],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}: {}", ran.err);
    }
    let empty = place.write("empty.html", "<main></main>");
    let ran = place.run(["extract", &empty]);
    assert_eq!((ran.code, ran.err.contains("content empty: the page has no text")), (Some(1), true), "{}", ran.err);
    let picture = place.write("picture.html", "%PDF-1.7");
    assert_eq!(place.run(["extract", &picture]).code, Some(1));
    let refused = place.run(["extract", "http://10.0.0.1/"]);
    assert_eq!((refused.code, refused.err.contains("a private address")), (Some(1), true), "{}", refused.err);
}

#[test]
fn a_service_that_does_not_work_is_no_failure_of_the_page() {
    let place = Place::new();
    let settings = format!(
        "fetch.allow_private_hosts = [\"127.0.0.1\"]\n[fetch.firecrawl]\napi_key = \"secret\"\nurl = \"{}\"\n",
        place.url("/no-api")
    );
    place.write("config.toml", &settings);
    let ran = place.run(["extract", &place.url("/framed/a")]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(3), ""), "{}", ran.err);
    assert!(!ran.err.contains("secret"), "{}", ran.err);
}

#[test]
fn nothing_of_a_page_acts_on_the_terminal() {
    let place = Place::new();
    let hostile = format!(
        "<title>\u{1b}]0;owned\u{7}Crane</title><nav class='menu \u{1b}[31mred \u{202e}'><a href=/a>News</a></nav>\
         <main><p>{STORY} \u{1b}[2J \u{202e}mole</p></main>"
    );
    let file = place.write("hostile.html", &hostile);
    let ran = place.run(["extract", &file, "--why"]);
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
    assert!(ran.ok().contains("nav.menu"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_template_that_the_store_has_of_the_host_is_used_and_named() {
    let site = Site::start(|path, _| {
        let name = path.trim_start_matches('/');
        let own = format!("<p>Station {name} opened long before the line was built, and {name} has a keeper.</p>");
        Reply::Html(format!("<main>{own}<div class=x-c><p>Buy our maps while they last.</p></div></main>"))
    });
    let install = Install::new(site.await, "runner.per_host = 8\n");
    install.fill(&(1..=5).map(|page| format!("/station-{page}")).collect::<Vec<_>>()).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    let file =
        install.write("page.html", "<main><p>Some words of its own, and some more of them, so that most of the page is not the template.</p><p>Buy our maps while they last.</p></main>");
    let (file, url) = (file.display().to_string(), install.site.url("/station-2"));
    let elsewhere = install.site.url("/elsewhere");
    for page in [&["2"][..], &[&url], &[&file, "--url", &elsewhere]] {
        let explained = install.run(&[&["extract", "--why"], page].concat());
        assert_eq!(explained.code, Some(0), "{explained:?}");
        let out = explained.out.join("\n");
        let (text, why) = out.split_once("reason").unwrap_or_else(|| panic!("{explained:?}"));
        assert!(!text.contains("maps") && why.contains("stands on 5 of 5 pages of this host  "), "{out}");
        assert!(explained.err.contains("with the template of its host; nothing is stored"), "{}", explained.err);
        // What an operator names is the content, whatever stands on other pages.
        let named = install.run(&[&["extract", "--include", "main"], page].concat());
        assert!(named.out.join("\n").contains("maps") && !named.err.contains("with the template"), "{named:?}");
    }
    let without = install.run(&["extract", &file]);
    assert!(without.out.join("\n").contains("maps"), "a file without a URL has no host: {without:?}");
}
