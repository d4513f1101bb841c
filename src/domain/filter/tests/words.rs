//! Tests of the words that the screen uses, and of the fields about texts.

use super::*;

#[test]
fn content_review_selects_what_content_held_selects() {
    for subject in [Subject::Documents, Subject::Outcomes] {
        let parsed = |text| Filter::parse_for(text, subject).map_err(|error| error.to_string());
        assert_eq!(parsed("content:review"), parsed("content:held"));
        assert!(parsed("content:held,review").is_ok(), "one word and its alias");
    }
    let (mut document, mut quarantined) = (row(), outcome());
    let review = Filter::parse("content:review").expect("an alias");
    assert!(!review.matches(&document, NOW) && !review.matches_outcome(&quarantined, NOW));
    document.quarantine_reason = Some(SafeLine::new("looks like a login page"));
    quarantined.content = Some(ContentChange::Quarantined);
    assert!(review.matches(&document, NOW) && review.matches_outcome(&quarantined, NOW));
}

#[test]
fn a_document_is_selected_by_its_last_content_and_by_the_age_of_its_last_change() {
    let mut document = row();
    let selects = |text: &str, document: &DocumentRow| {
        Filter::parse_for(text, Subject::Documents).expect(text).matches(document, NOW)
    };
    assert!(!selects("content:first,changed", &document) && !selects("changed:<1d", &document));
    assert!(selects("changed:>1d", &document), "never");
    document.last_content = Some(ContentChange::Changed);
    document.changed_at = Some(ago(3_600));
    assert!(selects("content:first,changed", &document) && !selects("content:held,same", &document));
    assert!(selects("changed:<1d", &document) && !selects("changed:<30m", &document));
}

#[test]
fn the_words_of_the_screen_are_words_of_the_filter() {
    let results = |text: &str| Filter::parse_for(text, Subject::Outcomes).map(|filter| filter.to_string());
    let failed = "result:permanent_failure,transient_retry_exhausted,unexpected_retry_exhausted,crash_exhausted";
    assert_eq!(results("result:failed"), Ok(failed.to_owned()));
    assert_eq!(
        results("result:Retrying,updated"),
        Ok("result:transient_failure,unexpected_failure,updated".to_owned())
    );
    assert_eq!(results("result:\"gave up\""), results("result:gave_up"));
    assert_eq!(results("result:\"worker lost\""), Ok("result:worker_lost".to_owned()));
    assert_eq!(
        results("content:\"first content\",\"needs review\",\"not modified\""),
        Ok("content:first,held,not_modified".to_owned())
    );
    assert_eq!(results("error:\"not found\""), Ok("error:not_found".to_owned()));
    assert!(results("result:fail").is_err_and(|error| error.message.contains("failed")));
}
