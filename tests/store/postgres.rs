//! Tests the parts that only PostgreSQL has: set-up, schemas of other programs, roles, refusals, and many concurrent
//! writers.

use super::support::{
    Backend, LEASE, START, Scene, fetched, limits, new, open, outcomes_after, permanent, request, worker,
};
use crate::support::limit::{until, until_announced};
use crate::support::measure::{self, Stopwatch};
use crate::support::postgres::{self, Database};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::Seq;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    self, Access, AddResult, ClaimLimits, DocumentStore, Finish, FinishResult, JobStore, ManualClock, MigrationStep,
    Queries, Store, StoreBase, StoreError, migrate, plan,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

async fn refused(url: &str) -> String {
    refused_for(url, Access::Create).await
}

async fn refused_for(url: &str, access: Access) -> String {
    match store::open(url, access).await {
        Err(
            error @ (StoreError::Address(_)
            | StoreError::Unusable(_)
            | StoreError::Forbidden(_)
            | StoreError::Unavailable(_)),
        ) => error.to_string(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("was opened"),
    }
}

/// Makes Chatwoot's table as it was before its links became text, with columns that a fork has added.
pub async fn chatwoot() -> Database {
    let database = postgres::empty().await;
    database
        .script(
            "CREATE TABLE captain_documents (id bigserial PRIMARY KEY, name varchar, external_link varchar NOT NULL, \
             content text, assistant_id bigint NOT NULL, account_id bigint NOT NULL, created_at timestamp(6) NOT NULL, \
             updated_at timestamp(6) NOT NULL, status integer DEFAULT 0 NOT NULL, metadata jsonb DEFAULT '{}', \
             sync_status integer, last_synced_at timestamp(6), last_sync_attempted_at timestamp(6), \
             sync_step varchar, content_fingerprint varchar, last_sync_error_code varchar); \
             CREATE TABLE captain_assistants (id bigint PRIMARY KEY, account_id bigint NOT NULL); \
             INSERT INTO captain_assistants VALUES (1, 1), (3, 2); \
             CREATE UNIQUE INDEX links ON captain_documents (assistant_id, external_link); \
             INSERT INTO captain_documents (name, external_link, assistant_id, account_id, created_at, updated_at, \
             status, last_synced_at, sync_status) VALUES ('Old', 'https://a.test/x', 3, 2, \
             '2025-01-02 03:04:05.678901', '2025-01-02 03:04:05.678901', 1, '2038-02-03 04:05:06.123457', 1)",
        )
        .await;
    database
}

fn versions() -> impl Iterator<Item = MigrationStep> {
    (1..=quarterdeck::store::SCHEMA_VERSION).map(MigrationStep::Version)
}

#[tokio::test]
async fn an_empty_database_says_what_to_do_and_is_set_up_once() {
    let database = postgres::empty().await;
    assert!(refused(&database.url).await.contains("quarterdeck migrate --standalone"));
    let message = plan(&database.url, false).await.unwrap_err().to_string();
    assert!(message.contains("no table captain_documents") && message.contains("--standalone"), "{message}");
    let mut all = vec![MigrationStep::Schema];
    all.extend(versions());
    all.extend([MigrationStep::Documents, MigrationStep::Accounts]);
    assert_eq!(plan(&database.url, true).await.unwrap(), all);
    assert!(refused(&database.url).await.contains("not set up"), "a plan changes nothing");
    let mut told = Vec::new();
    migrate(&database.url, true, &mut |step| told.push(step)).await.unwrap();
    assert_eq!(told, all);
    assert_eq!(plan(&database.url, true).await.unwrap(), []);
    migrate(&database.url, true, &mut |step| panic!("{step}")).await.unwrap();
    let store = store::open(&database.url, Access::Create).await.unwrap();
    assert_eq!(store.label().as_str(), format!("postgres 127.0.0.1/{}", database.name));
    assert_eq!(store.add(&[new(1, "https://a.test/x")]).await.unwrap().len(), 1);
    assert_eq!(
        store.remove(&[quarterdeck::domain::id::DocumentId(1)], &"ana".into()).await.unwrap(),
        1,
        "the table is ours"
    );
    store.close().await;
}

#[tokio::test]
async fn eight_that_set_up_at_once_make_one_schema() {
    let database = postgres::empty().await;
    let setting_up = (0..8).map(|_| {
        let url = database.url.clone();
        tokio::spawn(async move { migrate(&url, true, &mut |_| {}).await })
    });
    for done in futures_util::future::join_all(setting_up).await {
        done.unwrap().unwrap();
    }
    store::open(&database.url, Access::Write).await.unwrap().close().await;
}

#[tokio::test]
async fn a_migration_that_was_killed_left_nothing_and_is_done_again() {
    let database = postgres::empty().await;
    // The server closes the connection at the very end of the first version's transaction.
    database
        .script(
            "CREATE FUNCTION kill() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF to_regclass('quarterdeck.workers') IS NOT NULL THEN PERFORM pg_terminate_backend(pg_backend_pid()); \
             END IF; END $$; CREATE EVENT TRIGGER kill ON ddl_command_end EXECUTE FUNCTION kill()",
        )
        .await;
    assert!(migrate(&database.url, true, &mut |_| {}).await.is_err());
    database.script("DROP EVENT TRIGGER kill").await;
    let mut rest: Vec<_> = versions().collect();
    rest.extend([MigrationStep::Documents, MigrationStep::Accounts]);
    assert_eq!(plan(&database.url, true).await.unwrap(), rest, "whole steps alone");
    migrate(&database.url, true, &mut |_| {}).await.unwrap();
    store::open(&database.url, Access::Write).await.unwrap().close().await;
}

#[tokio::test]
async fn chatwoots_own_table_is_used_and_never_altered() {
    let database = chatwoot().await;
    assert!(refused(&database.url).await.contains("run `quarterdeck migrate`"));
    let schema = "SELECT string_agg(a::text, ',' ORDER BY attnum) || (SELECT string_agg(indexdef, ',' ORDER BY indexdef) \
         FROM pg_indexes WHERE tablename = 'captain_documents') FROM pg_attribute a \
         WHERE attrelid = 'captain_documents'::regclass";
    let before = database.text(schema).await;
    migrate(&database.url, false, &mut |_| {}).await.unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let store = open(&database.url, clock.clone(), Access::Create).await;
    let id = quarterdeck::domain::id::DocumentId(1);
    let row = store.find(&store::DocumentRef::Id(id)).await.unwrap().remove(0);
    assert_eq!(row.updated_at, Timestamp::parse_rfc3339("2025-01-02T03:04:05.678901Z").unwrap());
    assert_eq!(row.synced_at, Timestamp::parse_rfc3339("2038-02-03T04:05:06.123457Z"));
    assert_eq!((row.status, row.account_id.0, row.assistant_id.0), (Status::Synced, 2, 3));
    clock.set(Timestamp::from_micros(START.micros() + 123_457));
    store.request(&[id], &request(QueueClass::Manual)).await.unwrap();
    let job = store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let finish = Finish {
        lease: job.lease,
        end: fetched("New", "text", ContentChange::First),
        duration: Duration::ZERO,
        stages: None,
    };
    store.finish(finish, &Default::default()).await.unwrap();
    let row = store.find(&store::DocumentRef::Id(id)).await.unwrap().remove(0);
    assert_eq!((row.updated_at, row.synced_at), (clock_now(&clock), Some(clock_now(&clock))), "to the microsecond");
    let added = store.add(&[new(1, "https://a.test/y")]).await.unwrap();
    assert!(matches!(added[..], [AddResult::New(_)]));
    let message = store.remove(&[id], &"ana".into()).await.unwrap_err().to_string();
    assert!(message.contains("Chatwoot"), "{message}");
    assert_eq!(store.counts().await.unwrap().total(), 2);
    store.close().await;
    assert_eq!(database.text(schema).await, before);
}

fn clock_now(clock: &ManualClock) -> Timestamp {
    quarterdeck::store::Clock::now(clock)
}

#[tokio::test]
async fn what_a_table_of_documents_lacks_is_named() {
    for (change, says) in [
        ("ALTER TABLE captain_documents DROP COLUMN last_synced_at", "lacks the column last_synced_at"),
        (
            "ALTER TABLE captain_documents ALTER metadata DROP DEFAULT, ALTER metadata TYPE text",
            "metadata as jsonb (it is text)",
        ),
        ("DROP INDEX links", "lacks the unique index on (assistant_id, external_link)"),
    ] {
        let database = chatwoot().await;
        migrate(&database.url, false, &mut |_| {}).await.unwrap();
        database.script(change).await;
        let message = refused(&database.url).await;
        assert!(message.contains(says), "{message}");
        assert!(plan(&database.url, true).await.unwrap_err().to_string().contains(says));
    }
}

#[tokio::test]
async fn schemas_of_others_and_of_later_versions_are_left_alone() {
    let foreign = chatwoot().await;
    foreign.script("CREATE SCHEMA quarterdeck CREATE TABLE ships (name text)").await;
    for message in [refused(&foreign.url).await, plan(&foreign.url, true).await.unwrap_err().to_string()] {
        assert!(message.contains("tables of another program"), "{message}");
    }
    let newer = postgres::store().await;
    newer.script("INSERT INTO quarterdeck.migrations (version) VALUES (99)").await;
    for message in [refused(&newer.url).await, plan(&newer.url, true).await.unwrap_err().to_string()] {
        assert!(message.contains("newer quarterdeck (version 99"), "{message}");
    }
}

#[tokio::test]
async fn a_role_that_owns_our_schema_alone_is_enough() {
    let database = chatwoot().await;
    let role = format!("role_{}", database.name);
    database
        .script(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'pw'; GRANT SELECT, UPDATE ON captain_documents TO {role}; \
             REVOKE CREATE ON SCHEMA public FROM PUBLIC"
        ))
        .await;
    let url = database.url_of(&role, "pw");
    let message = migrate(&url, false, &mut |_| {}).await.unwrap_err().to_string();
    assert!(message.contains("CREATE SCHEMA quarterdeck AUTHORIZATION"), "{message}");
    database.script(&format!("CREATE SCHEMA quarterdeck AUTHORIZATION {role}")).await;
    assert!(plan(&url, false).await.unwrap().into_iter().eq(versions()));
    migrate(&url, false, &mut |_| {}).await.unwrap();
    let store = open(&url, Arc::new(ManualClock::at(START)), Access::Create).await;
    let id = quarterdeck::domain::id::DocumentId(1);
    store.register(&worker("w1")).await.unwrap();
    store.request(&[id], &request(QueueClass::Manual)).await.unwrap();
    let job = store.claim(&worker("w1").id, limits(1)).await.unwrap().remove(0);
    let finish = Finish {
        lease: job.lease,
        end: fetched("New", "text", ContentChange::First),
        duration: Duration::ZERO,
        stages: None,
    };
    assert!(matches!(store.finish(finish, &Default::default()).await.unwrap(), FinishResult::Written { .. }));
    let message = store.add(&[new(1, "https://a.test/y")]).await.unwrap_err().to_string();
    assert!(message.contains("may not add documents"), "{message}");
    assert!(store.remove(&[id], &"ana".into()).await.is_err());
    store.close().await;
    database.script(&format!("REVOKE UPDATE ON captain_documents FROM {role}")).await;
    assert!(refused(&url).await.contains("UPDATE on captain_documents"));
    let reading = store::open(&url, Access::ReadOnly).await.unwrap();
    assert_eq!(reading.counts().await.unwrap().total(), 1);
    assert!(matches!(reading.register(&worker("w2")).await, Err(StoreError::ReadOnly)));
    reading.close().await;
    database.script(&format!("REVOKE SELECT ON captain_documents FROM {role}")).await;
    assert!(refused_for(&url, Access::ReadOnly).await.contains("SELECT on captain_documents"));
    database.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
}

#[tokio::test]
async fn what_stands_in_the_way_is_named_with_its_cure_and_without_the_password() {
    let database = postgres::store().await;
    let with = |change: &dyn Fn(&mut url::Url)| {
        let mut url = url::Url::parse(&database.url).unwrap();
        change(&mut url);
        url.to_string()
    };
    let nobody_there = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases = [
        (database.url_of("postgres", "s3cret"), vec!["password authentication failed", "QUARTERDECK_STORE"]),
        (database.url_of("nobody", "s3cret"), vec!["nobody", "QUARTERDECK_STORE"]),
        (with(&|url| url.set_path("/s3cretless")), vec!["does not exist", "name another database"]),
        (with(&|url| url.set_port(Some(nobody_there)).unwrap()), vec!["refused", "check host and port"]),
        (with(&|url| url.set_host(Some("nowhere.invalid")).unwrap()), vec!["nowhere.invalid", "check host and port"]),
        (with(&|url| url.set_query(Some("sslmode=require"))), vec!["no encrypted connection", "sslmode"]),
        (with(&|url| url.set_query(Some("sslmode=perhaps"))), vec!["postgres://USER:PASSWORD@HOST"]),
    ];
    for (url, says) in cases {
        let message = refused(&url).await;
        assert!(says.iter().all(|part| message.contains(part)), "{says:?}: {message}");
        assert!(
            !message.contains("s3cret@") && !message.contains(":s3cret") && !message.contains("secret@"),
            "{message}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_keep_caps_exact_and_numbers_dense() {
    let scene = Scene::new(Backend::Postgres).await;
    let mut ids = Vec::new();
    for added in scene
        .store
        .add(&(0..120).map(|n| new(n % 4, &format!("https://h{}.test/{n}", n % 6))).collect::<Vec<_>>())
        .await
        .unwrap()
    {
        let (AddResult::New(id) | AddResult::Exists(id)) = added;
        ids.push(id);
    }
    scene.ask(&ids, QueueClass::Auto).await;
    let mut working = Vec::new();
    for place in 0..4 {
        let store = scene.another().await;
        let ids = ids.clone();
        working.push(tokio::spawn(async move {
            let name = worker(&format!("w{place}"));
            store.register(&name).await.unwrap();
            let limits = ClaimLimits { per_host: 2, per_account: Some(4), ..limits(5) };
            let (mut ended, mut idle) = (0, 0);
            while idle < 20 {
                let claimed = store.claim(&name.id, limits).await.unwrap();
                idle = if claimed.is_empty() { idle + 1 } else { 0 };
                store
                    .heartbeat(&name.id, &claimed.iter().map(|job| job.lease).collect::<Vec<_>>(), LEASE)
                    .await
                    .unwrap();
                // Requests and cancels of the documents that are being finished.
                let auto = request(QueueClass::Auto);
                let asking = store.request(&ids[place * 9..place * 9 + 40], &auto);
                let policy = Default::default();
                let finishing = claimed.iter().map(|job| {
                    let end = if job.lease.job_id.0 % 3 == 0 {
                        permanent()
                    } else {
                        fetched("T", "text", ContentChange::First)
                    };
                    store.finish(Finish { lease: job.lease, end, duration: Duration::ZERO, stages: None }, &policy)
                });
                let (asked, finished) = tokio::join!(asking, futures_util::future::join_all(finishing));
                asked.unwrap();
                for finished in finished {
                    assert!(matches!(finished.unwrap(), FinishResult::Written { .. }));
                    ended += 1;
                }
                if ended > 150 {
                    break;
                }
            }
            store.unregister(&name.id).await.unwrap();
            store.close().await;
            ended
        }));
    }
    let mut above = 0;
    while !working.iter().all(tokio::task::JoinHandle::is_finished) {
        let caps = "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE state = 'running' GROUP BY host HAVING count(*) > 2 \
             UNION ALL SELECT 1 FROM jobs WHERE state = 'running' GROUP BY account_id HAVING count(*) > 4) AS above";
        above += scene.number(caps).await;
    }
    assert_eq!(above, 0, "never above a cap");
    let mut ended = 0;
    for worked in working {
        ended += worked.await.unwrap();
    }
    let outcomes = outcomes_after(&*scene.store, Seq::START).await;
    assert_eq!(outcomes.len(), ended);
    assert!(outcomes.iter().zip(1..).all(|(outcome, seq)| outcome.seq == Seq(seq)), "dense, in order");
    let jobs: BTreeSet<_> = outcomes.iter().map(|outcome| (outcome.job_id, outcome.attempt)).collect();
    assert_eq!(jobs.len(), ended, "one end per attempt");
    assert_eq!(scene.store.rederive_lanes().await.unwrap(), 0);
}

#[tokio::test]
async fn broken_connections_are_made_anew_and_locks_taken_again() {
    let scene = Scene::new(Backend::Postgres).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (_, job) = scene.running("https://a.test/x").await;
    let other = scene.another().await;
    scene
        .sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        .await;
    // An idle connection is tested only after a while, so one call may fail first.
    let back = async || scene.store.counts().await.and(other.counts().await).ok();
    until("both stores, which come back by themselves", back).await;
    scene.clock.advance(Duration::from_secs(10));
    assert!(other.rescue().await.unwrap().outcomes.is_empty(), "a break is no death");
    let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted \
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    until("the lock of a worker", async || (scene.number(held).await > 0).then_some(())).await;
    assert_eq!(scene.store.queue().await.unwrap().workers, 1);
    assert!(matches!(scene.finish(&job, permanent()).await, FinishResult::Written { .. }));
    other.close().await;
}

#[tokio::test]
async fn signals_come_at_once() {
    let scene = Scene::new(Backend::Postgres).await;
    let other = scene.another().await;
    let mut took = Vec::new();
    for n in 0..20 {
        let start = Stopwatch::start();
        scene.add(1, &format!("https://a.test/{n}")).await;
        until_announced(&*other, "a signal", async || other.counts().await.unwrap().total() > n).await;
        took.push(start.took());
    }
    took.sort();
    println!("seen by another process after {:?} (median), {:?} (longest)", took[10], took[19]);
    measure::at_most("a commit is seen by another process (median)", took[10], Duration::from_millis(300));
}

/// The server's TCP connection to a client, in the list of the kernel, has a timer that asks the client for a sign of
/// life (`02`) within 30 s; two hours are the default.
#[tokio::test]
async fn a_client_that_is_silent_is_soon_asked_for_a_sign_of_life() {
    let scene = Scene::new(Backend::Postgres).await;
    scene.store.counts().await.unwrap();
    let port = "SELECT CAST(max(client_port) AS BIGINT) FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'quarterdeck'";
    let of_client = format!(":{:04X}", scene.number(port).await);
    let due = async || {
        let connections = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let of_server = connections.lines().map(fields).find(|fields| fields[2].ends_with(&of_client))?;
        let (timer, jiffies) = of_server[5].split_once(':')?;
        // While an answer is on its way, the timer is another one.
        (timer == "02").then(|| u64::from_str_radix(jiffies, 16).unwrap())
    };
    assert!(until("the timer of a silent connection", due).await <= 30 * 100);
}
