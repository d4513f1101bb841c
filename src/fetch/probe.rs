//! Measurement and explanation of one fetch: durations, the response of each hop, the result, the report on its content.
//! Nothing is stored.

use super::client::FetchSetupError;
use super::fetcher::Fetcher;
use super::request::{FetchRequest, FetchResponse};
use super::settings::FetchSettings;
use super::trace::{Mark, Trace};
use crate::domain::extraction::{ExplainedPage, ExtractionReport};
use crate::domain::failure::{ErrorCode, Failure};
use crate::domain::text::SafeLine;
use std::time::Duration;
use tokio::time::Instant;

/// Timings and result of a measured fetch.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Requests in order, including redirects and, if respected, robots.txt.
    pub hops: Vec<Hop>,
    /// Duration from the arrival of the response's head to the end of the body.
    pub body: Option<Duration>,
    /// Duration of the conversion to text, including the wait for a slot.
    pub convert: Option<Duration>,
    /// Duration of the whole fetch.
    pub total: Duration,
    pub result: Result<FetchResponse, Failure>,
    /// Report on the content of the page; `None` without a page, and for a page that this program has not converted.
    pub report: Option<ExtractionReport>,
}

impl Probe {
    /// Returns the page with the report on its content.
    ///
    /// # Errors
    /// The fetch failed.
    pub fn explained(self) -> Result<ExplainedPage, Failure> {
        let page = self.result?.page();
        // Cannot happen: an explanation fetches the whole page.
        let page = page.ok_or_else(|| Failure::permanent(ErrorCode::FetchFailed, "the page was not fetched whole"))?;
        Ok(ExplainedPage { page, report: self.report })
    }
}

/// Timings and response of one request.
#[derive(Clone, Debug)]
pub struct Hop {
    pub url: SafeLine,
    /// Duration of the name look-up; `None` for a literal address or a reused connection.
    pub dns: Option<Duration>,
    /// Duration of connecting; `None` if no connection was opened.
    pub connect: Option<Duration>,
    /// Duration of the TLS handshake; `None` without a handshake.
    pub tls: Option<Duration>,
    /// Duration from the open connection, or from the start of the request on a reused one, to the arrival of the
    /// response's head.
    pub first_byte: Option<Duration>,
    /// HTTP status; `None` without a response.
    pub status: Option<u16>,
    /// Headers of the response, sorted by name, safe for a terminal.
    pub headers: Vec<(SafeLine, SafeLine)>,
}

/// Fetches a page once and measures the fetch. Of a fetch through Firecrawl, only the connection to its API and the
/// total are measured.
pub async fn probe(settings: FetchSettings, request: &FetchRequest) -> Result<Probe, FetchSetupError> {
    let trace = Trace::default();
    let fetcher = Fetcher::traced(settings, trace.clone())?;
    let began = Instant::now();
    let result = fetcher.fetch(request).await;
    let total = began.elapsed();
    let marks = trace.marks();
    let mut probe = Probe { hops: Vec::new(), body: None, convert: None, total, result, report: None };
    let mut phase_began = None;
    for hop_marks in split(&marks) {
        let mut hop = hop(hop_marks);
        for (at, mark) in hop_marks {
            match mark {
                Mark::HeadReceived { .. } => phase_began = Some(*at),
                Mark::BodyReceived => (probe.body, phase_began) = (phase_began.map(|since| *at - since), Some(*at)),
                Mark::Converted(report) => {
                    probe.convert = phase_began.map(|since| *at - since);
                    probe.report = report.as_deref().cloned();
                }
                _ => {}
            }
        }
        hop.headers.sort();
        probe.hops.push(hop);
    }
    // A fallback may have replaced the page that was converted here; only such a page has a digest of its body.
    let is_own = matches!(&probe.result, Ok(FetchResponse::Page(page)) if page.body_digest.is_some());
    probe.report = probe.report.filter(|_| is_own);
    Ok(probe)
}

/// Splits the recorded events by request.
fn split(marks: &[(Instant, Mark)]) -> impl Iterator<Item = &[(Instant, Mark)]> {
    marks.chunk_by(|_, (_, next)| !matches!(next, Mark::RequestStarted(_)))
}

fn hop(marks: &[(Instant, Mark)]) -> Hop {
    let at = |wanted: fn(&Mark) -> bool| marks.iter().find(|(_, mark)| wanted(mark)).map(|(at, _)| *at);
    let started = at(|mark| matches!(mark, Mark::RequestStarted(_)));
    let lookup_started = at(|mark| matches!(mark, Mark::LookupStarted));
    let resolved = at(|mark| matches!(mark, Mark::Resolved));
    let handshake = at(|mark| matches!(mark, Mark::Handshake));
    let connected = at(|mark| matches!(mark, Mark::Connected));
    let responded = at(|mark| matches!(mark, Mark::HeadReceived { .. }));
    let between =
        |from: Option<Instant>, to: Option<Instant>| from.zip(to).map(|(from, to)| to.saturating_duration_since(from));
    let mut hop = Hop {
        url: SafeLine::default(),
        dns: between(lookup_started, resolved),
        connect: between(resolved.or(started), handshake.or(connected)),
        tls: between(handshake, connected),
        first_byte: between(connected.or(started), responded),
        status: None,
        headers: Vec::new(),
    };
    for (_, mark) in marks {
        match mark {
            Mark::RequestStarted(url) => hop.url = SafeLine::new(url),
            Mark::HeadReceived { status, headers } => {
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
