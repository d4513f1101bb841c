//! Conversion of a server's response into a page, step by step: head, body, decoding, conversion.
//!
//! The body is counted as it is decompressed, in pieces of a few kilobytes, and refused once it exceeds `max_body`. So
//! a decompression bomb costs no more than a large page. A limit on the compression ratio would refuse sound pages,
//! which compress a hundredfold, and would keep out nothing that `max_body` does not.

use super::budget::{ConvertError, MAX_MARKDOWN, TreeBudget};
use super::charset::{self, Markup};
use super::client::HttpClient;
use super::content_rules::ContentRules;
use super::convert::{Converted, convert_by};
use super::encoding::{self, Coding};
use super::errors::{self, Stage};
use super::head::{ContentType, Kind, is_binary, sniffed, text_of};
use super::memory::{MemoryPermit, SMALL_BODY};
use super::request::FetchResponse;
use super::trace::Mark;
use crate::domain::body_digest::{BodyDigest, BodyHasher, ConversionInputs};
use crate::domain::content::{ConverterVersion, IdenticalBody, Page, Validators};
use crate::domain::failure::{ErrorCode, Failure};
use crate::domain::template::PageBlocks;
use crate::domain::text::SafeLine;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;

/// Number of bytes above which a page is converted alone from the start, because its tree takes several times the
/// page's size.
const CONVERT_ALONE_ABOVE: usize = 4 * 1024 * 1024;
/// Maximum number of bytes of a plain text that are read: enough for 200,000 characters in any encoding.
const MAX_PLAIN_TEXT: usize = 4 * MAX_MARKDOWN;

/// Origin of a response, and the rules by which it is converted.
pub(super) struct Source {
    /// URL of the response, after redirects.
    pub url: Url,
    pub rules: Arc<ContentRules>,
    /// Version of the converter and `rules`.
    pub converter: ConverterVersion,
}

/// Reads the response from `source` and turns it into a page, unless the digest of its body is `known`. `deadline`
/// limits all waits except those for memory.
pub(super) async fn page(
    client: &HttpClient,
    response: Response,
    source: Source,
    known: Option<&BodyDigest>,
    deadline: Instant,
) -> Result<FetchResponse, Failure> {
    let status = response.status().as_u16();
    let content_type = ContentType::of(response.headers())?;
    let codings = encoding::remaining(response.headers())?;
    let (etag, last_modified) = (text_of(&response, ETAG), text_of(&response, LAST_MODIFIED));
    let mut hasher = BodyHasher::new(&source.inputs(&response));
    let (body, deadline) = read_body(client, response, deadline, |piece| hasher.update(piece)).await?;
    client.note(|| Mark::BodyReceived);
    let digest = hasher.finish();
    if known == Some(&digest) {
        let (validators, bytes) = (Validators::new(etag, last_modified), body.bytes.len() as u64);
        return Ok(FetchResponse::Identical(IdenticalBody { bytes, http_status: status, validators }));
    }
    let body = if codings.is_empty() { body } else { decompress(client, body, codings, deadline).await? };
    let bytes = body.bytes.len() as u64;
    let received = Received { body, content_type, source };
    let converted = convert(client, received, deadline).await?;
    client.note(|| Mark::Converted);
    let page = Page::new(converted.title.as_deref(), converted.markdown, bytes, status);
    let page = page.ok_or_else(|| Failure::permanent(ErrorCode::ContentEmpty, "the page has no text"))?;
    let unmatched = (!converted.unmatched.is_empty())
        .then(|| SafeLine::new(&format!("no element of the page matches {}", converted.unmatched.join(" nor "))));
    let blocks = Box::new(PageBlocks { paths: converted.paths, observation: None });
    Ok(FetchResponse::Page(Page { note: unmatched, etag, last_modified, body_digest: Some(digest), blocks, ..page }))
}

impl Source {
    fn inputs<'a>(&'a self, response: &'a Response) -> ConversionInputs<'a> {
        let content_type = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
        let encoding = encoding::value(response.headers());
        ConversionInputs { converter: self.converter, content_type, encoding, url: self.url.as_str() }
    }
}

/// A body with its memory permit.
#[derive(Debug)]
pub(super) struct Body {
    pub bytes: Vec<u8>,
    permit: MemoryPermit,
}

/// Reads the decompressed body and passes each piece to `on_piece` as it arrives. Also returns the deadline, extended
/// by the time that the body waited for memory, which is not the page's fault.
pub(super) async fn read_body(
    client: &HttpClient,
    mut response: Response,
    mut deadline: Instant,
    mut on_piece: impl FnMut(&[u8]),
) -> Result<(Body, Instant), Failure> {
    let most = client.settings.max_body;
    let plain = !response.headers().contains_key(CONTENT_ENCODING);
    let announced = response.content_length().filter(|_| plain);
    if announced.is_some_and(|length| length > most) {
        return Err(errors::too_large(most));
    }
    let waiting = Instant::now();
    let mut permit = client.memory.share().await;
    deadline += waiting.elapsed();
    let (mut bytes, mut fits) = (Vec::new(), SMALL_BODY.min(most));
    loop {
        let piece = client.within(deadline, Stage::Reading, response.chunk()).await?;
        let Some(piece) = piece.map_err(|error| client.failure(&error))? else {
            return Ok((Body { bytes, permit }, deadline));
        };
        let length = bytes.len() as u64 + piece.len() as u64;
        if length > most {
            return Err(errors::too_large(most));
        }
        if length > fits {
            let waiting = Instant::now();
            fits = announced.unwrap_or(most).max(length);
            client.memory.enlarge(&mut permit, fits).await;
            deadline += waiting.elapsed();
            // Reserved in one step: the allocator maps an allocation of this size separately, so only written pages
            // take memory, and all of it returns to the system. Growing in steps would leave fragments behind.
            bytes.reserve_exact(usize::try_from(most).unwrap_or_default().saturating_sub(bytes.len()));
        }
        on_piece(&piece);
        bytes.extend_from_slice(&piece);
    }
}

/// Removes the codings that the HTTP client has left, on a thread of the pool. The result may be as large as any body.
async fn decompress(
    client: &HttpClient,
    mut body: Body,
    codings: Vec<Coding>,
    deadline: Instant,
) -> Result<Body, Failure> {
    let most = client.settings.max_body;
    client.memory.enlarge(&mut body.permit, most).await;
    let slot = client.before(deadline, client.conversions.slot(TreeBudget::Shared)).await??;
    let bytes = body.bytes;
    body.bytes = slot.run(move |_| encoding::decoded(bytes, &codings, most)).await??;
    Ok(body)
}

/// A body, and the data needed to convert it.
struct Received {
    body: Body,
    content_type: ContentType,
    source: Source,
}

/// Decodes and converts a body on a thread of the pool. A page that exceeds the shared memory budget is converted once
/// more, without other conversions at the same time.
async fn convert(client: &HttpClient, mut received: Received, deadline: Instant) -> Result<Converted, Failure> {
    let mut budget =
        if received.body.bytes.len() > CONVERT_ALONE_ABOVE { TreeBudget::Alone } else { TreeBudget::Shared };
    loop {
        let slot = client.before(deadline, client.conversions.slot(budget)).await??;
        let (back, converted) = slot.run(move |budget| received.convert(budget)).await?;
        match (converted, budget) {
            (Err(ConvertError::TooLarge(_)), TreeBudget::Shared) => (received, budget) = (back, TreeBudget::Alone),
            (converted, _) => return converted.map_err(|error| errors::refused(error.to_string())),
        }
    }
}

impl Received {
    /// Converts the body and returns it for a second conversion. With [`TreeBudget::Alone`] no second conversion
    /// follows, and the returned body may be empty.
    fn convert(mut self, budget: TreeBudget) -> (Self, Result<Converted, ConvertError>) {
        let converted = match decode(&self.body.bytes, &self.content_type) {
            Ok(Decoded::Html(Cow::Owned(html))) if budget == TreeBudget::Alone => {
                // The decoded text may be three times as large as the body, so the body's bytes are freed first.
                self.body.bytes = Vec::new();
                convert_by(&html, &self.source.url, &self.source.rules, budget)
            }
            Ok(Decoded::Html(html)) => convert_by(&html, &self.source.url, &self.source.rules, budget),
            Ok(Decoded::Plain(text)) => {
                Ok(Converted { title: None, markdown: charset::plain(&text), unmatched: Vec::new(), paths: Vec::new() })
            }
            Err(error) => Err(error),
        };
        (self, converted)
    }
}

/// Decoded text of a body.
enum Decoded<'b> {
    Html(Cow<'b, str>),
    Plain(Cow<'b, str>),
}

fn decode<'b>(bytes: &'b [u8], content_type: &ContentType) -> Result<Decoded<'b>, ConvertError> {
    let charset = content_type.charset.as_deref();
    if is_binary(bytes, charset) {
        return Err(ConvertError::NotText);
    }
    match content_type.kind.unwrap_or_else(|| sniffed(bytes)) {
        Kind::Html => Ok(Decoded::Html(charset::decode(bytes, charset, Markup::Html))),
        Kind::Text => Ok(Decoded::Plain(charset::decode(beginning(bytes), charset, Markup::None))),
    }
}

/// Returns the part of a plain text that is read. It is never cut inside a UTF-8 character, or its encoding would be
/// misdetected.
fn beginning(bytes: &[u8]) -> &[u8] {
    let mut end = bytes.len().min(MAX_PLAIN_TEXT);
    while bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) && end + 4 > MAX_PLAIN_TEXT {
        end -= 1;
    }
    &bytes[..end]
}
