//! Plans on a database of Chatwoot: its feature bit, its plan names, its settings (S1 and I1 to I7 end to end).

use super::schedule::{DAY, order, pass_on, terms};
use super::support::{Backend, Scene};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::plan::Verdict;
use quarterdeck::domain::schedule::{Rules, Terms};
use quarterdeck::store::{PassAnswer, PlanSource, SqlStore, Store};
use std::sync::Arc;

/// A database whose documents are Chatwoot's, and the store on it.
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

/// As Rails stores it: a JSON string of YAML.
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
    let terms = Terms::default();
    let none = store.plans(&terms).await.unwrap();
    assert_eq!((none.source, none.troubles.len()), (PlanSource::Chatwoot, 0));
    assert_eq!(pass_on(&store, &terms).await.enqueued(), 0, "no intervals are set");
    configure(&scene, INTERVALS, "value: '{\"business\": 168, \"ENTERPRISE\": 24, \"startups\": \"720\"}'\n").await;
    configure(&scene, "CAPTAIN_DOCUMENT_AUTO_SYNC_PER_ACCOUNT_BATCH_LIMIT", "value: 7 documents\n").await;
    configure(&scene, "CAPTAIN_DOCUMENT_AUTO_SYNC_GLOBAL_BATCH_LIMIT", "value: 0\n").await;
    let pass = pass_on(&store, &terms).await;
    assert_eq!(scene.scheduled().await, [1, 3], "the second has the feature off, the fourth's hours are a text");
    let verdicts: Vec<_> = pass.accounts.iter().map(|account| account.verdict).collect();
    assert!(matches!(verdicts[..], [Verdict::Looked(_), Verdict::FeatureOff, Verdict::Looked(_), Verdict::NoCadence]));
    let summary = pass.summary();
    assert_eq!((summary.accounts_scanned, summary.accounts_enabled, summary.accounts_scheduled), (4, 3, 2));
    assert_eq!((summary.per_account_batch_limit, summary.global_batch_limit), (7, 1_000));
    let limits = store.plans(&Terms { per_account: Some(3), ..Terms::default() }).await.unwrap().limits;
    assert_eq!((limits.per_account, limits.total), (3, 1_000), "what somebody says here counts");
}

#[tokio::test]
async fn plans_of_the_settings_count_before_chatwoots() {
    let (scene, store) = chatwoots().await;
    configure(&scene, INTERVALS, "value:\n  enterprise: 24\n").await;
    let plans = store.plans(&terms(Rules::Continuous, "business")).await.unwrap();
    assert_eq!(plans.source, PlanSource::Settings);
    let looked = plans.accounts.iter().filter(|account| matches!(account.verdict(None), Verdict::Looked(_)));
    assert_eq!(looked.map(|account| account.account).collect::<Vec<_>>(), [AccountId(1)]);
}

#[tokio::test]
async fn a_missing_table_or_right_is_said_and_schedules_nothing() {
    let (scene, store) = chatwoots().await;
    configure(&scene, INTERVALS, "value:\n  business: 168\n").await;
    scene.sql("DROP TABLE installation_configs").await;
    scene.sql("ALTER TABLE accounts DROP COLUMN feature_flags").await;
    let terms = Terms::default();
    let plans = store.plans(&terms).await.unwrap();
    assert_eq!(
        plans.troubles,
        [
            "accounts has no column feature_flags, so Chatwoot's plans are not known; set plans up under [plans]",
            "there is no table installation_configs, so Chatwoot's plans are not known; set plans up under [plans]",
        ]
    );
    let PassAnswer::Made(passes, troubles) = store.schedule(&order(&terms, "x")).await.unwrap() else { panic!("held") };
    assert_eq!((passes[0].enqueued(), troubles.len()), (0, 2));
    scene.sql("DROP TABLE accounts CASCADE").await;
    assert_eq!(store.plans(&terms).await.unwrap().troubles.len(), 2, "each table once");
}
