//! `quarterdeck faq`: starts Chatwoot's own jobs that rebuild the FAQs of documents.

use super::confirm::agreed;
use super::context::{Context, operator};
use super::exit::{CliError, Exit};
use super::output::{Output, note};
use super::request::{AnswerPrinter, BATCH_SIZE, BulkArgs, ChosenDocuments, choose};
use super::wiring::connect_watcher;
use crate::chatwoot::faq_job::FaqSwitch;
use crate::config::Config;
use crate::domain::faq::{FaqPreview, NEEDS_CHATWOOT};
use crate::format;
use crate::store::{BulkVerb, Store, StoreBase};
use serde::Serialize;
use std::sync::Arc;

/// Arguments of `faq`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Documents, and how the verb treats many of them.
    #[command(flatten)]
    pub bulk: BulkArgs,
}

pub(super) async fn run(context: &Context, args: &Args, out: &mut Output) -> Result<Exit, CliError> {
    let bulk = &args.bulk;
    let Some(ChosenDocuments { store, selected, ids, refused }) = choose(context, bulk, BulkVerb::Faq, out).await?
    else {
        return Ok(Exit::Done);
    };
    let mut printer = AnswerPrinter::new(&selected, bulk.json, false);
    printer.print(&refused, out)?;
    for batch in ids.chunks(BATCH_SIZE) {
        printer.print(&store.start_faq_jobs(batch, &operator()).await?, out)?;
    }
    context.announce(&*store).await?;
    printer.end("faq", None, out)?;
    if !ids.is_empty() && store.queue().await?.workers == 0 {
        note("no worker is running: the jobs wait until `quarterdeck work`, or a console with --runner, starts them");
    } else if !ids.is_empty() {
        note_unserved(&context.config, &store).await;
    }
    store.close().await;
    Ok(if printer.refused { Exit::WrongUse } else { Exit::Done })
}

/// Returns the reason why these settings start no FAQ jobs; `None` if they do.
pub(super) fn switched_off(config: &Config, store: &dyn StoreBase) -> Option<&'static str> {
    match config.faq_job.switch {
        _ if !store.is_chatwoot_database() => Some(NEEDS_CHATWOOT),
        FaqSwitch::Off => Some("no FAQ jobs are started: chatwoot.enqueue_faq_job is false"),
        FaqSwitch::Auto if !config.redis.is_used() => {
            Some("no FAQ jobs are started without Chatwoot's Redis: set redis.url, or chatwoot.enqueue_faq_job = true")
        }
        FaqSwitch::Auto | FaqSwitch::On => None,
    }
}

/// Says why the jobs wait, if no process of Sidekiq would take them.
async fn note_unserved(config: &Config, store: &Arc<dyn Store>) {
    let Ok(Some(redis)) = connect_watcher(config, &**store).await else { return };
    redis.first_connection().await;
    match redis.served_queue(config.faq_job.queue.as_deref()).await {
        Ok(Ok(_)) => {}
        Ok(Err(reason)) => note(format!("the jobs wait: {reason}")),
        Err(error) => note(format!("the jobs wait: {error}")),
    }
    redis.close().await;
}

/// Asks before FAQ jobs are started.
pub(super) fn confirmed(yes: bool, documents: usize, faqs: &FaqPreview) -> Result<bool, CliError> {
    format::faq_effects(faqs).into_iter().for_each(note);
    agreed(yes, &format!("Start the FAQ {} of {}?", jobs(documents), format::count(documents as u64, "document")))
}

fn jobs(number: usize) -> &'static str {
    if number == 1 { "job" } else { "jobs" }
}

/// Effect of a start of FAQ jobs on answers, in JSON.
#[derive(Debug, Serialize)]
pub(super) struct FaqPreviewJson<'a> {
    answers: u64,
    edited_answers: Option<u64>,
    edited_documents: u64,
    edited: Vec<EditedJson<'a>>,
}

#[derive(Debug, Serialize)]
struct EditedJson<'a> {
    document_id: i64,
    name: &'a str,
    answers: u64,
    questions: Vec<QuestionJson<'a>>,
}

#[derive(Debug, Serialize)]
struct QuestionJson<'a> {
    question: &'a str,
}

impl<'a> From<&'a FaqPreview> for FaqPreviewJson<'a> {
    fn from(faqs: &'a FaqPreview) -> Self {
        let edited = faqs.named.iter().map(|named| EditedJson {
            document_id: named.document.0,
            name: &named.name,
            answers: named.answers,
            questions: named.questions.iter().map(|question| QuestionJson { question }).collect(),
        });
        Self {
            answers: faqs.answers,
            edited_answers: faqs.edited,
            edited_documents: faqs.edited_documents,
            edited: edited.collect(),
        }
    }
}
