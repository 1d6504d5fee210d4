//! Plans and executes the logical plans of `resolve` with DataFusion.
//!
//! `session` configures DataFusion, and `execution` plans and runs a query. The other files are plan nodes, functions
//! and optimizer rules that GoogleSQL needs and DataFusion does not have.

mod batch_adapter;
pub(crate) mod batch_function;
pub(crate) mod block_on;
mod bounded_batches;
mod even_batches;
pub(crate) mod execution;
pub(crate) mod float_comparison;
mod large_constant;
pub(crate) mod limited_planning;
pub(crate) mod order_key;
mod ordered_union;
mod query_pool;
mod row_multiplication;
pub(crate) mod session;
pub(crate) mod with_offset;
pub(crate) mod work_table;
mod yield_in_joins;
