//! From a body to text, on threads of their own kind and within the memory that conversions may take together.

use super::body::Body;
use super::charset::{self, Markup};
use super::client::Fetcher;
use super::errors::{self, Stage, timed_out};
use super::head::{ContentType, Kind, sniffed};
use super::html::{self, ConvertError, Converted, MAX_MARKDOWN, Room};
use super::sources::Rules;
use crate::domain::failure::Failure;
use std::sync::Arc;
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
        let raw = Arc::new(Raw { body, content_type, url, rules });
        let converted = match self.convert(&raw, room, deadline).await? {
            Err(ConvertError::TooLarge(_)) if room == Room::Shared => self.convert(&raw, Room::Alone, deadline).await?,
            converted => converted,
        };
        converted.map_err(|error| errors::refused(error.to_string()))
    }

    /// Converts on a thread of its own kind, since it is pure computing, at most one a core.
    async fn convert(
        &self,
        raw: &Arc<Raw>,
        room: Room,
        deadline: Instant,
    ) -> Result<Result<Converted, ConvertError>, Failure> {
        let turns = match room {
            Room::Alone => self.conversions,
            Room::Shared => 1,
        };
        let turn = timeout_at(deadline, Arc::clone(&self.converting).acquire_many_owned(turns)).await;
        let turn = turn.map_err(|_| timed_out(self.limits.total_timeout, Stage::InAll))?;
        let turn = turn.map_err(|closed| Failure::unexpected("AcquireError", closed.to_string()))?;
        let raw = Arc::clone(raw);
        let work = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            raw.convert(room)
        });
        work.await.or_else(|ended| match ended.try_into_panic() {
            // A panic is the runner's to judge, as any other panic of an attempt.
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(cancelled) => Err(Failure::unexpected("JoinError", cancelled.to_string())),
        })
    }
}

/// A page as it came, and what it takes to read it.
struct Raw {
    body: Body,
    content_type: ContentType,
    url: Url,
    rules: Arc<Rules>,
}

impl Raw {
    fn convert(&self, room: Room) -> Result<Converted, ConvertError> {
        let bytes = self.body.bytes.as_slice();
        let charset = self.content_type.charset.as_deref();
        match self.content_type.kind.or_else(|| sniffed(bytes)) {
            Some(Kind::Html) => {
                html::convert_by(&charset::decode(bytes, charset, Markup::Html), &self.url, &self.rules, room)
            }
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
