//! A fetch under observation: durations, the response of each hop, the result. Nothing is stored.

use super::ask::{Answer, Ask};
use super::client::FetchSetupError;
use super::fetcher::Fetcher;
use super::settings::FetchSettings;
use super::trace::{Mark, Trace};
use crate::domain::failure::Failure;
use crate::domain::text::SafeLine;
use std::time::{Duration, Instant};

/// Result of a probe.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Each request, in order: redirects, and robots.txt when it is respected, are requests too.
    pub hops: Vec<Hop>,
    /// Duration of reading the body, after the response's head.
    pub body: Option<Duration>,
    /// Duration of the conversion to text, the wait for a core included.
    pub convert: Option<Duration>,
    /// Everything together.
    pub all: Duration,
    /// Result of the fetch.
    pub end: Result<Answer, Failure>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Hop {
    /// URL of the request.
    pub url: SafeLine,
    /// Looking its name up; `None` for an address, and where a connection was there already.
    pub dns: Option<Duration>,
    /// Until the connection stood; `None` where it was there already.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// From the connection to the head of the answer.
    pub first_byte: Option<Duration>,
    /// The status, when there was an answer.
    pub status: Option<u16>,
    /// The answer's headers, made safe.
    pub headers: Vec<(SafeLine, SafeLine)>,
}

/// Fetches once and watches. Pages that are fetched by Firecrawl are asked for there: what it sees is one request to it.
pub async fn probe(settings: FetchSettings, ask: &Ask) -> Result<Probe, FetchSetupError> {
    let trace = Trace::default();
    let fetcher = Fetcher::traced(settings, trace.clone())?;
    let began = Instant::now();
    let end = fetcher.fetch(ask).await;
    let all = began.elapsed();
    let marks = trace.marks();
    let mut probe = Probe { hops: Vec::new(), body: None, convert: None, all, end };
    let mut answered = None;
    for asked in split(&marks) {
        let mut hop = hop(asked);
        for (at, mark) in asked {
            match mark {
                Mark::Answered { .. } => answered = Some(*at),
                Mark::Read => (probe.body, answered) = (answered.map(|since| *at - since), Some(*at)),
                Mark::Converted => probe.convert = answered.map(|since| *at - since),
                _ => {}
            }
        }
        hop.headers.sort();
        probe.hops.push(hop);
    }
    Ok(probe)
}

/// The marks of each request.
fn split(marks: &[(Instant, Mark)]) -> impl Iterator<Item = &[(Instant, Mark)]> {
    marks.chunk_by(|_, (_, next)| !matches!(next, Mark::Asking(_)))
}

fn hop(marks: &[(Instant, Mark)]) -> Hop {
    let at = |wanted: fn(&Mark) -> bool| marks.iter().find(|(_, mark)| wanted(mark)).map(|(at, _)| *at);
    let asking = at(|mark| matches!(mark, Mark::Asking(_)));
    let looking = at(|mark| matches!(mark, Mark::LookingUp));
    let looked = at(|mark| matches!(mark, Mark::LookedUp));
    let handshake = at(|mark| matches!(mark, Mark::Handshake));
    let connected = at(|mark| matches!(mark, Mark::Connected));
    let answered = at(|mark| matches!(mark, Mark::Answered { .. }));
    let between =
        |from: Option<Instant>, to: Option<Instant>| from.zip(to).map(|(from, to)| to.saturating_duration_since(from));
    let mut hop = Hop {
        url: SafeLine::default(),
        dns: between(looking, looked),
        connect: between(looked.or(asking), handshake.or(connected)),
        tls: between(handshake, connected),
        first_byte: between(connected.or(asking), answered),
        status: None,
        headers: Vec::new(),
    };
    for (_, mark) in marks {
        match mark {
            Mark::Asking(url) => hop.url = SafeLine::new(url),
            Mark::Answered { status, headers } => {
                hop.status = Some(*status);
                let line = |text: &[u8]| SafeLine::new(&String::from_utf8_lossy(text));
                hop.headers =
                    headers.iter().map(|(name, value)| (name.as_str().into(), line(value.as_bytes()))).collect();
            }
            _ => {}
        }
    }
    hop
}
