use super::*;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect(text)
}

fn minute_of(at: Timestamp) -> String {
    at.rfc3339()[..16].to_owned()
}

fn nexts(rule: &str, from: &str, count: usize) -> Vec<String> {
    let times = CronTimes::parse(rule).expect(rule);
    let mut now = at(from);
    (0..count)
        .map(|_| {
            now = times.after(now).expect("a time");
            assert_eq!(times.last(now), Some(now), "{rule}");
            minute_of(now)
        })
        .collect()
}

#[test]
fn daylight_saving_skips_and_repeats_no_run() {
    for (rule, from, expected) in [
        // Berlin: 2026-03-29 02:00 becomes 03:00, 2026-10-25 03:00 becomes 02:00.
        ("0 3 * * 1-5 Europe/Berlin", "2026-03-26T12:00:00Z", &["2026-03-27T02:00", "2026-03-30T01:00"][..]),
        ("30 2 * * * Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("*/20 2 * * * Europe/Berlin", "2026-03-28T12:00:00Z", &["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("30 2 * * * Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("0 3 * * * Europe/Berlin", "2026-10-24T12:00:00Z", &["2026-10-25T02:00", "2026-10-26T02:00"]),
        // New York, and Lord Howe, whose clocks change by half an hour.
        ("30 2 * * * America/New_York", "2026-03-08T00:00:00Z", &["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("15 2 * * * Australia/Lord_Howe", "2026-10-03T00:00:00Z", &["2026-10-03T15:30", "2026-10-04T15:15"]),
        // Leap days, also around 2100.
        ("0 0 29 2 *", "2026-01-01T00:00:00Z", &["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("0 0 29 2 *", "2096-03-01T00:00:00Z", &["2104-02-29T00:00"]),
        ("0 12 31 12 * Asia/Kolkata", "2026-01-01T00:00:00Z", &["2026-12-31T06:30"]),
        ("59 23 * * * Pacific/Kiritimati", "2026-01-01T00:00:00Z", &["2026-01-01T09:59", "2026-01-02T09:59"]),
    ] {
        assert_eq!(nexts(rule, from, expected.len()), expected, "{rule}");
    }
}

#[test]
fn a_clock_that_is_set_changes_only_what_is_next() {
    let times = CronTimes::parse("0 3 * * *").expect("a rule");
    let (before, after) = (at("2026-05-27T02:59:59Z"), at("2026-05-27T03:00:00Z"));
    assert_eq!(times.last(before), Some(at("2026-05-26T03:00:00Z")));
    assert_eq!(times.last(after), Some(after));
    assert_eq!(times.after(after), Some(at("2026-05-28T03:00:00Z")));
    // Set back by a day: the last time is an earlier one, so nothing that was synced since is due.
    assert_eq!(times.last(before.minus(Duration::from_secs(86_400))), Some(at("2026-05-25T03:00:00Z")));
}

#[test]
fn wrong_rules_are_refused() {
    for rule in [
        "",
        "0 3 * *",
        "60 3 * * *",
        "0 3 * * * Mars/Olympus",
        "0 3 30 2 *",
        "0 3 * * mon",
        "@daily",
        "0 3 * * * UTC x",
    ] {
        assert!(CronTimes::parse(rule).is_err(), "{rule}");
    }
}

#[test]
fn the_longest_gap_is_that_of_a_weekend() {
    let gap =
        |rule: &str| CronTimes::parse(rule).expect(rule).longest_gap(at("2026-01-01T00:00:00Z")).as_secs() / 3_600;
    assert_eq!(gap("0 3 * * 1-5"), 72);
    assert_eq!(gap("0 3 * * * Europe/Berlin"), 25);
    assert_eq!(gap("0 */6 * * *"), 6);
}

#[test]
fn a_window_opens_and_closes_in_its_zone() {
    let window = |text: &str| DayWindow::parse(text).expect(text);
    for (text, now, opens) in [
        ("22:00-06:00", "2026-05-27T23:00:00Z", None),
        ("22:00-06:00", "2026-05-27T05:59:59Z", None),
        ("22:00-06:00", "2026-05-27T06:00:00Z", Some("2026-05-27T22:00")),
        ("08:30-17:00", "2026-05-27T17:00:00Z", Some("2026-05-28T08:30")),
        ("22:00-06:00 Europe/Berlin", "2026-05-27T04:30:00Z", Some("2026-05-27T20:00")),
        // The window opens in the hour that is skipped.
        ("02:30-04:00 Europe/Berlin", "2026-03-28T12:00:00Z", Some("2026-03-29T01:00")),
    ] {
        assert_eq!(window(text).opens_at(at(now), None).map(minute_of).as_deref(), opens, "{text} at {now}");
    }
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    assert_eq!(window("22:00-06:00").opens_at(at("2026-05-27T20:00:00Z"), Some(&berlin)), None);
    assert!(window("22:00-06:00 UTC").opens_at(at("2026-05-27T20:00:00Z"), Some(&berlin)).is_some());
    for text in [
        "",
        "00:00-24:00",
        "22-06",
        "22:00",
        "22:00-22:00",
        "25:00-06:00",
        "22:60-06:00",
        "22:00-06:00 X/Y",
        "2:00-06:00",
    ] {
        assert!(DayWindow::parse(text).is_err(), "{text}");
    }
}
