//! The metrics as text, in Prometheus' own format, which its crate writes.

use super::tally::Tally;
use crate::domain::histogram::DurationHistogram;
use crate::domain::host_backoff::BackoffKind;
use crate::domain::job::{JobState, QueueClass};
use crate::runner::event::{Phase, RunnerStatus};
use crate::runner::measures::RunnerFigures;
use crate::store::{ConnectionCounts, StoreFigures};
use prometheus_client::collector::Collector;
pub(super) use prometheus_client::encoding::prometheus_text::CONTENT_TYPE;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::{self, Error};
use std::sync::Arc;

/// All figures at one moment.
pub(super) struct Snapshot {
    pub(super) status: RunnerStatus,
    pub(super) runner: RunnerFigures,
    pub(super) connections: ConnectionCounts,
    /// `None` if the store did not answer.
    pub(super) store: Option<Arc<StoreFigures>>,
    pub(super) tally: Tally,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot").finish_non_exhaustive()
    }
}

/// Returns the metrics as text.
pub(super) fn encode(snapshot: Snapshot) -> String {
    let mut registry = Registry::with_prefix("quarterdeck");
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = prometheus_text::encode(&mut text, &registry);
    text
}

/// Name and value of each label of a sample.
type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        let mut to = Writer(encoder);
        self.process(&mut to)?;
        self.attempts(&mut to)?;
        to.gauge(
            "store_up",
            "1 if the database answered within 3 seconds, else 0; the figures of the queue are missing then",
            f64::from(u8::from(self.store.is_some())),
        )?;
        match &self.store {
            Some(store) => queue(store, &mut to),
            None => Ok(()),
        }
    }
}

impl Snapshot {
    fn process(&self, to: &mut Writer<'_>) -> Result<(), Error> {
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        to.gauges("build_info", "Always 1; the label is the version of this worker's program", None, [(version, 1.0)])?;
        to.gauge("slots", "Syncs that may run at a time in this worker", f64::from(self.status.slots))?;
        to.gauge("slots_busy", "Syncs that run in this worker", f64::from(self.status.busy))?;
        let is_draining = f64::from(u8::from(matches!(self.status.phase, Phase::Draining | Phase::Stopped)));
        to.gauge("draining", "1 while this worker ends and takes no more jobs, else 0", is_draining)?;
        let of_connections = [("busy", self.connections.busy), ("max", self.connections.max)];
        let samples = of_connections.map(|(state, n)| (vec![("state", state)], n as f64));
        let help = "Connections of this worker to the database: those in use, and the most that may be";
        to.gauges("store_connections", help, None, samples)
    }

    fn attempts(&self, to: &mut Writer<'_>) -> Result<(), Error> {
        let attempts = self.tally.attempts().map(|(result, n)| (vec![("result", result.word())], n));
        to.counters("attempts", "Attempts that this worker has ended or rescued, by result", attempts)?;
        let given_up = self.tally.exhaustions().map(|(result, n)| (vec![("result", result.word())], n));
        to.counters("exhaustions", "Jobs that this worker has given up after their last attempt, by result", given_up)?;
        let lost = "Attempts of this worker that lost their lease while they ran";
        to.counters("lease_losses", lost, [(Vec::new(), self.runner.lost_leases)])?;
        let durations = [(Vec::new(), &self.tally.durations)];
        to.histograms("attempt_duration", "Duration of an attempt in seconds, from its claim to its end", durations)?;
        let fetched = self.tally.stages().map(|(stage, durations)| (stage.word(), durations));
        let stages = fetched.chain([("claim", &self.runner.claims), ("write", &self.runner.writes)]);
        let stages = stages.map(|(stage, durations)| (vec![("stage", stage)], durations));
        to.histograms("stage_duration", "Duration of a stage of an attempt in seconds", stages)?;
        let help = "Time in seconds from the last sign of life of a dead worker to the rescue of each of its jobs";
        to.histograms("rescue_delay", help, [(Vec::new(), &self.runner.rescue_delays)])
    }
}

fn queue(store: &StoreFigures, to: &mut Writer<'_>) -> Result<(), Error> {
    let states = [JobState::Scheduled, JobState::Ready, JobState::Running];
    let groups = QueueClass::ALL.into_iter().flat_map(|class| states.map(|state| (class, state)));
    let jobs = groups.map(|group| {
        let count = store.jobs.iter().find(|(class, state, _)| (*class, *state) == group).map_or(0, |(.., n)| *n);
        (vec![("class", group.0.word()), ("state", group.1.word())], count as f64)
    });
    to.gauges("jobs", "Live jobs of the whole store by class and state", None, jobs)?;
    let age = store.oldest_ready.unwrap_or_default().as_secs_f64();
    let help = "Time in seconds for which the oldest ready job of the store has been due; 0 without one";
    to.gauges("queue_age", help, Some(Unit::Seconds), [(Vec::new(), age)])?;
    to.gauge("workers", "Registered workers of the store whose process is alive", store.workers as f64)?;
    let kinds = BackoffKind::ALL.map(|kind| {
        let count = store.backoff_counts.iter().find(|(known, _)| *known == kind).map_or(0, |(_, n)| *n);
        (vec![("kind", kind_label(kind))], count as f64)
    });
    let help =
        "Hosts from which nothing is fetched for now: breaker (after failures) or retry_after (they asked for it)";
    to.gauges("hosts_waiting", help, None, kinds)?;
    let waits = store.backoffs.iter().map(|wait| {
        (vec![("host", wait.host.as_str()), ("kind", kind_label(wait.kind))], wait.remaining.as_secs_f64())
    });
    let help = "Rest of a host's wait in seconds, for the 50 hosts with the longest";
    to.gauges("host_wait", help, Some(Unit::Seconds), waits)?;
    let pending = store.pending_messages.iter().map(|(name, n)| (vec![("subscriber", name.as_str())], *n as f64));
    to.gauges("outbox_messages", "Messages that a receiver outside the store has not received yet", None, pending)
}

fn kind_label(kind: BackoffKind) -> &'static str {
    match kind {
        BackoffKind::RetryAfter => "retry_after",
        BackoffKind::CoolDown => "breaker",
    }
}

/// Writes groups of samples with a common name, which the registry prefixes.
struct Writer<'a>(DescriptorEncoder<'a>);

impl Writer<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> Result<(), Error> {
        self.gauges(name, help, None, [(Vec::new(), value)])
    }

    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<Unit>,
        samples: impl IntoIterator<Item = (Labels<'l>, f64)>,
    ) -> Result<(), Error> {
        let mut group = self.0.encode_descriptor(name, help, unit.as_ref(), MetricType::Gauge)?;
        for (labels, value) in samples {
            group.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counters<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, u64)>,
    ) -> Result<(), Error> {
        let mut group = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            group.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    fn histograms<'l>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l>, &'l DurationHistogram)>,
    ) -> Result<(), Error> {
        let mut group = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (labels, durations) in samples {
            // The last bucket has all that are above the last bound.
            let mut buckets: Vec<(f64, u64)> = durations.buckets().collect();
            let within: u64 = buckets.iter().map(|(_, count)| count).sum();
            buckets.push((f64::INFINITY, durations.total().saturating_sub(within)));
            let (sum, total) = (durations.sum().as_secs_f64(), durations.total());
            group.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, total, &buckets, None)?;
        }
        Ok(())
    }
}
