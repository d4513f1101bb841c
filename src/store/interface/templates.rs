//! The interface of the hosts' templates: what recurs on the pages of a host.

use crate::domain::template::{Observation, Template};
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Access to the templates of hosts.
#[async_trait]
pub trait TemplateStore: StoreBase {
    /// Returns the template of a host; `None` while nothing is known to recur there.
    async fn template(&self, host: &str) -> Result<Option<Template>>;

    /// Adds observations to the sample of a host and learns from them, in a transaction of its own.
    async fn fold_template(&self, host: &str, observations: Vec<Observation>) -> Result<()>;

    /// Forgets the template of a host, which is then learned anew. Returns false if nothing was learned.
    async fn forget_template(&self, host: &str) -> Result<bool>;

    /// Returns the numbers of hosts with a template and of their recurring blocks.
    async fn template_counts(&self) -> Result<TemplateCounts>;
}

/// Numbers of what is known of the templates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TemplateCounts {
    /// Hosts with a template.
    pub hosts: u64,
    /// Recurring blocks of all hosts.
    pub blocks: u64,
    /// Hosts of which pages are sampled, with and without a template.
    pub sampled: u64,
}
