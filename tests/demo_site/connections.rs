//! Tests clients that disconnect, servers that stop, and requests that no sync makes.

use super::client::{ask, get, read, read_head, split, wait_for, with};
use crate::support::limit::within;
use quarterdeck::demo::{Behaviour, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

#[tokio::test]
async fn a_reader_who_goes_away_ends_the_answer() {
    let site = Site::start(5, 60).await.unwrap();
    let mut answering = site.answering();
    let silent = with(&site, |behaviour| matches!(behaviour, Behaviour::Silent { failures: None })).remove(0);
    let drip = with(&site, |behaviour| matches!(behaviour, Behaviour::Drip { .. })).remove(0);
    for document in [silent, drip] {
        let mut stream = ask("GET", &document.url).await;
        wait_for(&mut answering, 1).await;
        if matches!(document.behaviour, Behaviour::Drip { .. }) {
            stream.read_u8().await.unwrap();
        }
        drop(stream);
        within("the end of the answer with its reader", wait_for(&mut answering, 0)).await;
    }
    site.stop().await;
}

#[tokio::test]
async fn stopping_frees_the_ports_and_ends_what_hangs() {
    let site = Site::start(5, 60).await.unwrap();
    let hosts = site.hosts();
    let silent = with(&site, |behaviour| matches!(behaviour, Behaviour::Silent { failures: None })).remove(0);
    let mut answering = site.answering();
    let mut hanging = ask("GET", &silent.url).await;
    wait_for(&mut answering, 1).await;
    site.stop().await;
    assert_eq!(*answering.borrow(), 0);
    // The stream ends or is reset, without any bytes.
    assert!(!matches!(hanging.read(&mut [0; 16]).await, Ok(1..)));
    let mut free = 0;
    for host in &hosts {
        free += usize::from(TcpStream::connect(host).await.is_err() && TcpListener::bind(host).await.is_ok());
    }
    // Other tests may have taken some of the ports meanwhile.
    assert!(free >= 9, "{free} of 12 ports are free");
    // Dropping the site stops it as well, without waiting.
    let site = Site::start(5, 60).await.unwrap();
    let mut answering = site.answering();
    let silent = with(&site, |behaviour| matches!(behaviour, Behaviour::Silent { failures: None })).remove(0);
    let _hanging = ask("GET", &silent.url).await;
    wait_for(&mut answering, 1).await;
    drop(site);
    within("the end of what hangs", answering.wait_for(|running| *running == 0)).await.ok();
}

#[tokio::test(start_paused = true)]
async fn other_requests_are_answered_as_a_server_does() {
    let site = Site::start(5, 60).await.unwrap();
    let host = site.hosts().remove(0);
    let front = get(&format!("http://{host}/")).await;
    assert_eq!(front.status, 200);
    let first = &site.documents()[0];
    assert_eq!(split(&first.url).0, host);
    assert!(front.text().contains(&split(&first.url).1));
    assert_eq!(get(&format!("http://{host}/style.css")).await.header("content-type"), Some("text/css"));
    assert_eq!(get(&format!("http://{host}/images/7.svg")).await.header("content-type"), Some("image/svg+xml"));
    for missing in ["/images/x.svg", "/docs/en/nothing-1001", "/docs/en/nothing-999999999999999999999", "/-", "/%00"] {
        assert_eq!(get(&format!("http://{host}{missing}")).await.status, 404, "{missing}");
    }
    assert_eq!(read(ask("POST", &first.url).await).await.status, 405);
    let head = read_head(ask("HEAD", &first.url).await).await;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    // One connection serves request after request, and each counts as a hit.
    let changing = with(&site, |behaviour| behaviour == Behaviour::Changing).remove(0);
    let (host, path) = split(&changing.url);
    let mut stream = TcpStream::connect(host).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let last = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{request}{last}").as_bytes()).await.unwrap();
    let mut both = String::new();
    stream.read_to_string(&mut both).await.unwrap();
    assert_eq!(both.matches("HTTP/1.1 200 OK").count(), 2);
    assert!(both.contains(" 1</em>") && both.contains(" 2</em>"));
    site.stop().await;
}
