//! Tests pages, counts and filters of the list.

use super::support::{Backend, START, Scene, fetched, limits, new, permanent, timeout, worker};
use proptest::prelude::{Just, Strategy, any};
use proptest::prop_oneof;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{DocumentKind, Status, StatusCounts, StatusFacts, SyncStatus};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::filter::{Age, Comparison, Filter, FilterCondition, Term};
use quarterdeck::domain::id::{AssistantId, DocumentId};
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    CheckScope, DocumentRef, DocumentStore, JobStore, NewDocument, OutcomeQuery, OutcomesFrom, PagePosition, PageQuery,
    Queries, Sort, SortBy, StatusStore, StoreBase, StoreError,
};
use std::time::Duration;

fn filter(negated: bool, test: FilterCondition) -> Filter {
    Filter { terms: vec![Term { negated, condition: test }] }
}

fn page(filter: Filter, by: SortBy, descending: bool, around: PagePosition, limit: u64) -> PageQuery {
    PageQuery { filter, sort: Sort { by, descending }, position: around, limit }
}

async fn ids(scene: &Scene, negated: bool, test: FilterCondition) -> Vec<i64> {
    scene.store.matching(&filter(negated, test), Sort::BY_ID, None).await.unwrap().into_iter().map(|id| id.0).collect()
}

/// Makes five documents: synced, failed 404, waiting, queued, never synced.
async fn five(backend: Backend) -> (Scene, [DocumentId; 5]) {
    let scene = Scene::new(backend).await;
    let (synced, job) = scene.running("https://a.test/100%_sure").await;
    scene.finish(&job, fetched("Über 100%_sure", "text", ContentChange::First)).await;
    scene.clock.advance(Duration::from_secs(3_600));
    let (failed, job) = scene.running("https://a.test:8080/two").await;
    scene.finish(&job, permanent()).await;
    let (waiting, job) = scene.running("https://b.test/three").await;
    scene.finish(&job, timeout()).await;
    let queued = scene.add(7, "https://b.test/four").await;
    scene.ask(&[queued], QueueClass::Auto).await;
    let never = scene.add(7, "https://aXtest.test/five").await;
    (scene, [synced, failed, waiting, queued, never])
}

async fn every_filter_finds_what_it_says(backend: Backend) {
    let (scene, _) = five(backend).await;
    let hour = Duration::from_secs(3_600);
    let minute = Duration::from_secs(60);
    let age = |side, span| Age { comparison: side, span };
    let cases = [
        (FilterCondition::Word("100%_SURE".into()), vec![1]),
        (FilterCondition::Word("%".into()), vec![1]),
        // Of the error code, too.
        (FilterCondition::Word("_".into()), vec![1, 2]),
        (FilterCondition::Word("404".into()), vec![2]),
        (FilterCondition::Word("TIMEOUT".into()), vec![3]),
        (FilterCondition::Word("'; DROP TABLE jobs; --".into()), vec![]),
        (FilterCondition::Word("test/t".into()), vec![3]),
        (FilterCondition::Status(vec![Status::Failed, Status::Queued]), vec![2, 4]),
        (FilterCondition::Status(vec![Status::Never]), vec![5]),
        (FilterCondition::Error(vec![ErrorCode::Timeout]), vec![3]),
        (FilterCondition::Http(vec![404, 500]), vec![2]),
        (FilterCondition::Host(vec!["A.test".into()]), vec![1, 2]),
        (FilterCondition::Host(vec!["a.test:8080".into()]), vec![2]),
        (FilterCondition::Id(vec![5, 1, 99]), vec![1, 5]),
        (FilterCondition::Account(vec![7]), vec![4, 5]),
        (FilterCondition::Assistant(vec![1]), vec![1, 2, 3, 4, 5]),
        (FilterCondition::Attempted(age(Comparison::Less, minute)), vec![2, 3]),
        (FilterCondition::Attempted(age(Comparison::More, minute)), vec![1, 4, 5]),
        (FilterCondition::Synced(age(Comparison::Less, 2 * hour)), vec![1]),
        (FilterCondition::Synced(age(Comparison::More, minute)), vec![1, 2, 3, 4, 5]),
        (FilterCondition::Attempted(age(Comparison::Never, minute)), vec![4, 5]),
        (FilterCondition::Synced(age(Comparison::Never, minute)), vec![2, 3, 4, 5]),
        (FilterCondition::Next(age(Comparison::Less, minute)), vec![3]),
        (FilterCondition::Next(age(Comparison::More, minute)), vec![1, 2, 4, 5]),
        (FilterCondition::Queue(vec![QueueClass::Manual]), vec![1, 2, 3]),
        (FilterCondition::Queue(vec![QueueClass::Auto]), vec![4]),
    ];
    for (test, expected) in cases {
        assert_eq!(ids(&scene, false, test.clone()).await, expected, "{test:?}");
        let others: Vec<_> = (1..=5).filter(|id| !expected.contains(id)).collect();
        assert_eq!(ids(&scene, true, test.clone()).await, others, "not {test:?}");
    }
    for long in [FilterCondition::Word("x".repeat(60_000)), FilterCondition::Id((0..40_000).collect())] {
        let refused = scene.store.matching(&filter(false, long), Sort::BY_ID, None).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{refused:?}");
    }
    let wrong = scene.store.matching(&filter(false, FilterCondition::By(vec!["ana".into()])), Sort::BY_ID, None).await;
    assert!(matches!(wrong, Err(StoreError::Refused(_))), "{wrong:?}");
}

async fn ids_come_in_any_order_and_rows_by_id(backend: Backend) {
    let (scene, [synced, failed, waiting, queued, never]) = five(backend).await;
    let sorted = async |by, descending, limit| {
        scene.store.matching(&Filter::default(), Sort { by, descending }, limit).await.unwrap()
    };
    assert_eq!(sorted(SortBy::Id, true, Some(2)).await, [never, queued]);
    assert_eq!(sorted(SortBy::Url, false, None).await, [synced, failed, never, queued, waiting]);
    assert_eq!(sorted(SortBy::Status, false, Some(1)).await, [failed]);
    let by_page = scene.store.page(&page(Filter::default(), SortBy::Status, false, PagePosition::Offset(0), 9)).await;
    let order = sorted(SortBy::Status, false, None).await;
    let rows = scene.store.rows(&order).await.unwrap();
    assert_eq!(rows, by_page.unwrap().rows, "ids and rows are those of the page");

    scene.store.remove(&[queued], &"ana".into()).await.unwrap();
    let rows = scene.store.rows(&[never, queued, synced, DocumentId(99)]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), [never, synced]);
    assert_eq!(scene.store.rows(&[]).await.unwrap(), []);
}

async fn outcomes_are_filtered_and_read_from_either_end(backend: Backend) {
    let (scene, [_, failed, ..]) = five(backend).await;
    let read = async |filter, document, from, limit| {
        let query = OutcomeQuery { filter, document, from, limit };
        let outcomes = scene.store.outcomes(&query).await.unwrap();
        outcomes.iter().map(|line| line.seq.0).collect::<Vec<_>>()
    };
    let all = Filter::default;
    assert_eq!(read(all(), None, OutcomesFrom::Newest, 2).await, [2, 3]);
    let seq = scene.outcomes().await[1].seq;
    assert_eq!(read(all(), None, OutcomesFrom::Before(seq), 9).await, [1]);
    assert_eq!(read(all(), None, OutcomesFrom::After(seq), 9).await, [3]);
    assert_eq!(read(all(), Some(failed), OutcomesFrom::Newest, 9).await, [2]);
    let result = filter(true, FilterCondition::Result(vec![OutcomeResult::Unchanged]));
    assert_eq!(read(result, None, OutcomesFrom::Newest, 9).await, [2, 3]);
    assert_eq!(
        read(filter(false, FilterCondition::By(vec!["ANA".into()])), None, OutcomesFrom::Newest, 9).await,
        [1, 2, 3]
    );
    assert_eq!(
        read(filter(false, FilterCondition::Host(vec!["a.test".into()])), None, OutcomesFrom::Newest, 9).await,
        [1, 2]
    );
    assert_eq!(scene.store.last_seq().await.unwrap().0, 3);
    let wrong = OutcomeQuery {
        filter: filter(false, FilterCondition::Status(vec![Status::Failed])),
        document: None,
        from: OutcomesFrom::Newest,
        limit: 1,
    };
    assert!(scene.store.outcomes(&wrong).await.is_err());
}

async fn every_order_is_total_and_an_anchor_stands_where_it_is_listed(backend: Backend) {
    let (scene, _) = five(backend).await;
    for n in 0..20 {
        let id = scene.add(n % 3, &format!("https://c.test/{}", n % 7 * 10 + n)).await;
        if n % 2 == 0 {
            scene.ask(&[id], QueueClass::Auto).await;
        }
    }
    use SortBy::{Attempted, Error, Id, Next};
    for by in SortBy::ALL {
        for descending in [false, true] {
            let ask = async |around, limit| {
                let query = page(Filter::default(), by, descending, around, limit);
                scene.store.page(&query).await.unwrap()
            };
            let whole = ask(PagePosition::Offset(0), 100).await;
            assert_eq!((whole.total, whole.rows.len(), whole.offset), (25, 25, 0));
            let mut windows = Vec::new();
            for offset in (0..25).step_by(5) {
                windows.extend(ask(PagePosition::Offset(offset), 5).await.rows);
            }
            assert_eq!(windows, whole.rows, "{by:?} {descending}");
            for (place, row) in whole.rows.iter().enumerate() {
                let anchored =
                    ask(PagePosition::Document { document: row.id, rows_above: 2, fallback_offset: 0 }, 5).await;
                let offset = (place as u64).saturating_sub(2).min(20);
                assert_eq!(anchored.offset, offset, "{by:?} {descending} {place}");
                assert_eq!(anchored.rows, whole.rows[offset as usize..offset as usize + 5]);
            }
        }
    }
    let ask = async |by, descending| {
        let query = page(Filter::default(), by, descending, PagePosition::Offset(0), 100);
        scene.store.page(&query).await.unwrap().rows.into_iter().map(|row| row.id.0).collect::<Vec<_>>()
    };
    assert_eq!(ask(Attempted, false).await[..3], [3, 2, 1], "the most recent first");
    assert_eq!(ask(Attempted, true).await[24], 3, "never is the greatest age");
    assert_eq!(ask(Error, false).await[..2], [2, 3]);
    assert_eq!(ask(Error, true).await[..2], [3, 2], "documents without an error stay last");
    assert_eq!(ask(Next, true).await[0], 3);
    assert_eq!(ask(Id, true).await[0], 25);
}

async fn a_page_beyond_the_end_is_the_last_one(backend: Backend) {
    let (scene, _) = five(backend).await;
    let ask = async |filter, around| scene.store.page(&page(filter, SortBy::Id, false, around, 2)).await.unwrap();
    let last = ask(Filter::default(), PagePosition::Offset(99)).await;
    assert_eq!((last.offset, last.rows.len(), last.total), (3, 2, 5));
    let gone = PagePosition::Document { document: DocumentId(77), rows_above: 1, fallback_offset: 2 };
    assert_eq!(ask(Filter::default(), gone).await.offset, 2);
    let none = ask(filter(false, FilterCondition::Word("nowhere".into())), PagePosition::Offset(5)).await;
    assert_eq!((none.offset, none.rows.len(), none.total), (0, 0, 0));
}

async fn a_filtered_list_counts_its_documents_by_status(backend: Backend) {
    let (scene, _) = five(backend).await;
    let ask = async |filter| {
        let query = page(filter, SortBy::Status, false, PagePosition::Offset(0), 2);
        scene.store.page(&query).await.unwrap()
    };
    assert_eq!(ask(Filter::default()).await.matching, None, "all documents are counted apart");
    for term in [
        FilterCondition::Host(vec!["a.test".into()]),
        FilterCondition::Word("test".into()),
        FilterCondition::Status(Status::ALL.to_vec()),
        FilterCondition::Status(vec![Status::Failed, Status::Syncing, Status::Stuck]),
    ] {
        for negated in [false, true] {
            let filter = filter(negated, term.clone());
            let ids = scene.store.matching(&filter, Sort::BY_ID, None).await.unwrap();
            let mut counts = StatusCounts::default();
            for row in scene.store.rows(&ids).await.unwrap() {
                counts.add(row.status, 1);
            }
            assert_eq!(ask(filter.clone()).await.matching, Some(counts), "{filter:?}");
        }
    }
}

async fn a_name_stands_for_an_id_or_for_every_assistants_url(backend: Backend) {
    let scene = Scene::new(backend).await;
    let url = Link::parse("https://a.test/x").unwrap();
    let other = NewDocument { assistant_id: AssistantId(9), ..new(1, "https://a.test/x") };
    let named = NewDocument { name: Some("A name".into()), ..new(1, "https://a.test/y") };
    scene.store.add(&[new(1, "https://a.test/x"), other, named]).await.unwrap();
    assert_eq!(scene.store.find(&DocumentRef::Url(url)).await.unwrap().len(), 2);
    let row = scene.row(DocumentId(3)).await;
    assert_eq!((row.name.as_str(), row.host.as_str(), row.available), ("A name", "a.test", true));
    assert_eq!((row.status, row.updated_at), (Status::Never, START));
    assert!(scene.store.find(&DocumentRef::Id(DocumentId(4))).await.unwrap().is_empty());
}

async fn the_queue_in_figures(backend: Backend) {
    let (scene, _) = five(backend).await;
    let state = scene.store.queue().await.unwrap();
    assert_eq!((state.ready, state.running, state.waiting, state.scheduled, state.workers), (1, 0, 1, 0, 0));
    assert_eq!(state.oldest_ready_at, Some(scene.store.now()));
    assert_eq!(state.next_due_at, Some(scene.store.now().plus(Duration::from_secs(30))));
    scene.store.register(&worker("w1")).await.unwrap();
    scene.store.claim(&worker("w1").id, limits(5)).await.unwrap();
    let state = scene.store.queue().await.unwrap();
    assert_eq!((state.ready, state.running, state.workers), (0, 1, 1));
}

/// SQL computes the same status as the domain, over rows of every kind.
async fn the_status_of_sql_is_the_status_of_the_domain(backend: Backend) {
    let scene = Scene::new(backend).await;
    let times = prop_oneof![
        Just(None),
        (-20_000_i64..100).prop_map(|seconds| Some(seconds * 1_000_000)),
        prop_oneof![Just(-7_200_000_000_i64), Just(-7_200_000_001), Just(-7_199_999_999), Just(0)].prop_map(Some),
    ];
    let states = prop_oneof![
        Just(None),
        (
            prop_oneof![Just("scheduled"), Just("ready"), Just("running"), Just("done"), Just("failed")],
            0_u32..3,
            any::<bool>()
        )
            .prop_map(Some)
    ];
    let rows = (states, prop_oneof![Just(None), (0_i64..4).prop_map(Some)], times.clone(), times, any::<bool>());
    let mut runner = TestRunner::deterministic();
    let mut facts = Vec::new();
    let mut script = String::from("BEGIN;");
    let sql = |at: Option<i64>| at.map_or("NULL".into(), |at| scene.place.at(at));
    for id in 1..=600_i64 {
        let (job, row_status, attempted, synced, has_state) = rows.new_tree(&mut runner).unwrap().current();
        let at = |offset: Option<i64>| offset.map(|offset| START.micros() + offset);
        script += &format!(
            "INSERT INTO captain_documents (id, external_link, assistant_id, account_id, status, sync_status, \
             last_sync_attempted_at, last_synced_at, created_at, updated_at) \
             VALUES ({id}, 'https://a.test/{id}', 1, 1, 1, {}, {}, {}, {zero}, {zero});",
            row_status.map_or("NULL".into(), |code| code.to_string()),
            sql(at(attempted)),
            sql(at(synced)),
            zero = scene.place.at(0)
        );
        if has_state {
            script += &format!("INSERT INTO document_state (document_id, host) VALUES ({id}, 'a.test');");
        }
        if let Some((state, attempt, lock_is_held)) = job {
            let holder = if lock_is_held { "'Chatwoot'" } else { "NULL" };
            script += &format!(
                "INSERT INTO jobs (document_id, account_id, assistant_id, url, host, class, state, run_at, attempt, \
                 requested_at, lock_holder) \
                 VALUES ({id}, 1, 1, '', '', 0, '{state}', 0, {attempt}, 0, {holder});"
            );
        }
        let live = job.and_then(|(state, attempt, lock_is_held)| {
            let state = JobState::parse(state).filter(|state| state.is_live())?;
            Some(StatusFacts::live(state, attempt, lock_is_held))
        });
        facts.push(StatusFacts {
            kind: DocumentKind::Web,
            live_job: live,
            sync_status: row_status.and_then(SyncStatus::from_code),
            attempted_at: at(attempted).map(Timestamp::from_micros),
            synced_at: at(synced).map(Timestamp::from_micros),
            cadence: None,
        });
    }
    scene.sql(&(script + "COMMIT;")).await;
    let query = page(Filter::default(), SortBy::Id, false, PagePosition::Offset(0), 1_000);
    let rows = scene.store.page(&query).await.unwrap().rows;
    for (row, facts) in rows.iter().zip(&facts) {
        assert_eq!(row.status, facts.status(START), "{facts:?}");
    }
    let statuses: Vec<Status> = facts.iter().map(|facts| facts.status(START)).collect();
    assert_lists_agree(&scene, &statuses).await;
    // The same after a plan makes some documents stale, before and after their stored statuses are corrected.
    let cadence = Duration::from_secs(5_000);
    let plan = format!("INSERT INTO accounts_sched (account_id, cadence) VALUES (1, {})", cadence.as_micros());
    scene.sql(&plan).await;
    let statuses: Vec<Status> =
        facts.iter().map(|facts| StatusFacts { cadence: Some(cadence), ..*facts }.status(START)).collect();
    // A store of our own has pages alone.
    for status in Status::ALL.into_iter().filter(|status| !matches!(status, Status::Pdf | Status::Crawling)) {
        assert!(statuses.contains(&status), "{status:?} was never made");
    }
    assert_lists_agree(&scene, &statuses).await;
    let expired = scene.store.expire_statuses().await.unwrap();
    assert!(expired > 0);
    assert_lists_agree(&scene, &statuses).await;
    scene.sql("UPDATE document_status SET status = 7, status_until = NULL WHERE document_id % 5 = 0").await;
    scene.sql("DELETE FROM document_status WHERE document_id = 7").await;
    let sample = CheckScope::Sample { from: DocumentId(7), documents: 1 };
    assert_eq!(scene.store.check_statuses(sample).await.unwrap().wrong, 1);
    assert!(scene.store.check_statuses(CheckScope::All).await.unwrap().wrong > 50);
    scene.store.rebuild_statuses().await.unwrap();
    assert_lists_agree(&scene, &statuses).await;
}

/// Asserts that counts, filters and the order by status agree with the statuses of the documents 1, 2, ….
async fn assert_lists_agree(scene: &Scene, statuses: &[Status]) {
    let store = &scene.store;
    let checked = store.check_statuses(CheckScope::All).await.unwrap();
    assert!(checked.is_clean() && checked.documents == statuses.len() as u64, "{checked:?}");
    let with = |status: Status| -> Vec<DocumentId> {
        (1..).zip(statuses).filter(|(_, has)| **has == status).map(|(id, _)| DocumentId(id)).collect()
    };
    let counts = store.counts().await.unwrap();
    let account = &store.accounts().await.unwrap().rows[0];
    for status in Status::ALL {
        assert_eq!(counts.of(status), with(status).len() as u64, "{status:?}");
        assert_eq!(account.counts.of(status), counts.of(status), "{status:?}");
        for other in Status::ALL {
            let both = filter(false, FilterCondition::Status(vec![status, other]));
            let mut expected = with(status);
            if other != status {
                expected.extend(with(other));
                expected.sort();
            }
            assert_eq!(store.matching(&both, Sort::BY_ID, None).await.unwrap(), expected, "{status:?} {other:?}");
        }
    }
    let by_status: Vec<DocumentId> = Status::ALL.into_iter().flat_map(with).collect();
    let sort = Sort { by: SortBy::Status, descending: false };
    assert_eq!(store.matching(&Filter::default(), sort, None).await.unwrap(), by_status);
}

on_both! {
    ()
    every_filter_finds_what_it_says,
    ids_come_in_any_order_and_rows_by_id,
    outcomes_are_filtered_and_read_from_either_end,
    every_order_is_total_and_an_anchor_stands_where_it_is_listed,
    a_page_beyond_the_end_is_the_last_one,
    a_filtered_list_counts_its_documents_by_status,
    a_name_stands_for_an_id_or_for_every_assistants_url,
    the_queue_in_figures,
    the_status_of_sql_is_the_status_of_the_domain,
}
