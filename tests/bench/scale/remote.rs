//! Syncs of one worker whose PostgreSQL is at a distance: a proxy delays each direction. The time of a worker that finds
//! no job is subtracted: on a long line it is seconds, and no part of a sync.

use super::delay::DelayProxy;
use super::groups::Group;
use super::harness::postgres;
use super::options::StoreKind;
use super::pages::PageKind;
use super::process::Home;
use super::sheet::Figure;
use super::subject::Run;
use std::time::Duration;
use url::Url;

/// Delays of each direction in milliseconds, and the goals in syncs a second.
const DELAYS: [(u64, Option<f64>); 3] = [(0, None), (5, Some(150.0)), (20, Some(60.0))];

/// Measures every delay in every round, with a third of the pages.
pub async fn measure(run: &mut Run) -> Result<(), String> {
    if !run.stores.contains(&StoreKind::Postgres) {
        run.sheet.note("no syncs with a PostgreSQL at a distance: it is not installed or not selected");
        return Ok(());
    }
    let pages = run.options.pages.div_ceil(3);
    for index in run.turns() {
        for (delay, goal) in DELAYS {
            let database = postgres::empty().await;
            let home = Home::on(database.url.clone());
            let subject = &run.subjects[index];
            let urls = home.write("urls", &run.server.urls(PageKind::Slow, pages));
            home.run(subject, &["migrate", "--standalone"])?;
            let mut url = Url::parse(&database.url).map_err(|error| error.to_string())?;
            let proxy = DelayProxy::start(url.port().unwrap_or(5_432), Duration::from_millis(delay));
            url.set_port(Some(proxy.port)).map_err(|()| "a URL without a port")?;
            let work = ["work", "--drain", "--concurrency", "16", "--store", url.as_str()];
            let idle = home.run(subject, &work)?;
            home.run(subject, &["import", &urls])?;
            home.run(subject, &["sync", "--all", "--yes"])?;
            let usage = home.run(subject, &work)?;
            let figure = |what, unit| Figure::new(Group::Remote, format!("{delay} ms each way: {what}"), unit);
            let rate = figure("syncs a second", "1/s");
            let rate = goal.map_or(rate.clone(), |goal| rate.at_least(goal));
            run.sheet.add(index, rate, pages as f64 / (usage.wall - idle.wall));
            run.sheet.add(index, figure("CPU a document", "ms"), usage.cpu * 1e3 / pages as f64);
            run.sheet.add(index, figure("a worker that finds no job: wall", "s"), idle.wall);
            postgres::drop_database(database).await;
        }
    }
    Ok(())
}
