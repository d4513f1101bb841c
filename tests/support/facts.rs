//! Invented documents and outcomes for the screens, the same at every run.

use jiff::tz::TimeZone;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{DocumentKind, DocumentRow, FailureCount, RecentResult, Status};
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::domain::faq::NEEDS_CHATWOOT;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq, WorkerId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::stages::{Stage, Stages};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{WorkerHealth, WorkerSummary};
use quarterdeck::tui::Options;
use std::time::Duration;

/// 2026-11-25 13:02:31 UTC.
pub const NOW: Timestamp = Timestamp::from_micros(1_795_611_751_000_000);

/// Returns the time this many seconds before [`NOW`].
pub fn ago(seconds: u64) -> Timestamp {
    NOW.minus(Duration::from_secs(seconds))
}

/// Returns the time this many seconds after [`NOW`].
pub fn within(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// Options of a console of operator ana, an hour east of Greenwich.
pub fn options() -> Options {
    Options {
        remote_events: None,
        explainer: None,
        chatwoot_jobs: None,
        faqs_unknown: Some(NEEDS_CHATWOOT.into()),
        faq_jobs_off: Some(NEEDS_CHATWOOT),
        remote_health: None,
        state_file: None,
        file_problems: None,
        read_only: false,
        note: None,
        keymap: quarterdeck::tui::Keymap::default(),
        operator: "ana".into(),
        zone: TimeZone::fixed(jiff::tz::offset(1)),
        ascii: false,
        mono: false,
        plain: false,
        per_host: 2,
        default_owner: (AccountId(1), AssistantId(1)),
    }
}

/// Makes a document without any problem.
pub fn document(id: i64, name: &str, status: Status) -> DocumentRow {
    let slug = name.to_lowercase().replace(' ', "-");
    DocumentRow {
        id: DocumentId(id),
        name: name.into(),
        url: format!("https://acme.example/{slug}").as_str().into(),
        host: "acme.example".into(),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        available: true,
        kind: DocumentKind::Web,
        status,
        sync_step: None,
        error_code: None,
        detail: None,
        http_status: None,
        attempted_at: Some(ago(4)),
        synced_at: Some(ago(4)),
        next_attempt_at: Some(within(6 * 86_400)),
        next_check_at: None,
        window: None,
        attempt: Some(1),
        queue: Some(QueueClass::Auto),
        fingerprint: Some("12f4".into()),
        content_length: Some(9_812),
        updated_at: ago(9_000),
        failure_count: None,
        holder: None,
        requested_by: Some("schedule".into()),
        cancel_requested: false,
        recent: vec![RecentResult::Updated; 8],
        took: Some(Duration::from_millis(412)),
        versions: 4,
        host_backoff: None,
        quarantine_reason: None,
        changed_at: None,
        lastmod: None,
        last_content: None,
        faqs: None,
    }
}

/// Returns the documents of the snapshots.
pub fn documents() -> Vec<DocumentRow> {
    use Status::{Failed, Never, Queued, Stale, Stuck, Synced, Syncing, Waiting};
    let failed = |id, name, code, http_status, detail: &str, attempted, synced| DocumentRow {
        error_code: Some(code),
        http_status,
        detail: Some(detail.into()),
        attempted_at: Some(ago(attempted)),
        synced_at: synced,
        next_attempt_at: None,
        ..document(id, name, Failed)
    };
    let mut first =
        failed(812, "Pricing and plans", ErrorCode::NotFound, Some(404), "404 Not Found", 12, Some(ago(3 * 86_400)));
    first.recent = ['u', 'u', 's', 's', 'u', 'f', 'f', 'f'].into_iter().filter_map(RecentResult::from_letter).collect();
    first.requested_by = Some("ana".into());
    let waiting = |id, name, code, http_status, detail: &str, number, left| DocumentRow {
        error_code: Some(code),
        http_status,
        detail: Some(detail.into()),
        attempted_at: Some(ago(40)),
        synced_at: Some(ago(86_400)),
        next_attempt_at: Some(within(left)),
        attempt: Some(number),
        failure_count: Some(FailureCount { class: FailureClass::Transient, failures: number, attempts_allowed: 4 }),
        ..document(id, name, Waiting)
    };
    let syncing = |id, name, seconds| DocumentRow {
        attempted_at: Some(ago(seconds)),
        synced_at: Some(ago(86_400)),
        next_attempt_at: None,
        holder: Some("web-2:4410".into()),
        ..document(id, name, Syncing)
    };
    let mut rows = vec![
        first,
        failed(
            813,
            "Refund policy",
            ErrorCode::ContentEmpty,
            Some(200),
            "the page has no text",
            190,
            Some(ago(12 * 86_400)),
        ),
        failed(814, "Partner programme", ErrorCode::AccessDenied, Some(403), "403 Forbidden", 18, None),
        failed(815, "Legacy API", ErrorCode::Timeout, None, "no answer in 20 s", 400, Some(ago(9 * 86_400))),
        DocumentRow {
            attempted_at: Some(ago(10_900)),
            synced_at: Some(ago(9 * 86_400)),
            next_attempt_at: None,
            ..document(90, "Legacy changelog", Stuck)
        },
        waiting(77, "Status page", ErrorCode::Timeout, None, "no answer in 20 s", 2, 80),
        waiting(78, "Community forum", ErrorCode::FetchFailed, Some(503), "503 Service Unavailable", 3, 174),
        syncing(31, "Importing contacts", 1),
        syncing(32, "API reference: conversations, messages and contacts", 2),
    ];
    for (id, name) in [(40, "ご利用ガイド"), (41, "Webhooks")] {
        rows.push(DocumentRow {
            attempted_at: Some(ago(86_400)),
            synced_at: Some(ago(86_400)),
            next_attempt_at: None,
            host: "docs.acme.example".into(),
            ..document(id, name, Queued)
        });
    }
    rows.push(DocumentRow { synced_at: Some(ago(8 * 86_400)), ..document(50, "Terms of service", Stale) });
    let names = [
        "Getting started",
        "Install the widget",
        "Working hours",
        "Canned responses",
        "Labels and teams",
        "Automation rules",
        "Macros",
        "Agent bots",
        "SLA policies",
        "Reports overview",
        "CSAT surveys",
        "Keyboard shortcuts",
        "Mobile apps",
        "Inbox settings",
    ];
    for (place, name) in names.into_iter().enumerate() {
        let at = Some(ago(4 + 5 * place as u64));
        rows.push(DocumentRow { attempted_at: at, synced_at: at, ..document(100 + place as i64, name, Synced) });
    }
    for (place, name) in ["Security whitepaper", "Sub-processors", "Cookie notice"].into_iter().enumerate() {
        rows.push(DocumentRow {
            attempted_at: None,
            synced_at: None,
            next_attempt_at: Some(within(7_300)),
            next_check_at: None,
            window: None,
            content_length: None,
            recent: Vec::new(),
            versions: 0,
            host_backoff: None,
            quarantine_reason: None,
            changed_at: None,
            last_content: None,
            faqs: None,
            attempt: None,
            ..document(200 + place as i64, name, Never)
        });
    }
    rows
}

/// Returns three workers: one at work, one without a heartbeat for long, one that was killed.
pub fn workers() -> Vec<WorkerSummary> {
    let worker = |name: &str, capacity, running, since, beat, alive| WorkerSummary {
        id: WorkerId(name.into()),
        name: name.into(),
        capacity,
        running,
        started_at: ago(since),
        heartbeat_at: ago(beat),
        unfetchable: Vec::new(),
        health: alive,
    };
    vec![
        worker("web-1.internal.example:77", 16, 3, 8 * 86_400, 75, WorkerHealth::Late),
        worker("web-2:4410", 16, 5, 7_300, 4, WorkerHealth::Alive),
        worker("web-3:9", 8, 2, 3_700, 400, WorkerHealth::Gone),
    ]
}

/// Makes an outcome with default values.
pub fn outcome(seq: i64, document: i64, name: &str, result: OutcomeResult) -> Outcome {
    Outcome {
        document_id: DocumentId(document),
        account_id: AccountId(7),
        assistant_id: AssistantId(3),
        result,
        error_code: None,
        exception_class: None,
        duration_ms: Some(133),
        at: NOW,
        seq: Seq(seq),
        job_id: JobId(seq),
        attempt: 1,
        queue: QueueClass::Auto,
        url: format!("https://acme.example/{document}").as_str().into(),
        http_status: Some(200),
        detail: None,
        content: Some(ContentChange::Same),
        bytes: Some(5_012),
        next_attempt_at: None,
        worker: Some("web-2:4410".into()),
        requested_by: Some("schedule".into()),
        stages: None,
        name: name.into(),
    }
}

/// Makes the outcome of a failed attempt.
pub fn failure(seq: i64, document: i64, name: &str, result: OutcomeResult, code: ErrorCode, detail: &str) -> Outcome {
    Outcome {
        error_code: Some(code),
        detail: Some(detail.into()),
        http_status: detail.get(..3).and_then(|digits| digits.parse().ok()),
        content: None,
        bytes: None,
        ..outcome(seq, document, name, result)
    }
}

/// Returns the log of the snapshots: every kind of line.
pub fn outcomes() -> Vec<Outcome> {
    use OutcomeResult::{
        AlreadySyncing, Cancelled, PermanentFailure, Purged, TransientFailure, TransientRetryExhausted, Unchanged,
        UnexpectedFailure, Updated, WorkerLost,
    };
    let quiet = |seq, document, name| outcome(seq, document, name, Unchanged);
    let mut lines = vec![
        quiet(20_080, 120, "Email channel"),
        failure(20_081, 121, "Old partner list", PermanentFailure, ErrorCode::ContentEmpty, "the page has no text"),
        quiet(20_082, 122, "Slack integration"),
        Outcome { content: Some(ContentChange::NotModified), bytes: None, ..quiet(20_083, 112, "Mobile apps") },
        outcome(20_084, 111, "Keyboard shortcuts", Updated),
        failure(20_085, 815, "Legacy API", TransientFailure, ErrorCode::Timeout, "no answer in 20 s"),
        failure(20_086, 815, "Legacy API", TransientRetryExhausted, ErrorCode::Timeout, "given up after 4 attempts"),
        quiet(20_087, 110, "CSAT surveys"),
        Outcome {
            next_attempt_at: Some(within(300)),
            attempt: 3,
            ..failure(
                20_088,
                78,
                "Community forum",
                TransientFailure,
                ErrorCode::FetchFailed,
                "503 Service Unavailable",
            )
        },
        Outcome {
            error_code: None,
            content: None,
            detail: Some("worker web-1:77 died".into()),
            ..outcome(20_089, 90, "Legacy changelog", WorkerLost)
        },
        Outcome { content: Some(ContentChange::First), ..outcome(20_090, 105, "Automation rules", Unchanged) },
        Outcome {
            duration_ms: None,
            requested_by: Some("ben".into()),
            ..outcome(20_091, 813, "Refund policy", AlreadySyncing)
        },
        Outcome {
            exception_class: Some("panic".into()),
            next_attempt_at: Some(within(5)),
            ..failure(20_092, 131, "Release notes", UnexpectedFailure, ErrorCode::SyncError, "index out of bounds")
        },
    ];
    for seq in 0..12 {
        lines.push(Outcome {
            duration_ms: None,
            content: None,
            ..outcome(20_093 + seq, 300 + seq, "Old page", Purged)
        });
    }
    lines.push(Outcome {
        duration_ms: None,
        content: None,
        detail: Some("cancelled by ana".into()),
        ..outcome(20_105, 132, "Draft page", Cancelled)
    });
    lines.push(failure(20_106, 814, "Partner programme", PermanentFailure, ErrorCode::AccessDenied, "403 Forbidden"));
    lines.push(quiet(20_107, 103, "Canned responses"));
    lines.push(Outcome {
        next_attempt_at: Some(within(120)),
        attempt: 2,
        duration_ms: Some(20_034),
        ..failure(20_108, 77, "Status page", TransientFailure, ErrorCode::Timeout, "no answer in 20 s")
    });
    lines.push(Outcome { content: Some(ContentChange::NotModified), ..quiet(20_109, 100, "Getting started") });
    lines.push(outcome(20_110, 101, "Install the widget", Updated));
    lines.push(quiet(20_111, 102, "Working hours"));
    lines.push(failure(20_112, 812, "Pricing and plans", PermanentFailure, ErrorCode::NotFound, "404 Not Found"));
    let last = lines.len() as u64;
    for (place, line) in lines.iter_mut().enumerate() {
        line.at = ago((last - place as u64) / 2);
    }
    // An exhaustion has the job and attempt of its failure.
    lines[6].job_id = lines[5].job_id;
    lines
}

/// Returns the attempts of a document, newest first.
pub fn history(row: &DocumentRow) -> Vec<Outcome> {
    use OutcomeResult::{PermanentFailure, TransientFailure, TransientRetryExhausted, Unchanged, Updated};
    let id = row.id.0;
    let name = row.name.as_str();
    let mut stages = Stages::default();
    for (stage, micros) in [(Stage::Name, 2_000), (Stage::Connect, 34_000), (Stage::Tls, 61_000)] {
        stages.set(stage, Duration::from_micros(micros));
    }
    let mut whole = stages;
    whole.set(Stage::FirstByte, Duration::from_millis(19_900));
    let timeout = |seq, attempt, result, stages| Outcome {
        attempt,
        duration_ms: Some(20_034),
        stages: Some(stages),
        ..failure(seq, id, name, result, ErrorCode::Timeout, "connected in 34 ms, then no answer for 20 s")
    };
    let by =
        |by: &str, outcome: Outcome| Outcome { requested_by: Some(by.into()), queue: QueueClass::Manual, ..outcome };
    let mut history = vec![
        by("ana", failure(20_112, id, name, PermanentFailure, ErrorCode::NotFound, "404 Not Found")),
        Outcome {
            duration_ms: None,
            ..failure(19_004, id, name, TransientRetryExhausted, ErrorCode::Timeout, "given up after 4 attempts")
        },
        timeout(19_003, 4, TransientFailure, whole),
        timeout(18_901, 3, TransientFailure, stages),
        outcome(12_000, id, name, Unchanged),
        outcome(11_000, id, name, Updated),
        Outcome { content: Some(ContentChange::First), ..outcome(400, id, name, Unchanged) },
    ];
    let ages = [12, 3_900, 3_900, 4_300, 86_400, 2 * 86_400, 29 * 86_400];
    for (line, age) in history.iter_mut().zip(ages) {
        line.at = ago(age);
    }
    history
}
