//! Tests a text that Chatwoot has replaced without its fingerprint, as its crawl does.

use super::guests::guest;
use super::support::{Scene, fetched, limits, request, worker};
use quarterdeck::domain::content::{ContentChange, Page};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{DocumentStore as _, JobStore as _, Queries as _};

const ID: DocumentId = DocumentId(2);
const TEXT: &str = "The whole text of the page,\n\nin two paragraphs.";

/// Syncs the document with a page that is fetched whole, and returns the result.
async fn sync(scene: &Scene, text: &str) -> (OutcomeResult, Option<ContentChange>) {
    scene.store.request(&[ID], &request(QueueClass::Manual)).await.unwrap();
    let job = scene.store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let page = Page::new(Some("T"), text.to_owned(), text.len() as u64, 200).unwrap();
    let (change, _) = job.stored.compare(&page);
    let fingerprint = page.fingerprint.clone();
    scene.finish(&job, AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }).await;
    let last = scene.outcomes().await.pop().unwrap();
    (last.result, last.content)
}

async fn stored(scene: &Scene) -> String {
    scene.store.content(ID).await.unwrap().unwrap().text
}

#[tokio::test]
async fn a_text_that_was_replaced_under_its_old_fingerprint_is_mended_once_by_a_full_fetch() {
    let scene = guest().await;
    sync(&scene, TEXT).await;
    let unchanged = (OutcomeResult::Unchanged, Some(ContentChange::Same));
    assert_eq!(sync(&scene, TEXT).await, unchanged);
    // Chatwoot's crawl stores at most 15,000 characters, and leaves the fingerprint.
    scene.sql("UPDATE public.captain_documents SET content = 'The whole text' WHERE id = 2").await;
    assert_eq!(sync(&scene, TEXT).await, (OutcomeResult::Updated, Some(ContentChange::Changed)));
    assert_eq!(stored(&scene).await, TEXT);
    assert_eq!(sync(&scene, TEXT).await, unchanged, "once");
    // White space alone makes no other text.
    scene.sql("UPDATE public.captain_documents SET content = replace(content, E'\\n', ' ') WHERE id = 2").await;
    assert_eq!(sync(&scene, TEXT).await, unchanged);
    assert_eq!(stored(&scene).await, TEXT.replace('\n', " "));
    // Nor does a character that a database cannot store.
    let with_nul = "a text with \0 in it";
    sync(&scene, with_nul).await;
    assert_eq!(sync(&scene, with_nul).await, unchanged);
}

#[tokio::test]
async fn a_page_that_was_not_fetched_whole_mends_nothing() {
    let scene = guest().await;
    sync(&scene, TEXT).await;
    scene.sql("UPDATE public.captain_documents SET content = 'The whole text' WHERE id = 2").await;
    scene.store.request(&[ID], &request(QueueClass::Manual)).await.unwrap();
    let job = scene.claim(1).await.remove(0);
    scene.finish(&job, AttemptEnd::NotModified).await;
    assert_eq!(stored(&scene).await, "The whole text");
    // A first text is written as before.
    scene.store.request(&[DocumentId(3)], &request(QueueClass::Manual)).await.unwrap();
    let job = scene.claim(1).await.remove(0);
    scene.finish(&job, fetched("T", "x", ContentChange::First)).await;
    assert_eq!(scene.results().await.last(), Some(&OutcomeResult::Unchanged));
}
