//! Cases and property tests of safe text.

use super::*;
use proptest::prelude::*;

#[test]
fn escapes_go_whole() {
    let cases = [
        ("plain", "plain"),
        ("  a\t\nb  ", "a b"),
        ("\x1b[2Jgone", "gone"),
        ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
        ("a\x1b]0;title\x1b\\b", "ab"),
        ("a\u{9b}31mred", "ared"),
        ("x\u{202e}exe.txt", "xexe.txt"),
        ("a\rb", "a b"),
        ("one\x1b", "one"),
        ("\x1b]no end", ""),
    ];
    for (raw, safe) in cases {
        assert_eq!(SafeLine::new(raw).as_str(), safe, "{raw:?}");
    }
    assert_eq!(safe_block("a\n\tb\x1b[1m!\n"), "a\n    b!\n");
}

#[test]
fn cuts_fall_on_characters_and_cells() {
    assert_eq!(cut_chars("日本語", 2), ("日本", true));
    assert_eq!(cut_chars("日本", 2), ("日本", false));
    assert_eq!(fit("ご利用ガイド", 7), "ご利用…");
    assert_eq!(fit("ご利用ガイド", 6), "ご利…");
    assert_eq!(fit("abc", 3), "abc");
    assert_eq!(fit("abc", 0), "");
}

#[test]
fn blank_is_unicode_white_space_alone() {
    assert!(is_blank("\u{a0}\u{2003}\n"));
    assert!(!is_blank("\u{200b}"));
}

/// Generates hostile texts: any characters, many of them terminal control sequences.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        prop::sample::select(vec![
            "\x1b[",
            "\x1b]52;c;",
            "\x1b",
            "\u{9b}",
            "\u{9d}",
            "\x07",
            "\n",
            "\r",
            "\t",
            "\0",
            "31m",
            " ",
            "\u{202e}",
            "\u{2066}",
            "\u{feff}",
            "\u{ad}",
            "\u{300}",
            "日本",
            "a",
        ])
        .prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    /// A safe line contains no terminal control characters, and making it safe once more changes nothing.
    #[test]
    fn a_safe_line_is_one_line_and_safe(raw in hostile()) {
        let line = SafeLine::new(&raw);
        prop_assert!(!line.chars().any(|c| c.is_control() || is_unsafe(c)), "{line:?}");
        prop_assert_eq!(line.trim(), line.as_str());
        prop_assert!(!line.contains("  "));
        prop_assert_eq!(&SafeLine::new(&line), &line);
    }

    /// A safe block contains no control characters except line feeds, and making it safe once more changes nothing.
    #[test]
    fn a_safe_block_keeps_its_lines_alone(raw in hostile()) {
        let block = safe_block(&raw);
        prop_assert!(!block.chars().any(|c| (c.is_control() && c != '\n') || is_unsafe(c)), "{block:?}");
        prop_assert_eq!(safe_block(&block), block);
    }

    /// A fitted text is never wider than its limit, ends on a character boundary, and is unchanged if it fits.
    #[test]
    fn a_fitted_text_fits(raw in hostile(), cells in 0_usize..20) {
        let line = SafeLine::new(&raw);
        let fitted = fit(&line, cells);
        prop_assert!(width(&fitted) <= cells, "{fitted:?}");
        prop_assert!(width(&line) > cells || fitted == line.as_str());
    }

    /// A cut text is the beginning of the original, with at most the given number of characters.
    #[test]
    fn a_cut_is_a_beginning(raw in hostile(), most in 0_usize..20) {
        let (cut, was_cut) = cut_chars(&raw, most);
        prop_assert!(raw.starts_with(cut) && cut.chars().count() <= most);
        prop_assert_eq!(was_cut, raw.chars().count() > most);
    }
}
