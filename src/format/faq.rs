//! FAQs of a document as text.

use super::number::count;
use super::time::age;
use crate::domain::faq::{FaqCoverage, FaqJob, FaqPreview, FaqState};
use crate::domain::time::Timestamp;

/// Returns a sentence about the FAQ job of a document; `now` is the current time.
pub fn faq_job(job: &FaqJob, now: Timestamp) -> String {
    match job {
        FaqJob::Waiting { since, reason } => {
            let reason = reason.as_ref().map_or(String::new(), |reason| format!(": {reason}"));
            format!("job waits for {}{reason}", age(now.since(*since)))
        }
        FaqJob::Started { at } => format!("job started {} ago", age(now.since(*at))),
    }
}

/// Returns a note about FAQs that are missing or older than the text; `None` if they are neither.
pub const fn faq_note(state: FaqState) -> Option<&'static str> {
    match state {
        FaqState::None => Some("no FAQs"),
        FaqState::Stale => Some("FAQs stale"),
        FaqState::Ok | FaqState::Unknown => None,
    }
}

/// Returns the facts about the FAQs of a document, one line each: state, numbers and ages, then the job. Ages are relative
/// to `now`.
pub fn faqs(faqs: &FaqCoverage, now: Timestamp) -> Vec<String> {
    let mut facts = vec![match faqs.state {
        FaqState::None => "none".to_owned(),
        FaqState::Unknown => format!("{}, unknown whether stale", count(faqs.faqs, "answer")),
        FaqState::Stale | FaqState::Ok => format!("{}, {}", count(faqs.faqs, "answer"), faqs.state.word()),
    }];
    let ago = |at: Timestamp| format!("{} ago", age(now.since(at)));
    facts.extend(faqs.newest_at.map(|at| format!("newest {}", ago(at))));
    facts.extend(faqs.text_at.map(|at| format!("text {}", ago(at))));
    if faqs.pending > 0 {
        facts.push(format!("{} not approved", faqs.pending));
    }
    facts.extend(faqs.edited.filter(|edited| *edited > 0).map(|edited| format!("{edited} edited by people")));
    let mut lines = vec![facts.join("; ")];
    lines.extend(faqs.job.as_ref().map(|job| faq_job(job, now)));
    lines
}

/// Formats what Chatwoot's jobs do to the answers, one fact per line; edited answers are named.
pub fn faq_effects(faqs: &FaqPreview) -> Vec<String> {
    let answers = |number: u64| count(number, "answer");
    let Some(edited) = faqs.edited else {
        let removed = format!("{} removed and made anew", answers(faqs.answers));
        return vec![
            removed,
            "this Chatwoot does not note which answers people have edited: none of them stays".into(),
        ];
    };
    let mut lines = vec![format!("{} removed and made anew", answers(faqs.answers.saturating_sub(edited)))];
    if edited == 0 {
        return lines;
    }
    let on = count(faqs.edited_documents, "document");
    lines.push(format!("{} edited by people on {on}: not removed, new ones may repeat them", answers(edited)));
    for named in &faqs.named {
        let questions: Vec<String> = named.questions.iter().map(|question| format!("\"{question}\"")).collect();
        let more = if (named.questions.len() as u64) < named.answers { ", …" } else { "" };
        let asked = if questions.is_empty() { String::new() } else { format!(": {}{more}", questions.join(", ")) };
        lines.push(format!("  {} ({}), {}{asked}", named.name, named.document, answers(named.answers)));
    }
    let unnamed = faqs.edited_documents.saturating_sub(faqs.named.len() as u64);
    if unnamed > 0 {
        lines.push(format!("  and {} more", count(unnamed, "document")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::SafeLine;

    #[test]
    fn the_facts_are_those_that_are_known() {
        let at = |seconds: i64| Some(Timestamp::from_micros(seconds * 1_000_000));
        let now = Timestamp::from_micros(7_200_000_000);
        let none = FaqCoverage {
            state: FaqState::None,
            faqs: 0,
            pending: 0,
            edited: None,
            newest_at: None,
            text_at: None,
            job: None,
        };
        assert_eq!(faqs(&none, now), ["none"]);
        let reason = Some(SafeLine::new("no process of Sidekiq is alive"));
        let stale = FaqCoverage {
            state: FaqState::Stale,
            faqs: 12,
            pending: 1,
            edited: Some(2),
            newest_at: at(0),
            text_at: at(3_600),
            job: Some(FaqJob::Waiting { since: Timestamp::from_micros(7_080_000_000), reason }),
        };
        assert_eq!(
            faqs(&stale, now),
            [
                "12 answers, stale; newest 2h ago; text 1h ago; 1 not approved; 2 edited by people",
                "job waits for 2m: no process of Sidekiq is alive"
            ]
        );
        let started = FaqJob::Started { at: Timestamp::from_micros(7_020_000_000) };
        assert_eq!(faq_job(&started, now), "job started 3m ago");
    }
}
