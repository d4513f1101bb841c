//! The interface of the schedule, [`ScheduleStore`], on an SQL database.

use super::SqlStore;
use crate::domain::schedule::Terms;
use crate::store::schedule::{pass, plans};
use crate::store::{PassAnswer, PassOrder, Plans, Result, ScheduleStore};
use async_trait::async_trait;

#[async_trait]
impl ScheduleStore for SqlStore {
    async fn plans(&self, terms: &Terms) -> Result<Plans> {
        plans::read(&self.db, terms).await
    }

    async fn schedule(&self, order: &PassOrder<'_>) -> Result<PassAnswer> {
        pass::make(&self.db, &self.rests, order).await
    }
}
