//! Tests that what a source shows as gone on a database of Chatwoot is printed and cannot be accepted.

use super::{Parser, Scene};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gone_page_is_shown_and_cannot_be_accepted() {
    let scene = Scene::start(Parser::MainPart, 3).await;
    let sitemap = scene.install.site.url("/sitemap.xml");
    let added = scene.run(&["source", "add", &sitemap, "--name", "docs", "--account", "2", "--assistant", "3"]);
    assert_eq!(added.code, Some(0), "{added:?}");
    for (id, kind) in [(1, "gone"), (2, "moved"), (3, "duplicate")] {
        let insert = format!(
            "INSERT INTO quarterdeck.proposals (source_id, key, kind, url, target, document_id, reason, created_at, state) \
             SELECT s.id, '{kind}:{id}', '{kind}', d.external_link, d.external_link || '/to', d.id, 'a test', 1, 'open' \
             FROM quarterdeck.sources s, public.captain_documents d WHERE d.id = {id}"
        );
        scene.database.script(&insert).await;
    }
    let shown = scene.run(&["source", "proposals", "--json"]);
    assert_eq!((shown.code, shown.out.len()), (Some(0), 3), "{shown:?}");
    let before = scene.database.text("SELECT string_agg(d::text, ' ' ORDER BY id) FROM captain_documents d").await;
    for kind in ["gone", "moved", "duplicate"] {
        let accepted = scene.run(&["source", "accept", "--filter", &format!("kind:{kind}"), "--yes", "--json"]);
        let answer: Value = serde_json::from_str(&accepted.out[0]).expect("JSON");
        assert_eq!((accepted.code, answer["answer"].as_str()), (Some(2), Some("skipped")), "{accepted:?}");
        assert!(answer["reason"].as_str().is_some_and(|reason| reason.contains("Chatwoot")), "{answer}");
    }
    let after = scene.database.text("SELECT string_agg(d::text, ' ' ORDER BY id) FROM captain_documents d").await;
    assert_eq!(after, before, "nothing of Chatwoot's is changed");
    assert_eq!(scene.run(&["source", "proposals", "--json"]).out.len(), 3, "they stay open");
    let refused = scene.run(&["source", "refuse", "--filter", "kind:gone", "--yes"]);
    assert_eq!(refused.code, Some(0), "what is no removal may be decided: {refused:?}");
}
