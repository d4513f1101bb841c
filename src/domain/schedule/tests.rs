//! Tables and property tests of the schedule's rules.

use super::*;
use proptest::prelude::*;

fn every(seconds: u64) -> Cadence {
    Cadence::new(Duration::from_secs(seconds)).expect("a minute at least")
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

#[test]
fn jitter_follows_the_cadence() {
    for (cadence, ours, theirs) in [
        (60, 10, 14_400),
        (3_600, 600, 14_400),
        (43_200, 7_200, 14_400),
        (86_400, 14_400, 14_400),
        (86_401, 86_400, 86_400),
        (604_800, 86_400, 86_400),
        (604_801, 345_600, 345_600),
        (2_592_000, 345_600, 345_600),
    ] {
        assert_eq!(max_jitter(DueRules::Continuous, every(cadence)).as_secs(), ours, "{cadence}");
        assert_eq!(max_jitter(DueRules::HalfCadence, every(cadence)).as_secs(), theirs, "{cadence}");
    }
}

#[test]
fn failures_are_looked_at_with_growing_distance() {
    let days = |cadence, failures| DueRules::Continuous.recheck_interval(every(cadence), failures).as_secs() / 86_400;
    let looks = |cadence| (0..8).map(|failures| days(cadence, failures)).collect::<Vec<_>>();
    assert_eq!(looks(604_800), [1, 1, 2, 4, 8, 16, 30, 30]);
    assert_eq!(looks(90 * 86_400), [1, 1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(days(90 * 86_400, 900), 90);
    let minutes = |failures| DueRules::Continuous.recheck_interval(every(600), failures).as_secs() / 60;
    assert_eq!((0..5).map(minutes).collect::<Vec<_>>(), [10, 10, 20, 40, 80]);
    assert_eq!(DueRules::Continuous.recheck_interval(every(60), u32::MAX), MAX_RECHECK_INTERVAL);
    for failures in [0, 1, 50] {
        assert_eq!(
            DueRules::HalfCadence.recheck_interval(every(604_800), failures).as_secs(),
            302_400,
            "theirs never grows"
        );
    }
}

#[test]
fn another_day_begins_at_midnight_utc() {
    assert!(is_another_day(at("2026-05-24T23:59:59Z"), at("2026-05-25T00:00:00Z")));
    assert!(!is_another_day(at("2026-05-24T00:00:00Z"), at("2026-05-24T23:59:59Z")));
    assert!(!is_another_day(at("2026-05-25T00:00:00Z"), at("2026-05-24T23:59:59Z")), "a clock that is set back");
}

#[test]
fn a_summary_has_upstreams_fields_first() {
    let account = |id, verdict, enqueued| AccountPass {
        at: None,
        account: AccountId(id),
        plan: None,
        decision: verdict,
        enqueued,
        stopped_by: None,
    };
    let pass = Pass {
        only: PlanName::new("Business"),
        limits: PassLimits { per_account: 2, total: 3, queue_depth: 9 },
        accounts: vec![
            account(1, AccountDecision::Scheduled(every(60)), 2),
            account(2, AccountDecision::OtherPlan, 0),
            account(3, AccountDecision::FeatureOff, 0),
            account(4, AccountDecision::NoCadence, 0),
            account(5, AccountDecision::Scheduled(every(60)), 1),
        ],
        ..Pass::default()
    };
    assert_eq!(
        serde_json::to_string(&pass.summary()).expect("JSON"),
        r#"{"event":"completed","plan_name":"business","global_cap_hit":true,"per_account_batch_limit":2,"global_batch_limit":3,"remaining_global_capacity":0,"accounts_scanned":5,"accounts_enabled":3,"accounts_scheduled":2,"documents_enqueued":3,"documents_skipped":0,"held_back_by_queue":null,"dry_run":false}"#
    );
}

#[test]
fn draws_are_spread_over_the_whole_span() {
    // Over 24 hours of jitter, 10,000 documents are spread evenly: the fullest hour is little above the mean.
    let mut hours = [0_u32; 24];
    for document in 0..10_000 {
        let wait = draw_jitter(7, DocumentId(document), Duration::from_secs(86_399)).as_secs();
        hours[usize::try_from(wait / 3_600).expect("an hour")] += 1;
    }
    let fullest = hours.iter().max().copied().unwrap_or_default();
    assert!(f64::from(fullest) < 1.25 * 10_000.0 / 24.0, "{hours:?}");
    let ends: Vec<u64> = (0..200).map(|id| draw_jitter(7, DocumentId(id), Duration::from_secs(2)).as_secs()).collect();
    assert_eq!((ends.iter().min(), ends.iter().max()), (Some(&0), Some(&2)), "both ends are drawn");
    assert_ne!(draw_jitter(1, DocumentId(1), DAY), draw_jitter(2, DocumentId(1), DAY), "the seed counts");
}

proptest! {
    #[test]
    fn a_draw_stays_within_its_span(seed in any::<u64>(), id in any::<i64>(), most in 0_u64..=4_000_000_000) {
        let drawn = draw_jitter(seed, DocumentId(id), Duration::from_secs(most));
        prop_assert!(drawn.as_secs() <= most);
        prop_assert_eq!(drawn, draw_jitter(seed, DocumentId(id), Duration::from_secs(most)));
    }

    #[test]
    fn distances_grow_and_stay_within_their_bounds(seconds in 60_u64..=400 * 86_400, failures in 0_u32..60) {
        let cadence = every(seconds);
        for rules in [DueRules::Continuous, DueRules::HalfCadence] {
            let (first, farthest) = rules.recheck_bounds(cadence);
            let distance = rules.recheck_interval(cadence, failures);
            prop_assert!(first <= distance && distance <= farthest);
            prop_assert!(distance <= rules.recheck_interval(cadence, failures + 1));
            prop_assert!(max_jitter(rules, cadence) <= Duration::from_secs(4 * 86_400));
        }
        prop_assert!(max_jitter(DueRules::Continuous, cadence) <= cadence.interval(), "never more than a cadence late");
    }
}
