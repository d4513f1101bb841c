//! Answers to requests (sync, retry, cancel): the word for scripts, and sentences for people.

use super::number::{count, number};
use super::time::age;
use crate::domain::document::Status;
use crate::domain::request::{DocumentAnswer, RequestAnswer, SkipReason, add_skipped};
use crate::domain::text::SafeLine;
use std::time::Duration;

/// Returns the word of an answer in JSON and in the output lines of the command line.
pub const fn answer_word(answer: &RequestAnswer) -> &'static str {
    match answer {
        RequestAnswer::Queued(_) => "queued",
        RequestAnswer::Promoted(_) => "promoted",
        RequestAnswer::RunsNow(_) => "runs_now",
        RequestAnswer::AlreadyQueued(_) => "already_queued",
        RequestAnswer::AlreadySyncing(..) => "already_syncing",
        RequestAnswer::Skipped(_) => "skipped",
        RequestAnswer::Cancelled(_) => "cancelled",
        RequestAnswer::Stopping(_) => "stopping",
        RequestAnswer::FaqNoted => "faq_noted",
    }
}

/// Returns the note after the answer's word, such as `running on box:1` (a worker) or `has nothing to cancel`; `None`
/// if the word is enough, or if the worker is not known.
pub fn answer_note(answer: &RequestAnswer) -> Option<String> {
    match answer {
        RequestAnswer::Promoted(_) => Some("moved to the front of the queue".to_owned()),
        RequestAnswer::RunsNow(_) => Some("its next attempt starts now".to_owned()),
        RequestAnswer::AlreadySyncing(_, worker) => worker.as_ref().map(|worker| format!("running on {worker}")),
        RequestAnswer::Skipped(reason) => Some(reason.to_string()),
        RequestAnswer::Stopping(_) => Some("its running attempt is being stopped".to_owned()),
        RequestAnswer::Queued(_)
        | RequestAnswer::AlreadyQueued(_)
        | RequestAnswer::Cancelled(_)
        | RequestAnswer::FaqNoted => None,
    }
}

/// Who has requested the job that a request meets, and how long it has run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EarlierRequest {
    /// The requester, if known.
    pub by: Option<SafeLine>,
    /// Time since the attempt began; `None` if it is not known, or if none runs.
    pub running_for: Option<Duration>,
}

/// Returns the answer for the document `name` as a sentence. `earlier` is about the job that there is already; who and
/// when come first, since the end of a sentence may be cut.
pub fn answer(name: &str, answer: &RequestAnswer, earlier: &EarlierRequest) -> String {
    let by = earlier.by.as_ref().map_or(String::new(), |by| format!("{by} was faster: "));
    match answer {
        RequestAnswer::Queued(_) => format!("queued {name}"),
        RequestAnswer::Promoted(_) => format!("{name} is first in the queue"),
        RequestAnswer::RunsNow(_) => format!("{name} is retried now"),
        RequestAnswer::AlreadyQueued(_) => format!("{by}{name} is queued already"),
        RequestAnswer::AlreadySyncing(_, worker) => {
            let worker = worker.as_ref().map_or(String::new(), |worker| format!(" on {worker}"));
            let syncing = match earlier.running_for {
                Some(time) => format!("has been syncing for {}", age(time)),
                None => "is syncing already".to_owned(),
            };
            format!("{by}{name} {syncing}{worker}")
        }
        RequestAnswer::Skipped(reason) => format!("{name} {reason}"),
        RequestAnswer::Cancelled(_) => format!("cancelled {name}"),
        RequestAnswer::Stopping(_) => format!("stopping {name}"),
        RequestAnswer::FaqNoted => format!("noted the FAQ job of {name}; a worker starts it"),
    }
}

/// Returns the answers for several documents in one sentence: `queued 12 documents, 3 already queued or running`.
/// `done` is the verb for the accepted requests.
pub fn answers(done: &str, answers: &[DocumentAnswer]) -> String {
    let matching =
        |test: fn(&RequestAnswer) -> bool| answers.iter().filter(|response| test(&response.answer)).count() as u64;
    let accepted = matching(RequestAnswer::is_accepted);
    let before =
        matching(|answer| matches!(answer, RequestAnswer::AlreadyQueued(_) | RequestAnswer::AlreadySyncing(..)));
    let mut parts = vec![format!("{done} {}", count(accepted, "document"))];
    if before > 0 {
        parts.push(format!("{} already queued or running", number(before)));
    }
    let mut skipped: Vec<(SkipReason, u64)> = Vec::new();
    for response in answers {
        if let RequestAnswer::Skipped(reason) = response.answer {
            add_skipped(&mut skipped, reason, 1);
        }
    }
    let skipped = skipped.into_iter();
    parts.extend(
        skipped.map(|(reason, documents)| format!("{} skipped: {}", number(documents), skip_reason_short(reason))),
    );
    parts.join(", ")
}

/// Returns the reason why several documents were skipped, worded to follow the number of documents.
pub fn skip_reason(reason: SkipReason) -> String {
    match reason {
        SkipReason::Pdf => "PDFs, which are never fetched".to_owned(),
        SkipReason::Unavailable => "not available yet".to_owned(),
        SkipReason::Running => "syncing already".to_owned(),
        SkipReason::NotFailed(Status::Never) => {
            "never synced; only failed, waiting and stuck documents are retried".to_owned()
        }
        SkipReason::NotFailed(status) => {
            format!("{}; only failed, waiting and stuck documents are retried", status.word())
        }
        SkipReason::NothingToCancel => "nothing to cancel".to_owned(),
        SkipReason::Missing => "gone".to_owned(),
        SkipReason::PdfFaqs => "PDFs, for which Chatwoot starts no FAQ job again".to_owned(),
        SkipReason::NoText => "without a text to make FAQs of".to_owned(),
        SkipReason::FaqWaits => "with an FAQ job that waits already".to_owned(),
        SkipReason::FaqStarted(ago) => format!("FAQ job already started, the last {} ago", age(ago)),
    }
}

/// Returns a shorter form of [`skip_reason`] for a toast or a dialog.
pub fn skip_reason_short(reason: SkipReason) -> String {
    match reason {
        SkipReason::Pdf => "PDF, never fetched".to_owned(),
        SkipReason::NotFailed(Status::Never) => "never synced, so nothing to retry".to_owned(),
        SkipReason::NotFailed(status) => format!("{}, so nothing to retry", status.word()),
        SkipReason::PdfFaqs => "PDF, no FAQ job".to_owned(),
        SkipReason::NoText => "no text".to_owned(),
        SkipReason::FaqWaits => "FAQ job waits already".to_owned(),
        SkipReason::Unavailable
        | SkipReason::Running
        | SkipReason::NothingToCancel
        | SkipReason::Missing
        | SkipReason::FaqStarted(_) => skip_reason(reason),
    }
}

/// Returns a word with its first letter in upper case, for the beginning of a sentence.
pub fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{DocumentId, JobId};

    const JOB: JobId = JobId(1);

    #[test]
    fn every_answer_has_a_word_and_a_sentence() {
        let on_worker = RequestAnswer::AlreadySyncing(JOB, Some(SafeLine::new("box:1")));
        for (given, word, note, sentence) in [
            (RequestAnswer::Queued(JOB), "queued", None, "queued A"),
            (
                RequestAnswer::Promoted(JOB),
                "promoted",
                Some("moved to the front of the queue"),
                "A is first in the queue",
            ),
            (RequestAnswer::RunsNow(JOB), "runs_now", Some("its next attempt starts now"), "A is retried now"),
            (RequestAnswer::AlreadyQueued(JOB), "already_queued", None, "ana was faster: A is queued already"),
            (
                on_worker,
                "already_syncing",
                Some("running on box:1"),
                "ana was faster: A has been syncing for 12s on box:1",
            ),
            (
                RequestAnswer::AlreadySyncing(JOB, None),
                "already_syncing",
                None,
                "ana was faster: A has been syncing for 12s",
            ),
            (
                RequestAnswer::Skipped(SkipReason::NothingToCancel),
                "skipped",
                Some("has nothing to cancel"),
                "A has nothing to cancel",
            ),
            (RequestAnswer::Cancelled(JOB), "cancelled", None, "cancelled A"),
            (RequestAnswer::FaqNoted, "faq_noted", None, "noted the FAQ job of A; a worker starts it"),
            (RequestAnswer::Stopping(JOB), "stopping", Some("its running attempt is being stopped"), "stopping A"),
        ] {
            assert_eq!((answer_word(&given), answer_note(&given).as_deref()), (word, note));
            let earlier = EarlierRequest { by: Some(SafeLine::new("ana")), running_for: Some(Duration::from_secs(12)) };
            assert_eq!(answer("A", &given, &earlier), sentence);
        }
    }

    #[test]
    fn an_unknown_requester_is_not_named() {
        let on_worker = RequestAnswer::AlreadySyncing(JOB, Some(SafeLine::new("box:1")));
        assert_eq!(answer("A", &on_worker, &EarlierRequest::default()), "A is syncing already on box:1");
        assert_eq!(answer("A", &RequestAnswer::AlreadyQueued(JOB), &EarlierRequest::default()), "A is queued already");
    }

    #[test]
    fn many_answers_are_added_up() {
        let given = [
            RequestAnswer::Queued(JOB),
            RequestAnswer::Skipped(SkipReason::Pdf),
            RequestAnswer::AlreadyQueued(JOB),
            RequestAnswer::Promoted(JOB),
            RequestAnswer::Skipped(SkipReason::NotFailed(Status::Never)),
            RequestAnswer::Skipped(SkipReason::Pdf),
        ];
        let given = given.map(|answer| DocumentAnswer { document_id: DocumentId(1), answer });
        assert_eq!(
            answers("queued", &given),
            "queued 2 documents, 1 already queued or running, 2 skipped: PDF, never fetched, 1 skipped: never synced, \
             so nothing to retry"
        );
        assert_eq!(answers("cancelled", &[]), "cancelled 0 documents");
    }

    #[test]
    fn a_reason_is_longer_where_there_is_space() {
        let reason = SkipReason::NotFailed(Status::Never);
        assert_eq!(skip_reason(reason), "never synced; only failed, waiting and stuck documents are retried");
        assert_eq!(skip_reason_short(SkipReason::NotFailed(Status::Synced)), "synced, so nothing to retry");
        assert_eq!(skip_reason_short(SkipReason::Missing), skip_reason(SkipReason::Missing));
    }

    #[test]
    fn a_sentence_begins_with_a_capital() {
        assert_eq!(["sync", "", "été"].map(capitalized), ["Sync", "", "Été"]);
    }
}
