//! The emulator as its users meet it: over HTTP, by Google's clients, and as a program.

mod clients;
mod jobs;
mod program;
#[path = "../common/server.rs"]
mod server;
