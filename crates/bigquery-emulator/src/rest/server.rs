//! What every handler sees.

use std::io;
use std::sync::Arc;

#[cfg(feature = "faults")]
use crate::faults::Faults;
use crate::jobs::registry::Jobs;
use crate::queries::Queries;
use crate::storage::store::Store;

/// The parts of a server.
pub(crate) struct Server {
    pub jobs: Jobs,
    pub queries: Arc<Queries>,
    pub store: Arc<Store>,
    #[cfg(feature = "faults")]
    pub faults: Faults,
}

impl Server {
    /// A server over an open store.
    ///
    /// # Errors
    ///
    /// The system gave no thread.
    pub(crate) fn new(store: Store) -> io::Result<Server> {
        let store = Arc::new(store);
        let queries = Arc::new(Queries::start(Arc::clone(&store))?);
        Ok(Server {
            jobs: Jobs::default(),
            #[cfg(feature = "faults")]
            faults: Faults::with(Arc::clone(queries.streaming_buffer())),
            queries,
            store,
        })
    }

    /// Milliseconds since 1970 by this server's clock, which a test may have moved.
    pub(crate) fn now(&self) -> i64 {
        #[cfg(feature = "faults")]
        return self.faults.now();
        #[cfg(not(feature = "faults"))]
        jiff::Timestamp::now().as_millisecond()
    }
}
