//! Takes one host of the demo's site down after the other, so that the console shows hosts that cool down and recover.

use super::beside::Beside;
use crate::demo::Switch;
use std::time::Duration;
use tokio::time::sleep;

/// Delay of the first outage, so that the viewer first sees healthy hosts.
const FIRST: Duration = Duration::from_secs(4);
/// Duration of an outage: longer than a host's first cool-down, so that the viewer sees the cool-down end.
const LASTS: Duration = Duration::from_secs(45);
/// Time between the end of an outage and the next one.
const BETWEEN: Duration = Duration::from_secs(30);

/// Starts the outages, over the hosts of the site in turn.
pub(super) fn start(switch: Switch, hosts: usize) -> Beside {
    Beside::start(|stop| async move {
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
    })
}
