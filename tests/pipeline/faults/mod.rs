//! The service under load while BigQuery, tokens or processes fail.
//!
//! The service is a process, and BigQuery is the emulator with injected faults. [`scenario`] has the load and the checks
//! that all tests share:
//!
//! * no acked message is lost, and none is stored twice, although every nacked message and every tenth acked one is
//!   delivered again;
//! * no message is acked early: at the ack, the row or the dead letter is in its table, or the filtered message is
//!   counted;
//! * the fault happened: the emulator has counted it;
//! * unaffected messages are never nacked, and their response times stay within [`scenario::MAX_P99`].
//!
//! [`soak`] injects all faults together, in random order, for any number of messages.

mod connections;
mod foreign_answers;
mod interim_responses;
mod local_mode;
mod processes;
mod refused_rows;
mod responses;
mod rows;
mod scenario;
mod soak;
mod tables;
mod tokens;
