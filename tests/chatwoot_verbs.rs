//! Tests verbs on a database of Chatwoot with the real binary: its way of fetching pages, the rights of a role, and what
//! is refused.

use crate::support::install::{Ended, Install};
use crate::support::postgres::{self, Database};
use crate::support::site::{Reply, Site, html};
use quarterdeck::store::migrate;

/// SQL that creates Chatwoot's tables, with one page of each kind.
const TABLES: &str = "CREATE TABLE captain_documents (id bigserial PRIMARY KEY, name varchar, \
    external_link text NOT NULL, content text, assistant_id bigint NOT NULL, account_id bigint NOT NULL, \
    created_at timestamp(6) NOT NULL DEFAULT now(), updated_at timestamp(6) NOT NULL DEFAULT now(), \
    status integer DEFAULT 0 NOT NULL, metadata jsonb DEFAULT '{}', sync_status integer, \
    last_synced_at timestamp(6), last_sync_attempted_at timestamp(6)); \
    CREATE UNIQUE INDEX links ON captain_documents (assistant_id, md5(external_link)); \
    CREATE TABLE installation_configs (id bigserial PRIMARY KEY, name varchar NOT NULL, serialized_value jsonb);";
const KEY: &str = "fc-0123456789abcdef";

struct Scene {
    install: Install,
    database: Database,
    url: String,
}

impl Scene {
    /// Starts a Chatwoot with one page at `site`, not set up yet.
    async fn start(site: Site, settings: &str) -> Self {
        let database = postgres::empty().await;
        let page = site.url("/page");
        let add = format!(
            "{TABLES} INSERT INTO captain_documents (name, external_link, assistant_id, account_id, status) \
             VALUES ('Page', '{page}', 3, 2, 1)"
        );
        database.script(&add).await;
        let url = database.url.clone();
        Self { install: Install::new(site, settings), database, url }
    }

    async fn set(&self, name: &str, value: &str) {
        let set = "DELETE FROM installation_configs WHERE name = 'NAME'; INSERT INTO installation_configs (name, \
             serialized_value) VALUES ('NAME', jsonb_build_object('value', 'WORD'))";
        self.database.script(&set.replace("NAME", name).replace("WORD", value)).await;
    }

    fn run(&self, args: &[&str]) -> Ended {
        let env = [("QUARTERDECK_STORE", self.url.as_str())];
        let ended = self.install.start_with(&env, args).ended();
        let all = format!("{} {}", ended.out.join("\n"), ended.err);
        assert!(!all.contains(KEY), "{all}");
        ended
    }

    /// Returns the lines of `doctor` about the way in which pages are fetched.
    fn crawling(&self) -> String {
        self.doctor(" crawling ")
    }

    /// Returns the lines of `doctor` that contain `check`.
    fn doctor(&self, check: &str) -> String {
        self.run(&["doctor"]).out.into_iter().filter(|line| line.contains(check)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_fetched_as_chatwoots_settings_say() {
    let site = Site::start(|path, _| match path {
        "/v2/scrape" => Reply::Html(
            r#"{"success":true,"data":{"markdown":"A text by Firecrawl.","metadata":{"title":"F","statusCode":200}}}"#
                .to_owned(),
        ),
        _ => html("Direct", "A text that the page itself has."),
    })
    .await;
    let own = format!("fetch.firecrawl.url = \"{}\"\n", site.url(""));
    let scene = Scene::start(site, &own).await;
    migrate(&scene.url, false, &mut |_| {}).await.expect("set up");
    assert!(scene.crawling().contains("pages are fetched directly, as Chatwoot does"));
    scene.set("CAPTAIN_FIRECRAWL_API_KEY", KEY).await;
    let says = scene.crawling();
    assert!(says.contains("by Firecrawl, as Chatwoot does, with its key (CAPTAIN_FIRECRAWL_API_KEY)"), "{says}");
    let preview = scene.run(&["sync", "--all", "--dry-run"]).out;
    assert_eq!(preview[1], "would cost up to 1 credit of Firecrawl", "{preview:?}");
    let json = scene.run(&["sync", "--all", "--dry-run", "--json"]).out.join("");
    assert!(json.contains(r#""firecrawl_credits":1"#), "{json}");
    let synced = scene.run(&["sync", "1", "--wait"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
    let text = "SELECT content FROM captain_documents";
    assert_eq!(scene.database.text(text).await, "A text by Firecrawl.");
    assert!(scene.install.site.head("/v2/scrape").contains(&format!("authorization: bearer {KEY}")));
    // A provider that is not known here, and one that has no key.
    scene.set("WEB_CRAWLING_PROVIDER", "context_dev").await;
    let says = scene.crawling();
    assert!(says.contains("by context_dev (WEB_CRAWLING_PROVIDER), which is not followed"), "{says}");
    assert!(!scene.run(&["sync", "--all", "--dry-run"]).out.join("").contains("credit"));
    scene.set("WEB_CRAWLING_PROVIDER", "native").await;
    assert!(scene.crawling().contains("pages are fetched directly, as Chatwoot does"));
    scene.set("WEB_CRAWLING_PROVIDER", "firecrawl").await;
    scene.database.script("DELETE FROM installation_configs WHERE name LIKE 'CAPTAIN%'").await;
    assert!(scene.crawling().contains("there is no CAPTAIN_FIRECRAWL_API_KEY"));
    // Without the table, pages are fetched directly.
    scene.database.script("DROP TABLE installation_configs").await;
    let says = scene.crawling();
    assert!(says.contains("there is no table installation_configs, so it is not known how Chatwoot fetches"), "{says}");
    assert_eq!(scene.run(&["sync", "1", "--wait", "--force"]).code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chatwoots_way_of_fetching_is_not_followed_where_the_settings_say_so() {
    let site = Site::start(|_, _| html("Direct", "A text that the page itself has.")).await;
    let scene = Scene::start(site, "fetch.from_installation = false\n").await;
    migrate(&scene.url, false, &mut |_| {}).await.expect("set up");
    scene.set("CAPTAIN_FIRECRAWL_API_KEY", KEY).await;
    assert!(scene.crawling().contains("they are fetched directly here: texts differ"));
    assert!(!scene.run(&["sync", "--all", "--dry-run"]).out.join("").contains("credit"));
    assert_eq!(scene.run(&["sync", "1", "--wait"]).code, Some(0));
    let text = "SELECT content FROM captain_documents";
    assert_eq!(scene.database.text(text).await.trim(), "A text that the page itself has.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_migration_lists_the_rights_that_are_missing_and_columns_are_enough() {
    let mut scene = Scene::start(Site::start(|_, _| html("T", "A text of the page.")).await, "").await;
    let role = format!("role_{}", scene.database.name);
    let rights = format!("CREATE ROLE {role} LOGIN PASSWORD 'pw'; REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    scene.database.script(&rights).await;
    scene.url = scene.database.url_of(&role, "pw");
    let dry = scene.run(&["migrate", "--dry-run"]);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    let missing: Vec<&str> = dry.out.iter().filter_map(|line| line.strip_prefix("missing: ")).collect();
    assert!(missing.len() == 3 && missing[0].starts_with("CREATE on the database"), "{missing:?}");
    assert_eq!(missing[1..], ["SELECT on captain_documents", "UPDATE on captain_documents"]);
    let real = scene.run(&["migrate"]);
    assert!(real.code == Some(2) && real.err.contains("CREATE SCHEMA quarterdeck AUTHORIZATION"), "{real:?}");
    // Some of the columns that are written are not enough, all of them are.
    let grant = format!(
        "CREATE SCHEMA quarterdeck AUTHORIZATION {role}; GRANT SELECT, UPDATE (content, name) ON captain_documents TO {role}"
    );
    scene.database.script(&grant).await;
    let dry = scene.run(&["migrate", "--dry-run"]);
    let missing = "missing: UPDATE (updated_at, metadata, sync_status, last_synced_at, last_sync_attempted_at) on \
         captain_documents";
    assert!(dry.code == Some(1) && dry.out.iter().any(|line| line == missing), "{dry:?}");
    let columns = "updated_at, metadata, sync_status, last_synced_at, last_sync_attempted_at";
    scene.database.script(&format!("GRANT UPDATE ({columns}) ON captain_documents TO {role}")).await;
    assert_eq!(scene.run(&["migrate", "--dry-run"]).code, Some(0));
    assert_eq!(scene.run(&["migrate"]).code, Some(0));
    let synced = scene.run(&["sync", "1", "--wait"]);
    assert_eq!(synced.code, Some(0), "{synced:?}");
    // A right that is taken away later is a refusal, not an outage; and a set-up that is complete is looked at, too.
    scene.database.script(&format!("REVOKE UPDATE (content) ON captain_documents FROM {role}")).await;
    let refused = scene.run(&["sync", "1"]);
    assert!(refused.code == Some(2) && refused.err.contains("no UPDATE (content) on captain_documents"), "{refused:?}");
    let dry = scene.run(&["migrate", "--dry-run"]);
    assert!(dry.code == Some(1) && dry.out.iter().any(|line| line.contains("UPDATE (content)")), "{dry:?}");
    scene.database.script(&format!("GRANT UPDATE (content), INSERT ON captain_documents TO {role}")).await;
    let page = scene.install.site.url("/more");
    let added = "CREATE TABLE captain_assistants (id bigint PRIMARY KEY, account_id bigint); \
         INSERT INTO captain_assistants VALUES (3, 2); GRANT SELECT ON captain_assistants TO ";
    scene.database.script(&format!("{added}{role}")).await;
    let refused = scene.run(&["add", &page, "--assistant", "3"]);
    let sequence = "no USAGE on sequence captain_documents_id_seq";
    assert!(refused.code == Some(2) && refused.err.contains(sequence), "{refused:?}");
    scene.database.script(&format!("GRANT USAGE ON SEQUENCE captain_documents_id_seq TO {role}")).await;
    assert_eq!(scene.run(&["add", &page, "--assistant", "3"]).code, Some(0));
    scene.database.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_table_chatwoot_lacks_or_hides_it_works_and_doctor_has_a_line() {
    let files = "CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, content_type varchar); \
         CREATE TABLE active_storage_attachments (id bigserial PRIMARY KEY, name varchar, record_type varchar, \
         record_id bigint, blob_id bigint);";
    let mut scene = Scene::start(Site::start(|_, _| html("T", "A text of the page.")).await, "").await;
    scene.database.script(files).await;
    scene
        .database
        .script(
            "CREATE TABLE accounts (id bigint PRIMARY KEY, name varchar, custom_attributes jsonb, \
         feature_flags bigint)",
        )
        .await;
    let role = format!("role_{}", scene.database.name);
    let rights = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pw'; CREATE SCHEMA quarterdeck AUTHORIZATION {role}; \
         GRANT SELECT, UPDATE ON captain_documents TO {role}"
    );
    scene.database.script(&rights).await;
    scene.url = scene.database.url_of(&role, "pw");
    assert_eq!(scene.run(&["migrate"]).code, Some(0));
    let attached = async |scene: &Scene, sql: &str| {
        scene.database.script(sql).await;
        let found = scene.doctor(" attached PDFs ");
        assert_eq!(scene.run(&["list", "--filter", "kind:web", "--json"]).out.len(), 1);
        assert_eq!(scene.run(&["sync", "1", "--wait"]).code, Some(0));
        found
    };
    let says = attached(&scene, "SELECT 1").await;
    assert!(says.contains("warn") && says.contains("may not read active_storage_attachments"), "{says}");
    assert!(scene.crawling().contains("may not read installation_configs"));
    let grant = format!("GRANT SELECT ON active_storage_attachments TO {role}");
    let says = attached(&scene, &grant).await;
    assert!(says.contains("may not read active_storage_blobs"), "{says}");
    let grant = format!("GRANT SELECT (id, content_type) ON active_storage_blobs TO {role}");
    let says = attached(&scene, &grant).await;
    assert!(says.contains("are seen, and not synced"), "{says}");
    let says = attached(&scene, "ALTER TABLE active_storage_blobs RENAME content_type TO kind").await;
    assert!(says.contains("active_storage_blobs has no column content_type"), "{says}");
    let says = attached(&scene, "DROP TABLE active_storage_attachments, active_storage_blobs").await;
    assert!(says.contains("there is no table active_storage_attachments"), "{says}");
    // Answers, by which FAQs are counted.
    let faqs = |scene: &Scene, says: &str| {
        let found = scene.doctor(" FAQs ");
        assert!(found.contains(says), "{found}");
        let listed = scene.run(&["list", "--filter", "faq:none"]);
        let is_known = says.contains("counted");
        assert_eq!(listed.code, Some(if is_known { 0 } else { 2 }), "{listed:?}");
        assert_eq!(scene.run(&["list", "--json"]).out[0].contains("\"faqs\":null"), !is_known);
        assert_eq!(scene.run(&["show", "1"]).out.iter().any(|line| line.starts_with("FAQs ")), is_known);
        assert_eq!(scene.run(&["sync", "1", "--wait"]).code, Some(0));
    };
    faqs(&scene, "there is no table captain_assistant_responses");
    scene.database.script(postgres::CHATWOOT_ANSWERS).await;
    faqs(&scene, "this role may not read captain_assistant_responses");
    let some = "GRANT SELECT (id, documentable_type, documentable_id, status) ON captain_assistant_responses TO";
    scene.database.script(&format!("{some} {role}")).await;
    faqs(&scene, "this role may not read captain_assistant_responses");
    let rest = "GRANT SELECT (created_at) ON captain_assistant_responses TO";
    scene.database.script(&format!("{rest} {role}")).await;
    faqs(&scene, "are counted for each document");
    scene.database.script(&format!("GRANT SELECT ON captain_assistant_responses TO {role}")).await;
    faqs(&scene, "are counted for each document");
    // Plans that cannot be read are named where the schedule is looked at.
    let schedule = scene.run(&["schedule", "--dry-run"]);
    assert!(format!("{schedule:?}").contains("may not read accounts"), "{schedule:?}");
    scene.database.script("DROP TABLE accounts, installation_configs").await;
    let schedule = scene.run(&["schedule", "--dry-run"]);
    assert!(format!("{schedule:?}").contains("there is no table accounts"), "{schedule:?}");
    assert_eq!(scene.run(&["sync", "1", "--wait"]).code, Some(0));
    scene.database.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_is_refused_before_anybody_is_asked() {
    let scene = Scene::start(Site::start(|_, _| html("T", "A text of the page.")).await, "").await;
    migrate(&scene.url, false, &mut |_| {}).await.expect("set up");
    for args in [&["remove", "1"][..], &["remove", "1", "--yes"], &["remove", "--filter", "id:1", "--dry-run"]] {
        let refused = scene.run(args);
        assert_eq!(refused.code, Some(2), "{args:?} {refused:?}");
        assert!(refused.err.contains("remove them in Chatwoot") && !refused.err.contains("[y/N]"), "{refused:?}");
        assert!(!refused.err.contains("--yes"), "{refused:?}");
    }
}
