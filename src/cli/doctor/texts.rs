//! Checks of the texts on a database of Chatwoot: which text is written, what wrote the stored ones, and what a pass would
//! rewrite.

use crate::chatwoot::crawling::Crawling;
use crate::cli::crawling::followed;
use crate::config::Config;
use crate::domain::chatwoot_text::Generation;
use crate::domain::finding::Finding;
use crate::domain::id::DocumentId;
use crate::domain::site_rule::WrittenText;
use crate::domain::text_comparison::{self, TextComparison};
use crate::fetch::{FetchRequest, FetchResponse, Fetcher};
use crate::format;
use crate::runner::is_fetched_otherwise;
use crate::store::{Store, StoreError};
use futures_util::{StreamExt, stream};

const TEXTS: &str = "texts";
/// Number of pages that `--sample` fetches.
const SAMPLE_SIZE: u32 = 20;
/// Number of these that are fetched at the same time.
const PARALLEL_FETCHES: usize = 4;

/// Returns the findings about texts; none on a store of our own.
pub(super) async fn texts(store: &dyn Store, config: &Config, is_sampled: bool) -> Result<Vec<Finding>, StoreError> {
    if !store.is_chatwoot_database() {
        return Ok(Vec::new());
    }
    let origins = store.text_origins().await?;
    let is_chatwoots = config.fetch.extract != Some(WrittenText::Main);
    let written = match (is_chatwoots, origins.generation) {
        (false, _) => "the text that is written is our main content (fetch.extract = \"main\")".to_owned(),
        (true, generation) => {
            let parser = match generation {
                Some(Generation::WholeBody) => "the whole body, as in the newest of its texts that were compared",
                Some(Generation::MainPart) => "the main part, as in the newest of its texts that were compared",
                None => "in the form of the stored one; none of its texts has been compared yet",
            };
            format!("the text that is written is Chatwoot's own ({parser})")
        }
    };
    let stored = format!(
        "stored are {} of ours, {} of Chatwoot's that were compared with their pages, {} that were not yet, {} without \
         a fingerprint",
        format::number(origins.own),
        format::number(origins.compared),
        format::number(origins.unknown),
        format::number(origins.without_fingerprint),
    );
    let message = format!("{written}; {stored}");
    let mut found = vec![match is_chatwoots {
        true => Finding::ok(TEXTS, message),
        false => Finding::warn(
            TEXTS,
            message,
            "leave fetch.extract out where Chatwoot's own job syncs the same documents: each program takes the other's \
             text for a change, and FAQs are built anew each time",
        ),
    }];
    if is_sampled {
        found.push(sample(store, config).await?);
    }
    Ok(found)
}

/// Result of comparing a sampled document with its page.
enum Sampled {
    Same,
    /// The text would wait for review, since it was fetched in another way.
    Review,
    Changed(DocumentId),
    Failed,
}

/// Fetches a sample of pages and compares them with the stored texts. Stores nothing.
async fn sample(store: &dyn Store, config: &Config) -> Result<Finding, StoreError> {
    let documents = store.text_sample(SAMPLE_SIZE).await?;
    let crawling = store.crawling().await?;
    let fetcher = match Fetcher::new(followed(config, store).await?.fetch) {
        Ok(fetcher) => fetcher,
        Err(error) => return Ok(Finding::warn(TEXTS, format!("no page can be fetched: {error}"), "see above")),
    };
    let compared = stream::iter(documents).map(|(id, url)| compare(store, &fetcher, &crawling, id, url));
    let results: Vec<_> = compared.buffered(PARALLEL_FETCHES).collect().await;
    let (mut same, mut review, mut failed, mut changed) = (0u64, 0u64, 0u64, Vec::new());
    for result in results {
        match result? {
            Sampled::Same => same += 1,
            Sampled::Review => review += 1,
            Sampled::Failed => failed += 1,
            Sampled::Changed(id) => changed.push(id.to_string()),
        }
    }
    let mut message = format!(
        "of {} that were fetched, a pass would leave {same} as they are and rewrite {}",
        format::count(same + review + changed.len() as u64, "page"),
        changed.len()
    );
    if review > 0 {
        message.push_str(&format!(
            "; {} that Chatwoot has fetched in another way would wait for review",
            format::count(review, "text")
        ));
    }
    if failed > 0 {
        message.push_str(&format!("; {} could not be fetched", format::count(failed, "page")));
    }
    Ok(match changed.as_slice() {
        [] => Finding::ok(TEXTS, message),
        ids => {
            let cure = format!("`quarterdeck show ID --probe` shows what a sync would do; changed: {}", ids.join(", "));
            Finding::warn(TEXTS, message, cure)
        }
    })
}

async fn compare(
    store: &dyn Store,
    fetcher: &Fetcher,
    crawling: &Crawling,
    id: DocumentId,
    url: String,
) -> Result<Sampled, StoreError> {
    let Some(stored) = store.stored(id).await? else { return Ok(Sampled::Failed) };
    let chatwoot = fetcher.writes_chatwoot_text(id, &url, true);
    let request = FetchRequest { chatwoot, ..FetchRequest::whole(id, url.as_str()) };
    let Ok(FetchResponse::Page(page)) = fetcher.fetch(&request).await else { return Ok(Sampled::Failed) };
    if !chatwoot {
        let (change, _) = stored.compare(&page);
        return Ok(if change.writes() { Sampled::Changed(id) } else { Sampled::Same });
    }
    let text = store.content(id).await?.map(|content| content.text).unwrap_or_default();
    Ok(match text_comparison::compare(&stored, &page, Some(&text)) {
        TextComparison::Same(_) => Sampled::Same,
        TextComparison::Changed(difference)
            if difference.fetched_otherwise
                || is_fetched_otherwise(fetcher, Some(crawling), (id, &url), &stored, &page) =>
        {
            Sampled::Review
        }
        TextComparison::Changed(_) | TextComparison::NeedsText => Sampled::Changed(id),
    })
}
