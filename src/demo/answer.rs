//! Responses of the site, decided from seed, page, hit number and position in a redirect chain alone; no clock, no I/O.

use super::article::bulk;
use super::behaviour::{Behaviour, Hops};
use super::catalogue::{Catalogue, HOSTS, PagePlan};
use super::draw::Draw;
use super::language::Phrase;
use super::page;
use hyper::StatusCode;
use hyper::body::Bytes;
use std::time::Duration;

const CHAIN_LENGTH: usize = 3;
const HTML: &str = "text/html; charset=utf-8";
const LATENCY: u64 = 11;
const SPACING: u64 = 12;
const SIZE: u64 = 13;

/// A response to send.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) location: Option<Location>,
    /// Value of the `Retry-After` header, in seconds.
    pub(super) retry_after: Option<u32>,
    /// Value of the `ETag` header, set with status 200 for documents whose body never changes.
    pub(super) etag: Option<String>,
    /// Wait before the server sends the response.
    pub(super) latency: Duration,
    pub(super) body: ReplyBody,
}

/// Target of a redirect, on the same or another host.
pub(super) enum Location {
    /// Path on the same host.
    Path(String),
    /// Index of another host, and the path there.
    OtherHost(usize, String),
}

/// Body of a response, by the way of sending it.
pub(super) enum ReplyBody {
    /// Sent at once.
    Whole(Bytes),
    /// Sent slowly, in small pieces with pauses.
    Drops(Bytes),
    /// Generated while it is sent, since the body is too large to keep in memory for every reader.
    Parts(HugePageParts),
}

/// Iterator over the pieces of a huge page.
pub(super) struct HugePageParts {
    seed: u64,
    plan: PagePlan,
    next: u64,
    parts: u64,
    head: Option<String>,
    tail: Option<String>,
}

impl Iterator for HugePageParts {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if let Some(head) = self.head.take() {
            return Some(head.into());
        }
        if self.next < self.parts {
            self.next += 1;
            return Some(bulk(self.seed, &self.plan, self.next - 1).into());
        }
        self.tail.take().map(Bytes::from)
    }
}

/// Page or resource at a path of a host.
pub(super) enum Route<'a> {
    /// A document, and the number of redirects already followed in its chain.
    Document(&'a PagePlan, usize),
    /// A page or file that is no document (front page, style sheet, picture): content type and text.
    Furniture(&'static str, String),
    /// No page or file has this path.
    Missing,
}

/// Resolves `path` on `host`.
pub(super) fn route<'a>(catalogue: &'a Catalogue, host: usize, path: &str) -> Route<'a> {
    match path {
        // Targets of links and forms around the content, so that a person who follows one gets a page.
        "/" | "/guides" | "/prices" | "/contact" | "/search" | "/vote" => {
            return Route::Furniture(HTML, page::front_page(catalogue, host));
        }
        "/style.css" => return Route::Furniture("text/css", page::STYLE.to_owned()),
        _ => {}
    }
    if let Some(number) = path.strip_prefix("/images/").and_then(|name| name.strip_suffix(".svg")) {
        return match number.parse() {
            Ok(number) => Route::Furniture("image/svg+xml", page::picture(number)),
            Err(_) => Route::Missing,
        };
    }
    if let Some((hop, rest)) = path.strip_prefix("/moved/").and_then(|path| path.split_once('/')) {
        let Some(hop) = hop.parse().ok().filter(|hop| (1..=CHAIN_LENGTH).contains(hop)) else {
            return Route::Missing;
        };
        let home = |shift| (host + HOSTS - shift) % HOSTS;
        let path = format!("/{rest}");
        // Hop `n` of a chain across hosts is on the `n`-th next host.
        for (at, hops) in [(home(0), Hops::SameHost), (home(hop), Hops::AcrossHosts)] {
            if let Some(plan) = catalogue.find(at, &path).filter(|plan| plan.behaviour == Behaviour::Redirects(hops)) {
                return Route::Document(plan, hop);
            }
        }
        return Route::Missing;
    }
    catalogue.find(host, path).map_or(Route::Missing, |plan| Route::Document(plan, 0))
}

/// Returns the response to request number `hit` (from 1) for `plan`, after `hop` redirects of the page's chain; `None`
/// if no response is ever sent.
pub(super) fn answer(catalogue: &Catalogue, plan: &PagePlan, hop: usize, hit: u64) -> Option<Reply> {
    let behaviour = plan.behaviour;
    let latency = latency(catalogue.seed, plan, hop, hit);
    let error = |status, phrase| reply(status, page::error_page(Some(plan), plan.host(), phrase), latency);
    let steady = || reply(StatusCode::OK, page::page(catalogue, plan, None, "utf-8"), latency);
    let mut reply = match behaviour {
        Behaviour::NotFound => error(StatusCode::NOT_FOUND, Phrase::NotFound),
        Behaviour::Gone => error(StatusCode::GONE, Phrase::Gone),
        Behaviour::Forbidden => error(StatusCode::FORBIDDEN, Phrase::Forbidden),
        Behaviour::Empty => reply(StatusCode::OK, page::empty_page(&catalogue.title(plan), plan.index), latency),
        Behaviour::ServerError { .. } if behaviour.fails_at(hit) => {
            error(StatusCode::INTERNAL_SERVER_ERROR, Phrase::ServerError)
        }
        Behaviour::Unavailable { .. } if behaviour.fails_at(hit) => {
            let mut reply = error(StatusCode::SERVICE_UNAVAILABLE, Phrase::Unavailable);
            reply.retry_after = Some(1);
            reply
        }
        Behaviour::Silent { .. } if behaviour.fails_at(hit) => return None,
        Behaviour::Drip { .. } if behaviour.fails_at(hit) => {
            let mut reply = steady();
            if let ReplyBody::Whole(bytes) = reply.body {
                reply.body = ReplyBody::Drops(bytes);
            }
            reply
        }
        Behaviour::CookieWall if behaviour.is_walled(hit) => {
            return Some(reply(StatusCode::OK, page::cookie_wall(plan), latency));
        }
        // No `ETag`: the body is not the same at every hit.
        Behaviour::CookieWall => return Some(steady()),
        Behaviour::Redirects(hops) if hop < CHAIN_LENGTH => redirect(catalogue, plan, hops, hop + 1, latency),
        Behaviour::Changing => {
            return Some(reply(StatusCode::OK, page::page(catalogue, plan, Some(hit), "utf-8"), latency));
        }
        Behaviour::Spacing => {
            let html = page::page(catalogue, plan, None, "utf-8");
            let mut draw = Draw::of(&[catalogue.seed, plan.index as u64, SPACING, hit]);
            return Some(reply(StatusCode::OK, page::respaced(&html, &mut draw), latency));
        }
        Behaviour::WrongCharset(charset) => {
            let html = page::page(catalogue, plan, None, charset.meta());
            let mut reply = reply(StatusCode::OK, String::new(), latency);
            reply.content_type = charset.content_type();
            reply.body = ReplyBody::Whole(charset.encoding().encode(&html).0.into_owned().into());
            reply
        }
        Behaviour::Huge => {
            let mut reply = reply(StatusCode::OK, String::new(), latency);
            reply.body = ReplyBody::Parts(parts(catalogue, plan));
            reply
        }
        Behaviour::Steady
        | Behaviour::ServerError { .. }
        | Behaviour::Unavailable { .. }
        | Behaviour::Silent { .. }
        | Behaviour::Drip { .. }
        | Behaviour::Redirects(_) => steady(),
    };
    if reply.status == StatusCode::OK {
        // Every page that gets here with status 200 has a body that never changes.
        reply.etag = Some(format!("\"{:016x}\"", Draw::of(&[catalogue.seed, plan.index as u64]).next()));
    }
    Some(reply)
}

/// Returns the response with a page or file that is no document, sent without delay.
pub(super) fn furniture(content_type: &'static str, text: String) -> Reply {
    let mut reply = reply(StatusCode::OK, text, Duration::ZERO);
    reply.content_type = content_type;
    reply
}

/// Returns the response to an unknown path: 404.
pub(super) fn missing(host: usize) -> Reply {
    reply(StatusCode::NOT_FOUND, page::error_page(None, host, Phrase::NotFound), Duration::ZERO)
}

/// Returns the response to any path of a host that is down: 503.
pub(super) fn down(host: usize) -> Reply {
    reply(StatusCode::SERVICE_UNAVAILABLE, page::error_page(None, host, Phrase::Unavailable), Duration::ZERO)
}

/// Returns the response to a method other than GET and HEAD.
pub(super) fn wrong_method() -> Reply {
    let mut reply = reply(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n".to_owned(), Duration::ZERO);
    reply.content_type = "text/plain; charset=utf-8";
    reply
}

fn reply(status: StatusCode, text: String, latency: Duration) -> Reply {
    Reply {
        status,
        content_type: HTML,
        location: None,
        retry_after: None,
        etag: None,
        latency,
        body: ReplyBody::Whole(text.into()),
    }
}

fn redirect(catalogue: &Catalogue, plan: &PagePlan, hops: Hops, to: usize, latency: Duration) -> Reply {
    let path = format!("/moved/{to}{}", catalogue.path(plan));
    let status = match to {
        1 => StatusCode::FOUND,
        2 => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    let mut reply = reply(status, String::new(), latency / 4);
    reply.location = Some(match hops {
        Hops::SameHost => Location::Path(path),
        Hops::AcrossHosts => Location::OtherHost((plan.host() + to) % HOSTS, path),
    });
    reply
}

fn parts(catalogue: &Catalogue, plan: &PagePlan) -> HugePageParts {
    let mut draw = Draw::of(&[catalogue.seed, plan.index as u64, SIZE]);
    let page = page::page_for_bulk(catalogue, plan);
    let (head, tail) = page.split_once(page::BULK_MARK).unwrap_or((&page, ""));
    HugePageParts {
        seed: catalogue.seed,
        plan: *plan,
        next: 0,
        parts: draw.between(110, 160),
        head: Some(head.to_owned()),
        tail: Some(tail.to_owned()),
    }
}

/// Returns the delay of a response, 20 to 400 ms, more often short than long; a redirect uses a quarter of it.
fn latency(seed: u64, plan: &PagePlan, hop: usize, hit: u64) -> Duration {
    let mut draw = Draw::of(&[seed, plan.index as u64, LATENCY, hop as u64, hit]);
    let (a, b) = (draw.between(0, 380), draw.between(0, 380));
    Duration::from_millis(20 + a.min(b))
}
