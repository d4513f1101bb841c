//! Tests URLs and addresses that are refused before anything is sent.

use super::{Get, assert_failure, fetcher, patient};
use crate::support::pages::{Pages, html};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::fetch::{Addresses, AllowedHost, AllowedHostError, DENIED_PORTS, FetchSettings, Lookup, LookupError};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Refused URLs, with the detail of each refusal.
const REFUSED: &[(&str, &str)] = &[
    ("http://0.0.0.0/", "refused: 0.0.0.0 is an address of this host"),
    ("http://0/", "refused: 0.0.0.0 is an address of this host"),
    ("http://0.1.2.3/", "refused: 0.1.2.3 is an address of this host"),
    ("http://10.0.0.1/", "refused: 10.0.0.1 is a private address"),
    ("http://10.255.255.255/", "refused: 10.255.255.255 is a private address"),
    ("http://100.64.0.1/", "refused: 100.64.0.1 is a carrier's shared address"),
    ("http://100.127.255.255/", "refused: 100.127.255.255 is a carrier's shared address"),
    ("http://127.0.0.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://127.0.0.1:8080/", "refused: 127.0.0.1 is a loopback address"),
    ("https://127.255.255.254/", "refused: 127.255.255.254 is a loopback address"),
    ("http://2130706433/", "refused: 127.0.0.1 is a loopback address"),
    ("http://0x7f000001/", "refused: 127.0.0.1 is a loopback address"),
    ("http://0x7f.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://0177.0.0.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://127.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://127.0.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://127.0.0.1./", "refused: 127.0.0.1 is a loopback address"),
    ("http://%31%32%37.0.0.1/", "refused: 127.0.0.1 is a loopback address"),
    ("http://１２７.０.０.１/", "refused: 127.0.0.1 is a loopback address"),
    ("http://①②⑦.⓪.⓪.①/", "refused: 127.0.0.1 is a loopback address"),
    ("http://127。0。0。1/", "refused: 127.0.0.1 is a loopback address"),
    ("http:\\\\127.0.0.1\\", "refused: 127.0.0.1 is a loopback address"),
    ("http:127.0.0.1", "refused: 127.0.0.1 is a loopback address"),
    ("http://169.254.169.254/latest/meta-data/", "refused: 169.254.169.254 is a link-local address"),
    ("http://0xa9fea9fe/", "refused: 169.254.169.254 is a link-local address"),
    ("http://172.16.0.1/", "refused: 172.16.0.1 is a private address"),
    ("http://172.31.255.255/", "refused: 172.31.255.255 is a private address"),
    ("http://192.0.0.8/", "refused: 192.0.0.8 is an address for protocol assignments"),
    ("http://192.0.2.1/", "refused: 192.0.2.1 is a documentation address"),
    ("http://192.88.99.1/", "refused: 192.88.99.1 is a 6to4 relay address"),
    ("http://192.168.1.1/", "refused: 192.168.1.1 is a private address"),
    ("http://198.18.0.1/", "refused: 198.18.0.1 is a benchmark address"),
    ("http://198.19.255.255/", "refused: 198.19.255.255 is a benchmark address"),
    ("http://198.51.100.7/", "refused: 198.51.100.7 is a documentation address"),
    ("http://203.0.113.7/", "refused: 203.0.113.7 is a documentation address"),
    ("http://224.0.0.1/", "refused: 224.0.0.1 is a multicast address"),
    ("http://239.255.255.255/", "refused: 239.255.255.255 is a multicast address"),
    ("http://240.0.0.1/", "refused: 240.0.0.1 is a reserved address"),
    ("http://255.255.255.255/", "refused: 255.255.255.255 is the broadcast address"),
    ("http://[::]/", "refused: :: is an address of this host"),
    ("http://[::1]/", "refused: ::1 is a loopback address"),
    ("http://[0:0:0:0:0:0:0:1]/", "refused: ::1 is a loopback address"),
    ("http://[::ffff:127.0.0.1]/", "refused: 127.0.0.1 is a loopback address"),
    ("http://[::ffff:a00:1]/", "refused: 10.0.0.1 is a private address"),
    ("http://[::127.0.0.1]/", "refused: ::7f00:1 is a reserved address"),
    ("http://[64:ff9b::10.0.0.1]/", "refused: 64:ff9b::a00:1 is a private address"),
    ("http://[64:ff9b:1::1]/", "refused: 64:ff9b:1::1 is a reserved address"),
    ("http://[2002:7f00:1::]/", "refused: 2002:7f00:1:: is a loopback address"),
    ("http://[2002:a9fe:a9fe::1]/", "refused: 2002:a9fe:a9fe::1 is a link-local address"),
    ("http://[100::1]/", "refused: 100::1 is a reserved address"),
    ("http://[2001::1]/", "refused: 2001::1 is an address for protocol assignments"),
    ("http://[2001:10::1]/", "refused: 2001:10::1 is an address for protocol assignments"),
    ("http://[2001:db8::1]/", "refused: 2001:db8::1 is a documentation address"),
    ("http://[3fff::1]/", "refused: 3fff::1 is a documentation address"),
    ("http://[5f00::1]/", "refused: 5f00::1 is a reserved address"),
    ("http://[4000::1]/", "refused: 4000::1 is a reserved address"),
    ("http://[fc00::1]/", "refused: fc00::1 is a private address"),
    ("http://[fd00:ec2::254]/", "refused: fd00:ec2::254 is a private address"),
    ("http://[fe80::1]/", "refused: fe80::1 is a link-local address"),
    ("http://[fec0::1]/", "refused: fec0::1 is a site-local address"),
    ("http://[ff02::1]/", "refused: ff02::1 is a multicast address"),
    ("http://localhost/", "refused: localhost is a name of a local network"),
    ("http://LOCALHOST./", "refused: localhost is a name of a local network"),
    ("http://a.localhost/", "refused: a.localhost is a name of a local network"),
    ("http://intranet/", "refused: intranet is a name of a local network"),
    ("http://printer.local/", "refused: printer.local is a name of a local network"),
    ("http://metadata.google.internal/", "refused: metadata.google.internal is a name of a local network"),
    ("http://example.org:22/", "refused: port 22 is in fetch.denied_ports"),
    ("http://example.org:25/", "refused: port 25 is in fetch.denied_ports"),
    ("http://example.org:5432/", "refused: port 5432 is in fetch.denied_ports"),
    ("http://1.1.1.1:6379/", "refused: port 6379 is in fetch.denied_ports"),
    ("http://example.org:6000/", "refused: port 6000 is in fetch.denied_ports"),
    ("http://example.org:0/", "refused: port 0 is in fetch.denied_ports"),
    ("ftp://example.org/", "refused: ftp is not http or https"),
    ("file:///etc/passwd", "refused: file is not http or https"),
    ("gopher://example.org/", "refused: gopher is not http or https"),
    ("javascript:alert(1)", "refused: javascript is not http or https"),
    ("data:text/html,x", "refused: data is not http or https"),
    ("http://ana@example.org/", "refused: the URL contains a user name or password"),
    ("http://ana:secret@example.org/", "refused: the URL contains a user name or password"),
    ("http://example.org@127.0.0.1/", "refused: the URL contains a user name or password"),
    ("http://", "bad URL: empty host"),
    ("example.org", "bad URL: relative URL without a base"),
    ("", "bad URL: relative URL without a base"),
    ("http://[::1", "bad URL: invalid IPv6 address"),
    ("http://exa mple.org/", "bad URL: invalid international domain name"),
    ("http://example.org:99999/", "bad URL: invalid port number"),
    ("http://1.2.3.4.5/", "bad URL: invalid IPv4 address"),
];

/// A resolver that knows only these names and fails for all others.
struct Names(HashMap<&'static str, Vec<IpAddr>>);

impl Lookup for Names {
    fn addresses(&self, name: String) -> Addresses {
        let found = self.0.get(name.trim_end_matches('.')).cloned();
        Box::pin(async move { found.ok_or(LookupError::NoSuchName) })
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn with_names(limits: FetchSettings, names: &[(&'static str, &[&str])]) -> quarterdeck::fetch::Fetcher {
    let names = names.iter().map(|(name, addresses)| (*name, addresses.iter().map(|text| ip(text)).collect()));
    quarterdeck::fetch::Fetcher::with_lookup(limits, Arc::new(Names(names.collect()))).expect("a client can be set up")
}

/// Returns the whole detail of a refusal: one of an address or a local name also says which setting can allow it.
pub fn with_cure(detail: &str) -> String {
    let is_place = detail.contains("refused: ") && ["address", "local network"].iter().any(|end| detail.contains(end));
    format!("{detail}{}", if is_place { "; fetch.allow_private_hosts can allow it" } else { "" })
}

#[tokio::test]
async fn hostile_urls_are_refused_with_the_reason() {
    let fetcher = with_names(patient(), &[]);
    assert!(REFUSED.len() >= 60, "the table is the guard's proof");
    for (url, detail) in REFUSED {
        let failure = fetcher.get(url).await.expect_err(url);
        assert_eq!(failure.detail.as_str(), with_cure(detail), "{url}");
        assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed), "{url}");
    }
}

#[tokio::test]
async fn a_name_is_refused_for_any_address_that_is_not_public() {
    let fetcher = with_names(
        patient(),
        &[
            ("private.example.org", &["10.0.0.1"]),
            ("mixed.example.org", &["1.1.1.1", "127.0.0.1"]),
            ("mapped.example.org", &["::ffff:169.254.169.254"]),
            ("none.example.org", &[]),
        ],
    );
    let permanent = (FailureClass::Permanent, ErrorCode::FetchFailed);
    let transient = (FailureClass::Transient, ErrorCode::FetchFailed);
    for (url, (class, code), detail) in [
        (
            "http://private.example.org/",
            permanent,
            "refused: private.example.org resolves to 10.0.0.1, a private address",
        ),
        (
            "http://mixed.example.org/",
            permanent,
            "refused: mixed.example.org resolves to 127.0.0.1, a loopback address",
        ),
        (
            "http://mapped.example.org/",
            permanent,
            "refused: mapped.example.org resolves to 169.254.169.254, a link-local address",
        ),
        ("http://none.example.org/", transient, "the host name has no address"),
        ("http://unknown.example.org/", transient, "the host name does not exist"),
    ] {
        assert_failure(fetcher.get(url).await, class, code, &with_cure(detail));
    }
}

/// A resolver that never answers.
struct Silence;

impl Lookup for Silence {
    fn addresses(&self, _: String) -> Addresses {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_lookup_counts_into_the_connection_time() {
    let limits = FetchSettings { connect_timeout: Duration::from_millis(30), ..patient() };
    let fetcher = quarterdeck::fetch::Fetcher::with_lookup(limits, Arc::new(Silence)).expect("a client can be set up");
    let failure = fetcher.get("http://example.org/").await;
    assert_failure(failure, FailureClass::Transient, ErrorCode::Timeout, "no answer in 0.03 s (connecting)");
}

#[tokio::test]
async fn an_entry_lets_its_host_through_and_nothing_else() {
    let pages = Pages::always(html("<p>inside</p>")).await;
    let port = pages.address.port();
    let passes = async |entry: &str, url: &str| {
        let allow_private_hosts = vec![entry.parse().expect("an entry")];
        let fetcher = with_names(
            FetchSettings { allow_private_hosts, ..patient() },
            &[("wiki.corp", &["127.0.0.1"]), ("wiki.example.org", &["127.0.0.1"]), ("localhost", &["127.0.0.1"])],
        );
        match fetcher.get(&url.replace("PORT", &port.to_string())).await {
            Ok(page) => page.content == "inside\n",
            Err(failure) => {
                assert_eq!(failure.class, FailureClass::Permanent, "{entry} {url}: {}", failure.detail);
                false
            }
        }
    };
    let with_port = |host: &str| format!("{host}:{port}");
    for (entry, url, expected) in [
        ("127.0.0.1".into(), "http://127.0.0.1:PORT/", true),
        ("127.0.0.0/8".into(), "http://127.0.0.1:PORT/", true),
        (with_port("127.0.0.1"), "http://127.0.0.1:PORT/", true),
        ("127.0.0.1:1".into(), "http://127.0.0.1:PORT/", false),
        ("127.0.0.2".into(), "http://127.0.0.1:PORT/", false),
        ("10.0.0.0/8".into(), "http://127.0.0.1:PORT/", false),
        ("::1".into(), "http://127.0.0.1:PORT/", false),
        ("127.0.0.1".into(), "http://[::ffff:127.0.0.1]:PORT/", true),
        ("localhost".into(), "http://localhost:PORT/", true),
        (with_port("localhost"), "http://localhost:PORT/", true),
        ("localhost:1".into(), "http://localhost:PORT/", false),
        ("localhost".into(), "http://127.0.0.1:PORT/", false),
        ("wiki.corp".into(), "http://wiki.corp:PORT/", true),
        (with_port("wiki.corp"), "http://WIKI.corp.:PORT/", true),
        ("wiki.corp:1".into(), "http://wiki.corp:PORT/", false),
        ("127.0.0.0/8".into(), "http://wiki.example.org:PORT/", true),
        // A resolver does not get the port, so an entry with a port applies only to the literal address.
        (with_port("127.0.0.1"), "http://wiki.example.org:PORT/", false),
        ("wiki.corp".into(), "http://wiki.example.org:PORT/", false),
    ] {
        let entry: String = entry;
        assert_eq!(passes(&entry, url).await, expected, "{entry} {url}");
    }
}

#[tokio::test]
async fn an_entry_without_a_port_lets_denied_ports_through() {
    let limits = FetchSettings { allow_private_hosts: vec!["127.0.0.1".parse().expect("an entry")], ..patient() };
    let failure = fetcher(limits).get("http://127.0.0.1:1/").await.expect_err("nobody listens there");
    assert_eq!(failure.detail.as_str(), "connection refused");
    assert!(DENIED_PORTS.contains(&1));
}

#[test]
fn entries_are_read_and_printed() {
    for (text, printed) in [
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        (" Wiki.Corp ", "wiki.corp"),
        ("wiki.corp:80", "wiki.corp:80"),
        ("10.1.2.3/16", "10.1.0.0/16"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:8080", "[::1]:8080"),
        ("fd00::/8", "fd00::/8"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
    ] {
        let entry: AllowedHost = text.parse().expect(text);
        assert_eq!(entry.to_string(), printed);
        assert_eq!(printed.parse::<AllowedHost>().expect(printed), entry);
    }
    for text in ["", "/8", "a b", "http://example.org", "example.org/8", "*.corp"] {
        let error = text.parse::<AllowedHost>().expect_err(text);
        assert!(matches!(error, AllowedHostError::NotAHost(_)) || text == "http://example.org", "{text}: {error}");
    }
    assert_eq!(
        "10.0.0.0/33".parse::<AllowedHost>().expect_err("too long").to_string(),
        "`10.0.0.0/33` has no network length from 0 to 32 after the slash"
    );
    assert_eq!(
        "wiki.corp:0".parse::<AllowedHost>().expect_err("no port").to_string(),
        "`wiki.corp:0` has no port from 1 to 65535 after the colon"
    );
}
