//! Tests a probe: the stages of each request, the response, and the result.

use super::{limits, patient};
use crate::support::dns::{NameServer, addresses};
use crate::support::pages::{Pages, answer, html};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::fetch::{FetchRequest, FetchSettings, probe};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// Delay of each of the server's responses. The clock is paused, so nothing else takes time.
const WAITED: Duration = Duration::from_millis(30);
/// Resolution of the paused clock.
const TICK: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn every_stage_of_every_hop_is_seen() {
    let names = NameServer::start(|_, _| addresses(&["127.0.0.1"])).await;
    let pages = Pages::serve(|path, mut connection| async move {
        tokio::time::sleep(WAITED).await;
        let bytes = match path.as_str() {
            "/a" => answer("302 Found\r\nLocation: /b\r\nX-Hop: one", b""),
            _ => html("<title>T</title><p>words"),
        };
        let _ = connection.write_all(&bytes).await;
    })
    .await;
    let allow_private_hosts = vec!["wiki.example.org".parse().expect("an entry")];
    let limits = FetchSettings { dns_servers: vec![names.address], allow_private_hosts, ..limits(&pages) };
    let url = format!("http://wiki.example.org:{}/a", pages.address.port());
    let seen = probe(limits, &FetchRequest::whole(DocumentId(1), url)).await.expect("a probe");
    assert_eq!(seen.hops.len(), 2);
    for (hop, (path, status)) in seen.hops.iter().zip([("/a", 302), ("/b", 200)]) {
        assert!(hop.url.as_str().ends_with(path) && hop.status == Some(status), "{hop:?}");
        assert!(hop.dns.is_some() && hop.connect.is_some() && hop.tls.is_none(), "{hop:?}");
        assert!(hop.first_byte.is_some_and(|waited| waited.abs_diff(WAITED) <= TICK), "{hop:?}");
    }
    assert!(seen.total.abs_diff(2 * WAITED) <= 2 * TICK, "{:?}", seen.total);
    let one = |name: &str| seen.hops[0].headers.iter().find(|(n, _)| n.as_str() == name).map(|(_, v)| v.as_str());
    assert_eq!((one("x-hop"), one("location")), (Some("one"), Some("/b")));
    assert!(seen.body.is_some() && seen.convert.is_some());
    let page = seen.result.expect("a page").page().expect("a page");
    assert_eq!((page.title.as_deref(), page.content.as_str()), (Some("T"), "words\n"));
}

#[tokio::test(start_paused = true)]
async fn a_handshake_is_a_stage_of_its_own_and_a_failure_ends_the_list() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("an address");
    let limits = FetchSettings {
        allow_private_hosts: vec![address.to_string().parse().expect("an entry")],
        connect_timeout: Duration::from_millis(100),
        ..patient()
    };
    let seen =
        probe(limits, &FetchRequest::whole(DocumentId(1), format!("https://{address}/"))).await.expect("a probe");
    let [hop] = &seen.hops[..] else { panic!("{seen:?}") };
    assert_eq!(hop.connect, Some(Duration::ZERO), "the connection stood: {hop:?}");
    assert_eq!((hop.dns, hop.tls, hop.first_byte, hop.status), (None, None, None, None));
    assert_eq!((seen.body, seen.convert), (None, None));
    assert!(seen.result.is_err());
    let refused = probe(patient(), &FetchRequest::whole(DocumentId(1), "http://10.0.0.1/")).await.expect("a probe");
    assert!(refused.hops.is_empty(), "nothing was asked");
}

#[tokio::test]
async fn a_probe_explains_a_page_that_was_converted_here_and_no_other() {
    let pages = Pages::serve(|path, mut connection| async move {
        let bytes = match path.as_str() {
            "/text" => answer("200 OK\r\nContent-Type: text/plain", b"words"),
            _ => html("<title>T</title><nav class=menu>menu</nav><main><p>words</main>"),
        };
        let _ = connection.write_all(&bytes).await;
    })
    .await;
    let explained = async |path: &str| {
        let request = FetchRequest::whole(DocumentId(1), pages.url(path));
        probe(limits(&pages), &request).await.expect("a probe").explained().expect("a page")
    };
    let report = explained("/a").await.report.expect("a report");
    let left_out: Vec<_> = report.dropped.iter().map(|dropped| (&*dropped.element, &*dropped.reason)).collect();
    assert_eq!(left_out, [("nav.menu", "navigation")]);
    let text = explained("/text").await;
    assert_eq!((text.page.content.as_str(), text.report), ("words", None));
}
