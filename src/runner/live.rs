//! Settings that can change while a runner runs, as one value that is replaced as a whole.

use super::settings::{Mode, Scheduling, Settings};
use crate::domain::site_rule::Unfetchable;
use crate::fetch::Fetcher;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Settings that apply now, with the fetcher that was made from them.
pub(super) struct LiveSettings {
    pub(super) settings: Settings,
    pub(super) mode: Mode,
    pub(super) fetcher: Arc<Fetcher>,
    /// Documents that this process cannot fetch, because it lacks credentials.
    pub(super) unfetchable: Arc<Unfetchable>,
}

impl LiveSettings {
    pub(super) fn new(settings: Settings, mode: Mode, fetcher: Arc<Fetcher>) -> Self {
        let unfetchable = Arc::new(fetcher.unfetchable());
        Self { settings, mode, fetcher, unfetchable }
    }
}

/// Shared place of the settings. What has begun with the settings of before ends with them.
#[derive(Clone)]
pub(super) struct LiveSettingsCell(Arc<RwLock<Arc<LiveSettings>>>);

impl LiveSettingsCell {
    pub(super) fn new(settings: LiveSettings) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(settings))))
    }

    /// Returns the settings that apply now.
    pub(super) fn get(&self) -> Arc<LiveSettings> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the settings. Lease and heartbeat stay, since leases were given out by them, and so does the number of
    /// kept texts, which the open store has; the schedule's settings count only in [`Mode::Service`].
    pub(super) fn replace(&self, settings: Settings, fetcher: Arc<Fetcher>, scheduling: Scheduling) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let Settings { lease, heartbeat, retention, .. } = place.settings.clone();
        let mut settings = Settings { lease, heartbeat, ..settings };
        settings.retention.versions = retention.versions;
        let mode = match &place.mode {
            Mode::Service(_) => Mode::Service(scheduling),
            mode => mode.clone(),
        };
        *place = Arc::new(LiveSettings::new(settings, mode, fetcher));
    }
}

impl fmt::Debug for LiveSettingsCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSettingsCell").finish_non_exhaustive()
    }
}
