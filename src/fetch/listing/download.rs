//! Fetches one file of a listing under the guard, and hands its bytes to a parser on another thread while they arrive.

use super::{ListingEntry, OnEntry, parse};
use crate::domain::failure::Failure;
use crate::domain::link::host_of;
use crate::domain::listing::ListingKind;
use crate::fetch::client::HttpClient;
use crate::fetch::encoding;
use crate::fetch::errors::{self, Stage};
use crate::fetch::head::{next_hop, retry_after};
use flate2::read::MultiGzDecoder;
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use std::io::{self, BufRead as _, BufReader, ErrorKind, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::Instant;
use url::Url;

/// Maximum size in bytes of an unpacked file, somewhat more than the sitemap protocol allows.
const MAX_FILE: u64 = 64 * 1024 * 1024;
/// Number of entries that are handed over at once.
const BATCH_SIZE: usize = 500;
/// Number of batches, and of pieces of the body, that wait for their receiver.
const WAITING: usize = 4;
/// Time for a file, as a multiple of the limit for a page.
const TIME_FACTOR: u32 = 5;
const ACCEPT_LISTING: HeaderValue =
    HeaderValue::from_static("application/xml,text/xml;q=0.9,text/html;q=0.8,text/plain;q=0.8,*/*;q=0.5");

/// A file that is being read. Dropping it ends the request.
pub(super) struct Download {
    /// URL of the file, after redirects.
    pub url: Url,
    batches: mpsc::Receiver<Vec<ListingEntry>>,
    parsing: Option<JoinHandle<Result<ListingKind, String>>>,
    failure: Arc<Mutex<Option<Failure>>>,
    receiving: AbortHandle,
}

impl Drop for Download {
    fn drop(&mut self) {
        self.receiving.abort();
    }
}

impl Download {
    /// Requests a file. `credentials` are sent to the origin of `url` alone; a redirect is followed only to a URL that
    /// `allows` allows.
    pub async fn begin(
        client: &Arc<HttpClient>,
        url: Url,
        credentials: &HeaderMap,
        allows: impl Fn(&Url) -> Result<(), String>,
    ) -> Result<Self, Failure> {
        let deadline = Instant::now() + client.settings.total_timeout * TIME_FACTOR;
        let headers = HeaderMap::from_iter([(ACCEPT, ACCEPT_LISTING)]);
        let (response, url, _) = follow(client, url, (headers, credentials), allows, deadline).await?;
        let status = response.status();
        if status != StatusCode::OK {
            let wait = retry_after(status, response.headers(), SystemTime::now());
            let reason = status.canonical_reason().unwrap_or_default();
            return Err(Failure::from_status(status.as_u16(), reason).with_retry_after(wait));
        }
        if !encoding::remaining(response.headers())?.is_empty() {
            return Err(errors::refused("is compressed in a way that was not asked for"));
        }
        let (sender, pieces) = mpsc::channel(WAITING);
        let (batch_sender, batches) = mpsc::channel(WAITING);
        let failure = Arc::new(Mutex::new(None));
        let body = Body { pieces, piece: Vec::new(), at: 0, failure: Arc::clone(&failure) };
        let base = url.clone();
        let receiving = tokio::spawn(receive(Arc::clone(client), response, sender, deadline)).abort_handle();
        let parsing = tokio::task::spawn_blocking(move || parse_body(body, &base, &batch_sender));
        Ok(Self { url, batches, parsing: Some(parsing), failure, receiving })
    }

    /// Returns the next entries; `None` at the end of the file.
    pub async fn next(&mut self) -> Option<Vec<ListingEntry>> {
        self.batches.recv().await
    }

    /// Returns the kind of the file, once [`next`](Self::next) has returned `None`.
    ///
    /// # Errors
    /// It could not be fetched whole (as a rule a transient failure), or is no listing (a permanent one).
    pub async fn end(mut self) -> Result<ListingKind, Failure> {
        let Some(parsing) = self.parsing.take() else { return Err(errors::refused("was read already")) };
        let parsed = parsing.await.map_err(|error| Failure::unexpected("JoinError", error.to_string()))?;
        if let Some(failure) = self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(failure);
        }
        parsed.map_err(errors::refused)
    }
}

/// Sends a request and follows redirects. Returns the response, its URL, and whether all redirects are permanent ones.
pub(super) async fn follow(
    client: &HttpClient,
    mut url: Url,
    (headers, credentials): (HeaderMap, &HeaderMap),
    allows: impl Fn(&Url) -> Result<(), String>,
    deadline: Instant,
) -> Result<(Response, Url, bool), Failure> {
    let origin = url.origin();
    let (mut is_own, mut is_permanent) = (true, true);
    for _ in 0..=client.settings.max_redirects {
        client.guard.judge(&url).map_err(|refusal| errors::refused(refusal.to_string()))?;
        is_own &= url.origin() == origin;
        let mut headers = headers.clone();
        if is_own {
            headers.extend(credentials.clone());
        }
        let response = client.get(&url, headers, deadline).await?;
        let Some(next) = next_hop(&response, &url) else { return Ok((response, url, is_permanent)) };
        is_permanent &= matches!(response.status().as_u16(), 301 | 308);
        url = next.map_err(|error| errors::refused(format!("redirected to a bad URL: {error}")))?;
        url.set_fragment(None);
        allows(&url).map_err(errors::refused)?;
    }
    Err(errors::refused(format!("too many redirects (more than {})", client.settings.max_redirects)))
}

/// Returns host and port of a URL, or an empty text.
pub(super) fn host(url: &Url) -> String {
    host_of(url.as_str()).unwrap_or_default()
}

async fn receive(
    client: Arc<HttpClient>,
    mut response: Response,
    pieces: mpsc::Sender<Result<Vec<u8>, Failure>>,
    deadline: Instant,
) {
    loop {
        let piece = client.within(deadline, Stage::Reading, response.chunk()).await;
        let piece = piece.and_then(|piece| piece.map_err(|error| client.failure(&error)));
        let is_last = piece.is_err();
        let Some(piece) = piece.transpose() else { return };
        if pieces.send(piece.map(|bytes| bytes.to_vec())).await.is_err() || is_last {
            return;
        }
    }
}

fn parse_body(body: Body, base: &Url, batches: &mpsc::Sender<Vec<ListingEntry>>) -> Result<ListingKind, String> {
    let mut body = BufReader::new(body);
    let is_packed = body.fill_buf().map_err(|error| error.to_string())?.starts_with(b"\x1f\x8b");
    let mut batch = Vec::new();
    let kind = {
        let on_entry: &mut OnEntry<'_> = &mut |entry| {
            batch.push(entry);
            batch.len() < BATCH_SIZE || batches.blocking_send(std::mem::take(&mut batch)).is_ok()
        };
        match is_packed {
            true => parse(BufReader::new(Limited::new(Unpacked(MultiGzDecoder::new(body)))), base, on_entry),
            false => parse(BufReader::new(Limited::new(body)), base, on_entry),
        }
    };
    let _ = batches.blocking_send(batch);
    kind
}

/// The body of a response, for a thread that may block.
struct Body {
    pieces: mpsc::Receiver<Result<Vec<u8>, Failure>>,
    piece: Vec<u8>,
    at: usize,
    failure: Arc<Mutex<Option<Failure>>>,
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            match self.pieces.blocking_recv() {
                None => return Ok(0),
                Some(Ok(piece)) => (self.piece, self.at) = (piece, 0),
                Some(Err(failure)) => {
                    let error = io::Error::other(failure.detail.to_string());
                    *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                    return Err(error);
                }
            }
        }
        let read = (&self.piece[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

/// Unpacks, and says in plain language what is wrong.
struct Unpacked<R>(MultiGzDecoder<R>);

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => io::Error::other("is gzip data that is cut off"),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => io::Error::other("is damaged gzip data"),
            _ => error,
        })
    }
}

/// Fails after [`MAX_FILE`] bytes.
struct Limited<R> {
    file: R,
    left: u64,
}

impl<R> Limited<R> {
    fn new(file: R) -> Self {
        Self { file, left: MAX_FILE }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.left = self
            .left
            .checked_sub(read as u64)
            .ok_or_else(|| io::Error::other(format!("is larger than {} MB, unpacked", MAX_FILE >> 20)))?;
        Ok(read)
    }
}
