//! The subcommands besides `serve` and `local`, their settings and their exit codes.

mod check;
mod cost;
mod deployed_keys;
mod exit_codes;
mod explain;
mod forget;
mod output;
mod pixel;
mod proxy;
mod query;
mod replay;
mod settings;
