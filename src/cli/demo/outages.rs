//! Takes the hosts of the demo's site down one after the other, so that the console shows hosts that cool down and
//! recover.

use super::background_task::BackgroundTask;
use crate::demo::Switch;
use std::time::Duration;
use tokio::time::sleep;

/// Delay of the first outage, so that the viewer first sees healthy hosts.
const FIRST_OUTAGE_DELAY: Duration = Duration::from_secs(4);
/// Duration of an outage: longer than a host's first cool-down, so that the viewer sees the cool-down end.
const OUTAGE_DURATION: Duration = Duration::from_secs(45);
/// Time between the end of an outage and the next one.
const RECOVERY_DURATION: Duration = Duration::from_secs(30);

/// Starts a task that takes the site's hosts down, one at a time and in turn. `hosts` is their number.
pub(super) fn start(switch: Switch, hosts: usize) -> BackgroundTask {
    BackgroundTask::start(|stop| async move {
        let outages = async {
            sleep(FIRST_OUTAGE_DELAY).await;
            for host in (0..hosts).cycle() {
                switch.down(Some(host));
                sleep(OUTAGE_DURATION).await;
                switch.down(None);
                sleep(RECOVERY_DURATION).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = outages => {}
        }
    })
}
