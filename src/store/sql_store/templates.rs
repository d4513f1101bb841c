//! The interface of the hosts' templates, [`TemplateStore`], on an SQL database.

use super::SqlStore;
use crate::domain::template::{Observation, Template};
use crate::store::{Result, TemplateCounts, TemplateStore, templates};
use async_trait::async_trait;

#[async_trait]
impl TemplateStore for SqlStore {
    async fn template(&self, host: &str) -> Result<Option<Template>> {
        templates::template(&self.db, host).await
    }

    async fn fold_template(&self, host: &str, observations: Vec<Observation>) -> Result<()> {
        templates::fold(&self.db, host, observations).await
    }

    async fn forget_template(&self, host: &str) -> Result<bool> {
        templates::forget(&self.db, host).await
    }

    async fn template_counts(&self) -> Result<TemplateCounts> {
        templates::counts(&self.db).await
    }
}
