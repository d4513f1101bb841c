//! Tests the schedule with the real binary: it keeps documents fresh, previews its passes, and drops waiting jobs.

use crate::support::install::{Install, until};
use crate::support::site::{Site, html};
use quarterdeck::store::{Access, open};

mod month;

const PLANS: &str = "plans.fast = { every = \"1m\" }\nplans.slow = { every = \"1 week\" }\nplans.none = {}\n\
                     accounts = { 1 = \"fast\", 2 = \"slow\", 3 = \"none\" }\n";

async fn install(settings: &str) -> Install {
    Install::new(Site::start(|_, _| html("T", "text")).await, settings)
}

fn add(install: &Install, account: &str, paths: &[&str]) {
    let urls: Vec<_> = paths.iter().map(|path| install.site.url(path)).collect();
    let mut args = vec!["add", "--account", account, "--assistant", account];
    args.extend(urls.iter().map(String::as_str));
    let ended = install.run(&args);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schedule_says_what_it_does_and_purge_drops_it() {
    let install = install(PLANS).await;
    add(&install, "1", &["/a", "/b"]);
    add(&install, "2", &["/c"]);
    add(&install, "3", &["/d"]);
    add(&install, "4", &["/e"]);
    let would = install.run(&["schedule", "--dry-run"]);
    assert_eq!(would.code, Some(0), "{}", would.err);
    assert_eq!(
        would.out[..5],
        [
            "account 1 (fast, every 1 minute): would schedule 2 documents within 10 s",
            "account 2 (slow, every 1 week): would schedule 1 document within 24 h",
            "account 3 (none): its plan has no interval",
            "account 4: has no plan",
            would.out[4].as_str(),
        ]
    );
    assert!(
        would.out[4].starts_with("[Captain::Documents::ScheduleSyncsJob] {\"event\":\"completed\",\"plan_name\":null")
    );
    assert!(would.out[4].contains("\"documents_enqueued\":3") && would.out[4].ends_with("\"dry_run\":true}"));
    assert!(would.err.contains("instead of the line for the Rails log"), "{}", would.err);
    let refused = install.run(&["schedule", "--read-only"]);
    assert_eq!(refused.code, Some(2), "{}", refused.err);
    let unknown = install.run(&["schedule", "--plan", "gold"]);
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.err.contains("unknown plan \"gold\" (known plans: fast, none, slow)"), "{}", unknown.err);
    let one = install.run(&["schedule", "--plan", "SLOW", "--json"]);
    assert_eq!(one.code, Some(0), "{}", one.err);
    assert!(!one.err.contains("Rails"), "{}", one.err);
    assert_eq!(
        one.out[0],
        r#"{"account_id":1,"plan":"fast","cadence_seconds":null,"documents_enqueued":0,"reason":"is on another plan"}"#
    );
    assert_eq!(
        one.out[1],
        r#"{"account_id":2,"plan":"slow","cadence_seconds":604800,"documents_enqueued":1,"reason":null}"#
    );
    let all = install.run(&["schedule"]);
    assert!(all.out[0].starts_with("account 1 (fast, every 1 minute): scheduled 2 documents within"), "{:?}", all.out);
    assert_eq!(all.out[1], "account 2 (slow, every 1 week): nothing is due");
    let waiting = install.run(&["list", "--filter", "queue:auto", "--json"]);
    assert_eq!(waiting.out.len(), 3);
    assert!(
        waiting
            .out
            .iter()
            .all(|line| line.contains(r#""status":"never""#) && !line.contains(r#""next_attempt_at":null"#))
    );
    assert_eq!(install.run(&["purge", "--dry-run"]).out, ["would drop 3 waiting auto jobs"]);
    assert_eq!(install.run(&["purge", "--yes", "--json"]).out, [r#"{"purged":3,"dry_run":false}"#]);
    let log = install.run(&["log", "--filter", "result:purged", "--json"]);
    assert_eq!(log.out.len(), 3);
    assert!(log.out[0].contains("purged by ana") && log.out[0].contains(r#""queue":"auto""#), "{}", log.out[0]);
    let nothing = install.run(&["purge", "--yes"]);
    assert_eq!((nothing.code, nothing.out.len()), (Some(0), 0), "{}", nothing.err);
    let doctor = install.run(&["doctor"]);
    assert!(
        doctor.out.iter().any(|line| line.contains("schedule") && line.contains("on for 2 of 4 accounts")),
        "{:?}",
        doctor.out
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_keep_documents_fresh_by_themselves() {
    let install = install(&format!("runner.per_host = 8\n{PLANS}")).await;
    add(&install, "1", &["/a", "/b", "/c"]);
    add(&install, "3", &["/never"]);
    let workers = [install.start(&["work"]), install.start(&["work"])];
    let store = open(&format!("sqlite:{}", install.file().display()), Access::ReadOnly).await.expect("the store");
    // The schedule draws the times within ten seconds, from a plan of a minute.
    until(&*store, "three syncs", async || store.last_seq().await.expect("a number").0 >= 3).await;
    for worker in workers {
        worker.signal(rustix::process::Signal::TERM);
        assert_eq!(worker.ended().code, Some(0));
    }
    let log = install.run(&["log", "--json"]);
    assert_eq!(log.out.len(), 3, "each once, whoever schedules: {:?}", log.out);
    assert!(log.out.iter().all(|line| line.contains(r#""requested_by":"schedule""#)), "{:?}", log.out);
    // A worker started with `--drain` runs no schedule.
    let drained = install.run(&["work", "--drain"]);
    assert_eq!((drained.code, drained.out.len()), (Some(0), 0));
    let off = install.run(&["list", "--json", "--filter", "account:3 status:never"]);
    assert_eq!(off.out.len(), 1, "no interval, no sync");
    store.close().await;
}
