//! Tests the demo site as a whole: the pages that two sites share, the variety of pages, and the shares of the
//! behaviours.

use super::client::{Reply, ask, get, parse, split};
use quarterdeck::demo::{Behaviour, Site};
use std::collections::HashSet;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

/// Returns status, type and body of two hits of each page that answers in time, in order.
async fn transcript(site: &Site) -> Vec<(String, u16, Option<String>, Vec<u8>)> {
    let mut transcript = Vec::new();
    for document in site.documents() {
        if matches!(document.behaviour, Behaviour::Silent { .. } | Behaviour::Huge) {
            continue;
        }
        for _hit in 1..=2 {
            let reply = get(&document.url).await;
            let kind = reply.header("content-type").map(str::to_owned);
            transcript.push((split(&document.url).1, reply.status, kind, reply.body));
        }
    }
    transcript
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_bytes_whatever_the_ports_and_the_number_of_documents() {
    let sites = [
        Site::start(21, 60).await.unwrap(),
        Site::start(21, 60).await.unwrap(),
        Site::start(21, 300).await.unwrap(),
        Site::start(22, 60).await.unwrap(),
    ];
    assert!(sites[0].hosts().iter().all(|host| !sites[1].hosts().contains(host)));
    let first = transcript(&sites[0]).await;
    assert!(first == transcript(&sites[1]).await, "two sites of one seed differ");
    // The pages of the larger site that also exist in the smaller one.
    let prefix = transcript(&sites[2]).await;
    assert!(first[..] == prefix[..first.len()], "a page depends on how many there are");
    let other = transcript(&sites[3]).await;
    // Error pages and shells without text are the same in every site.
    for (a, b) in first.iter().zip(&other).filter(|(a, _)| a.1 == 200 && a.3.len() > 1_000) {
        assert!(a.3 != b.3, "{} is the same for another seed", a.0);
    }
    for (path, _, _, body) in &first {
        assert!(!String::from_utf8_lossy(body).contains("127.0.0.1"), "{path} names a port");
    }
    let [a, b, c, d] = sites;
    for site in [a, b, c, d] {
        site.stop().await;
    }
}

#[tokio::test]
async fn every_behaviour_appears_and_one_in_ten_ends_failed() {
    for documents in [1, 7, 40, 60, 200, 2_000] {
        let site = Site::start(1, documents).await.unwrap();
        let all = site.documents();
        assert_eq!(all.len(), documents);
        assert_eq!(all.iter().map(|document| &document.url).collect::<HashSet<_>>().len(), documents);
        let hosts: HashSet<String> = site.hosts().into_iter().collect();
        assert_eq!(hosts.len(), 12);
        assert!(all.iter().all(|document| hosts.contains(split(&document.url).0)));
        assert!(all.iter().all(|document| (1..=4).contains(&document.account_id) && document.assistant_id > 0));
        if documents >= 40 {
            let words: HashSet<&str> = all.iter().map(|document| document.behaviour.word()).collect();
            assert_eq!(words, HashSet::from(Behaviour::WORDS), "{documents} documents");
            assert_eq!(all.iter().map(|document| &document.name).collect::<HashSet<_>>().len(), documents);
            assert_eq!(all.iter().map(|document| split(&document.url).0).collect::<HashSet<_>>().len(), 12);
        }
        if documents >= 60 {
            let failing = all.iter().filter(|document| document.behaviour.ends_failed()).count();
            assert!((7..=13).contains(&(failing * 100 / documents)), "{failing} of {documents}");
            let good = |behaviour| matches!(behaviour, Behaviour::Steady | Behaviour::Changing);
            let plain = all.iter().filter(|document| good(document.behaviour)).count();
            assert!(plain * 2 > documents, "{plain} of {documents} are plain");
        }
        site.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn pages_are_varied_and_have_something_to_say() {
    let site = Site::start(4, 300).await.unwrap();
    let (mut titles, mut languages, mut templates) = (HashSet::new(), HashSet::new(), HashSet::new());
    let mut elements = HashSet::new();
    let (mut links, mut linking) = (0, 0);
    let paths: HashSet<String> = site.documents().iter().map(|document| split(&document.url).1).collect();
    for document in site.documents() {
        if !matches!(document.behaviour, Behaviour::Steady | Behaviour::Changing | Behaviour::Spacing) {
            continue;
        }
        let reply = get(&document.url).await;
        let page = dom_query::Document::from(reply.text());
        let title = page.select("title").text().to_string();
        assert!(title.starts_with(&document.name) && title.len() > document.name.len(), "{title}");
        titles.insert(title);
        let language = page.select("html").attr("lang").unwrap().to_string();
        templates.insert(page.select("body").attr("class").unwrap().to_string());
        for furniture in ["nav", "footer", ".cookie-banner", "form"] {
            assert!(page.select(furniture).exists(), "{furniture} of {}", document.url);
        }
        let main = page.select("main, [role=main], article");
        assert_eq!(main.length(), 1, "{}", document.url);
        main.select("nav").remove();
        for element in ["h1", "h2", "ul", "ol", "table", "pre", "dl", "blockquote", "img", "a"] {
            if main.select(element).exists() {
                elements.insert(element);
            }
        }
        let before = links;
        for link in main.select("a[href^='/']").iter() {
            let path = link.attr("href").unwrap().to_string();
            assert!(paths.contains(&path), "{} leads to {path}, which is no page", document.url);
            links += 1;
        }
        linking += usize::from(links > before);
        let text = main.text();
        // Japanese has no spaces; two characters count as a word.
        let words = match language.as_str() {
            "ja" => text.chars().filter(|c| !c.is_whitespace()).count() / 2,
            _ => text.split_whitespace().count(),
        };
        assert!(words >= 100, "{words} words on {}", document.url);
        languages.insert(language);
    }
    assert!(titles.len() >= 200, "{} titles", titles.len());
    assert!(languages.len() >= 8, "{languages:?}");
    assert!(templates.len() >= 5, "{templates:?}");
    assert!(linking >= 180, "{linking} pages link to others");
    assert_eq!(elements.len(), 10, "{elements:?}");
    site.stop().await;
}

/// Sends one request within the demo's limits: 2 s per read, 4 s in all.
async fn within_limits(url: &str) -> Option<Reply> {
    let answer = async {
        let mut stream = ask("GET", url).await;
        let mut raw = Vec::new();
        loop {
            let read = timeout(Duration::from_secs(2), stream.read_buf(&mut raw)).await.ok()?;
            if read.unwrap() == 0 {
                return Some(parse(&raw));
            }
        }
    };
    timeout(Duration::from_secs(4), answer).await.ok()?
}

/// Runs a job of up to four attempts with transient failures; returns true if it ends failed, and the number of
/// attempts.
async fn job(url: &str) -> (bool, usize) {
    for attempt in 1..=4 {
        let mut reply = within_limits(url).await;
        while let Some(location) = reply.as_ref().and_then(|reply| reply.header("location")) {
            let next = match location.starts_with('/') {
                true => format!("http://{}{location}", split(url).0),
                false => location.to_owned(),
            };
            reply = within_limits(&next).await;
        }
        match reply {
            None => {}
            Some(reply) if reply.status >= 500 => {}
            Some(reply) if reply.status == 200 => {
                let page = dom_query::Document::from(String::from_utf8_lossy(&reply.body).as_ref());
                page.select("script").remove();
                return (page.select("body").text().chars().all(char::is_whitespace), attempt);
            }
            Some(_) => return (true, attempt),
        }
    }
    (true, 4)
}

#[tokio::test(start_paused = true)]
async fn jobs_end_as_their_behaviour_says_run_after_run() {
    let site = Site::start(6, 120).await.unwrap();
    let mut attempts = HashSet::new();
    for run in 1..=3 {
        for document in site.documents().iter().filter(|document| run == 1 || document.behaviour != Behaviour::Huge) {
            let (failed, attempt) = job(&document.url).await;
            assert_eq!(failed, document.behaviour.ends_failed(), "run {run}, {:?}", document.behaviour);
            attempts.insert(attempt);
        }
    }
    assert_eq!(attempts, HashSet::from([1, 2, 3, 4]));
    site.stop().await;
}
