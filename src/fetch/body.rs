//! Reads a body, counted as it comes and within the memory that there is.
//!
//! What is counted is what comes out of decompression, piece by piece (a few kilobytes each), so a bomb costs no more
//! memory than its room and no more time than its size: a limit on the ratio would refuse sound pages, which pack a
//! hundredfold, and keep nothing out that `max_body` does not.

use super::client::Fetcher;
use super::errors::{self, Stage};
use super::memory::{Room, SHARE};
use crate::domain::failure::Failure;
use reqwest::Response;
use reqwest::header::CONTENT_ENCODING;
use tokio::time::Instant;

/// A body, with the room that it takes.
#[derive(Debug)]
pub(super) struct Body {
    pub bytes: Vec<u8>,
    _room: Room,
}

impl Fetcher {
    /// The body, decompressed, and the deadline: put off by the time that it had to wait for room, which is not the
    /// page's fault.
    pub(super) async fn body(&self, mut response: Response, mut deadline: Instant) -> Result<(Body, Instant), Failure> {
        let most = self.limits.max_body;
        let plain = !response.headers().contains_key(CONTENT_ENCODING);
        let announced = response.content_length().filter(|_| plain);
        if announced.is_some_and(|length| length > most) {
            return Err(errors::too_large(most));
        }
        let waiting = Instant::now();
        let mut room = self.memory.share().await;
        deadline += waiting.elapsed();
        let (mut bytes, mut fits) = (Vec::new(), SHARE.min(most));
        loop {
            let piece = self.within(deadline, Stage::Reading, response.chunk()).await?;
            let Some(piece) = piece.map_err(|error| self.failure(&error))? else {
                return Ok((Body { bytes, _room: room }, deadline));
            };
            let length = bytes.len() as u64 + piece.len() as u64;
            if length > most {
                return Err(errors::too_large(most));
            }
            if length > fits {
                let waiting = Instant::now();
                fits = announced.unwrap_or(most).max(length);
                self.memory.enlarge(&mut room, fits).await;
                deadline += waiting.elapsed();
                // All at once: an allocation of this size is a mapping of its own, of which only what is written takes
                // memory, and all of it goes back to the system. Grown piece by piece it would leave its steps behind.
                bytes.reserve_exact(usize::try_from(most).unwrap_or_default().saturating_sub(bytes.len()));
            }
            bytes.extend_from_slice(&piece);
        }
    }
}
