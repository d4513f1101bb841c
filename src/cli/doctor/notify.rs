//! Checks of the receivers of notifications: their keys, and what waits for each or was given up.

use super::CheckContext;
use crate::domain::finding::Finding;
use crate::domain::notification::{SinkName, SinkStatus};
use crate::format;
use crate::store::{Store, StoreError};

const CHECK: &str = "notifications";

/// Returns a finding for each sink whose key cannot be read, and one if webhooks of private addresses are allowed.
pub(super) fn settings(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    let sinks = config.notify.sinks.iter().filter_map(|(name, sink)| Some((name, sink.problem.as_ref()?)));
    let unread = |(name, problem): (&SinkName, &String)| {
        let cure = "let this user read the file, or run a worker elsewhere that can";
        Finding::warn(CHECK, format!("{name}: {problem}, so this process delivers nothing to it"), cure)
    };
    sinks.map(unread).collect()
}

/// Returns a finding for each registered sink.
pub(super) async fn sinks(context: &CheckContext, store: &dyn Store) -> Result<Vec<Finding>, StoreError> {
    let now = store.now();
    let defined = context.config.as_ref().map(|config| config.notify.sinks.keys().collect::<Vec<_>>());
    let defined = defined.unwrap_or_default();
    let finding = |sink: &SinkStatus| {
        let (name, state) = (&sink.name, format!("{}: {}", sink.name, format::sink_state(sink, now)));
        if sink.needs_attention() {
            let cure = format!("mend the receiver, then `quarterdeck notify retry {name}`, or `notify forget {name}`");
            return Finding::warn(CHECK, state, cure);
        }
        if sink.pending > 0 && !defined.contains(&name) {
            let cure = format!("run a worker whose settings have it, or `quarterdeck notify forget {name}`");
            return Finding::warn(CHECK, format!("{state}; these settings do not have it"), cure);
        }
        Finding::ok(CHECK, state)
    };
    Ok(store.sinks().await?.iter().map(finding).collect())
}
