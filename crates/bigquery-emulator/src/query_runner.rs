//! Runs queries: the engine `googlesql` prepares a query, and the store applies its DELETE or CREATE VIEW.

use std::io;
use std::sync::Arc;

use googlesql::{Engine, Prepared, Query, QueryError, QueryResult};

use crate::storage::query_catalog::QueryCatalog;
use crate::storage::store::Store;
use crate::storage::{delete, view};
#[cfg(feature = "faults")]
use crate::streaming_buffer::StreamingBuffer;

/// Runs the queries of a server.
pub(crate) struct QueryRunner {
    engine: Engine,
    store: Arc<Store>,
    /// The rows that a DELETE cannot remove.
    #[cfg(feature = "faults")]
    streaming_buffer: Arc<StreamingBuffer>,
}

impl QueryRunner {
    pub(crate) fn start(store: Arc<Store>) -> io::Result<QueryRunner> {
        Ok(QueryRunner {
            engine: Engine::start()?,
            store,
            #[cfg(feature = "faults")]
            streaming_buffer: Arc::default(),
        })
    }

    #[cfg(feature = "faults")]
    pub(crate) fn streaming_buffer(&self) -> &Arc<StreamingBuffer> {
        &self.streaming_buffer
    }

    /// Runs a query. Dropping the future cancels it.
    ///
    /// # Errors
    ///
    /// [`QueryError`] if the query is invalid, a table does not exist, or the database cannot be read.
    pub(crate) async fn run(&self, query: Query) -> Result<QueryResult, QueryError> {
        let catalog = QueryCatalog::new(self.store.snapshot().await?, self.store.reader());
        match self.engine.prepare(catalog, query).await? {
            Prepared::Done(result) => Ok(result),
            Prepared::Delete(plan) => {
                #[cfg(feature = "faults")]
                let protected = {
                    let buffer = Arc::clone(&self.streaming_buffer);
                    move |table: &_| buffer.count_rows(table)
                };
                #[cfg(not(feature = "faults"))]
                let protected = |_: &_| 0;
                let deleted = self.store.write(move |db| Ok(delete::delete(db, &plan, protected, now()))).await??;
                let affected_rows = Some(deleted.rows);
                Ok(QueryResult { bytes_processed: deleted.bytes, affected_rows, ..QueryResult::without_rows("DELETE") })
            }
            Prepared::CreateView(view) => {
                self.store.write(move |db| Ok(view::create(db, &view, now()))).await??;
                Ok(QueryResult::without_rows("CREATE_VIEW"))
            }
        }
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
