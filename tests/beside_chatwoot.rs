//! Tests that this program and Chatwoot's own job, which sync the same documents in turns, never take each other's work
//! for a change. Chatwoot's job is played by [`Scene::chatwoot_syncs`], which makes the writes that Chatwoot makes, one by
//! one; its texts are those of its own converter where Ruby and that are installed, else recorded (`fetch/chatwoot`).

mod dump;
mod firecrawl;
mod gem;
mod kills;
mod optional;
mod settings;
mod sources;

use crate::support::install::{Ended, Install, environment_of};
use crate::support::postgres::{self, Database};
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site};
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::store::migrate;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// SQL that counts the writes of texts.
const COUNT_OF_WRITES: &str = "CREATE TABLE text_writes (id bigserial, document bigint, content text); \
    CREATE FUNCTION note_text() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
    INSERT INTO text_writes (document, content) VALUES (NEW.id, NEW.content); RETURN NULL; END $$; \
    CREATE TRIGGER note_text AFTER UPDATE OF content ON captain_documents FOR EACH ROW EXECUTE FUNCTION note_text();";

/// Recorded page: its HTML, and its text by each generation of Chatwoot's parser.
struct Recorded {
    html: &'static str,
    whole: &'static str,
    main: &'static str,
}

macro_rules! recorded {
    ($name:literal) => {
        Recorded {
            html: include_str!(concat!("fetch/chatwoot/", $name, ".html")),
            whole: include_str!(concat!("fetch/chatwoot/", $name, ".whole.txt")),
            main: include_str!(concat!("fetch/chatwoot/", $name, ".main.txt")),
        }
    };
}

/// Two editions of a page.
const EDITIONS: [Recorded; 2] = [recorded!("article"), recorded!("edition")];

/// Generation of Chatwoot's parser.
#[derive(Clone, Copy, Debug)]
enum Parser {
    WholeBody,
    MainPart,
}

const PARSERS: [Parser; 2] = [Parser::WholeBody, Parser::MainPart];

struct Scene {
    install: Install,
    database: Database,
    redis: TestRedis,
    /// Index of the edition that the site serves.
    edition: Arc<AtomicUsize>,
    parser: Parser,
    /// Texts of the editions by Firecrawl, where Chatwoot fetches by it.
    by_firecrawl: Option<[&'static str; 2]>,
}

impl Scene {
    /// Starts a Chatwoot with `documents` pages that it has synced.
    async fn start(parser: Parser, documents: usize) -> Self {
        let scene = Self::unprepared(parser, documents).await;
        migrate(&scene.database.url, false, &mut |_| {}).await.expect("set up");
        scene
    }

    /// Does the same, without setting this program up in its database.
    async fn unprepared(parser: Parser, documents: usize) -> Self {
        let edition = Arc::new(AtomicUsize::new(0));
        let served = Arc::clone(&edition);
        let page = move |_: &str, _| Reply::Html(EDITIONS[served.load(Ordering::SeqCst)].html.to_owned());
        let (database, redis) = (postgres::empty().await, TestRedis::own(None));
        database.script(postgres::CHATWOOT_TABLES).await;
        database.script(COUNT_OF_WRITES).await;
        let install = Install::new(Site::start(page).await, "");
        let scene = Self { install, database, redis, edition, parser, by_firecrawl: None };
        scene.redis.sidekiq_serves(&["default", "low"]);
        let url = scene.install.site.url("/p");
        let text = quoted(scene.text());
        let fingerprint = Fingerprint::of(scene.text());
        let insert = format!(
            "INSERT INTO captain_documents (name, external_link, content, assistant_id, account_id, created_at, \
             updated_at, status, metadata, sync_status, last_synced_at, last_sync_attempted_at) \
             SELECT 'A name', '{url}' || n, {text}, 3, 2, now(), now(), 1, \
             '{{\"content_fingerprint\":\"{}\",\"other\":7}}', 1, now(), now() FROM generate_series(1, {documents}) n",
            fingerprint.as_str()
        );
        scene.database.script(&insert).await;
        scene
    }

    /// Returns the text of the page as Chatwoot's parser and converter make it.
    fn text(&self) -> &'static str {
        let served = self.edition.load(Ordering::SeqCst);
        match (self.by_firecrawl, self.parser) {
            (Some(texts), _) => texts[served],
            (None, Parser::WholeBody) => gem::text(served).unwrap_or(EDITIONS[served].whole),
            (None, Parser::MainPart) => EDITIONS[served].main,
        }
    }

    fn run(&self, args: &[&str]) -> Ended {
        let env = environment_of(&self.database, &self.redis);
        self.install.start_with(&env, args).ended()
    }

    /// Syncs all documents with this program.
    fn syncs(&self) {
        let queued = self.run(&["sync", "--all", "--yes"]);
        assert_eq!(queued.code, Some(0), "{queued:?}");
        let worked = self.run(&["work", "--drain"]);
        assert_eq!(worked.code, Some(0), "{worked:?}");
    }

    /// Syncs the first document as Chatwoot's job does, with all of its writes in their order. Returns true if it wrote a
    /// text, for which Chatwoot starts an FAQ job.
    async fn chatwoot_syncs(&self) -> bool {
        // Rails writes the whole of `metadata`, and sets `updated_at` with every write.
        let write = async |columns: &str, keys: &str| {
            let set = format!("{columns}metadata = metadata || '{{{keys}}}', updated_at = now() WHERE id = 1");
            self.database.script(&format!("UPDATE captain_documents SET {set}")).await;
        };
        let cleared = r#""sync_step":null,"last_sync_error_code":null"#;
        write("sync_status = 0, last_sync_attempted_at = now(), ", cleared).await;
        write("", r#""sync_step":"fetching""#).await;
        write("", r#""sync_step":"comparing""#).await;
        let stored =
            self.database.text("SELECT coalesce(metadata ->> 'content_fingerprint', '') FROM captain_documents");
        let (stored, new) = (stored.await, Fingerprint::of(self.text()));
        let synced = "sync_status = 1, last_synced_at = now(), last_sync_attempted_at = now(), ";
        if stored == new.as_str() {
            write(synced, cleared).await;
            return false;
        }
        write("", r#""sync_step":"updating""#).await;
        let text = format!("content = {}, name = 'Paying by card', {synced}", quoted(self.text()));
        write(&text, &format!(r#"{cleared},"content_fingerprint":"{}""#, new.as_str())).await;
        true
    }

    /// Returns the number of FAQ jobs that this program has started.
    fn faq_jobs(&self) -> usize {
        self.redis.entries("queue:low").len()
    }

    async fn text_writes(&self) -> String {
        self.database.text("SELECT count(*)::text FROM text_writes").await
    }

    /// Runs a sequence of syncs by this program (Q) and by Chatwoot (U). Returns the number of writes of a text and of
    /// FAQ jobs, by both. A `c` is a change of the page.
    async fn sequence(&self, steps: &str) -> (String, usize) {
        let mut theirs = 0;
        for step in steps.chars() {
            match step {
                'Q' => self.syncs(),
                'U' => theirs += usize::from(self.chatwoot_syncs().await),
                _ => self.edition.store(1, Ordering::SeqCst),
            }
        }
        (self.text_writes().await, theirs + self.faq_jobs())
    }

    fn results(&self) -> Vec<String> {
        let log = self.run(&["log", "--json"]);
        let line = |line: &str| {
            let outcome: Value = serde_json::from_str(line).expect("JSON");
            format!("{} {}", outcome["result"].as_str().unwrap_or("-"), outcome["content"].as_str().unwrap_or("-"))
        };
        log.out.iter().map(|text| line(text)).collect()
    }

    /// Returns the whole row of the first document, but for what a sync may write.
    async fn kept(&self) -> String {
        let row = "SELECT (to_jsonb(d) - 'sync_status' - 'last_synced_at' - 'last_sync_attempted_at' - 'metadata')::text \
            || (metadata - 'sync_step' - 'last_sync_error_code')::text FROM captain_documents d WHERE id = 1";
        self.database.text(row).await
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_never_changes_is_never_written_whoever_syncs_it() {
    for parser in PARSERS {
        let scene = Scene::start(parser, 1).await;
        let before = scene.kept().await;
        scene.syncs();
        assert_eq!(scene.kept().await, before, "{parser:?}");
        assert_eq!(scene.sequence("UQUQQUU").await, ("0".to_owned(), 0), "{parser:?}");
        assert!(scene.results().iter().all(|result| result.starts_with("unchanged ")), "{:?}", scene.results());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_written_once_and_starts_one_faq_job_whoever_finds_it() {
    for parser in PARSERS {
        for steps in ["QUQcQUQUU", "QUQcUQUQQ", "cQUQ", "UcUQQU"] {
            let scene = Scene::start(parser, 1).await;
            assert_eq!(scene.sequence(steps).await, ("1".to_owned(), 1), "{parser:?} {steps}: {:?}", scene.results());
            let text = scene.database.text("SELECT content FROM captain_documents WHERE id = 1").await;
            assert_eq!(text, scene.text(), "{parser:?} {steps}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_pass_over_a_chatwoot_in_use_updates_nothing() {
    for parser in PARSERS {
        let scene = Scene::start(parser, 200).await;
        scene.syncs();
        assert_eq!(scene.results(), vec!["unchanged same"; 200], "{parser:?}");
        assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("0", 0), "{parser:?}");
    }
}

/// Rows of the backfill have a text and no fingerprint; a first crawl cuts at 15,000 characters and stores none either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_without_a_fingerprint_is_compared_and_not_replaced() {
    for parser in PARSERS {
        let scene = Scene::start(parser, 1).await;
        scene.database.script("UPDATE captain_documents SET metadata = '{}'").await;
        let before = scene.kept().await;
        scene.syncs();
        assert_eq!((scene.kept().await, scene.faq_jobs()), (before, 0), "{parser:?}");
        scene.edition.store(1, Ordering::SeqCst);
        scene.syncs();
        assert_eq!(scene.results(), ["unchanged same", "updated changed"], "{parser:?}");
        assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("1", 1), "{parser:?}");
    }
}

/// A change of the footer is one for Chatwoot's older parser, and none for this program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_around_the_main_content_is_none() {
    let footer = Arc::new(AtomicUsize::new(0));
    let served = Arc::clone(&footer);
    let page = move |_: &str, _| {
        Reply::Html(EDITIONS[0].html.replace("Version 7", &format!("Version {}", 7 + served.load(Ordering::SeqCst))))
    };
    let mut scene = Scene::start(Parser::WholeBody, 1).await;
    let install = Install::new(Site::start(page).await, "");
    let url = install.site.url("/p1");
    scene.database.script(&format!("UPDATE captain_documents SET external_link = '{url}'")).await;
    scene.install = install;
    scene.syncs();
    footer.store(1, Ordering::SeqCst);
    scene.syncs();
    assert_eq!(scene.results(), ["unchanged same", "unchanged same"]);
    assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("0", 0));
}

/// Firecrawl makes links absolute and chooses other parts of the page, so nobody can say whether the page has changed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_was_fetched_otherwise_waits_for_review() {
    let scene = Scene::start(Parser::MainPart, 1).await;
    let text = "# Paying\n\nWe accept all cards. See [the prices](https://a.test/prices). ".repeat(5);
    scene
        .database
        .script(&format!("UPDATE captain_documents SET content = {}, metadata = '{{}}'", quoted(&text)))
        .await;
    scene.database.script("DELETE FROM text_writes").await;
    scene.syncs();
    assert_eq!(scene.results(), ["unchanged held"]);
    assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("0", 0));
    assert!(scene.run(&["accept", "1", "--yes"]).code == Some(0) || scene.run(&["accept", "1"]).code == Some(0));
    assert_eq!(scene.text_writes().await, "1");
    assert_eq!(scene.database.text("SELECT content FROM captain_documents").await, scene.text());
    scene.syncs();
    assert_eq!(scene.results().last().map(String::as_str), Some("unchanged same"));
}

/// Chatwoot's crawl job stores a shortened text and leaves the fingerprint.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_that_was_rewritten_under_its_old_fingerprint_is_mended_by_force() {
    for parser in PARSERS {
        let scene = Scene::start(parser, 1).await;
        scene.syncs();
        scene
            .database
            .script("UPDATE captain_documents SET content = left(content, 200); DELETE FROM text_writes")
            .await;
        scene.syncs();
        assert_eq!(scene.text_writes().await, "0", "an identical page is not converted");
        let queued = scene.run(&["sync", "1", "--force"]);
        assert_eq!(queued.code, Some(0), "{queued:?}");
        scene.run(&["work", "--drain"]);
        assert_eq!(scene.database.text("SELECT content FROM captain_documents").await, scene.text(), "{parser:?}");
        assert_eq!((scene.text_writes().await.as_str(), scene.faq_jobs()), ("1", 1), "{:?}", scene.results());
        scene.syncs();
        assert_eq!(scene.text_writes().await, "1");
    }
}

/// Who wants its own texts there gets them, as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_text_is_written_by_choice() {
    let mut scene = Scene::start(Parser::WholeBody, 1).await;
    let install =
        Install::new(Site::start(|_, _| Reply::Html(EDITIONS[0].html.to_owned())).await, "fetch.extract = \"main\"\n");
    let url = install.site.url("/p1");
    scene.database.script(&format!("UPDATE captain_documents SET external_link = '{url}'")).await;
    scene.install = install;
    scene.syncs();
    assert_eq!(scene.results(), ["updated changed"]);
    let text = scene.database.text("SELECT content FROM captain_documents").await;
    assert!(text.starts_with("# Paying by *card*") && text != scene.text(), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_says_which_text_is_written_and_what_a_pass_would_rewrite() {
    let scene = Scene::start(Parser::WholeBody, 3).await;
    let before = scene.kept().await;
    let says = |scene: &Scene, args: &[&str]| {
        let lines = scene.run(&[&["doctor", "--json"], args].concat()).out;
        let texts = lines.iter().filter(|line| line.contains("\"check\":\"texts\""));
        texts.cloned().collect::<Vec<String>>().join("\n")
    };
    let first = says(&scene, &["--sample"]);
    assert!(first.contains("none of its texts has been compared yet"), "{first}");
    assert!(
        first.contains("stored are 0 of ours, 0 of Chatwoot's that were compared with their pages, 3 that"),
        "{first}"
    );
    assert!(first.contains("of 3 pages that were fetched, a pass would leave 3 as they are and rewrite 0"), "{first}");
    scene.syncs();
    let known = says(&scene, &[]);
    assert!(known.contains("Chatwoot's own (the whole body, as in the newest"), "{known}");
    assert!(known.contains("3 of Chatwoot's that were compared") && !known.contains("a pass would"), "{known}");
    scene.edition.store(1, Ordering::SeqCst);
    let changed = says(&scene, &["--sample"]);
    assert!(changed.contains("leave 0 as they are and rewrite 3") && changed.contains("changed: "), "{changed}");
    assert_eq!((scene.text_writes().await.as_str(), scene.kept().await), ("0", before), "nothing is stored");
}
