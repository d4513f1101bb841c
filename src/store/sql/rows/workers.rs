//! Rows of `workers`, one per registered worker process.

use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::sql::uptime::Uptime;
use std::time::Duration;

/// Time by which another process's clock may be ahead of this one's.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(5);

/// Longest lease that is assumed of a worker that has not sent a heartbeat yet: the default of `runner.lease`.
const USUAL_LEASE: Duration = Duration::from_secs(30);

/// A worker that is registered (has a row), or that only a running job names.
#[derive(Clone, Debug)]
pub(in crate::store) struct KnownWorker {
    pub(in crate::store) id: String,
    /// Last heartbeat, UTC; the earliest possible time for a worker without a row.
    pub(in crate::store) heartbeat_at: Timestamp,
    /// True if the worker's program was built for an older schema version than this program, or recorded no version.
    pub(in crate::store) outdated: bool,
    /// Number of its heartbeats.
    pub(in crate::store) heartbeats: i64,
    /// Time of its machine at the last heartbeat; `None` for a worker without a row, or of an older program.
    pub(in crate::store) uptime: Option<Uptime>,
    /// Lease that its last heartbeat requested; `None` before that.
    pub(in crate::store) lease: Option<Duration>,
    /// Time since its last heartbeat by a clock that nobody sets, as far as it is known.
    pub(in crate::store) silence: Option<Duration>,
}

impl KnownWorker {
    /// Returns a worker that has no row.
    pub(in crate::store) fn without_row(id: String) -> Self {
        let heartbeat_at = Timestamp::from_micros(i64::MIN);
        Self { id, heartbeat_at, outdated: false, heartbeats: 0, uptime: None, lease: None, silence: None }
    }

    /// Reads a row with the columns that [`known_workers`] selects, on a machine whose time is `here`.
    pub(in crate::store) fn from_row(row: &Row, here: &Uptime) -> Result<Self> {
        let version: Option<i64> = get(row, "schema_version")?;
        let [machine, boot] = [get::<Option<String>>(row, "machine")?, get(row, "boot_id")?];
        let micros = |column| Ok(get::<Option<i64>>(row, column)?.map(i64::unsigned_abs).map(Duration::from_micros));
        let uptime = match (machine, boot, micros("uptime")?) {
            (Some(machine), Some(boot), Some(time)) => {
                Some(Uptime { machine: machine.into(), boot: boot.into(), time })
            }
            _ => None,
        };
        let mut known = Self {
            id: get(row, "id")?,
            heartbeat_at: Timestamp::from_micros(get(row, "heartbeat_at")?),
            outdated: version.is_none_or(|version| version < SCHEMA_VERSION),
            heartbeats: get(row, "heartbeats")?,
            uptime,
            lease: micros("lease")?,
            silence: None,
        };
        known.silence = known.silence_on_this_machine(here);
        Ok(known)
    }

    /// Returns the time since the last heartbeat if the worker runs on this machine, whose time is `here`.
    fn silence_on_this_machine(&self, here: &Uptime) -> Option<Duration> {
        let last = self.uptime.as_ref().filter(|last| !here.boot.is_empty() && last.boot == here.boot)?;
        // A container may have a time of its own.
        here.time.checked_sub(last.time)
    }

    /// Returns true if the worker's machine is this one, whose time is `here`, and has been started since.
    pub(in crate::store) fn was_before_this_boot(&self, here: &Uptime) -> bool {
        self.uptime.as_ref().is_some_and(|last| {
            let [machines, boots] = [(&last.machine, &here.machine), (&last.boot, &here.boot)];
            !here.machine.is_empty() && machines.0 == machines.1 && !boots.0.is_empty() && boots.0 != boots.1
        })
    }

    /// Returns the time since the last heartbeat at `now`. Without a clock that nobody sets, a heartbeat in the future
    /// counts as long ago: one of the clocks is wrong.
    pub(in crate::store) fn quiet_for(&self, now: Timestamp) -> Duration {
        let by_clock = || match self.heartbeat_at > now.plus(CLOCK_TOLERANCE) {
            true => Duration::MAX,
            false => now.since(self.heartbeat_at),
        };
        self.silence.unwrap_or_else(by_clock)
    }

    /// Returns true if a lease until `until` has expired at `now`. The clock alone decides only if nothing else is known:
    /// the worker may have another one, or it was set back, and the lease ends later than one that is given now.
    pub(in crate::store) fn lease_is_over(&self, until: Timestamp, now: Timestamp) -> bool {
        // Before its first heartbeat, what its claim gave is at most the time from its registration to the lease's end.
        let lease = self.lease.unwrap_or_else(|| until.since(self.heartbeat_at).min(USUAL_LEASE));
        match self.silence {
            Some(silence) if silence > lease => until < now || until > now.plus(lease + CLOCK_TOLERANCE),
            // A heartbeat renews the leases of all jobs that the worker knows, so one that ended before it is of a job that
            // it does not know: the answer to its claim was lost.
            Some(_) => until < now && until < self.heartbeat_at,
            None => until < now,
        }
    }
}

/// Returns the workers that have a row, on a machine whose time is `here`.
pub(in crate::store) async fn known_workers(reader: &mut Reader, here: &Uptime) -> Result<Vec<KnownWorker>> {
    let statement =
        "SELECT id, heartbeat_at, schema_version, machine, boot_id, uptime, heartbeats, lease FROM @workers";
    let rows = reader.all(query(statement)).await?;
    rows.iter().map(|row| KnownWorker::from_row(row, here)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_is_silent_from_its_first_claim_on_has_the_lease_of_that_claim() {
        let registered = Timestamp::from_micros(1_800_000_000_000_000);
        let after = |seconds| registered.plus(Duration::from_secs(seconds));
        let is_over = |lease, silence, until, now| {
            let silence = Some(Duration::from_secs(silence));
            let known = KnownWorker::without_row("w".into());
            KnownWorker { heartbeat_at: registered, lease, silence, ..known }.lease_is_over(until, now)
        };
        // Claimed after 2 s, for 10 s.
        assert!(!is_over(None, 12, after(12), after(12)));
        assert!(is_over(None, 13, after(12), after(13)), "not only after the usual lease");
        assert!(!is_over(None, 12, after(12), after(100)), "the clock was set");
        // Claimed after 2 s, for a minute.
        assert!(!is_over(None, 61, after(62), after(61)) && is_over(None, 63, after(62), after(63)));
        // Later the heartbeat says it.
        assert!(!is_over(Some(Duration::from_secs(20)), 13, after(12), after(13)));
    }

    #[test]
    fn without_a_clock_that_nobody_sets_a_heartbeat_in_the_future_counts_as_long_ago() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let at = |heartbeat_at| KnownWorker { heartbeat_at, ..KnownWorker::without_row("w".into()) }.quiet_for(now);
        assert_eq!(at(now.minus(Duration::from_secs(7))), Duration::from_secs(7));
        assert_eq!(at(now.plus(CLOCK_TOLERANCE)), Duration::ZERO, "the clocks differ a little");
        assert_eq!(at(now.plus(CLOCK_TOLERANCE + Duration::from_secs(1))), Duration::MAX);
    }
}
