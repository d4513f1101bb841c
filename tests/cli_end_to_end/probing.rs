//! Tests `show ID --probe`: it prints the result of a fetch and stores nothing.

use super::json_lines;
use super::place::Place;

#[test]
fn a_probe_prints_stages_headers_and_what_would_change_and_stores_nothing() {
    let place = Place::new();
    let url = place.url("/ok/a");
    place.run(["add", &url]).ok();
    let probed = place.run(["show", "1", "--probe"]).ok();
    for part in [
        format!("Probe of 1 {url}").as_str(),
        format!("GET {url}").as_str(),
        "  connect ",
        "  first byte",
        "  answered         200",
        "  content-type: text/html",
        "convert ",
        "in all ",
        "extracted   ",
        "A sync would store this text as the first content:",
        "+ ",
    ] {
        assert!(probed.contains(part), "{part:?} is not in {probed}");
    }
    let row = json_lines(&place.run(["show", "1", "--json"]).ok()).remove(0);
    assert_eq!(
        (row["status"].as_str(), row["content"].as_str(), row["attempts"].as_array().map(Vec::len)),
        (Some("never"), None, Some(0))
    );
    place.run(["sync", "1", "--wait"]).ok();
    assert!(place.run(["show", "1", "--probe"]).ok().contains("A sync would change nothing."));

    let gone = place.url("/missing");
    place.run(["add", &gone]).ok();
    let ran = place.run(["show", &gone, "--probe"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("failed      404 Not Found"), "{}", ran.out);
    assert!(ran.out.contains("A sync would fail and not be retried automatically."), "{}", ran.out);
}

/// Asserts the probe's last sentence, and the field `content` of a sync of the same page afterwards.
fn probed_and_synced(place: &Place, sentence: &str, content: &str) {
    let probed = place.run(["show", "1", "--probe"]).ok();
    assert!(probed.contains(sentence), "{sentence:?} is not in {probed}");
    let synced = json_lines(&place.run(["sync", "1", "--wait", "--json"]).ok());
    assert_eq!(synced[0]["content"].as_str(), Some(content), "{probed}");
}

#[test]
fn what_a_probe_says_is_what_a_sync_does() {
    let place = Place::new();
    place.run(["add", &place.url("/walled/prices")]).ok();
    place.run(["sync", "1", "--wait"]).ok();
    let held = "The text would need review, and the stored one would stay. What it would change:";
    probed_and_synced(&place, held, "held");
    place.run(["reject", "1"]).ok();
    probed_and_synced(&place, "A sync would keep the stored text. The rejected changes:", "held");
    assert!(
        place.run(["show", "1", "--probe"]).ok().contains("doubt       this text is the text that was rejected before")
    );
}

#[test]
fn a_probe_knows_whose_rules_made_the_stored_text() {
    let place = Place::new();
    place.run(["add", &place.url("/ok/a")]).ok();
    place.run(["sync", "1", "--wait"]).ok();
    probed_and_synced(&place, "A sync would change nothing.", "identical");
    let sites = format!(
        "[retry]\ntransient_waits = [\"100ms\"]\n[fetch]\nallow_private_hosts = [\"127.0.0.1\"]\n\
         sites = [{{ host = \"127.0.0.1:{}\", exclude = [\"h1\"] }}]\n",
        place.port
    );
    place.write("config.toml", &sites);
    probed_and_synced(&place, "A sync would store this text without reporting a change", "same");
    probed_and_synced(&place, "A sync would change nothing.", "identical");
}
