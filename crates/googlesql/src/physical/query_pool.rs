//! The memory pool of one query. A query has a limit of its own, so that it cannot take the memory of all other queries.

use std::fmt;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryLimit, MemoryPool, MemoryReservation};

/// Memory limit of one query: a quarter of the memory of all queries.
const MAX_QUERY_BYTES: usize = 512 * 1024 * 1024;

#[derive(Debug)]
pub(super) struct QueryPool {
    query: GreedyMemoryPool,
    all_queries: Arc<dyn MemoryPool>,
}

impl QueryPool {
    pub(super) fn new(all_queries: Arc<dyn MemoryPool>) -> QueryPool {
        QueryPool { query: GreedyMemoryPool::new(MAX_QUERY_BYTES), all_queries }
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &str {
        "query"
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.query.grow(reservation, additional);
        self.all_queries.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.query.shrink(reservation, shrink);
        self.all_queries.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.query.try_grow(reservation, additional)?;
        self.all_queries.try_grow(reservation, additional).inspect_err(|_| self.query.shrink(reservation, additional))
    }

    fn reserved(&self) -> usize {
        self.query.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.query.memory_limit()
    }
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.query.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::MemoryConsumer;

    use super::*;

    #[test]
    fn a_query_is_limited_by_its_pool_and_the_shared_pool() {
        let shared: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(MAX_QUERY_BYTES + 100));
        let reserve = || {
            let pool: Arc<dyn MemoryPool> = Arc::new(QueryPool::new(Arc::clone(&shared)));
            MemoryConsumer::new("test").register(&pool)
        };
        let (large, small) = (reserve(), reserve());
        assert!(large.try_grow(MAX_QUERY_BYTES).is_ok());
        assert!(large.try_grow(1).is_err());
        assert!(small.try_grow(101).is_err());
        assert!(small.try_grow(100).is_ok());
        drop((large, small));
        assert_eq!(shared.reserved(), 0);
    }
}
