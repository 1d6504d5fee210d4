//! Running a query: the engine prepares it, the store carries out what changes the catalog.

use std::io;
use std::sync::Arc;

use googlesql::{Engine, Prepared, Query, QueryError, QueryResult};

use crate::storage::query_catalog::QueryCatalog;
use crate::storage::store::Store;
use crate::storage::{delete, view};
#[cfg(feature = "faults")]
use crate::streaming_buffer::StreamingBuffer;

/// Runs the queries of a server.
pub(crate) struct Queries {
    engine: Engine,
    store: Arc<Store>,
    /// The rows that no DELETE may remove.
    #[cfg(feature = "faults")]
    streaming_buffer: Arc<StreamingBuffer>,
}

impl Queries {
    pub(crate) fn start(store: Arc<Store>) -> io::Result<Queries> {
        Ok(Queries {
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

    /// Runs the query to its end. To cancel it, drop the future.
    ///
    /// # Errors
    ///
    /// [`QueryError`]: the text is at fault, or a table does not exist, or the file cannot be read.
    pub(crate) async fn run(&self, query: Query) -> Result<QueryResult, QueryError> {
        let catalog = QueryCatalog::new(self.store.snapshot().await?, self.store.reader());
        match self.engine.prepare(catalog, query).await? {
            Prepared::Done(result) => Ok(result),
            Prepared::Delete(plan) => {
                #[cfg(feature = "faults")]
                let protected = {
                    let buffer = Arc::clone(&self.streaming_buffer);
                    move |table: &_| buffer.rows_of(table)
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
