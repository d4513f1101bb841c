//! Estimate of the time that syncs of many documents take, from what the last jobs of such documents took.

use std::collections::HashMap;
use std::time::Duration;

/// What the last job of a document took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastJob {
    pub host: String,
    /// Duration of its attempts, in which it had a slot.
    pub busy: Duration,
    /// Waits between its attempts, as they were planned.
    pub waits: Duration,
}

/// The work that a bulk request makes, as far as it can be told in advance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkEstimate {
    /// Number of documents per host.
    pub documents: HashMap<String, u64>,
    /// The last jobs of some of the documents.
    pub past: Vec<PastJob>,
    /// Slots of the live workers.
    pub slots: u64,
}

impl WorkEstimate {
    /// Returns the time until all are done, if they end as they did the last time and nothing else runs. `per_host` is
    /// the maximum number of running jobs of a host, 0 without a limit. Hosts of which nothing is known take what the
    /// others take. Returns `None` if nothing is known of any document, or no worker lives.
    pub fn duration(&self, per_host: u32) -> Option<Duration> {
        if self.slots == 0 || self.past.is_empty() {
            return None;
        }
        let mean = |jobs: &[&PastJob]| {
            let sum: Duration = jobs.iter().map(|job| job.busy).sum();
            sum.as_secs_f64() / jobs.len() as f64
        };
        let mut of_host = HashMap::<&str, Vec<&PastJob>>::new();
        for job in &self.past {
            of_host.entry(job.host.as_str()).or_default().push(job);
        }
        let all = mean(&self.past.iter().collect::<Vec<_>>());
        let (mut busy, mut slowest_host) = (0.0, 0.0_f64);
        let side_by_side = match u64::from(per_host) {
            0 => self.slots,
            limit => limit.min(self.slots),
        };
        for (host, documents) in &self.documents {
            let each = of_host.get(host.as_str()).map_or(all, |jobs| mean(jobs));
            let work = each * *documents as f64;
            busy += work;
            // A document is never split.
            slowest_host = slowest_host.max(work / side_by_side.min(*documents).max(1) as f64);
        }
        // The last document of all may be one that waits for its attempts.
        let waits = self.past.iter().map(|job| job.waits).max().unwrap_or_default();
        let seconds = slowest_host.max(busy / self.slots as f64).min(1e9);
        Some(Duration::from_secs_f64(seconds).saturating_add(waits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(host: &str, busy: u64, waits: u64) -> PastJob {
        PastJob { host: host.into(), busy: Duration::from_secs(busy), waits: Duration::from_secs(waits) }
    }

    fn estimate(documents: &[(&str, u64)], past: Vec<PastJob>, slots: u64) -> WorkEstimate {
        let documents = documents.iter().map(|(host, number)| ((*host).to_owned(), *number)).collect();
        WorkEstimate { documents, past, slots }
    }

    #[test]
    fn a_host_that_is_slow_or_limited_holds_up_all() {
        let of = |documents: &[(&str, u64)], past, slots, per_host| {
            estimate(documents, past, slots).duration(per_host).map(|time| time.as_secs())
        };
        let both = || vec![past("a", 1, 0), past("b", 4, 0)];
        assert_eq!(of(&[("a", 100), ("b", 100)], both(), 10, 0), Some(50), "all slots are busy");
        assert_eq!(of(&[("a", 100), ("b", 100)], both(), 10, 2), Some(200), "two at a time of b");
        assert_eq!(of(&[("a", 100)], both(), 1, 2), Some(100), "a single slot");
        assert_eq!(of(&[("c", 10)], both(), 1, 0), Some(25), "what the others take");
        assert_eq!(of(&[("a", 10)], Vec::new(), 4, 2), None);
        assert_eq!(of(&[("a", 10)], both(), 0, 2), None, "no worker");
    }

    #[test]
    fn pages_that_time_out_four_times_take_their_waits_too() {
        // Four attempts of 20 s, with waits of 30 s, 2 min and 5 min.
        let one = vec![past("a", 80, 450)];
        let time = estimate(&[("a", 1)], one, 16).duration(2).map(|time| time.as_secs());
        assert_eq!(time, Some(80 + 450), "not a second");
    }
}
