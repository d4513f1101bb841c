//! Check of Redis, which stores the locks, if the settings name one.

use super::CheckContext;
use crate::domain::finding::Finding;
use crate::lock;

/// Returns the findings about the Redis of the settings; none if the settings could not be loaded.
pub(super) async fn redis(context: &CheckContext) -> Vec<Finding> {
    let Ok(config) = &context.config else { return Vec::new() };
    lock::examine(&config.redis).await
}
