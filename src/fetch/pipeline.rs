//! Conversion of a server's response into a page, step by step: head, body, decoding, conversion.
//!
//! The body is counted as it is decompressed, in pieces of a few kilobytes, and refused once it exceeds `max_body`. So
//! a decompression bomb costs no more than a large page. A limit on the compression ratio would refuse sound pages,
//! which compress a hundredfold, and would keep out nothing that `max_body` does not.

use super::budget::{Budget, BudgetMeter, ConvertError, MAX_MARKDOWN, TIME_LIMIT, TreeBudget};
use super::charset::{self, Markup};
use super::chatwoot_text;
use super::client::HttpClient;
use super::content_rules::ContentRules;
use super::convert::{Converted, convert_by, convert_explained, convert_for_chatwoot};
use super::encoding::{self, Coding};
use super::errors::{self, Stage};
use super::head::{ContentType, Kind, text_of};
use super::markdown;
use super::memory::{MemoryPermit, SMALL_BODY};
use super::request::FetchResponse;
use super::sniff::{binary_format, is_html_page, sniffed};
use super::stage_clock::StageEvent;
use super::trace::Mark;
use crate::domain::body_digest::{BodyDigest, BodyHasher, ConversionInputs};
use crate::domain::content::{IdenticalBody, MAX_CONTENT_CHARS, Page, Validators};
use crate::domain::extraction::ExtractionReport;
use crate::domain::failure::{ErrorCode, Failure};
use crate::domain::representation::Representation;
use crate::domain::template::{PageBlocks, Template};
use crate::domain::text::{SafeLine, cut_chars};
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, LAST_MODIFIED};
use std::borrow::Cow;
use std::sync::Arc;
use tokio::time::Instant;
use url::Url;

/// Detail of the failure of a page that scripts fill.
const ONLY_A_FRAME: &str = "the page has only a header, menus and a footer; its content may be added by scripts";
/// Number of bytes above which a page is converted alone from the start, because its tree takes several times the
/// page's size.
const CONVERT_ALONE_ABOVE: usize = 4 * 1024 * 1024;
/// Number of bytes up to which a page is converted on the thread that received it. To hand a page to another thread and
/// back costs as much as the conversion of a few hundred bytes; a page of this size takes half a millisecond.
const CONVERT_AT_ONCE: usize = 16 * 1024;
/// Maximum number of bytes of a plain text that are read: enough for 200,000 characters in any encoding.
const MAX_PLAIN_TEXT: usize = 4 * MAX_MARKDOWN;

/// Maximum number of characters of Markdown from a server that are read: more than are stored, since invisible parts are
/// left out.
const MAX_SERVED_CHARS: usize = 2 * MAX_CONTENT_CHARS;

/// Origin of a response, and the rules by which it is converted.
pub(super) struct Source {
    /// URL of the document.
    pub requested: Url,
    /// URL of the response, after redirects.
    pub url: Url,
    pub rules: Arc<ContentRules>,
    /// Version of the fetcher.
    pub fetcher: &'static str,
    /// True if Markdown was requested.
    pub accepts_markdown: bool,
    /// Template of the host, for an explanation of the text.
    pub template: Option<Arc<Template>>,
    /// True if Chatwoot's own texts of the page are wanted too.
    pub chatwoot: bool,
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
    let mut hasher = BodyHasher::new(&source.inputs(&response, source.representation(content_type.kind)));
    let (body, deadline) = read_body(client, response, deadline, |piece| hasher.update(piece)).await?;
    client.observer.note(StageEvent::BodyReceived, || Mark::BodyReceived);
    let digest = hasher.finish();
    if known == Some(&digest) {
        let (validators, bytes) = (Validators::new(etag, last_modified), body.bytes.len() as u64);
        return Ok(FetchResponse::Identical(IdenticalBody { bytes, http_status: status, validators }));
    }
    let body = if codings.is_empty() { body } else { decompress(client, body, codings, deadline).await? };
    let bytes = body.bytes.len() as u64;
    let (requested, url) = (source.requested.clone(), source.url.clone());
    let received = Received { body, content_type, source };
    let (converted, report) = convert(client, received, deadline).await?;
    client.observer.note(StageEvent::Converted, || Mark::Converted(report.map(Arc::new)));
    let page = page_of(converted, (&requested, &url), bytes, status)?;
    Ok(FetchResponse::Page(Box::new(Page { etag, last_modified, body_digest: Some(digest), ..page })))
}

/// Returns the page with a converted text, which has a note on selectors that match nothing. `urls` are the URL of the
/// document and that of the response, `bytes` is the size of the body, `status` the HTTP status.
pub(super) fn page_of(converted: Converted, urls: (&Url, &Url), bytes: u64, status: u16) -> Result<Page, Failure> {
    let page = Page::new(converted.title.as_deref(), converted.markdown, bytes, status);
    let is_shell = converted.is_shell;
    let is_login = converted.login.is_some_and(|form| form.is_page(urls.0, urls.1));
    let empty = || match is_login {
        true => Failure::permanent(ErrorCode::AccessDenied, "the page is a login form without any text"),
        false if is_shell => Failure::permanent(ErrorCode::ContentEmpty, ONLY_A_FRAME),
        false => Failure::permanent(ErrorCode::ContentEmpty, "the page has no text"),
    };
    let page = page.ok_or_else(empty)?;
    let unmatched = (!converted.unmatched.is_empty())
        .then(|| SafeLine::new(&format!("no element of the page matches {}", converted.unmatched.join(" nor "))));
    let blocks = Box::new(PageBlocks { paths: converted.paths, observation: None });
    let (representation, chatwoot) = (converted.representation, converted.chatwoot);
    Ok(Page { note: unmatched, is_login, representation, chatwoot, blocks, ..page })
}

impl Source {
    /// Returns the representation of a body of this kind.
    fn representation(&self, kind: Option<Kind>) -> Representation {
        match kind {
            Some(Kind::Markdown) if self.accepts_markdown => Representation::Markdown,
            _ => Representation::Html,
        }
    }

    fn inputs<'a>(&'a self, response: &'a Response, representation: Representation) -> ConversionInputs<'a> {
        let content_type = response.headers().get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
        let encoding = encoding::value(response.headers());
        let converter = self.rules.converter(self.fetcher, representation);
        ConversionInputs { converter, content_type, encoding, url: self.url.as_str() }
    }

    fn convert(&self, html: &str, budget: TreeBudget, explains: bool) -> Result<Explained, ConvertError> {
        if explains {
            let explained = convert_explained(html, &self.url, &self.rules, budget, self.template.as_deref())?;
            return Ok((explained.0, Some(explained.1)));
        }
        convert_by(html, &self.url, &self.rules, budget).map(|converted| (converted, None))
    }

    /// Converts a page and adds Chatwoot's own texts. `theirs` is the page as Chatwoot decodes it.
    fn convert_for_chatwoot(
        &self,
        html: &str,
        theirs: &str,
        budget: TreeBudget,
        explains: bool,
    ) -> Result<Explained, ConvertError> {
        if !explains {
            let converted = convert_for_chatwoot(html, theirs, &self.url, &self.rules, budget)?;
            return Ok((converted, None));
        }
        let (converted, report) = self.convert(html, budget, true)?;
        let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
        let texts = chatwoot_text::texts_of(theirs, budget, &mut clock)?;
        Ok((Converted { chatwoot: Some(Box::new(texts)), ..converted }, report))
    }
}

/// A converted body, with the report on its content if one is wanted and the body is HTML.
type Explained = (Converted, Option<ExtractionReport>);

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

/// Decodes and converts a body, on a thread of the pool unless it is small. A page that exceeds the shared memory budget
/// is converted once more, without other conversions at the same time. The report is made for traced fetches.
async fn convert(client: &HttpClient, mut received: Received, deadline: Instant) -> Result<Explained, Failure> {
    let explains = client.observer.is_traced();
    let mut budget =
        if received.body.bytes.len() > CONVERT_ALONE_ABOVE { TreeBudget::Alone } else { TreeBudget::Shared };
    loop {
        let is_small = budget == TreeBudget::Shared && received.body.bytes.len() <= CONVERT_AT_ONCE;
        let (back, converted) = if is_small {
            received.convert(budget, explains)
        } else {
            let slot = client.before(deadline, client.conversions.slot(budget)).await??;
            slot.run(move |budget| received.convert(budget, explains)).await?
        };
        match (converted, budget) {
            (Err(ConvertError::TooLarge(_)), TreeBudget::Shared) => (received, budget) = (back, TreeBudget::Alone),
            (converted, _) => return converted.map_err(|error| errors::refused(error.to_string())),
        }
    }
}

impl Received {
    /// Converts the body and returns it for a second conversion. With [`TreeBudget::Alone`] no second conversion
    /// follows, and the returned body may be empty.
    fn convert(mut self, budget: TreeBudget, explains: bool) -> (Self, Result<Explained, ConvertError>) {
        let converted = match decode(&self.body.bytes, &self.content_type, self.source.accepts_markdown) {
            Ok(Decoded::Html(html)) if self.source.chatwoot => {
                let theirs = charset::decode_as_chatwoot(&self.body.bytes);
                self.source.convert_for_chatwoot(&html, &theirs, budget, explains)
            }
            Ok(Decoded::Html(Cow::Owned(html))) if budget == TreeBudget::Alone => {
                // The decoded text may be three times as large as the body, so the body's bytes are freed first.
                self.body.bytes = Vec::new();
                self.source.convert(&html, budget, explains)
            }
            Ok(Decoded::Html(html)) => self.source.convert(&html, budget, explains),
            Ok(Decoded::Plain(text)) => {
                let plain = unconverted(None, charset::plain(&text), Representation::Html);
                // Chatwoot reads every body as HTML.
                let theirs = self.source.chatwoot.then(|| chatwoot_text::chatwoot_texts(&self.body.bytes));
                Ok((Converted { chatwoot: theirs.and_then(Result::ok).map(Box::new), ..plain }, None))
            }
            Ok(Decoded::Markdown(text)) => {
                let text = charset::plain(&text);
                let (title, markdown) = markdown::served(cut_chars(&text, MAX_SERVED_CHARS).0, &self.source.url);
                Ok((unconverted(title, markdown, Representation::Markdown), None))
            }
            Err(error) => Err(error),
        };
        (self, converted)
    }
}

/// Returns a text that needs no conversion.
fn unconverted(title: Option<String>, markdown: String, representation: Representation) -> Converted {
    let (unmatched, paths) = (Vec::new(), Vec::new());
    Converted { title, markdown, unmatched, representation, login: None, chatwoot: None, is_shell: false, paths }
}

/// Decoded text of a body.
enum Decoded<'b> {
    Html(Cow<'b, str>),
    Plain(Cow<'b, str>),
    Markdown(Cow<'b, str>),
}

fn decode<'b>(
    bytes: &'b [u8],
    content_type: &ContentType,
    accepts_markdown: bool,
) -> Result<Decoded<'b>, ConvertError> {
    let charset = content_type.charset.as_deref();
    if let Some(format) = binary_format(bytes, charset) {
        return Err(ConvertError::NotText(format));
    }
    match content_type.kind.unwrap_or_else(|| sniffed(bytes)) {
        Kind::Html => Ok(Decoded::Html(charset::decode(bytes, charset, Markup::Html))),
        Kind::Markdown if accepts_markdown => {
            let text = charset::decode(beginning(bytes), charset, Markup::None);
            if is_html_page(&text) {
                return Ok(Decoded::Html(charset::decode(bytes, charset, Markup::Html)));
            }
            Ok(Decoded::Markdown(text))
        }
        Kind::Text | Kind::Markdown => Ok(Decoded::Plain(charset::decode(beginning(bytes), charset, Markup::None))),
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
