//! Tests words in filters: rare words, which are looked up first, and common ones, which are not. The names and URLs
//! are changed by other programs as well as by syncs.

use super::support::{Backend, Scene, fetched};
use crate::support::postgres;
use proptest::prelude::{Just, Strategy};
use proptest::prop_oneof;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{Status, StatusCounts};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::filter::{Age, Comparison, Filter, FilterCondition, Term};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::store::{
    CheckScope, DocumentStore, MigrationStep, PagePosition, PageQuery, Queries, Sort, SortBy, StatusStore, Store,
    migrate,
};

/// More documents than are looked up by a word.
const MANY: i64 = 20_500;

/// The next attempt is in more than a second, or never.
const AGE: Age = Age { comparison: Comparison::More, span: std::time::Duration::from_secs(1) };

fn term(negated: bool, condition: FilterCondition) -> Term {
    Term { negated, condition }
}

fn word(word: &str) -> Term {
    term(false, FilterCondition::Word(word.into()))
}

/// Returns true if a document with this name and URL contains the word, by the rule of filters.md.
fn contains(name: Option<&str>, url: &str, word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    [name.unwrap_or_default(), url].iter().any(|text| text.to_ascii_lowercase().contains(&word))
}

/// Makes texts of letters, of what patterns and their escapes mean, and of characters whose lower case is special.
fn texts(longest: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop_oneof![Just("a"), Just("b"), Just("A"), Just("ab"), Just("abc"), Just("Ba")],
        2 => prop_oneof![Just("%"), Just("_"), Just("\\"), Just("'"), Just("\""), Just("*"), Just("-"), Just(" ")],
        2 => prop_oneof![Just("K"), Just("k"), Just("\u{212A}"), Just("\u{17F}"), Just("s"), Just("İ"), Just("i\u{307}")],
        2 => prop_oneof![Just("ß"), Just("ẞ"), Just("SS"), Just("é"), Just("É"), Just("e\u{301}"), Just("日本語"), Just("🙂")],
        1 => prop_oneof![Just("AND"), Just("\n"), Just("http"), Just("\u{200D}"), Just("\u{FFFD}")],
    ];
    proptest::collection::vec(piece, 1..longest).prop_map(|pieces| pieces.concat())
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn ids_of(
    documents: &[(i64, Option<String>, String)],
    matches: impl Fn(Option<&str>, &str) -> bool,
) -> Vec<DocumentId> {
    let found = documents.iter().filter(|(_, name, url)| matches(name.as_deref(), url));
    found.map(|(id, ..)| DocumentId(*id)).collect()
}

async fn every_word_finds_what_contains_it(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut runner = TestRunner::deterministic();
    let mut draw = |longest| texts(longest).new_tree(&mut runner).unwrap().current();
    let mut documents = Vec::new();
    let mut script = String::from("BEGIN;");
    for id in 1..=300_i64 {
        let (name, url) = (Some(draw(8)).filter(|_| id % 10 > 0), format!("https://{}/{id}", draw(8)));
        script += &format!(
            "INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, created_at, \
             updated_at) VALUES ({id}, {}, {}, 1, 1, 1, {zero}, {zero});",
            name.as_deref().map_or("NULL".into(), quoted),
            quoted(&url),
            zero = scene.place.at(0)
        );
        documents.push((id, name, url));
    }
    scene.sql(&(script + "COMMIT;")).await;
    for round in 0..3 {
        for _ in 0..60 {
            let (one, other) = (draw(4), draw(3));
            let both = Filter { terms: vec![word(&one), term(true, FilterCondition::Word(other.clone()))] };
            let found = scene.store.matching(&both, Sort::BY_ID, None).await.unwrap();
            let expected = ids_of(&documents, |name, url| contains(name, url, &one) && !contains(name, url, &other));
            assert_eq!(found, expected, "{one:?} -{other:?}, round {round}");
            let either = Filter { terms: vec![word(&one), word(&other)] };
            let found = scene.store.matching(&either, Sort::BY_ID, None).await.unwrap();
            let expected = ids_of(&documents, |name, url| contains(name, url, &one) && contains(name, url, &other));
            assert_eq!(found, expected, "{one:?} {other:?}, round {round}");
        }
        let clean = scene.store.check_statuses(CheckScope::All).await.unwrap();
        assert!(clean.is_clean(), "{clean:?}");
        // Other programs change names, change URLs and remove documents.
        let mut script = String::from("BEGIN;");
        documents.retain(|(id, ..)| id % 7 != round + 1);
        script += &format!("DELETE FROM captain_documents WHERE id % 7 = {};", round + 1);
        for (id, name, url) in documents.iter_mut().filter(|(id, ..)| id % 3 == round) {
            *name = Some(draw(8));
            *url = format!("https://{}/{id}", draw(8));
            script += &format!(
                "UPDATE captain_documents SET name = {}, external_link = {} WHERE id = {id};",
                quoted(name.as_deref().unwrap_or_default()),
                quoted(url)
            );
        }
        scene.sql(&(script + "COMMIT;")).await;
    }
}

async fn a_new_title_is_found_at_once(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, job) = scene.running("https://a.test/x").await;
    let find =
        async |text: &str| scene.store.matching(&Filter { terms: vec![word(text)] }, Sort::BY_ID, None).await.unwrap();
    assert_eq!((find("tést").await, find("a.test").await), (vec![], vec![id]));
    scene.finish(&job, fetched("A Tést", "text", ContentChange::First)).await;
    assert_eq!((find("tést").await, find("TÉST").await, find("a t").await), (vec![id], vec![], vec![id]));
    scene.store.remove(&[id], &"ana".into()).await.unwrap();
    assert_eq!(find("a.test").await, []);
}

/// Common and rare words, alone and with other terms, in every order, at an offset and around a document.
async fn pages_agree_with_the_whole_list_however_common_a_word_is(backend: Backend) {
    let scene = Scene::new(backend).await;
    let numbers = format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MANY})");
    scene
        .sql(&format!(
            "{numbers} INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, \
             sync_status, last_synced_at, created_at, updated_at) SELECT i, 'Common ' || i, 'https://a.test/' || (i % 997), \
             i, i % 3, 1, CASE WHEN i % 2 = 0 THEN 1 END, CASE WHEN i % 2 = 0 THEN {at} END, {at}, {at} FROM n",
            at = scene.place.at(1_000_000),
        ))
        .await;
    let synced = term(false, FilterCondition::Status(vec![Status::Synced]));
    let all = |wanted: &dyn Fn(i64) -> bool| (1..=MANY).filter(|id| wanted(*id)).map(DocumentId).collect::<Vec<_>>();
    let cases = [
        (vec![word("COMMON")], all(&|_| true)),
        (vec![word("mm")], all(&|_| true)),
        (vec![word("common"), synced.clone()], all(&|id| id % 2 == 0)),
        (vec![word("common"), term(false, FilterCondition::Account(vec![1]))], all(&|id| id % 3 == 1)),
        (vec![word("common"), term(true, FilterCondition::Word("n 2".into()))], {
            all(&|id| !id.to_string().starts_with('2'))
        }),
        (vec![word("mon 777")], all(&|id| id.to_string().starts_with("777"))),
        (vec![word("mon 777"), synced], all(&|id| id % 2 == 0 && id.to_string().starts_with("777"))),
        (
            vec![
                word("mon 777"),
                term(false, FilterCondition::Next(AGE)),
                term(true, FilterCondition::Queue(vec![QueueClass::Auto])),
            ],
            { all(&|id| id.to_string().starts_with("777")) },
        ),
        (
            vec![word("common"), term(false, FilterCondition::Next(AGE)), term(true, FilterCondition::Http(vec![404]))],
            { all(&|_| true) },
        ),
        (vec![word("mon 777"), word("test/777")], all(&|id| id == 777)),
        (vec![term(true, FilterCondition::Word("common 1".into()))], all(&|id| !id.to_string().starts_with('1'))),
        (vec![word("nowhere")], vec![]),
    ];
    for (terms, expected) in cases {
        pages_agree(&scene, Filter { terms }, &expected, &[SortBy::Id, SortBy::Status, SortBy::Synced, SortBy::Url])
            .await;
    }
}

/// More failed documents than are known by id.
const MANY_FAILED: i64 = 61_000;

/// Words of failures, few and many, in documents whose names and URLs do not have them.
async fn words_find_the_last_failure_too(backend: Backend) {
    let scene = Scene::new(backend).await;
    let numbers =
        format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})", MANY_FAILED + 10);
    scene
        .sql(&format!(
            "{numbers} INSERT INTO captain_documents (id, name, external_link, assistant_id, account_id, status, \
             created_at, updated_at) SELECT i, CASE WHEN i % 1000 = 7 THEN 'Rare 404' ELSE 'Common' END, \
             'https://a.test/' || i, 1, i % 3, 1, {at}, {at} FROM n",
            at = scene.place.at(1_000_000),
        ))
        .await;
    // The first ten do not exist, the last ten have not failed, of the others a third timed out.
    let own = if backend == Backend::Postgres { "quarterdeck." } else { "" };
    scene
        .sql(&format!(
            "{numbers} INSERT INTO {own}document_state (document_id, host, error_code, detail, http_status) \
             SELECT i, 'a.test', CASE WHEN i <= 10 THEN 'not_found' WHEN i % 3 = 0 THEN 'timeout' ELSE 'fetch_failed' END, \
             CASE WHEN i <= 10 THEN 'the server says No' WHEN i % 3 = 0 THEN 'no answer in 20 s' \
             ELSE '503 Service Unavailable' END, CASE WHEN i <= 10 THEN 404 WHEN i % 3 = 0 THEN NULL ELSE 503 END \
             FROM n WHERE i <= {MANY_FAILED}"
        ))
        .await;
    let last = MANY_FAILED + 10;
    let all = |wanted: &dyn Fn(i64) -> bool| (1..=last).filter(|id| wanted(*id)).map(DocumentId).collect::<Vec<_>>();
    let is_rare = |id: i64| id % 1_000 == 7;
    let has_failed = |id: i64| id <= MANY_FAILED;
    let timed_out = |id: i64| id > 10 && id % 3 == 0 && has_failed(id);
    let without = |text: &str| term(true, FilterCondition::Word(text.into()));
    let cases = [
        (vec![word("404")], all(&|id| id <= 10 || is_rare(id) || id.to_string().contains("404"))),
        (vec![word("not_found")], all(&|id| id <= 10)),
        (vec![word("says no")], all(&|id| id <= 10)),
        (vec![word("TIMEOUT")], all(&timed_out)),
        (vec![word("no answer"), word("rare")], all(&|id| timed_out(id) && is_rare(id))),
        (vec![word("no answer"), without("rare")], all(&|id| timed_out(id) && !is_rare(id))),
        (vec![word("common"), word("answer")], all(&|id| timed_out(id) && !is_rare(id))),
        (vec![word("er")], all(&has_failed)),
        (vec![word("er"), word("rare")], all(&|id| has_failed(id) && is_rare(id))),
        (vec![without("er")], all(&|id| !has_failed(id))),
        (vec![word("common"), without("404")], all(&|id| id > 10 && !is_rare(id) && !id.to_string().contains("404"))),
        (
            vec![without("503")],
            all(&|id| (id <= 10 || timed_out(id) || !has_failed(id)) && !id.to_string().contains("503")),
        ),
        (vec![word("answer"), term(false, FilterCondition::Account(vec![0]))], all(&timed_out)),
        (vec![without("answer"), term(false, FilterCondition::Error(vec![ErrorCode::Timeout]))], vec![]),
        (vec![word("503"), term(false, FilterCondition::Status(vec![Status::Synced]))], vec![]),
    ];
    for (terms, expected) in cases {
        pages_agree(&scene, Filter { terms }, &expected, &[SortBy::Status]).await;
    }
    // The same as of the rows alone.
    let page = PageQuery { filter: Filter::default(), sort: Sort::BY_ID, position: PagePosition::Offset(0), limit: 60 };
    let rows = scene.store.page(&page).await.unwrap().rows;
    for text in ["404", "no", "503", "common", "fetch_", "rare"] {
        let filter = Filter { terms: vec![word(text)] };
        let found = scene.store.matching(&filter, Sort::BY_ID, None).await.unwrap();
        let expected: Vec<_> =
            rows.iter().filter(|row| filter.matches(row, super::support::START)).map(|row| row.id).collect();
        let found: Vec<_> = found.into_iter().filter(|id| id.0 <= 60).collect();
        assert_eq!(found, expected, "{text}");
    }
}

/// Compares the whole list and its pages with the documents that must be listed, in several orders.
async fn pages_agree(scene: &Scene, filter: Filter, expected: &[DocumentId], orders: &[SortBy]) {
    for by in orders.iter().copied() {
        let sort = Sort { by, descending: by == SortBy::Url };
        let list = scene.store.matching(&filter, sort, None).await.unwrap();
        let mut sorted = list.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, expected, "{filter:?} {by:?}");
        let mut counts = StatusCounts::default();
        for row in scene.store.rows(&list).await.unwrap() {
            counts.add(row.status, 1);
        }
        let ask = async |position| {
            let query = PageQuery { filter: filter.clone(), sort, position, limit: 5 };
            let page = scene.store.page(&query).await.unwrap();
            assert_eq!(page.matching, Some(counts), "{filter:?} {by:?}");
            (page.total, page.offset, page.rows.iter().map(|row| row.id).collect::<Vec<_>>())
        };
        let total = list.len();
        for offset in [0, total / 3, total.saturating_sub(5)] {
            let expected = list.iter().copied().skip(offset).take(5).collect::<Vec<_>>();
            let asked = ask(PagePosition::Offset(offset as u64)).await;
            assert_eq!(asked, (total as u64, offset as u64, expected.clone()), "{filter:?} {by:?}");
            let Some(document) = expected.first().copied() else { continue };
            // The last page is full.
            let offset = offset.min(total.saturating_sub(5));
            let expected = list.iter().copied().skip(offset).take(5).collect::<Vec<_>>();
            let asked = ask(PagePosition::Document { document, rows_above: 0, fallback_offset: 0 }).await;
            assert_eq!(asked, (total as u64, offset as u64, expected), "{filter:?} {by:?}");
        }
    }
}

on_both! {
    ()
    every_word_finds_what_contains_it,
    a_new_title_is_found_at_once,
    pages_agree_with_the_whole_list_however_common_a_word_is,
    words_find_the_last_failure_too,
}

#[tokio::test]
async fn postgres_finds_a_word_by_trigrams() {
    let scene = Scene::new(Backend::Postgres).await;
    scene
        .sql(
            "INSERT INTO captain_documents (name, external_link, assistant_id, account_id, created_at, updated_at) \
             SELECT 'Name ' || i, 'https://a.test/' || i, 1, 1, now(), now() FROM generate_series(1, 20000) i",
        )
        .await;
    scene.sql("VACUUM ANALYZE quarterdeck.document_words").await;
    scene
        .sql(
            "CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$ DECLARE plan text := ''; line text; \
             BEGIN FOR line IN EXECUTE 'EXPLAIN ' || query LOOP plan := plan || line; END LOOP; RETURN plan; END $$",
        )
        .await;
    for (pattern, by_index) in [("%me 1234%", 1), ("%e%", 0)] {
        let explained = format!(
            "SELECT count(*) FROM (SELECT plan_of('SELECT document_id FROM document_words w WHERE w.name LIKE \
             ''{pattern}'' OR w.url LIKE ''{pattern}'' LIMIT 20001') AS plan) p WHERE plan LIKE '%document_words_trigrams%'"
        );
        assert_eq!(scene.number(&explained).await, by_index, "{pattern}");
    }
}

#[tokio::test]
async fn postgres_without_trigrams_finds_the_same() {
    let database = postgres::empty().await;
    // As on a server that lacks the extension, or for a role that may not create it.
    database
        .script(
            "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             RAISE EXCEPTION 'no extensions here'; END $$; \
             CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE EXTENSION') \
             EXECUTE FUNCTION refuse()",
        )
        .await;
    let mut steps = 0;
    migrate(&database.url, true, &mut |_: MigrationStep| steps += 1).await.unwrap();
    assert!(steps > 1);
    let clock = std::sync::Arc::new(quarterdeck::store::ManualClock::at(super::support::START));
    let store = super::support::open(&database.url, clock, quarterdeck::store::Access::Write).await;
    store
        .add(&[super::support::new(1, "https://a.test/Pricing"), super::support::new(1, "https://a.test/b")])
        .await
        .unwrap();
    let found = store.matching(&Filter { terms: vec![word("pricing")] }, Sort::BY_ID, None).await.unwrap();
    assert_eq!(found, [DocumentId(1)]);
    let index = "SELECT count(*)::text FROM pg_indexes WHERE indexname = 'document_words_trigrams'";
    assert_eq!(database.text(index).await, "0");
    // What the triggers could not see is corrected, and the index is made once it can be.
    database
        .script(
            "DROP EVENT TRIGGER refuse; SET session_replication_role = replica; \
        UPDATE captain_documents SET name = 'Pricing' WHERE id = 2; RESET session_replication_role",
        )
        .await;
    assert_eq!(store.check_statuses(CheckScope::All).await.unwrap().wrong_words, 1);
    let sample = CheckScope::Sample { from: DocumentId(2), documents: 1 };
    assert_eq!(store.check_statuses(sample).await.unwrap().wrong_words, 1);
    store.rebuild_statuses().await.unwrap();
    assert!(store.check_statuses(CheckScope::All).await.unwrap().is_clean());
    let found = store.matching(&Filter { terms: vec![word("pricing")] }, Sort::BY_ID, None).await.unwrap();
    assert_eq!(found, [DocumentId(1), DocumentId(2)]);
    assert_eq!(database.text(index).await, "1");
    store.close().await;
}
