//! Takes one host of the demo's site down after the other, so that there is one to be left alone and to come back.

use super::beside::Beside;
use crate::demo::Switch;
use std::time::Duration;
use tokio::time::sleep;

/// Until the first one: what is in order is seen first.
const FIRST: Duration = Duration::from_secs(4);
/// Duration of an outage: longer than a host's first cool-down, so that it can be seen to end.
const LASTS: Duration = Duration::from_secs(45);
/// Between two.
const BETWEEN: Duration = Duration::from_secs(30);

/// Starts them on a site of so many hosts.
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
