//! A claim that reads only the first lanes chooses what one that reads all of them chooses, in few rounds.

use super::{ClaimCapacity, Lane, ServableLanes, choose};
use crate::domain::site_rule::Unfetchable;
use crate::store::queue::lanes::LaneKey;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A ready job: account, host, class, risk, virtual time; its id is its index.
type Ready = (i64, u8, i64, bool, i64);

/// A queue with its running jobs.
struct Queue {
    jobs: Vec<Ready>,
    taken: Vec<usize>,
    per_host: i64,
    per_account: i64,
    rounds: usize,
}

impl Queue {
    /// Returns the lanes that may be served, as the statement of a claim returns them: at most `limit` of each class in
    /// the order of their first jobs, each with as many jobs as its host may run and one more.
    fn read(&self, limit: usize, may_take_risky: bool) -> ServableLanes {
        let left = |most: i64, is_same: &dyn Fn(&Ready) -> bool| {
            most - self.taken.iter().filter(|job| is_same(&self.jobs[**job])).count() as i64
        };
        let mut lanes = BTreeMap::<(i64, i64, u8, bool), Vec<(i64, i64)>>::new();
        for (id, (account, host, class, risky, vtime)) in self.jobs.iter().enumerate() {
            if !self.taken.contains(&id) && (may_take_risky || !risky) {
                lanes.entry((*class, *account, *host, *risky)).or_default().push((*vtime, id as i64));
            }
        }
        let mut order: Vec<_> = lanes
            .into_iter()
            .filter_map(|(key, mut jobs)| {
                jobs.sort_unstable();
                jobs.truncate(1 + self.per_host as usize);
                Some(((key.0, jobs.first()?.0, key.1, key.2, key.3), jobs))
            })
            .collect();
        order.sort();
        let mut servable = ServableLanes::default();
        let mut read = [0; 3];
        for ((class, head, account_id, host, risky), jobs) in order {
            let host_left = left(self.per_host, &|job| job.1 == host);
            let account_left = left(self.per_account, &|job| job.0 == account_id);
            read[class as usize] += usize::from(host_left > 0 && account_left > 0);
            if host_left <= 0 || account_left <= 0 || read[class as usize] > limit {
                continue;
            }
            let key = LaneKey { account_id, host: format!("h{host}"), class, risky };
            servable.host_capacity.insert(key.host.clone(), host_left);
            servable.account_capacity.insert(account_id, account_left);
            servable.push(head, Lane { key, jobs: jobs.into() });
        }
        servable
    }

    /// Claims `slots` jobs in rounds that read as many lanes as slots are free, or all.
    fn claim(mut self, slots: usize, reads_all: bool) -> Self {
        let mut budget = ClaimCapacity {
            slots,
            per_host: self.per_host,
            per_account: self.per_account,
            spacing: None,
            spaced_hosts: BTreeSet::new(),
            may_take_risky: true,
            unfetchable: Arc::new(Unfetchable::default()),
            passed_over: 0,
            served_vtime: [0; 3],
        };
        loop {
            let limit = if reads_all { usize::MAX } else { budget.slots };
            let servable = self.read(limit, budget.may_take_risky);
            let choice = choose(servable, &mut budget);
            self.rounds += 1;
            budget.slots -= choice.jobs.len();
            let jobs = choice.jobs.iter().map(|id| id.0 as usize);
            self.taken.extend(jobs);
            budget.may_take_risky = !self.taken.iter().any(|job| self.jobs[*job].3);
            if !choice.more_possible || budget.slots == 0 {
                return self;
            }
        }
    }
}

fn queue(jobs: &[Ready], per_host: i64, per_account: i64) -> Queue {
    Queue { jobs: jobs.to_vec(), taken: Vec::new(), per_host, per_account, rounds: 0 }
}

fn ready() -> impl Strategy<Value = Ready> {
    (1..6_i64, 0..8_u8, 0..3_i64, proptest::bool::weighted(0.1), 0..40_i64)
}

proptest! {
    #[test]
    fn the_first_lanes_decide_like_all_of_them(
        mut jobs in proptest::collection::vec(ready(), 0..60),
        slots in 1..20_usize,
        per_host in 1..4_i64,
        per_account in 1..8_i64,
    ) {
        // Jobs of one virtual time come in any order: the two ways need not agree about them.
        for (id, job) in (0..).zip(&mut jobs) {
            job.4 = job.4 * 100 + id;
        }
        let some = queue(&jobs, per_host, per_account).claim(slots, false);
        let all = queue(&jobs, per_host, per_account).claim(slots, true);
        prop_assert_eq!(some.taken, all.taken);
    }
}

/// Lanes whose host may run one more job each, as in a queue whose jobs of a host stand side by side, fill all slots.
#[test]
fn lanes_that_give_one_job_each_fill_the_slots_in_one_round() {
    let jobs: Vec<Ready> = (0..400).map(|id| (1, (id / 4) as u8, 0, false, id)).collect();
    let claimed = queue(&jobs, 1, i64::MAX).claim(32, false);
    assert_eq!((claimed.taken.len(), claimed.rounds), (32, 1));
}
