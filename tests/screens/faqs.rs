//! Tests how the console shows FAQs on a database of Chatwoot, and asks before it starts their jobs.

use super::SIZES;
use crate::support::facts::{NOW, ago, documents, options};
use crate::support::screen::Screen;
use quarterdeck::domain::faq::{EditedAnswers, FaqBacklog, FaqCoverage, FaqJob, FaqPreview, FaqState};
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::request::SkipReason;
use quarterdeck::store::{BulkVerb, Preview, Targets};
use quarterdeck::tui::Options;
use quarterdeck::tui::effect::{CommandKind, Effect};
use quarterdeck::tui::msg::Msg;
use std::time::Duration;

fn coverage(state: FaqState, faqs: u64, job: Option<FaqJob>) -> FaqCoverage {
    let newest_at = (faqs > 0).then(|| ago(7_200));
    FaqCoverage { state, faqs, pending: 0, edited: Some(faqs / 6), newest_at, text_at: Some(ago(3_600)), job }
}

fn chatwoot() -> Options {
    Options { faqs_unknown: None, faq_jobs_off: None, ..options() }
}

/// A console beside a Chatwoot whose synced documents have FAQs of each state.
fn screen(width: u16, height: u16) -> Screen {
    let mut screen = Screen::with(chatwoot(), width, height);
    let mut rows = documents();
    for (index, row) in rows.iter_mut().enumerate() {
        let state = FaqState::ALL[index % 4];
        row.faqs = Some(coverage(state, if state == FaqState::None { 0 } else { 12 }, None));
    }
    screen.page(rows);
    screen
}

#[test]
fn a_wide_list_has_a_column_and_a_store_of_our_own_none() {
    let mut wide = screen(160, 40);
    wide.press(&["z"]);
    let text = wide.text();
    for shown in ["FAQs", "none", "12 stale", "12 ?"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let mut own = Screen::usual(160, 40);
    own.press(&["z"]);
    assert!(!own.text().contains("FAQ"), "{}", own.text());
    for (width, height) in SIZES {
        assert!(!Screen::usual(width, height).text().contains("FAQ"));
        // A narrow list has a note where no error stands.
        let text = screen(width, height).text();
        let noted = text.contains("no FAQs") || text.contains("FAQs stale") || text.contains("12 stale");
        assert!(noted || width < 80, "{text}");
    }
}

#[test]
fn the_details_say_how_many_there_are_and_why_a_job_waits() {
    let mut screen = screen(120, 40);
    let mut rows = documents();
    let reason = Some("no process of Sidekiq is alive".into());
    rows[0].faqs = Some(coverage(FaqState::Stale, 12, Some(FaqJob::Waiting { since: ago(180), reason })));
    screen.page(rows);
    screen.press(&["g"]);
    screen.open_detail();
    let text = screen.text();
    assert!(text.contains("FAQs 12 answers, stale; newest 2h ago; text 1h ago; 2 edited by people"), "{text}");
    assert!(text.contains("FAQ job waits for 3m: no process of Sidekiq is alive"), "{text}");
}

#[test]
fn jobs_that_wait_are_counted_in_the_head_and_read_with_the_workers() {
    let mut screen = screen(120, 40);
    screen.asked();
    screen.send(Msg::PollDue);
    let reads = |effects: Vec<Effect>| effects.iter().any(|effect| matches!(effect, Effect::LoadFaqBacklog));
    assert!(reads(screen.asked()));
    screen.send(Msg::PollDue);
    assert!(!reads(screen.asked()), "one read at a time");
    let backlog =
        |age, reason: Option<&str>| FaqBacklog { jobs: 3, oldest_at: ago(age), reason: reason.map(Into::into) };
    screen.send(Msg::FaqBacklog(Ok(Some(backlog(1, None)))));
    assert!(!screen.text().contains("FAQ jobs wait"), "a worker delivers it in a moment");
    for waiting in [backlog(11, None), backlog(1, Some("no process"))] {
        screen.send(Msg::FaqBacklog(Ok(Some(waiting))));
        assert!(screen.text().contains("3 FAQ jobs wait"), "{}", screen.text());
        let rereads = screen.asked().iter().any(|effect| matches!(effect, Effect::LoadPage { .. }));
        assert!(rereads, "rows show the job, too");
        let generation = screen.model.documents.generation;
        let page = screen.model.documents.page.clone();
        screen.send(Msg::Page { generation, answer: Ok(page) });
        screen.send(Msg::FaqBacklog(Ok(None)));
        assert!(!screen.text().contains("FAQ jobs wait"));
        screen.asked();
        let generation = screen.model.documents.generation;
        let page = screen.model.documents.page.clone();
        screen.send(Msg::Page { generation, answer: Ok(page) });
    }
    // Where no FAQ jobs are started nothing is read.
    let mut own = Screen::usual(120, 40);
    own.send(Msg::PollDue);
    assert!(!reads(own.asked()));
}

fn faq_preview() -> FaqPreview {
    let edited = EditedAnswers {
        document: DocumentId(7),
        name: "Pricing".into(),
        answers: 2,
        questions: vec!["What does it cost?".into(), "Who pays?".into()],
    };
    FaqPreview { answers: 40, edited: Some(2), edited_documents: 1, named: vec![edited], refused: Vec::new() }
}

#[test]
fn a_start_is_previewed_whatever_the_number_of_documents() {
    for (keys, marked) in [(&["f"][..], 1), (&["space", "space", "f"], 2), (&["A"], 0)] {
        let mut screen = screen(120, 40);
        screen.asked();
        screen.press(keys);
        let asked = screen.asked();
        let preview = asked.iter().find_map(|effect| match effect {
            Effect::Preview { targets, verb: BulkVerb::Faq, .. } => Some(targets.clone()),
            _ => None,
        });
        match preview.expect("a preview is read") {
            Targets::Ids(ids) => assert_eq!(ids.len(), marked),
            Targets::Matching(_) => assert_eq!(marked, 0),
        }
        assert!(!asked.iter().any(|effect| matches!(effect, Effect::RunCommand(_))), "nothing is started");
        screen.answer_preview_with(Preview {
            targets: vec![DocumentId(7), DocumentId(8)],
            skipped: vec![(SkipReason::FaqStarted(Duration::from_secs(180)), 1)],
            hosts: 1,
            faqs: Some(faq_preview()),
            ..Preview::default()
        });
        let text = screen.text();
        for shown in [
            "38 answers removed and made anew",
            "2 answers edited by people on 1 document: not removed",
            "Pricing (7), 2 answers: \"What does it cost?\", \"Who pays?\"",
            "skipped: FAQ job already started, the last 3m ago",
        ] {
            assert!(text.contains(shown), "{shown}: {text}");
        }
        screen.press(&["tab", "enter"]);
        let started = screen.asked().into_iter().find_map(|effect| match effect {
            Effect::RunCommand(command) => Some(command),
            _ => None,
        });
        let started = started.expect("it was confirmed");
        assert_eq!((started.kind, started.documents), (CommandKind::Faq, vec![DocumentId(7), DocumentId(8)]));
    }
    for (width, height) in SIZES {
        let mut screen = screen(width, height);
        screen.press(&["A"]);
        screen.answer_preview_with(Preview {
            targets: vec![DocumentId(7)],
            skipped: Vec::new(),
            hosts: 1,
            faqs: Some(faq_preview()),
            ..Preview::default()
        });
        assert!(screen.text().contains("Start 1"), "{}", screen.text());
    }
}

#[test]
fn without_a_chatwoot_keys_and_filters_say_why_they_do_nothing() {
    let says = "FAQs need a database of Chatwoot";
    for key in ["f", "A"] {
        let mut own = Screen::usual(120, 40);
        own.press(&[key]);
        assert!(own.text().contains(says), "{key}: {}", own.text());
        assert!(own.asked().is_empty());
    }
    let mut own = Screen::usual(120, 40);
    own.press(&["/"]).type_text("refund faq:none");
    assert!(own.text().contains(says), "{}", own.text());
    own.press(&["enter"]);
    assert_eq!(own.model.documents.filter_text.trim(), "refund");
    // Where they are known, the filter and its hint are there.
    let mut chatwoot = screen(120, 40);
    chatwoot.press(&["/"]);
    assert!(chatwoot.text().contains("faq:none"), "{}", chatwoot.text());
    chatwoot.type_text("faq:none").press(&["enter"]);
    assert!(chatwoot.model.documents.filter.is_about_faqs());
    assert!(NOW >= chatwoot.model.now);
}
