//! Tests hostile addresses and names with the real fetcher, a real name server and a trap: a server on every address of
//! this machine that counts connections. The clock is paused: a look-up times out only when nothing else happens, and
//! never because the machine is busy.

use super::address::with_cure;
use super::{Get, fetcher, limits, patient};
use crate::support::dns::{NameServer, Says, addresses};
use crate::support::pages::{Pages, answer, html};
use crate::support::ports;
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::fetch::{FetchSettings, Fetcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// Counts connections on one port of every address of this machine.
struct Trap {
    port: u16,
    caught: Arc<AtomicUsize>,
    _waiting: Vec<AbortOnDropHandle<()>>,
}

impl Trap {
    async fn set() -> Self {
        let caught = Arc::new(AtomicUsize::new(0));
        let first = TcpListener::bind("0.0.0.0:0").await.expect("a free port");
        let port = first.local_addr().expect("an address").port();
        // Without IPv6 nothing can connect over it.
        let second = TcpListener::bind(("::1", port)).await.ok();
        let wait = |listener: TcpListener| {
            let caught = Arc::clone(&caught);
            AbortOnDropHandle::new(tokio::spawn(async move {
                while let Ok((mut connection, _)) = listener.accept().await {
                    caught.fetch_add(1, Ordering::SeqCst);
                    let _ = connection.read(&mut [0; 1024]).await;
                    let _ = connection.write_all(&html("<p>secret")).await;
                }
            }))
        };
        let waiting = std::iter::once(first).chain(second).map(wait).collect();
        Self { port, caught, _waiting: waiting }
    }

    fn caught(&self) -> usize {
        self.caught.load(Ordering::SeqCst)
    }
}

/// Returns hosts in every notation that a URL allows; the trap's port is appended.
fn hosts() -> impl Iterator<Item = &'static str> {
    include_str!("hosts.txt").lines().filter(|line| !line.starts_with('#'))
}

/// URLs with white space within; `PORT` is the trap's.
const SPACED: [&str; 4] =
    ["  http://127.0.0.1:PORT/  ", "ht\ttp://127.0.0.1:PORT/", "http://127.0.0\t.1:PORT/", "http://127.0.0.1\n:PORT/"];

/// Whole URLs; `PORT` is the trap's.
fn urls() -> impl Iterator<Item = &'static str> {
    include_str!("urls.txt").lines().filter(|line| !line.starts_with('#')).chain(SPACED)
}

/// Addresses of each name; all of them would reach the trap, or are addresses at which no page may be.
const NAMES: &[(&str, &[&str])] = &[
    ("loopback.example.org", &["127.0.0.1"]),
    ("loopback6.example.org", &["::1"]),
    ("private.example.org", &["10.1.2.3"]),
    ("metadata.example.org", &["169.254.169.254"]),
    ("unspecified.example.org", &["0.0.0.0"]),
    ("carrier.example.org", &["100.64.0.1"]),
    ("mapped.example.org", &["::ffff:127.0.0.1"]),
    ("compatible.example.org", &["::127.0.0.1"]),
    ("nat64.example.org", &["64:ff9b::7f00:1"]),
    ("sixtofour.example.org", &["2002:7f00:1::"]),
    ("teredo.example.org", &["2001:0:1::1"]),
    ("local6.example.org", &["fd00::1"]),
    ("link6.example.org", &["fe80::1"]),
    // One forbidden address among allowed ones refuses them all, at any position.
    ("mixed-first.example.org", &["127.0.0.1", "93.184.216.34"]),
    ("mixed-last.example.org", &["93.184.216.34", "127.0.0.1"]),
    ("mixed-families.example.org", &["93.184.216.34", "::1"]),
    ("mixed-many.example.org", &["93.184.216.34", "1.1.1.1", "8.8.8.8", "10.0.0.1"]),
    ("127.0.0.1.nip.example.org", &["127.0.0.1"]),
    ("xn--mnchen-3ya.example.org", &["127.0.0.1"]),
];

async fn name_server() -> NameServer {
    NameServer::start(|name, _| match NAMES.iter().find(|(known, _)| *known == name) {
        Some((_, found)) => addresses(found),
        None => Says::NoSuchName,
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn none_of_the_hostile_addresses_and_names_is_connected_to() {
    let (trap, names) = (Trap::set().await, name_server().await);
    let limits = FetchSettings { dns_servers: vec![names.address], ..patient() };
    let fetcher = fetcher(limits);
    let port = trap.port.to_string();
    let mut table: Vec<String> = hosts().map(|host| format!("http://{host}:{port}/")).collect();
    table.extend(urls().map(|url| url.replace("PORT", &port)));
    table.extend(NAMES.iter().map(|(name, _)| format!("http://{name}:{port}/")));
    table.push(format!("https://LOOPBACK.Example.ORG.:{port}/"));
    table.push(format!("http://münchen.example.org:{port}/"));
    assert!(table.len() >= 120, "the table is the guard's proof: {}", table.len());
    for url in &table {
        let failure = fetcher.get(url).await.expect_err(url);
        let detail = failure.detail.as_str();
        // The URL standard treats a backslash as a slash: the name in front of it is looked up, and does not exist
        // here.
        if url.starts_with("http://example.org\\") {
            assert_eq!(detail, "the host name does not exist", "{url}");
            continue;
        }
        assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed), "{url}: {detail}");
        assert!(detail.starts_with("refused: ") || detail.starts_with("bad URL: "), "{url}: {detail}");
    }
    assert_eq!(trap.caught(), 0, "something was connected to");
    // The names were really looked up, and the trap really counts.
    assert!(names.asked("mixed-last.example.org") > 0);
    let let_through = FetchSettings {
        dns_servers: vec![names.address],
        allow_private_hosts: vec!["loopback.example.org".parse().expect("an entry")],
        ..patient()
    };
    let open = Fetcher::new(let_through).expect("a fetcher");
    open.get(&format!("http://loopback.example.org:{port}/")).await.expect("it is let through");
    assert_eq!(trap.caught(), 1);
}

/// Returns a fetcher that allows 127.0.0.2, where the page is, and nothing else on loopback.
async fn let_through(names: &NameServer, pages: &Pages) -> Fetcher {
    fetcher(FetchSettings {
        dns_servers: vec![names.address],
        allow_private_hosts: vec!["127.0.0.2".parse().expect("an entry")],
        ..limits(pages)
    })
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_elsewhere_on_the_second_look_up_is_refused_then() {
    let trap = Trap::set().await;
    // The trap and the page have the same port: the same URL, another address.
    let names = NameServer::start(|_, times| addresses(if times == 1 { &["127.0.0.2"] } else { &["127.0.0.1"] })).await;
    let port = ports::free();
    let second = TcpListener::bind(("127.0.0.2", port)).await.expect("a port");
    let beside = TcpListener::bind(("127.0.0.1", port)).await.expect("the same port beside it");
    let caught = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&caught);
    let _beside = AbortOnDropHandle::new(tokio::spawn(async move {
        while beside.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let _page = AbortOnDropHandle::new(tokio::spawn(async move {
        while let Ok((mut connection, _)) = second.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
            // One response per connection, so that each request looks up the name.
            let _ = connection.write_all(&answer("302 Found\r\nLocation: /again", b"")).await;
        }
    }));
    let pages = Pages::always("").await;
    let fetcher = let_through(&names, &pages).await;
    let failure = fetcher.get(&format!("http://rebound.example.org:{port}/")).await.expect_err("it was rebound");
    let refused = with_cure("refused: rebound.example.org resolves to 127.0.0.1, a loopback address");
    assert_eq!(failure.detail.as_str(), refused);
    assert_eq!(failure.class, FailureClass::Permanent);
    assert_eq!(names.asked("rebound.example.org"), 2, "each connection is one look-up: what is judged is dialled");
    assert_eq!((caught.load(Ordering::SeqCst), trap.caught()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn no_redirect_leads_into_the_trap() {
    let (trap, names) = (Trap::set().await, name_server().await);
    let pages = Pages::serve(|path, mut connection| async move {
        let to = path.trim_start_matches("/?").to_owned();
        let _ = connection.write_all(&answer(&format!("302 Found\r\nLocation: {to}"), b"moved")).await;
    })
    .await;
    let fetcher = fetcher(FetchSettings { dns_servers: vec![names.address], ..limits(&pages) });
    let port = trap.port;
    let ascii = hosts().filter(|host| host.is_ascii());
    let literals = ascii.map(|host| format!("http://{host}:{port}/"));
    let named = NAMES.iter().map(|(name, _)| format!("http://{name}:{port}/"));
    for target in literals.chain(named).chain(["//127.0.0.1:PORT/".replace("PORT", &port.to_string())]) {
        let failure = fetcher.get(&pages.url(&format!("/?{target}"))).await.expect_err(&target);
        assert_eq!((failure.class, failure.code), (FailureClass::Permanent, ErrorCode::FetchFailed), "{target}");
        assert!(failure.detail.as_str().contains("refused: "), "{target}: {}", failure.detail);
    }
    assert_eq!(trap.caught(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_name_servers_say_is_told_apart() {
    let names = NameServer::start(|name, _| match name {
        "gone.example.org" => Says::NoSuchName,
        "bare.example.org" => addresses(&[]),
        "broken.example.org" => Says::Failed,
        _ => Says::Silence,
    })
    .await;
    let limits = FetchSettings { dns_servers: vec![names.address], ..patient() };
    let fetcher = fetcher(limits);
    for (name, detail) in [
        ("gone.example.org", "the host name does not exist"),
        ("bare.example.org", "the host name has no address"),
        ("broken.example.org", "the host name could not be looked up: the name server failed"),
        ("silent.example.org", "no name server answers"),
    ] {
        let failure = fetcher.get(&format!("http://{name}/")).await.expect_err(name);
        assert_eq!(failure.detail.as_str(), detail, "{name}");
        assert_eq!((failure.class, failure.code), (FailureClass::Transient, ErrorCode::FetchFailed), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_is_used_when_the_settings_name_one_and_judged_names_alone_reach_it() {
    let names = NameServer::start(|name, _| match name {
        "private.example.org" => addresses(&["10.0.0.1"]),
        "public.example.org" => addresses(&["93.184.216.34"]),
        // The proxy's own name resolves to a private address, which is allowed.
        "proxy.example.org" => addresses(&["127.0.0.1"]),
        _ => Says::NoSuchName,
    })
    .await;
    let proxy = Pages::serve(|path, mut connection| async move {
        let _ = connection.write_all(&html(&format!("<p>asked for {path}"))).await;
    })
    .await;
    let url = format!("http://proxy.example.org:{}/", proxy.address.port());
    let fetcher = fetcher(FetchSettings {
        dns_servers: vec![names.address],
        proxy: Some(url.parse().expect("a URL")),
        ..patient()
    });
    let page = fetcher.get("http://public.example.org/a").await.expect("the proxy answers");
    assert_eq!(page.content, "asked for http://public.example.org/a\n");
    // Only the proxy can resolve this name.
    fetcher.get("http://elsewhere.example.org/a").await.expect("the proxy answers");
    assert_eq!(proxy.hits(), 2);
    for (url, detail) in [
        ("http://private.example.org/", "refused: private.example.org resolves to 10.0.0.1, a private address"),
        ("http://127.0.0.1/", "refused: 127.0.0.1 is a loopback address"),
        ("http://intranet/", "refused: intranet is a name of a local network"),
    ] {
        assert_eq!(fetcher.get(url).await.expect_err(url).detail.as_str(), with_cure(detail));
    }
    assert_eq!(proxy.hits(), 2, "what is refused does not reach the proxy");
}
