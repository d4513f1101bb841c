//! Replies of the site, decided from seed, page and hit number alone; no clock, no I/O.

use super::article::bulk;
use super::behaviour::{Behaviour, Hops};
use super::catalogue::{Catalogue, HOSTS, Plan};
use super::draw::Draw;
use super::language::Phrase;
use super::page;
use hyper::StatusCode;
use hyper::body::Bytes;
use std::time::Duration;

/// Redirects in a chain.
const CHAIN: usize = 3;
const HTML: &str = "text/html; charset=utf-8";
const LATENCY: u64 = 11;
const SPACING: u64 = 12;
const SIZE: u64 = 13;

/// An answer to send.
pub(super) struct Reply {
    /// The status.
    pub(super) status: StatusCode,
    /// `Content-Type`.
    pub(super) content_type: &'static str,
    /// Target of a redirect.
    pub(super) location: Option<Location>,
    /// `Retry-After`, in seconds.
    pub(super) retry_after: Option<u32>,
    /// `ETag`, for pages that stay as they are.
    pub(super) etag: Option<String>,
    /// Time before the server answers.
    pub(super) latency: Duration,
    /// The body.
    pub(super) body: Content,
}

/// Target of a redirect.
pub(super) enum Location {
    /// On this host.
    Path(String),
    /// On the host with this number.
    Elsewhere(usize, String),
}

/// A body.
pub(super) enum Content {
    /// At once.
    Whole(Bytes),
    /// In drops.
    Drops(Bytes),
    /// Made while it is sent, since it is too much to hold for every reader at once.
    Parts(Parts),
}

/// The pieces of a huge page.
pub(super) struct Parts {
    seed: u64,
    plan: Plan,
    next: u64,
    parts: u64,
    head: Option<String>,
    tail: Option<String>,
}

impl Iterator for Parts {
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

/// Meaning of a path on a host.
pub(super) enum Route<'a> {
    /// A document, `hop` redirects into its chain.
    Document(&'a Plan, usize),
    /// Furniture: the front page, the style sheet, a picture.
    Furniture(&'static str, String),
    /// Nothing.
    Missing,
}

/// Finds what `path` of `host` is.
pub(super) fn route<'a>(catalogue: &'a Catalogue, host: usize, path: &str) -> Route<'a> {
    match path {
        // Where the furniture's links and forms lead, so that a person who follows one is not lost.
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
        let Some(hop) = hop.parse().ok().filter(|hop| (1..=CHAIN).contains(hop)) else {
            return Route::Missing;
        };
        let home = |shift| (host + HOSTS - shift) % HOSTS;
        let path = format!("/{rest}");
        // A hop on another host is as many hosts further as it is hops into the chain.
        for (at, hops) in [(home(0), Hops::SameHost), (home(hop), Hops::AcrossHosts)] {
            if let Some(plan) = catalogue.find(at, &path).filter(|plan| plan.behaviour == Behaviour::Redirects(hops)) {
                return Route::Document(plan, hop);
            }
        }
        return Route::Missing;
    }
    catalogue.find(host, path).map_or(Route::Missing, |plan| Route::Document(plan, 0))
}

/// The answer to the `hit`-th request, from 1, for `plan`, `hop` redirects into its chain; `None` when none ever comes.
pub(super) fn answer(catalogue: &Catalogue, plan: &Plan, hop: usize, hit: u64) -> Option<Reply> {
    let behaviour = plan.behaviour;
    let latency = latency(catalogue.seed, plan, hop, hit);
    let error = |status, phrase| reply(status, page::error_page(Some(plan), plan.host(), phrase), latency);
    let steady = || reply(StatusCode::OK, page::page(catalogue, plan, None, "utf-8"), latency);
    let mut reply = match behaviour {
        Behaviour::NotFound => error(StatusCode::NOT_FOUND, Phrase::NotFound),
        Behaviour::Gone => error(StatusCode::GONE, Phrase::Gone),
        Behaviour::Forbidden => error(StatusCode::FORBIDDEN, Phrase::Forbidden),
        Behaviour::Empty => reply(StatusCode::OK, page::empty_page(&catalogue.title(plan), plan.place), latency),
        Behaviour::ServerError { .. } if behaviour.troubled(hit) => {
            error(StatusCode::INTERNAL_SERVER_ERROR, Phrase::ServerError)
        }
        Behaviour::Unavailable { .. } if behaviour.troubled(hit) => {
            let mut reply = error(StatusCode::SERVICE_UNAVAILABLE, Phrase::Unavailable);
            reply.retry_after = Some(1);
            reply
        }
        Behaviour::Silent { .. } if behaviour.troubled(hit) => return None,
        Behaviour::Drip { .. } if behaviour.troubled(hit) => {
            let mut reply = steady();
            if let Content::Whole(bytes) = reply.body {
                reply.body = Content::Drops(bytes);
            }
            reply
        }
        Behaviour::CookieWall if behaviour.is_walled(hit) => {
            return Some(reply(StatusCode::OK, page::cookie_wall(plan), latency));
        }
        // Without a tag: with one the server would say "not modified" of a page that it does not show any more.
        Behaviour::CookieWall => return Some(steady()),
        Behaviour::Redirects(hops) if hop < CHAIN => redirect(catalogue, plan, hops, hop + 1, latency),
        Behaviour::Changing => {
            return Some(reply(StatusCode::OK, page::page(catalogue, plan, Some(hit), "utf-8"), latency));
        }
        Behaviour::Spacing => {
            let html = page::page(catalogue, plan, None, "utf-8");
            let mut draw = Draw::of(&[catalogue.seed, plan.place as u64, SPACING, hit]);
            return Some(reply(StatusCode::OK, page::respaced(&html, &mut draw), latency));
        }
        Behaviour::WrongCharset(charset) => {
            let html = page::page(catalogue, plan, None, charset.meta());
            let mut reply = reply(StatusCode::OK, String::new(), latency);
            reply.content_type = charset.content_type();
            reply.body = Content::Whole(charset.encoding().encode(&html).0.into_owned().into());
            reply
        }
        Behaviour::Huge => {
            let mut reply = reply(StatusCode::OK, String::new(), latency);
            reply.body = Content::Parts(parts(catalogue, plan));
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
        // Everything that comes here with a 200 has one body for ever.
        reply.etag = Some(format!("\"{:016x}\"", Draw::of(&[catalogue.seed, plan.place as u64]).next()));
    }
    Some(reply)
}

/// Furniture, without any waiting.
pub(super) fn furniture(content_type: &'static str, text: String) -> Reply {
    let mut reply = reply(StatusCode::OK, text, Duration::ZERO);
    reply.content_type = content_type;
    reply
}

/// A path that is no document's.
pub(super) fn missing(host: usize) -> Reply {
    reply(StatusCode::NOT_FOUND, page::error_page(None, host, Phrase::NotFound), Duration::ZERO)
}

/// Any path of a host that is down.
pub(super) fn down(host: usize) -> Reply {
    reply(StatusCode::SERVICE_UNAVAILABLE, page::error_page(None, host, Phrase::Unavailable), Duration::ZERO)
}

/// Another method than GET or HEAD.
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
        body: Content::Whole(text.into()),
    }
}

fn redirect(catalogue: &Catalogue, plan: &Plan, hops: Hops, to: usize, latency: Duration) -> Reply {
    let path = format!("/moved/{to}{}", catalogue.path(plan));
    let status = match to {
        1 => StatusCode::FOUND,
        2 => StatusCode::MOVED_PERMANENTLY,
        _ => StatusCode::TEMPORARY_REDIRECT,
    };
    let mut reply = reply(status, String::new(), latency / 4);
    reply.location = Some(match hops {
        Hops::SameHost => Location::Path(path),
        Hops::AcrossHosts => Location::Elsewhere((plan.host() + to) % HOSTS, path),
    });
    reply
}

fn parts(catalogue: &Catalogue, plan: &Plan) -> Parts {
    let mut draw = Draw::of(&[catalogue.seed, plan.place as u64, SIZE]);
    let page = page::page_for_bulk(catalogue, plan);
    let (head, tail) = page.split_once(page::BULK_MARK).unwrap_or((&page, ""));
    Parts {
        seed: catalogue.seed,
        plan: *plan,
        next: 0,
        parts: draw.between(110, 160),
        head: Some(head.to_owned()),
        tail: Some(tail.to_owned()),
    }
}

/// 20 to 400 ms, more often short than long.
fn latency(seed: u64, plan: &Plan, hop: usize, hit: u64) -> Duration {
    let mut draw = Draw::of(&[seed, plan.place as u64, LATENCY, hop as u64, hit]);
    let (a, b) = (draw.between(0, 380), draw.between(0, 380));
    Duration::from_millis(20 + a.min(b))
}
