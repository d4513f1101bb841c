//! Tests that every table and column of Chatwoot beside its documents may be missing or closed to this role: the program
//! works, and `doctor` has a line about it. The tables and columns are those that the program itself reads.

use super::Scene;
use crate::support::postgres::{CHATWOOT_ANSWERS, Database};
use quarterdeck::store::OPTIONAL_COLUMNS;
use std::collections::BTreeSet;

/// The tables as Chatwoot has them; some are there already.
const TABLES: &str = "CREATE TABLE accounts (id bigserial PRIMARY KEY, name varchar, custom_attributes jsonb, \
     feature_flags bigint DEFAULT 0 NOT NULL); INSERT INTO accounts (id, name) VALUES (2, 'Acme'); \
     INSERT INTO schema_migrations VALUES ('20260611184600'); \
     CREATE TABLE active_storage_blobs (id bigserial PRIMARY KEY, key varchar, content_type varchar); \
     CREATE TABLE active_storage_attachments (id bigserial PRIMARY KEY, name varchar, record_type varchar, \
     record_id bigint, blob_id bigint);";

impl Scene {
    /// Asserts that lists, syncs and passes work; returns what `doctor` says.
    fn works(&self, what: &str) -> String {
        let listed = self.run(&["list", "--filter", "kind:web", "--json"]);
        assert!(listed.code == Some(0) && listed.out.len() == 1, "{what}: {listed:?}");
        let synced = self.run(&["sync", "1", "--wait"]);
        assert_eq!(synced.code, Some(0), "{what}: {synced:?}");
        let pass = self.run(&["schedule", "--dry-run"]);
        assert_eq!(pass.code, Some(0), "{what}: {pass:?}");
        let doctor = self.run(&["doctor"]);
        assert!(matches!(doctor.code, Some(0 | 1)), "{what}: {doctor:?}");
        doctor.out.join("\n")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_table_and_column_may_be_missing_or_closed_and_doctor_says_so() {
    let mut scene = Scene::with_firecrawl("").await;
    scene.database.script(&format!("{TABLES} {CHATWOOT_ANSWERS}")).await;
    let role = format!("role_{}", scene.database.name);
    let tables: BTreeSet<&str> = OPTIONAL_COLUMNS.iter().map(|(table, _)| *table).collect();
    let all = tables.iter().copied().collect::<Vec<_>>().join(", ");
    let rights = format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA quarterdeck TO {role}; \
         GRANT ALL ON ALL TABLES IN SCHEMA quarterdeck TO {role}; \
         GRANT ALL ON ALL SEQUENCES IN SCHEMA quarterdeck TO {role}; \
         GRANT SELECT, UPDATE, INSERT ON captain_documents TO {role}; \
         GRANT USAGE ON SEQUENCE captain_documents_id_seq TO {role}; GRANT SELECT ON {all} TO {role}; \
         GRANT SELECT ON captain_assistant_responses TO {role}; \
         GRANT INSERT ON text_writes TO {role}; GRANT USAGE ON SEQUENCE text_writes_id_seq TO {role}"
    );
    scene.database.script(&rights).await;
    let limited = Database { url: scene.database.url_of(&role, "pw"), name: scene.database.name.clone() };
    let admin = std::mem::replace(&mut scene.database, limited);
    let complete = scene.works("everything");
    let reasons = |says: &str| {
        let is_reason =
            |line: &&str| ["there is no table", "has no column", "may not read"].iter().any(|it| line.contains(it));
        says.lines().filter(is_reason).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&complete), Vec::<String>::new());
    for table in &tables {
        for (take, restore, reason) in [
            (
                format!("ALTER TABLE {table} RENAME TO gone"),
                format!("ALTER TABLE gone RENAME TO {table}"),
                format!("there is no table {table}"),
            ),
            (
                format!("REVOKE SELECT ON {table} FROM {role}"),
                format!("GRANT SELECT ON {table} TO {role}"),
                format!("this role may not read {table}"),
            ),
        ] {
            admin.script(&take).await;
            let says = reasons(&scene.works(&take));
            admin.script(&restore).await;
            assert!(!says.is_empty() && says.iter().all(|line| line.contains(&reason)), "{take}: {says:?}");
        }
    }
    for (table, columns) in OPTIONAL_COLUMNS {
        for column in columns {
            admin.script(&format!("ALTER TABLE {table} RENAME COLUMN {column} TO gone")).await;
            let says = reasons(&scene.works(column));
            admin.script(&format!("ALTER TABLE {table} RENAME COLUMN gone TO {column}")).await;
            let reason = format!("{table} has no column {column}");
            assert!(!says.is_empty() && says.iter().all(|line| line.contains(&reason)), "{table}.{column}: {says:?}");
        }
    }
    // Rights on the columns alone are enough.
    admin.script(&format!("REVOKE SELECT ON {all} FROM {role}")).await;
    for (table, columns) in OPTIONAL_COLUMNS {
        admin.script(&format!("GRANT SELECT ({}) ON {table} TO {role}", columns.join(", "))).await;
    }
    assert_eq!(reasons(&scene.works("columns")), Vec::<String>::new());
    // A role that may do nothing but what a sync needs.
    admin.script(&format!("REVOKE SELECT ON {all} FROM {role}; REVOKE INSERT ON captain_documents FROM {role}")).await;
    let says = scene.works("nothing optional");
    for table in tables.iter().filter(|table| **table != "active_storage_blobs") {
        assert!(says.contains(&format!("this role may not read {table}")), "{table}: {says}");
    }
    admin.script(&format!("GRANT SELECT ON captain_assistants TO {role}")).await;
    assert!(scene.works("no adding").contains("documents cannot be added: "));
    let database = Database { url: admin.url.clone(), name: admin.name.clone() };
    scene.database = database;
    admin.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}
