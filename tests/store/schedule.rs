//! Tests the cases S1 to S18 of Chatwoot's scheduler (assets/docs/chatwoot.md, "Conformance cases"), by Chatwoot's
//! rules. Features of a Chatwoot database only (its feature bit, its limits) are in `chatwoot_plans`.

use super::support::{Backend, START, Scene};
use quarterdeck::domain::id::{AccountId, DocumentId};
use quarterdeck::domain::plan::{Cadence, Plan, PlanName};
use quarterdeck::domain::schedule::{DueRules, Pass, ScheduleSettings, draw_jitter};
use quarterdeck::store::{PassMode, PassRequest, PassResult, PassTrigger, Queries, ScheduleStore, SqlStore, StoreBase};
use std::time::Duration;

pub const MINUTE: u64 = 60;
pub const HOUR: u64 = 3_600;
pub const DAY: u64 = 86_400;
pub const WEEK: u64 = 7 * DAY;
pub const SEED: u64 = 7;

pub fn name(text: &str) -> PlanName {
    PlanName::new(text).unwrap()
}

/// Settings in which `business` has a cadence of a week, `enterprise` of a day, and `free` none; account 1 is on
/// `plan`.
pub fn terms(rules: DueRules, plan: &str) -> ScheduleSettings {
    let mut terms = ScheduleSettings { rules, ..ScheduleSettings::default() };
    for (plan, seconds) in [("business", Some(WEEK)), ("enterprise", Some(DAY)), ("free", None)] {
        let every = seconds.and_then(|seconds| Cadence::new(Duration::from_secs(seconds)));
        terms.plans.plans.insert(name(plan), Plan { cadence: every, ..Plan::default() });
    }
    terms.plans.accounts.insert(AccountId(1), name(plan));
    terms
}

pub fn order<'a>(terms: &'a ScheduleSettings, holder: &'a str) -> PassRequest<'a> {
    PassRequest {
        terms,
        only_plan: None,
        trigger: PassTrigger::Now,
        mode: PassMode::Enqueue,
        holder,
        lease: Duration::from_secs(30),
        seed: SEED,
    }
}

pub async fn pass_on(store: &SqlStore, terms: &ScheduleSettings) -> Pass {
    match ScheduleStore::schedule(store, &order(terms, "test")).await.unwrap() {
        PassResult::Completed(mut passes, _) => passes.remove(0),
        other => panic!("{other:?}"),
    }
}

impl Scene {
    pub async fn pass(&self, terms: &ScheduleSettings) -> Pass {
        pass_on(&self.store, terms).await
    }

    /// Adds a document of account 1 with this `sync_status`, last synced and attempted `ago` seconds before the clock.
    pub async fn standing(&self, url: &str, sync_status: &str, ago: u64) -> DocumentId {
        let id = self.add(1, url).await;
        self.set(id, &format!("sync_status = {sync_status}")).await;
        for column in ["last_synced_at", "last_sync_attempted_at"] {
            self.set_time(id, column, Some(ago)).await;
        }
        id
    }

    pub async fn set(&self, id: DocumentId, what: &str) {
        self.sql(&format!("UPDATE captain_documents SET {what} WHERE id = {id}")).await;
    }

    /// Sets a time to `ago` seconds before the clock; `None` is NULL.
    pub async fn set_time(&self, id: DocumentId, column: &str, ago: Option<u64>) {
        let at = ago.map(|ago| self.store.now().minus(Duration::from_secs(ago)).micros());
        let value = at.map_or("NULL".to_owned(), |at| self.place.at(at));
        self.set(id, &format!("{column} = {value}")).await;
    }

    /// Returns the documents with a waiting auto job, in id order.
    pub async fn scheduled(&self) -> Vec<i64> {
        let list = self.either("group_concat(document_id)", "string_agg(document_id::text, ',')").to_owned();
        let jobs = "SELECT document_id FROM jobs WHERE state = 'scheduled' AND class = 2 ORDER BY 1";
        let ids = self.place.text(&format!("SELECT {list} FROM ({jobs}) AS waiting")).await.unwrap_or_default();
        ids.split_terminator(',').map(|id| id.parse().unwrap()).collect()
    }
}

fn chatwoots(plan: &str) -> ScheduleSettings {
    terms(DueRules::HalfCadence, plan)
}

async fn s2_a_plan_without_a_cadence_schedules_none(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.standing("https://a.test/x", "1", 80 * DAY).await;
    let pass = scene.pass(&chatwoots("free")).await;
    let summary = pass.summary();
    assert_eq!((summary.accounts_scanned, summary.accounts_enabled, summary.accounts_scheduled), (1, 1, 0));
    assert!(scene.scheduled().await.is_empty());
}

async fn s3_a_pass_for_one_plan_serves_that_plan_alone(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut terms = chatwoots("business");
    terms.plans.accounts.insert(AccountId(2), name("Enterprise"));
    scene.standing("https://a.test/1", "1", 80 * DAY).await;
    let of_two = scene.standing("https://a.test/2", "1", 80 * DAY).await;
    scene.set(of_two, "account_id = 2").await;
    let only = name("ENTERPRISE");
    let order = PassRequest { only_plan: Some(&only), ..order(&terms, "test") };
    let PassResult::Completed(passes, _) = ScheduleStore::schedule(&*scene.store, &order).await.unwrap() else {
        panic!("held")
    };
    assert_eq!(scene.scheduled().await, [of_two.0]);
    let summary = passes[0].summary();
    assert_eq!((summary.plan_name.as_deref(), summary.accounts_enabled), (Some("enterprise"), 1));
}

async fn s4_s5_s7_due_after_half_the_cadence(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.standing("https://a.test/s4", "1", HOUR).await;
    let s5 = scene.standing("https://a.test/s5", "1", 8 * DAY).await;
    scene.standing("https://a.test/s7-before", "1", WEEK / 2 - MINUTE).await;
    scene.standing("https://a.test/s7-at", "1", WEEK / 2).await;
    let s7 = scene.standing("https://a.test/s7-after", "1", WEEK / 2 + MINUTE).await;
    scene.pass(&chatwoots("business")).await;
    assert_eq!(scene.scheduled().await, [s5.0, s7.0]);
    let purgeable = scene.store.purgeable().await.unwrap();
    assert_eq!(purgeable, 2, "upstream's queue `purgable` is our class auto");
}

async fn s6_s8_the_wait_is_the_drawn_number(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.standing("https://a.test/x", "1", 8 * DAY).await;
    scene.pass(&chatwoots("business")).await;
    let wait = draw_jitter(SEED, id, Duration::from_secs(DAY));
    let run_at = scene.number("SELECT run_at FROM jobs").await;
    assert_eq!(run_at, START.plus(wait).micros());
    assert_eq!(scene.row(id).await.next_attempt_at, Some(START.plus(wait)));
    // Not before its time, and then at once.
    scene.clock.advance(wait - Duration::from_secs(1));
    assert!(scene.claim(1).await.is_empty());
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.claim(1).await.len(), 1);
}

async fn s9_the_limit_of_an_account_takes_the_longest_waiting(backend: Backend) {
    let scene = Scene::new(backend).await;
    let newest = scene.standing("https://a.test/newest", "1", 8 * DAY).await;
    let oldest = scene.standing("https://a.test/oldest", "1", 8 * DAY).await;
    let never = scene.standing("https://a.test/never", "1", 8 * DAY).await;
    scene.set_time(newest, "last_sync_attempted_at", Some(8 * DAY)).await;
    scene.set_time(oldest, "last_sync_attempted_at", Some(9 * DAY)).await;
    scene.set_time(never, "last_sync_attempted_at", None).await;
    let terms = ScheduleSettings { per_account: Some(2), ..chatwoots("business") };
    let pass = scene.pass(&terms).await;
    assert_eq!(scene.scheduled().await, [oldest.0, never.0]);
    assert_eq!(pass.accounts[0].stopped_by.map(|by| by.as_str()), Some("the limit of an account is reached"));
    scene.pass(&terms).await;
    assert_eq!(scene.scheduled().await.len(), 3, "the next pass goes on");
}

async fn s10_the_limit_of_a_pass_holds_over_accounts(backend: Backend) {
    let scene = Scene::new(backend).await;
    let mut terms = ScheduleSettings { per_account: Some(2), total: Some(3), ..chatwoots("business") };
    terms.plans.accounts.insert(AccountId(2), name("business"));
    for account in [1, 2] {
        for n in 0..3 {
            let id = scene.standing(&format!("https://a.test/{account}/{n}"), "1", 8 * DAY).await;
            scene.set(id, &format!("account_id = {account}")).await;
        }
    }
    let pass = scene.pass(&terms).await;
    assert_eq!(scene.scheduled().await.len(), 3);
    let summary = pass.summary();
    assert_eq!((summary.global_cap_hit, summary.remaining_global_capacity, summary.documents_enqueued), (true, 0, 3));
}

async fn s11_to_s14_failed_and_syncing_rows(backend: Backend) {
    let scene = Scene::new(backend).await;
    let s11 = scene.standing("https://a.test/s11", "2", 8 * DAY).await;
    let s12 = scene.standing("https://a.test/s12", "0", 2 * HOUR + MINUTE).await;
    scene.standing("https://a.test/s13", "0", 11 * MINUTE).await;
    scene.standing("https://a.test/s14", "0", MINUTE).await;
    scene.standing("https://a.test/failed-early", "2", WEEK / 2).await;
    let nulls = scene.standing("https://a.test/failed-without-a-time", "2", 0).await;
    scene.set_time(nulls, "last_sync_attempted_at", None).await;
    scene.add(1, "https://a.test/never").await;
    scene.pass(&chatwoots("business")).await;
    assert_eq!(scene.scheduled().await, [s11.0, s12.0], "and NULLs are never due there");
}

async fn s15_s16_pdfs_and_unavailable_documents_are_left(backend: Backend) {
    let scene = Scene::new(backend).await;
    let pdf = scene.standing("https://a.test/a", "1", 8 * DAY).await;
    scene.set(pdf, "external_link = 'PDF: handbook'").await;
    let link = scene.standing("https://a.test/b", "1", 8 * DAY).await;
    scene.set(link, "external_link = 'https://a.test/handbook.pdf'").await;
    let progress = scene.standing("https://a.test/c", "1", 8 * DAY).await;
    scene.set(progress, "status = 0").await;
    let upper = scene.standing("https://a.test/d", "1", 8 * DAY).await;
    scene.set(upper, "external_link = 'https://a.test/handbook.PDF'").await;
    scene.pass(&chatwoots("business")).await;
    assert_eq!(scene.scheduled().await, [upper.0], "case counts in upstream's test for PDFs");
}

async fn s17_scheduling_writes_no_document(backend: Backend) {
    let scene = Scene::new(backend).await;
    for rules in [DueRules::HalfCadence, DueRules::Continuous] {
        let id = scene.standing(&format!("https://a.test/{}", rules.word()), "1", 8 * DAY).await;
        let row = format!("SELECT * FROM captain_documents WHERE id = {id}");
        let sum = scene.either(
            "SELECT sync_status || '/' || last_synced_at || '/' || last_sync_attempted_at || '/' || updated_at || metadata",
            "SELECT d::text",
        );
        let text = format!("{sum} FROM ({row}) AS d");
        let before = scene.place.text(&text).await;
        scene.pass(&terms(rules, "business")).await;
        assert!(scene.scheduled().await.contains(&id.0));
        assert_eq!(scene.place.text(&text).await, before);
        assert_eq!(scene.row(id).await.status.word(), "stale", "only `next` has changed");
    }
}

async fn a_next_check_is_promised_only_while_passes_run(backend: Backend) {
    let scene = Scene::new(backend).await;
    let terms = terms(DueRules::Continuous, "business");
    let id = scene.standing("https://a.test/x", "1", DAY).await;
    let pass = async |mode| {
        let periodic = PassTrigger::Interval(Duration::from_secs(15));
        let order = PassRequest { trigger: periodic, mode, ..order(&terms, "test") };
        ScheduleStore::schedule(&*scene.store, &order).await.unwrap();
        scene.row(id).await.next_check_at
    };
    assert_eq!(pass(PassMode::PlansOnly).await, None, "the plan is known, but nobody schedules");
    let due = scene.store.now().plus(Duration::from_secs(6 * DAY));
    assert_eq!(pass(PassMode::Enqueue).await, Some(due));
    scene.clock.advance(Duration::from_secs(25 * HOUR));
    assert_eq!(scene.row(id).await.next_check_at, Some(due), "by Chatwoot's rules a pass runs once a day");
    scene.clock.advance(Duration::from_secs(HOUR));
    assert_eq!(scene.row(id).await.next_check_at, None, "no worker has scheduled anything for more than a day");
}

on_both! {
    ()
    a_next_check_is_promised_only_while_passes_run,
    s2_a_plan_without_a_cadence_schedules_none,
    s3_a_pass_for_one_plan_serves_that_plan_alone,
    s4_s5_s7_due_after_half_the_cadence,
    s6_s8_the_wait_is_the_drawn_number,
    s9_the_limit_of_an_account_takes_the_longest_waiting,
    s10_the_limit_of_a_pass_holds_over_accounts,
    s11_to_s14_failed_and_syncing_rows,
    s15_s16_pdfs_and_unavailable_documents_are_left,
    s17_scheduling_writes_no_document,
}
