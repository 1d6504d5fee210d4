//! The state of the server, which every handler can access.

use std::io;
use std::sync::Arc;

#[cfg(feature = "faults")]
use crate::faults::Faults;
use crate::jobs::registry::JobRegistry;
use crate::query_runner::QueryRunner;
use crate::storage::store::Store;

/// The state of the server.
pub(crate) struct Server {
    pub jobs: JobRegistry,
    pub queries: Arc<QueryRunner>,
    pub store: Arc<Store>,
    #[cfg(feature = "faults")]
    pub faults: Faults,
}

impl Server {
    /// Creates a server over an open store.
    ///
    /// # Errors
    ///
    /// The operating system cannot create a thread.
    pub(crate) fn new(store: Store) -> io::Result<Server> {
        let store = Arc::new(store);
        let queries = Arc::new(QueryRunner::start(Arc::clone(&store))?);
        Ok(Server {
            jobs: JobRegistry::default(),
            #[cfg(feature = "faults")]
            faults: Faults::new(Arc::clone(queries.streaming_buffer())),
            queries,
            store,
        })
    }

    /// Milliseconds since 1970 of the server's clock, which a test can advance.
    pub(crate) fn now(&self) -> i64 {
        #[cfg(feature = "faults")]
        return self.faults.now();
        #[cfg(not(feature = "faults"))]
        jiff::Timestamp::now().as_millisecond()
    }
}
