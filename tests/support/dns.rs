//! A real name server on loopback, over UDP; a test scripts its answers by name and look-up number.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::UdpSocket;
use tokio_util::task::AbortOnDropHandle;

/// The answer to a look-up.
#[derive(Clone, Debug)]
pub enum Says {
    /// These addresses, for the record types that match; their time to live is zero.
    Addresses(Vec<IpAddr>),
    NoSuchName,
    Failed,
    /// No answer at all.
    Silence,
}

/// Parses addresses into an answer.
pub fn addresses(texts: &[&str]) -> Says {
    Says::Addresses(texts.iter().map(|text| text.parse().expect("an address")).collect())
}

type Asked = Arc<Mutex<HashMap<String, u32>>>;

/// A running server; it stops when it is dropped.
pub struct NameServer {
    pub address: SocketAddr,
    asked: Asked,
    _serving: AbortOnDropHandle<()>,
}

impl NameServer {
    /// Starts a server. `says` gets a name, in lower case and without its last dot, and the number of the look-up of
    /// its IPv4 addresses, from 1.
    pub async fn start(says: impl Fn(&str, u32) -> Says + Send + 'static) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let address = socket.local_addr().expect("an address");
        let asked = Asked::default();
        let counted = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            let mut packet = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut packet).await {
                let Some(question) = Question::read(&packet[..length]) else { continue };
                let times = {
                    let mut counted = counted.lock().expect("not poisoned");
                    let times = counted.entry(question.name.clone()).or_default();
                    *times += u32::from(question.kind == A);
                    (*times).max(1)
                };
                if let Some(answer) = question.answer(&says(&question.name, times)) {
                    // The client may have gone.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        });
        Self { address, asked, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Returns the number of look-ups of the IPv4 addresses of `name`.
    pub fn asked(&self, name: &str) -> u32 {
        self.asked.lock().expect("not poisoned").get(name).copied().unwrap_or(0)
    }
}

const A: u16 = 1;
const AAAA: u16 = 28;

struct Question {
    id: [u8; 2],
    name: String,
    kind: u16,
    /// Name, type and class as they were received.
    bytes: Vec<u8>,
}

impl Question {
    fn read(packet: &[u8]) -> Option<Self> {
        let (mut at, mut labels) = (12, Vec::new());
        loop {
            let length = usize::from(*packet.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8(packet.get(at..at + length)?.to_ascii_lowercase()).ok()?);
            at += length;
        }
        let kind = u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]);
        let bytes = packet.get(12..at + 4)?.to_vec();
        Some(Self { id: [packet[0], packet[1]], name: labels.join("."), kind, bytes })
    }

    fn answer(&self, says: &Says) -> Option<Vec<u8>> {
        let (code, records) = match says {
            Says::Silence => return None,
            Says::NoSuchName => (3, Vec::new()),
            Says::Failed => (2, Vec::new()),
            Says::Addresses(addresses) => (0, addresses.iter().filter_map(|address| self.record(*address)).collect()),
        };
        let count = u8::try_from(records.len()).expect("a short list");
        // A recursive answer to one question.
        let mut bytes = vec![self.id[0], self.id[1], 0x81, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
        bytes.extend(&self.bytes);
        bytes.extend(records.concat());
        Some(bytes)
    }

    fn record(&self, address: IpAddr) -> Option<Vec<u8>> {
        let data = match (address, self.kind) {
            (IpAddr::V4(address), A) => address.octets().to_vec(),
            (IpAddr::V6(address), AAAA) => address.octets().to_vec(),
            _ => return None,
        };
        // The name of the question, type, class IN, no time to live, length.
        let mut record = vec![0xc0, 12];
        record.extend(self.kind.to_be_bytes());
        record.extend([0, 1, 0, 0, 0, 0, 0, u8::try_from(data.len()).expect("4 or 16")]);
        record.extend(data);
        Some(record)
    }
}
