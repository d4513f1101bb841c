//! Tests the output: the order of JSON fields, lines for people, and that secrets are hidden.

use jiff::tz::TimeZone;
use quarterdeck::cli::outcome_line::{self, Format};
use quarterdeck::cli::output::masked;
use quarterdeck::cli::rows::DocumentDetailJson;
use quarterdeck::cli::table::DocumentTable;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{DocumentKind, DocumentRow, Status};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::text::SafeLine;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::format::DocumentJson;
use quarterdeck::store::StoredVersion;

const NOW: Timestamp = Timestamp::from_micros(1_764_054_151_000_042);

fn never_synced() -> DocumentRow {
    DocumentRow {
        id: DocumentId(812),
        name: SafeLine::new("Refunds \"and\" returns"),
        url: SafeLine::new("https://help.example.org/refunds"),
        host: SafeLine::new("help.example.org"),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        available: true,
        kind: DocumentKind::Web,
        status: Status::Never,
        sync_step: None,
        error_code: None,
        detail: None,
        http_status: None,
        attempted_at: None,
        synced_at: None,
        next_attempt_at: None,
        next_check_at: None,
        window: None,
        attempt: None,
        queue: None,
        fingerprint: None,
        content_length: None,
        updated_at: NOW,
        failure_count: None,
        holder: None,
        requested_by: None,
        cancel_requested: false,
        recent: Vec::new(),
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

fn waiting() -> DocumentRow {
    let minutes = |n: u64| std::time::Duration::from_secs(n * 60);
    DocumentRow {
        status: Status::Waiting,
        error_code: Some(ErrorCode::Timeout),
        detail: Some(SafeLine::new("no answer within 20 s")),
        http_status: Some(504),
        attempted_at: Some(NOW.minus(minutes(3))),
        synced_at: Some(NOW.minus(minutes(300))),
        next_attempt_at: Some(NOW.plus(minutes(2))),
        attempt: Some(2),
        queue: Some(QueueClass::Auto),
        fingerprint: Some("ab12".to_owned()),
        content_length: Some(1_204),
        ..never_synced()
    }
}

fn failure() -> Outcome {
    Outcome {
        document_id: DocumentId(812),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        result: OutcomeResult::TransientFailure,
        error_code: Some(ErrorCode::Timeout),
        exception_class: None,
        duration_ms: Some(20_013),
        at: NOW,
        seq: Seq(5),
        job_id: JobId(9),
        attempt: 1,
        queue: QueueClass::Manual,
        url: SafeLine::new("https://help.example.org/refunds"),
        http_status: None,
        detail: Some(SafeLine::new("no answer within 20 s")),
        content: None,
        bytes: None,
        next_attempt_at: Some(NOW.plus(std::time::Duration::from_secs(30))),
        worker: Some(SafeLine::new("box:1")),
        requested_by: Some(SafeLine::new("ana")),
        stages: None,
        name: SafeLine::new("Refunds"),
    }
}

/// Returns the keys of a JSON object in their order.
fn keys(json: &str) -> Vec<String> {
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    value.as_object().expect("an object").keys().cloned().collect()
}

const LIST_KEYS: [&str; 26] = [
    "id",
    "name",
    "url",
    "account_id",
    "assistant_id",
    "available",
    "kind",
    "status",
    "sync_step",
    "error_code",
    "detail",
    "http_status",
    "attempted_at",
    "synced_at",
    "next_attempt_at",
    "attempt",
    "queue",
    "fingerprint",
    "content_length",
    "updated_at",
    "document_id",
    "changed_at",
    "lastmod",
    "window_opens_at",
    "next_check_at",
    "faqs",
];

#[test]
fn list_json_has_every_key_in_order() {
    let json = |row: &DocumentRow| serde_json::to_string(&DocumentJson::from(row)).expect("JSON");
    assert_eq!(keys(&json(&never_synced())), LIST_KEYS);
    assert_eq!(
        json(&waiting()),
        r#"{"id":812,"name":"Refunds \"and\" returns","url":"https://help.example.org/refunds","account_id":7,"assistant_id":3,"available":true,"kind":"web","status":"waiting","sync_step":null,"error_code":"timeout","detail":"no answer within 20 s","http_status":504,"attempted_at":"2025-11-25T06:59:31.000042Z","synced_at":"2025-11-25T02:02:31.000042Z","next_attempt_at":"2025-11-25T07:04:31.000042Z","attempt":2,"queue":"auto","fingerprint":"ab12","content_length":1204,"updated_at":"2025-11-25T07:02:31.000042Z","document_id":812,"changed_at":null,"lastmod":null,"window_opens_at":null,"next_check_at":null,"faqs":null}"#
    );
}

#[test]
fn show_json_adds_content_attempts_and_versions() {
    let (row, attempts) = (waiting(), [failure()]);
    let versions = [StoredVersion { version: 2, replaced_at: NOW, fingerprint: None, content_length: 40 }];
    let json = serde_json::to_string(&DocumentDetailJson::new(&row, Some("# Refunds\n"), &attempts, &versions, None))
        .expect("JSON");
    let expected: Vec<&str> =
        LIST_KEYS.into_iter().chain(["content", "attempts", "versions", "held", "chatwoot_jobs"]).collect();
    assert_eq!(keys(&json), expected);
    let list = serde_json::to_string(&DocumentJson::from(&row)).expect("JSON");
    assert_eq!(
        json,
        format!(
            "{},\"content\":\"# Refunds\\n\",\"attempts\":[{}],\"versions\":[{{\"version\":2,\
             \"replaced_at\":\"2025-11-25T07:02:31.000042Z\",\"fingerprint\":null,\"content_length\":40}}],\"held\":null,\"chatwoot_jobs\":null}}",
            &list[..list.len() - 1],
            failure().json()
        )
    );
    let bare = serde_json::to_string(&DocumentDetailJson::new(&row, None, &[], &[], None)).expect("JSON");
    assert!(
        bare.ends_with("\"content\":null,\"attempts\":[],\"versions\":[],\"held\":null,\"chatwoot_jobs\":null}"),
        "{bare}"
    );
}

#[test]
fn the_table_stands_in_columns() {
    let table = DocumentTable::whole();
    let lines = [table.head(), table.line(&waiting(), NOW), table.line(&never_synced(), NOW)];
    assert_eq!(
        lines,
        [
            "     ID  STATUS    ATTEMPTED  SYNCED  NEXT   NAME                                  ERROR           URL",
            "    812  waiting   3m         5h      2m     Refunds \"and\" returns                 timeout         https://help.example.org/refunds",
            "    812  never     -          -       -      Refunds \"and\" returns                 -               https://help.example.org/refunds",
        ]
    );
    let wide =
        DocumentRow { name: SafeLine::new(&"ご利用ガイド".repeat(10)), id: DocumentId(12_345_678), ..waiting() };
    let line = table.line(&wide, NOW);
    assert!(line.starts_with("12345678  waiting"), "an id is never cut: {line}");
    let before_url = line.split("https://").next().expect("has a URL");
    assert_eq!(quarterdeck::domain::text::width(before_url), quarterdeck::domain::text::width(&table.head()) - 3 + 1);
}

#[test]
fn an_outcome_has_a_line_in_every_form() {
    let zone = TimeZone::UTC;
    assert_eq!(
        outcome_line::text(&failure(), &zone),
        "2025-11-25 07:02:31  transient_failure          812 https://help.example.org/refunds  20 s  timeout: no answer \
         within 20 s  next attempt 07:03:01"
    );
    let good = Outcome {
        result: OutcomeResult::Unchanged,
        error_code: None,
        detail: None,
        next_attempt_at: None,
        duration_ms: Some(212),
        content: Some(ContentChange::First),
        ..failure()
    };
    assert_eq!(
        outcome_line::text(&good, &zone),
        "2025-11-25 07:02:31  first content              812 https://help.example.org/refunds  212 ms"
    );
    assert_eq!(Format::Json.line(&good, &zone), Some(good.json()));
    assert_eq!(
        Format::Rails.line(&good, &zone).as_deref(),
        Some(
            "[Captain::Documents::PerformSyncJob] \
             {\"document_id\":812,\"account_id\":7,\"assistant_id\":3,\"result\":\"unchanged\",\"duration_ms\":212}"
        )
    );
    let lost = Outcome { result: OutcomeResult::WorkerLost, ..failure() };
    assert_eq!(Format::Rails.line(&lost, &zone), None, "upstream has no such line");
}

#[test]
fn passwords_never_come_out() {
    for (text, safe) in [
        ("postgres://ana:secret@db/x", "postgres://ana:***@db/x"),
        ("redis://:secret@cache:6379", "redis://:***@cache:6379"),
        ("https://token@example.org/a and http://a:b:c@d/e", "https://***@example.org/a and http://a:***@d/e"),
        ("http://a:p@ss@host", "http://a:***@host"),
        ("\"http://a:b@c\": is not", "\"http://a:***@c\": is not"),
        ("https://medium.example.org/@ana/a?x=b@c", "https://medium.example.org/@ana/a?x=b@c"),
        ("no address: a@b", "no address: a@b"),
        ("postgres://db/x?user=ana&password=secret: refused", "postgres://db/x?user=ana&password=*** refused"),
        ("postgres://db/x?SSLPassword=a%20b&port=5", "postgres://db/x?SSLPassword=***&port=5"),
        ("'postgres://db/x?password=secret' is not", "'postgres://db/x?password=***' is not"),
        ("http://a/b?to=http://c:d@e/f?token=g#h", "http://a/b?to=http://c:***@e/f?token=***#h"),
        ("http://a/b?compass=no=rth;x=1", "http://a/b?compass=***;x=1"),
        ("://", "://"),
    ] {
        assert_eq!(masked(text), safe);
    }
}

#[test]
fn a_table_fits_its_terminal_and_keeps_what_matters_most() {
    for cells in [20, 40, 60, 80, 100, 120, 160, 250] {
        let table = DocumentTable::within(cells);
        for line in [table.head(), table.line(&waiting(), NOW), table.line(&never_synced(), NOW)] {
            assert!(quarterdeck::domain::text::width(&line) <= cells, "{cells}: {line}");
        }
        assert!(table.head().starts_with("     ID  STATUS"), "{}", table.head());
        assert_eq!(table.head().contains("ATTEMPTED"), cells >= 120, "{}", table.head());
        assert_eq!(table.head().contains("URL"), cells >= 40, "{}", table.head());
    }
    assert!(DocumentTable::within(250).line(&waiting(), NOW).contains(waiting().url.as_str()), "there is room for it");
}

#[test]
fn colours_change_no_width_and_stand_beside_the_same_words() {
    let table = DocumentTable::within(120);
    let (plain, coloured) = (table.line(&waiting(), NOW), table.clone().coloured().line(&waiting(), NOW));
    assert!(coloured.contains("\x1b[33mwaiting\x1b[0m "), "{coloured:?}");
    let stripped = coloured.replace("\x1b[33m", "").replace("\x1b[0m", "");
    assert_eq!(stripped, plain);
    assert!(!plain.contains('\x1b') && table.coloured().head().contains("\x1b[1mSTATUS\x1b[0m"));
}
