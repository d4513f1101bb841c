//! Tests input that is longer than anything can use: it is answered as what it is.

use super::{assert_refused, install};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_of_100_kb_and_10_mb_are_two_bad_lines_and_store_nothing() {
    let install = install().await;
    let long = format!("https://example.org/{}", "x".repeat(10_000_000));
    let shorter = &long[..100_000];
    let list = format!("https://example.org/a\n{long}\n{shorter}\nhttps://example.org/b\n");
    let list = install.write("list.txt", list);
    let imported = install.run(&["import", &list.display().to_string()]);
    assert_eq!(imported.code, Some(1), "{}", &imported.err[..imported.err.len().min(500)]);
    assert!(imported.err.contains("is longer than 8192 bytes"), "{}", &imported.err[..imported.err.len().min(500)]);
    assert!(imported.err.len() < 1_000, "the line is not repeated: {} bytes", imported.err.len());
    assert_eq!(install.run(&["list", "--json"]).out.len(), 2, "the other lines are imported");
    for verb in [&["add", shorter][..], &["show", shorter], &["extract", shorter]] {
        let refused = install.run(verb);
        assert_refused(&refused, 2, verb[0], &["is longer than 8192 bytes"]);
        assert!(refused.err.len() < 1_000, "{}: {} bytes", verb[0], refused.err.len());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_filter_of_3_000_words_is_too_long_and_nothing_is_unreadable() {
    let install = install().await;
    assert_eq!(install.run(&["add", "https://example.org/a"]).code, Some(0));
    let words = |number: usize| (0..number).map(|n| format!("w{n}")).collect::<Vec<_>>().join(" ");
    for verb in [&["list", "--filter"][..], &["log", "--filter"], &["sync", "--dry-run", "--filter"]] {
        let refused = install.run(&[verb, &[&words(3_000)]].concat());
        assert_refused(&refused, 2, verb[0], &["a filter has at most 200 terms"]);
        assert!(refused.err.len() < 1_000, "{} bytes", refused.err.len());
        let most = install.run(&[verb, &[&words(200)]].concat());
        assert_eq!(most.code, Some(0), "{verb:?}: {most:?}");
        let list = |number: usize| (1..=number).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
        for (field, most, says) in
            [("id", 5_000, "a filter has at most 5000 values"), ("host", 500, "a term has at most 500 hosts")]
        {
            let refused = install.run(&[verb, &[&format!("{field}:{}", list(most + 1))]].concat());
            assert_refused(&refused, 2, verb[0], &[says]);
            let ran =
                install.run(&[verb, &[&format!("{} {field}:{}", words(most.min(199) / 2), list(most - 99))]].concat());
            assert_eq!(ran.code, Some(0), "{verb:?} {field}: {}", &ran.err[..ran.err.len().min(500)]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_store_url_is_wrong_use() {
    let install = install().await;
    for (url, says) in [
        ("knowledge.db", "the store must be a URL"),
        ("mysql://ana:secret@db/x", "unknown kind of store `mysql:`"),
        ("sqlite:", "names no file"),
        ("postgres:/ana@db/x", "has its user or host in the wrong position"),
        ("postgres://db:port/x", "cannot be read"),
    ] {
        for verb in [&["list"][..], &["add", "https://example.org/a"], &["work", "--drain"], &["migrate"]] {
            assert_refused(&install.run(&[verb, &["--store", url]].concat()), 2, &format!("{url} {verb:?}"), &[says]);
        }
    }
}
