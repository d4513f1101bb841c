//! Tests the choice of the character encoding, and bytes that are valid in none.

use super::fetch;
use crate::support::pages::{Pages, answer};

async fn read(content_type: &str, body: &[u8]) -> String {
    let pages = Pages::always(answer(&format!("200 OK\r\nContent-Type: {content_type}"), body)).await;
    fetch(&pages, "/").await.expect("a page").content
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// "日本語" in Shift_JIS.
const NIHONGO: &[u8] = b"\x93\xfa\x96\x7b\x8c\xea";

#[tokio::test]
async fn the_mark_beats_the_header_beats_meta_beats_the_guess() {
    let shift_jis_meta = [b"<meta charset=windows-1252><p>", NIHONGO].concat();
    assert_eq!(read("text/html; charset=Shift_JIS", &shift_jis_meta).await, "日本語\n");
    let meta_alone = [
        b"<!-- <meta charset=utf-8> --><META content='text/html; charset=Shift_JIS' http-equiv=Content-Type><p>",
        NIHONGO,
    ]
    .concat();
    assert_eq!(read("text/html", &meta_alone).await, "日本語\n");
    assert_eq!(read("text/html; charset=nonsense", &meta_alone).await, "日本語\n");
    let quoted = [b"<meta charset=\"shift_jis\"/><p>", NIHONGO].concat();
    assert_eq!(read("text/html", &quoted).await, "日本語\n");
    let marked = "\u{feff}<p>é".as_bytes();
    assert_eq!(read("text/html; charset=windows-1252", marked).await, "é\n");
    assert_eq!(read("text/html; charset=\"UTF-8\"", "<p>é".as_bytes()).await, "é\n");
    assert_eq!(read("text/html", "<p>é日本".as_bytes()).await, "é日本\n");
}

#[tokio::test]
async fn utf_16_is_read_by_its_mark_or_the_header() {
    let text = "<p>Grüße 日本";
    for (content_type, body) in [
        ("text/html", utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("text/html", utf16(&format!("\u{feff}{text}"), u16::to_be_bytes)),
        ("text/html; charset=utf-8", utf16(&format!("\u{feff}{text}"), u16::to_le_bytes)),
        ("text/html; charset=utf-16le", utf16(text, u16::to_le_bytes)),
        ("text/html; charset=utf-16be", utf16(text, u16::to_be_bytes)),
    ] {
        assert_eq!(read(content_type, &body).await, "Grüße 日本\n", "{content_type}");
    }
    // A page whose bytes read as ASCII is not UTF-16, whatever it declares.
    assert_eq!(read("text/html", b"<meta charset=utf-16><p>plain").await, "plain\n");
}

#[tokio::test]
async fn windows_1252_is_what_latin_1_means() {
    assert_eq!(read("text/html; charset=iso-8859-1", b"<p>\x93quoted\x94 caf\xe9").await, "“quoted” café\n");
    let guessed = "<p>Les élèves français ont mangé à la cantine du collège, où la qualité était élevée.";
    let latin: Vec<u8> = guessed.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin-1")).collect();
    assert_eq!(read("text/html", &latin).await, format!("{}\n", &guessed[3..]));
}

#[tokio::test]
async fn a_meta_after_the_first_1024_bytes_is_not_looked_at() {
    let late = [" ".repeat(1024).as_bytes(), b"<meta charset=shift_jis><p>", "é".as_bytes()].concat();
    assert_eq!(read("text/html", &late).await, "é\n");
}

#[tokio::test]
async fn text_has_charsets_too_and_no_meta() {
    assert_eq!(read("text/plain; charset=Shift_JIS", NIHONGO).await, "日本語");
    let body = "<meta charset=shift_jis>é";
    assert_eq!(read("text/plain", body.as_bytes()).await, body);
}

#[tokio::test]
async fn bytes_that_are_no_text_become_replacement_characters() {
    assert_eq!(read("text/html; charset=utf-8", b"<p>a\xff\xfeb").await, "a\u{fffd}\u{fffd}b\n");
}
