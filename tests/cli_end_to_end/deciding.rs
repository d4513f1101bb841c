//! Tests a page that turns into a login wall, and a person's decision on it, with the real binary.

use super::place::{Place, Ran};
use super::{json_lines, statuses};
use serde_json::Value;

const ARTICLE: &str = "Ten euro a month, for as many people as you like.";
const WALL: &str = "Please sign in";

/// Makes a document that was synced and whose page has become a login wall since.
fn walled() -> Place {
    let place = Place::new();
    place.run(["add", &place.url("/walled/prices"), &place.url("/ok/a")]).ok();
    place.run(["sync", "--all", "--wait"]).ok();
    let synced = json_lines(&place.run(["sync", "1", "--wait", "--json"]).ok());
    assert_eq!((synced[0]["result"].as_str(), synced[0]["content"].as_str()), (Some("unchanged"), Some("held")));
    let detail = synced[0]["detail"].as_str().expect("the reason");
    assert!(detail.contains("needs review: it looks like a login page"), "{detail}");
    place
}

fn held(place: &Place) -> Vec<i64> {
    let listed = json_lines(&place.run(["list", "--json", "--filter", "content:held"]).ok());
    listed.iter().map(|row| row["id"].as_i64().expect("a number")).collect()
}

fn shown(place: &Place) -> Value {
    json_lines(&place.run(["show", "1", "--json"]).ok()).remove(0)
}

fn content(place: &Place) -> String {
    shown(place)["content"].as_str().expect("a text").to_owned()
}

fn refused(ran: &Ran, out: &str) {
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), out), "{}", ran.err);
}

#[test]
fn a_wall_is_held_back_shown_and_accepted() {
    let place = walled();
    assert_eq!((held(&place), statuses(&place)), (vec![1], vec!["synced".to_owned(), "synced".to_owned()]));
    assert!(content(&place).contains(ARTICLE));
    let told = shown(&place);
    assert_eq!(told["held"]["reason"].as_str(), Some("looks like a login page"));
    assert!(told["held"]["content"].as_str().expect("the held text").contains(WALL));
    let text = place.run(["show", "1"]).ok();
    for line in ["the fetched text looks like a login page", &format!("- {ARTICLE}"), "+ # Please sign in"] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
    assert_eq!(place.run(["accept", "1"]).ok(), "1 Prices: accepted\n");
    assert!(content(&place).contains(WALL) && !content(&place).contains(ARTICLE));
    assert!(held(&place).is_empty());
    let told = shown(&place);
    assert_eq!((&told["held"], told["name"].as_str()), (&Value::Null, Some("Sign in")));
    assert_eq!(told["versions"].as_array().map(Vec::len), Some(1), "the article is kept");
    let last = json_lines(&place.run(["log", "--json", "--limit", "1"]).ok()).remove(0);
    assert_eq!((last["result"].as_str(), last["requested_by"].as_str()), (Some("updated"), Some("ana")));
    let detail = last["detail"].as_str().expect("why");
    assert_eq!(detail, "accepted by ana, although the text looks like a login page");
    // The accepted text is now the stored one.
    let again = json_lines(&place.run(["sync", "1", "--wait", "--json"]).ok());
    assert_eq!((again[0]["content"].as_str(), held(&place).len()), (Some("same"), 0));
}

#[test]
fn a_rejected_wall_is_not_asked_about_again() {
    let place = walled();
    let answers = json_lines(&place.run(["reject", &place.url("/walled/prices"), "--json"]).ok());
    let [answer] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((answer["document_id"].as_i64(), answer["answer"].as_str()), (Some(1), Some("rejected")));
    assert_eq!(answer["reason"], Value::Null);
    assert!(held(&place).is_empty());
    let again = json_lines(&place.run(["sync", "1", "--wait", "--json"]).ok());
    assert_eq!(again[0]["content"].as_str(), Some("held"), "it is not stored either");
    assert!(again[0]["detail"].as_str().expect("why").contains("it is the text that was rejected before"));
    assert!(held(&place).is_empty(), "nobody is asked");
    assert!(content(&place).contains(ARTICLE));
    refused(&place.run(["accept", "1"]), "1 Prices: skipped: it does not need review\n");
}

#[test]
fn a_decision_may_name_the_text_and_is_then_on_no_other() {
    let place = walled();
    let fingerprint = shown(&place)["held"]["fingerprint"].as_str().expect("hex").to_owned();
    assert!(place.run(["show", "1"]).ok().contains(&format!("Its fingerprint is {fingerprint}")));
    let other = "0".repeat(64);
    for verb in ["accept", "reject"] {
        let ran = place.run([verb, "1", "--fingerprint", &other]);
        refused(&ran, "1 Prices: skipped: a different text of it needs review\n");
    }
    assert_eq!(held(&place), [1]);
    let accepted = place.run(["accept", "1", "--fingerprint", &fingerprint, "--json"]).ok();
    assert_eq!(json_lines(&accepted)[0]["answer"].as_str(), Some("accepted"));
    assert!(content(&place).contains(WALL));
}

#[test]
fn what_cannot_be_decided_says_why_and_changes_nothing() {
    let place = walled();
    for verb in ["accept", "reject"] {
        let missing = place.run([verb, "99"]);
        assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
        assert!(missing.err.contains("99"), "{}", missing.err);
        let nonsense = place.run([verb, "nonsense"]);
        assert_eq!((nonsense.code, nonsense.out.as_str()), (Some(2), ""), "{}", nonsense.err);
        assert_eq!(place.run([verb]).code, Some(2), "nobody is assumed to be meant");
        let fine = place.run([verb, "2", "--json"]);
        assert_eq!(fine.code, Some(2));
        let answer = json_lines(&fine.out).remove(0);
        assert_eq!(
            (answer["answer"].as_str(), answer["reason"].as_str()),
            (Some("skipped"), Some("it does not need review"))
        );
        let read_only = place.run(["--read-only", verb, "1"]);
        assert_eq!((read_only.code, read_only.out.as_str()), (Some(2), ""), "{}", read_only.err);
    }
    assert_eq!(held(&place), [1]);
    // A document that can be decided is decided, although another in the same command cannot.
    let both = place.run(["accept", "2", "1"]);
    let name = shown(&place)["name"].as_str().expect("a name").to_owned();
    assert_eq!(name, "Sign in");
    assert_eq!((both.code, both.out.lines().count()), (Some(2), 2), "{}", both.out);
    assert!(both.out.contains("1 Prices: accepted"), "{}", both.out);
}
