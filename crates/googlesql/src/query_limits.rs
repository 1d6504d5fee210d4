//! The limits of one query: cancellation, the time of planning, and the memory of its functions.
//!
//! DataFusion's planner and functions know a query only by its configuration, so the limits are an extension of it.

use std::any::Any;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Instant;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::common::{Result, not_impl_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::sql::sqlparser::tokenizer::Location;

use crate::error::QueryError;

/// Maximum bytes of all constants that are computed during planning. The plan contains them several times.
const MAX_CONSTANT_BYTES: usize = 64 * 1024 * 1024;

/// A constant of this size and more is counted if the execution computes it. The plan contains all others.
const LARGE_CONSTANT_BYTES: usize = 64 * 1024;

/// Results of this size and more are counted for as long as they exist. Smaller ones are counted during the call.
const LARGE_RESULT_BYTES: usize = 1024 * 1024;

/// The limits of one query.
#[derive(Debug)]
pub(crate) struct QueryLimits {
    is_cancelled: AtomicBool,
    is_planned: AtomicBool,
    /// Whether the constants are too large. DataFusion ignores the errors of constants and computes them again later.
    has_large_constants: AtomicBool,
    planning_end: Mutex<Option<Instant>>,
    pool: Arc<dyn MemoryPool>,
    /// The memory of the constants that were computed during planning.
    constants: Mutex<MemoryReservation>,
    large_results: Mutex<Vec<(Weak<dyn Array>, MemoryReservation)>>,
}

impl QueryLimits {
    pub(crate) fn new(pool: Arc<dyn MemoryPool>) -> QueryLimits {
        QueryLimits {
            is_cancelled: AtomicBool::new(false),
            is_planned: AtomicBool::new(false),
            has_large_constants: AtomicBool::new(false),
            planning_end: Mutex::default(),
            constants: Mutex::new(MemoryConsumer::new("constants").register(&pool)),
            pool,
            large_results: Mutex::default(),
        }
    }

    /// The limits of the query of a configuration. A configuration without a query, as in unit tests, has none.
    pub(crate) fn of(options: &ConfigOptions) -> Option<&Arc<QueryLimits>> {
        options.extensions.get::<LimitsExtension>().map(|extension| &extension.0)
    }

    pub(crate) fn add_to(self: &Arc<QueryLimits>, options: &mut ConfigOptions) {
        options.extensions.insert(LimitsExtension(Arc::clone(self)));
    }

    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }

    /// Begins the planning. It must end before this time.
    pub(crate) fn begin_planning(&self, end: Instant) {
        *self.planning_end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
    }

    /// Ends the planning. Constants that are computed later are not part of the plan.
    pub(crate) fn finish_planning(&self) {
        self.is_planned.store(true, Ordering::Relaxed);
    }

    /// Whether the constants of the plan are too large.
    pub(crate) fn has_large_constants(&self) -> bool {
        self.has_large_constants.load(Ordering::Relaxed)
    }

    /// Fails if the query was cancelled.
    pub(crate) fn check_cancelled(&self) -> std::result::Result<(), QueryError> {
        if self.is_cancelled() { Err(QueryError::Closing) } else { Ok(()) }
    }

    /// Fails if the query was cancelled, if its planning takes too long, or if its constants are too large.
    pub(crate) fn check_planning(&self) -> std::result::Result<(), QueryError> {
        self.check_cancelled()?;
        if self.has_large_constants() {
            return Err(QueryError::ResourcesExceeded);
        }
        let end = *self.planning_end.lock().unwrap_or_else(PoisonError::into_inner);
        match end.is_some_and(|end| Instant::now() > end) {
            true => Err(QueryError::too_complex(Location { line: 0, column: 0 })),
            false => Ok(()),
        }
    }

    /// Creates an empty reservation for the result of a function call.
    pub(crate) fn reservation(&self) -> MemoryReservation {
        MemoryConsumer::new("function").register(&self.pool)
    }

    /// Keeps the reservation of a large result until the result is dropped.
    pub(crate) fn keep_until_dropped(&self, result: &ArrayRef, reservation: MemoryReservation) {
        let mut results = self.large_results.lock().unwrap_or_else(PoisonError::into_inner);
        results.retain(|(result, _)| result.strong_count() > 0);
        if reservation.size() >= LARGE_RESULT_BYTES {
            results.push((Arc::downgrade(result), reservation));
        }
    }

    /// Reserves the memory of a constant until the end of the query.
    pub(crate) fn reserve_constant(&self, bytes: usize) -> Result<()> {
        let is_planned = self.is_planned.load(Ordering::Relaxed);
        if is_planned && bytes < LARGE_CONSTANT_BYTES {
            return Ok(());
        }
        let constants = self.constants.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_planned && constants.size().saturating_add(bytes) > MAX_CONSTANT_BYTES {
            self.has_large_constants.store(true, Ordering::Relaxed);
            return Err(DataFusionError::ResourcesExhausted("large constants".to_owned()));
        }
        constants.try_grow(bytes)
    }
}

#[derive(Clone, Debug)]
struct LimitsExtension(Arc<QueryLimits>);

impl ConfigExtension for LimitsExtension {
    const PREFIX: &'static str = "query_limits";
}

impl ExtensionOptions for LimitsExtension {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, _: &str, _: &str) -> Result<()> {
        not_impl_err!("the limits of a query are no options")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}
