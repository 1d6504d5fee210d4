//! Planning and running: the plan nodes, functions of the planner and optimizer rules that DataFusion lacks.
//!
//! `session` says how a plan may run, `execution` plans and runs one. The rest are nodes and rules, each with its reason.

pub(crate) mod batch_function;
pub(crate) mod execution;
pub(crate) mod float_comparison;
mod large_constant;
pub(crate) mod numbered;
pub(crate) mod order_key;
mod ordered_union;
pub(crate) mod session;
pub(crate) mod wait;
pub(crate) mod work_table;
mod yielding;
