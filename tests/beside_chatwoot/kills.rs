//! Tests that each change of a text starts one FAQ job, in a queue that is served, while workers are killed and Redis is
//! away. Small by default; `QUARTERDECK_CHAOS=60,20 QUARTERDECK_REDIS_AWAY=60` are the numbers of changes and of kills, and
//! the seconds for which Redis does not answer.

use super::{Parser, Scene};
use crate::support::fleet::Random;
use crate::support::install::{Install, Process, environment_of};
use crate::support::limit::until;
use crate::support::measure::Stopwatch;
use crate::support::redis::document_of;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::time::Duration;

const SETTINGS: &str = "runner.per_host = 64\nrunner.concurrency = 4\n";

fn size() -> (usize, usize, Duration) {
    let text = std::env::var("QUARTERDECK_CHAOS").unwrap_or_else(|_| "24,4".to_owned());
    let (changes, kills) = text.split_once(',').expect("QUARTERDECK_CHAOS is CHANGES,KILLS");
    let away = std::env::var("QUARTERDECK_REDIS_AWAY").map_or(0, |text| text.parse().expect("seconds"));
    (changes.parse().expect("a number"), kills.parse().expect("a number"), Duration::from_secs(away))
}

impl Scene {
    async fn number(&self, sql: &str) -> usize {
        self.database.text(&format!("SELECT ({sql})::text")).await.parse().expect("a number")
    }

    fn worker(&self) -> Process {
        let env = environment_of(&self.database, &self.redis);
        self.install.start_with(&env, &["work"])
    }

    /// Returns the ids of the documents in the queue of FAQ jobs, each with its number of jobs.
    fn documents_of_jobs(&self) -> BTreeMap<i64, usize> {
        let mut jobs = BTreeMap::new();
        for job in self.redis.entries("queue:low") {
            *jobs.entry(document_of(&job)).or_default() += 1;
        }
        jobs
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_change_starts_one_faq_job_whatever_is_killed_and_while_redis_is_away() {
    let (changes, kills, away) = size();
    let mut scene = Scene::start(Parser::MainPart, changes).await;
    // Each fetch has another text, as long as the stored one.
    let text = |path: &str, hit: u32| format!("Edition {hit} of the page at {path}. ").repeat(40);
    let page = move |path: &str, hit| Reply::After(Duration::from_millis(150), Box::new(html(path, &text(path, hit))));
    scene.install = Install::new(Site::start(page).await, SETTINGS);
    let url = scene.install.site.url("/p");
    scene.database.script(&format!("UPDATE captain_documents SET external_link = '{url}' || id")).await;
    scene.database.script("DELETE FROM text_writes").await;
    assert_eq!(scene.run(&["sync", "--all", "--yes"]).code, Some(0));
    let written = "SELECT count(*) FROM text_writes";
    let live = "SELECT count(*) FROM quarterdeck.jobs WHERE state IN ('scheduled', 'ready', 'running')";
    let running = "SELECT count(*) FROM quarterdeck.jobs WHERE state = 'running'";
    let mut workers: Vec<Process> = (0..2).map(|_| scene.worker()).collect();
    let mut random = Random::new(15);
    for kill in 0..kills {
        // While jobs run, and now and then once some have ended.
        let ended = scene.number(written).await + random.below(3);
        until("workers that run jobs", async || {
            let (written, running) = (scene.number(written).await, scene.number(running).await);
            (written >= ended && running > 0 || scene.number(live).await == 0).then_some(())
        })
        .await;
        let victim = workers.swap_remove(random.below(workers.len()));
        victim.signal(Signal::KILL);
        victim.ended();
        workers.push(scene.worker());
        if kill == kills / 2 {
            let (begun, before) = (Stopwatch::start(), scene.number(written).await);
            scene.redis.freeze();
            until("changes while Redis is away", async || {
                let is_more = scene.number(written).await > before || scene.number(live).await == 0;
                (is_more && begun.took() >= away).then_some(())
            })
            .await;
            scene.redis.thaw();
        }
        if scene.number(live).await == 0 {
            assert_eq!(scene.run(&["sync", "--filter", "id:1,2,3,4,5,6", "--yes"]).code, Some(0));
        }
    }
    let pending = "SELECT count(*) FROM quarterdeck.outbox";
    until("the end of all jobs and messages", async || {
        (scene.number(live).await == 0 && scene.number(pending).await == 0).then_some(())
    })
    .await;
    for worker in workers {
        worker.signal(Signal::TERM);
        assert_eq!(worker.ended().code, Some(0));
    }
    let rows = scene.database.text(
        "SELECT coalesce(jsonb_object_agg(document, n), '{}')::text FROM (SELECT document, count(*) AS n FROM text_writes \
         GROUP BY 1) t",
    );
    let writes: BTreeMap<i64, usize> = serde_json::from_str(&rows.await).expect("JSON");
    let jobs = scene.documents_of_jobs();
    let lost = scene.number("SELECT count(*) FROM quarterdeck.outcomes WHERE result = 'worker_lost'").await;
    println!("{} changes, {kills} kills, {lost} lost attempts: {} FAQ jobs", writes.values().sum::<usize>(), {
        jobs.values().sum::<usize>()
    });
    assert!(writes.len() >= changes - changes / 4, "{writes:?}");
    assert!(lost > 0, "nothing was lost");
    assert_eq!(jobs, writes);
    let queues: Vec<String> = redis::from_redis_value(scene.redis.run("KEYS", &["queue:*"])).expect("a list");
    assert_eq!(queues, ["queue:low"], "nothing where nobody reads");
}
