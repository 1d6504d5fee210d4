//! Every failure that the service is built for, made to happen under load, and what must not follow from it.
//!
//! The service is a real process, BigQuery is the embedded one with faults switched on, and [`trial`] is what
//! all tests have in common: the stream of messages, the ledger of what was answered, and what is checked:
//!
//! * nothing that was acked is lost, and nothing is stored twice, though every nack is delivered again and every
//!   tenth ack, too;
//! * nothing is acked early: when the ack arrives, the row or the dead letter is in its table, or the filtered
//!   message is counted;
//! * the fault happened, by the count of the BigQuery that made it;
//! * messages that the failure does not concern are never nacked, and acked within [`trial::PROMPT`].
//!
//! [`soak`] has all of them at once and in any order, for as many messages as one likes.

mod answers;
mod connections;
mod local_mode;
mod processes;
mod rows;
mod soak;
mod tables;
mod tokens;
mod trial;
