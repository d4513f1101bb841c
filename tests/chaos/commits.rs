//! Tests commits whose response is lost (F16): the process finds that its write was committed, and fetches no page a
//! second time.

use super::size;
use crate::support::fleet::{EAGER, Fleet, dismiss};
use crate::support::measure::Stopwatch;
use crate::support::place::Backend;
use crate::support::proxy::Proxy;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use std::collections::BTreeMap;
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f16_a_commit_whose_answer_is_lost_is_a_success_and_no_page_is_asked_for_again() {
    let (documents, cuts) = size(120, 6);
    // One cut at a time, with syncs in between.
    let page =
        |path: &str, hit| Reply::After(Duration::from_millis(20), Box::new(html(path, &format!("answer {hit}"))));
    let fleet = Fleet::new(Backend::Postgres, Site::start(page).await, EAGER).await;
    let mut url = url::Url::parse(&fleet.place.url()).expect("a URL");
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(proxy.port)).expect("a port");
    let fleet = fleet.with("QUARTERDECK_STORE", url.as_str());
    let share = documents / (cuts + 2);
    let worker = fleet.work();
    let mut longest = Duration::ZERO;
    for cut in 0..cuts {
        fleet.fill_from(cut * share, share).await;
        proxy.cut_a_commit_that_finishes();
        let begun = Stopwatch::start();
        fleet.drained().await;
        assert!(!proxy.is_armed(), "a commit was cut");
        fleet.fault_is_over();
        longest = longest.max(begun.took());
    }
    let rest = documents - cuts * share;
    fleet.fill_from(cuts * share, rest).await;
    fleet.drained().await;
    let said = dismiss(worker);
    let site = &fleet.install.site;
    let again: Vec<_> = (0..documents).filter(|page| site.hits(&format!("/{page}")) != 1).collect();
    assert_eq!(again, [0_usize; 0], "pages that were asked for again");
    let outcomes = fleet.check("F16 lost answers", documents, cuts, longest).await;
    assert!(outcomes.iter().all(|outcome| outcome.result == OutcomeResult::Unchanged), "nothing but successes");
    let mut lines: BTreeMap<i64, u32> = BTreeMap::new();
    for line in said {
        let line: serde_json::Value = serde_json::from_str(&line).expect("a line of JSON");
        *lines.entry(line["seq"].as_i64().expect("its number")).or_default() += 1;
    }
    let once = outcomes.iter().filter(|outcome| lines.get(&outcome.seq.0) == Some(&1)).count();
    assert_eq!((once, lines.len()), (documents, documents), "the worker says each once");
}
