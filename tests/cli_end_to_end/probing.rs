//! `show ID --probe`: what a fetch would bring, and nothing is stored.

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
        "A sync would store it as the first content:",
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
    assert!(ran.out.contains("A sync would fail and not try again by itself."), "{}", ran.out);
}
