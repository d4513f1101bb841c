//! Simulates a year of three plans in the store, with both changes of the clocks and a leap day: two with times of the
//! calendar, one with a window.

use super::schedule::name;
use super::support::*;
use jiff::civil::{self, Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use quarterdeck::domain::calendar::DayWindow;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::plan::{Cadence, Plan, Timetable};
use quarterdeck::domain::schedule::ScheduleSettings;
use quarterdeck::domain::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);
/// First day: February 2028 has 29 days.
const FIRST: Date = civil::date(2027, 12, 1);

const NIGHTLY: i64 = 1;
const MONTHLY: i64 = 2;
const WEEKLY: i64 = 3;

/// Returns the settings of the accounts: each has a plan of its own.
fn settings() -> ScheduleSettings {
    let at = |rule: &str| Plan { at: Some(Timetable::parse(rule).unwrap()), ..Plan::default() };
    let weekly = Plan {
        cadence: Cadence::new(7 * DAY),
        between: Some(DayWindow::parse("22:00-06:00").unwrap()),
        ..Plan::default()
    };
    let plans =
        [(NIGHTLY, at("30 2 * * * Europe/Berlin")), (MONTHLY, at("0 12 29 * * America/New_York")), (WEEKLY, weekly)];
    let mut settings = ScheduleSettings::default();
    for (account, plan) in plans {
        let plan_name = name(&format!("plan{account}"));
        settings.plans.plans.insert(plan_name.clone(), plan);
        settings.plans.accounts.insert(AccountId(account), plan_name);
    }
    settings
}

fn timestamp(date: Date, time: Time, zone: &str) -> Timestamp {
    let at = TimeZone::get(zone).unwrap().to_timestamp(date.to_datetime(time)).unwrap();
    Timestamp::from_micros(at.as_microsecond())
}

/// Returns the times at which documents of plans with times are due, with their account. The exceptions are written out,
/// so that nothing here computes them as the program does.
fn expected() -> BTreeMap<Timestamp, i64> {
    let mut times = BTreeMap::new();
    for day in 1..=365 {
        let date = FIRST.saturating_add(day.days());
        let nightly = match (date.year(), date.month(), date.day()) {
            // 02:30 does not exist; 03:00 of the summer time is the next time that does.
            (2028, 3, 26) => timestamp(date, civil::time(1, 0, 0, 0), "UTC"),
            // 02:30 comes twice; the first one is meant, of the summer time.
            (2028, 10, 29) => timestamp(date, civil::time(0, 30, 0, 0), "UTC"),
            _ => timestamp(date, civil::time(2, 30, 0, 0), "Europe/Berlin"),
        };
        times.insert(nightly, NIGHTLY);
        if date.day() == 29 {
            times.insert(timestamp(date, civil::time(12, 0, 0, 0), "America/New_York"), MONTHLY);
        }
    }
    times
}

impl Scene {
    /// Makes a pass and syncs what is ready. Returns the accounts of the syncs.
    async fn synced_now(&self, settings: &ScheduleSettings) -> Vec<i64> {
        self.pass(settings).await;
        let mut accounts = Vec::new();
        for job in self.claim(64).await {
            self.finish(&job, fetched("T", "text", ContentChange::Same)).await;
            accounts.push(job.account_id.0);
        }
        accounts.sort_unstable();
        accounts
    }
}

async fn a_year_of_three_plans_has_each_sync_at_its_time(on: Backend) {
    let scene = Scene::new(on).await;
    let settings = settings();
    for account in [NIGHTLY, MONTHLY, WEEKLY] {
        scene.add(account, &format!("https://h{account}.test/")).await;
    }
    // Noon: outside the window.
    scene.clock.set(timestamp(FIRST, civil::time(12, 0, 0, 0), "UTC"));
    assert_eq!(scene.synced_now(&settings).await, [NIGHTLY, MONTHLY], "what is new is due at once");
    let times = expected();
    assert_eq!((times.len(), times.values().filter(|account| **account == MONTHLY).count()), (365 + 12, 12));
    let mut weekly = Vec::new();
    for (at, account) in times {
        for (moment, due) in [(at.minus(Duration::from_secs(1)), None), (at, Some(account))] {
            scene.clock.set(moment);
            let mut synced = scene.synced_now(&settings).await;
            if let Some(at) = synced.iter().position(|account| *account == WEEKLY) {
                synced.remove(at);
                weekly.push(moment);
            }
            assert_eq!(synced, Vec::from_iter(due), "{}", moment.rfc3339());
        }
    }
    // The window is open in each night of Berlin, and closed at noon of New York. Jobs are looked for in one moment of a
    // night only, so one that is due just after it is found a day later.
    assert!((45..=53).contains(&weekly.len()), "{} syncs in 365 days", weekly.len());
    for at in &weekly {
        let hour: i8 = at.rfc3339()[11..13].parse().unwrap();
        assert!(!(6..22).contains(&hour), "{}", at.rfc3339());
    }
    for pair in weekly.windows(2) {
        let days = SignedDuration::from_micros(pair[1].micros() - pair[0].micros()).as_hours() / 24;
        assert!((7..=8).contains(&days), "{} days until {}", days, pair[1].rfc3339());
    }
}

on_both! {
    ()
    a_year_of_three_plans_has_each_sync_at_its_time,
}
