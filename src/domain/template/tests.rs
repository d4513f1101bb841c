//! Tests of what is learned from a host's documents, and of what it does to their texts.

use super::*;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use proptest::prelude::*;

const MENU: PathKey = PathKey(1);
const TEASER: PathKey = PathKey(2);
const BODY: PathKey = PathKey(3);
const HOUR: i64 = 3_600_000_000;

/// Returns a text of these lines, each with its path, and the paths.
fn page(lines: &[(PathKey, &str)]) -> (String, Vec<PathMark>) {
    let (mut text, mut paths) = (String::new(), Vec::new());
    for (path, line) in lines {
        paths.push(PathMark { offset: u32::try_from(text.len()).expect("it is there"), path: *path });
        text.push_str(line);
        text.push_str("\n\n");
    }
    (text, paths)
}

fn observed(document: i64, hour: i64, lines: &[(PathKey, &str)]) -> Observation {
    let (text, paths) = page(lines);
    Observation::of(DocumentId(document), Timestamp::from_micros(hour * HOUR), &blocks(&text, &paths))
}

/// Observes a document with a menu, a teaser and a text of its own.
fn usual(document: i64, hour: i64, menu: &str, teaser: &str) -> Observation {
    let own = format!("The own words of document {document} are long enough.");
    observed(document, hour, &[(MENU, menu), (BODY, &own), (TEASER, teaser)])
}

fn learned(pages: i64) -> TemplateRecord {
    let mut record = TemplateRecord::default();
    for document in 1..=pages {
        record.fold([usual(document, document, "Home and docs", "Our newest offer")]);
    }
    record
}

fn is_same(template: &Template, old: &str, new: &[(PathKey, &str)]) -> bool {
    let (new, paths) = page(new);
    template.compare(old, &new, &paths, str::to_owned) != BlockComparison::Different
}

#[test]
fn a_template_is_used_from_the_third_document_on() {
    assert_eq!(learned(2).template(), None);
    let template = learned(3).template().expect("it is there");
    assert_eq!((template.version, template.len()), (TemplateVersion(1), 2));
    let mut record = TemplateRecord::default();
    for hour in 0..100 {
        record.fold([usual(1, hour, "Home and docs", "Our newest offer"), usual(2, hour, "Home and docs", "Offer")]);
    }
    assert_eq!(record.template(), None, "a document counts once, however often it is converted");
}

#[test]
fn blocks_are_left_out_with_the_numbers_that_explain_it() {
    let template = learned(44).template().expect("it is there");
    let (text, paths) = page(&[
        (MENU, "- [Home](/) and docs"),
        (BODY, "# Own title"),
        (BODY, "Some words of its own"),
        (TEASER, "Our newest offer"),
    ]);
    let rest = template.without_recurring(&text, &paths, &blocks(&text, &paths)).expect("it is there");
    assert_eq!(rest.text, "# Own title\n\nSome words of its own\n");
    assert_eq!(rest.paths.iter().map(|mark| mark.offset).collect::<Vec<_>>(), [0, 13]);
    assert_eq!(rest.paths.iter().map(|mark| mark.path).collect::<Vec<_>>(), [BODY, BODY]);
    let all = template.recurring_in(&blocks(&text, &[]));
    assert!(all.iter().all(|block| (block.pages, block.of) == (44, 44)), "{all:?}");
}

#[test]
fn more_than_half_of_a_text_is_never_left_out() {
    let template = learned(9).template().expect("it is there");
    let text = |own: &str| format!("Home and docs\n\n{own}\n\nOur newest offer\n");
    assert_eq!(template.recurring_in(&blocks(&text("five words of my own"), &[])), []);
    assert_eq!(template.recurring_in(&blocks(&text("and now six words of own"), &[])).len(), 2);
}

#[test]
fn what_leads_in_something_stays() {
    let mut record = TemplateRecord::default();
    for document in 1..=5 {
        let own = format!(
            "Own {document}: with a few more words than the rest of it has, so that the guard is no matter here"
        );
        let lines = [
            (BODY, "## Parameters"),
            (BODY, "Returns:"),
            (BODY, own.as_str()),
            (TEASER, "## Offers"),
            (TEASER, "Buy now"),
        ];
        record.fold([observed(document, 1, &lines)]);
    }
    let template = record.template().expect("it is there");
    let own = "a long list of things that are only here, which is more than the half of it";
    let text = format!("## Parameters\n\n{own}\n\nReturns:\n\n- {own}\n\n## Offers\n\nBuy now\n");
    let rest = template.without_recurring(&text, &[], &blocks(&text, &[])).expect("it is there");
    assert_eq!(rest.text, format!("## Parameters\n\n{own}\n\nReturns:\n\n- {own}\n"));
}

#[test]
fn what_stands_on_some_pages_is_content() {
    let mut record = TemplateRecord::default();
    for document in 1..=40 {
        let category = format!("All about category {}", document % 2);
        record.fold([observed(document, document % 7, &[(BODY, &category), (MENU, "Home")])]);
    }
    let template = record.template().expect("it is there");
    assert_eq!(template.len(), 1, "the menu");
    assert!(!is_same(&template, "All about category 1", &[(BODY, "All about category 0")]));
}

#[test]
fn a_wrong_start_is_corrected_and_texts_are_made_again() {
    let mut record = TemplateRecord::default();
    let mut versions = Vec::new();
    for document in 1..=40 {
        let category = format!("All about category {}", document / 4);
        record.fold([observed(document, document, &[(BODY, &category), (BODY, &format!("own {document}"))])]);
        versions.push(record.version);
    }
    assert_eq!(versions[2], 1, "three pages of one category");
    assert_eq!(versions.last(), Some(&2), "and then it is on less than half of the pages");
    assert!(record.template().expect("it is there").is_empty());
}

#[test]
fn a_change_of_the_frame_alone_is_none_from_the_first_page_on() {
    let mut record = learned(20);
    let stored = "The own words of document 7 are long enough.\n";
    let own = (BODY, "The own words of document 7 are long enough.");
    for (hour, (menu, teaser)) in
        [("Start and help", "A new offer"), ("Start", "Yet another one")].into_iter().enumerate()
    {
        let hour = 100 + i64::try_from(hour).expect("it is there");
        for document in 1..=20 {
            let template = record.template().expect("it is there");
            assert!(is_same(&template, stored, &[(MENU, menu), own, (TEASER, teaser)]), "{hour} {document}");
            assert!(!is_same(&template, stored, &[(MENU, menu), (BODY, "Other words."), (TEASER, teaser)]));
            record.fold([usual(document, hour, menu, teaser)]);
        }
    }
    let (text, paths) = page(&[(MENU, "Start"), (BODY, "The own words and some more"), (TEASER, "Yet another one")]);
    let rest = record
        .template()
        .expect("it is there")
        .without_recurring(&text, &paths, &blocks(&text, &paths))
        .expect("it is there");
    assert_eq!(rest.text, "The own words and some more\n", "the new frame is known");
}

#[test]
fn an_old_text_with_the_frame_is_the_same_as_one_without() {
    let template = learned(20).template().expect("it is there");
    let old = "Home and docs\n\nThe words\n\nOur newest offer\n";
    assert!(is_same(&template, old, &[(BODY, "The words")]));
    assert!(is_same(&template, "The words", &[(MENU, "Home and docs"), (BODY, "The words")]));
    assert!(!is_same(&template, old, &[(BODY, "The other words")]));
    assert!(!is_same(&template, old, &[(TEASER, "Our newest offer")]), "nothing is left to compare");
}

#[test]
fn text_that_is_known_by_its_path_alone_is_less_than_half_of_a_page() {
    let template = learned(20).template().expect("it is there");
    assert!(is_same(&template, "One two three", &[(BODY, "One two three"), (MENU, "four five")]));
    assert!(!is_same(&template, "One two three", &[(BODY, "One two three"), (MENU, "four five six seven")]));
}

#[test]
fn a_sample_is_bounded_and_does_not_depend_on_the_order() {
    let long: Vec<String> = (0..5_000).map(|line| format!("line {line}")).collect();
    let lines: Vec<_> = long.iter().map(|line| (BODY, line.as_str())).collect();
    let (mut record, mut reversed) = (TemplateRecord::default(), TemplateRecord::default());
    for document in 1..=200 {
        record.fold([observed(document, 5, &lines)]);
        reversed.fold([observed(201 - document, 5, &lines)]);
    }
    assert_eq!(record.sample, reversed.sample);
    assert_eq!(record.pages(), SAMPLE_SIZE);
    assert!(record.sample_text().len() + record.template_text().len() < 160_000);
    let template = record.template().expect("it is there");
    let wanted = (1..=200).filter(|document| template.wants(DocumentId(*document))).count();
    assert_eq!(wanted, SAMPLE_SIZE);
}

#[test]
fn a_forgotten_template_is_learned_anew_and_comparisons_remember_it() {
    let mut record = learned(9);
    assert!(record.forget());
    assert!(!record.forget());
    let template = record.template().expect("it is there");
    assert_eq!((template.version, template.is_empty(), record.pages()), (TemplateVersion(2), true, 0));
    assert!(is_same(&template, "The words", &[(MENU, "Home and docs"), (BODY, "The words")]));
    for document in 1..=3 {
        record.fold([usual(document, 1, "Home and docs", "Our newest offer")]);
    }
    assert_eq!(record.template().map(|template| (template.version, template.len())), Some((TemplateVersion(3), 2)));
}

#[test]
fn the_same_pages_again_are_not_worth_a_write() {
    let mut record = learned(9);
    assert!(!record.fold([usual(4, 50, "Home and docs", "Our newest offer")]));
    assert!(record.fold([usual(4, 51, "Home and help", "Our newest offer")]));
}

/// A line of the host's frame, and a line of a page's own text; the words of the two differ.
fn frame_line() -> impl Strategy<Value = String> {
    "(- |## |> |)[a-m]{1,6}( \\[[a-m]{1,4}\\]\\(/[a-z]{1,3}\\)| [a-m]{2,5}){0,3}"
}

fn own_line() -> impl Strategy<Value = String> {
    "(- |## |> |\\| |)[n-z]{1,6}( [n-z]{1,5}| [0-9]{1,3}|, ✅){0,5}"
}

fn is_equal(template: &Template, old: &str, new: &str) -> bool {
    template.compare(old, new, &[], str::to_owned) != BlockComparison::Different
}

#[test]
fn a_stored_text_is_replaced_only_if_the_template_would_make_another_one() {
    let template = learned(20).template().expect("it is there");
    let compared = |old: &str, new: &[(PathKey, &str)]| {
        let (new, paths) = page(new);
        template.compare(old, &new, &paths, str::to_owned)
    };
    let words = (BODY, "The words of this page");
    let new_menu = [(MENU, "Start"), words];
    assert_eq!(compared("The words of this page", &new_menu), BlockComparison::FrameOnly);
    assert_eq!(compared("Home and docs\n\nThe words of this page", &new_menu), BlockComparison::Outdated);
    let restored = [(BODY, "Home and docs"), words];
    assert_eq!(compared("The words of this page", &restored), BlockComparison::Outdated);
    assert_eq!(compared("Other words", &new_menu), BlockComparison::Different);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_change_is_seen_exactly_if_it_is_outside_the_template(
        frame in prop::collection::btree_set(frame_line(), 1..6),
        own in prop::collection::vec(own_line(), 1..8),
        other in own_line(),
        picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
        at in any::<prop::sample::Index>(),
    ) {
        let frame: Vec<String> = frame.into_iter().collect();
        let mut record = TemplateRecord::default();
        for document in 1..=4 {
            let text = format!("{}\n\nqqq {document}\n", frame.join("\n\n"));
            record.fold([Observation::of(DocumentId(document), Timestamp::from_micros(document), &blocks(&text, &[]))]);
        }
        let template = record.template().expect("it is there");
        let text = own.join("\n\n");
        // Reflexive.
        prop_assert!(is_equal(&template, &text, &text));
        // Lines of the frame anywhere in either text are never seen.
        let mut framed = own.clone();
        for (line, place) in &picks {
            framed.insert(place.index(framed.len() + 1), line.get(&frame).clone());
        }
        let framed = framed.join("\n\n");
        prop_assert!(is_equal(&template, &text, &framed), "{framed}");
        prop_assert!(is_equal(&template, &framed, &text), "{framed}");
        // What is left out of a text leaves the same text for a comparison.
        if let Some(rest) = template.without_recurring(&framed, &[], &blocks(&framed, &[])) {
            prop_assert!(is_equal(&template, &rest.text, &text), "{}", rest.text);
        }
        // Any other change is.
        let mut changed = own.clone();
        let index = at.index(changed.len());
        let is_other = changed[index].split_whitespace().ne(other.split_whitespace());
        changed[index] = other;
        let changed = changed.join("\n\n");
        prop_assert_eq!(is_equal(&template, &framed, &changed), !is_other, "{}", changed);
        let mut shorter = own.clone();
        shorter.remove(index);
        prop_assert!(!is_equal(&template, &framed, &shorter.join("\n\n")));
    }
}
