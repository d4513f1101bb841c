//! Tests what is known of the FAQs of Chatwoot's documents: their state in rows and in filters, before and after a pass,
//! and where the answers cannot be read.

use super::guests::{adds, attaches, guest, pass};
use super::schedule::DAY;
use super::support::{Backend, START, Scene, limits, request, worker};
use crate::support::postgres::CHATWOOT_ANSWERS;
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::faq::{FaqCoverage, FaqJob, FaqState};
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::request::{RequestAnswer, SkipReason};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    BulkVerb, DocumentStore as _, JobStore as _, OutboxStore as _, Queries as _, Sort, StoreError, Targets,
};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

/// A Chatwoot whose answers can be read. The documents have a text of Chatwoot's.
async fn answering() -> Scene {
    let scene = guest().await;
    scene.sql(&format!("SET search_path TO public; {CHATWOOT_ANSWERS}")).await;
    scene.sql("UPDATE public.captain_documents SET content = 'a text of Chatwoot'").await;
    scene
}

/// Adds answers to a document, made at the current time of the clock.
async fn answers(scene: &Scene, id: i64, number: u32, edited: bool) {
    let at = scene.place.at(scene.clock_now().micros());
    scene
        .sql(&format!(
            "INSERT INTO public.captain_assistant_responses (question, answer, assistant_id, documentable_id, account_id, \
             created_at, updated_at, status, documentable_type, edited) SELECT 'Q' || n || '?', 'A', 3, {id}, 2, {at}, {at}, \
             n % 2, 'Captain::Document', {edited} FROM generate_series(1, {number}) n"
        ))
        .await;
}

/// Syncs a document with a page of this text. Returns true if the text was written.
async fn sync(scene: &Scene, id: i64, text: &str) -> bool {
    scene.store.request(&[DocumentId(id)], &request(QueueClass::Manual)).await.unwrap();
    let job = scene.store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let page = Page::new(Some("T"), text.to_owned(), text.len() as u64, 200).unwrap();
    let (change, _) = job.stored.compare(&page);
    let fingerprint = page.fingerprint.clone();
    scene.finish(&job, AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }).await;
    scene.outcomes().await.pop().unwrap().content.is_some_and(ContentChange::writes)
}

async fn coverage(scene: &Scene, id: i64) -> FaqCoverage {
    scene.row(DocumentId(id)).await.faqs.expect("they can be read")
}

/// Asserts that rows, the list and a verb agree on which documents have this state.
async fn assert_state(scene: &Scene, state: FaqState, expected: &[i64], what: &str) {
    for sign in ["", "-"] {
        let filter = Filter::parse(&format!("{sign}faq:{}", state.word())).unwrap();
        let listed = scene.store.matching(&filter, Sort::BY_ID, None).await.unwrap();
        let preview = scene.store.preview(&Targets::Matching(filter.clone()), BulkVerb::Cancel).await.unwrap();
        let found = preview.skipped.iter().map(|(_, count)| count).sum::<u64>();
        assert_eq!(found, listed.len() as u64, "{what}: {sign}{state:?} of a verb");
        let rows = scene.store.rows(&scene.all().await).await.unwrap();
        let matching: Vec<_> = rows.iter().filter(|row| filter.matches(row, START)).map(|row| row.id).collect();
        assert_eq!(listed, matching, "{what}: {sign}{state:?}");
        if sign.is_empty() {
            assert_eq!(listed.iter().map(|id| id.0).collect::<Vec<_>>(), expected, "{what}: {state:?}");
        }
    }
}

#[tokio::test]
async fn a_state_follows_from_our_own_times_alone_before_and_after_a_pass() {
    let scene = answering().await;
    answers(&scene, 3, 2, false).await;
    // Written by this program: before, after, and again without another text.
    for (id, text) in [(4, "first"), (5, "first"), (6, "first")] {
        assert!(sync(&scene, id, text).await);
    }
    scene.clock.advance(HOUR);
    for id in [4, 5, 6] {
        answers(&scene, id, 3, id == 6).await;
    }
    scene.clock.advance(HOUR);
    assert!(sync(&scene, 5, "second").await);
    assert!(!sync(&scene, 6, "first").await);
    // Each attempt of Chatwoot moves this time, so it says nothing about the text.
    scene.sql("UPDATE public.captain_documents SET updated_at = now() + interval '9 years'").await;
    // A text that Chatwoot has written since is not ours.
    assert!(sync(&scene, 7, "ours").await);
    answers(&scene, 7, 1, false).await;
    scene
        .sql(
            "UPDATE public.captain_documents SET content = 'theirs', \
             metadata = metadata || '{\"content_fingerprint\":\"00\"}' WHERE id = 7",
        )
        .await;
    for what in ["no pass yet", "after a pass"] {
        if what == "after a pass" {
            pass(&scene).await;
        }
        assert_state(&scene, FaqState::None, &[1, 2, 8, 9], what).await;
        assert_state(&scene, FaqState::Stale, &[5], what).await;
        assert_state(&scene, FaqState::Ok, &[4, 6], what).await;
        assert_state(&scene, FaqState::Unknown, &[3, 7], what).await;
    }
    let stale = coverage(&scene, 5).await;
    assert_eq!((stale.faqs, stale.pending, stale.edited, stale.job), (3, 1, Some(0), None));
    assert!(stale.newest_at < stale.text_at && stale.newest_at.is_some());
    assert_eq!(coverage(&scene, 6).await.edited, Some(3));
    assert_eq!(coverage(&scene, 2).await.edited, Some(0));
    // What Chatwoot does is seen by the next pass, and a pass that finds nothing writes nothing.
    // A job that makes as many answers as there were changes no number.
    scene
        .sql(
            "DELETE FROM public.captain_assistant_responses WHERE id = \
             (SELECT min(id) FROM public.captain_assistant_responses WHERE documentable_id = 5)",
        )
        .await;
    answers(&scene, 5, 1, false).await;
    scene.sql("DELETE FROM public.captain_assistant_responses WHERE documentable_id = 4").await;
    scene.sql("DELETE FROM public.captain_documents WHERE id = 9").await;
    pass(&scene).await;
    assert_state(&scene, FaqState::Stale, &[], "rebuilt").await;
    assert_state(&scene, FaqState::None, &[1, 2, 4, 8], "removed").await;
    assert_eq!(scene.number("SELECT count(*) FROM quarterdeck.document_faqs").await, 8);
    let before = scene.number("SELECT sum(xmin::text::bigint)::bigint FROM quarterdeck.document_faqs").await;
    pass(&scene).await;
    let after = scene.number("SELECT sum(xmin::text::bigint)::bigint FROM quarterdeck.document_faqs").await;
    assert_eq!(before, after);
}

#[tokio::test]
async fn a_text_of_chatwoot_that_was_compared_is_not_ours() {
    let scene = answering().await;
    assert!(sync(&scene, 2, "ours").await);
    scene.clock.advance(HOUR);
    answers(&scene, 2, 1, false).await;
    assert_eq!(coverage(&scene, 2).await.state, FaqState::Ok);
    // Chatwoot stores the next text, and this program finds the page unchanged.
    scene
        .sql(
            "UPDATE public.captain_documents SET content = 'theirs', metadata = metadata || jsonb_build_object(\
             'content_fingerprint', encode(sha256('theirs'), 'hex')) WHERE id = 2",
        )
        .await;
    assert!(!sync(&scene, 2, "theirs").await);
    assert_eq!(coverage(&scene, 2).await.state, FaqState::Unknown);
}

#[tokio::test]
async fn where_the_answers_cannot_be_read_nothing_else_breaks() {
    for (sql, says) in [
        ("DROP TABLE public.captain_assistant_responses", "there is no table captain_assistant_responses"),
        ("ALTER TABLE public.captain_assistant_responses RENAME documentable_type TO kind", "lacks a column"),
    ] {
        let scene = answering().await;
        answers(&scene, 3, 2, false).await;
        pass(&scene).await;
        assert_state(&scene, FaqState::Unknown, &[3], "before").await;
        scene.sql(sql).await;
        adds(&scene, 10).await;
        assert_eq!(scene.row(DocumentId(3)).await.faqs, None, "{sql}");
        for step in ["before a pass", "after one"] {
            let filter = Filter::parse("faq:none").unwrap();
            let refused = scene.store.matching(&filter, Sort::BY_ID, None).await;
            let StoreError::Forbidden(reason) = refused.unwrap_err() else { panic!("{sql}: another error") };
            assert!(reason.starts_with("FAQs are not available: ") && reason.ends_with(says), "{step}: {reason}");
            let verb = scene.store.preview(&Targets::Matching(filter.clone()), BulkVerb::Cancel).await;
            assert!(matches!(verb, Err(StoreError::Forbidden(_))), "{sql}");
            let started = scene.store.start_faq_jobs(&[DocumentId(3)], &"ana".into()).await;
            assert!(matches!(started, Err(StoreError::Forbidden(_))), "{sql}");
            pass(&scene).await;
            let all = scene.store.matching(&Filter::default(), Sort::BY_ID, None).await.unwrap();
            assert_eq!(all.len(), 10, "the list has what Chatwoot has added");
        }
        assert_eq!(scene.number("SELECT count(faqs_read_at) FROM quarterdeck.shadow_passes").await, 0);
        assert!(sync(&scene, 3, "ours").await, "syncs go on");
    }
    // Only the column with the edits is missing: everything else is known.
    let scene = answering().await;
    answers(&scene, 3, 2, false).await;
    scene.sql("ALTER TABLE public.captain_assistant_responses DROP COLUMN edited").await;
    pass(&scene).await;
    assert_state(&scene, FaqState::Unknown, &[3], "without edits").await;
    let known = coverage(&scene, 3).await;
    assert_eq!((known.faqs, known.pending, known.edited), (2, 1, None));
    let preview = scene.store.preview(&Targets::Ids(vec![DocumentId(3)]), BulkVerb::Faq).await.unwrap();
    let faqs = preview.faqs.expect("of FAQ jobs");
    assert_eq!((faqs.answers, faqs.edited, faqs.named.len()), (2, None, 0));
}

#[tokio::test]
async fn answers_that_become_readable_are_known_at_once() {
    let scene = guest().await;
    pass(&scene).await;
    assert_eq!(scene.row(DocumentId(3)).await.faqs, None);
    scene.sql(&format!("SET search_path TO public; {CHATWOOT_ANSWERS}")).await;
    answers(&scene, 3, 2, false).await;
    assert_state(&scene, FaqState::Unknown, &[3], "not read by a pass yet").await;
    pass(&scene).await;
    assert_state(&scene, FaqState::Unknown, &[3], "after a pass").await;
}

#[tokio::test]
async fn a_job_is_noted_once_and_again_only_for_another_text_or_when_redis_has_forgotten_it() {
    let scene = answering().await;
    scene.sql("UPDATE public.captain_documents SET status = 0 WHERE id = 4").await;
    scene.sql("UPDATE public.captain_documents SET content = E' \\n' WHERE id = 5").await;
    attaches(&scene, 6).await;
    answers(&scene, 2, 3, false).await;
    answers(&scene, 7, 2, true).await;
    let ids = [2, 3, 4, 5, 6, 7, 99].map(DocumentId);
    let preview = scene.store.preview(&Targets::Ids(ids.to_vec()), BulkVerb::Faq).await.unwrap();
    assert_eq!(preview.targets, [2, 3, 7].map(DocumentId));
    let skipped = |reason| preview.skipped.iter().find(|(known, _)| *known == reason).map(|(_, count)| *count);
    for reason in [SkipReason::Unavailable, SkipReason::NoText, SkipReason::PdfFaqs, SkipReason::Missing] {
        assert_eq!(skipped(reason), Some(1), "{reason:?}");
    }
    let faqs = preview.faqs.expect("of FAQ jobs");
    assert_eq!((faqs.answers, faqs.edited, faqs.edited_documents), (5, Some(2), 1));
    let named = &faqs.named[0];
    assert_eq!((named.document, named.name.as_str(), named.answers), (DocumentId(7), "N7", 2));
    assert_eq!(named.questions.iter().map(|text| text.as_str()).collect::<Vec<_>>(), ["Q1?", "Q2?"]);

    let start = async |ids: &[i64]| {
        let ids: Vec<_> = ids.iter().copied().map(DocumentId).collect();
        let answers = scene.store.start_faq_jobs(&ids, &"ana".into()).await.unwrap();
        answers.into_iter().map(|answer| answer.answer).collect::<Vec<_>>()
    };
    let pending = async || scene.store.due_deliveries("chatwoot_faq", 99).await.unwrap();
    assert_eq!(start(&[2, 2, 3]).await, vec![RequestAnswer::FaqNoted; 3]);
    let noted = pending().await;
    assert_eq!(noted.iter().map(|message| message.payload.as_str()).collect::<Vec<_>>().len(), 2, "each once");
    assert!(noted.iter().any(|message| message.payload == r#"{"document_id":2,"account_id":1}"#), "{noted:?}");
    assert!(noted.iter().all(|message| message.key.len() == 24));
    assert_eq!(start(&[2]).await, [RequestAnswer::Skipped(SkipReason::FaqWaits)]);
    let since = scene.clock_now();
    assert_eq!(coverage(&scene, 2).await.job, Some(FaqJob::Waiting { since, reason: None }));
    let backlog = scene.store.faq_backlog().await.unwrap().expect("two wait");
    assert_eq!((backlog.jobs, backlog.oldest_at, backlog.reason), (2, since, None));
    // Delivered.
    for message in &noted {
        scene.store.delivered(message.id, None).await.unwrap();
    }
    assert_eq!(scene.store.faq_backlog().await.unwrap(), None);
    scene.clock.advance(Duration::from_secs(180));
    let ago = Duration::from_secs(180);
    assert_eq!(start(&[2]).await, [RequestAnswer::Skipped(SkipReason::FaqStarted(ago))]);
    assert_eq!(coverage(&scene, 2).await.job, Some(FaqJob::Started { at: since }));
    let preview = scene.store.preview(&Targets::Ids(ids[..2].to_vec()), BulkVerb::Faq).await.unwrap();
    assert_eq!(preview.skipped, [(SkipReason::FaqStarted(ago), 2)]);
    // Another text is another matter.
    assert!(sync(&scene, 3, "another").await);
    assert_eq!(start(&[2, 3]).await[1], RequestAnswer::FaqNoted);
    for message in pending().await {
        scene.store.delivered(message.id, None).await.unwrap();
    }
    // Redis forgets after seven days.
    scene.clock.advance(Duration::from_secs(7 * DAY - 1) - ago);
    assert!(matches!(start(&[2]).await[0], RequestAnswer::Skipped(SkipReason::FaqStarted(_))));
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(start(&[2]).await, [RequestAnswer::FaqNoted]);
    assert_eq!(scene.number("SELECT count(*) FROM quarterdeck.faq_jobs").await, 2);
}

#[tokio::test]
async fn requests_at_the_same_time_start_one_job_each() {
    let scene = answering().await;
    let ids: Vec<_> = (1..=9).map(DocumentId).collect();
    let all = (0..6).map(|_| async { scene.store.start_faq_jobs(&ids, &"ana".into()).await.unwrap() });
    let given = futures_util::future::join_all(all).await;
    let noted = given.iter().flatten().filter(|answer| answer.answer == RequestAnswer::FaqNoted).count();
    assert_eq!((noted, scene.store.due_deliveries("chatwoot_faq", 99).await.unwrap().len()), (9, 9));
}

async fn a_store_of_our_own_has_no_faqs(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/1").await;
    assert_eq!(scene.row(id).await.faqs, None);
    let says = "FAQs need a database of Chatwoot, and this store is not one";
    let filter = Filter::parse("-faq:ok").unwrap();
    for refused in [
        scene.store.matching(&filter, Sort::BY_ID, None).await.map(|_| ()),
        scene.store.preview(&Targets::Matching(filter.clone()), BulkVerb::Cancel).await.map(|_| ()),
        scene.store.preview(&Targets::Ids(vec![id]), BulkVerb::Faq).await.map(|_| ()),
        scene.store.start_faq_jobs(&[id], &"ana".into()).await.map(|_| ()),
    ] {
        assert!(matches!(&refused, Err(StoreError::Forbidden(reason)) if reason == says), "{refused:?}");
    }
    assert_eq!(scene.store.unreadable_faqs().await.unwrap().as_deref(), Some(says));
    assert_eq!(scene.store.faq_backlog().await.unwrap(), None);
}

on_both! {
    ()
    a_store_of_our_own_has_no_faqs,
}

/// The time of the scene's clock.
trait ClockNow {
    fn clock_now(&self) -> Timestamp;
    async fn all(&self) -> Vec<DocumentId>;
}

impl ClockNow for Scene {
    fn clock_now(&self) -> Timestamp {
        quarterdeck::store::StoreBase::now(&*self.store)
    }

    async fn all(&self) -> Vec<DocumentId> {
        self.store.matching(&Filter::default(), Sort::BY_ID, None).await.unwrap()
    }
}
