//! Tests plans on a Chatwoot database: its feature bit, its plan names, its settings (S1 and I1 to I7 end to end).

use super::schedule::{DAY, order, pass_on, terms};
use super::support::{Backend, Scene};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::plan::AccountDecision;
use quarterdeck::domain::schedule::{DueRules, ScheduleSettings};
use quarterdeck::store::{PassResult, PlanSource, ScheduleStore, Sort, SqlStore};
use std::sync::Arc;

/// Makes a database with Chatwoot's documents, and opens a store on it.
async fn chatwoots() -> (Scene, Arc<SqlStore>) {
    let scene = Scene::new(Backend::Postgres).await;
    for sql in [
        "DELETE FROM quarterdeck.made",
        "CREATE TABLE IF NOT EXISTS public.accounts (id bigserial PRIMARY KEY, name varchar NOT NULL, custom_attributes jsonb)",
        "ALTER TABLE public.accounts ADD COLUMN feature_flags bigint NOT NULL DEFAULT 0",
        "CREATE TABLE public.installation_configs (id bigserial PRIMARY KEY, name varchar NOT NULL, \
         serialized_value jsonb NOT NULL DEFAULT '{}', locked boolean NOT NULL DEFAULT true)",
    ] {
        scene.sql(sql).await;
    }
    for (id, plan, on) in
        [(1, "Business", true), (2, "business", false), (3, "Enterprise", true), (4, "startups", true)]
    {
        let flags = if on { 1_i64 << 51 | 4 } else { 4 | 1 << 50 };
        let attributes = format!(r#"{{"plan_name": "{plan}"}}"#);
        scene
            .sql(&format!("INSERT INTO accounts (id, name, custom_attributes, feature_flags) VALUES ({id}, 'A', '{attributes}', {flags})"))
            .await;
        let document = scene.standing(&format!("https://a.test/{id}"), "1", 300 * DAY).await;
        scene.set(document, &format!("account_id = {id}")).await;
    }
    let store = scene.another().await;
    (scene, store)
}

/// Stores a setting as Rails does: a JSON string of YAML.
async fn configure(scene: &Scene, name: &str, yaml: &str) {
    let yaml = format!("--- !ruby/hash:ActiveSupport::HashWithIndifferentAccess\n{yaml}");
    let json = serde_json::Value::String(yaml).to_string().replace('\'', "''");
    scene.sql(&format!("DELETE FROM installation_configs WHERE name = '{name}'")).await;
    scene.sql(&format!("INSERT INTO installation_configs (name, serialized_value) VALUES ('{name}', '{json}')")).await;
}

const INTERVALS: &str = "CAPTAIN_DOCUMENT_AUTO_SYNC_INTERVALS";

#[tokio::test]
async fn s1_the_feature_bit_and_the_intervals_decide() {
    let (scene, store) = chatwoots().await;
    let terms = ScheduleSettings::default();
    let none = store.plans(&terms).await.unwrap();
    assert_eq!((none.source, none.problems.len()), (PlanSource::Chatwoot, 0));
    assert_eq!(pass_on(&store, &terms).await.enqueued(), 0, "no intervals are set");
    configure(&scene, INTERVALS, "value: '{\"business\": 168, \"ENTERPRISE\": 24, \"startups\": \"720\"}'\n").await;
    configure(&scene, "CAPTAIN_DOCUMENT_AUTO_SYNC_PER_ACCOUNT_BATCH_LIMIT", "value: 7 documents\n").await;
    configure(&scene, "CAPTAIN_DOCUMENT_AUTO_SYNC_GLOBAL_BATCH_LIMIT", "value: 0\n").await;
    let pass = pass_on(&store, &terms).await;
    assert_eq!(scene.scheduled().await, [1, 3], "the second has the feature off, the fourth's hours are a text");
    let verdicts: Vec<_> = pass.accounts.iter().map(|account| account.decision).collect();
    assert!(matches!(
        verdicts[..],
        [
            AccountDecision::Scheduled(_),
            AccountDecision::FeatureOff,
            AccountDecision::Scheduled(_),
            AccountDecision::NoCadence
        ]
    ));
    let summary = pass.summary();
    assert_eq!((summary.accounts_scanned, summary.accounts_enabled, summary.accounts_scheduled), (4, 3, 2));
    assert_eq!((summary.per_account_batch_limit, summary.global_batch_limit), (7, 1_000));
    let limits =
        store.plans(&ScheduleSettings { per_account: Some(3), ..ScheduleSettings::default() }).await.unwrap().limits;
    assert_eq!((limits.per_account, limits.total), (3, 1_000), "what somebody says here counts");
}

#[tokio::test]
async fn plans_of_the_settings_count_before_chatwoots() {
    let (scene, store) = chatwoots().await;
    configure(&scene, INTERVALS, "value:\n  enterprise: 24\n").await;
    let plans = store.plans(&terms(DueRules::Continuous, "business")).await.unwrap();
    assert_eq!(plans.source, PlanSource::Settings);
    let looked =
        plans.accounts.iter().filter(|account| matches!(account.decision(None), AccountDecision::Scheduled(_)));
    assert_eq!(looked.map(|account| account.account).collect::<Vec<_>>(), [AccountId(1)]);
}

#[tokio::test]
async fn a_missing_table_or_right_is_said_and_schedules_nothing() {
    let (scene, store) = chatwoots().await;
    configure(&scene, INTERVALS, "value:\n  business: 168\n").await;
    scene.sql("DROP TABLE installation_configs").await;
    scene.sql("ALTER TABLE accounts DROP COLUMN feature_flags").await;
    let terms = ScheduleSettings::default();
    let plans = store.plans(&terms).await.unwrap();
    assert_eq!(
        plans.problems,
        [
            "accounts has no column feature_flags, so Chatwoot's plans are not known; set up plans under [plans]",
            "there is no table installation_configs, so Chatwoot's plans are not known; set up plans under [plans]",
        ]
    );
    let PassResult::Completed(passes, troubles) = store.schedule(&order(&terms, "x")).await.unwrap() else {
        panic!("held")
    };
    assert_eq!((passes[0].enqueued(), troubles.len()), (0, 2));
    scene.sql("DROP TABLE accounts CASCADE").await;
    assert_eq!(store.plans(&terms).await.unwrap().problems.len(), 2, "each table once");
}

#[tokio::test]
async fn a_missing_right_is_said_with_its_cure() {
    let (scene, _) = chatwoots().await;
    let mut url = url::Url::parse(&scene.place.url()).unwrap();
    let role = format!("role_{}", url.path().trim_start_matches('/'));
    scene
        .sql(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA quarterdeck TO {role}; \
             GRANT ALL ON ALL TABLES IN SCHEMA quarterdeck TO {role}; \
             GRANT ALL ON ALL SEQUENCES IN SCHEMA quarterdeck TO {role}; \
             GRANT SELECT, UPDATE ON captain_documents TO {role}; GRANT SELECT ON accounts TO {role}"
        ))
        .await;
    url.set_username(&role).unwrap();
    url.set_password(Some("pw")).unwrap();
    let store = super::support::open(url.as_str(), scene.clock.clone(), quarterdeck::store::Access::Write).await;
    let plans = store.plans(&ScheduleSettings::default()).await.unwrap();
    assert_eq!(
        plans.problems,
        ["this role may not read installation_configs; GRANT SELECT ON installation_configs to it, or set up plans \
             under [plans]"]
    );
    assert_eq!(pass_on(&store, &ScheduleSettings::default()).await.enqueued(), 0);
    scene.sql(&format!("GRANT SELECT ON installation_configs TO {role}")).await;
    configure(&scene, INTERVALS, "value: '{\"business\": 168}'\n").await;
    assert_eq!(pass_on(&store, &ScheduleSettings::default()).await.enqueued(), 1);
}

/// Chatwoot has its own scheduler, so this one is off unless the settings enable it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schedule_is_off_on_chatwoots_database_unless_asked_for() {
    use crate::support::install::Install;
    use crate::support::site::{Site, html};

    let (scene, _) = chatwoots().await;
    configure(&scene, INTERVALS, "value: '{\"business\": 168}'\n").await;
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let url = scene.place.url();
    let run = |args: &[&str]| install.start_with(&[("QUARTERDECK_STORE", &url)], args).ended();
    let doctor = |config: &str| {
        install.write("other.toml", config);
        let file = install.folder().join("other.toml").display().to_string();
        let report = run(&["doctor", "--config", &file]);
        report.out.into_iter().find(|line| line.contains(" schedule ")).unwrap()
    };
    assert!(
        doctor("").contains("off, because Chatwoot runs a scheduler; on a plan with an interval: 1 of 4 accounts"),
        "{}",
        doctor("")
    );
    let both = doctor("schedule.enabled = true");
    assert!(
        both.contains("although Chatwoot's scheduler syncs the same documents")
            && both.contains("schedule.enabled = false"),
        "{both}"
    );
    let would = run(&["schedule", "--dry-run", "--read-only"]);
    assert_eq!(would.code, Some(0), "{}", would.err);
    assert_eq!(would.out[0], "account 1 (business, every 1 week): would schedule 1 document within 24 h");
    assert_eq!(would.out[1], "account 2 (business): automatic syncs are disabled for the account");
    let worker = install.start_with(&[("QUARTERDECK_STORE", &url)], &["work"]);
    // Its first pass stores the plans, so that the filter `stale` works, and schedules nothing.
    let stale = quarterdeck::domain::filter::Filter::parse("status:stale").unwrap();
    let store = quarterdeck::store::open(&url, quarterdeck::store::Access::ReadOnly).await.unwrap();
    let is_told = async || store.matching(&stale, Sort::BY_ID, None).await.unwrap().len() == 1;
    crate::support::install::until(&*store, "stale", is_told).await;
    // It also makes passes, so that lists read shadow rows.
    let has_passed = async || store.counts().await.unwrap().max_age.is_some();
    crate::support::install::until(&*store, "a pass", has_passed).await;
    assert_eq!(store.purgeable().await.unwrap(), 0);
    worker.signal(rustix::process::Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    let asked = run(&["schedule"]);
    assert!(asked.err.contains("Chatwoot's own scheduler may sync the same documents"), "{}", asked.err);
    assert_eq!(store.purgeable().await.unwrap(), 1, "asked for, it is done");
    store.close().await;
}
