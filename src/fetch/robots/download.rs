//! Downloads a host's robots.txt through the guard, and refuses URLs that the file forbids.

use super::MAX_FILE;
use super::cache::{CachedRules, FileResponse, Robots};
use crate::domain::failure::{Blame, ErrorCode, Failure};
use crate::fetch::client::HttpClient;
use crate::fetch::encoding;
use crate::fetch::errors::{self, Stage};
use crate::fetch::head::next_hop;
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::time::Instant;
use url::Url;

/// Maximum number of redirects that are followed to the file (RFC 9309, 2.3.1.2).
const MAX_REDIRECTS: usize = 5;

/// Fails if the robots.txt of the host of `url` forbids the URL (permanent failure) or cannot be read (transient
/// failure).
pub(in crate::fetch) async fn obey(
    robots: &Robots,
    client: &HttpClient,
    url: &Url,
    deadline: Instant,
) -> Result<(), Failure> {
    let host = url.host_str().unwrap_or_default();
    match robots.of(url, |file| fetch(client, file, deadline)).await {
        CachedRules::Rules(rules) => {
            let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
            let refusal = || errors::refused(format!("refused: robots.txt of {host} does not allow the page"));
            if rules.allow(path) { Ok(()) } else { Err(refusal()) }
        }
        CachedRules::Unreachable(why) => {
            let detail = format!("robots.txt of {host} is needed first but cannot be read: {why}");
            Err(Failure::transient(ErrorCode::FetchFailed, detail))
        }
        CachedRules::Failed(failure) => Err(failure),
    }
}

async fn fetch(client: &HttpClient, mut url: Url, deadline: Instant) -> FileResponse {
    for _ in 0..=MAX_REDIRECTS {
        let response = match client.get(&url, HeaderMap::new(), deadline).await {
            Ok(response) => response,
            Err(failure) if failure.blame == Blame::Machine => return FileResponse::Failed(failure),
            Err(failure) => return FileResponse::Unreachable(failure.detail.to_string()),
        };
        match next_hop(&response, &url) {
            Some(Ok(next)) if client.guard.judge(&next).is_ok() => url = next,
            Some(_) => return FileResponse::None,
            None => return read(client, response, deadline).await,
        }
    }
    FileResponse::None
}

async fn read(client: &HttpClient, mut response: Response, deadline: Instant) -> FileResponse {
    let status = response.status();
    if status.is_server_error() {
        return FileResponse::Unreachable(format!("the server answers {status}"));
    }
    if !status.is_success() {
        return FileResponse::None;
    }
    let mut text = Vec::new();
    while text.len() < MAX_FILE {
        match client.within(deadline, Stage::Reading, response.chunk()).await {
            Ok(Ok(Some(piece))) => text.extend_from_slice(&piece),
            Ok(Ok(None)) => break,
            Ok(Err(error)) => return FileResponse::Unreachable(client.failure(&error).detail.to_string()),
            Err(failure) => return FileResponse::Unreachable(failure.detail.to_string()),
        }
    }
    text.truncate(MAX_FILE);
    let decoded =
        encoding::remaining(response.headers()).and_then(|codings| encoding::decoded(text, &codings, MAX_FILE as u64));
    match decoded {
        Ok(text) => FileResponse::File(String::from_utf8_lossy(&text).into_owned()),
        Err(failure) => FileResponse::Unreachable(failure.detail.to_string()),
    }
}
