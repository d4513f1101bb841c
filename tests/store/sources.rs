//! Tests sources in the store: who reads them and when, what a complete read shows, what an incomplete one does not, and
//! what decisions do.

use super::support::*;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, ProposalId, SourceId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::listing::ListedPage;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::source::{
    NewPages, PagePattern, Proposal, ProposalDecision, ProposalKind, ProposalState, ReadCounts, ReadLease, ReadResult,
    SourceName, SourceRead, SourceSettings, SourceState, SourceUrl,
};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    CompletedRead, DocumentStore, FailedRead, MovedPage, NewSource, ProposalQuery, ProposalResult, Queries, SourceEdit,
    SourceEdited, SourceStore, SqlStore, StoreBase,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

async fn add(scene: &Scene, settings: SourceSettings) -> SourceId {
    let source = NewSource {
        name: SourceName::new("docs").unwrap(),
        url: SourceUrl::parse("https://a.test/sitemap.xml").unwrap(),
        account: AccountId(1),
        assistant: AssistantId(1),
        settings,
    };
    scene.store.add_source(&source, &"ana".into()).await.unwrap().unwrap()
}

async fn claim(store: &SqlStore, holder: &str) -> Option<ReadLease> {
    store.claim_read(holder, &holder.into(), None).await.unwrap()
}

fn pages(paths: &[&str]) -> Vec<ListedPage> {
    let page = |path: &&str| ListedPage { url: format!("https://a.test/{path}"), modified: None };
    paths.iter().map(page).collect()
}

/// Makes a due read that finds these pages, and is complete.
async fn read(scene: &Scene, paths: &[&str]) -> SourceRead {
    let lease = claim(&scene.store, "w").await.expect("it is due");
    assert!(scene.store.stage_pages(&lease, &pages(paths)).await.unwrap());
    let whole = CompletedRead { is_whole: true, ..CompletedRead::default() };
    scene.store.complete_read(&lease, &whole).await.unwrap().expect("it has the lease")
}

/// Requests a read now and makes it.
async fn reread(scene: &Scene, source: SourceId, paths: &[&str]) -> SourceRead {
    assert_eq!(scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap(), 1);
    read(scene, paths).await
}

async fn open(scene: &Scene) -> Vec<Proposal> {
    let query = ProposalQuery { state: Some(ProposalState::Open), limit: 100, ..ProposalQuery::default() };
    scene.store.proposals(&query).await.unwrap()
}

/// The open proposals: kind and path, in the order of both.
async fn shown(scene: &Scene) -> Vec<String> {
    let shown =
        |proposal: &Proposal| format!("{} {}", proposal.kind.word(), proposal.url.replace("https://a.test/", ""));
    let mut all: Vec<_> = open(scene).await.iter().map(shown).collect();
    all.sort();
    all
}

async fn decide(scene: &Scene, kind_and_path: &str, decision: ProposalDecision) -> ProposalResult {
    let mut wanted = None;
    for proposal in open(scene).await {
        if format!("{} {}", proposal.kind.word(), proposal.url.replace("https://a.test/", "")) == kind_and_path {
            wanted = Some(proposal.id);
        }
    }
    let id = wanted.unwrap_or_else(|| panic!("no proposal {kind_and_path}"));
    scene.store.decide_proposals(&[id], decision, &"ana".into()).await.unwrap()[0]
}

async fn urls(scene: &Scene) -> Vec<String> {
    let rows = scene.store.matching(&Default::default(), quarterdeck::store::Sort::BY_ID, None).await.unwrap();
    let mut urls = Vec::new();
    for id in rows {
        urls.push(scene.row(id).await.url.replace("https://a.test/", ""));
    }
    urls
}

async fn new_pages_are_proposed_once_and_refused_ones_never_again(on: Backend) {
    let scene = Scene::new(on).await;
    scene.add(1, "https://a.test/known").await;
    let source = add(&scene, SourceSettings::default()).await;
    let first = read(&scene, &["known", "a", "b", "c"]).await;
    assert_eq!((first.result, first.counts.pages, first.counts.new), (ReadResult::Complete, 4, 3));
    assert_eq!(shown(&scene).await, ["new a", "new b", "new c"]);
    let summary = scene.store.sources().await.unwrap().remove(0);
    assert_eq!((summary.state, summary.pages, summary.proposals), (SourceState::Read, Some(4), 3));
    assert_eq!(summary.next_at, Some(scene.store.now().plus(DAY)));
    assert_eq!(claim(&scene.store, "w").await, None, "it is not due");

    let ProposalResult::Done(Some(added)) = decide(&scene, "new a", ProposalDecision::Accept).await else { panic!() };
    assert_eq!(scene.row(added).await.url.as_str(), "https://a.test/a");
    assert_eq!(decide(&scene, "new b", ProposalDecision::Refuse).await, ProposalResult::Done(None));
    let again = reread(&scene, source, &["known", "a", "b", "c", "d"]).await;
    assert_eq!((again.counts.new, shown(&scene).await), (1, vec!["new c".to_owned(), "new d".to_owned()]));
    // Somebody adds one by hand, and another one is no longer listed.
    scene.add(1, "https://a.test/c").await;
    reread(&scene, source, &["known", "a", "b", "c", "e"]).await;
    assert_eq!(shown(&scene).await, ["new e"]);
    // A decision on what was decided or withdrawn does nothing.
    let none = scene.store.decide_proposals(&[ProposalId(999)], ProposalDecision::Accept, &"ana".into()).await.unwrap();
    assert_eq!(none, [ProposalResult::NotOpen]);
    assert_eq!(urls(&scene).await, ["known", "a", "c"]);
}

async fn new_pages_are_added_where_that_is_set(on: Backend) {
    let scene = Scene::new(on).await;
    let source = add(&scene, SourceSettings { new: NewPages::Add, ..SourceSettings::default() }).await;
    let first = read(&scene, &["a", "b/", "b"]).await;
    assert_eq!((first.counts.added, first.counts.new), (3, 0));
    assert_eq!(reread(&scene, source, &["a", "b/", "b"]).await.counts.added, 0);
    let mut found = urls(&scene).await;
    found.sort();
    assert_eq!((found, shown(&scene).await), (vec!["a".to_owned(), "b".to_owned(), "b/".to_owned()], Vec::new()));
}

async fn a_page_is_gone_after_two_complete_reads_a_day_apart(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/a").await;
    scene.add(1, "https://a.test/by-hand").await;
    let source = add(&scene, SourceSettings::default()).await;
    read(&scene, &["a", "b"]).await;
    reread(&scene, source, &["b"]).await;
    scene.clock.advance(HOUR);
    reread(&scene, source, &["b"]).await;
    assert_eq!(shown(&scene).await, ["new b"], "an hour later nothing is believed");
    scene.clock.advance(22 * HOUR);
    let third = reread(&scene, source, &["b"]).await;
    assert_eq!((third.counts.gone, shown(&scene).await), (1, vec!["gone a".to_owned(), "new b".to_owned()]));
    // It comes back: the proposal is withdrawn, and the day begins anew.
    reread(&scene, source, &["a", "b"]).await;
    assert_eq!(shown(&scene).await, ["new b"]);
    for _ in 0..2 {
        reread(&scene, source, &["b"]).await;
        scene.clock.advance(DAY);
    }
    reread(&scene, source, &["b"]).await;
    assert_eq!(decide(&scene, "gone a", ProposalDecision::Accept).await, ProposalResult::Done(None));
    assert_eq!(urls(&scene).await, ["by-hand"], "what no source has listed is never gone");
    assert_ne!(document, DocumentId(0));
    // Added and gone once more: what was accepted may be proposed again.
    scene.add(1, "https://a.test/a").await;
    reread(&scene, source, &["a", "b"]).await;
    reread(&scene, source, &["b"]).await;
    scene.clock.advance(DAY);
    reread(&scene, source, &["b"]).await;
    assert_eq!(decide(&scene, "gone a", ProposalDecision::Refuse).await, ProposalResult::Done(None));
    scene.clock.advance(DAY);
    reread(&scene, source, &["b"]).await;
    assert_eq!(shown(&scene).await, ["new b"]);
}

async fn a_read_that_is_incomplete_or_much_smaller_changes_nothing(on: Backend) {
    let scene = Scene::new(on).await;
    let paths: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    for path in &paths {
        scene.add(1, &format!("https://a.test/{path}")).await;
    }
    let source = add(&scene, SourceSettings::default()).await;
    read(&scene, &paths).await;
    for _ in 0..3 {
        scene.clock.advance(DAY);
        let small = reread(&scene, source, &paths[..9]).await;
        assert_eq!(small.result, ReadResult::Refused);
        assert!(small.detail.as_ref().is_some_and(|why| why.contains("has 9 pages, and had 20")), "{small:?}");
        let empty = reread(&scene, source, &[]).await;
        assert_eq!(empty.result, ReadResult::Refused);
        let lease = {
            scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
            claim(&scene.store, "w").await.unwrap()
        };
        scene.store.stage_pages(&lease, &pages(&["x", "y"])).await.unwrap();
        let failed = FailedRead {
            result: ReadResult::Failed,
            counts: ReadCounts::default(),
            detail: "cut off".into(),
            retry_after: None,
        };
        scene.store.fail_read(&lease, &failed).await.unwrap().unwrap();
    }
    assert_eq!(shown(&scene).await, [] as [&str; 0]);
    let summary = scene.store.sources().await.unwrap().remove(0);
    assert_eq!((summary.state, summary.pages), (SourceState::Failed, Some(20)));
    // A person says that it is right.
    scene.store.request_reads(&[source], true, &"ana".into()).await.unwrap();
    assert_eq!(read(&scene, &paths[..9]).await.result, ReadResult::Complete);
    scene.clock.advance(DAY);
    assert_eq!(reread(&scene, source, &paths[..9]).await.counts.gone, 11);
}

async fn a_moved_page_takes_the_place_of_the_old_one(on: Backend) {
    let scene = Scene::new(on).await;
    let old = scene.add(1, "https://a.test/old").await;
    let source = add(&scene, SourceSettings::default()).await;
    read(&scene, &["old", "other"]).await;
    scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
    let lease = claim(&scene.store, "w").await.unwrap();
    scene.store.stage_pages(&lease, &pages(&["new", "other"])).await.unwrap();
    let missing = scene.store.missing_pages(&lease, 10).await.unwrap();
    assert_eq!(missing.iter().map(|page| page.url.as_str()).collect::<Vec<_>>(), ["https://a.test/old"]);
    let page = |target: &str| MovedPage {
        document: old,
        url: "https://a.test/old".into(),
        target: format!("https://a.test/{target}"),
        reason: "redirects there for good".into(),
    };
    // A target that the source has not is no proposal.
    let done =
        CompletedRead { is_whole: true, moved: vec![page("elsewhere"), page("new")], ..CompletedRead::default() };
    let done = scene.store.complete_read(&lease, &done).await.unwrap().unwrap();
    assert_eq!((done.counts.moved, done.counts.new), (1, 0), "its target is not proposed as new, too");
    assert_eq!(shown(&scene).await, ["moved old", "new other"]);
    let ProposalResult::Done(Some(new)) = decide(&scene, "moved old", ProposalDecision::Accept).await else { panic!() };
    assert_eq!(urls(&scene).await, ["new"]);
    assert_eq!(scene.row(new).await.status, Status::Queued, "it is fetched at once");
}

async fn documents_with_the_same_text_are_duplicates(on: Backend) {
    let scene = Scene::new(on).await;
    let ids = [
        scene.add(1, "https://a.test/a").await,
        scene.add(1, "https://a.test/b").await,
        scene.add(1, "https://a.test/c").await,
    ];
    scene.ask(&ids, QueueClass::Manual).await;
    for job in scene.claim(64).await {
        let text = if job.document_id == ids[1] { "another text" } else { "the text" };
        scene.finish(&job, fetched("T", text, ContentChange::First)).await;
    }
    let source = add(&scene, SourceSettings::default()).await;
    assert_eq!(read(&scene, &["a", "b", "c"]).await.counts.duplicates, 1);
    assert_eq!(shown(&scene).await, ["duplicate c"]);
    assert_eq!(open(&scene).await[0].target.as_deref(), Some("https://a.test/a"));
    assert_eq!(reread(&scene, source, &["a", "b", "c"]).await.counts.duplicates, 0, "once");
    scene.ask(&[ids[2]], QueueClass::Manual).await;
    for job in scene.claim(64).await {
        scene.finish(&job, fetched("T", "its own text", ContentChange::Changed)).await;
    }
    reread(&scene, source, &["a", "b", "c"]).await;
    assert_eq!(shown(&scene).await, [] as [&str; 0], "it is withdrawn");
}

async fn a_feed_says_nothing_about_what_it_lacks(on: Backend) {
    let scene = Scene::new(on).await;
    scene.add(1, "https://a.test/a").await;
    let source = add(&scene, SourceSettings::default()).await;
    for paths in [["a", "b"], ["c", "d"], ["e", "f"]] {
        scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
        let lease = claim(&scene.store, "w").await.unwrap();
        scene.store.stage_pages(&lease, &pages(&paths)).await.unwrap();
        scene.store.complete_read(&lease, &CompletedRead::default()).await.unwrap().unwrap();
        scene.clock.advance(2 * DAY);
    }
    assert_eq!(shown(&scene).await, ["new b", "new c", "new d", "new e", "new f"]);
}

async fn one_process_reads_and_a_lost_one_is_noticed(on: Backend) {
    let scene = Scene::new(on).await;
    let source = add(&scene, SourceSettings::default()).await;
    let other = scene.another().await;
    let first = claim(&scene.store, "w1").await.unwrap();
    assert_eq!(claim(&other, "w2").await, None, "one process reads a source");
    scene.clock.advance(Duration::from_secs(25));
    assert!(scene.store.renew_read(&first).await.unwrap());
    scene.clock.advance(Duration::from_secs(25));
    assert_eq!(claim(&other, "w2").await, None);
    // The process is killed: 30 s later another one reads.
    scene.clock.advance(Duration::from_secs(6));
    let second = claim(&other, "w2").await.unwrap();
    assert_eq!(second.read, first.read + 1);
    // The first one was only suspended, and writes nothing any more.
    assert!(!scene.store.renew_read(&first).await.unwrap());
    assert!(!scene.store.stage_pages(&first, &pages(&["x"])).await.unwrap());
    assert_eq!(scene.store.complete_read(&first, &CompletedRead::default()).await.unwrap(), None);
    other.stage_pages(&second, &pages(&["a"])).await.unwrap();
    let done =
        other.complete_read(&second, &CompletedRead { is_whole: true, ..CompletedRead::default() }).await.unwrap();
    assert_eq!(done.unwrap().counts.pages, 1, "what the lost one had found does not count");
    let reads = scene.store.source_reads(source, 10).await.unwrap();
    assert_eq!(reads.iter().map(|read| read.result).collect::<Vec<_>>(), [ReadResult::Complete, ReadResult::Lost]);
    // A read that loses three workers in a row waits for its next time.
    scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
    for round in 0..3 {
        assert!(claim(&scene.store, "w").await.is_some(), "{round}");
        scene.clock.advance(Duration::from_secs(31));
    }
    assert_eq!(claim(&scene.store, "w").await, None);
    let summary = scene.store.sources().await.unwrap().remove(0);
    assert_eq!((summary.state, summary.next_at), (SourceState::Failed, Some(scene.store.now().plus(DAY))));
}

async fn a_read_that_may_pass_is_tried_again_three_times(on: Backend) {
    let scene = Scene::new(on).await;
    let source = add(&scene, SourceSettings::default()).await;
    let failed = |wait: u64| FailedRead {
        result: ReadResult::Retry,
        counts: ReadCounts::default(),
        detail: "503".into(),
        retry_after: (wait > 0).then(|| Duration::from_secs(wait)),
    };
    for (asked, wait) in [(0, 30), (600, 600), (0, 300)] {
        let lease = claim(&scene.store, "w").await.unwrap();
        let read = scene.store.fail_read(&lease, &failed(asked)).await.unwrap().unwrap();
        assert_eq!(read.result, ReadResult::Retry);
        scene.clock.advance(Duration::from_secs(wait - 1));
        assert_eq!(claim(&scene.store, "w").await, None, "{wait}");
        scene.clock.advance(Duration::from_secs(1));
    }
    let lease = claim(&scene.store, "w").await.unwrap();
    let last = scene.store.fail_read(&lease, &failed(0)).await.unwrap().unwrap();
    assert_eq!(last.result, ReadResult::Failed);
    let next = scene.store.sources().await.unwrap()[0].next_at;
    assert_eq!(next, Some(scene.store.now().plus(DAY)), "it waits for its next time");
    // A request begins anew, and a pause holds it back.
    scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
    for scope in [PauseScope::All, PauseScope::Account(AccountId(1)), PauseScope::Host("a.test".into())] {
        scene.store.pause(&scope, &"ana".into()).await.unwrap();
        assert_eq!(claim(&scene.store, "w").await, None, "{scope}");
        scene.store.resume(&scope).await.unwrap();
    }
    assert!(claim(&scene.store, "w").await.is_some());
}

async fn a_request_while_a_source_is_read_is_made_after_it(on: Backend) {
    let scene = Scene::new(on).await;
    let source = add(&scene, SourceSettings { every: None, ..SourceSettings::default() }).await;
    let lease = claim(&scene.store, "w").await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
    scene.store.stage_pages(&lease, &pages(&["a"])).await.unwrap();
    scene.store.complete_read(&lease, &CompletedRead::default()).await.unwrap().unwrap();
    read(&scene, &["a"]).await;
    let summary = scene.store.sources().await.unwrap().remove(0);
    assert_eq!((summary.next_at, summary.state), (None, SourceState::Read), "on request only");
    assert_eq!(scene.store.source_reads(source, 10).await.unwrap()[0].requested_by.as_deref(), Some("ana"));
    assert!(scene.store.remove_source(source).await.unwrap());
    assert_eq!((shown(&scene).await.len(), scene.store.sources().await.unwrap().len()), (0, 0));
    assert!(!scene.store.remove_source(source).await.unwrap());
}

async fn dates_are_kept_with_the_documents(on: Backend) {
    let scene = Scene::new(on).await;
    let dated = scene.add(1, "https://a.test/a").await;
    scene.add(1, "https://a.test/b").await;
    add(&scene, SourceSettings::default()).await;
    let lease = claim(&scene.store, "w").await.unwrap();
    let at = Timestamp::parse_rfc3339("2026-11-01T00:00:00Z");
    let mut listed = pages(&["a", "b"]);
    listed[0].modified = at;
    scene.store.stage_pages(&lease, &listed).await.unwrap();
    scene.store.complete_read(&lease, &CompletedRead::default()).await.unwrap().unwrap();
    let state = scene.either("document_state", "quarterdeck.document_state");
    let of = |id: DocumentId| format!("SELECT lastmod FROM {state} WHERE document_id = {}", id.0);
    assert_eq!(Some(scene.number(&of(dated)).await), at.map(Timestamp::micros));
    let dates = format!("SELECT count(*) FROM {state} WHERE lastmod IS NOT NULL");
    assert_eq!(scene.number(&dates).await, 1);
}

async fn edit(scene: &Scene, source: SourceId, settings: SourceSettings) -> SourceEdited {
    let edit = SourceEdit {
        name: SourceName::new("docs").unwrap(),
        url: SourceUrl::parse("https://a.test/sitemap.xml").unwrap(),
        settings,
    };
    scene.store.edit_source(source, &edit).await.unwrap()
}

async fn a_changed_source_keeps_what_was_decided_and_forgets_what_no_longer_counts(on: Backend) {
    let scene = Scene::new(on).await;
    scene.add(1, "https://a.test/old/a").await;
    let source = add(&scene, SourceSettings::default()).await;
    let all = ["old/a", "old/b", "new/c", "new/d"];
    read(&scene, &all).await;
    decide(&scene, "new new/c", ProposalDecision::Refuse).await;
    let lease = {
        scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
        claim(&scene.store, "slow").await.unwrap()
    };
    let pattern = |text: &str| PagePattern::parse(text).unwrap();
    let only_new = SourceSettings { exclude: vec![pattern("/old/*")], ..SourceSettings::default() };
    assert_eq!(edit(&scene, source, only_new.clone()).await, SourceEdited::Done { withdrawn: 1 });
    assert_eq!(shown(&scene).await, ["new new/d"], "the others stay");
    // A process that reads by the old settings has lost its read; the next one is due, and sees fewer pages.
    assert!(!scene.store.stage_pages(&lease, &pages(&["old/a"])).await.unwrap());
    let third = read(&scene, &["new/c", "new/d"]).await;
    assert_eq!((third.result, third.counts.new), (ReadResult::Complete, 0));
    for _ in 0..2 {
        scene.clock.advance(DAY);
        reread(&scene, source, &["new/c", "new/d"]).await;
    }
    assert_eq!(
        shown(&scene).await,
        ["new new/d"],
        "what was excluded is not gone, and what was refused does not return"
    );
    // Other times change the time alone.
    let hourly = SourceSettings { every: Some(3_600), ..only_new.clone() };
    assert_eq!(edit(&scene, source, hourly).await, SourceEdited::Done { withdrawn: 0 });
    let next = scene.store.sources().await.unwrap()[0].next_at;
    assert_eq!(next, Some(scene.store.now().plus(HOUR)));
    let manual = SourceSettings { every: None, ..only_new };
    edit(&scene, source, manual).await;
    assert_eq!(scene.store.sources().await.unwrap()[0].next_at, None);
    // All pages count again.
    edit(&scene, source, SourceSettings::default()).await;
    read(&scene, &all).await;
    assert_eq!(shown(&scene).await, ["new new/d", "new old/b"]);
    // Names are taken once.
    let taken = NewSource {
        name: SourceName::new("blog").unwrap(),
        url: SourceUrl::parse("https://b.test/").unwrap(),
        account: AccountId(1),
        assistant: AssistantId(1),
        settings: SourceSettings::default(),
    };
    scene.store.add_source(&taken, &"ana".into()).await.unwrap().unwrap();
    let (name, url) = (taken.name.clone(), taken.url.clone());
    let renamed = SourceEdit { name, url, settings: SourceSettings::default() };
    assert_eq!(scene.store.edit_source(source, &renamed).await.unwrap(), SourceEdited::NameTaken);
    assert_eq!(scene.store.edit_source(SourceId(99), &renamed).await.unwrap(), SourceEdited::NoSource);
}

async fn a_source_says_since_when_it_fails(on: Backend) {
    let scene = Scene::new(on).await;
    let source = add(&scene, SourceSettings::default()).await;
    let since = async || scene.store.sources().await.unwrap()[0].failing_since;
    assert_eq!(since().await, None);
    let fail = async |result| {
        scene.store.request_reads(&[source], false, &"ana".into()).await.unwrap();
        let lease = claim(&scene.store, "w").await.unwrap();
        let failed = FailedRead { result, counts: ReadCounts::default(), detail: "no".into(), retry_after: None };
        scene.store.fail_read(&lease, &failed).await.unwrap().unwrap();
    };
    fail(ReadResult::Retry).await;
    let first = scene.store.now();
    scene.clock.advance(HOUR);
    fail(ReadResult::Failed).await;
    assert_eq!(since().await, Some(first), "since the first of the failures in a row");
    reread(&scene, source, &["a"]).await;
    assert_eq!(since().await, None);
    scene.clock.advance(HOUR);
    fail(ReadResult::Refused).await;
    assert_eq!(since().await, Some(scene.store.now()));
}

#[tokio::test]
async fn on_a_database_of_chatwoot_a_gone_page_is_proposed_and_its_document_stays() {
    let scene = super::guests::guest().await;
    // Document 4: https://h1.test/4, account 1, assistant 4.
    let source = NewSource {
        name: SourceName::new("docs").unwrap(),
        url: SourceUrl::parse("https://h1.test/sitemap.xml").unwrap(),
        account: AccountId(1),
        assistant: AssistantId(4),
        settings: SourceSettings::default(),
    };
    let id = scene.store.add_source(&source, &"ana".into()).await.unwrap().unwrap();
    for listed in [&["4", "other"][..], &["other"], &["other"]] {
        scene.store.request_reads(&[id], false, &"ana".into()).await.unwrap();
        let lease = claim(&scene.store, "w").await.unwrap();
        let page = |path: &&str| ListedPage { url: format!("https://h1.test/{path}"), modified: None };
        scene.store.stage_pages(&lease, &listed.iter().map(page).collect::<Vec<_>>()).await.unwrap();
        let whole = CompletedRead { is_whole: true, ..CompletedRead::default() };
        scene.store.complete_read(&lease, &whole).await.unwrap().unwrap();
        scene.clock.advance(DAY);
    }
    let gone =
        open(&scene).await.into_iter().find(|proposal| proposal.kind == ProposalKind::Gone).expect("it is shown");
    assert_eq!(gone.document, Some(DocumentId(4)));
    let decided = scene.store.decide_proposals(&[gone.id], ProposalDecision::Accept, &"ana".into()).await.unwrap();
    assert_eq!(decided, [ProposalResult::Forbidden]);
    assert_eq!(scene.number("SELECT count(*) FROM public.captain_documents WHERE id = 4").await, 1);
    assert!(open(&scene).await.iter().any(|proposal| proposal.id == gone.id), "it stays open");
}

on_both! {
    ()
    a_changed_source_keeps_what_was_decided_and_forgets_what_no_longer_counts,
    a_source_says_since_when_it_fails,
    new_pages_are_proposed_once_and_refused_ones_never_again,
    new_pages_are_added_where_that_is_set,
    a_page_is_gone_after_two_complete_reads_a_day_apart,
    a_read_that_is_incomplete_or_much_smaller_changes_nothing,
    a_moved_page_takes_the_place_of_the_old_one,
    documents_with_the_same_text_are_duplicates,
    a_feed_says_nothing_about_what_it_lacks,
    one_process_reads_and_a_lost_one_is_noticed,
    a_read_that_may_pass_is_tried_again_three_times,
    a_request_while_a_source_is_read_is_made_after_it,
    dates_are_kept_with_the_documents,
}
