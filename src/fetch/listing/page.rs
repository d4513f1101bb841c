//! Looks where a page is now: what its URL answers, where it redirects to, and which URL it names as its own.

use super::download::follow;
use super::links::canonical;
use crate::domain::failure::Failure;
use crate::fetch::client::{ACCEPT_HTML, HttpClient};
use crate::fetch::errors::Stage;
use reqwest::header::{ACCEPT, HeaderMap};
use tokio::time::Instant;
use url::Url;

/// Number of bytes of a page in which its canonical URL is searched.
const MAX_HEAD: usize = 256 * 1024;

/// Where a page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageLocation {
    /// HTTP status of the last response.
    pub status: u16,
    /// URL to which permanent redirects alone lead; `None` without a redirect.
    pub redirect: Option<Url>,
    /// URL that the page names as its canonical one; `None` if it names none.
    pub canonical: Option<Url>,
}

/// Fetches the beginning of a page.
pub(in crate::fetch) async fn locate(
    client: &HttpClient,
    url: Url,
    credentials: &HeaderMap,
) -> Result<PageLocation, Failure> {
    let deadline = Instant::now() + client.settings.total_timeout;
    let headers = HeaderMap::from_iter([(ACCEPT, ACCEPT_HTML)]);
    let (mut response, last, is_permanent) =
        follow(client, url.clone(), (headers, credentials), |_| Ok(()), deadline).await?;
    let status = response.status();
    let redirect = (is_permanent && last != url && status.is_success()).then(|| last.clone());
    let mut head = Vec::new();
    while status.is_success() && head.len() < MAX_HEAD {
        let piece = client.within(deadline, Stage::Reading, response.chunk()).await?;
        match piece.map_err(|error| client.failure(&error))? {
            Some(piece) => head.extend_from_slice(&piece),
            None => break,
        }
    }
    head.truncate(MAX_HEAD);
    let canonical = tokio::task::spawn_blocking(move || canonical(&head, &last)).await.unwrap_or_default();
    Ok(PageLocation { status: status.as_u16(), redirect, canonical })
}
