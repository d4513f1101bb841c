//! Chooses the jobs of a claim: merges the lanes (queues of one account, host, class and risk) that may be served now by
//! class and virtual time (a job's position in the fair order of accounts).

use crate::domain::id::JobId;
use crate::domain::job::QueueClass;
use crate::domain::site_rule::Unfetchable;
use crate::store::queue::lanes::LaneKey;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// At least one of this many claimed jobs comes from the lowest class that has work.
const LOWEST_CLASS_INTERVAL: i64 = 8;

/// Remaining capacity of one claim: free slots, and limits per host and account.
pub(super) struct ClaimCapacity {
    pub(super) slots: usize,
    pub(super) per_host: i64,
    pub(super) per_account: i64,
    /// Minimum time between two claims for one host; `None` is no minimum.
    pub(super) spacing: Option<Duration>,
    /// Hosts of the jobs claimed so far. Their spacing is written at the end, in the order that every process uses.
    pub(super) spaced_hosts: BTreeSet<String>,
    /// True while this worker may take a job whose earlier attempt lost its worker.
    pub(super) may_take_risky: bool,
    /// Documents that this worker cannot fetch.
    pub(super) unfetchable: Arc<Unfetchable>,
    /// Number of jobs claimed in a row from classes above the lowest one with work.
    pub(super) passed_over: i64,
    /// Largest virtual time of the claimed jobs, by class: manual, retry, auto.
    pub(super) served_vtime: [i64; 3],
}

/// Result of one round over the lanes.
#[derive(Default)]
pub(super) struct ClaimSelection {
    /// The chosen jobs, in the order in which they are claimed.
    pub(super) jobs: Vec<JobId>,
    /// Lanes without further jobs. Includes lanes that were already empty: if they stayed, every round would find work
    /// that does not exist.
    pub(super) emptied_lanes: Vec<LaneKey>,
    /// True if another round may find more jobs, in lanes that this round did not read.
    pub(super) more_possible: bool,
}

/// A lane with its first jobs as (virtual time, id), in that order.
pub(super) struct Lane {
    pub(super) key: LaneKey,
    pub(super) jobs: VecDeque<(i64, i64)>,
}

/// A job's position in the order of a claim: class, virtual time, and a number that makes it unique (for the first job of a
/// lane its position among the lanes, later the job's id).
type ClaimOrder = (i64, i64, i64);

/// Lanes that may be served now, and the remaining capacity of their hosts and accounts.
#[derive(Default)]
pub(super) struct ServableLanes {
    lanes: BTreeMap<ClaimOrder, Lane>,
    pub(super) host_capacity: BTreeMap<String, i64>,
    pub(super) account_capacity: BTreeMap<i64, i64>,
}

impl ServableLanes {
    /// Adds a lane after the others. `head` is the virtual time of its first job.
    pub(super) fn push(&mut self, head: i64, lane: Lane) {
        // The position keeps lanes with equal heads in their order. It is negative, so it never equals a job's id.
        let position = i64::try_from(self.lanes.len()).unwrap_or(i64::MAX) - i64::MAX;
        self.lanes.insert((lane.key.class, head, position), lane);
    }

    /// Returns the positions of the last lanes of the classes that may have more lanes than were read: those with at least
    /// `slots` lanes. The first jobs of their unread lanes come after these.
    fn cut_off(&self, slots: usize) -> BTreeMap<i64, ClaimOrder> {
        let mut last = BTreeMap::new();
        for class in QueueClass::ALL.iter().map(|class| class.code()) {
            let order: Vec<ClaimOrder> = self.lanes.keys().filter(|order| order.0 == class).copied().collect();
            if let Some(end) = order.last().filter(|_| order.len() >= slots) {
                last.insert(class, *end);
            }
        }
        last
    }

    /// Returns the position of the next job of a class.
    fn first_of(&self, class: i64) -> Option<ClaimOrder> {
        self.lanes.range((class, i64::MIN, i64::MIN)..=(class, i64::MAX, i64::MAX)).next().map(|(order, _)| *order)
    }

    fn may_serve(&self, key: &LaneKey, risky: bool) -> bool {
        self.host_capacity.get(&key.host).is_some_and(|left| *left > 0)
            && self.account_capacity.get(&key.account_id).is_some_and(|left| *left > 0)
            && (risky || !key.risky)
    }

    fn serve(&mut self, key: &LaneKey) {
        for left in [self.host_capacity.get_mut(&key.host), self.account_capacity.get_mut(&key.account_id)]
            .into_iter()
            .flatten()
        {
            *left -= 1;
        }
    }
}

/// Chooses jobs for the free slots among those that may run now. Updates `passed_over` in `budget`.
pub(super) fn choose(mut servable: ServableLanes, budget: &mut ClaimCapacity) -> ClaimSelection {
    let cut_off = servable.cut_off(budget.slots);
    let mut choice = ClaimSelection::default();
    let (mut slots, mut risky) = (budget.slots, budget.may_take_risky);
    let mut moved = false;
    while slots > 0 {
        let mut queues = std::mem::take(&mut servable.lanes);
        queues.retain(|_, lane| servable.may_serve(&lane.key, risky));
        servable.lanes = queues;
        // Whether such a class has work, and which of its jobs comes next, only its unread lanes tell.
        if moved && cut_off.keys().any(|class| servable.first_of(*class).is_none()) {
            choice.more_possible = true;
            break;
        }
        let lowest = servable.lanes.keys().map(|order| order.0).max();
        let lowest_due = budget.passed_over >= LOWEST_CLASS_INTERVAL - 1;
        let next = match lowest {
            None => break,
            Some(lowest) if lowest_due => servable.first_of(lowest),
            Some(_) => servable.lanes.keys().next().copied(),
        };
        let Some(order) = next else { break };
        if cut_off.get(&order.0).is_some_and(|last| order > *last) {
            // An unread lane may come before this job.
            choice.more_possible = true;
            break;
        }
        let Some(mut lane) = servable.lanes.remove(&order) else { break };
        moved = true;
        let Some((_, job)) = lane.jobs.pop_front() else {
            choice.emptied_lanes.push(lane.key);
            choice.more_possible = true;
            continue;
        };
        if Some(order.0) == lowest {
            budget.passed_over = 0;
        } else {
            budget.passed_over += 1;
        }
        choice.jobs.push(JobId(job));
        slots -= 1;
        risky &= !lane.key.risky;
        servable.serve(&lane.key);
        match lane.jobs.front() {
            Some((vtime, id)) => drop(servable.lanes.insert((order.0, *vtime, *id), lane)),
            None => choice.emptied_lanes.push(lane.key),
        }
    }
    choice
}

#[cfg(test)]
mod tests;
