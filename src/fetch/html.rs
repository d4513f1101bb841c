//! From HTML to a title and Markdown, within a time limit and on a small stack.
//!
//! html5ever has quadratic spots (deep nesting, attributes without end), so it is fed in pieces and looked at in
//! between; everything after it walks the tree with stacks of its own. `sink` counts the memory that the tree takes.

mod sink;

use super::main_content::{self, Outline};
use super::markdown;
use super::sources::Rules;
use dom_query::Document;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{ParseOpts, parse_document};
use rustix::time::{ClockId, clock_gettime};
use sink::Counted;
use std::time::{Duration, Instant};
use thiserror::Error;
use url::Url;

/// How long a page may keep a processor busy, parsing and writing together.
pub const TIME_LIMIT: Duration = Duration::from_secs(2);
/// Markdown is written up to about here, in bytes: more than 200,000 characters ever are.
pub const MAX_MARKDOWN: usize = 1_000_000;
/// About how many bytes a page and its tree may take: 800,000 elements and texts. A page takes many times its own size, so
/// this and not the body's is the limit that keeps the process small.
const MAX_TREE: usize = 96 * MB;
/// The same for a page that is converted beside others: nearly every page there is.
const SMALL_TREE: usize = 16 * MB;
const MB: usize = 1024 * 1024;
/// The parser is fed so many bytes at a time, fewer when a piece takes long. Small, since a few bytes can make many
/// elements: each `<p>` opens again all formatting that a page of bad will has left open.
const PIECE: usize = 1024;
const SMALLEST_PIECE: usize = 128;
const SLOW_PIECE: Duration = Duration::from_millis(10);

/// What a page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The first `<title>`; `None` when there is none or a blank one.
    pub title: Option<String>,
    /// The main content, as `main_content` chooses it. No control characters but line feeds; blank when the page has no
    /// text.
    pub markdown: String,
    /// Selectors of the source that nothing on the page fits.
    pub unmatched: Vec<String>,
}

/// Why a page could not be turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConvertError {
    /// Over [`TIME_LIMIT`].
    #[error("the page takes longer than {} s to convert", .0.as_secs_f64())]
    TooSlow(Duration),
    /// It takes more memory than any real page, in bytes.
    #[error("the page takes more than {} MB to convert", .0 / MB)]
    TooLarge(usize),
    /// No type was given and it does not look like text.
    #[error("the type is not given and the body is not text")]
    NotText,
}

/// The time that a conversion has: of the processor, on the thread that converts. By the wall's clock a sound page would be
/// refused for good because the machine was busy with something else.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begun: Instant,
    started: Duration,
    limit: Duration,
    steps: u32,
}

impl Clock {
    fn new(limit: Duration) -> Self {
        Self { begun: Instant::now(), started: busy(), limit, steps: 0 }
    }

    /// Counts a step; looks at the time only now and then.
    pub fn step(&mut self) -> Result<(), ConvertError> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps.is_multiple_of(256) { self.look() } else { Ok(()) }
    }

    /// Looks at the time. No thread is busy for longer than the wall's clock says, and that one costs no call of the system.
    pub fn look(&self) -> Result<(), ConvertError> {
        if self.begun.elapsed() <= self.limit {
            return Ok(());
        }
        if busy().saturating_sub(self.started) > self.limit { Err(ConvertError::TooSlow(self.limit)) } else { Ok(()) }
    }
}

/// How long this thread has been running, as the system counts it.
fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or_default(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Converts a page. `base` is its own URL, which its links are relative to. Pure computing, on the caller's thread: at most [`TIME_LIMIT`] and
/// the rest of one piece; a stack of 2 MB is plenty.
pub fn convert(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_by(html, base, &Rules::default(), Room::Alone)
}

/// The whole body, with what stands around the content; what is no text is left out all the same.
pub fn convert_body(html: &str, base: &Url) -> Result<Converted, ConvertError> {
    convert_by(html, base, &Rules::body(), Room::Alone)
}

/// How much memory a conversion may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// As much as any page may.
    Alone,
    /// What may be taken by several at a time; [`ConvertError::TooLarge`] then means that it is to be done alone.
    Shared,
}

impl Room {
    fn bytes(self) -> usize {
        match self {
            Self::Alone => MAX_TREE,
            Self::Shared => SMALL_TREE,
        }
    }
}

/// The same under the rules of its source.
pub(super) fn convert_by(html: &str, base: &Url, rules: &Rules, room: Room) -> Result<Converted, ConvertError> {
    let mut clock = Clock::new(TIME_LIMIT);
    let document = parse(html, &clock, room.bytes())?;
    let outline = Outline::of(&document, &mut clock)?;
    let base = outline.base.as_deref().and_then(|href| base.join(href).ok()).unwrap_or_else(|| base.clone());
    let content = main_content::choose(&document, &outline, rules, &mut clock)?;
    let markdown = markdown::write(&content, &base, &mut clock)?;
    Ok(Converted { title: outline.title, markdown, unmatched: content.unmatched })
}

fn parse(html: &str, clock: &Clock, most: usize) -> Result<Document, ConvertError> {
    let mut parser = parse_document(Counted::default(), ParseOpts::default());
    let (mut rest, mut size) = (html, PIECE);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size));
        let before = Instant::now();
        parser.process(StrTendril::from_slice(piece));
        rest = after;
        clock.look()?;
        // The page's own text is held beside the tree.
        if parser.tokenizer.sink.sink.bytes() + html.len() > most {
            return Err(ConvertError::TooLarge(most));
        }
        size = if before.elapsed() > SLOW_PIECE { (size / 4).max(SMALLEST_PIECE) } else { (size * 2).min(PIECE) };
    }
    let document = parser.finish();
    clock.look()?;
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_that_a_page_itself_takes_counts() {
        let limit = Duration::from_millis(30);
        let clock = Clock::new(limit);
        // As on a busy machine: time passes and this thread does nothing.
        std::thread::sleep(limit * 2);
        assert_eq!(clock.look(), Ok(()));
        let spinning = Instant::now();
        while clock.look().is_ok() {
            assert!(spinning.elapsed() < Duration::from_secs(30), "it is never over");
        }
        assert_eq!(clock.look(), Err(ConvertError::TooSlow(limit)));
    }
}
