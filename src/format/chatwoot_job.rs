//! Chatwoot's own jobs as text.

use super::{age, until};
use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState};
use crate::domain::time::Timestamp;

/// Returns what a job does and where it is, without its times: `sync failed, attempt 3 next`.
pub fn chatwoot_job(job: &ChatwootJob) -> String {
    let kind = match job.kind {
        ChatwootJobKind::Sync => "sync",
        ChatwootJobKind::Faq => "FAQ job",
        ChatwootJobKind::Crawl => "crawl",
    };
    match (job.state, &job.process) {
        (ChatwootJobState::Running, Some(process)) => format!("{kind} running on {process}"),
        (ChatwootJobState::Running, None) => format!("{kind} running"),
        (ChatwootJobState::Queued, _) => format!("{kind} queued"),
        (ChatwootJobState::Retrying, _) => format!("{kind} failed, attempt {} next", job.attempts.saturating_add(1)),
        (ChatwootJobState::Scheduled, _) => format!("{kind} scheduled"),
    }
}

/// Returns the time of a job: how long it has been running or queued, or when it runs; `None` if that is not known.
pub fn chatwoot_job_time(job: &ChatwootJob, now: Timestamp) -> Option<String> {
    let at = job.at?;
    Some(match job.state {
        ChatwootJobState::Running | ChatwootJobState::Queued => age(now.since(at)),
        ChatwootJobState::Retrying | ChatwootJobState::Scheduled => until(now, at),
    })
}

/// Returns a sentence about a job for its document. If the job will write the document, the warning comes first, since
/// the end of the text may be cut off.
pub fn chatwoot_job_note(job: &ChatwootJob, now: Timestamp) -> String {
    let (mut start, mut since) = (String::new(), String::new());
    match (job.state, chatwoot_job_time(job, now)) {
        (ChatwootJobState::Running | ChatwootJobState::Queued, Some(time)) => since = format!(" for {time}"),
        (ChatwootJobState::Retrying | ChatwootJobState::Scheduled, Some(time)) => start = format!(" {time}"),
        (_, None) => {}
    }
    let what = chatwoot_job(job);
    if job.will_write() {
        format!("Chatwoot will write it{start}, also over a newer result: {what}{since}")
    } else {
        format!("Chatwoot's {what}{start}{since}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::DocumentId;
    use std::time::Duration;

    #[test]
    fn a_note_says_what_when_and_what_it_means() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        let mut job = ChatwootJob {
            jid: "a".into(),
            kind: ChatwootJobKind::Sync,
            state: ChatwootJobState::Retrying,
            document: Some(DocumentId(7)),
            account: None,
            name: None,
            queue: "low".into(),
            process: None,
            at: Some(now.plus(Duration::from_secs(120))),
            attempts: 2,
            error: None,
        };
        let expected = "Chatwoot will write it in 2:00, also over a newer result: sync failed, attempt 3 next";
        assert_eq!(chatwoot_job_note(&job, now), expected);
        (job.kind, job.state, job.process) = (ChatwootJobKind::Faq, ChatwootJobState::Running, Some("web-1:7".into()));
        job.at = Some(now.minus(Duration::from_secs(5)));
        assert_eq!(chatwoot_job_note(&job, now), "Chatwoot's FAQ job running on web-1:7 for 5s");
    }
}
