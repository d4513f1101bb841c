//! Tests the demo site over real HTTP: the response of each behaviour at each hit, which depends only on seed, page and
//! hit number.
//!
//! The clock is paused where a page takes its time, so that a drip costs no seconds; the sockets are real.
#![expect(clippy::unwrap_used)]

mod client;
mod connections;
mod whole;

use client::{Reply, ask, get, split, wait_for, with};
use quarterdeck::demo::{Behaviour, Charset, Hops, Site};
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout};

fn collapsed(html: &str) -> String {
    html.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asserts that `hits` requests all get a 200 with the same bytes, and returns that response.
async fn steady(url: &str, hits: usize) -> Reply {
    let first = get(url).await;
    assert_eq!(first.status, 200, "{url}");
    for _ in 1..hits {
        let again = get(url).await;
        assert_eq!((again.status, again.body == first.body), (200, true), "{url}");
    }
    first
}

#[tokio::test(start_paused = true)]
async fn plain_pages_are_steady_and_failing_pages_fail_at_every_hit() {
    let site = Site::start(5, 120).await.unwrap();
    for document in with(&site, |behaviour| behaviour == Behaviour::Steady).iter().take(10) {
        let reply = steady(&document.url, 3).await;
        assert!(reply.header("etag").is_some());
        assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
        assert!(reply.text().contains(&format!("<h1>{}</h1>", document.name)) || reply.text().contains(&document.name));
    }
    for (behaviour, status) in [(Behaviour::NotFound, 404), (Behaviour::Gone, 410), (Behaviour::Forbidden, 403)] {
        for document in with(&site, |other| other == behaviour) {
            for hit in 1..=12 {
                assert_eq!(get(&document.url).await.status, status, "{behaviour:?} hit {hit}");
            }
        }
    }
    for document in with(&site, |behaviour| behaviour == Behaviour::Empty) {
        let reply = steady(&document.url, 2).await;
        let body = dom_query::Document::from(reply.text());
        body.select("script").remove();
        assert!(body.select("body").text().chars().all(char::is_whitespace), "{}", document.url);
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn changing_pages_change_at_each_hit_and_spacing_pages_in_white_space_alone() {
    let site = Site::start(5, 60).await.unwrap();
    for document in with(&site, |behaviour| behaviour == Behaviour::Changing) {
        let mut seen = HashSet::new();
        for hit in 1..=4 {
            let reply = get(&document.url).await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("etag"), None);
            assert!(seen.insert(collapsed(reply.text())), "hit {hit} of {}", document.url);
        }
    }
    for document in with(&site, |behaviour| behaviour == Behaviour::Spacing) {
        let mut seen = HashSet::new();
        let mut words = HashSet::new();
        for hit in 1..=4 {
            let reply = get(&document.url).await;
            words.insert(collapsed(reply.text()));
            assert!(seen.insert(reply.body), "hit {hit} of {}", document.url);
        }
        assert_eq!(words.len(), 1, "{}", document.url);
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_cookie_wall_takes_the_place_of_its_page_and_goes_again() {
    let site = Site::start(5, 180).await.unwrap();
    let walls = with(&site, |behaviour| behaviour == Behaviour::CookieWall);
    assert_eq!(walls.len(), 3);
    for document in walls {
        let page = get(&document.url).await;
        assert!(page.text().contains(&document.name), "{}", document.url);
        let wall = get(&document.url).await;
        // Short enough to be quarantined: at most a tenth of the page's words.
        assert!(wall.body.len() * 10 < page.body.len() && !wall.text().contains(&document.name));
        for hit in 3..=12 {
            let reply = get(&document.url).await;
            assert_eq!((reply.status, reply.header("etag")), (200, None), "nothing by which it is not modified");
            let shown = if (hit - 1) % 10 == 0 || hit == 10 { &page } else { &wall };
            assert!(reply.body == shown.body, "hit {hit} of {}", document.url);
        }
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn server_errors_recover_after_their_number_of_hits_and_relapse() {
    let site = Site::start(5, 180).await.unwrap();
    let mut numbers = HashSet::new();
    for document in site.documents() {
        let (status, failures) = match document.behaviour {
            Behaviour::ServerError { failures } => (500, failures),
            Behaviour::Unavailable { failures } => (503, failures),
            _ => continue,
        };
        numbers.insert((status, failures));
        let mut statuses = Vec::new();
        for _ in 1..=11 {
            let reply = get(&document.url).await;
            assert_eq!(reply.header("retry-after"), (reply.status == 503).then_some("1"));
            statuses.push(reply.status);
        }
        let failures = failures as usize;
        let expected = [vec![status; failures], vec![200; 10 - failures], vec![status]].concat();
        assert_eq!(statuses, expected, "{}", document.url);
    }
    assert_eq!(numbers, (1..=3).flat_map(|failures| [(500, failures), (503, failures)]).collect());
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn silent_pages_never_answer_and_drips_outlast_the_total_time_out() {
    let site = Site::start(5, 120).await.unwrap();
    let mut answering = site.answering();
    for document in with(&site, |behaviour| matches!(behaviour, Behaviour::Silent { .. })) {
        let Behaviour::Silent { failures } = document.behaviour else { unreachable!() };
        for hit in 1..=4 {
            if failures.is_some_and(|failures| hit > failures) {
                assert_eq!(get(&document.url).await.status, 200, "hit {hit} of {}", document.url);
                continue;
            }
            let mut stream = ask("GET", &document.url).await;
            wait_for(&mut answering, 1).await;
            let read = timeout(Duration::from_secs(3_600), stream.read_u8()).await;
            assert!(read.is_err(), "hit {hit} of {} answered {read:?}", document.url);
            drop(stream);
            wait_for(&mut answering, 0).await;
        }
    }
    let mut kinds = HashSet::new();
    for document in with(&site, |behaviour| matches!(behaviour, Behaviour::Drip { .. })) {
        let Behaviour::Drip { failures } = document.behaviour else { unreachable!() };
        kinds.insert(failures.is_some());
        let mut bodies = HashSet::new();
        for hit in 1..=3 {
            let start = Instant::now();
            let reply = get(&document.url).await;
            let slow = failures.is_none_or(|failures| hit <= failures);
            assert_eq!(start.elapsed() > Duration::from_secs(4), slow, "hit {hit} of {}", document.url);
            bodies.insert(reply.body);
        }
        assert_eq!(bodies.len(), 1, "slow or not, it is one page");
    }
    assert_eq!(kinds, HashSet::from([true, false]));
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_drip_never_pauses_for_as_long_as_the_read_time_out() {
    let site = Site::start(5, 60).await.unwrap();
    let document = with(&site, |behaviour| matches!(behaviour, Behaviour::Drip { .. })).remove(0);
    let mut stream = ask("GET", &document.url).await;
    let mut piece = [0; 4_096];
    let mut pieces = 0;
    loop {
        let read = timeout(Duration::from_millis(1_900), stream.read(&mut piece)).await.expect("a pause under 1.9 s");
        if read.unwrap() == 0 {
            break;
        }
        pieces += 1;
    }
    assert!(pieces >= 10, "{pieces} pieces");
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn redirects_take_three_hops_on_one_host_or_across_hosts() {
    let site = Site::start(5, 60).await.unwrap();
    for document in with(&site, |behaviour| matches!(behaviour, Behaviour::Redirects(_))) {
        for _hit in 1..=2 {
            let mut url = document.url.clone();
            let mut hosts = HashSet::from([split(&url).0.to_owned()]);
            for hop in 1..=3 {
                let reply = get(&url).await;
                assert!(matches!(reply.status, 301 | 302 | 307), "hop {hop}: {}", reply.status);
                let location = reply.header("location").unwrap();
                url = match location.starts_with('/') {
                    true => format!("http://{}{location}", split(&url).0),
                    false => location.to_owned(),
                };
                hosts.insert(split(&url).0.to_owned());
            }
            let reply = get(&url).await;
            assert_eq!(reply.status, 200);
            assert!(reply.text().contains(&document.name));
            let across = document.behaviour == Behaviour::Redirects(Hops::AcrossHosts);
            assert_eq!(hosts.len(), if across { 4 } else { 1 });
        }
        let (host, path) = split(&document.url);
        for wrong in [format!("/moved/4{path}"), format!("/moved/0{path}"), "/moved/1/x-1001".to_owned()] {
            assert_eq!(get(&format!("http://{host}{wrong}")).await.status, 404);
        }
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn wrong_charsets_are_wrong_and_can_be_read() {
    let site = Site::start(5, 120).await.unwrap();
    let mut kinds = HashSet::new();
    for document in with(&site, |behaviour| matches!(behaviour, Behaviour::WrongCharset(_))) {
        let Behaviour::WrongCharset(charset) = document.behaviour else { unreachable!() };
        kinds.insert(charset);
        let reply = steady(&document.url, 2).await;
        assert!(std::str::from_utf8(&reply.body).is_err(), "not UTF-8, whatever a label says");
        let (text, _, broken) = charset.encoding().decode(&reply.body);
        assert!(!broken);
        assert!(text.contains(&document.name), "{}", document.name);
        let (label, meta) = match charset {
            Charset::WesternMetaLies => ("windows-1252", "utf-8"),
            Charset::WesternHeaderLies => ("ISO-8859-2", "windows-1252"),
            Charset::JapaneseMetaLies => ("Shift_JIS", "utf-8"),
        };
        assert_eq!(reply.header("content-type").unwrap(), format!("text/html; charset={label}"));
        assert!(text.contains(&format!("<meta charset=\"{meta}\">")));
    }
    assert_eq!(kinds.len(), 3);
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn huge_pages_are_several_megabytes_of_text() {
    let site = Site::start(5, 60).await.unwrap();
    for document in with(&site, |behaviour| behaviour == Behaviour::Huge) {
        let reply = steady(&document.url, 2).await;
        assert!((2_000_000..8_000_000).contains(&reply.body.len()), "{}", reply.body.len());
        assert!(reply.text().chars().count() > 200_000);
        assert!(reply.text().ends_with("</body></html>\n"));
    }
    site.stop().await;
}

#[tokio::test(start_paused = true)]
async fn latency_is_drawn_and_the_same_for_the_same_hit() {
    let (one, two) = (Site::start(8, 60).await.unwrap(), Site::start(8, 60).await.unwrap());
    let mut seen = HashSet::new();
    let mut by_hit = 0;
    let steady = |site: &Site| with(site, |behaviour| behaviour == Behaviour::Steady);
    for (a, b) in steady(&one).iter().zip(&steady(&two)) {
        let mut first_hit = None;
        for _hit in 1..=2 {
            let mut taken = Vec::new();
            for url in [&a.url, &b.url] {
                let start = Instant::now();
                get(url).await;
                taken.push(start.elapsed().as_millis());
            }
            // The paused clock rounds a sleep up to the next millisecond.
            assert!((20..=402).contains(&taken[0]), "{taken:?}");
            assert!(taken[0].abs_diff(taken[1]) <= 2, "{taken:?}");
            seen.insert(taken[0]);
            by_hit += usize::from(first_hit.replace(taken[0]).is_some_and(|first: u128| first.abs_diff(taken[0]) > 5));
        }
    }
    assert!(by_hit > 10, "{by_hit} pages take another time at their second hit");
    assert!(seen.len() > 20, "{seen:?}");
    one.stop().await;
    two.stop().await;
}
