//! Tests the changes of texts: for each document the last one, in order, none missing and none twice.

use super::support::*;
use quarterdeck::domain::content::{ContentChange, ConverterVersion, Page};
use quarterdeck::domain::cursor::{CursorRefusal, Epoch, TextPosition};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::{DocumentId, Seq};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::outbox::{OutboxMessage, OutcomeEvent, Subscriber};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::{Request, RequestKind};
use quarterdeck::domain::text_change::{TextChange, TextChangeKind};
use quarterdeck::store::{DocumentStore, OutboxStore, Queries, RestoredText, Sort, SqlStore, TextChanges, TextStore};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

async fn sync(scene: &Scene, document: DocumentId, end: AttemptEnd) {
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(64).await.into_iter().find(|claimed| claimed.document_id == document).unwrap();
    scene.finish(&claimed, end).await;
}

/// Finishes a sync with the result of comparing `text` with the stored one.
async fn fetch(scene: &Scene, document: DocumentId, text: &str, converter: u16) {
    scene.ask(&[document], QueueClass::Manual).await;
    let claimed = scene.claim(64).await.into_iter().find(|claimed| claimed.document_id == document).unwrap();
    let page = Page::new(Some("T"), text.to_owned(), text.len() as u64, 200).unwrap();
    let page = Page { converter: Some(ConverterVersion::new(converter, "")), ..page };
    let (change, _) = claimed.stored.compare(&page);
    let fingerprint = page.fingerprint.clone();
    scene.finish(&claimed, AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }).await;
}

/// Reads all changes after `after` in parts of `limit`.
async fn changes(store: &SqlStore, after: TextPosition, limit: u64) -> Vec<TextChange> {
    let up_to = store.history().await.unwrap().last;
    let (mut all, mut position) = (Vec::new(), after);
    loop {
        let read = store.text_changes(TextChanges { after: position, up_to, limit }).await.unwrap();
        assert!(read.len() as u64 <= limit);
        let is_last = (read.len() as u64) < limit;
        all.extend(read);
        let Some(last) = all.last().filter(|_| !is_last) else { return all };
        position = last.position;
    }
}

fn short(changes: &[TextChange], since: TextPosition) -> Vec<(i64, i64, &'static str)> {
    changes.iter().map(|c| (c.position.seq, c.owner.document_id.0, c.kind(since).word())).collect()
}

async fn each_document_is_given_once_with_its_last_change(on: Backend) {
    let scene = Scene::new(on).await;
    let mut ids = Vec::new();
    for page in 0..4 {
        ids.push(scene.add(1, &format!("https://a.test/{page}")).await);
    }
    let [a, b, c, never] = ids[..] else { panic!("{ids:?}") };
    let start = TextPosition::default();
    assert_eq!(changes(&scene.store, start, 10).await, []);
    for (document, text) in [(a, "one"), (b, "two"), (c, "three")] {
        sync(&scene, document, fetched("T", text, ContentChange::First)).await;
    }
    let expected = [(1, a.0, "new"), (2, b.0, "new"), (3, c.0, "new")];
    for limit in [1, 2, 3, 10] {
        assert_eq!(short(&changes(&scene.store, start, limit).await, start), expected, "in parts of {limit}");
    }
    // A failure and an unchanged page change no text.
    sync(&scene, never, permanent()).await;
    sync(&scene, a, AttemptEnd::NotModified).await;
    let three = TextPosition::after(Seq(3));
    assert_eq!(changes(&scene.store, three, 10).await, []);
    sync(&scene, a, fetched("T", "one, changed", ContentChange::Changed)).await;
    sync(&scene, a, fetched("T", "one, changed again", ContentChange::Changed)).await;
    scene.store.remove(&[b, never], &"ana".into()).await.unwrap();
    let after = changes(&scene.store, three, 1).await;
    assert_eq!(short(&after, three), [(7, a.0, "changed"), (8, b.0, "gone")], "{after:?}");
    let text = after[0].text.as_ref().unwrap();
    assert_eq!((text.version, text.chars, text.first), (3, Some(18), Some(Seq(1))));
    assert_eq!(text.fingerprint.as_deref(), scene.row(a).await.fingerprint.as_deref());
    assert_eq!((after[0].at, after[1].at), (Some(START), Some(START)));
    assert_eq!((after[1].owner.url.as_str(), &after[1].text), ("https://a.test/1", &None));
    // Whoever begins now learns only of what is there, and of the removal of what was.
    let all = changes(&scene.store, start, 2).await;
    assert_eq!(short(&all, start), [(3, c.0, "new"), (7, a.0, "new"), (8, b.0, "gone")]);
}

async fn a_text_that_is_written_as_no_change_is_given_too(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    fetch(&scene, document, "a text that stays long enough", 1).await;
    let changed_at = changes(&scene.store, TextPosition::default(), 9).await[0].at;
    scene.clock.advance(LEASE);
    fetch(&scene, document, "a text that stays long *enough*", 2).await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!(last.content.map(ContentChange::word), Some("same"));
    let one = TextPosition::after(Seq(1));
    let after = changes(&scene.store, one, 9).await;
    assert_eq!(short(&after, one), [(2, document.0, "changed")]);
    assert_eq!(after[0].at, changed_at, "the page did not change");
    fetch(&scene, document, "a text that stays long *enough*", 2).await;
    assert_eq!(changes(&scene.store, TextPosition::after(Seq(2)), 9).await, []);
}

async fn a_text_that_no_outcome_has_written_comes_first(on: Backend) {
    let scene = Scene::new(on).await;
    for page in 0..3 {
        scene.add(1, &format!("https://a.test/{page}")).await;
    }
    sync(&scene, DocumentId(2), fetched("T", "ours", ContentChange::First)).await;
    scene.sql("UPDATE captain_documents SET content = 'somebody else''s' WHERE id IN (1, 3)").await;
    let start = TextPosition::default();
    for limit in [1, 2, 9] {
        let all = changes(&scene.store, start, limit).await;
        assert_eq!(short(&all, start), [(0, 1, "new"), (0, 3, "new"), (1, 2, "new")], "in parts of {limit}");
        assert_eq!(all[0].position, TextPosition::unnumbered(DocumentId(1)));
    }
}

async fn the_text_and_its_facts_are_read(on: Backend) {
    let scene = Scene::new(on).await;
    let ids = [scene.add(1, "https://a.test/1").await, scene.add(2, "https://a.test/2").await];
    sync(&scene, ids[0], fetched("Title", "grün", ContentChange::First)).await;
    let [stored] = &scene.store.stored_texts(&ids).await.unwrap()[..] else { panic!("one has a text") };
    assert_eq!((stored.text.as_str(), stored.head.owner.name.as_str(), stored.head.chars), ("grün", "Title", Some(4)));
    assert_eq!((stored.head.added_at, stored.head.changed_at), (Some(START), Some(START)));
    assert_eq!(scene.store.text_heads(&ids).await.unwrap(), std::slice::from_ref(&stored.head));
    assert_eq!(scene.store.stored_texts(&[ids[1], DocumentId(99)]).await.unwrap(), []);
}

async fn an_earlier_text_is_restored_and_stays_until_the_page_changes(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.subscribe(Arc::new(Changes));
    let document = scene.add(1, "https://a.test/1").await;
    for text in ["one and the first text", "two and the second text"] {
        fetch(&scene, document, text, 1).await;
    }
    let text = async || scene.store.stored_texts(&[document]).await.unwrap().remove(0).text;
    let restore = async |version| scene.store.restore_text(document, version, &"ana".into()).await.unwrap();
    assert_eq!(restore(2).await, RestoredText::Current);
    assert_eq!(restore(7).await, RestoredText::NoVersion);
    let before = scene.number("SELECT CAST(count(*) AS bigint) FROM outbox").await;
    assert_eq!(restore(1).await, RestoredText::Done { version: 3 });
    assert_eq!(text().await, "one and the first text");
    let messages = scene.number("SELECT CAST(count(*) AS bigint) FROM outbox").await;
    assert_eq!(messages, before + 1, "a subscriber learns of it");
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.content), (OutcomeResult::Restored, Some(ContentChange::Changed)));
    let since = TextPosition::after(Seq(2));
    assert_eq!(short(&changes(&scene.store, since, 9).await, since), [(3, document.0, "changed")]);
    let row = scene.row(document).await;
    assert_eq!((row.versions, row.last_content, row.changed_at), (2, Some(ContentChange::Changed), Some(START)));
    // The whole page was fetched and is the same: the restored text stays.
    fetch(&scene, document, "two and the second text", 1).await;
    assert_eq!(text().await, "one and the first text");
    // A person asks for the whole page.
    let whole = Request { kind: RequestKind::SyncWhole, ..request(QueueClass::Manual) };
    scene.store.request(&[document], &whole).await.unwrap();
    fetch(&scene, document, "two and the second text", 1).await;
    assert_eq!(text().await, "two and the second text");
    assert_eq!(restore(1).await, RestoredText::Done { version: 5 });
    fetch(&scene, document, "three and the third text", 1).await;
    assert_eq!(text().await, "three and the third text");
    let (running, _job) = scene.running("https://a.test/2").await;
    assert_eq!(scene.store.restore_text(running, 1, &"ana".into()).await.unwrap(), RestoredText::Syncing);
}

/// Wants a message of each change of a text.
struct Changes;

impl Subscriber for Changes {
    fn name(&self) -> &str {
        "changes"
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        let key = event.outcome.seq.to_string();
        event.text_changed.then(|| OutboxMessage { key, payload: String::new() })
    }
}

/// Follows random changes of twelve documents by cursors, as a consumer does that is killed at any time.
async fn a_consumer_that_keeps_the_last_cursor_has_what_the_store_has(on: Backend) {
    let scene = Scene::new(on).await;
    let mut state = 7_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut alive: Vec<DocumentId> = Vec::new();
    let (mut cursor, mut copy) = (TextPosition::default(), BTreeMap::<i64, u64>::new());
    let mut seen = BTreeSet::new();
    for step in 0..120 {
        match random(10) {
            0 | 1 if alive.len() < 12 => alive.push(scene.add(1, &format!("https://a.test/{step}")).await),
            2 if !alive.is_empty() => {
                let document = alive.remove(random(alive.len() as u64) as usize);
                scene.store.remove(&[document], &"ana".into()).await.unwrap();
            }
            _ if !alive.is_empty() => {
                let document = alive[random(alive.len() as u64) as usize];
                fetch(&scene, document, &format!("a text of some length, {}", random(4)), random(2) as u16).await;
            }
            _ => {}
        }
        if random(3) > 0 {
            continue;
        }
        let up_to = scene.store.history().await.unwrap().last;
        let limit = 1 + random(4);
        let read = scene.store.text_changes(TextChanges { after: cursor, up_to, limit }).await.unwrap();
        let taken = if (read.len() as u64) < limit { read.len() } else { random(limit + 1) as usize };
        for change in read.iter().take(taken) {
            assert!(seen.insert(change.position), "{change:?} is given twice");
            match &change.text {
                None => copy.remove(&change.owner.document_id.0),
                Some(text) => copy.insert(change.owner.document_id.0, text.version),
            };
            cursor = change.position;
        }
    }
    for change in changes(&scene.store, cursor, 3).await {
        match change.kind(cursor) {
            TextChangeKind::Gone => copy.remove(&change.owner.document_id.0),
            _ => copy.insert(change.owner.document_id.0, change.text.unwrap().version),
        };
    }
    let ids = scene.store.matching(&Filter::default(), Sort::BY_ID, None).await.unwrap();
    let heads = scene.store.text_heads(&ids).await.unwrap();
    let stored: BTreeMap<_, _> = heads.iter().map(|head| (head.owner.document_id.0, head.version)).collect();
    assert_eq!(copy, stored);
    assert!(stored.len() > 3, "{stored:?}");
}

async fn a_history_has_its_ends_and_its_epoch(on: Backend) {
    let scene = Scene::new(on).await;
    let empty = scene.store.history().await.unwrap();
    assert_eq!((empty.first, empty.last), (Seq(1), Seq(0)));
    assert!(empty.epoch > Epoch(1_700_000_000), "{empty:?}");
    let document = scene.add(1, "https://a.test/1").await;
    for text in ["a", "b", "c"] {
        sync(&scene, document, fetched("T", text, ContentChange::Changed)).await;
    }
    scene
        .sql(scene.either("DELETE FROM outcomes WHERE seq < 3", "DELETE FROM quarterdeck.outcomes WHERE seq < 3"))
        .await;
    let pruned = scene.another().await.history().await.unwrap();
    assert_eq!((pruned.first, pruned.last, pruned.epoch, &pruned.store), (Seq(3), Seq(3), empty.epoch, &empty.store));
    let check = |seq| pruned.check(&pruned.cursor(TextPosition::after(Seq(seq))));
    assert_eq!((check(1), check(2), check(0)), (Err(CursorRefusal::Pruned), Ok(()), Ok(())));
    scene.sql(scene.either("DELETE FROM outcomes", "DELETE FROM quarterdeck.outcomes")).await;
    let empty = scene.another().await.history().await.unwrap();
    assert_eq!((empty.first, empty.last), (Seq(4), Seq(3)));
}

/// PostgreSQL's tools restore a backup into new tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_tables_begin_an_epoch_on_postgresql() {
    let scene = Scene::new(Backend::Postgres).await;
    let before = scene.store.history().await.unwrap();
    scene.sql("CREATE TABLE quarterdeck.restored (LIKE quarterdeck.outcomes INCLUDING ALL)").await;
    scene.sql("DROP TABLE quarterdeck.outcomes").await;
    scene.sql("ALTER TABLE quarterdeck.restored RENAME TO outcomes").await;
    let after = scene.another().await.history().await.unwrap();
    assert_eq!((&after.store, after.epoch == before.epoch), (&before.store, false));
    assert_eq!(after, scene.another().await.history().await.unwrap());
}

on_both! {
    ()
    each_document_is_given_once_with_its_last_change,
    a_text_that_is_written_as_no_change_is_given_too,
    an_earlier_text_is_restored_and_stays_until_the_page_changes,
    a_text_that_no_outcome_has_written_comes_first,
    the_text_and_its_facts_are_read,
    a_consumer_that_keeps_the_last_cursor_has_what_the_store_has,
    a_history_has_its_ends_and_its_epoch,
}
