//! Accepted texts, their canonical form and their matches; a property test that no text panics.

mod words;
use super::*;
use crate::domain::content::ContentChange;
use crate::domain::document::{DocumentKind, DocumentRow, RecentResult};
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_micros(1_764_054_151_000_000);

fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

fn in_(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn row() -> DocumentRow {
    DocumentRow {
        id: DocumentId(812),
        name: SafeLine::new("Refunds and Returns"),
        url: SafeLine::new("https://help.example.org:8443/en/refunds"),
        host: SafeLine::new("help.example.org:8443"),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        available: true,
        kind: DocumentKind::Web,
        status: Status::Waiting,
        sync_step: None,
        error_code: Some(ErrorCode::Timeout),
        detail: Some(SafeLine::new("no answer within 20 s")),
        http_status: Some(504),
        attempted_at: Some(ago(1_800)),
        synced_at: None,
        next_attempt_at: Some(in_(300)),
        next_check_at: None,
        window: None,
        attempt: Some(2),
        queue: Some(QueueClass::Auto),
        fingerprint: None,
        content_length: None,
        updated_at: ago(86_400),
        failure_count: None,
        holder: None,
        requested_by: Some(SafeLine::new("ana")),
        cancel_requested: false,
        recent: vec![RecentResult::Retrying],
        took: None,
        versions: 0,
        host_backoff: None,
        quarantine_reason: None,
        changed_at: None,
        lastmod: None,
        last_content: None,
        faqs: None,
    }
}

fn outcome() -> Outcome {
    Outcome {
        document_id: DocumentId(812),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        result: OutcomeResult::TransientFailure,
        error_code: Some(ErrorCode::Timeout),
        exception_class: None,
        duration_ms: Some(20_000),
        at: NOW,
        seq: Seq(1),
        job_id: JobId(1),
        attempt: 1,
        queue: QueueClass::Manual,
        url: SafeLine::new("https://help.example.org:8443/en/refunds"),
        http_status: None,
        detail: Some(SafeLine::new("no answer within 20 s")),
        content: None,
        bytes: None,
        next_attempt_at: None,
        worker: None,
        requested_by: Some(SafeLine::new("Ana Lima")),
        stages: None,
        name: SafeLine::new("Refunds and Returns"),
    }
}

#[test]
fn what_is_typed_prints_canonically() {
    for (text, printed) in [
        ("", ""),
        ("  refunds   shop ", "refunds shop"),
        ("status:failed,stuck", "status:failed,stuck"),
        ("STATUS:Failed", "status:failed"),
        ("-error:timeout", "-error:timeout"),
        ("http:503,404", "http:503,404"),
        ("host:Example.ORG:8080", "host:example.org:8080"),
        ("id:0812 account:7 assistant:3", "id:812 account:7 assistant:3"),
        ("attempted:<60m synced:>48h next:<10m", "attempted:<1h synced:>2d next:<10m"),
        ("-synced:NEVER next:never", "-synced:never next:never"),
        ("queue:auto,retry", "queue:auto,retry"),
        ("content:held", "content:held"),
        ("content:review", "content:held"),
        ("-content:Review,first", "-content:held,first"),
        ("result:updated by:ana,\"ben,jr\"", "result:updated by:ana,\"ben,jr\""),
        ("worker:web-1:7", "worker:web-1:7"),
        ("\"two words\" -\"not these\"", "\"two words\" -\"not these\""),
        ("by:\"ana lima\"", "by:\"ana lima\""),
        ("\"status:failed\"", "\"status:failed\""),
        ("\"-minus\" --minus", "\"-minus\" -\"-minus\""),
        (r#""a \"b\" \\ c\d""#, r#""a \"b\" \\ c\\d""#),
        ("https://example.org/a,b?c=d:e", "https://example.org/a,b?c=d:e"),
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("日本\u{3000}語", "日本 語"),
    ] {
        let filter = Filter::parse(text).expect(text);
        assert_eq!(filter.to_string(), printed);
    }
}

#[test]
fn a_mistake_is_named_and_placed() {
    for (text, message) in [
        ("refund stauts:failed", "filter, at byte 8: unknown field \"stauts\" (did you mean status?)"),
        ("-stauts:failed", "filter, at byte 2: unknown field \"stauts\" (did you mean status?)"),
        (
            "localhost:3000",
            "filter, at byte 1: unknown field \"localhost\" (put the term in quotes to look for it as text)",
        ),
        ("status:faild", "filter, at byte 8: unknown status \"faild\" (did you mean failed?)"),
        ("queue:manual,whatever", "filter, at byte 14: unknown queue \"whatever\" (known: manual, retry, auto)"),
        ("queue:manual,", "filter, at byte 14: queue: needs one of manual, retry, auto here"),
        ("http:99", "filter, at byte 6: http: needs a status from 100 to 599, not \"99\""),
        ("http:", "filter, at byte 6: http: needs a status from 100 to 599 here"),
        ("id:-1", "filter, at byte 4: id: needs a number, not \"-1\""),
        ("id:99999999999999999999", "filter, at byte 4: id: needs a number, not \"99999999999999999999\""),
        ("host:a,,b", "filter, at byte 8: host: needs a host here"),
        (
            "attempted:1h",
            "filter, at byte 11: attempted: needs < or > and a span of time, such as attempted:<1h or attempted:>2d",
        ),
        ("next:<soon", "filter, at byte 6: next: \"soon\" is not a span of time such as 90m, 2d or 1w"),
        ("synced:>1d,>2d", "filter, at byte 12: synced: takes one span of time"),
        ("a \"b c", "filter, at byte 3: this quote is not closed"),
        ("a -", "filter, at byte 3: there is nothing after this -"),
        ("a \"\"", "filter, at byte 3: there is nothing between these quotes"),
        ("日 x:1", "filter, at byte 5: unknown field \"x\" (put the term in quotes to look for it as text)"),
    ] {
        assert_eq!(Filter::parse(text).map_err(|error| error.to_string()), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn a_field_that_means_nothing_is_refused_where_it_stands() {
    let refused = |text: &str, subject| Filter::parse_for(text, subject).map_err(|error| (error.at, error.message));
    for field in ["status:failed", "attempted:<1h", "synced:>2d", "next:<10m"] {
        assert!(refused(field, Subject::Documents).is_ok(), "{field}");
        let name = field.split(':').next().expect("has a name");
        assert_eq!(
            refused(&format!("日  -{field}"), Subject::Outcomes),
            Err((6, format!("{name} does not apply to outcomes"))),
        );
    }
    for field in ["result:updated", "by:ana", "worker:web-1:7"] {
        assert!(refused(field, Subject::Outcomes).is_ok(), "{field}");
        let name = field.split(':').next().expect("has a name");
        assert_eq!(refused(field, Subject::Documents), Err((0, format!("{name} does not apply to documents"))));
    }
    for field in ["error:timeout", "http:503", "host:a", "id:1", "account:1", "assistant:1", "queue:auto", "word"] {
        assert!(refused(field, Subject::Documents).is_ok() && refused(field, Subject::Outcomes).is_ok(), "{field}");
    }
    let filter = Filter::parse("  two   -by:ana").expect("a filter");
    let error = filter.check(Subject::Documents).expect_err("means nothing");
    assert_eq!((error.at, &filter.to_string()[error.at..]), (5, "by:ana"));
    assert_eq!(filter.check(Subject::Outcomes), Ok(()));
}

#[test]
fn the_mark_stands_under_the_mistake() {
    let text = "日本  stauts:failed";
    let error = Filter::parse(text).expect_err("unknown field");
    assert_eq!(error.marked(text), "日本 stauts:failed\n     ^");
    let error = Filter::parse("x:1").expect_err("unknown field");
    assert_eq!(error.marked("x:1"), "x:1\n^");
}

#[test]
fn documents_match_by_every_field() {
    for (text, holds) in [
        ("", true),
        ("refunds", true),
        ("REFUNDS /en/", true),
        ("refunds shop", false),
        ("-shop", true),
        ("\"and returns\"", true),
        ("\"returns and\"", false),
        ("ANSWER", true),
        ("\"no answer\" refunds", true),
        ("timeout", true),
        ("504", true),
        ("-504", false),
        ("404", false),
        ("status:waiting", true),
        ("status:failed,waiting", true),
        ("-status:failed,waiting", false),
        ("error:timeout", true),
        ("error:not_found", false),
        ("http:504", true),
        ("-http:503", true),
        ("host:help.example.org", true),
        ("host:HELP.example.org:8443", true),
        ("host:help.example.org:443", false),
        ("host:example.org", false),
        ("id:1,812", true),
        ("account:7 assistant:3", true),
        ("account:7 assistant:4", false),
        ("attempted:<1h", true),
        ("attempted:<30m", false),
        ("attempted:>29m", true),
        ("attempted:>30m", false),
        ("-attempted:<1h", false),
        ("synced:>2d", true),
        ("synced:<2d", false),
        ("synced:never", true),
        ("synced:>2d -synced:never", false),
        ("attempted:never", false),
        ("next:<10m", true),
        ("next:<5m", false),
        ("next:>4m", true),
        ("queue:auto", true),
        ("queue:manual,retry", false),
    ] {
        assert_eq!(Filter::parse(text).expect(text).matches(&row(), NOW), holds, "{text}");
    }
}

#[test]
fn never_is_longer_ago_and_unknown_is_no_value() {
    let mut row = row();
    (row.attempted_at, row.next_attempt_at, row.http_status, row.error_code, row.queue) =
        (None, None, None, None, None);
    row.synced_at = Some(ago(3 * 24 * 3_600));
    for (text, holds) in [
        ("504", false),
        ("attempted:>1h", true),
        ("attempted:<1h", false),
        ("attempted:never", true),
        ("-attempted:Never", false),
        ("synced:>2d -synced:never", true),
        ("next:never", true),
        ("next:>1h", true),
        ("next:<1h", false),
        ("http:504", false),
        ("-http:504", true),
        ("-error:timeout", true),
        ("-queue:auto", true),
    ] {
        assert_eq!(Filter::parse(text).expect(text).matches(&row, NOW), holds, "{text}");
    }
    row.next_attempt_at = Some(ago(60));
    assert!(Filter::parse("next:<1s").expect("a filter").matches(&row, NOW), "what is overdue comes soon");
}

#[test]
fn outcomes_match_by_every_field() {
    for (text, holds) in [
        ("", true),
        ("refunds", true),
        ("\"no answer\"", true),
        ("shop", false),
        ("result:transient_failure", true),
        ("result:updated,unchanged", false),
        ("-result:unchanged", true),
        ("by:\"ana lima\"", true),
        ("by:ana", false),
        ("-by:ben", true),
        ("error:timeout", true),
        ("http:504", false),
        ("host:help.example.org", true),
        ("host:help.example.org:8443", true),
        ("host:example.org", false),
        ("id:812 account:7 assistant:3 queue:manual", true),
        ("queue:auto", false),
    ] {
        assert_eq!(Filter::parse(text).expect(text).matches_outcome(&outcome(), NOW), holds, "{text}");
    }
}

#[test]
fn every_field_is_on_the_page_about_filters() {
    let page = include_str!("../../../assets/docs/filters.md");
    for field in field::Field::ALL {
        assert!(page.contains(&format!("\n| `{}` |", field.word())), "{}", field.word());
    }
}

/// Generates texts with fragments of the language, so that many of them parse.
fn near_filters() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("-".to_owned()),
        Just("\"".to_owned()),
        Just(",".to_owned()),
        Just(" ".to_owned()),
        Just("\\".to_owned()),
        Just("://".to_owned()),
        proptest::sample::select(vec![
            "status:",
            "error:",
            "http:",
            "host:",
            "id:",
            "attempted:",
            "synced:",
            "next:",
            "queue:",
            "by:",
            "result:",
            "stauts:",
            "failed",
            "timeout",
            "503",
            "<90m",
            ">2d",
            "<1w",
            "auto",
            "updated",
        ])
        .prop_map(str::to_owned),
        "[a-zß日 \u{a0}]{0,3}",
    ];
    proptest::collection::vec(piece, 0..10).prop_map(|pieces| pieces.concat())
}

/// Generates any filter that can be written.
fn filters() -> impl Strategy<Value = Filter> {
    let text = || "[^\u{0}]{1,6}";
    let age = (any::<bool>(), 0..4_000_000u64).prop_map(|(less, seconds)| Age {
        comparison: if less { Comparison::Less } else { Comparison::More },
        span: Duration::from_secs(seconds),
    });
    let numbers = || proptest::collection::vec(0..=i64::MAX, 1..3);
    let test = prop_oneof![
        text().prop_map(FilterCondition::Word),
        proptest::sample::subsequence(Status::ALL.to_vec(), 1..3).prop_map(FilterCondition::Status),
        proptest::sample::subsequence(DocumentKind::ALL.to_vec(), 1..3).prop_map(FilterCondition::Kind),
        proptest::sample::subsequence(FaqState::ALL.to_vec(), 1..3).prop_map(FilterCondition::Faq),
        proptest::sample::subsequence(ErrorCode::ALL.to_vec(), 1..3).prop_map(FilterCondition::Error),
        proptest::collection::vec(100..600u16, 1..3).prop_map(FilterCondition::Http),
        proptest::collection::vec(text().prop_map(|host| host.to_ascii_lowercase()), 1..3)
            .prop_map(FilterCondition::Host),
        numbers().prop_map(FilterCondition::Id),
        proptest::collection::vec((1_i64..1 << 48).prop_map(FailureCause), 1..3).prop_map(FilterCondition::Cause),
        numbers().prop_map(FilterCondition::Account),
        numbers().prop_map(FilterCondition::Assistant),
        numbers().prop_map(FilterCondition::Batch),
        age.clone().prop_map(FilterCondition::Attempted),
        age.clone().prop_map(FilterCondition::Synced),
        age.clone().prop_map(FilterCondition::Changed),
        age.prop_map(FilterCondition::Next),
        proptest::sample::subsequence(QueueClass::ALL.to_vec(), 1..3).prop_map(FilterCondition::Queue),
        proptest::sample::subsequence(OutcomeResult::ALL.to_vec(), 1..3).prop_map(FilterCondition::Result),
        proptest::collection::vec(text(), 1..3).prop_map(FilterCondition::By),
        proptest::collection::vec(text(), 1..3).prop_map(FilterCondition::Worker),
    ];
    let term = (any::<bool>(), test).prop_map(|(negated, test)| Term { negated, condition: test });
    proptest::collection::vec(term, 0..5).prop_map(|terms| Filter { terms })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn a_printed_filter_is_the_same_filter(filter in filters()) {
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn no_text_panics_and_mistakes_lie_within_it(text in prop_oneof![near_filters(), any::<String>()]) {
        match Filter::parse(&text) {
            Ok(filter) => {
                prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter.clone()));
                let twice = Filter { terms: [filter.terms.clone(), filter.terms.clone()].concat() };
                prop_assert_eq!(twice.matches(&row(), NOW), filter.matches(&row(), NOW));
                for subject in [Subject::Documents, Subject::Outcomes] {
                    let parsed = Filter::parse_for(&text, subject).map_err(|error| error.message);
                    let checked = filter.check(subject).map(|()| filter.clone()).map_err(|error| error.message);
                    prop_assert_eq!(parsed, checked);
                }
            }
            Err(error) => {
                prop_assert!(text.is_char_boundary(error.at), "{:?}", error);
                prop_assert!(!error.message.is_empty() && !error.message.contains(char::is_control));
                prop_assert!(error.marked(&text).ends_with('^'));
            }
        }
    }
}
