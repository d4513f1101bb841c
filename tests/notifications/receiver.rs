//! A double of a webhook's receiver, which checks signatures by its own implementation of HMAC.

use crate::support::limit::lasts;
use quarterdeck::domain::notification::SigningKey;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Key of the records, of 32 bytes.
pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a receiver does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Takes the record and answers 200.
    Accepts,
    /// Takes the record and answers 200 after this time, byte by byte.
    AcceptsAfter(Duration),
    /// Takes the record and answers 200 with a body that is shorter than its head says.
    AcceptsAndCuts,
    /// Answers with this status and these lines of a head, and takes nothing.
    Answers(&'static str, String),
    /// Answers with these bytes, whatever they are.
    Says(&'static str),
    /// Reads and never answers.
    Hangs,
}

/// A request that was accepted.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: String,
    pub record: Value,
    /// True if a request to the receiver beside it was open meanwhile.
    pub is_beside_open: bool,
}

/// A running receiver.
pub struct Receiver {
    address: String,
    pub accepted: watch::Receiver<Vec<Delivery>>,
    /// Number of requests so far.
    pub requests: watch::Receiver<u32>,
    behaviour: Arc<Mutex<Behaviour>>,
    /// Number of requests without an answer.
    open: Arc<AtomicU32>,
    /// The same of a receiver beside this one.
    beside: Arc<Mutex<Arc<AtomicU32>>>,
    _serving: AbortOnDropHandle<()>,
}

impl Receiver {
    pub async fn start(behaviour: Behaviour) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let ((sender, accepted), (counter, requests)) = (watch::channel(Vec::new()), watch::channel(0));
        let behaviour = Arc::new(Mutex::new(behaviour));
        let (open, beside) = (Arc::<AtomicU32>::default(), Arc::<Mutex<Arc<AtomicU32>>>::default());
        let (current, counted, noted) = (Arc::clone(&behaviour), Arc::clone(&open), Arc::clone(&beside));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.send_modify(|requests| *requests += 1);
                let (sender, behaviour) = (sender.clone(), current.lock().expect("not poisoned").clone());
                let (counted, beside) = (Arc::clone(&counted), Arc::clone(&noted.lock().expect("not poisoned")));
                tokio::spawn(async move {
                    counted.fetch_add(1, Ordering::SeqCst);
                    serve(stream, behaviour, (&sender, &beside)).await;
                    counted.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { address, accepted, requests, behaviour, open, beside, _serving: AbortOnDropHandle::new(serving) }
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("not poisoned") = behaviour;
    }

    /// Makes deliveries note if a request to `other` is open.
    pub fn observe(&self, other: &Self) {
        *self.beside.lock().expect("not poisoned") = Arc::clone(&other.open);
    }

    pub fn host(&self) -> &str {
        &self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}/T000/s3cret", self.address)
    }

    /// Returns the accepted records by id, each with the number of its deliveries.
    pub fn records(&self) -> BTreeMap<String, (Value, u32)> {
        let mut records = BTreeMap::<String, (Value, u32)>::new();
        for Delivery { id, record, .. } in &*self.accepted.borrow() {
            let known = records.entry(id.clone()).or_insert_with(|| (record.clone(), 0));
            assert_eq!(known.0, *record, "each delivery is the same");
            known.1 += 1;
        }
        records
    }
}

async fn serve(
    mut stream: TcpStream,
    behaviour: Behaviour,
    (accepted, beside): (&watch::Sender<Vec<Delivery>>, &AtomicU32),
) {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    let (head, body) = loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length: Option<usize> = header(head, "content-length").and_then(|length| length.parse().ok());
            if length == Some(body.len()) {
                break (head.to_owned(), body.to_owned());
            }
        }
        match stream.read(&mut buffer).await {
            Ok(read) if read > 0 => request.extend_from_slice(&buffer[..read]),
            _ => return,
        }
    };
    let answer = match behaviour {
        Behaviour::Hangs => {
            // Until the client closes the connection.
            while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
            return;
        }
        Behaviour::Accepts | Behaviour::AcceptsAfter(_) | Behaviour::AcceptsAndCuts => {
            let (id, record) = delivery(&head, &body);
            let delivery = Delivery { id, record, is_beside_open: beside.load(Ordering::SeqCst) > 0 };
            accepted.send_modify(|all| all.push(delivery));
            let length = if behaviour == Behaviour::AcceptsAndCuts { 999 } else { 0 };
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
            if let Behaviour::AcceptsAfter(delay) = behaviour {
                for byte in answer.as_bytes() {
                    lasts(delay / answer.len() as u32).await;
                    let _ = stream.write_all(&[*byte]).await;
                }
                return;
            }
            answer
        }
        Behaviour::Answers(status, lines) => {
            format!("HTTP/1.1 {status}\r\n{lines}Content-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Behaviour::Says(bytes) => bytes.to_owned(),
    };
    let _ = stream.write_all(answer.as_bytes()).await;
}

fn header(head: &str, name: &str) -> Option<String> {
    let line = |line: &str| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
    };
    head.lines().find_map(line)
}

/// Checks the headers of a request, and returns the id and the record that it delivers.
fn delivery(head: &str, body: &str) -> (String, Value) {
    let named = |name: &str| header(head, name).unwrap_or_else(|| panic!("no {name} in {head}"));
    let (id, timestamp) = (named("webhook-id"), named("webhook-timestamp"));
    assert_eq!(named("content-type"), "application/json");
    let timestamp: i64 = timestamp.parse().expect("seconds");
    let signed = hmac(KEY.as_bytes(), format!("{id}.{timestamp}.{body}").as_bytes());
    assert_eq!(named("webhook-signature"), format!("v1,{}", base64(&signed)), "{body}");
    let record: Value = serde_json::from_str(body).expect("JSON");
    assert_eq!(record["id"].as_str(), Some(id.as_str()));
    (id, record)
}

/// HMAC-SHA256 as RFC 2104 defines it, for keys of at most 64 bytes.
fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let padded =
        |with: u8| -> Vec<u8> { (0..64).map(|index| key.get(index).copied().unwrap_or_default() ^ with).collect() };
    let inner = Sha256::digest([&padded(0x36), message].concat());
    Sha256::digest([&padded(0x5c)[..], &inner[..]].concat()).to_vec()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |some: &[u8]| {
        let bits = some.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - some.len()));
        let digit = |place: usize| match place <= some.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]),
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn the_double_signs_as_rfc_4231_says() {
    let signed = hmac(b"Jefe", b"what do ya want for nothing?");
    let digits: String = signed.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digits, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    assert_eq!((base64(b"Ma"), base64(b"M"), base64(b"Man")), ("TWE=".into(), "TQ==".into(), "TWFu".into()));
    assert!(SigningKey::parse(KEY).is_ok());
}
