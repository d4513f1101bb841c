//! Takes one host of the demo's site down after the other, so that there is one to be left alone and to come back.

use crate::demo::Switch;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Until the first one: what is in order is seen first.
const FIRST: Duration = Duration::from_secs(4);
/// How long one lasts: longer than the first cool-down of a host, so that it is seen to end by itself.
const LASTS: Duration = Duration::from_secs(45);
/// Between two.
const BETWEEN: Duration = Duration::from_secs(30);

/// Outages that come and go.
pub(super) struct Outages {
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Starts them on a site of so many hosts.
pub(super) fn start(switch: Switch, hosts: usize) -> Outages {
    let outages = Outages { stop: CancellationToken::new(), tasks: TaskTracker::new() };
    let stop = outages.stop.clone();
    outages.tasks.spawn(async move {
        let coming_and_going = async {
            sleep(FIRST).await;
            for host in (0..hosts).cycle() {
                switch.down(Some(host));
                sleep(LASTS).await;
                switch.down(None);
                sleep(BETWEEN).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = coming_and_going => {}
        }
    });
    outages.tasks.close();
    outages
}

impl Outages {
    /// No more of them.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
