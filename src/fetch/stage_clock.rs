//! Measurement of the stages of each fetch. The clock belongs to the task of the fetch, in which the HTTP client looks
//! names up, connects and begins handshakes, so that the shared client measures each fetch by itself. A connection that
//! the client goes on to open in the background, because another one has become free, is measured nowhere.

use crate::domain::stages::{Stage, Stages};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

tokio::task_local! {
    static CLOCK: Arc<Mutex<StageTimes>>;
}

/// Event between two stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StageEvent {
    RequestStarted,
    LookupStarted,
    Resolved,
    Handshake,
    Connected,
    HeadReceived,
    BodyReceived,
    Converted,
}

/// Times of one fetch: the sums of its stages, and the last event of each kind of the current request.
#[derive(Debug, Default)]
struct StageTimes {
    sums: BTreeMap<Stage, Duration>,
    request: Option<Instant>,
    lookup: Option<Instant>,
    resolved: Option<Instant>,
    handshake: Option<Instant>,
    connected: Option<Instant>,
    head: Option<Instant>,
    body: Option<Instant>,
}

/// Runs a fetch, and returns the durations of the stages that it has ended; `None` if it has ended none.
pub(super) async fn timed<T>(fetch: impl Future<Output = T>) -> (T, Option<Stages>) {
    let times = Arc::<Mutex<StageTimes>>::default();
    let fetched = CLOCK.scope(Arc::clone(&times), fetch).await;
    let mut stages = Stages::default();
    for (stage, sum) in &times.lock().unwrap_or_else(PoisonError::into_inner).sums {
        stages.set(*stage, *sum);
    }
    (fetched, stages.packed().map(|_| stages))
}

/// Records an event of the fetch whose task this is; does nothing outside of one.
pub(super) fn note(event: StageEvent) {
    let now = Instant::now();
    let _ = CLOCK.try_with(|times| times.lock().unwrap_or_else(PoisonError::into_inner).note(event, now));
}

impl StageTimes {
    fn note(&mut self, event: StageEvent, now: Instant) {
        match event {
            StageEvent::RequestStarted => {
                *self = Self { sums: std::mem::take(&mut self.sums), request: Some(now), ..Self::default() };
            }
            StageEvent::LookupStarted => self.lookup = Some(now),
            StageEvent::Resolved => {
                self.add(Stage::Name, self.lookup, now);
                self.resolved = Some(now);
            }
            StageEvent::Handshake => self.handshake = Some(now),
            StageEvent::Connected => {
                self.add(Stage::Connect, self.resolved.or(self.request), self.handshake.unwrap_or(now));
                self.add(Stage::Tls, self.handshake, now);
                self.connected = Some(now);
            }
            StageEvent::HeadReceived => {
                self.add(Stage::FirstByte, self.connected.or(self.request), now);
                self.head = Some(now);
            }
            StageEvent::BodyReceived => {
                self.add(Stage::Body, self.head, now);
                self.body = Some(now);
            }
            StageEvent::Converted => self.add(Stage::Convert, self.body, now),
        }
    }

    fn add(&mut self, stage: Stage, since: Option<Instant>, now: Instant) {
        if let Some(since) = since {
            *self.sums.entry(stage).or_default() += now.saturating_duration_since(since);
        }
    }
}
