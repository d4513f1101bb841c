//! From a body to text, on threads of their own kind and within the memory that conversions may take together.

use super::body::Body;
use super::charset::{self, Markup};
use super::client::Fetcher;
use super::errors::{self, Stage, timed_out};
use super::head::{ContentType, Kind, sniffed};
use super::html::{self, ConvertError, Converted, MAX_MARKDOWN, Room};
use super::sources::Rules;
use crate::domain::failure::Failure;
use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;
use tokio::task::JoinError;
use tokio::time::{Instant, timeout_at};
use url::Url;

/// A page of more bytes is converted alone from the beginning: its tree takes several times as much memory as itself.
const LARGE: usize = 4 * 1024 * 1024;
/// Of a plain text so many bytes are read: more than 200,000 characters in any encoding.
const MAX_PLAIN: usize = 4 * MAX_MARKDOWN;

impl Fetcher {
    /// Decodes and converts; a page that turns out to be large, in a second run that has all the memory for conversions.
    pub(super) async fn text(
        &self,
        body: Body,
        content_type: ContentType,
        (url, rules): (Url, Arc<Rules>),
        deadline: Instant,
    ) -> Result<Converted, Failure> {
        let room = if body.bytes.len() > LARGE { Room::Alone } else { Room::Shared };
        let raw = Raw { body, content_type, url, rules };
        let (raw, mut converted) = self.convert(raw, room, deadline).await?;
        if room == Room::Shared && matches!(converted, Err(ConvertError::TooLarge(_))) {
            (_, converted) = self.convert(raw, Room::Alone, deadline).await?;
        }
        converted.map_err(|error| errors::refused(error.to_string()))
    }

    /// Converts beside the threads that wait for answers, since it is pure computing, at most one a core.
    async fn convert(
        &self,
        mut raw: Raw,
        room: Room,
        deadline: Instant,
    ) -> Result<(Raw, Result<Converted, ConvertError>), Failure> {
        let turns = match room {
            Room::Alone => self.conversions,
            Room::Shared => 1,
        };
        let turn = timeout_at(deadline, Arc::clone(&self.converting).acquire_many_owned(turns)).await;
        let turn = turn.map_err(|_| timed_out(self.limits.total_timeout, Stage::InAll))?;
        let turn = turn.map_err(|closed| Failure::unexpected("AcquireError", closed.to_string()))?;
        let work = move || {
            let _turn = turn;
            let converted = raw.convert(room);
            (raw, converted)
        };
        let ended = match room {
            Room::Alone => on_a_thread_of_its_own(work).await?,
            Room::Shared => match tokio::task::spawn_blocking(work).await.map_err(JoinError::try_into_panic) {
                Ok(ended) => Ok(ended),
                Err(Ok(panic)) => Err(panic),
                Err(Err(cancelled)) => return Err(Failure::unexpected("JoinError", cancelled.to_string())),
            },
        };
        // A panic is the runner's to judge, as any other panic of an attempt.
        ended.or_else(|panic| std::panic::resume_unwind(panic))
    }
}

/// For pages whose trees are large. Of what a tree took the allocator keeps much for the thread that had it: the next
/// thread inherits that of one that has ended, where threads that stay would each keep their own.
async fn on_a_thread_of_its_own<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<std::thread::Result<T>, Failure> {
    let (tell, told) = oneshot::channel();
    let run = move || drop(tell.send(catch_unwind(AssertUnwindSafe(work))));
    let begun = std::thread::Builder::new().name("large page".into()).spawn(run);
    begun.map_err(|error| Failure::unexpected("SpawnError", error.to_string()))?;
    told.await.map_err(|ended| Failure::unexpected("RecvError", ended.to_string()))
}

/// A page as it came, and what it takes to read it.
struct Raw {
    body: Body,
    content_type: ContentType,
    url: Url,
    rules: Arc<Rules>,
}

impl Raw {
    /// Nobody converts it again once it had all the memory.
    fn convert(&mut self, room: Room) -> Result<Converted, ConvertError> {
        let bytes = self.body.bytes.as_slice();
        let charset = self.content_type.charset.as_deref();
        match self.content_type.kind.or_else(|| sniffed(bytes)) {
            Some(Kind::Html) => match charset::decode(bytes, charset, Markup::Html) {
                Cow::Owned(text) if room == Room::Alone => {
                    // The text may be three times as large as its bytes: they are not kept beside it.
                    self.body.bytes = Vec::new();
                    html::convert_by(&text, &self.url, &self.rules, room)
                }
                text => html::convert_by(&text, &self.url, &self.rules, room),
            },
            Some(Kind::Text) => {
                let text = charset::decode(beginning(bytes), charset, Markup::None);
                Ok(Converted { title: None, markdown: charset::plain(&text), unmatched: Vec::new() })
            }
            None => Err(ConvertError::NotText),
        }
    }
}

/// What is read of a plain text. It is not cut within a character of UTF-8, or it would be taken for something else.
fn beginning(bytes: &[u8]) -> &[u8] {
    let mut end = bytes.len().min(MAX_PLAIN);
    while bytes.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) && end + 4 > MAX_PLAIN {
        end -= 1;
    }
    &bytes[..end]
}
