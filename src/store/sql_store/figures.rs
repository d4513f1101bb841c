//! The interface for figures, [`FigureStore`], on an SQL database.

use super::SqlStore;
use crate::store::queries::figures;
use crate::store::{ConnectionCounts, FigureStore, Result, StoreFigures};
use async_trait::async_trait;

#[async_trait]
impl FigureStore for SqlStore {
    async fn figures(&self) -> Result<StoreFigures> {
        figures::figures(&self.db).await
    }

    fn connections(&self) -> ConnectionCounts {
        self.db.connections()
    }
}
