//! Tests what documents of Chatwoot are that this program does not sync (PDFs, pages that Chatwoot still crawls), and
//! that every document is known by its host, requested or not.

use super::guests::{adds, assert_exact, attaches, guest, pass};
use super::schedule::{DAY, name, terms};
use super::support::{START, Scene, limits, open, request, worker};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::content_guard::QuarantineReason;
use quarterdeck::domain::document::{DocumentKind, Status};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::link::host_of;
use quarterdeck::domain::outbox::{OutboxMessage, OutcomeEvent, Subscriber};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::{RequestAnswer, SkipReason};
use quarterdeck::domain::schedule::DueRules;
use quarterdeck::store::{
    Access, BulkVerb, Decision, DecisionResult, DocumentStore as _, JobStore as _, ManualClock, OutboxStore as _,
    Queries as _, ReviewTarget, Sort, Targets,
};
use std::sync::Arc;

/// Returns the documents that a verb with this filter acts on, and those that a list shows.
async fn selected(scene: &Scene, filter: &str) -> (Vec<i64>, Vec<i64>) {
    let filter = Filter::parse(filter).unwrap();
    let listed = scene.store.matching(&filter, Sort::BY_ID, None).await.unwrap();
    let verb = BulkVerb::Cancel;
    let preview = scene.store.preview(&Targets::Matching(filter), verb).await.unwrap();
    let found = preview.targets.len() as u64 + preview.skipped.iter().map(|(_, count)| count).sum::<u64>();
    assert_eq!(found, listed.len() as u64);
    (preview.targets.iter().map(|id| id.0).collect(), listed.iter().map(|id| id.0).collect())
}

async fn listed(scene: &Scene, filter: &str) -> Vec<i64> {
    selected(scene, filter).await.1
}

async fn hosts(scene: &Scene) -> Vec<(String, u64)> {
    let listing = scene.store.hosts().await.unwrap();
    assert_eq!(listing.total, listing.rows.len() as u64);
    listing.rows.iter().map(|row| (row.host.to_string(), row.documents)).collect()
}

#[tokio::test]
async fn every_document_is_known_by_its_host_before_and_after_a_pass_and_read_only() {
    let mut scene = guest().await;
    let expected = [("h0.test", 3), ("h1.test", 2), ("h2.test", 3), ("a.test", 1)];
    let mut expected: Vec<_> = expected.map(|(host, n)| (host.to_owned(), n)).into();
    expected.sort();
    for (step, what) in ["no pass yet", "read only", "after a pass"].into_iter().enumerate() {
        if step == 1 {
            // Nobody makes passes, and nothing can be written.
            let url = scene.place.url();
            scene.store = open(&url, Arc::new(ManualClock::at(START)), Access::ReadOnly).await;
        }
        if step == 2 {
            scene.store = open(&scene.place.url(), scene.clock.clone(), Access::Write).await;
            pass(&scene).await;
        }
        assert_eq!(listed(&scene, "host:h1.test").await, [4, 7], "{what}");
        assert_eq!(listed(&scene, "host:H1.test,a.test").await, [1, 4, 7], "{what}");
        assert_eq!(listed(&scene, "-host:h0.test,h2.test").await, [1, 4, 7], "{what}");
        assert_eq!(hosts(&scene).await, expected, "{what}");
    }
    assert_eq!(scene.number("SELECT count(*) FROM quarterdeck.document_state").await, 9, "one row per document");
    // A document that Chatwoot has removed counts no longer, although its row is still there.
    scene.sql("DELETE FROM public.captain_documents WHERE id = 4").await;
    pass(&scene).await;
    assert_eq!(hosts(&scene).await.into_iter().find(|(host, _)| host == "h1.test"), Some(("h1.test".into(), 1)));
}

/// Chatwoot stores links as people have written them; URLs have Punycode.
#[tokio::test]
async fn a_host_of_other_letters_than_ascii_is_known_before_and_after_a_pass() {
    let scene = guest().await;
    let links =
        ["https://b\u{fc}cher.example/a", "https://xn--bcher-kva.example/b", "https://B\u{fc}cher.Example:443/c"];
    for (id, link) in (2..).zip(links) {
        scene.sql(&format!("UPDATE public.captain_documents SET external_link = '{link}' WHERE id = {id}")).await;
    }
    let other = "https://b\u{fc}cher.example:8443/d";
    scene.sql(&format!("UPDATE public.captain_documents SET external_link = '{other}' WHERE id = 5")).await;
    for after_pass in [false, true] {
        if after_pass {
            pass(&scene).await;
        }
        for host in ["b\u{fc}cher.example", "xn--bcher-kva.example", "B\u{dc}CHER.EXAMPLE"] {
            assert_eq!(listed(&scene, &format!("host:{host}")).await, [2, 3, 4, 5], "{host} {after_pass}");
        }
        assert_eq!(listed(&scene, "host:b\u{fc}cher.example:8443").await, [5], "{after_pass}");
        assert_eq!(listed(&scene, "-host:b\u{fc}cher.example").await, [1, 6, 7, 8, 9], "{after_pass}");
        let hosts = hosts(&scene).await;
        let of = |name: &str| hosts.iter().find(|(host, _)| host == name).map(|(_, documents)| *documents);
        assert_eq!((of("xn--bcher-kva.example"), of("xn--bcher-kva.example:8443")), (Some(3), Some(1)), "{hosts:?}");
        assert!(hosts.iter().all(|(host, _)| host.is_ascii()), "{hosts:?}");
    }
}

#[tokio::test]
async fn the_first_request_of_a_document_that_a_pass_has_read_keeps_the_length_of_its_text() {
    let scene = guest().await;
    scene.sql("UPDATE public.captain_documents SET content = 'twelve chars' WHERE id = 2").await;
    pass(&scene).await;
    scene.store.request(&[DocumentId(2)], &request(QueueClass::Manual)).await.unwrap();
    assert_eq!(scene.row(DocumentId(2)).await.content_length, Some(12));
}

#[tokio::test]
async fn a_host_in_sql_is_the_one_that_is_queued() {
    let scene = guest().await;
    let part = "[a-zA-Z0-9.-]{1,12}(:(80|443|8080|[1-9][0-9]{0,3}))?";
    let url = format!("(http|https|HTTPS)://(ana(:x)?@)?{part}[/?#]?[a-z0-9/?#:@.]{{0,8}}");
    let strategy = proptest::string::string_regex(&url).unwrap();
    let mut runner = TestRunner::deterministic();
    let mut urls: Vec<String> = (0..400).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    urls.extend(
        ["PDF: x_1", "https://[::1]:443/a", "http://[::1]:443", "https://a.test:80", "mailto:a@b", ""]
            .map(str::to_owned),
    );
    let mut compared = 0;
    for url in urls {
        // The parser of URLs refuses some hosts, and rewrites those that look like numbers.
        let Some(exact) = host_of(&url).filter(|host| !host.starts_with(|c: char| c.is_ascii_digit())) else {
            continue;
        };
        let same = format!("SELECT (quarterdeck.host_of('{url}') IS NOT DISTINCT FROM '{exact}')::int");
        assert_eq!(scene.number(&same).await, 1, "{url} {exact}");
        compared += 1;
    }
    assert!(compared > 250, "{compared}");
    let none =
        "SELECT count(*) FROM unnest(ARRAY['PDF: x_1', 'mailto:a@b', '']) u WHERE quarterdeck.host_of(u) IS NULL";
    assert_eq!(scene.number(none).await, 3);
}

#[tokio::test]
async fn pdfs_and_pages_that_are_still_crawled_are_shown_as_what_they_are() {
    let scene = guest().await;
    scene.sql("UPDATE public.captain_documents SET external_link = 'PDF: handbook_2026' WHERE id = 2").await;
    scene.sql("UPDATE public.captain_documents SET external_link = 'https://h1.test/a.pdf' WHERE id = 4").await;
    scene.sql("UPDATE public.captain_documents SET status = 0 WHERE id IN (5, 6)").await;
    // An attached PDF with an ordinary link, which Chatwoot's migration has marked as synced; a picture is none.
    attaches(&scene, 7).await;
    attaches(&scene, 8).await;
    scene.sql("UPDATE public.captain_documents SET sync_status = 1, last_synced_at = updated_at WHERE id = 7").await;
    scene.sql("UPDATE public.active_storage_blobs SET content_type = 'image/png' WHERE id = 2").await;
    for after_pass in [false, true] {
        if after_pass {
            pass(&scene).await;
            assert_exact(&scene, &"kinds").await;
        }
        assert_eq!(listed(&scene, "kind:pdf").await, [2, 4, 7]);
        assert_eq!(listed(&scene, "kind:crawling").await, [5, 6]);
        assert_eq!(listed(&scene, "-kind:pdf,crawling").await, [1, 3, 8, 9]);
        assert_eq!(listed(&scene, "status:pdf").await, [2, 4, 7]);
        assert_eq!(listed(&scene, "status:crawling").await, [5, 6]);
        assert_eq!(listed(&scene, "status:never").await, [3, 8, 9]);
        let counts = scene.store.counts().await.unwrap();
        assert_eq!([Status::Pdf, Status::Crawling, Status::Never].map(|status| counts.of(status)), [3, 2, 3]);
        let accounts = scene.store.accounts().await.unwrap();
        let pdfs: u64 = accounts.rows.iter().map(|row| row.counts.of(Status::Pdf)).sum();
        let crawled: u64 = accounts.rows.iter().map(|row| row.counts.of(Status::Crawling)).sum();
        assert_eq!((pdfs, crawled), (3, 2));
        let row = scene.row(DocumentId(7)).await;
        assert_eq!((row.kind, row.status, row.next_check_at), (DocumentKind::Pdf, Status::Pdf, None));
        assert_eq!(scene.row(DocumentId(5)).await.kind, DocumentKind::Crawling);
    }
}

#[tokio::test]
async fn a_pdf_that_is_attached_under_an_ordinary_link_is_not_synced() {
    let scene = guest().await;
    attaches(&scene, 7).await;
    let answers = scene.store.request(&[DocumentId(7)], &request(QueueClass::Manual)).await.unwrap();
    assert_eq!(answers[0].answer, RequestAnswer::Skipped(SkipReason::Pdf));
    let filter = Filter::parse("id:7,8").unwrap();
    let verb = BulkVerb::Request(quarterdeck::domain::request::RequestKind::Sync);
    let preview = scene.store.preview(&Targets::Matching(filter), verb).await.unwrap();
    assert_eq!((preview.targets, preview.skipped), (vec![DocumentId(8)], vec![(SkipReason::Pdf, 1)]));
    // A file that is attached while a job waits ends the job.
    scene.store.request(&[DocumentId(8)], &request(QueueClass::Manual)).await.unwrap();
    attaches(&scene, 8).await;
    assert!(scene.store.claim(&worker("w1").id, limits(4)).await.unwrap().is_empty());
    assert_eq!(scene.results().await.last(), Some(&OutcomeResult::Cancelled));
}

#[tokio::test]
async fn the_schedule_passes_over_an_attached_pdf_by_both_rules() {
    for rules in [DueRules::HalfCadence, DueRules::Continuous] {
        let scene = guest().await;
        attaches(&scene, 7).await;
        // Chatwoot's migration has marked both as synced, since it looks at the link alone.
        for id in [5, 7].map(DocumentId) {
            scene.set(id, "sync_status = 1").await;
            scene.set_time(id, "last_synced_at", Some(80 * DAY)).await;
        }
        let mut terms = terms(rules, "business");
        terms.plans.accounts.insert(AccountId(2), name("business"));
        scene.pass(&terms).await;
        let scheduled = scene.scheduled().await;
        assert!(scheduled.contains(&5) && !scheduled.contains(&7), "{rules:?}: {scheduled:?}");
    }
}

/// Wants a message about every outcome with a changed text, as the subscriber of FAQ jobs does.
struct Changes;

impl Subscriber for Changes {
    fn name(&self) -> &str {
        "changes"
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        event.text_changed.then(|| OutboxMessage { key: event.outcome.seq.to_string(), payload: "{}".into() })
    }
}

#[tokio::test]
async fn a_changed_text_of_a_pdf_starts_no_faq_job() {
    for is_pdf in [false, true] {
        let scene = guest().await;
        scene.store.subscribe(Arc::new(Changes));
        scene.sql("UPDATE public.captain_documents SET content = 'old' WHERE id = 7").await;
        let id = DocumentId(7);
        scene.store.request(&[id], &request(QueueClass::Manual)).await.unwrap();
        let job = scene.claim(1).await.remove(0);
        let mut page = Page::new(None, "# Sign in".to_owned(), 9, 200).unwrap();
        page.quarantine_reason = Some(QuarantineReason::Login);
        let fingerprint = page.fingerprint.clone();
        let end = AttemptEnd::Fetched { page: Box::new(page), fingerprint, change: ContentChange::Quarantined };
        scene.finish(&job, end).await;
        if is_pdf {
            attaches(&scene, 7).await;
        }
        let target = ReviewTarget { document: id, fingerprint: None };
        assert_eq!(
            scene.store.decide(&[target], Decision::Accept, &"bo".into()).await.unwrap(),
            [DecisionResult::Done]
        );
        let messages = scene.store.due_deliveries("changes", 9).await.unwrap();
        assert_eq!(messages.len(), usize::from(!is_pdf));
    }
}

#[tokio::test]
async fn where_the_tables_of_files_cannot_be_read_the_link_alone_decides() {
    for sql in [
        "DROP TABLE public.active_storage_attachments",
        "ALTER TABLE public.active_storage_blobs RENAME content_type TO kind",
        "ALTER TABLE public.active_storage_attachments ALTER record_id TYPE varchar",
    ] {
        let scene = guest().await;
        attaches(&scene, 7).await;
        scene.sql("UPDATE public.captain_documents SET external_link = 'https://h1.test/a.pdf' WHERE id = 4").await;
        scene.sql(sql).await;
        adds(&scene, 10).await;
        pass(&scene).await;
        assert_eq!(listed(&scene, "kind:pdf").await, [4], "{sql}");
        assert_exact(&scene, &sql).await;
    }
}
