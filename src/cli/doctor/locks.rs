//! Whether Redis can be used, where the settings name one.

use super::Patient;
use crate::cli::join::redis_settings;
use crate::domain::finding::Finding;
use crate::domain::lock::LockMode;
use crate::lock;

const REDIS: &str = "redis";

/// What is found of it.
pub(super) async fn redis(patient: &Patient) -> Vec<Finding> {
    let Ok(config) = &patient.config else { return Vec::new() };
    match (redis_settings(config), config.redis.lock) {
        (Some(settings), _) => lock::examine(&settings).await,
        (None, LockMode::Off) => {
            vec![Finding::ok(REDIS, "off (redis.lock): the store's leases alone keep syncs apart")]
        }
        (None, LockMode::Required) => {
            vec![Finding::fail(REDIS, "redis.lock is required and there is no redis.url", "set redis.url, or --redis")]
        }
        (None, LockMode::Preferred) => {
            vec![Finding::ok(REDIS, "none is named: the store's leases alone keep syncs apart")]
        }
    }
}
