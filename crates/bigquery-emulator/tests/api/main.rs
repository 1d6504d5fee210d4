//! Tests of the emulator from outside: its HTTP API, Google's clients, and the program.

mod clients;
mod insert_all;
mod jobs;
mod program;
#[path = "../common/server.rs"]
mod server;
