use super::*;
use proptest::prelude::*;

/// Returns what is drawn for a cluster, and its width.
fn drawn(text: &str) -> (String, Width) {
    let all: Vec<_> = clusters(text).collect();
    assert_eq!(all.len(), 1, "{text:?}");
    (all[0].shown.to_string(), all[0].width)
}

#[test]
fn what_no_two_terminals_draw_alike_is_drawn_as_its_base_character() {
    for (text, shown, width) in [
        ("a", "a", Width::Agreed(1)),
        ("e\u{301}", "e\u{301}", Width::Agreed(1)),
        ("語", "語", Width::Agreed(2)),
        // Flags are letters.
        ("🇩🇪", "DE", Width::Agreed(2)),
        ("🇩", "D", Width::Agreed(1)),
        // Families, professions, colours of skin and variants are their first picture.
        ("👨‍👩‍👧", "👨", Width::AtMost(2)),
        ("👩🏽‍💻", "👩", Width::AtMost(2)),
        ("👍🏽", "👍", Width::AtMost(2)),
        ("❤\u{fe0f}", "❤", Width::Agreed(1)),
        ("1\u{fe0f}\u{20e3}", "1", Width::Agreed(1)),
        ("🏴\u{e0067}\u{e0062}\u{e007f}", "🏴", Width::AtMost(2)),
        // Letters that make one syllable are that syllable.
        ("\u{1100}\u{1161}\u{11a8}", "각", Width::Agreed(2)),
        // A vowel sign to the right of its letter takes a cell in some terminals and none in others.
        ("की", "की", Width::AtMost(2)),
        ("বা", "বা", Width::AtMost(2)),
        ("स्त्री", "स्त्री", Width::AtMost(4)),
        // Thai vowels above stand in the cell of their letter.
        ("ที่", "ที่", Width::Agreed(1)),
        // Nothing is drawn of a mark without a letter.
        ("\u{bbe}", "\u{bbe}", Width::Agreed(0)),
        ("\u{9be}\u{bbe}", "\u{bbe}", Width::Agreed(0)),
    ] {
        assert_eq!(drawn(text), (shown.to_owned(), width), "{text:?}");
    }
}

#[test]
fn the_short_way_counts_as_the_long_one() {
    for c in (' '..='\u{2ffff}').filter(|c| stands_alone(*c)) {
        let text = c.to_string();
        let Width::Agreed(cells) = drawn(&text).1 else { panic!("terminals differ on {c:?}") };
        assert_eq!(width(&text), cells, "{c:?}");
        // Not joined to the same character after it.
        assert_eq!(clusters(&format!("{c}{c}")).count(), 2, "{c:?}");
    }
}

/// Texts of letters with marks, flags, emoji in all their forms, and wide characters.
pub fn awkward() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        "[ -~]{1,3}",
        "[\u{900}-\u{d7f}]{1,4}",
        "[\u{1f1e6}-\u{1f1ff}]{1,3}",
        "[\u{1f466}-\u{1f469}](\u{1f3fd})?(\u{200d}[\u{1f466}-\u{1f469}]){0,2}",
        "[❤☎✈☺⚠1#](\u{fe0f}|\u{fe0e})?(\u{20e3})?",
        "[\u{1fae0}-\u{1faff}]",
        "[\u{1100}-\u{1112}][\u{1161}-\u{1175}][\u{11a8}-\u{11c2}]?",
        "[a-e][\u{300}-\u{36f}]{0,2}",
        "[語ガ각ｱﾞ、]",
        "[\u{e01}-\u{e3a}]{1,3}",
    ];
    proptest::collection::vec(parts, 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    /// The clusters are the text, and no terminal takes more cells for what is drawn than they say.
    #[test]
    fn clusters_take_the_cells_that_they_say(text in awkward()) {
        let all: Vec<_> = clusters(&text).collect();
        prop_assert_eq!(all.iter().map(|cluster| cluster.source).collect::<String>(), text.as_str());
        prop_assert_eq!(all.iter().map(|cluster| cluster.width.cells()).sum::<usize>(), width(&text));
        for cluster in &all {
            let singly: usize = cluster.shown.chars().map(|c| c.width().unwrap_or(0)).sum();
            prop_assert!(singly <= cluster.width.cells() || cluster.width.cells() == 0, "{cluster:?}");
            prop_assert!(cluster.shown.width() <= cluster.width.cells() || cluster.width.cells() == 0, "{cluster:?}");
            prop_assert!(!cluster.shown.chars().skip(1).any(changes_emoji), "{cluster:?}");
        }
    }

    #[test]
    fn a_text_that_is_cut_fits(text in awkward(), cells in 0_usize..12) {
        prop_assert!(width(&fit(&text, cells)) <= cells.max(width(&text).min(cells)));
    }
}
