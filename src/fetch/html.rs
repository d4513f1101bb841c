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

/// The limit on the work of one conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// Processor time of the thread that converts: [`TIME_LIMIT`] for every page that is synced. By the wall's clock a
    /// sound page would be refused for good because the machine was busy with something else.
    Processor(Duration),
    /// Visits of nodes, all walks over the tree together; the same on every machine. The parser's own work is not
    /// counted.
    Visits(u64),
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Processor(time) => write!(f, "longer than {} s", time.as_secs_f64()),
            Self::Visits(visits) => write!(f, "more than {visits} visits of nodes"),
        }
    }
}

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
    /// The main content (design.md 4.1). No control characters but line feeds; blank when the page has no text.
    pub markdown: String,
    /// Selectors of the source that nothing on the page fits.
    pub unmatched: Vec<String>,
}

/// Why a page could not be turned into text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConvertError {
    /// Over its budget.
    #[error("the page takes {0} to convert")]
    TooSlow(Budget),
    /// It takes more memory than any real page, in bytes.
    #[error("the page takes more than {} MB to convert", .0 / MB)]
    TooLarge(usize),
    /// No type was given and it does not look like text.
    #[error("the type is not given and the body is not text")]
    NotText,
}

/// What a conversion has used of its budget.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    begun: Instant,
    started: Duration,
    budget: Budget,
    visits: u64,
}

impl Clock {
    fn new(budget: Budget) -> Self {
        Self { begun: Instant::now(), started: busy(), budget, visits: 0 }
    }

    /// Counts a visit of a node; looks at the time only now and then.
    pub fn step(&mut self) -> Result<(), ConvertError> {
        self.visits += 1;
        if self.visits.is_multiple_of(256) { self.look() } else { Ok(()) }
    }

    /// Fails when the budget is used up.
    pub fn look(&self) -> Result<(), ConvertError> {
        if self.is_over(self.begun.elapsed(), || busy().saturating_sub(self.started)) {
            return Err(ConvertError::TooSlow(self.budget));
        }
        Ok(())
    }

    /// Whether the budget is used up after `passed` of the wall's clock. No thread is busy for longer than that says, and
    /// it costs no call of the system, as `busy` does.
    fn is_over(&self, passed: Duration, busy: impl FnOnce() -> Duration) -> bool {
        match self.budget {
            Budget::Processor(limit) => passed > limit && busy() > limit,
            Budget::Visits(most) => self.visits > most,
        }
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
    convert_within(html, base, Budget::Processor(TIME_LIMIT))
}

/// The same within another budget.
pub fn convert_within(html: &str, base: &Url, budget: Budget) -> Result<Converted, ConvertError> {
    limited(html, base, &Rules::default(), Room::Alone, budget)
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
    limited(html, base, rules, room, Budget::Processor(TIME_LIMIT))
}

/// The same within another budget.
pub(super) fn limited(
    html: &str,
    base: &Url,
    rules: &Rules,
    room: Room,
    budget: Budget,
) -> Result<Converted, ConvertError> {
    let mut clock = Clock::new(budget);
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
        let clock = Clock::new(Budget::Processor(limit));
        let more = limit + Duration::from_nanos(1);
        // As on a busy machine: time passes and this thread does nothing.
        assert!(!clock.is_over(limit * 100, || limit));
        assert!(clock.is_over(more, || more));
        assert!(!clock.is_over(limit, || panic!("the system was asked in vain")));
    }

    #[test]
    fn work_keeps_a_thread_busy_and_is_counted() {
        let started = busy();
        assert!((0..1_000_000_000).any(|_| busy() > started), "the system counts no time");
        let mut clock = Clock::new(Budget::Processor(Duration::ZERO));
        let over = (0..1_000_000_000).find_map(|_| clock.step().err());
        assert_eq!(over, Some(ConvertError::TooSlow(Budget::Processor(Duration::ZERO))));
    }

    #[test]
    fn visits_are_the_same_on_every_machine() {
        let base = Url::parse("https://example.org/").expect("a URL");
        let page = "<p>some <b>words</b></p>".repeat(1_000);
        let most = |visits| convert_within(&page, &base, Budget::Visits(visits)).map(drop);
        assert_eq!(most(512), Err(ConvertError::TooSlow(Budget::Visits(512))));
        assert_eq!(most(page.len() as u64), Ok(()));
    }
}
